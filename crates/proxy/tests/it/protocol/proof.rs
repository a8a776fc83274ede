//! Payments that buyers make with metadata of their own: what they say is a hint, never evidence (I16 to I18).

use dodo_client::ids::{CustomerId, PaymentId};
use dodo_sim::ProductPatch;
use proxy::service::{charging::ChargeError, resolving::ResolveError};
use serde_json::{Value, json};
use upsell_core::{
    domain::{AttemptRow, AttemptState, OfferState},
    rules::{AboveQuote, LateSuccess, MoneyRules, Surplus},
};
use wire::{Attempt, AttemptStatus, PayWith, Resolution};

use crate::harness::http_client;

use super::{
    recovery::{marked, send},
    rig::{GOOD, KIT, KIT_PRICE, NO_FUNDS, Rig, change_to},
};

/// Whatever may go back by itself does.
const ALL_BACK: MoneyRules = MoneyRules {
    late_success: LateSuccess::Refund,
    surplus: Surplus::Refund,
    above_quote: AboveQuote::RefundDifference,
};
/// Something else that the shop sells.
const CHEAPER: &str = "prod_starter_course";

/// The buyer pays for a product by a static link with this metadata, and Dodo tells the proxy. Returns the payment.
async fn pays(rig: &Rig, customer: &CustomerId, product: &str, metadata: Value) -> String {
    let new = json!({"customer_id": customer.as_str(), "product_id": product, "metadata": metadata});
    let payment =
        rig.dodo.post("/_sim/payments", new).await.unwrap()["payment_id"].as_str().unwrap().to_owned();
    rig.report(&rig.dodo, &payment).await.unwrap();
    payment
}

/// What a buyer can see of an attempt on their page.
fn name(attempt: &Attempt) -> Value {
    json!({"attempt_id": attempt.attempt_id.as_ref().unwrap(), "upsell_source": "post_purchase"})
}

/// Everything that the attempt's own payment carries at Dodo.
async fn copied(rig: &Rig, attempt: &Attempt) -> Value {
    let payment = rig.payment_of(attempt).await;
    rig.dodo.payment(payment.as_str()).await.unwrap()["metadata"].clone()
}

async fn state(rig: &Rig, attempt: &Attempt) -> AttemptState {
    rig.store.attempt_by_id(attempt.attempt_id.as_ref().unwrap()).await.unwrap().unwrap().state
}

async fn is_given_back(rig: &Rig, payment: &str) -> bool {
    rig.pass(120).await;
    rig.store.refund_order(&PaymentId::parse(payment).unwrap()).await.unwrap().is_some()
        || rig.dodo.given_back(payment).await.unwrap() > 0
}

/// Seen before: the offer of $129 was `succeeded` by $19 for something else.
#[tokio::test]
async fn another_purchase_does_not_pay_for_a_declined_offer() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(NO_FUNDS)).await;
    let declined = rig.accept(&shown, "key-1").await.unwrap();
    let customer = shown.offer.customer_id.clone();
    for metadata in [name(&declined), copied(&rig, &declined).await] {
        pays(&rig, &customer, CHEAPER, metadata).await;
        assert!(matches!(state(&rig, &declined).await, AttemptState::Failed(_)));
        assert_eq!(rig.offer_state(&shown).await, OfferState::Failed);
    }
}

/// Seen before: the same with a hosted page, which stayed payable, and nobody was told.
#[tokio::test]
async fn another_purchase_does_not_pay_for_a_hosted_page() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let hosted = rig.accept_with(&shown, "key-1", Some(PayWith::HostedCheckout)).await.unwrap();
    let customer = shown.offer.customer_id.clone();
    pays(&rig, &customer, CHEAPER, name(&hosted)).await;
    pays(&rig, &customer, shown.offer.plan.product_id().as_str(), name(&hosted)).await;
    rig.pass(120).await;
    assert_eq!(rig.poll(&shown.session, &hosted).await.status, Some(AttemptStatus::CheckoutRequired));
    assert_eq!(rig.offer_state(&shown).await, OfferState::Pending);
}

