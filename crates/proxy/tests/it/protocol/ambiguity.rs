//! Everything that can go wrong between the request and its answer: one request, always; the truth in the end; "failed"
//! only when it is certain.

use std::sync::Arc;

use proxy::service::charging::ChargeError;
use serde_json::{Value, json};
use upsell_core::domain::{AttemptState, OfferState};
use wire::{Attempt, AttemptStatus};

use super::rig::{GOOD, Rig, Shown};

/// Faults after which it is not known whether the charge happened.
fn ambiguous() -> Vec<Value> {
    testkit::UNKNOWN_OUTCOMES.into_iter().map(Value::from).collect()
}

/// I3, I5, I6, I12, I13.
#[tokio::test]
async fn an_unknown_outcome_is_found_out_and_never_sent_again() {
    for fault in ambiguous() {
        let rig = Rig::start().await;
        let shown = rig.shown(Some(GOOD)).await;
        rig.dodo.fault("POST", "/checkouts", fault.clone(), 1).unwrap();
        let attempt = rig.accept(&shown, "key-1").await.unwrap();
        assert_eq!(rig.dodo.posts_to("/checkouts"), 1, "{fault}");
        assert_ne!(attempt.status, Some(AttemptStatus::Failed), "{fault}");
        assert!(!attempt.success, "{fault}: nobody knows yet");
        // The buyer clicks again, with the same key and with another.
        rig.accept(&shown, "key-1").await.ok();
        let other = rig.accept(&shown, "key-2").await;
        assert!(matches!(other, Err(ChargeError::AttemptInProgress)), "{fault} {other:?}");
        let charged = !rig.dodo.payments_of(shown.offer.customer_id.as_str()).is_empty();
        let end = settle(&rig, &shown, &attempt).await;
        if charged {
            assert_eq!(end.status, Some(AttemptStatus::Succeeded), "{fault}");
            assert_eq!(end.receipt.as_ref().map(|receipt| receipt.amount), Some(shown.quote.quote.total));
            assert_eq!(rig.offer_state(&shown).await, OfferState::Charged, "{fault}");
        } else {
            assert_eq!(end.status, Some(AttemptStatus::InDoubt), "{fault}");
            assert_eq!(rig.offer_state(&shown).await, OfferState::Abandoned, "{fault}");
        }
        assert_eq!(rig.dodo.posts_to("/checkouts"), 1, "{fault}");
        assert_eq!(
            rig.dodo.payments_of(shown.offer.customer_id.as_str()).len(),
            usize::from(charged),
            "{fault}"
        );
        rig.check(&shown).await;
    }
}

/// Lets half an hour pass: longer than anything may stay undecided.
async fn settle(rig: &Rig, shown: &Shown, attempt: &Attempt) -> Attempt {
    rig.pass(30 * 60).await;
    rig.poll(&shown.session, attempt).await
}

#[tokio::test]
async fn a_definite_refusal_is_final() {
    for status in [400, 401, 403, 404, 422] {
        let rig = Rig::start().await;
        let shown = rig.shown(Some(GOOD)).await;
        rig.dodo.fault("POST", "/checkouts", json!({"status": status, "before": true}), 1).unwrap();
        let attempt = rig.accept(&shown, "key-1").await.unwrap();
        assert_eq!(attempt.status, Some(AttemptStatus::Failed), "{status}");
        assert!(attempt.hosted_checkout_offered, "{status}");
        assert_eq!(rig.dodo.posts_to("/checkouts"), 1, "{status}");
        assert_eq!(rig.offer_state(&shown).await, OfferState::Failed, "{status}");
    }
}

/// I6: a rate limit proves nothing, since it may act after the execution. It is looked up, and never sent again.
#[tokio::test]
async fn a_full_quota_is_looked_up() {
    for (fault, end, payments) in
        [("status_429_before", OfferState::Abandoned, 0), ("status_429_after", OfferState::Charged, 1)]
    {
        let rig = Rig::start().await;
        let shown = rig.shown(Some(GOOD)).await;
        rig.dodo.fault("POST", "/checkouts", json!(fault), 1).unwrap();
        let busy = rig.accept(&shown, "key-1").await.unwrap();
        assert_eq!(busy.status, Some(AttemptStatus::InDoubt), "{fault}");
        let again = rig.accept(&shown, "key-2").await;
        assert!(matches!(again, Err(ChargeError::AttemptInProgress)), "{fault} {again:?}");
        rig.pass(30 * 60).await;
        assert_eq!(rig.offer_state(&shown).await, end, "{fault}");
        assert_eq!(rig.dodo.posts_to("/checkouts"), 1, "{fault}");
        assert_eq!(rig.dodo.payments_of(shown.offer.customer_id.as_str()).len(), payments, "{fault}");
    }
}

/// Before the mark every failure is harmless.
#[tokio::test]
async fn without_a_fresh_price_nothing_is_sent() {
    for fault in ["status_500_before", "reset_before", "hang_before", "non_json_body_after"] {
        let rig = Rig::start().await;
        let shown = rig.shown(Some(GOOD)).await;
        rig.dodo.fault("POST", "/checkouts/preview", json!(fault), 20).unwrap();
        let failed = rig.accept(&shown, "key-1").await;
        assert!(matches!(failed, Err(ChargeError::Unavailable { .. })), "{fault} {failed:?}");
        assert_eq!(rig.dodo.posts_to("/checkouts"), 0, "{fault}");
        assert_eq!(rig.offer_state(&shown).await, OfferState::Presented, "{fault}");
        rig.dodo.control().clear_faults();
        let attempt = rig.accept(&shown, "key-1").await.unwrap();
        assert_eq!(attempt.status, Some(AttemptStatus::Succeeded), "{fault}");
    }
}

