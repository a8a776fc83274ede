//! Offers and refusals.

use upsell_core::{
    domain::Purchase,
    journal::fixtures::{email, refusal},
};

use super::*;
use crate::store::{Inserted, People};

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
    let ledger = store.decline_ledger(&row.person()).await.unwrap();
    assert_eq!(ledger.len(), 1);
    assert_eq!((ledger[0].price, ledger[0].plan.clone()), (refusal.price, refusal.plan.clone()));
    assert_eq!((ledger[0].reason, ledger[0].at), (refusal.reason, NOW));
    // Under another customer id it is found by the e-mail address, and by nothing else.
    let second = Person { customer_id: customer("cus_2"), ..row.person() };
    assert_eq!(store.decline_ledger(&second).await.unwrap(), ledger);
    let stranger = Person { email: None, ..second };
    assert!(store.decline_ledger(&stranger).await.unwrap().is_empty());
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

/// Two offers of one thing, under two customer ids of one person.
async fn twice(store: &SqlStore, round: usize) -> (OfferRow, OfferRow) {
    let thing = EquivalenceKey(format!("product:{round}"));
    let row = |id: &str, buyer: &str| OfferRow {
        equivalence: thing.clone(),
        customer_id: customer(buyer),
        ..offer(&format!("of_{id}{round}"))
    };
    (offered_as(store, row("a", "cus_1")).await, offered_as(store, row("b", "cus_2")).await)
}

/// I15: of two claims of one thing at the same time one wins, also under two customer ids of one person.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_thing_is_claimed_once_per_person() {
    let (_folder, store) = fresh().await;
    for round in 0..40 {
        let (first, second) = twice(&store, round).await;
        let mut claims = Vec::new();
        for row in [first, second] {
            let store = Arc::clone(&store);
            let claim = claim_of(&row, &format!("at_{}", row.id), &format!("key-{}", row.id));
            claims.push(tokio::spawn(async move { store.claim(&claim).await.unwrap() }));
        }
        let mut claimed = 0;
        for claim in claims {
            match claim.await.unwrap() {
                ClaimOutcome::Claimed(_) => claimed += 1,
                other => assert_eq!(other, ClaimOutcome::TakenElsewhere(OfferState::Accepting)),
            }
        }
        assert_eq!(claimed, 1, "round {round}");
    }
}

/// I15: of a claim and a refusal of one thing at the same time one wins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_thing_is_not_claimed_here_and_refused_there() {
    let (_folder, store) = fresh().await;
    for round in 0..40 {
        let (first, second) = twice(&store, round).await;
        let (decliner, claimer) = (Arc::clone(&store), Arc::clone(&store));
        let no = refusal(&first);
        let yes = claim_of(&second, &format!("at_{}", second.id), &format!("key-{}", second.id));
        let (declined, claimed) = tokio::join!(
            tokio::spawn(async move { decliner.decline(&no).await.unwrap() }),
            tokio::spawn(async move { claimer.claim(&yes).await.unwrap() }),
        );
        let declined = matches!(declined.unwrap(), DeclineOutcome::Declined(_));
        let claimed = matches!(claimed.unwrap(), ClaimOutcome::Claimed(_));
        assert!(declined != claimed, "round {round}: declined {declined}, claimed {claimed}");
    }
}

/// I15: what was bought in the shop is loaded by customer id and by e-mail address.
#[tokio::test]
async fn what_the_person_has_bought_is_known_to_a_claim() {
    for (buyer, hash, is_owned) in
        [("cus_1", None, true), ("cus_2", Some(email()), true), ("cus_2", None, false)]
    {
        let (_folder, store) = fresh().await;
        let row = offered(&store, "of_1").await;
        let purchase = Purchase {
            payment_id: payment("pay_1"),
            customer_id: customer(buyer),
            email: hash,
            payment_method_id: None,
            product_ids: vec![product("prod_book"), product("prod_kit")],
            subscription_id: None,
            billing: None,
            paid_at: NOW,
        };
        store.upsert_purchase(&purchase).await.unwrap();
        let outcome = store.claim(&claim_of(&row, "at_1", "key-1")).await.unwrap();
        assert_eq!(outcome == ClaimOutcome::NotAvailable, is_owned, "{outcome:?}");
    }
}
