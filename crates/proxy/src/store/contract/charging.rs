//! Attempts: locks, uniqueness, the guard of the sent mark, leases, and reading.

use upsell_core::{
    domain::{AttemptWord, PaymentOnRecord, PaymentStatus},
    journal::{
        Change, KeptKey, Release, StoredAttempt, StoredPayment, Unexecuted,
        fixtures::{hosted_claim_of, seen_payment},
    },
};
use wire::FailureReason;

use super::*;
use crate::store::Step;

const DECLINED: Observation = Observation::Failed(FailureReason::Declined);
const PENDING: Observation = Observation::Pending { customer_action: false };

/// A second attempt, as no command would write it.
fn forged(row: AttemptRow) -> Changes {
    let attempt = StoredAttempt { row, surplus: false, lease_owner: None };
    Changes::from_iter([Change::InsertAttempt(Box::new(attempt))])
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

/// I2, I11 hold by the schema, too: whatever the code does, a second live attempt cannot be written, on an offer or on a
/// subscription, and no second one with the same key or number.
#[tokio::test]
async fn the_schema_refuses_a_second_live_attempt() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let mut first = claim_of(&row, "at_1", "key-1");
    first.attempt.subscription_id = Some(subscription());
    sent(&store, &first).await;
    let second = AttemptRow { no: 2, ..claim_of(&row, "at_2", "key-2").attempt };
    let elsewhere = AttemptRow { offer_id: None, ..second.clone() };
    let failed = AttemptRow { state: AttemptState::Failed(FailureReason::Declined), ..second.clone() };
    for wrong in [
        second.clone(),
        AttemptRow { subscription_id: Some(subscription()), ..elsewhere.clone() },
        AttemptRow { key: first.attempt.key.clone(), ..failed.clone() },
        AttemptRow { no: 1, ..failed.clone() },
    ] {
        assert!(write(&store, &forged(wrong)).await.is_err());
        assert_eq!(store.attempt_by_id(&second.id).await.unwrap(), None);
    }
    write(&store, &forged(failed)).await.unwrap();
    let other_subscription = SubscriptionId::parse("sub_2").ok();
    let elsewhere = AttemptRow {
        id: AttemptId::parse("at_3").unwrap(),
        subscription_id: other_subscription,
        key: None,
        ..elsewhere
    };
    write(&store, &forged(elsewhere)).await.unwrap();
}

/// I1 holds by the schema, too: of an attempt's payments that collected one at most is not surplus.
#[tokio::test]
async fn the_schema_refuses_a_second_payment_of_an_attempt() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let attempt = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    store.settle(&attempt.id, &paid("pay_1")).await.unwrap();
    let second = |surplus| {
        let payment = seen_payment("pay_2", PaymentStatus::Succeeded, None);
        let record = PaymentOnRecord { payment, surplus, seen_at: NOW };
        let payment = StoredPayment { attempt_id: attempt.id.clone(), record };
        Changes::from_iter([Change::WritePayment(payment)])
    };
    assert!(write(&store, &second(false)).await.is_err());
    write(&store, &second(true)).await.unwrap();
}

/// All of a decision is written, or nothing.
#[tokio::test]
async fn what_fails_leaves_nothing_behind() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    let other = offer("of_2");
    let moved = Change::UpdateOffer { id: row.id.clone(), state: OfferState::Charged, attempt_no: 7 };
    let begun = [Change::InsertOffer(Box::new(other.clone())), moved];
    let wrong = forged(AttemptRow { no: 2, ..claim_of(&row, "at_2", "key-2").attempt });
    let changes: Changes = begun.into_iter().chain(wrong.iter().cloned()).collect();
    assert!(write(&store, &changes).await.is_err());
    assert_eq!(store.offer(&other.customer_id, &other.id).await.unwrap(), None);
    assert_eq!(offer_state(&store, &row).await, OfferState::Accepting);
}

