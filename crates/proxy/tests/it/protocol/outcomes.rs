//! How a charge can go wrong, as the buyer is told of it, and what may follow.

use dodo_sim::{NewFault, NewPaymentMethod};
use proxy::service::charging::ChargeError;
use serde_json::json;
use upsell_core::domain::OfferState;
use wire::{Attempt, AttemptStatus, FailureReason, PayWith};

use super::rig::{GOOD, Rig, Shown, change_to, purchase_of};
use crate::harness::http_client;

const CHALLENGES: &str = "4000002500003155";

/// A kit on the screen of somebody with this saved method.
async fn shown_with(rig: &Rig, method: NewPaymentMethod) -> Shown {
    rig.shown_to(rig.dodo.customer_with(Some(method), "US").unwrap(), purchase_of(super::rig::KIT)).await
}

fn declining(error_code: &str) -> NewPaymentMethod {
    NewPaymentMethod { declines_with: Some(error_code.to_owned()), ..NewPaymentMethod::default() }
}

/// Told failed: nothing was collected, one request was sent, and the other way to pay opens only now.
async fn failed(rig: &Rig, shown: &Shown, attempt: &Attempt, reason: FailureReason, what: &str) {
    assert_eq!((attempt.status, attempt.failure), (Some(AttemptStatus::Failed), Some(reason)), "{what}");
    assert_eq!(attempt.hosted_checkout_offered, reason != FailureReason::NotPossible, "{what}");
    assert_eq!(attempt.checkout_url, None, "{what}");
    assert_eq!(rig.offer_state(shown).await, OfferState::Failed, "{what}");
    assert_eq!(rig.dodo.payments_of(shown.offer.customer_id.as_str()).len(), 0, "{what}");
}

/// I12. Whether a refusal surfaces as a failed payment or as an error of the request, the buyer is told the same.
#[tokio::test]
async fn every_refusal_of_the_bank_is_told_in_its_own_word() {
    for surface in ["payment", "http_error"] {
        let rig = Rig::start().await;
        rig.dodo.switch(json!({"decline_surface": surface, "rate_limit": "off"})).unwrap();
        let refusals = [
            ("INSUFFICIENT_FUNDS", FailureReason::InsufficientFunds),
            ("LIMIT_EXCEEDED", FailureReason::LimitExceeded),
            ("TRY_AGAIN_LATER", FailureReason::ProcessingError),
            ("DO_NOT_HONOR", FailureReason::Declined),
            ("EXPIRED_CARD", FailureReason::ExpiredCard),
            ("AUTHENTICATION_REQUIRED", FailureReason::AuthenticationFailed),
            ("MANDATE_REQUIRED", FailureReason::MethodNotReusable),
            ("PAYMENT_METHOD_UNSUPPORTED", FailureReason::MethodNotUsable),
            ("LOST_CARD", FailureReason::Declined),
            ("FRAUDULENT", FailureReason::Declined),
        ];
        for (posts, (code, reason)) in refusals.into_iter().enumerate() {
            let what = format!("{code} as {surface}");
            let shown = shown_with(&rig, declining(code)).await;
            let attempt = rig.accept(&shown, "key-1").await.unwrap();
            failed(&rig, &shown, &attempt, reason, &what).await;
            assert_eq!(rig.dodo.posts_to("/checkouts"), posts + 1, "{what}");
            let told = serde_json::to_string(&attempt).unwrap().to_lowercase();
            assert!(
                !told.contains("lost") && !told.contains("fraud"),
                "whoever holds the card learns: {told}"
            );
        }
    }
}

/// Dodo answers one code for a card in another currency, an expired one and one that may not be charged again.
#[tokio::test]
async fn a_card_in_another_currency_is_called_that() {
    let rig = Rig::start().await;
    let euro = serde_json::from_value(json!({"currencies": ["EUR"]})).unwrap();
    let shown = shown_with(&rig, euro).await;
    let attempt = rig.accept(&shown, "key-1").await.unwrap();
    failed(&rig, &shown, &attempt, FailureReason::WrongCurrency, "a card in euros").await;

    // A subscription on a card of which Dodo does not say whether it may be charged again: nothing is claimed.
    rig.dodo.switch(json!({"recurring_enabled": "omitted", "rate_limit": "off"})).unwrap();
    let once = NewPaymentMethod { recurring_enabled: Some(false), ..NewPaymentMethod::default() };
    let buyer = rig.dodo.customer_with(Some(once), "US").unwrap();
    let shown = rig.shown_to(buyer, purchase_of("prod_basic_plan")).await;
    let attempt = rig.accept(&shown, "key-1").await.unwrap();
    failed(&rig, &shown, &attempt, FailureReason::MethodNotUsable, "a card for once").await;
    assert_eq!(rig.dodo.posts_to("/checkouts"), 2);
}

