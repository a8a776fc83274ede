//! Offers and refusals.

use upsell_core::journal::fixtures::refusal;

use super::*;
use crate::store::Inserted;

#[tokio::test]
async fn one_offer_for_one_campaign_and_occasion() {
    let (_folder, store) = fresh().await;
    let first = offer("of_1");
    assert_eq!(store.insert_offer_if_absent(&first).await.unwrap(), Inserted::New(first.clone()));
    let again = OfferRow { id: OfferId::parse("of_2").unwrap(), ..first.clone() };
    assert_eq!(store.insert_offer_if_absent(&again).await.unwrap(), Inserted::Existing(first.clone()));
    assert_eq!(store.offers_of(&first.customer_id).await.unwrap(), [first]);
}

#[tokio::test]
async fn an_offer_is_found_by_its_buyer_only() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    assert_eq!(store.offer(&customer("cus_2"), &row.id).await.unwrap(), None);
    let found = store.offer(&row.customer_id, &row.id).await.unwrap();
    assert_eq!(found, Some(row.clone()));
    assert!(!store.mark_seen(&customer("cus_2"), &row.id, NOW).await.unwrap());
    assert_eq!(offer_state(&store, &row).await, OfferState::Presented);
}

#[tokio::test]
async fn seen_counts_the_first_time() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    assert!(store.mark_seen(&row.customer_id, &row.id, NOW).await.unwrap());
    assert!(store.mark_seen(&row.customer_id, &row.id, UnixSeconds(NOW.0 + 9)).await.unwrap());
    let seen = store.offer(&row.customer_id, &row.id).await.unwrap().unwrap().seen_at;
    assert_eq!(seen, Some(NOW));
}

#[tokio::test]
async fn a_refusal_reads_back() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let refusal = refusal(&row);
    store.decline(&refusal).await.unwrap();
    let ledger = store.decline_ledger(&row.customer_id).await.unwrap();
    assert_eq!(ledger.len(), 1);
    assert_eq!((ledger[0].price, ledger[0].plan.clone()), (refusal.price, refusal.plan.clone()));
    assert_eq!((ledger[0].reason, ledger[0].at), (refusal.reason, NOW));
    assert!(store.decline_ledger(&customer("cus_2")).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_ledger_cannot_be_rewritten() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    store.decline(&refusal(&row)).await.unwrap();
    for sql in ["DELETE FROM declines", "UPDATE declines SET at = 0"] {
        let refused = sqlx::query(sql).execute(&store.writer).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
}

/// I7: of a decline and an accept at the same time exactly one wins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decline_and_accept_never_both_win() {
    let (_folder, store) = fresh().await;
    for round in 0..60 {
        let row = offered(&store, &format!("of_{round}")).await;
        let (decliner, claimer) = (Arc::clone(&store), Arc::clone(&store));
        let no = refusal(&row);
        let yes = claim_of(&row, &format!("at_{round}"), &format!("key-{round}"));
        let (declined, claimed) = tokio::join!(
            tokio::spawn(async move { decliner.decline(&no).await.unwrap() }),
            tokio::spawn(async move { claimer.claim(&yes).await.unwrap() }),
        );
        let declined = matches!(declined.unwrap(), DeclineOutcome::Declined(_));
        let claimed = matches!(claimed.unwrap(), ClaimOutcome::Claimed(_));
        assert!(declined != claimed, "round {round}: declined {declined}, claimed {claimed}");
    }
}