/// I4: whatever was loaded, the mark is written where the claim still stands, and its lease is this process's.
#[tokio::test]
async fn the_sent_mark_is_guarded() {
    let (place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let ClaimOutcome::Claimed(claimed) = store.claim(&claim_of(&row, "at_1", "key-1")).await.unwrap() else {
        panic!("not claimed")
    };
    let mark = |now| {
        let row = AttemptRow { state: AttemptState::Sent, ..claimed.clone() };
        let attempt = Box::new(StoredAttempt { row, surplus: false, lease_owner: None });
        Changes::from_iter([Change::MarkAttemptSent { attempt, from: AttemptWord::Claimed, now }])
    };
    let refused = |marked| matches!(marked, Err(StoreError::Contended));
    assert!(refused(write(&store, &mark(claimed.lease_until)).await), "the lease is over");
    store.close().await;
    drop(store);
    let store = opened(&place, &place.tenant).await;
    assert!(refused(write(&store, &mark(NOW)).await), "another process claimed it");
    let taken = store.take_due(AgeGroup::Fresh, after(60), after(120), 9).await.unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!(store.attempt_by_id(&claimed.id).await.unwrap().unwrap().state, AttemptState::Claimed);
    write(&store, &mark(after(61))).await.unwrap();
    assert!(refused(write(&store, &mark(after(62))).await), "it is marked");
}

#[tokio::test]
async fn an_attempt_is_found_by_its_key_and_its_buyer() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let first = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    let key = first.key.as_ref().unwrap();
    let found = store.attempt_by_key(&row.customer_id, key).await.unwrap();
    assert_eq!(found.map(|row| row.id), Some(first.id));
    assert_eq!(store.attempt_by_key(&customer("cus_2"), key).await.unwrap(), None);
}

#[tokio::test]
async fn the_changes_of_a_subscription_are_found() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let on_subscription = |attempt: &str, key: &str| {
        let mut request = claim_of(&row, attempt, key);
        request.attempt.offer_id = None;
        request.attempt.subscription_id = Some(subscription());
        request
    };
    let first = sent(&store, &on_subscription("at_1", "key-1")).await;
    assert_eq!(store.live_attempt(&subscription()).await.unwrap().unwrap().id, first.id);
    store.settle(&first.id, &seen(Observation::Succeeded)).await.unwrap();
    assert_eq!(store.live_attempt(&subscription()).await.unwrap(), None);
    let mut second = on_subscription("at_3", "key-3");
    second.attempt.created_at = after(1);
    let ClaimOutcome::Claimed(second) = store.claim(&second).await.unwrap() else { panic!("not claimed") };
    assert!(!store.is_followed(&first).await.unwrap(), "by one that has not been sent");
    assert!(store.mark_sent(&second, NOW, after(45)).await.unwrap());
    assert!(store.is_followed(&first).await.unwrap());
    assert!(!store.is_followed(&second).await.unwrap());
    store.settle(&second.id, &seen(DECLINED)).await.unwrap();
    assert!(!store.is_followed(&first).await.unwrap(), "a change that was refused has changed nothing");
}