/// Seen before: `plan.changed` was told while the subscription stayed on Basic.
#[tokio::test]
async fn a_one_time_payment_does_not_pay_for_a_plan_change() {
    let rig = Rig::start().await;
    let (session, subscription) = rig.subscriber("prod_basic_plan", Vec::new());
    rig.dodo.fault("POST", "/subscriptions/*/change-plan", json!("status_422_before"), 1).unwrap();
    let quote = rig.previewed(&session, &change_to(&subscription, "prod_max_plan")).await;
    let failed = rig.change(&session, &quote, "key-1").await.unwrap();
    assert_eq!(failed.status, Some(AttemptStatus::Failed));
    pays(&rig, &session.customer_id, CHEAPER, name(&failed)).await;
    assert!(matches!(state(&rig, &failed).await, AttemptState::Failed(_)));
}

/// What makes a charge recognisable has to find room beside the subscription's own metadata: else nothing is quoted.
#[tokio::test]
async fn a_change_that_cannot_be_signed_is_not_quoted() {
    let rig = Rig::start().await;
    let (session, subscription) = rig.subscriber("prod_basic_plan", Vec::new());
    let plan = change_to(&subscription, "prod_max_plan");
    assert!(rig.quoting.price(&plan, &session.customer_id).await.is_ok());
    let crowded: serde_json::Map<_, _> = (0..40).map(|n| (format!("crm_{n}"), "x".into())).collect();
    let change = json!({"metadata": crowded});
    let changed = http_client()
        .patch(format!("{}/subscriptions/{subscription}", rig.dodo.url()))
        .bearer_auth(dodo_sim::DEFAULT_KEY)
        .json(&change);
    assert!(changed.send().await.unwrap().status().is_success());
    let refused = rig.quoting.price(&plan, &session.customer_id).await.err().unwrap();
    assert_eq!(refused.code(), wire::ErrorCode::ChangeNotPossible, "{refused}");
}

/// Seen before: any other purchase of the buyer that named the attempt was given back in full.
#[tokio::test]
async fn a_purchase_that_names_a_paid_attempt_is_not_given_back() {
    let rig = Rig::start_under(dodo_sim::SimConfig::default(), ALL_BACK).await;
    let shown = rig.shown(Some(GOOD)).await;
    let paid = rig.accept(&shown, "key-1").await.unwrap();
    let paid = rig.until_settled(&shown.session, paid).await;
    assert_eq!(paid.status, Some(AttemptStatus::Succeeded));
    let (customer, product) = (shown.offer.customer_id.clone(), shown.offer.plan.product_id().clone());
    for metadata in [name(&paid), copied(&rig, &paid).await] {
        for bought in [CHEAPER, product.as_str()] {
            let payment = pays(&rig, &customer, bought, metadata.clone()).await;
            assert!(!is_given_back(&rig, &payment).await, "{bought} with {metadata}");
        }
    }
    assert_eq!(state(&rig, &paid).await, AttemptState::Succeeded);
}

/// Seen before: an attempt, a quote and an offer were invented, and every open offer of the shop was closed.
#[tokio::test]
async fn a_payment_of_an_invented_attempt_restores_nothing() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let open = rig.shown(Some(GOOD)).await;
    let paid = rig.accept(&shown, "key-1").await.unwrap();
    let mut metadata = copied(&rig, &paid).await;
    for (key, value) in [
        ("attempt_id", "at_invented"),
        ("offer_id", "of_invented"),
        ("quote_id", "qt_invented"),
        ("upsell_products", "prod_team_license:10"),
    ] {
        metadata[key] = value.into();
    }
    pays(&rig, &shown.offer.customer_id, CHEAPER, metadata).await;
    assert!(rig.charging.gate().is_open());
    let invented = wire::AttemptId::parse("at_invented").unwrap();
    assert_eq!(rig.store.attempt_by_id(&invented).await.unwrap(), None);
    assert_eq!(rig.offer_state(&open).await, OfferState::Presented);
}

