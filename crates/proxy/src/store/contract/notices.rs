//! What is put into the outbox, and that it is put there once (I14).

use sqlx::Row;
use upsell_core::journal::Decline;
use wire::FailureReason;

use super::*;

/// Ids in the outbox, in order.
pub(super) async fn told(store: &SqlStore) -> Vec<String> {
    sqlx::query("SELECT id FROM outbox WHERE tenant = $1 ORDER BY id")
        .bind(store.tenant)
        .fetch_all(&store.readers)
        .await
        .unwrap()
        .iter()
        .map(|row| row.get("id"))
        .collect()
}

/// I14.
#[tokio::test]
async fn a_sale_is_told_once() {
    let (_place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let attempt = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    for settlement in [seen(Observation::Unknown), paid("pay_1"), paid("pay_1"), seen(Observation::Succeeded)]
    {
        store.settle(&attempt.id, &settlement).await.unwrap();
    }
    assert_eq!(told(&store).await, ["evt_at_1_offer_accepted", "evt_at_1_payment_succeeded"]);
}

#[tokio::test]
async fn a_failure_is_told_once_whatever_its_reason_turns_out_to_be() {
    let (_place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let attempt = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    for reason in [FailureReason::Declined, FailureReason::ExpiredCard, FailureReason::Declined] {
        store.settle(&attempt.id, &seen(Observation::Failed(reason))).await.unwrap();
    }
    assert_eq!(told(&store).await, ["evt_at_1_offer_accepted", "evt_at_1_payment_failed"]);
}

#[tokio::test]
async fn a_refusal_is_told_once() {
    let (_place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let refusal = Decline {
        offer_id: row.id.clone(),
        customer_id: row.customer_id.clone(),
        price: None,
        plan: None,
        reason: None,
        at: NOW,
    };
    store.decline(&refusal).await.unwrap();
    store.decline(&refusal).await.unwrap();
    assert_eq!(told(&store).await, ["evt_of_1_offer_declined"]);
}

#[tokio::test]
async fn what_was_never_sent_is_not_told() {
    let (_place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let ClaimOutcome::Claimed(attempt) = store.claim(&claim_of(&row, "at_1", "key-1")).await.unwrap() else {
        panic!("not claimed")
    };
    store.release(&attempt.id, &back(Unexecuted::Claimed)).await.unwrap();
    assert!(told(&store).await.is_empty());
}
