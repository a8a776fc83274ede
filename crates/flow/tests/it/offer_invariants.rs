//! The offer flow's invariants (numbers as in the crate's documentation) under random events: any act in any state, any
//! reply to any request, replies twice, replies late, timers in any order.

use flow::announce::{Announcement, Trouble};
use flow::charge::{Next, Standing};
use flow::offer::{self, AcceptBody, AcceptState, Act, Dwell, Effect, Event, PriceView, State, View};
use flow::{ApiError, Tag};
use proptest::prelude::*;
use wire::{Attempt, AttemptStatus, ErrorCode, IneligibleReason, UpsellResponse};

use crate::build::*;

/// One random choice: what kind of thing happens, and two numbers to pick with.
type Choice = (u8, usize, usize);

struct Step {
    event: Event,
    before: View,
    effects: Vec<Effect>,
    after: View,
    /// Whether the event answers something that is still waited for.
    current: bool,
}

const ACTS: [Act; 7] = [
    Act::Accept,
    Act::Decline(None),
    Act::PayAnotherWay,
    Act::Refresh,
    Act::CheckAgain,
    Act::Continue,
    Act::Dismiss,
];

fn attempts(n: usize) -> Result<Attempt, ApiError> {
    use AttemptStatus as S;
    let statuses =
        [S::Succeeded, S::Processing, S::InDoubt, S::Failed, S::CheckoutRequired, S::RequiresCustomerAction];
    match n % 18 {
        n @ 0..6 => Ok(attempt(statuses[n])),
        6 => Ok(bare(n.is_multiple_of(2))),
        7 => Err(ApiError::Network),
        8 => Err(ApiError::Timeout),
        9 => Err(ApiError::Foreign { status: 503 }),
        10 => Err(problem(500, ErrorCode::Internal)),
        11 => Err(quote_changed(quote(&format!("qc{n}"), 5000 + n as i64))),
        12 => Err(problem(410, ErrorCode::QuoteExpired)),
        13 => Err(ApiError::Foreign { status: 500 }),
        14 => Err(ApiError::Network),
        15 => Ok(at_a_page(S::RequiresCustomerAction)),
        // An address that has no business there.
        16 => Ok(at_a_page(if n.is_multiple_of(4) { S::InDoubt } else { S::Processing })),
        _ => Err(problem(401, ErrorCode::Unauthorized)),
    }
}

fn offers(n: usize, serial: usize) -> Result<offer::Answer, ApiError> {
    let fresh = |offer: &str| offered(offer, quote(&format!("q{serial}"), 4000 + (n as i64 % 3) * 500));
    match n % 9 {
        0..3 => Ok(answer(fresh("o1"))),
        3 => Ok(answer(UpsellResponse { payment_method: None, ..fresh("o1") })),
        4 => Ok(answer(small_backend())),
        5 => Ok(answer(nothing(IneligibleReason::Expired))),
        6 => Ok(answer(taken(attempt(AttemptStatus::Processing)))),
        7 => Err(ApiError::Network),
        _ => Ok(refused_here(fresh("o1"))),
    }
}

