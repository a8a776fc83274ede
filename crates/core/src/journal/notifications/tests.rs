//! Notifications in the outbox, each of them once (I14).

use wire::FailureReason;

use super::*;
use crate::{
    domain::Observation,
    journal::{Unexecuted, fixtures::*, memory::Memory},
};

/// I14.
#[test]
fn a_sale_is_notified_once() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let attempt = store.sent(&claim_of(&row, "at_1", "key-1"));
    for settlement in [seen(Observation::Unknown), paid("pay_1"), paid("pay_1"), seen(Observation::Succeeded)]
    {
        store.settle(&attempt.id, &settlement);
    }
    assert_eq!(store.notified(), ["evt_at_1_offer_accepted", "evt_at_1_payment_succeeded"]);
    let body = &store.notifications["evt_at_1_payment_succeeded"].body;
    assert_eq!((&body["type"], &body["timestamp"]), (&json!("payment.succeeded"), &json!(NOW.0)));
    let data = &body["data"];
    assert_eq!((&data["offer_id"], &data["payment_id"]), (&json!("of_1"), &json!("pay_1")));
    assert_eq!((&data["amount"], &data["currency"]), (&json!(1900), &json!("USD")));
}

#[test]
fn a_failure_is_notified_once_whatever_its_reason_turns_out_to_be() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let attempt = store.sent(&claim_of(&row, "at_1", "key-1"));
    for reason in [FailureReason::Declined, FailureReason::ExpiredCard, FailureReason::Declined] {
        store.settle(&attempt.id, &seen(Observation::Failed(reason)));
    }
    assert_eq!(store.notified(), ["evt_at_1_offer_accepted", "evt_at_1_payment_failed"]);
}

#[test]
fn a_refusal_is_notified_once() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let refusal = Decline { price: None, plan: None, reason: None, ..refusal(&row) };
    store.execute(&refusal);
    store.execute(&refusal);
    assert_eq!(store.notified(), ["evt_of_1_offer_declined"]);
}

#[test]
fn what_was_never_sent_is_not_notified() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let attempt = store.claimed(&claim_of(&row, "at_1", "key-1"));
    store.execute(&back(&attempt.id, Unexecuted::Claimed));
    assert!(store.notified().is_empty());
}