/// I18: what falls short waits for a person, who decides once. Seen before: it was `succeeded`, with an alert.
#[tokio::test]
async fn what_falls_short_is_resolved_by_a_person() {
    for (resolution, state_after, offer_after, refunds) in [
        (Resolution::Fulfil, AttemptState::Succeeded, OfferState::Charged, 0),
        (Resolution::Refund, AttemptState::Dismissed, OfferState::Expired, 1),
        (Resolution::Reopen, AttemptState::Dismissed, OfferState::Presented, 0),
    ] {
        let rig = Rig::start().await;
        let shown = rig.shown(Some(GOOD)).await;
        let row = marked(&rig, &shown).await;
        let cheaper = ProductPatch { price: Some(KIT_PRICE - 100), ..ProductPatch::default() };
        rig.dodo.control().product(KIT, cheaper).unwrap();
        send(&rig, &shown, &row).await;
        rig.workers.reconciler.catch_up().await;
        let now = |state| (state, OfferState::Abandoned);
        let stored = rig.store.attempt_by_id(&row.id).await.unwrap().unwrap();
        assert_eq!((stored.state, rig.offer_state(&shown).await), now(AttemptState::Underpaid));
        assert_eq!(rig.poll(&shown.session, &attempt(&row)).await.status, Some(AttemptStatus::InDoubt));
        let again = rig.accept(&shown, "key-2").await;
        assert!(matches!(again, Err(ChargeError::OfferGone)), "{again:?}");

        rig.resolving.resolve(&row.id, resolution).await.unwrap();
        let twice = rig.resolving.resolve(&row.id, resolution).await;
        assert!(matches!(twice, Err(ResolveError::NotOpen(_))), "{twice:?}");
        rig.pass(600).await;
        let stored = rig.store.attempt_by_id(&row.id).await.unwrap().unwrap();
        assert_eq!(
            (stored.state, rig.offer_state(&shown).await),
            (state_after, offer_after),
            "{resolution:?}"
        );
        assert_eq!(rig.dodo.posts_to("/refunds"), refunds, "{resolution:?}");
        let charges = rig.dodo.payments_of(shown.offer.customer_id.as_str());
        assert_eq!(charges.len(), 1);
    }
}

/// The attempt as the page knows it.
fn attempt(row: &AttemptRow) -> Attempt {
    Attempt {
        success: false,
        status: None,
        attempt_id: Some(row.id.clone()),
        receipt: None,
        failure: None,
        hosted_checkout_offered: false,
        checkout_url: None,
    }
}

/// On the page that we opened somebody else may pay: it is paid. Seen before: it ended as "failed: cancelled".
#[tokio::test]
async fn a_hosted_page_that_somebody_else_pays_is_paid() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let hosted = rig.accept_with(&shown, "key-1", Some(PayWith::HostedCheckout)).await.unwrap();
    let stranger = rig.dodo.customer(None).unwrap();
    rig.dodo.pay_on_page(hosted.checkout_url.as_ref().unwrap(), GOOD).await.unwrap();
    let row = rig.store.attempt_by_id(hosted.attempt_id.as_ref().unwrap()).await.unwrap().unwrap();
    let checkout = row.checkout_session_id.unwrap();
    let payment = rig.gateway.checkout(&checkout).await.unwrap().payment_id.unwrap().to_string();
    let mut told = rig.dodo.payment(&payment).await.unwrap();
    told["customer"]["customer_id"] = stranger.as_str().into();
    told["payload_type"] = "Payment".into();
    rig.deliver("msg_stranger", "payment.succeeded", &told).await.unwrap();
    assert_eq!(state(&rig, &hosted).await, AttemptState::Succeeded);
    assert_eq!(rig.offer_state(&shown).await, OfferState::Charged);
}

/// A renewal carries everything that the first payment carried. Seen before: each went back as collected twice.
#[tokio::test]
async fn a_renewal_of_what_an_offer_sold_is_not_collected_twice() {
    let rig = Rig::start_under(dodo_sim::SimConfig::default(), ALL_BACK).await;
    let customer = rig.dodo.customer(Some(GOOD)).unwrap();
    let shown = rig.shown_to(customer, super::rig::purchase_of("prod_basic_plan")).await;
    let paid = rig.accept(&shown, "key-1").await.unwrap();
    let paid = rig.until_settled(&shown.session, paid).await;
    assert_eq!(paid.status, Some(AttemptStatus::Succeeded));
    let first = rig.payment_of(&paid).await;
    let mut renewal = rig.dodo.payment(first.as_str()).await.unwrap();
    for (charge_type, id) in [(Value::Null, "pay_renewal_1"), ("renewal".into(), "pay_renewal_2")] {
        renewal["payment_id"] = id.into();
        renewal["charge_type"] = charge_type;
        renewal["payload_type"] = "Payment".into();
        rig.deliver(&format!("msg_{id}"), "payment.succeeded", &renewal).await.unwrap();
        let order = rig.store.refund_order(&PaymentId::parse(id).unwrap()).await.unwrap();
        assert_eq!(order, None, "{id}");
        assert_eq!(rig.store.sale(&PaymentId::parse(id).unwrap()).await.unwrap(), None, "{id}");
    }
}
