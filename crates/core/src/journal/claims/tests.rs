use wire::FailureReason;

use super::*;
use crate::{
    domain::Observation,
    journal::{Watermark, fixtures::*, memory::Memory},
};

const DECLINED: Observation = Observation::Failed(FailureReason::Declined);

/// I2: of any number of clicks one claims.
#[test]
fn of_several_clicks_one_claims() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let first = store.claimed(&claim_of(&row, "at_0", "key-0"));
    assert_eq!((first.no, first.state), (1, AttemptState::Claimed));
    for click in 1..8 {
        let request = claim_of(&row, &format!("at_{click}"), &format!("key-{click}"));
        assert_eq!(store.execute(&request), ClaimOutcome::OfferNotOpen(OfferState::Accepting));
    }
    assert_eq!(store.attempts.len(), 1);
}

/// I2: an open offer beside an attempt that may still collect is a contradiction, and cannot be claimed.
#[test]
fn an_open_offer_with_a_live_attempt_cannot_be_claimed() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    store.sent(&claim_of(&row, "at_1", "key-1"));
    if let Some(offer) = store.offers.get_mut(&row.id) {
        offer.state = OfferState::Presented;
    }
    let second = store.execute(&claim_of(&row, "at_2", "key-2"));
    assert_eq!(second, ClaimOutcome::OfferNotOpen(OfferState::Unknown));
    assert_eq!(store.attempts.len(), 1);
}

/// I11.
#[test]
fn a_key_belongs_to_one_attempt_of_one_buyer() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let first = store.sent(&claim_of(&row, "at_1", "key-1"));
    let ClaimOutcome::KeyUsed(earlier) = store.execute(&claim_of(&row, "at_2", "key-1")) else {
        panic!("claimed twice with one key")
    };
    assert_eq!((earlier.id, earlier.key), (first.id, first.key));
    let foreign = OfferRow { customer_id: customer("cus_2"), ..offer("of_2") };
    store.offers.insert(foreign.id.clone(), foreign.clone());
    assert_eq!(store.claimed(&claim_of(&foreign, "at_3", "key-1")).no, 1, "the key of another buyer");
}

#[test]
fn an_expired_or_foreign_offer_cannot_be_claimed() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let mut late = claim_of(&row, "at_1", "key-1");
    late.attempt.created_at = row.expires_at;
    assert_eq!(store.execute(&late), ClaimOutcome::OfferNotOpen(OfferState::Expired));
    let mut foreign = claim_of(&row, "at_1", "key-1");
    foreign.attempt.customer_id = customer("cus_2");
    assert_eq!(store.execute(&foreign), ClaimOutcome::OfferNotFound);
    assert_eq!(store.offer_state(&row), OfferState::Presented);
    assert!(store.attempts.is_empty());
}

/// I2.
#[test]
fn one_live_attempt_per_subscription() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let on_subscription = |attempt: &str, key: &str| {
        let mut request = claim_of(&row, attempt, key);
        request.attempt.offer_id = None;
        request.attempt.subscription_id = Some(subscription());
        request
    };
    let first = store.sent(&on_subscription("at_1", "key-1"));
    assert_eq!(store.execute(&on_subscription("at_2", "key-2")), ClaimOutcome::SubscriptionBusy);
    store.settle(&first.id, &seen(Observation::Succeeded));
    let second = store.sent(&on_subscription("at_3", "key-3"));
    store.settle(&second.id, &seen(DECLINED));
    store.sent(&on_subscription("at_4", "key-4"));
}

/// I4: recovery and a slow worker never both go on.
#[test]
fn a_claim_is_marked_within_its_lease_only_and_once() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let attempt = store.claimed(&claim_of(&row, "at_1", "key-1"));
    assert!(!store.mark_sent(&attempt.id, attempt.lease_until));
    assert!(store.mark_sent(&attempt.id, NOW));
    assert!(!store.mark_sent(&attempt.id, NOW));
    assert!(!store.execute(&back(&attempt.id, Unexecuted::Claimed)));
    let marked = &store.attempts[&attempt.id].row;
    assert_eq!((marked.lease_until, marked.next_check_at), (after(45), Some(after(45))));
}

/// A claim is marked as sent by the process that made it, or not at all.
#[test]
fn another_process_does_not_mark_a_claim() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let attempt = store.claimed(&claim_of(&row, "at_1", "key-1"));
    store.instance = "proxy-2".into();
    assert!(!store.mark_sent(&attempt.id, NOW));
    assert_eq!(store.state(&attempt.id), AttemptState::Claimed);
}

#[test]
fn a_release_opens_the_offer_as_it_was() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let first = store.claimed(&claim_of(&row, "at_1", "key-1"));
    assert!(store.execute(&back(&first.id, Unexecuted::Claimed)));
    assert_eq!(store.offer_state(&row), OfferState::Presented);
    let released = &store.attempts[&first.id].row;
    assert_eq!((released.state, released.next_check_at), (AttemptState::Released, None));
    // The key is free again, and the number is not.
    let second = store.sent(&claim_of(&row, "at_2", "key-1"));
    assert_eq!(second.no, 2);
    store.settle(&second.id, &seen(DECLINED));
    assert_eq!(store.offer_state(&row), OfferState::Failed);
    let third = store.sent(&hosted_claim_of(&row, "at_3", "key-3"));
    assert!(store.execute(&back(&third.id, Unexecuted::Sent)));
    assert_eq!(store.offer_state(&row), OfferState::Failed, "its card is still declined");
}

#[test]
fn a_release_needs_the_state_that_it_is_about() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let attempt = store.claimed(&claim_of(&row, "at_1", "key-1"));
    assert!(!store.execute(&back(&attempt.id, Unexecuted::Sent)));
    assert!(store.execute(&back(&attempt.id, Unexecuted::Claimed)));
    assert!(!store.execute(&back(&attempt.id, Unexecuted::Claimed)));
    assert!(!store.execute(&back(&attempt_id("at_9"), Unexecuted::Claimed)), "no such attempt");
}

#[test]
fn a_changed_quote_is_the_final_answer_for_its_key() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let new = Some(quote("qt_new", Some(&row)).quote.id);
    let attempt = store.claimed(&claim_of(&row, "at_1", "key-1"));
    let release = back(&attempt.id, Unexecuted::Claimed);
    assert!(store.execute(&Release { replacement: new.clone(), key: KeptKey::Kept, ..release }));
    let ClaimOutcome::KeyUsed(earlier) = store.execute(&claim_of(&row, "at_2", "key-1")) else {
        panic!("the key was forgotten")
    };
    assert_eq!((earlier.state, earlier.replacement), (AttemptState::Released, new));
}

/// I1: what a process remembers and does not find again keeps everything from being claimed.
#[test]
fn nothing_is_claimed_in_a_stale_store() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let current = Watermark { remembered: Some(NOW), found: Some(NOW), has_last_sent: true };
    for stale in [
        Watermark { remembered: Some(after(1)), ..current },
        Watermark { found: None, ..current },
        Watermark { has_last_sent: false, ..current },
    ] {
        store.watermark = stale;
        assert_eq!(store.execute(&claim_of(&row, "at_1", "key-1")), ClaimOutcome::StaleStore);
    }
    store.watermark = current;
    store.claimed(&claim_of(&row, "at_1", "key-1"));
}
