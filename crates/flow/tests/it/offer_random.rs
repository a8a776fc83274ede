//! Random stories of the offer flow: any act in any state, any reply to any request, replies twice, replies late, timers
//! in any order.

use flow::offer::{self, AcceptBody, AcceptState, Act, Effect, Event, State, View};
use flow::{ApiError, Dwell, Intent, Screen};
use proptest::prelude::*;
use wire::{Attempt, AttemptStatus, ErrorCode, IneligibleReason, UpsellResponse};

use crate::build::*;

/// One random choice: what kind of thing happens, and two numbers to pick with.
pub(crate) type Choice = (u8, usize, usize);

pub(crate) struct Step {
    pub(crate) event: Event,
    pub(crate) before: View,
    pub(crate) effects: Vec<Effect>,
    pub(crate) after: View,
    /// Whether the event answers something that is still waited for.
    pub(crate) current: bool,
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
    match n % 22 {
        n @ 0..6 => Ok(attempt(statuses[n])),
        6 => Ok(bare(n.is_multiple_of(2))),
        7 => Err(ApiError::Network),
        8 => Err(ApiError::Timeout),
        9 => Err(ApiError::Foreign { status: 503 }),
        10 => Err(problem(500, ErrorCode::Internal)),
        11 => Err(quote_changed(quote(&format!("qc{n}"), 5000 + n as i64))),
        12 => Err(problem(410, ErrorCode::QuoteExpired)),
        13 => Err(ApiError::Foreign { status: 500 }),
        14 => Ok(Attempt { hosted_checkout_offered: false, ..attempt(S::Failed) }),
        15 => Ok(at_a_page(S::RequiresCustomerAction)),
        // An address that has no business there.
        16 => Ok(at_a_page(if n.is_multiple_of(4) { S::InDoubt } else { S::Processing })),
        17 => Err(ApiError::Foreign { status: [400, 401, 403, 404, 410, 429][n / 22 % 6] }),
        18 => Err(problem(410, ErrorCode::OfferGone)),
        19 => Err(problem(429, ErrorCode::RateLimited)),
        20 => Err(problem(400, ErrorCode::InvalidRequest)),
        _ => Err(problem(401, ErrorCode::Unauthorized)),
    }
}

fn offers(n: usize, serial: usize) -> Result<offer::Answer, ApiError> {
    let fresh = |offer: &str| offered(offer, quote(&format!("q{serial}"), 4000 + (n as i64 % 3) * 500));
    match n % 9 {
        0..3 => Ok(answer(fresh("o1"))),
        3 => Ok(answer(UpsellResponse { payment_method: None, ..fresh("o1") })),
        4 => Ok(answer(basic_backend())),
        5 => Ok(answer(nothing(IneligibleReason::Expired))),
        6 => Ok(answer(taken(attempt(AttemptStatus::Processing)))),
        7 => Err(ApiError::Network),
        _ => Ok(refused_here(fresh("o1"))),
    }
}

/// Plays random choices against the machine.
pub(crate) fn play(choices: &[Choice]) -> Vec<Step> {
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
            (0..=3, _) => {
                let pressed = if b.is_multiple_of(3) { press_on_altered } else { press };
                Event::Act { act: ACTS[a % 3], press: pressed(serial as u32) }
            }
            (4, _) => Event::Act { act: ACTS[a % ACTS.len()], press: press(serial as u32) },
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

pub(crate) fn sends(step: &Step) -> impl Iterator<Item = (&Intent, &AcceptBody)> {
    step.effects.iter().filter_map(|effect| match effect {
        Effect::Accept { intent, body, .. } => Some((intent, body)),
        _ => None,
    })
}

pub(crate) fn confirms(step: &Step) -> bool {
    match (&step.event, &step.before) {
        (Event::Act { press, .. }, _) if press.screen != Screen::AsDrawn => false,
        (Event::Act { act: Act::Accept, .. }, View::Offer(card)) => card.accept == AcceptState::Ready,
        // Without an amount the offer is only shown again.
        (Event::Act { act: Act::PayAnotherWay, .. }, View::Failed(failed)) => {
            failed.another_way && failed.due.is_some()
        }
        _ => false,
    }
}

pub(crate) fn story() -> impl Strategy<Value = Vec<Choice>> {
    prop::collection::vec((0_u8..23, 0_usize..1000, 0_usize..1000), 1..80)
}
