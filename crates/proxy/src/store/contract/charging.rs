//! Claims, marks, releases, settling.

use std::collections::BTreeSet;

use upsell_core::journal::{Change, Changes, Lock, Record, Scope, StoredAttempt};
use wire::FailureReason;

use super::*;
use crate::store::Journal;

const DECLINED: Observation = Observation::Failed(FailureReason::Declined);
const PENDING: Observation = Observation::Pending { customer_action: false };

async fn state(store: &SqlStore, attempt: &AttemptRow) -> AttemptState {
    store.attempt_by_id(&attempt.id).await.unwrap().unwrap().state
}

/// I2: of any number of clicks one claims.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_parallel_clicks_one_claims() {
    let (_folder, store) = fresh().await;
    for round in 0..20 {
        let row = offered(&store, &format!("of_{round}")).await;
        let clicks: Vec<_> = (0..8)
            .map(|click| {
                let store = Arc::clone(&store);
                let request = claim_of(&row, &format!("at_{round}_{click}"), &format!("key-{round}-{click}"));
                tokio::spawn(async move { store.claim(&request).await.unwrap() })
            })
            .collect();
        let mut claimed = 0;
        for click in clicks {
            match click.await.unwrap() {
                ClaimOutcome::Claimed(attempt) => {
                    assert_eq!(attempt.no, 1);
                    claimed += 1;
                }
                ClaimOutcome::OfferNotOpen(OfferState::Accepting) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(claimed, 1, "round {round}");
    }
}

/// I2 holds by the schema, too: whatever the code does, a second live attempt cannot be written.
#[tokio::test]
async fn the_schema_refuses_a_second_live_attempt() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    let second = claim_of(&row, "at_2", "key-2").attempt;
    let second = StoredAttempt { row: AttemptRow { no: 2, ..second }, surplus: false, lease_owner: None };
    let scope = Scope::under(Lock::Buyer(row.customer_id.clone()));
    let mut wrong = |_: &Record| Changes::from_iter([Change::InsertAttempt(Box::new(second.clone()))]);
    assert!(store.transact("claim", &scope, &mut wrong).await.is_err());
    assert_eq!(store.attempt_by_id(&second.row.id).await.unwrap(), None);
}

/// I11.
#[tokio::test]
async fn a_key_belongs_to_one_attempt_of_one_buyer() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let first = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    let ClaimOutcome::KeyUsed(earlier) = store.claim(&claim_of(&row, "at_2", "key-1")).await.unwrap() else {
        panic!("claimed twice with one key")
    };
    assert_eq!(earlier.id, first.id);
    let found = store.attempt_by_key(&row.customer_id, first.key.as_ref().unwrap()).await.unwrap();
    assert_eq!(found.map(|row| row.id), Some(first.id));
    let foreign = store.attempt_by_key(&customer("cus_2"), first.key.as_ref().unwrap()).await.unwrap();
    assert_eq!(foreign, None);
}

#[tokio::test]
async fn an_expired_or_foreign_offer_cannot_be_claimed() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let mut late = claim_of(&row, "at_1", "key-1");
    late.attempt.created_at = row.expires_at;
    assert_eq!(store.claim(&late).await.unwrap(), ClaimOutcome::OfferNotOpen(OfferState::Expired));
    let mut foreign = claim_of(&row, "at_1", "key-1");
    foreign.attempt.customer_id = customer("cus_2");
    assert_eq!(store.claim(&foreign).await.unwrap(), ClaimOutcome::OfferNotFound);
    assert_eq!(offer_state(&store, &row).await, OfferState::Presented);
}