/// What no card can change opens no other way to pay.
#[tokio::test]
async fn what_is_not_possible_opens_no_other_way() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let refuse = NewFault {
        method: Some("POST".into()),
        path: Some("/checkouts".into()),
        kind: json!("status_422_before"),
        times: Some(1),
        body: Some(json!({"code": "PRODUCT_IS_DELETED", "message": "gone"})),
        ..NewFault::default()
    };
    rig.dodo.control().fault(refuse).unwrap();
    let attempt = rig.accept(&shown, "key-1").await.unwrap();
    failed(&rig, &shown, &attempt, FailureReason::NotPossible, "a deleted product").await;
}

/// I2, I3: while the bank waits for the buyer, nothing else may be begun; that payment's own page leads on.
#[tokio::test]
async fn a_bank_that_waits_for_the_buyer_opens_no_second_way() {
    for (answer, reason) in [("approve", None), ("refuse", Some(FailureReason::AuthenticationFailed))] {
        let rig = Rig::start().await;
        rig.dodo.switch(json!({"challenge_payment_link": true})).unwrap();
        let shown = rig.shown(Some(CHALLENGES)).await;
        let waits = rig.accept(&shown, "key-1").await.unwrap();
        assert_eq!(waits.status, Some(AttemptStatus::RequiresCustomerAction));
        assert!(!waits.hosted_checkout_offered && waits.failure.is_none());
        let page = waits.checkout_url.clone().unwrap();
        assert!(page.starts_with(&rig.dodo.url()), "{page}");
        assert_eq!(rig.offer_state(&shown).await, OfferState::Pending);
        for pay_with in [None, Some(PayWith::HostedCheckout)] {
            let second = rig.accept_with(&shown, "key-2", pay_with).await;
            assert!(matches!(second, Err(ChargeError::AttemptInProgress)), "{second:?}");
        }
        rig.pass(60).await;
        assert_eq!(rig.poll(&shown.session, &waits).await, waits, "it waits on");
        assert_eq!(rig.dodo.posts_to("/checkouts"), 1);

        let form = format!("answer={answer}");
        let form =
            http_client().post(&page).header("content-type", "application/x-www-form-urlencoded").body(form);
        form.send().await.unwrap();
        let end = rig.until_terminal(&shown.session, waits).await;
        match reason {
            None => {
                assert_eq!((end.status, end.checkout_url), (Some(AttemptStatus::Succeeded), None));
                assert_eq!(rig.dodo.payments_of(shown.offer.customer_id.as_str()).len(), 1);
            }
            Some(reason) => {
                failed(&rig, &shown, &end, reason, "refused at the bank").await;
                let hosted = rig.accept_with(&shown, "key-3", Some(PayWith::HostedCheckout)).await.unwrap();
                assert_eq!(hosted.status, Some(AttemptStatus::CheckoutRequired));
            }
        }
    }
}

/// Dodo need not have such a page: then the buyer follows the bank's message, and still nothing else is begun.
#[tokio::test]
async fn a_bank_without_a_page_is_waited_for() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(CHALLENGES)).await;
    let waits = rig.accept(&shown, "key-1").await.unwrap();
    assert_eq!((waits.status, &waits.checkout_url), (Some(AttemptStatus::RequiresCustomerAction), &None));
    // Nobody ever confirms. A person has to look in the end; it is never called failed, and never charged again.
    rig.pass(30 * 60).await;
    assert_eq!(rig.poll(&shown.session, &waits).await, waits, "it waits on");
    rig.pass_hours(7 * 24).await;
    let end = rig.poll(&shown.session, &waits).await;
    assert_eq!((end.status, end.hosted_checkout_offered), (Some(AttemptStatus::NeedsReview), false));
    let second = rig.accept_with(&shown, "key-2", Some(PayWith::HostedCheckout)).await;
    assert!(matches!(second, Err(ChargeError::OfferGone)), "{second:?}");
    assert_eq!(rig.dodo.posts_to("/checkouts"), 1);
}

/// The same for a plan change; another way to pay for it is another card on the subscription, never a hosted checkout.
#[tokio::test]
async fn a_refused_plan_change_is_told_in_its_own_word() {
    let rig = Rig::start().await;
    for (code, reason) in [
        ("INSUFFICIENT_FUNDS", FailureReason::InsufficientFunds),
        ("STOLEN_CARD", FailureReason::Declined),
        ("MANDATE_INVALID", FailureReason::MethodNotReusable),
    ] {
        let (session, id) = rig.subscriber("prod_basic_plan", Vec::new());
        rig.dodo.switch(json!({"decline_off_session_with": code})).unwrap();
        let quote = rig.previewed(&session, &change_to(&id, "prod_pro_plan")).await;
        let attempt = rig.change(&session, &quote, "key-1").await.unwrap();
        let end = rig.until_settled(&session, attempt).await;
        assert_eq!((end.status, end.failure), (Some(AttemptStatus::Failed), Some(reason)), "{code}");
        assert!(!end.hosted_checkout_offered, "{code}");
        assert_eq!(rig.client.get_subscription(&id).await.unwrap().product_id.as_str(), "prod_basic_plan");
        rig.dodo.switch(json!({"decline_off_session_with": null})).unwrap();
    }
}