/// The one that collected, or else the newest that was not released.
#[tokio::test]
async fn the_latest_attempt_of_an_offer_is_found() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let latest = async || store.latest_attempt(&row.id).await.unwrap().map(|row| row.id.to_string());
    let release = |attempt: &AttemptRow| Release {
        attempt: attempt.id.clone(),
        from: Unexecuted::Claimed,
        replacement: None,
        key: KeptKey::Freed,
        at: NOW,
    };
    assert_eq!(latest().await, None);
    let ClaimOutcome::Claimed(first) = store.claim(&claim_of(&row, "at_1", "key-1")).await.unwrap() else {
        panic!("not claimed")
    };
    assert!(store.execute(&release(&first)).await.unwrap());
    assert_eq!(latest().await, None);
    let second = sent(&store, &claim_of(&row, "at_2", "key-1")).await;
    store.settle(&second.id, &seen(DECLINED)).await.unwrap();
    sent(&store, &hosted_claim_of(&row, "at_3", "key-3")).await;
    assert_eq!(latest().await.as_deref(), Some("at_3"));
    store.settle(&second.id, &paid("pay_2")).await.unwrap();
    assert_eq!(latest().await.as_deref(), Some("at_2"));
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
async fn what_is_due_is_taken_once_while_the_lease_lasts() {
    let (_folder, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let attempt = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    let at = after;
    assert!(
        store.take_due(AgeGroup::Fresh, at(44), at(144), 10).await.unwrap().is_empty(),
        "the worker may be at it"
    );
    let taken = store.take_due(AgeGroup::Fresh, at(45), at(145), 10).await.unwrap();
    assert_eq!(taken.iter().map(|row| &row.id).collect::<Vec<_>>(), [&attempt.id]);
    assert!(store.take_due(AgeGroup::Fresh, at(50), at(150), 10).await.unwrap().is_empty());
    store.note_look(&attempt.id, NOW, true, Some(at(60))).await.unwrap();
    let again = store.take_due(AgeGroup::Fresh, at(60), at(160), 10).await.unwrap();
    assert_eq!(again.iter().map(|row| (row.checks, row.clean_looks)).collect::<Vec<_>>(), [(1, 1)]);
    // Where nobody else can be at work, a dead process' lease ends with it; elsewhere it has to run out.
    let shared = u64::from(SHARED);
    assert_eq!(store.make_live_due(at(61)).await.unwrap(), 1 - shared);
    assert_eq!(store.make_live_due(at(160)).await.unwrap(), 1);
    assert_eq!(store.take_due(AgeGroup::Fresh, at(160), at(260), 10).await.unwrap().len(), 1);
    store.settle(&attempt.id, &seen(DECLINED)).await.unwrap();
    assert_eq!(store.make_live_due(at(260)).await.unwrap(), 0);
}

/// I19: however much that is old comes due, it is no part of the batch of what is fresh, and the other way round.
#[tokio::test]
async fn fresh_and_old_attempts_are_taken_apart() {
    let (_folder, store) = fresh().await;
    for (no, at) in [(1, NOW), (2, NOW), (3, after(5_000))] {
        let row = offered(&store, &format!("of_{no}")).await;
        let mut claim = claim_of(&row, &format!("at_{no}"), &format!("key-{no}"));
        (claim.attempt.created_at, claim.attempt.lease_until) = (at, after(6_000));
        let ClaimOutcome::Claimed(row) = store.claim(&claim).await.unwrap() else { panic!("not claimed") };
        assert!(store.mark_sent(&row, after(5_001), after(5_045)).await.unwrap());
    }
    let (now, until) = (after(5_100), after(5_200));
    let mut taken = Vec::new();
    for (group, limit) in [(AgeGroup::Fresh, 9), (AgeGroup::Old, 1), (AgeGroup::Old, 9), (AgeGroup::Fresh, 9)]
    {
        taken.push(store.take_due(group, now, until, limit).await.unwrap().len());
    }
    assert_eq!(taken, [1, 1, 1, 0]);
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
    let release = Release {
        attempt: attempt.id.clone(),
        from: Unexecuted::Claimed,
        replacement: new.cloned(),
        key: KeptKey::Kept,
        at: NOW,
    };
    assert!(store.execute(&release).await.unwrap());
    let over = replacement.quote.expires_at;
    assert_eq!(purge(&store, Purge::Quotes, over).await, 0, "not over yet");
    assert_eq!(purge(&store, Purge::Quotes, UnixSeconds(over.0 + 1)).await, 1);
    for (id, kept) in [("qt_of_1", true), ("qt_new", true), ("qt_of_2", false)] {
        let found = store.quote(&tried.customer_id, &QuoteId::parse(id).unwrap()).await.unwrap();
        assert_eq!(found.is_some(), kept, "{id}");
    }
    // Those that an attempt needs are not looked at again.
    let step = store.purge_step(Purge::Quotes, UnixSeconds(over.0 + 1), &Cursor::start(), 1).await.unwrap();
    assert_eq!(step, Step { changed: 0, next: None });
}
