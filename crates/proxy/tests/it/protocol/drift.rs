//! Fields of another type in what Dodo sends: what settles nothing costs nothing, and a cart that cannot be read is looked up.

use dodo_client::ids::{PaymentId, ProductId};
use serde_json::{Value, json};
use upsell_core::domain::OfferState;

use super::{
    recovery::{marked, send},
    rig::{GOOD, Rig, Shown},
};

/// A charge that was executed at Dodo and whose reply was lost, and its payment.
async fn lost(rig: &Rig) -> (Shown, PaymentId) {
    let shown = rig.shown(Some(GOOD)).await;
    let row = marked(rig, &shown).await;
    send(rig, &shown, &row).await;
    let ids = rig.dodo.control().payments_of(shown.offer.customer_id.as_str());
    (shown, PaymentId::parse(ids.first().unwrap()).unwrap())
}

fn drifted() -> Value {
    json!({
        "created_at": "2026-12-01T00:00:00", "updated_at": 7, "card_last_four": 4242, "settlement_currency": "usd",
        "billing": [], "charge_type": null, "disputes": "none", "payment_method_id": {},
    })
}

fn show(rig: &Rig, payment: &PaymentId, fields: &Value) {
    rig.dodo.control().show_payment(payment.as_str(), fields.as_object().unwrap().clone()).unwrap();
}

#[tokio::test]
async fn a_payment_settles_whatever_else_drifts() {
    let rig = Rig::start().await;
    let (reported, payment) = lost(&rig).await;
    show(&rig, &payment, &drifted());
    rig.report(&rig.dodo, payment.as_str()).await.unwrap();
    assert_eq!(rig.offer_state(&reported).await, OfferState::Charged, "by its webhook");

    let (listed, payment) = lost(&rig).await;
    show(&rig, &payment, &drifted());
    rig.workers.reconciler.catch_up().await;
    assert_eq!(rig.offer_state(&listed).await, OfferState::Charged, "by a look");
}

/// A cart that cannot be read is neither absent nor another one.
#[tokio::test]
async fn a_cart_that_cannot_be_read_is_looked_up() {
    let rig = Rig::start().await;
    let (shown, payment) = lost(&rig).await;
    let mut told = rig.dodo.payment(payment.as_str()).await.unwrap();
    told["payload_type"] = "Payment".into();
    told["product_cart"] = json!([{"product_id": "prod_toolkit", "quantity": "1"}]);
    rig.deliver("msg_1", "payment.succeeded", &told).await.unwrap();
    assert_eq!(rig.offer_state(&shown).await, OfferState::Charged, "Dodo's own answer has it");

    let (shown, payment) = lost(&rig).await;
    show(&rig, &payment, &json!({"product_cart": 7}));
    rig.report(&rig.dodo, payment.as_str()).await.unwrap();
    assert_ne!(
        rig.offer_state(&shown).await,
        OfferState::Charged,
        "a name alone settles nothing without a cart"
    );
    show(&rig, &payment, &json!({"product_cart": [{"product_id": "prod_toolkit", "quantity": 1}]}));
    rig.workers.reconciler.catch_up().await;
    assert_eq!(rig.offer_state(&shown).await, OfferState::Charged);
}

/// Without its cart a purchase would be followed by an offer of what was bought.
#[tokio::test]
async fn a_purchase_whose_cart_cannot_be_read_is_known_by_its_look_up() {
    let rig = Rig::start().await;
    let buyer = rig.dodo.customer(Some(GOOD)).unwrap();
    let payment = rig.dodo.purchase(&buyer, "prod_toolkit").unwrap();
    let mut told = rig.dodo.payment(payment.as_str()).await.unwrap();
    told["payload_type"] = "Payment".into();
    told["product_cart"] = json!([{"product_id": "prod_toolkit", "quantity": "1"}]);
    rig.deliver("msg_1", "payment.succeeded", &told).await.unwrap();
    let known = rig.store.latest_purchase(&buyer).await.unwrap().expect("it is a purchase");
    assert_eq!(known.product_ids.iter().map(ProductId::as_str).collect::<Vec<_>>(), ["prod_toolkit"]);
}