/// Plays random choices against the machine.
fn play(choices: &[Choice]) -> Vec<Step> {
    let mut state = State::default();
    let mut steps: Vec<Step> = vec![];
    let mut requests: Vec<Effect> = vec![];
    for (serial, &(kind, a, b)) in choices.iter().enumerate() {
        let waiting = |pick: fn(&Effect) -> bool| -> Option<Effect> {
            let fitting: Vec<_> = requests.iter().filter(|effect| pick(effect)).cloned().collect();
            // Mostly the latest, sometimes any.
            let at =
                if a.is_multiple_of(3) { b % fitting.len().max(1) } else { fitting.len().saturating_sub(1) };
            fitting.into_iter().nth(at)
        };
        let answered = match kind {
            5..=7 => waiting(|effect| matches!(effect, Effect::Accept { .. })),
            8 | 9 => waiting(|effect| matches!(effect, Effect::Load(_))),
            10 => waiting(|effect| matches!(effect, Effect::Ask(..))),
            11 => waiting(|effect| matches!(effect, Effect::Decline(..))),
            12 | 13 => waiting(|effect| matches!(effect, Effect::Schedule(..))),
            14..=16 => waiting(|effect| matches!(effect, Effect::Watch(_))),
            // Things take their course: what was asked for last comes.
            _ => requests.last().cloned(),
        };
        let event = match (kind, answered) {
            _ if serial == 0 => Event::Start(offers(a, serial).ok().filter(|_| !b.is_multiple_of(4))),
            (0..=3, _) => Event::Act { act: ACTS[a % 3], key: key(serial as u32) },
            (4, _) => Event::Act { act: ACTS[a % ACTS.len()], key: key(serial as u32) },
            (_, Some(Effect::Accept { tag, .. })) => Event::Accepted(tag, attempts(b)),
            (_, Some(Effect::Load(tag))) => Event::Loaded(tag, offers(b, serial)),
            (_, Some(Effect::Ask(tag, _))) => Event::Looked(tag, attempts(b)),
            (_, Some(Effect::Decline(tag, _))) => {
                let next = match b % 3 {
                    0 => Ok(None),
                    1 => Ok(Some(answer(offered(&format!("d{serial}"), quote(&format!("q{serial}"), 1900))))),
                    _ => Err(ApiError::Network),
                };
                Event::Declined(tag, next)
            }
            (_, Some(Effect::Schedule(tag, _))) => Event::Timer(tag),
            (_, Some(Effect::Watch(tag))) => {
                Event::Dwelled(tag, if b.is_multiple_of(2) { Dwell::Armed } else { Dwell::Seen })
            }
            (_, Some(_) | None) => continue,
        };
        let before = offer::view(&state);
        let old = state.clone();
        let (next, effects) = offer::step(state, event.clone());
        state = next;
        requests.extend(effects.iter().cloned());
        let after = offer::view(&state);
        let current = old != state || !effects.is_empty();
        steps.push(Step { event, before, effects, after, current });
    }
    steps
}

fn sends(step: &Step) -> impl Iterator<Item = (&wire::IdempotencyKey, &AcceptBody)> {
    step.effects.iter().filter_map(|effect| match effect {
        Effect::Accept { key, body, .. } => Some((key, body)),
        _ => None,
    })
}

fn confirms(step: &Step) -> bool {
    match (&step.event, &step.before) {
        (Event::Act { act: Act::Accept, .. }, View::Offer(card)) => card.accept == AcceptState::Ready,
        (Event::Act { act: Act::PayAnotherWay, .. }, View::Failed(failed)) => failed.another_way,
        _ => false,
    }
}

fn story() -> impl Strategy<Value = Vec<Choice>> {
    prop::collection::vec((0_u8..23, 0_usize..1000, 0_usize..1000), 1..80)
}

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
        let mut intention: Option<(wire::IdempotencyKey, u32)> = None;
        let mut unanswered = false;
        for step in play(&choices) {
            if confirms(&step) {
                prop_assert!(sends(&step).count() == 1, "a confirmation sends exactly once");
                intention = None;
            } else if sends(&step).next().is_some() {
                prop_assert!(unanswered, "only an unanswered request is repeated");
            }
            for (key, body) in sends(&step) {
                let (first, count) = intention.get_or_insert((key.clone(), 0));
                prop_assert_eq!(&*first, key);
                *count += 1;
                prop_assert!(*count <= 3);
                prop_assert!(*body != AcceptBody::ListPrice || *count == 1, "a smaller backend is asked once");
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
            View::Nothing | View::Done(_) | View::Closed(_) | View::Leaving { .. } | View::Failed(_) => {}
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
            let undecided = matches!(&step.before, View::Waiting(_))
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
                        attempt.status == Some(AttemptStatus::Failed) || (attempt.status.is_none() && !attempt.success)
                    }
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
                proven = matches!(reply, Ok(attempt) if attempt.status == Some(AttemptStatus::Failed)
                    || attempt.status.is_none() && !attempt.success);
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
        prop_assert!(matches!(effects[..], [Effect::Announce(Announcement::Failed(_, Trouble::Load))]));
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
            });
            for effect in step.effects {
                seen.insert(match effect {
                    Effect::Accept { body: AcceptBody::ListPrice, .. } => "sends to a smaller backend",
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
    assert_eq!(seen.len(), 17, "{seen:?}");
}