#[tokio::test]
async fn one_live_attempt_per_subscription() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let on_subscription = |attempt: &str, key: &str| {
        let mut request = claim_of(&row, attempt, key);
        request.attempt.offer_id = None;
        request.attempt.subscription_id = Some(subscription());
        request
    };
    let first = sent(&store, &on_subscription("at_1", "key-1")).await;
    assert_eq!(store.claim(&on_subscription("at_2", "key-2")).await.unwrap(), ClaimOutcome::SubscriptionBusy);
    assert_eq!(store.live_attempt(&subscription()).await.unwrap().unwrap().id, first.id);
    store.settle(&first.id, &seen(Observation::Succeeded)).await.unwrap();
    assert_eq!(store.live_attempt(&subscription()).await.unwrap(), None);
    let mut second = on_subscription("at_3", "key-3");
    second.attempt.created_at = UnixSeconds(NOW.0 + 1);
    let ClaimOutcome::Claimed(second) = store.claim(&second).await.unwrap() else { panic!("not claimed") };
    assert!(!store.is_followed(&first).await.unwrap(), "by one that has not been sent");
    assert!(store.mark_sent(&second, NOW, UnixSeconds(NOW.0 + 45)).await.unwrap());
    assert!(store.is_followed(&first).await.unwrap());
    assert!(!store.is_followed(&second).await.unwrap());
    store.settle(&second.id, &seen(DECLINED)).await.unwrap();
    assert!(!store.is_followed(&first).await.unwrap(), "a change that was refused has changed nothing");
}

/// I4: recovery and a slow worker never both go on.
#[tokio::test]
async fn a_claim_is_marked_within_its_lease_only_and_once() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let ClaimOutcome::Claimed(attempt) = store.claim(&claim_of(&row, "at_1", "key-1")).await.unwrap() else {
        panic!("not claimed")
    };
    let over = attempt.lease_until;
    assert!(!store.mark_sent(&attempt, over, UnixSeconds(over.0 + 45)).await.unwrap());
    assert!(store.mark_sent(&attempt, NOW, over).await.unwrap());
    assert!(!store.mark_sent(&attempt, NOW, over).await.unwrap());
    assert!(!store.release(&attempt.id, &back(Unexecuted::Claimed)).await.unwrap());
}

#[tokio::test]
async fn a_release_opens_the_offer_as_it_was() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let ClaimOutcome::Claimed(first) = store.claim(&claim_of(&row, "at_1", "key-1")).await.unwrap() else {
        panic!("not claimed")
    };
    assert!(store.release(&first.id, &back(Unexecuted::Claimed)).await.unwrap());
    assert_eq!(offer_state(&store, &row).await, OfferState::Presented);
    assert_eq!(store.latest_attempt(&row.id).await.unwrap(), None);
    // The key is free again, and the number is not.
    let second = sent(&store, &claim_of(&row, "at_2", "key-1")).await;
    assert_eq!(second.no, 2);
    store.settle(&second.id, &seen(DECLINED)).await.unwrap();
    assert_eq!(offer_state(&store, &row).await, OfferState::Failed);
    let mut hosted = claim_of(&row, "at_3", "key-3");
    hosted.attempt.kind = AttemptKind::Hosted;
    let third = sent(&store, &hosted).await;
    assert!(store.release(&third.id, &back(Unexecuted::Sent)).await.unwrap());
    assert_eq!(offer_state(&store, &row).await, OfferState::Failed, "its card is still declined");
}

#[tokio::test]
async fn a_changed_quote_is_the_final_answer_for_its_key() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let replacement = quote("qt_new", Some(&row));
    store.put_quote(&replacement).await.unwrap();
    let ClaimOutcome::Claimed(attempt) = store.claim(&claim_of(&row, "at_1", "key-1")).await.unwrap() else {
        panic!("not claimed")
    };
    let new = Some(&replacement.quote.id);
    assert!(
        store
            .release(
                &attempt.id,
                &Release { replacement: new.cloned(), key: KeptKey::Kept, ..back(Unexecuted::Claimed) }
            )
            .await
            .unwrap()
    );
    let ClaimOutcome::KeyUsed(earlier) = store.claim(&claim_of(&row, "at_2", "key-1")).await.unwrap() else {
        panic!("the key was forgotten")
    };
    assert_eq!((earlier.state, earlier.replacement.as_ref()), (AttemptState::Released, new));
}

/// I10: every order of the same evidence ends in the same place.
#[tokio::test]
async fn evidence_settles_alike_in_every_order() {
    let evidence = [Observation::Unknown, PENDING, DECLINED, Observation::Succeeded];
    let mut ends = BTreeSet::new();
    let (_folder, store) = fresh().await;
    for (index, order) in permutations(&evidence).into_iter().enumerate() {
        let row = offered(&store, &format!("of_{index}")).await;
        let attempt = sent(&store, &claim_of(&row, &format!("at_{index}"), &format!("key-{index}"))).await;
        for observed in order.iter().chain(&order) {
            store.settle(&attempt.id, &seen(*observed)).await.unwrap();
        }
        let end = (state(&store, &attempt).await, offer_state(&store, &row).await);
        ends.insert(format!("{end:?}"));
    }
    assert_eq!(ends, BTreeSet::from(["(Succeeded, Charged)".to_owned()]));
}

