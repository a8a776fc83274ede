//! The offer flow's invariants (numbers as in the crate's documentation) under random events.

use flow::announce::{Announcement, Trouble};
use flow::charge::{Next, Standing};
use flow::offer::{self, AcceptBody, AcceptState, Act, Effect, Event, PriceView, State, View};
use flow::{ApiError, Intent, Tag};
use proptest::prelude::*;
use wire::AttemptStatus;

use crate::money_claims::{self, proves};
use crate::offer_random::{confirms, play, sends, story};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// F1, F8: a charge leaves only on a press of a button that worked, and for exactly what the screen showed.
    #[test]
    fn f1_f8_what_is_charged_is_what_was_confirmed(choices in story()) {
        for step in play(&choices) {
            let new = sends(&step).filter(|_| matches!(step.event, Event::Act { .. })).count();
            prop_assert!(new == 0 || confirms(&step), "{:?} in {:?}", step.event, step.before);
            if let (View::Offer(card), Some((_, body))) = (&step.before, sends(&step).next()) {
                match (body, &card.price) {
                    (AcceptBody::Offer { quote_id, quantity, .. }, PriceView::Quoted(quote)) => {
                        prop_assert_eq!(quote_id, &quote.id);
                        prop_assert_eq!(*quantity, card.quantity);
                        prop_assert_eq!(card.due, quote.total_money());
                    }
                    (AcceptBody::ListPrice, PriceView::ListPrice(price)) => prop_assert_eq!(card.due, *price),
                    other => prop_assert!(false, "{other:?}"),
                }
            }
        }
    }

    /// F2, F3, F11: between two confirmations there is one key, sent at most three times, and only while unanswered.
    #[test]
    fn f2_f3_f11_one_confirmation_is_one_intention(choices in story()) {
        let mut intention: Option<(Intent, u32)> = None;
        let mut unanswered = false;
        for step in play(&choices) {
            if confirms(&step) {
                prop_assert!(sends(&step).count() == 1, "a confirmation sends exactly once");
                intention = None;
            } else if sends(&step).next().is_some() {
                prop_assert!(unanswered, "only an unanswered request is repeated");
            }
            for (intent, body) in sends(&step) {
                let (first, count) = intention.get_or_insert((intent.clone(), 0));
                prop_assert_eq!(&*first, intent);
                *count += 1;
                prop_assert!(*count <= 3);
                prop_assert!(*body != AcceptBody::ListPrice || *count == 1, "a basic backend is asked once");
            }
            match &step.event {
                Event::Accepted(_, reply) if step.current => {
                    unanswered = matches!(reply, Err(ApiError::Network | ApiError::Timeout | ApiError::Foreign { status: 503 }));
                }
                _ => {}
            }
        }
    }

    /// F4: what nobody waits for changes nothing. Every reply and every timer is played a second time.
    #[test]
    fn f4_stale_replies_change_nothing(choices in story()) {
        let mut state = State::default();
        for step in play(&choices) {
            let (next, _) = offer::step(state, step.event.clone());
            state = next;
            let again = match &step.event {
                Event::Accepted(..) | Event::Loaded(..) | Event::Looked(..) | Event::Declined(..) | Event::Timer(_) => {
                    offer::step(state.clone(), step.event.clone())
                }
                _ => continue,
            };
            prop_assert_eq!(&again.0, &state);
            prop_assert_eq!(again.1, vec![]);
        }
    }

    /// F5: a quote that has expired, or is being replaced, is never sent.
    #[test]
    fn f5_an_expired_quote_is_never_sent(choices in story()) {
        let mut expired: Vec<String> = vec![];
        let mut showing: Option<(String, Tag)> = None;
        for step in play(&choices) {
            for effect in &step.effects {
                if let (Effect::Schedule(tag, 290_000), View::Offer(card)) = (effect, &step.after)
                    && let PriceView::Quoted(quote) = &card.price
                {
                    showing = Some((quote.id.as_str().to_owned(), *tag));
                }
            }
            if let (Event::Timer(tag), Some((quote, timer))) = (&step.event, &showing)
                && tag == timer
                && matches!(step.before, View::Offer(_))
                && step.current
            {
                expired.push(quote.clone());
            }
            for (_, body) in sends(&step) {
                if let (AcceptBody::Offer { quote_id, .. }, true) = (body, confirms(&step)) {
                    prop_assert!(!expired.contains(&quote_id.as_str().to_owned()), "{quote_id}");
                }
            }
        }
    }

    /// F7: every state is an end, waits for something that is under way, or has a button that works.
    #[test]
    fn f7_there_is_always_a_way_on(choices in story()) {
        let steps = play(&choices);
        let mut open: Vec<&Effect> = vec![];
        let mut answered: Vec<Tag> = vec![];
        for step in &steps {
            open.extend(&step.effects);
            if let Event::Looked(tag, _) | Event::Accepted(tag, _) | Event::Timer(tag) | Event::Loaded(tag, _) = &step.event {
                answered.push(*tag);
            }
        }
        let Some(last) = steps.last() else { return Ok(()) };
        match &last.after {
            View::Nothing
            | View::Done(_)
            | View::Closed(_)
            | View::Ordered(_)
            | View::Leaving { .. }
            | View::Failed(_)
            | View::Altered(_) => {}
            View::Ordering { .. } => {
                let sent = open.iter().any(|effect| matches!(effect, Effect::Accept { tag, .. } if !answered.contains(tag)));
                prop_assert!(sent);
            }
            View::Offer(card) if card.accept == AcceptState::Sending => {
                let sent = open.iter().any(|effect| matches!(effect, Effect::Accept { .. }));
                prop_assert!(sent);
            }
            View::Offer(card) => prop_assert!(card.can_decline),
            View::Waiting(waiting) => {
                let asks = open.iter().any(|effect| match effect {
                    Effect::Ask(tag, _) | Effect::Load(tag) | Effect::Schedule(tag, _) | Effect::Accept { tag, .. } => {
                        !answered.contains(tag)
                    }
                    _ => false,
                });
                prop_assert!(waiting.next != Next::Wait || asks);
            }
        }
    }

    /// F9: no refusal while a charge is undecided, and nothing is ever sent for what was refused.
    #[test]
    fn f9_accepting_and_refusing_exclude_each_other(choices in story()) {
        let mut refused: Vec<String> = vec![];
        for step in play(&choices) {
            let undecided = matches!(&step.before, View::Waiting(_) | View::Ordering { .. })
                || matches!(&step.before, View::Offer(card) if card.accept == AcceptState::Sending);
            let by_buyer = matches!(step.event, Event::Act { act: Act::Decline(_), .. });
            for effect in &step.effects {
                if let (Effect::Decline(_, request), true) = (effect, by_buyer) {
                    prop_assert!(!undecided);
                    refused.push(request.offer_id.as_str().to_owned());
                }
                if let Effect::Accept { body: AcceptBody::Offer { offer_id, .. }, .. } = effect {
                    prop_assert!(!refused.contains(&offer_id.as_str().to_owned()));
                }
            }
        }
    }

    /// F10: after a refusal at most one other offer is shown, and after its refusal none.
    #[test]
    fn f10_a_downsell_at_most_once(choices in story()) {
        let mut refusals = 0;
        for step in play(&choices) {
            if matches!(step.event, Event::Act { act: Act::Decline(_), .. }) && step.current {
                refusals += 1;
            }
            prop_assert!(refusals < 2 || step.after == View::Nothing);
            if let Event::Loaded(_, Ok(answer)) = &step.event
                && answer.refused_here
                && step.current
            {
                prop_assert!(!matches!(step.after, View::Offer(_)), "what this browser refused stays hidden");
            }
        }
    }

    /// F12: "not collected" is said only when the last reply proves it.
    #[test]
    fn f12_nobody_is_told_failed_while_it_is_open(choices in story()) {
        for step in play(&choices) {
            for effect in &step.effects {
                let Effect::Announce(Announcement::Failed(_, Trouble::Charge(_))) = effect else { continue };
                let proof = match &step.event {
                    Event::Accepted(_, Ok(attempt)) | Event::Looked(_, Ok(attempt)) => {
                        attempt.status == Some(AttemptStatus::Failed)
                    }
                    Event::Accepted(_, Err(error)) => proves(error, true),
                    _ => false,
                };
                prop_assert!(proof, "{:?}", step.event);
            }
            if let View::Waiting(waiting) = &step.after {
                prop_assert!(waiting.standing != Standing::InDoubt || !matches!(step.before, View::Failed(_)));
            }
        }
    }

    /// F14: another way to pay opens only after a definite failure, once an offer, and an undecided charge leads to its own
    /// page only.
    #[test]
    fn f14_no_second_way_while_the_first_is_open(choices in story()) {
        let mut proven = false;
        let mut taken: Vec<String> = vec![];
        for step in play(&choices) {
            for (_, body) in sends(&step) {
                let AcceptBody::Offer { offer_id, .. } = body else { continue };
                if matches!(step.event, Event::Act { act: Act::PayAnotherWay, .. }) {
                    prop_assert!(proven, "the charge before it may yet be collected");
                    prop_assert!(!taken.contains(&offer_id.as_str().to_owned()), "once an offer");
                    taken.push(offer_id.as_str().to_owned());
                }
            }
            if let Event::Accepted(_, reply) | Event::Looked(_, reply) = &step.event
                && step.current
            {
                proven = matches!(reply, Ok(attempt) if attempt.status == Some(AttemptStatus::Failed));
            }
            if let View::Waiting(waiting) = &step.after {
                prop_assert!(waiting.next != Next::Continue || waiting.standing == Standing::ActionRequired);
            }
            let leads_on = matches!(&step.before, View::Waiting(waiting) if waiting.next == Next::Continue)
                || matches!(step.before, View::Leaving { .. })
                || matches!(step.after, View::Leaving { .. });
            prop_assert!(leads_on || !step.effects.iter().any(|effect| matches!(effect, Effect::Navigate(_))));
        }
    }

    /// F18: what is said about money was proved since the last press, or by an attempt that an earlier page began.
    #[test]
    fn f18_claims_about_money_are_proved(choices in story()) {
        let (mut not_charged, mut paid, mut quoted) = (false, false, false);
        for step in play(&choices) {
            if let Some((_, body)) = sends(&step).find(|_| confirms(&step)) {
                (not_charged, paid) = (false, false);
                quoted = *body != AcceptBody::ListPrice;
            }
            if let (View::Offer(card), false) = (&step.after, step.before == step.after) {
                quoted |= matches!(card.price, PriceView::Quoted(_));
            }
            let attempt = match &step.event {
                Event::Start(Some(answer)) | Event::Loaded(_, Ok(answer)) => answer.response.attempt.as_ref(),
                Event::Accepted(_, Ok(attempt)) | Event::Looked(_, Ok(attempt)) => Some(attempt),
                Event::Accepted(_, Err(error)) if step.current => {
                    not_charged |= quoted && proves(error, true);
                    None
                }
                _ => None,
            };
            if let Some(attempt) = attempt.filter(|_| step.current) {
                not_charged |= attempt.status == Some(AttemptStatus::Failed);
                paid |= attempt.receipt.is_some();
                quoted |= !matches!(step.event, Event::Accepted(..));
            }
            let claims = money_claims::of_offer(&step.after);
            prop_assert!(claims.within(not_charged, paid, quoted), "{:?} after {:?}", step.after, step.event);
        }
    }

    /// F13: a backend that cannot be reached at the start shows nothing.
    #[test]
    fn f13_no_answer_shows_nothing(error in prop_oneof![
        Just(ApiError::Network),
        Just(ApiError::Timeout),
        Just(ApiError::BadBody),
        (100_u16..600).prop_map(|status| ApiError::Foreign { status }),
    ]) {
        let (state, effects) = offer::step(State::default(), Event::Start(None));
        let Some(Effect::Load(tag)) = effects.first() else { panic!() };
        let (state, effects) = offer::step(state, Event::Loaded(*tag, Err(error)));
        prop_assert_eq!(offer::view(&state), View::Nothing);
        prop_assert!(matches!(
            effects[..],
            [Effect::Announce(Announcement::Failed(_, Trouble::Load | Trouble::Unauthorized | Trouble::Unreadable(_)))]
        ));
    }
}

