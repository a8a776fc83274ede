//! Stories of the offer flow.

use std::collections::BTreeSet;

use flow::{
    ApiError, Dwell, OwnPage, Screen, Tag,
    offer::{self, AcceptBody, AcceptState, Act, Answer, Effect, Event, PriceView, State, View, decline_key},
};
use wire::{DeclineResponse, UpsellResponse};

use super::witness::Witness;
use crate::Reached;

/// Plays one.
pub(super) fn play<'a>(lines: impl Iterator<Item = (&'a str, &'a str)>) -> Reached {
    let mut page = Page::default();
    for (word, rest) in lines {
        page.line(word, rest);
    }
    page.witness.reached
}

#[derive(Default)]
struct Page {
    state: State,
    /// Requests without an answer, timers that have not run out, and the watch.
    open: Vec<Effect>,
    /// What this browser remembers of refusals.
    ledger: BTreeSet<String>,
    witness: Witness,
}

impl Page {
    fn line(&mut self, word: &str, rest: &str) {
        match word {
            "offer" => {
                let answer = self.witness.read(rest).ok().map(|response| self.answer(response));
                self.happen(Event::Start(answer));
            }
            "look" => {
                if let Some(watch) = self.last(|effect| matches!(effect, Effect::Watch(_))).and_then(tag) {
                    self.happen(Event::Dwelled(watch, Dwell::Armed));
                    self.happen(Event::Dwelled(watch, Dwell::Seen));
                }
            }
            "timer" => {
                if let Some(timer) = self.last(|effect| matches!(effect, Effect::Schedule(..))).and_then(tag)
                {
                    self.happen(Event::Timer(timer));
                }
            }
            "first-timer" => {
                let at = self.open.iter().position(|effect| matches!(effect, Effect::Schedule(..)));
                if let Some(timer) = at.map(|at| self.open.remove(at)).and_then(tag) {
                    self.happen(Event::Timer(timer));
                }
            }
            _ => match act(word) {
                Some((act, screen)) => {
                    if let Some(press) = self.witness.press(screen) {
                        self.happen(Event::Act { act, press });
                    }
                }
                None => self.reply(word, rest),
            },
        }
    }

    /// An answer to what was asked last.
    fn reply(&mut self, word: &str, rest: &str) {
        if !["ok", "error", "network", "timeout"].contains(&word) {
            return;
        }
        let is_request = |effect: &Effect| {
            matches!(effect, Effect::Load(_) | Effect::Accept { .. } | Effect::Ask(..) | Effect::Decline(..))
        };
        let event = match self.last(is_request) {
            Some(Effect::Load(tag)) => {
                let reply = self.witness.reply::<UpsellResponse>(word, rest);
                reply.map(|reply| Event::Loaded(tag, reply.map(|response| self.answer(response))))
            }
            Some(Effect::Accept { tag, .. }) => {
                self.witness.reply(word, rest).map(|reply| Event::Accepted(tag, reply))
            }
            Some(Effect::Ask(tag, _)) => {
                self.witness.reply(word, rest).map(|reply| Event::Looked(tag, reply))
            }
            Some(Effect::Decline(tag, _)) => {
                let reply: Option<Result<DeclineResponse, ApiError>> = self.witness.reply(word, rest);
                let next = |response: DeclineResponse| response.next.map(|next| self.answer(*next));
                reply.map(|reply| Event::Declined(tag, reply.map(next)))
            }
            _ => None,
        };
        if let Some(event) = event {
            self.happen(event);
        }
    }

    fn last(&mut self, pick: impl Fn(&Effect) -> bool) -> Option<Effect> {
        let at = self.open.iter().rposition(pick)?;
        Some(self.open.remove(at))
    }

    fn answer(&self, response: UpsellResponse) -> Answer {
        let refused_here = decline_key(&response).is_some_and(|key| self.ledger.contains(&key));
        Answer { response: Box::new(response), refused_here }
    }

    fn happen(&mut self, event: Event) {
        let before = offer::view(&self.state);
        let (state, effects) = offer::step(std::mem::take(&mut self.state), event.clone());
        for effect in &effects {
            self.judge_effect(effect, &event, &before);
        }
        self.judge_view(&offer::view(&state));
        if !matches!(event, Event::Start(_) | Event::Act { .. } | Event::Dwelled(..)) {
            // F4: nobody waits for it a second time.
            let again = offer::step(state.clone(), event);
            assert_eq!(again, (state.clone(), Vec::new()), "a repeated answer is heard");
        }
        self.state = state;
        self.open.extend(effects);
    }