pub(super) fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    let Some((first, rest)) = items.split_first() else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for shorter in permutations(rest) {
        for at in 0..=shorter.len() {
            let mut longer = shorter.clone();
            longer.insert(at, first.clone());
            all.push(longer);
        }
    }
    all
}

/// I6 and the fencing rule: the first attempt's slow "declined" says nothing about the second.
#[tokio::test]
async fn stale_evidence_does_not_move_the_offer() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let first = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    store.settle(&first.id, &seen(DECLINED)).await.unwrap();
    let mut again = claim_of(&row, "at_2", "key-2");
    again.attempt.kind = AttemptKind::Hosted;
    sent(&store, &again).await;
    store.settle(&first.id, &seen(DECLINED)).await.unwrap();
    store.settle(&first.id, &seen(PENDING)).await.unwrap();
    assert_eq!(offer_state(&store, &row).await, OfferState::Accepting);
}

/// I1, I5: late money is written down, closes the offer, stops what is not sent yet, and is reported.
#[tokio::test]
async fn late_money_on_an_earlier_attempt_closes_the_offer() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let first = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    store.settle(&first.id, &seen(DECLINED)).await.unwrap();
    let mut again = claim_of(&row, "at_2", "key-2");
    again.attempt.kind = AttemptKind::Hosted;
    let ClaimOutcome::Claimed(second) = store.claim(&again).await.unwrap() else { panic!("not claimed") };
    let late = store.settle(&first.id, &paid("pay_1")).await.unwrap().unwrap();
    assert!(late.surplus);
    assert_eq!(offer_state(&store, &row).await, OfferState::Charged);
    assert!(!store.mark_sent(&second, NOW, UnixSeconds(NOW.0 + 45)).await.unwrap());
    assert!(store.release(&second.id, &back(Unexecuted::Claimed)).await.unwrap());
    assert_eq!(offer_state(&store, &row).await, OfferState::Charged);
    assert_eq!(store.latest_attempt(&row.id).await.unwrap().unwrap().id, first.id);
}

#[tokio::test]
async fn a_second_payment_on_one_attempt_is_reported_and_the_first_stays() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let attempt = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    let settle = |by: &'static str| {
        let (store, id) = (Arc::clone(&store), attempt.id.clone());
        async move { store.settle(&id, &paid(by)).await.unwrap().unwrap() }
    };
    assert!(!settle("pay_1").await.surplus);
    assert!(!settle("pay_1").await.surplus);
    let second = settle("pay_2").await;
    assert!(second.surplus);
    assert_eq!(second.row.payment_id, Some(payment("pay_1")));
}

#[tokio::test]
async fn what_became_known_is_found_again() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let attempt = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    let checkout = dodo_client::ids::CheckoutSessionId::parse("cks_1").unwrap();
    let known = Settlement {
        checkout_session_id: Some(checkout.clone()),
        checkout_url: Some("https://checkout.example/cks_1".into()),
        ..seen(PENDING)
    };
    store.settle(&attempt.id, &known).await.unwrap();
    store.settle(&attempt.id, &seen(Observation::Unknown)).await.unwrap();
    let nobody = payment("pay_9");
    assert_eq!(store.attempt_by_upstream(&nobody, None).await.unwrap(), None);
    let by_checkout = store.attempt_by_upstream(&nobody, Some(&checkout)).await.unwrap().unwrap();
    assert_eq!(by_checkout.checkout_url, known.checkout_url);
    store.settle(&attempt.id, &paid("pay_1")).await.unwrap();
    let by_payment = store.attempt_by_upstream(&payment("pay_1"), None).await.unwrap().unwrap();
    assert_eq!((by_payment.id, by_payment.next_check_at), (attempt.id, None));
}