/// The random stories reach every phase; otherwise the properties above would prove nothing.
#[test]
fn random_stories_go_everywhere() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..800 {
        let choices = story().new_tree(&mut runner).unwrap().current();
        for step in play(&choices) {
            seen.insert(match step.after {
                View::Nothing => "nothing",
                View::Offer(card) => match card.accept {
                    AcceptState::Arming => "arming",
                    AcceptState::Ready => "ready",
                    AcceptState::Refreshing => "refreshing",
                    AcceptState::Stale => "stale",
                    AcceptState::Sending => "sending",
                },
                View::Waiting(waiting) => match waiting.next {
                    Next::Wait => "waiting",
                    Next::Continue => "waiting for the buyer at a page",
                    Next::CheckAgain => "waiting, no longer asking",
                },
                View::Leaving { .. } => "leaving",
                View::Done(_) => "done",
                View::Failed(failed) if failed.another_way => "failed, another way",
                View::Failed(_) => "failed",
                View::Closed(_) => "closed",
                View::Altered(_) => "altered",
                View::Ordering { .. } => "ordering",
                View::Ordered(_) => "ordered",
            });
            for effect in step.effects {
                seen.insert(match effect {
                    Effect::Accept { body: AcceptBody::ListPrice, .. } => "orders at a basic backend",
                    Effect::Accept { .. } => "sends",
                    Effect::Ask(..) => "asks",
                    Effect::Navigate(_) => "navigates",
                    _ => continue,
                });
            }
        }
    }
    // A watch that ends by itself takes a dozen looks in a row; an answer that nobody may look any more ends it at once.
    seen.remove("waiting, no longer asking");
    assert_eq!(seen.len(), 20, "{seen:?}");
}
