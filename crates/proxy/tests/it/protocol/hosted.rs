//! The other way to pay: Dodo's own page.

use proxy::service::charging::ChargeError;
use serde_json::json;
use upsell_core::domain::OfferState;
use wire::{AttemptStatus, FailureReason, PayWith};

use super::rig::{GOOD, KIT_PRICE, NO_FUNDS, Rig};

#[tokio::test]
async fn without_a_card_accepting_opens_the_page_and_paying_there_completes_it() {
    let rig = Rig::start().await;
    let shown = rig.shown(None).await;
    let attempt = rig.accept(&shown, "key-1").await.unwrap();
    assert_eq!(attempt.status, Some(AttemptStatus::CheckoutRequired));
    let url = attempt.checkout_url.clone().unwrap();
    // Another tab gets the same page, not a second one.
    let other = rig.accept(&shown, "key-2").await.unwrap();
    assert_eq!(other.checkout_url.as_ref(), Some(&url));
    assert_eq!(rig.dodo.posts_to("/checkouts"), 1);
    rig.dodo.pay_on_page(&url, GOOD).await.unwrap();
    rig.pass(60).await;
    let end = rig.poll(&shown.session, &attempt).await;
    assert_eq!(end.status, Some(AttemptStatus::Succeeded));
    assert_eq!(end.receipt.unwrap().amount, KIT_PRICE);
    assert_eq!(end.checkout_url, None);
    assert_eq!(rig.dodo.payments_of(shown.offer.customer_id.as_str()).len(), 1);
}

/// A declined card leads to the page once; it is a second attempt, begun after the first had definitely failed.
#[tokio::test]
async fn after_a_declined_card_the_page_is_the_way_on() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(NO_FUNDS)).await;
    let failed = rig.accept(&shown, "key-1").await.unwrap();
    assert!(failed.hosted_checkout_offered);
    let hosted = rig.accept_with(&shown, "key-2", Some(PayWith::HostedCheckout)).await.unwrap();
    assert_eq!(hosted.status, Some(AttemptStatus::CheckoutRequired));
    assert_ne!(hosted.attempt_id, failed.attempt_id);
    let url = hosted.checkout_url.clone().unwrap();
    // On the page a further declined card is not the end.
    rig.dodo.pay_on_page(&url, NO_FUNDS).await.unwrap();
    rig.pass(60).await;
    assert_eq!(rig.poll(&shown.session, &hosted).await.status, Some(AttemptStatus::CheckoutRequired));
    rig.dodo.pay_on_page(&url, GOOD).await.unwrap();
    rig.pass(1200).await;
    assert_eq!(rig.poll(&shown.session, &hosted).await.status, Some(AttemptStatus::Succeeded));
    assert_eq!(rig.offer_state(&shown).await, OfferState::Charged);
    assert_eq!(rig.dodo.payments_of(shown.offer.customer_id.as_str()).len(), 1);
    // The first attempt's page still says the truth about that attempt.
    let first = rig.poll(&shown.session, &failed).await;
    assert_eq!((first.status, first.hosted_checkout_offered), (Some(AttemptStatus::Failed), false));
}

#[tokio::test]
async fn a_page_that_cannot_be_opened_costs_nothing() {
    for fault in ["reset_after", "status_500_after", "status_422_before", "hang_after"] {
        let rig = Rig::start().await;
        let shown = rig.shown(None).await;
        rig.dodo.fault("POST", "/checkouts", json!(fault), 1).unwrap();
        let failed = rig.accept(&shown, "key-1").await;
        assert!(matches!(failed, Err(ChargeError::Unavailable { .. })), "{fault} {failed:?}");
        assert_eq!(rig.offer_state(&shown).await, OfferState::Presented, "{fault}");
        let attempt = rig.accept(&shown, "key-1").await.unwrap();
        assert_eq!(attempt.status, Some(AttemptStatus::CheckoutRequired), "{fault}");
    }
}

#[tokio::test]
async fn a_page_on_which_nobody_paid_closes_after_a_day() {
    let rig = Rig::start().await;
    let shown = rig.shown(None).await;
    let attempt = rig.accept(&shown, "key-1").await.unwrap();
    rig.pass(23 * 3600).await;
    assert_eq!(rig.poll(&shown.session, &attempt).await.status, Some(AttemptStatus::CheckoutRequired));
    rig.pass(4 * 3600).await;
    let end = rig.poll(&shown.session, &attempt).await;
    assert_eq!((end.status, end.failure), (Some(AttemptStatus::Failed), Some(FailureReason::Cancelled)));
    assert_eq!(rig.offer_state(&shown).await, OfferState::Failed);
}

/// I5, I12: paid in the last hour, with the webhook lost and Dodo away when the page's day is over. That nothing could be
/// seen is no evidence that nothing was paid.
#[tokio::test]
async fn a_page_that_cannot_be_looked_at_is_not_taken_for_unpaid() {
    let rig = Rig::start().await;
    let shown = rig.shown(None).await;
    let attempt = rig.accept(&shown, "key-1").await.unwrap();
    rig.pass(23 * 3600).await;
    rig.dodo.pay_on_page(attempt.checkout_url.as_ref().unwrap(), GOOD).await.unwrap();
    let away = dodo_sim::NewFault {
        method: Some("GET".into()),
        kind: json!("status_503_before"),
        ..dodo_sim::NewFault::default()
    };
    rig.dodo.control().fault(away).unwrap();
    rig.pass(4 * 3600).await;
    assert_eq!(rig.poll(&shown.session, &attempt).await.status, Some(AttemptStatus::CheckoutRequired));
    rig.dodo.control().clear_faults();
    rig.pass(2 * 3600).await;
    assert_eq!(rig.poll(&shown.session, &attempt).await.status, Some(AttemptStatus::Succeeded));
    assert_eq!(rig.offer_state(&shown).await, OfferState::Charged);
}