#[tokio::test]
async fn what_is_given_up_blocks_the_offer_and_still_takes_money() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let attempt = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    let watch_from = UnixSeconds(NOW.0 + 3600);
    assert!(!store.abandon(&attempt.id, NOW, watch_from).await.unwrap(), "it is not even unknown");
    store.settle(&attempt.id, &seen(Observation::Unknown)).await.unwrap();
    assert!(store.abandon(&attempt.id, NOW, watch_from).await.unwrap());
    assert_eq!(offer_state(&store, &row).await, OfferState::Abandoned);
    let mut again = claim_of(&row, "at_2", "key-2");
    again.attempt.kind = AttemptKind::Hosted;
    assert_eq!(store.claim(&again).await.unwrap(), ClaimOutcome::OfferNotOpen(OfferState::Abandoned));
    let late = store.settle(&attempt.id, &paid("pay_1")).await.unwrap().unwrap();
    assert!(!late.surplus);
    assert_eq!(offer_state(&store, &row).await, OfferState::Charged);
}

#[tokio::test]
async fn what_is_due_is_taken_once_while_the_lease_lasts() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let attempt = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    let at = |seconds: i64| UnixSeconds(NOW.0 + seconds);
    assert!(store.take_due(at(44), at(144), 10).await.unwrap().is_empty(), "the worker may be at it");
    let taken = store.take_due(at(45), at(145), 10).await.unwrap();
    assert_eq!(taken.iter().map(|row| &row.id).collect::<Vec<_>>(), [&attempt.id]);
    assert!(store.take_due(at(50), at(150), 10).await.unwrap().is_empty());
    store.note_look(&attempt.id, NOW, true, Some(at(60))).await.unwrap();
    let again = store.take_due(at(60), at(160), 10).await.unwrap();
    assert_eq!(again.iter().map(|row| (row.checks, row.clean_looks)).collect::<Vec<_>>(), [(1, 1)]);
    // Where nobody else can be at work, a dead process' lease ends with it; elsewhere it has to run out.
    let shared = u64::from(SHARED);
    assert_eq!(store.make_live_due(at(61)).await.unwrap(), 1 - shared);
    assert_eq!(store.make_live_due(at(160)).await.unwrap(), 1);
    assert_eq!(store.take_due(at(160), at(260), 10).await.unwrap().len(), 1);
    store.settle(&attempt.id, &seen(DECLINED)).await.unwrap();
    assert_eq!(store.make_live_due(at(260)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_quote_is_found_by_its_buyer_and_by_its_offer_while_it_lives() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let stored = quote("qt_of_1", Some(&row));
    let id = &stored.quote.id;
    assert_eq!(store.quote(&row.customer_id, id).await.unwrap().as_ref(), Some(&stored));
    assert_eq!(store.quote(&customer("cus_2"), id).await.unwrap(), None);
    assert_eq!(store.live_quote(&row.customer_id, &row.id, NOW).await.unwrap().as_ref(), Some(&stored));
    let over = stored.quote.expires_at;
    assert_eq!(store.live_quote(&row.customer_id, &row.id, over).await.unwrap(), None);
}

#[tokio::test]
async fn quotes_that_nobody_tried_to_collect_are_swept_out() {
    let (_folder, store) = fresh().await;
    let tried = offered(&store, "of_1").await;
    offered(&store, "of_2").await;
    let replacement = quote("qt_new", Some(&tried));
    store.put_quote(&replacement).await.unwrap();
    let ClaimOutcome::Claimed(attempt) = store.claim(&claim_of(&tried, "at_1", "key-1")).await.unwrap()
    else {
        panic!("not claimed")
    };
    let new = Some(&replacement.quote.id);
    store
        .release(
            &attempt.id,
            &Release { replacement: new.cloned(), key: KeptKey::Kept, ..back(Unexecuted::Claimed) },
        )
        .await
        .unwrap();
    let over = replacement.quote.expires_at;
    assert_eq!(store.purge_quotes(over).await.unwrap(), 0, "not over yet");
    assert_eq!(store.purge_quotes(UnixSeconds(over.0 + 1)).await.unwrap(), 1);
    for (id, kept) in [("qt_of_1", true), ("qt_new", true), ("qt_of_2", false)] {
        let found = store.quote(&tried.customer_id, &QuoteId::parse(id).unwrap()).await.unwrap();
        assert_eq!(found.is_some(), kept, "{id}");
    }
}
