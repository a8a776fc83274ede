//! A store that may have lost commits, and what is put back into it.

use upsell_core::journal::{Rebuilding, Took};
use wire::FailureReason;

use super::*;
use crate::store::Restore;

/// What Dodo knows of a charge of cus_1 for an offer.
fn lost(offer: &OfferRow, attempt: &str) -> Rebuilding {
    Rebuilding {
        offer: Some(offer.clone()),
        quote: quote(&format!("qt_{}", offer.id), Some(offer)),
        attempt: AttemptRow { state: AttemptState::Sent, key: None, ..claim_of(offer, attempt, "k").attempt },
    }
}

fn later(seconds: i64) -> UnixSeconds {
    UnixSeconds(NOW.0 + seconds)
}

#[tokio::test]
async fn beats_grow_and_a_restart_reads_the_last() {
    let (place, store) = fresh().await;
    assert_eq!(store.last_sign().await.unwrap(), upsell_core::journal::LastSign::default());
    assert!(store.beat(later(10)).await.unwrap());
    assert!(store.beat(NOW).await.unwrap(), "a clock set back is no store gone back");
    assert_eq!(store.last_sign().await.unwrap().beat, Some(later(10)));
    let name = store.name().to_owned();
    store.close().await;
    drop(store);
    let store = opened(&place, &place.tenant).await;
    assert_eq!(store.last_sign().await.unwrap().beat, Some(later(10)));
    assert_eq!(store.name(), name);
    assert!(!store.has_gone_back().await.unwrap());
}

/// I1: a charge that only Dodo knows of closes its offer, once, however often it is put back.
#[tokio::test]
async fn a_lost_charge_is_put_back_once() {
    let (_place, store) = fresh().await;
    let row = offer("of_1");
    let Took::New(attempt) = store.rebuild(&lost(&row, "at_9"), NOW).await.unwrap() else { panic!("known") };
    assert!(matches!(store.rebuild(&lost(&row, "at_9"), NOW).await.unwrap(), Took::Known(_)));
    assert_eq!(offer_state(&store, &row).await, OfferState::Accepting);
    assert!(!store.settle(&attempt.id, &paid("pay_9")).await.unwrap().unwrap().surplus);
    assert_eq!(offer_state(&store, &row).await, OfferState::Charged);
    let told: Vec<_> = store.history(&attempt.id).await.unwrap().into_iter().map(|line| line.event).collect();
    assert_eq!(told, ["rebuilt", "offer", "succeeded"]);
}

#[tokio::test]
async fn an_open_offer_for_the_same_occasion_is_closed() {
    let (_place, store) = fresh().await;
    let open = offered(&store, "of_1").await;
    let before = OfferRow { id: OfferId::parse("of_0").unwrap(), ..open.clone() };
    let Took::New(attempt) = store.rebuild(&lost(&before, "at_9"), NOW).await.unwrap() else {
        panic!("known")
    };
    assert_eq!(attempt.offer_id, Some(open.id.clone()));
    let claim = store.claim(&claim_of(&open, "at_1", "key-1")).await.unwrap();
    assert_eq!(claim, ClaimOutcome::OfferNotOpen(OfferState::Accepting));
    store.settle(&attempt.id, &seen(Observation::Failed(FailureReason::Declined))).await.unwrap();
    assert_eq!(offer_state(&store, &open).await, OfferState::Failed);
}

#[tokio::test]
async fn a_claim_with_a_payment_was_sent() {
    let (_place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    store.claim(&claim_of(&row, "at_1", "key-1")).await.unwrap();
    let Took::Known(attempt) = store.rebuild(&lost(&row, "at_1"), NOW).await.unwrap() else { panic!("new") };
    assert_eq!(attempt.state, AttemptState::Sent);
    store.settle(&attempt.id, &seen(Observation::Pending { customer_action: false })).await.unwrap();
    assert_eq!(offer_state(&store, &row).await, OfferState::Pending);
}

/// Money beside money is written down and reported.
#[tokio::test]
async fn a_second_charge_is_put_back_as_surplus() {
    let (_place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let first = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    store.settle(&first.id, &paid("pay_1")).await.unwrap();
    let Took::New(second) = store.rebuild(&lost(&row, "at_9"), NOW).await.unwrap() else { panic!("known") };
    assert!(store.settle(&second.id, &paid("pay_9")).await.unwrap().unwrap().surplus);
}

/// I7.
#[tokio::test]
async fn a_hold_closes_what_was_open_before() {
    let (_place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    assert_eq!(store.held_until().await.unwrap(), None);
    assert_eq!(store.hold_until(later(1)).await.unwrap(), 1);
    store.hold_until(NOW).await.unwrap();
    assert_eq!(store.held_until().await.unwrap(), Some(later(1)));
    assert_eq!(offer_state(&store, &row).await, OfferState::Expired);
}

/// What a process remembers and does not find again: an attempt that it sent, or a beat.
#[tokio::test]
async fn nothing_is_claimed_in_a_store_that_went_back() {
    let (_place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    store.beat(NOW).await.unwrap();
    store.memory.beat(later(1));
    assert_eq!(store.claim(&claim_of(&row, "at_1", "key-1")).await.unwrap(), ClaimOutcome::StaleStore);
    assert!(!store.beat(later(9)).await.unwrap());
    assert_eq!(store.last_sign().await.unwrap().beat, Some(NOW), "the last beat stays for the rebuild");
    store.begin_anew(NOW, Some(NOW)).await.unwrap();
    assert_eq!(store.last_sign().await.unwrap().restored_at, Some(NOW));
    store.memory.sent(&AttemptId::parse("at_lost").unwrap());
    assert!(store.has_gone_back().await.unwrap());
    store.begin_anew(later(2), None).await.unwrap();
    assert!(matches!(store.claim(&claim_of(&row, "at_1", "key-1")).await.unwrap(), ClaimOutcome::Claimed(_)));
}
