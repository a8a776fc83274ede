//! Stories of the plan-change flow.

use flow::{
    OwnPage, Screen, Tag,
    plans::{self, Act, ConfirmState, Dialog, Effect, Event, Notice, Page as Picture, State, View},
};
use wire::{EffectiveAt, ProductId, StayOfferResponse};

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
    /// Requests without an answer, and timers that have not run out.
    open: Vec<Effect>,
    witness: Witness,
}

impl Page {
    fn line(&mut self, word: &str, rest: &str) {
        match word {
            "plans" => {
                let answer = self.witness.read(rest).ok();
                self.happen(Event::Start(answer));
            }
            "plans-unanswered" => self.happen(Event::StartUnanswered),
            "timer" => {
                if let Some(timer) = self.last(is_timer).and_then(timer) {
                    self.happen(Event::Timer(timer));
                }
            }
            "first-timer" => {
                let at = self.open.iter().position(is_timer);
                if let Some(timer) = at.map(|at| self.open.remove(at)).and_then(timer) {
                    self.happen(Event::Timer(timer));
                }
            }
            _ => match act(word, rest) {
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
        let request = self.last(|effect| {
            !matches!(
                effect,
                Effect::Schedule(..)
                    | Effect::Watch(_)
                    | Effect::Navigate(_)
                    | Effect::OwnPage
                    | Effect::Announce(_)
                    | Effect::Decline(_)
            )
        });
        let witness = &mut self.witness;
        let event = match request {
            Some(Effect::Load(tag)) => witness.reply(word, rest).map(|reply| Event::Loaded(tag, reply)),
            Some(Effect::Preview(tag, _)) => {
                witness.reply(word, rest).map(|reply| Event::Previewed(tag, reply))
            }
            Some(Effect::Change { tag, .. }) => {
                witness.reply(word, rest).map(|reply| Event::Changed(tag, reply))
            }
            Some(Effect::Ask(tag, _)) => witness.reply(word, rest).map(|reply| Event::Looked(tag, reply)),
            Some(Effect::CardLink(tag)) => witness.reply(word, rest).map(|reply| Event::CardLink(tag, reply)),
            Some(Effect::StayOffer(tag, _)) => witness
                .reply(word, rest)
                .map(|reply| Event::StayOffered(tag, reply.map(|answer: StayOfferResponse| answer.offer))),
            Some(Effect::TakeBack(tag)) => {
                witness.nothing(word, rest).map(|reply| Event::TakenBack(tag, reply))
            }
            Some(Effect::Cancel(tag)) => {
                witness.nothing(word, rest).map(|reply| Event::Cancelled(tag, reply))
            }
            Some(Effect::KeepPlan(tag)) => witness.nothing(word, rest).map(|reply| Event::Kept(tag, reply)),
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

    fn happen(&mut self, event: Event) {
        let before = plans::view(&self.state);
        let (state, effects) = plans::step(std::mem::take(&mut self.state), event.clone());
        for effect in &effects {
            match effect {
                Effect::Change { intent, quote_id, .. } => {
                    let pressed = matches!(event, Event::Act { .. });
                    assert!(!on_altered(&event), "charged on a screen that said something else");
                    self.witness.sends(&intent.key, None, pressed);
                    // F1, F8: what is charged is what stood on the button that was pressed.
                    let confirmed = matches!(&before.dialog, Some(Dialog::Review(review))
                        if review.confirm == ConfirmState::Ready && review.quote.id == *quote_id);
                    assert!(!pressed || confirmed, "charged from {:?}", before.dialog);
                }
                Effect::Navigate(address) => self.witness.goes_to(address),
                _ => {}
            }
        }
        self.judge(&plans::view(&state));
        if !matches!(event, Event::Start(_) | Event::StartUnanswered | Event::Act { .. }) {
            // F4: nobody waits for it a second time.
            let again = plans::step(state.clone(), event);
            assert_eq!(again, (state.clone(), Vec::new()), "a repeated answer is heard");
        }
        self.state = state;
        self.open.extend(effects);
    }

    fn judge(&mut self, view: &View) {
        let witness = &mut self.witness;
        if let Picture::Comparison(page) = &view.page {
            witness.reached.insert("compared");
            for plan in &page.plans {
                witness.price("price", plan.price, plan.currency);
            }
            witness.price("recurring_amount", page.current.recurring_amount, page.current.currency);
            match &page.notice {
                Some(Notice::Waiting(waiting)) => witness.told(waiting.due),
                Some(Notice::Done(done)) => witness.done(done),
                Some(Notice::Failed(failed)) => witness.told(failed.due),
                _ => {}
            }
        }
        match &view.dialog {
            None | Some(Dialog::Adjust(_) | Dialog::Cancel(_)) => {}
            Some(Dialog::Altered(_)) => {
                witness.reached.insert("altered");
            }
            Some(Dialog::Stay(stay)) => {
                witness.reached.insert("proposed");
                witness.price("price", stay.offer.plan.price, stay.offer.plan.currency);
            }
            Some(Dialog::Review(review)) => {
                witness.reached.insert("reviewed");
                witness.quote(&review.quote, review.due, review.changed_from);
            }
            Some(Dialog::Waiting(waiting)) => {
                witness.reached.insert("waiting");
                witness.told(waiting.due);
            }
            Some(Dialog::Done(done)) => witness.done(done),
            Some(Dialog::Failed(failed)) => {
                witness.reached.insert("failed");
                witness.told(failed.due);
            }
        }
    }
}

/// F16: a press on a screen that said something else than the view.
fn on_altered(event: &Event) -> bool {
    matches!(event, Event::Act { press, .. } if press.screen != Screen::AsDrawn)
}

fn act(word: &str, rest: &str) -> Option<(Act, Screen)> {
    let act = match word {
        "confirm-altered" => return Some((Act::Confirm, Screen::Altered(OwnPage::Elsewhere))),
        "choose" => Act::Choose(ProductId::parse(rest).ok()?),
        "adjust" => Act::Adjust(ProductId::parse(rest).ok()?),
        "seats" => Act::Seats(rest.parse().ok()?),
        "price" => Act::ShowPrice,
        "now" => Act::Timing(EffectiveAt::Immediately),
        "later" => Act::Timing(EffectiveAt::NextBillingDate),
        "confirm" => Act::Confirm,
        "close" => Act::CloseDialog,
        "open" => Act::OpenDialog,
        "refresh" => Act::Refresh,
        "reload" => Act::Reload,
        "card" => Act::UseAnotherCard,
        "take-back" => Act::TakeBackScheduled,
        "cancel" => Act::Cancel,
        "keep" => Act::KeepPlan,
        "take" => Act::TakeStayOffer,
        "go-on" => Act::GoOn,
        "check" => Act::CheckAgain,
        "continue" => Act::Continue,
        _ => return None,
    };
    Some((act, Screen::AsDrawn))
}

fn is_timer(effect: &Effect) -> bool {
    matches!(effect, Effect::Schedule(..))
}

fn timer(effect: Effect) -> Option<Tag> {
    match effect {
        Effect::Schedule(tag, _) => Some(tag),
        _ => None,
    }
}
