//! What survives a restart, and what another tenant sees.

use super::*;

#[tokio::test]
async fn a_restart_keeps_offers_attempts_and_refusals() {
    let (place, store) = fresh().await;
    let taken = offered(&store, "of_1").await;
    let attempt = sent(&store, &claim_of(&taken, "at_1", "key-1")).await;
    store.close().await;
    drop(store);
    let store = opened(&place, &place.tenant).await;
    let kept = store.attempt(&taken.customer_id, &attempt.id).await.unwrap().unwrap();
    assert_eq!(kept.state, AttemptState::Sent);
    assert_eq!(offer_state(&store, &taken).await, OfferState::Accepting);
}

/// A claim is marked as sent by the process that made it, or not at all.
#[tokio::test]
async fn another_process_does_not_mark_a_claim() {
    let (place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let ClaimOutcome::Claimed(attempt) = store.claim(&claim_of(&row, "at_1", "key-1")).await.unwrap() else {
        panic!("not claimed")
    };
    store.close().await;
    drop(store);
    let store = opened(&place, &place.tenant).await;
    assert!(!store.mark_sent(&attempt, NOW, UnixSeconds(NOW.0 + 45)).await.unwrap());
}

#[tokio::test]
async fn another_tenant_sees_nothing() {
    let (place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    store.close().await;
    drop(store);
    let other = Tenant { merchant: format!("{}-other", place.tenant.merchant), ..place.tenant.clone() };
    let live = Tenant { mode: Mode::Live, ..place.tenant.clone() };
    for other in [other, live] {
        let store = opened(&place, &other).await;
        assert!(store.offers_of(&row.customer_id).await.unwrap().is_empty());
        let attempt = AttemptId::parse("at_1").unwrap();
        assert!(store.attempt_by_id(&attempt).await.unwrap().is_none());
        assert!(store.history(&attempt).await.unwrap().is_empty());
        assert!(store.quote(&row.customer_id, &QuoteId::parse("qt_of_1").unwrap()).await.unwrap().is_none());
        let late = UnixSeconds(NOW.0 + 999_999);
        assert!(store.take_due(AgeGroup::Old, late, UnixSeconds(late.0 + 1), 10).await.unwrap().is_empty());
        store.close().await;
    }
}