/// The answer came, the look after it did not: the reconciler or a webhook finishes it.
#[tokio::test]
async fn a_failed_look_after_the_charge_is_made_up_for() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let fault = dodo_sim::NewFault {
        method: Some("GET".into()),
        path: Some("/payments/*".into()),
        kind: json!("status_500_before"),
        ..dodo_sim::NewFault::default()
    };
    rig.dodo.control().fault(fault).unwrap();
    let attempt = rig.accept(&shown, "key-1").await.unwrap();
    assert_eq!(attempt.status, Some(AttemptStatus::Processing));
    rig.dodo.control().clear_faults();
    rig.pass(30).await;
    assert_eq!(rig.poll(&shown.session, &attempt).await.status, Some(AttemptStatus::Succeeded));
}

/// The caller is not kept waiting for a bank, and a webhook settles it.
#[tokio::test]
async fn a_slow_bank_is_waited_for_by_webhook() {
    let rig = Rig::start().await;
    rig.dodo.switch(json!({"one_click_outcome": "processing", "processing_seconds": 0})).unwrap();
    let shown = rig.shown(Some(GOOD)).await;
    let attempt = rig.accept(&shown, "key-1").await.unwrap();
    assert_eq!(attempt.status, Some(AttemptStatus::Processing));
    assert_eq!(rig.offer_state(&shown).await, OfferState::Pending);
    let id = rig.payment_of(&attempt).await;
    rig.dodo.control().resolve_payment(id.as_str(), dodo_sim::IntentStatus::Succeeded, None).unwrap();
    let payment = rig.client.get_payment(&id).await.unwrap();
    for _ in 0..3 {
        rig.charging.observe_payment(&payment).await.unwrap();
    }
    assert_eq!(rig.poll(&shown.session, &attempt).await.status, Some(AttemptStatus::Succeeded));
    assert_eq!(rig.dodo.posts_to("/checkouts"), 1);
}

/// While the bank wants something of the buyer there is no second way to pay: both could collect.
#[tokio::test]
async fn a_challenge_is_waited_for_and_no_other_way_is_opened() {
    let rig = Rig::start().await;
    rig.dodo.switch(json!({"one_click_outcome": "challenge"})).unwrap();
    let shown = rig.shown(Some(GOOD)).await;
    let attempt = rig.accept(&shown, "key-1").await.unwrap();
    assert_eq!(attempt.status, Some(AttemptStatus::RequiresCustomerAction));
    let other = rig.accept_with(&shown, "key-2", Some(wire::PayWith::HostedCheckout)).await;
    assert!(matches!(other, Err(ChargeError::AttemptInProgress)), "{other:?}");
    let id = rig.payment_of(&attempt).await;
    rig.dodo.control().resolve_payment(id.as_str(), dodo_sim::IntentStatus::Failed, None).unwrap();
    rig.pass(60).await;
    let end = rig.poll(&shown.session, &attempt).await;
    assert_eq!((end.status, end.hosted_checkout_offered), (Some(AttemptStatus::Failed), true));
    assert_eq!(rig.dodo.posts_to("/checkouts"), 1);
}

/// I4: when the request arrives at Dodo, the mark is on the disk.
#[tokio::test]
async fn the_mark_is_written_before_the_request_leaves() {
    let rig = Arc::new(Rig::start().await);
    let shown = Arc::new(rig.shown(Some(GOOD)).await);
    rig.dodo.fault("POST", "/checkouts", json!("hang_before"), 1).unwrap();
    let click = {
        let (rig, shown) = (rig.clone(), shown.clone());
        tokio::spawn(async move { rig.accept(&shown, "key-1").await })
    };
    rig.until(|| rig.dodo.posts_to("/checkouts") == 1).await;
    let attempt = rig.store.latest_attempt(&shown.offer.id).await.unwrap().unwrap();
    assert_eq!(attempt.state, AttemptState::Sent);
    // The same key meanwhile is told so, another finds the offer taken.
    let same = rig.accept(&shown, "key-1").await;
    assert!(matches!(same, Err(ChargeError::KeyInProgress)), "{same:?}");
    let other = rig.accept(&shown, "key-2").await;
    assert!(matches!(other, Err(ChargeError::AttemptInProgress)), "{other:?}");
    assert_eq!(click.await.unwrap().unwrap().status, Some(AttemptStatus::InDoubt));
}

/// A browser that goes away in the middle changes nothing about the charge.
#[tokio::test]
async fn a_caller_that_goes_away_does_not_interrupt_the_charge() {
    let rig = Arc::new(Rig::start().await);
    let shown = Arc::new(rig.shown(Some(GOOD)).await);
    let slow = dodo_sim::NewFault {
        method: Some("POST".into()),
        path: Some("/checkouts".into()),
        kind: json!("delay"),
        delay_ms: Some(300),
        ..dodo_sim::NewFault::default()
    };
    rig.dodo.control().fault(slow).unwrap();
    let click = {
        let (rig, shown) = (rig.clone(), shown.clone());
        tokio::spawn(async move { rig.accept(&shown, "key-1").await })
    };
    rig.until(|| rig.dodo.posts_to("/checkouts") == 1).await;
    click.abort();
    assert!(click.await.unwrap_err().is_cancelled());
    rig.tasks.close();
    rig.tasks.wait().await;
    let attempt = rig.store.latest_attempt(&shown.offer.id).await.unwrap().unwrap();
    assert_eq!(attempt.state, AttemptState::Succeeded);
    assert_eq!(rig.dodo.payments_of(shown.offer.customer_id.as_str()).len(), 1);
}