    fn judge_effect(&mut self, effect: &Effect, event: &Event, before: &View) {
        match effect {
            Effect::Accept { intent, body, .. } => {
                let pressed = matches!(event, Event::Act { .. });
                assert!(!on_altered(event), "charged on a screen that said something else");
                let most = (*body == AcceptBody::ListPrice).then_some(1);
                self.witness.sends(&intent.key, most, pressed);
                if pressed {
                    confirmed(before, body);
                }
            }
            Effect::Decline(..) if matches!(event, Event::Act { .. }) => {
                self.witness.reached.insert("declined");
                let undecided = matches!(before, View::Waiting(_))
                    || matches!(before, View::Offer(card) if card.accept == AcceptState::Sending);
                assert!(!undecided, "refused while a charge was undecided");
            }
            Effect::Navigate(address) => self.witness.goes_to(address),
            Effect::Remember(key) => {
                self.ledger.insert(key.clone());
            }
            _ => {}
        }
    }

    fn judge_view(&mut self, view: &View) {
        let witness = &mut self.witness;
        match view {
            View::Nothing => {}
            View::Offer(card) => {
                witness.reached.insert("offered");
                witness.price("price", card.product.price, card.product.currency);
                match &card.price {
                    PriceView::Quoted(quote) => witness.quote(quote, card.due, card.changed_from),
                    PriceView::ListPrice(price) => {
                        assert_eq!(*price, card.due);
                        witness.price("price", price.amount, price.currency);
                        witness.bears(card.due, card.changed_from);
                    }
                }
            }
            View::Waiting(waiting) => {
                witness.reached.insert("waiting");
                witness.told(waiting.due);
            }
            View::Ordering { due } => witness.told(Some(*due)),
            View::Ordered(_) => {
                witness.reached.insert("ordered");
            }
            View::Leaving { due } => witness.told(*due),
            View::Done(done) => witness.done(done),
            View::Failed(failed) => {
                witness.reached.insert("failed");
                witness.told(failed.due);
            }
            View::Closed(_) => {
                witness.reached.insert("closed");
            }
            View::Altered(_) => {
                witness.reached.insert("altered");
            }
        }
    }
}

/// F1, F8: what is charged is what stood on the button that was pressed.
fn confirmed(before: &View, body: &AcceptBody) {
    match (before, body) {
        (View::Offer(card), AcceptBody::Offer { quote_id, quantity, .. }) => {
            assert_eq!(card.accept, AcceptState::Ready);
            assert_eq!(*quantity, card.quantity);
            assert!(matches!(&card.price, PriceView::Quoted(quote) if quote.id == *quote_id));
        }
        (View::Offer(card), AcceptBody::ListPrice) => {
            assert_eq!(card.accept, AcceptState::Ready);
            assert!(matches!(card.price, PriceView::ListPrice(_)));
        }
        (before, _) => {
            let another_way = matches!(before, View::Failed(failed) if failed.another_way);
            assert!(another_way, "charged from {before:?}");
        }
    }
}

/// F16: a press on a screen that said something else than the view.
fn on_altered(event: &Event) -> bool {
    matches!(event, Event::Act { press, .. } if press.screen != Screen::AsDrawn)
}

fn act(word: &str) -> Option<(Act, Screen)> {
    let act = match word {
        "accept-altered" => return Some((Act::Accept, Screen::Altered(OwnPage::Elsewhere))),
        "accept" => Act::Accept,
        "another-way" => Act::PayAnotherWay,
        "decline" => Act::Decline(None),
        "refresh" => Act::Refresh,
        "check" => Act::CheckAgain,
        "continue" => Act::Continue,
        "dismiss" => Act::Dismiss,
        _ => return None,
    };
    Some((act, Screen::AsDrawn))
}

fn tag(effect: Effect) -> Option<Tag> {
    match effect {
        Effect::Watch(tag) | Effect::Schedule(tag, _) => Some(tag),
        _ => None,
    }
}
