//! Settling: evidence in any order, any number of times (I10), decided by the journal over a whole store.

use upsell_core::{
    domain::{AttemptState, Observation, OfferState, PaymentStatus},
    journal::{
        RecordLook, Settle, Settlement,
        fixtures::{NOW, after, claim_of, hosted_claim_of, seen, seen_payment},
        memory::Memory,
    },
    policy::refunds::RefundRules,
};
use wire::{AttemptId, FailureReason};

use crate::Reached;

/// More are not looked at: each is another byte, and what eight can do, eighty can.
const MOST: usize = 8;

/// An event in the life of an attempt that was sent.
#[derive(Clone, Debug)]
enum Event {
    /// Something was seen of it.
    Seen(Box<Settlement>),
    /// It was looked up, and nothing was found.
    Looked,
}

/// The first byte says how the store stands: whether the attempt was given up, whether another was sent after it had
/// failed, whether surplus money goes back. Each further byte is an event.
pub fn settle(data: &[u8]) -> Reached {
    let [first, rest @ ..] = data else { return Reached::new() };
    let (start, attempt) = start(*first);
    let events: Vec<Event> = rest.iter().take(MOST).map(|byte| event(*byte, first & 8 != 0)).collect();

    let settled = end(&start, &attempt, &events);
    let mut other = events.clone();
    other.reverse();
    assert_eq!(end(&start, &attempt, &other), settled, "backwards: {events:?}");
    other.sort_by_key(|event| format!("{event:?}"));
    assert_eq!(end(&start, &attempt, &other), settled, "sorted: {events:?}");
    for turn in 1..events.len() {
        other.clone_from(&events);
        other.rotate_left(turn);
        assert_eq!(end(&start, &attempt, &other), settled, "beginning with number {turn}: {events:?}");
    }
    let twice: Vec<_> = events.iter().flat_map(|event| [event.clone(), event.clone()]).collect();
    assert_eq!(end(&start, &attempt, &twice), settled, "each twice: {events:?}");
    let again = [events.clone(), events.clone()].concat();
    assert_eq!(end(&start, &attempt, &again), settled, "all of it again: {events:?}");

    let paid = events.iter().any(|event| match event {
        Event::Seen(seen) => matches!(seen.observation, Observation::Succeeded | Observation::Scheduled),
        Event::Looked => false,
    });
    assert!(settled.offers.values().all(|offer| (offer.state == OfferState::Charged) == paid), "{events:?}");
    let mut reached = Reached::from([word(settled.state(&attempt))]);
    reached.extend(events.iter().filter(|event| matches!(event, Event::Looked)).map(|_| "looked"));
    reached.extend(settled.payments.values().filter(|payment| payment.record.surplus).map(|_| "surplus"));
    reached
}

/// A store with one offer, and the attempt on it that the evidence is about.
fn start(how: u8) -> (Memory, AttemptId) {
    let mut store = Memory::fresh();
    let offer = store.offered("of_1");
    let attempt = store.sent(&claim_of(&offer, "at_1", "key-1")).id;
    if how & 1 != 0 {
        store.settle(&attempt, &seen(Observation::Unknown));
        store.abandon(&attempt);
    } else if how & 16 != 0 {
        store.settle(&attempt, &seen(Observation::Failed(FailureReason::Declined)));
        store.sent(&hosted_claim_of(&offer, "at_2", "key-2"));
    }
    (store, attempt)
}

fn event(byte: u8, surplus: bool) -> Event {
    let reasons = FailureReason::ALL;
    let kinds = reasons.len().saturating_add(5);
    let (what, how) = (usize::from(byte) % kinds, usize::from(byte) / kinds);
    if how == 14 {
        return Event::Looked;
    }
    let (observation, status) = match what {
        0 => (Observation::Unknown, None),
        1 => (Observation::Pending { customer_action: false }, Some(PaymentStatus::Pending)),
        2 => (Observation::Pending { customer_action: true }, Some(PaymentStatus::Pending)),
        3 => (Observation::Scheduled, None),
        4 => (Observation::Succeeded, Some(PaymentStatus::Succeeded)),
        n => (Observation::Failed(reasons[n - 5]), Some(PaymentStatus::Failed)),
    };
    // Money is never seen without its payment; anything else may be.
    let status = status.filter(|status| *status == PaymentStatus::Succeeded || how % 2 == 0);
    let payment = status.map(|status| seen_payment("pay_1", status, Some(1900)));
    let refund = RefundRules { surplus, ..RefundRules::default() };
    Event::Seen(Box::new(Settlement { payment, refund, ..seen(observation) }))
}

/// The store after these events, without what their order shows in.
fn end(start: &Memory, attempt: &AttemptId, events: &[Event]) -> Memory {
    let mut store = start.clone();
    for event in events {
        match event {
            Event::Seen(settlement) => drop(store.execute(&Settle { attempt, settlement })),
            Event::Looked => store.execute(&RecordLook {
                attempt: attempt.clone(),
                at: NOW,
                clean_after_deadline: true,
                next_check_at: Some(after(60)),
            }),
        }
    }
    store.without_traces_of_order()
}

fn word(state: AttemptState) -> &'static str {
    match state {
        AttemptState::Claimed | AttemptState::Released => "not sent",
        AttemptState::Sent => "sent",
        AttemptState::Unknown => "unknown",
        AttemptState::Pending { .. } => "pending",
        AttemptState::Failed(_) => "failed",
        AttemptState::Abandoned => "abandoned",
        AttemptState::NeedsReview => "needs_review",
        AttemptState::Scheduled => "scheduled",
        AttemptState::Underpaid => "underpaid",
        AttemptState::Dismissed => "dismissed",
        AttemptState::Succeeded => "succeeded",
    }
}
