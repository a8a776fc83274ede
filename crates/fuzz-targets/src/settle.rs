//! Settling: evidence in any order, any number of times (I10).

use upsell_core::{
    domain::{AttemptState, Observation, OfferState},
    journal::states::{abandon, join, offer_after},
};
use wire::FailureReason;

use crate::Reached;

/// More are not looked at: each is another byte, and what eight can do, eighty can.
const MOST: usize = 24;

/// The first byte is whether the attempt was given up before anything was seen of it, each further one an observation.
pub fn settle(data: &[u8]) -> Reached {
    let [first, rest @ ..] = data else { return Reached::new() };
    let given_up = first % 2 == 1;
    let start = if given_up { abandon(AttemptState::Unknown) } else { AttemptState::Sent };
    let start = (start, if given_up { OfferState::Abandoned } else { OfferState::Accepting });
    let seen: Vec<Observation> = rest.iter().take(MOST).map(|byte| observation(*byte)).collect();

    let settled = after(start, &seen);
    let mut other = seen.clone();
    other.reverse();
    assert_eq!(after(start, &other), settled, "backwards: {seen:?}");
    other.sort_by_key(|seen| format!("{seen:?}"));
    assert_eq!(after(start, &other), settled, "sorted: {seen:?}");
    for turn in 1..seen.len() {
        other.clone_from(&seen);
        other.rotate_left(turn);
        assert_eq!(after(start, &other), settled, "beginning with number {turn}: {seen:?}");
    }
    let twice: Vec<_> = seen.iter().flat_map(|seen| [*seen, *seen]).collect();
    assert_eq!(after(start, &twice), settled, "each twice: {seen:?}");
    assert_eq!(after(settled, &seen), settled, "all of it again: {seen:?}");

    let paid = seen.iter().any(|seen| matches!(seen, Observation::Succeeded | Observation::Scheduled));
    assert_eq!(settled.1 == OfferState::Charged, paid, "{seen:?}");
    Reached::from([word(settled.0)])
}

fn observation(byte: u8) -> Observation {
    let reasons = FailureReason::ALL;
    match usize::from(byte) % reasons.len().saturating_add(5) {
        0 => Observation::Unknown,
        1 => Observation::Pending { customer_action: false },
        2 => Observation::Pending { customer_action: true },
        3 => Observation::Scheduled,
        4 => Observation::Succeeded,
        n => Observation::Failed(reasons[n - 5]),
    }
}

/// The attempt and its offer, each observation settled by itself as it comes.
fn after(start: (AttemptState, OfferState), seen: &[Observation]) -> (AttemptState, OfferState) {
    seen.iter().fold(start, |(attempt, offer), seen| {
        let attempt = join(attempt, *seen);
        (attempt, offer_after(offer, attempt, true))
    })
}

fn word(state: AttemptState) -> &'static str {
    match state {
        AttemptState::Claimed | AttemptState::Released => "not sent",
        AttemptState::Sent => "sent",
        AttemptState::Unknown => "unknown",
        AttemptState::Pending { .. } => "pending",
        AttemptState::Failed(_) => "failed",
        AttemptState::Abandoned => "abandoned",
        AttemptState::Scheduled => "scheduled",
        AttemptState::Succeeded => "succeeded",
    }
}
