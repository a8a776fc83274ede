//! Every event of the families that matter, as Dodo delivers it: what it does, or that it deliberately does nothing.

use dodo_client::{ids::PaymentId, values::Metadata};
use proxy::{clock::Clock, support, webhook_signature::SignedHeaders};
use serde_json::{Value, json};
use upsell_core::domain::{AttemptRow, AttemptState, DisputeStatus, OfferState, Sale, TagKeys};
use wire::AttemptStatus;

use super::{
    recovery::{marked, tags},
    rig::{GOOD, KIT_PRICE, Rig, Shown},
};
use crate::{
    harness::{SIGNING_KEYS, WEBHOOK_SECRET, http_client},
    webhooks::signature,
};

async fn deliver(rig: &Rig, id: &str, kind: &str, data: &Value) {
    let body =
        json!({"business_id": "bus_sim", "type": kind, "timestamp": "2026-01-01T00:00:05Z", "data": data});
    let body = body.to_string().into_bytes();
    let at = rig.clock.now().0;
    let (signed, at_text) = (signature(WEBHOOK_SECRET, id, at, &body), at.to_string());
    let headers = SignedHeaders { id: Some(id), timestamp: Some(&at_text), signature: Some(&signed) };
    let webhooks = &rig.webhooks;
    let verified = webhooks.verify(headers, &body).unwrap();
    webhooks.receive(verified).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
}

async fn sale(rig: &Rig, payment: &PaymentId) -> Sale {
    rig.store.sale(payment).await.unwrap().unwrap()
}

/// A payment of this attempt as Dodo would show it in this state.
fn payment(rig: &Rig, id: &str, shown: &Shown, row: &AttemptRow, status: &str) -> Value {
    let keys = TagKeys::parse(&SIGNING_KEYS.to_owned().into()).unwrap();
    let metadata = tags(rig, shown, row).signed_over(&Metadata::default(), &keys).unwrap();
    let customer = row.customer_id.as_str();
    json!({"payload_type": "Payment", "payment_id": id, "status": status, "currency": "USD",
           "total_amount": KIT_PRICE, "customer": {"customer_id": customer, "email": "b@example.com", "name": "B"},
           "metadata": metadata, "error_code": null,
           "product_cart": [{"product_id": shown.offer.plan.product_id(), "quantity": 1}],
           "created_at": time::OffsetDateTime::from_unix_timestamp(rig.clock.now().0).unwrap()
               .format(&time::format_description::well_known::Rfc3339).unwrap()})
}

#[tokio::test]
async fn payment_events_settle_by_the_status_of_the_payment() {
    for (kind, status, end) in [
        ("payment.succeeded", "succeeded", OfferState::Charged),
        ("payment.processing", "processing", OfferState::Pending),
        ("payment.failed", "failed", OfferState::Failed),
        ("payment.cancelled", "cancelled", OfferState::Failed),
        // The name says what happened once, the payment how it stands.
        ("payment.processing", "succeeded", OfferState::Charged),
        ("payment.failed", "succeeded", OfferState::Charged),
    ] {
        let rig = Rig::start().await;
        let shown = rig.shown(Some(GOOD)).await;
        let row = marked(&rig, &shown).await;
        let data = payment(&rig, "pay_told", &shown, &row, status);
        for delivery in ["msg_1", "msg_1", "msg_2"] {
            deliver(&rig, delivery, kind, &data).await;
        }
        assert_eq!(rig.offer_state(&shown).await, end, "{kind} {status}");
    }
}

/// A sold kit and its payment.
async fn sold(rig: &Rig) -> (Shown, PaymentId) {
    let shown = rig.shown(Some(GOOD)).await;
    let attempt = rig.accept(&shown, "key").await.unwrap();
    assert_eq!(attempt.status, Some(AttemptStatus::Succeeded));
    let payment = rig.payment_of(&attempt).await;
    (shown, payment)
}

#[tokio::test]
async fn refund_events_are_flags_on_the_sale() {
    for (kind, status, refunded) in [
        ("refund.succeeded", "succeeded", KIT_PRICE),
        ("refund.failed", "failed", 0),
        // Not sent by Dodo today; the refund itself says how it stands.
        ("refund.created", "pending", 0),
        ("refund.failed", "succeeded", KIT_PRICE),
        ("refund.succeeded", "new_in_2027", 0),
    ] {
        let rig = Rig::start().await;
        let (shown, payment) = sold(&rig).await;
        let data = json!({"payload_type": "Refund", "refund_id": "ref_1", "payment_id": payment.as_str(),
                          "status": status, "amount": KIT_PRICE, "currency": "USD"});
        deliver(&rig, "msg_1", kind, &data).await;
        deliver(&rig, "msg_2", kind, &data).await;
        assert_eq!(sale(&rig, &payment).await.refunded, refunded, "{kind} {status}");
        assert_eq!(rig.offer_state(&shown).await, OfferState::Charged, "{kind}");
    }
}

#[tokio::test]
async fn dispute_events_are_flags_on_the_sale() {
    for (kind, status) in [
        ("opened", DisputeStatus::Opened),
        ("challenged", DisputeStatus::Challenged),
        ("cancelled", DisputeStatus::Cancelled),
        ("expired", DisputeStatus::Expired),
        ("accepted", DisputeStatus::Accepted),
        ("won", DisputeStatus::Won),
        ("lost", DisputeStatus::Lost),
    ] {
        let rig = Rig::start().await;
        let (shown, payment) = sold(&rig).await;
        let data = |word: &str| {
            json!({"payload_type": "Dispute", "dispute_id": "dsp_1", "payment_id": payment.as_str(),
                   "dispute_status": format!("dispute_{word}"), "dispute_stage": "dispute", "amount": "1900",
                   "currency": "USD"})
        };
        deliver(&rig, "msg_1", &format!("dispute.{kind}"), &data(kind)).await;
        // What comes late, or cannot be understood, takes nothing back.
        deliver(&rig, "msg_2", "dispute.opened", &data("opened")).await;
        deliver(&rig, "msg_3", "dispute.opened", &data("new_in_2027")).await;
        assert_eq!(sale(&rig, &payment).await.dispute, Some(status), "{kind}");
        assert_eq!(rig.offer_state(&shown).await, OfferState::Charged, "{kind}");
        let row = rig.store.latest_attempt(&shown.offer.id).await.unwrap().unwrap();
        let story = support::explain(rig.store.as_ref(), &row.id).await.unwrap().unwrap();
        assert!(story.contains("The buyer contests it"), "{story}");
        // It is shown as sold, and cannot be bought once more.
        let again = rig.accept(&shown, "another-key").await.unwrap();
        assert_eq!(
            (again.status, rig.dodo.posts_to("/checkouts")),
            (Some(AttemptStatus::Succeeded), 1),
            "{kind}"
        );
    }
}

/// Refunds and disputes also come inside a payment, and may come before anything is known of it.
#[tokio::test]
async fn flags_inside_a_payment_count_and_may_come_first() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let row = marked(&rig, &shown).await;
    let early = json!({"payload_type": "Refund", "refund_id": "ref_1", "payment_id": "pay_told",
                       "status": "succeeded", "amount": 900, "currency": "USD"});
    deliver(&rig, "msg_1", "refund.succeeded", &early).await;
    assert_eq!(rig.store.sale(&PaymentId::parse("pay_told").unwrap()).await.unwrap(), None);
    let mut data = payment(&rig, "pay_told", &shown, &row, "succeeded");
    data["refunds"] = json!([early, {"refund_id": "ref_2", "payment_id": "pay_told", "status": "succeeded",
                                     "amount": 1000, "currency": "USD"}]);
    data["disputes"] =
        json!([{"dispute_id": "dsp_1", "payment_id": "pay_told", "dispute_status": "dispute_lost"}]);
    deliver(&rig, "msg_2", "payment.succeeded", &data).await;
    let sale = sale(&rig, &PaymentId::parse("pay_told").unwrap()).await;
    assert_eq!((sale.refunded, sale.dispute), (KIT_PRICE, Some(DisputeStatus::Lost)));
    assert_eq!(rig.offer_state(&shown).await, OfferState::Charged);
}

/// None of them moves a purchase; that they settle a plan change under way is tested where plan changes are.
#[tokio::test]
async fn subscription_events_are_taken_and_leave_purchases_alone() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let row = marked(&rig, &shown).await;
    let (_, subscription) = rig.subscriber("prod_basic_plan", Vec::new());
    let url = format!("{}/subscriptions/{subscription}", rig.dodo.url());
    let answer = http_client().get(url).bearer_auth("dodo_test_sim_key").send().await.unwrap();
    let subscription: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    for kind in [
        "active",
        "renewed",
        "on_hold",
        "past_due",
        "paused",
        "unpaused",
        "cancelled",
        "failed",
        "expired",
        "plan_changed",
        "updated",
        "update_payment_method",
    ] {
        deliver(&rig, &format!("msg_{kind}"), &format!("subscription.{kind}"), &subscription).await;
    }
    let kept = rig.store.attempt_by_id(&row.id).await.unwrap().unwrap();
    assert_eq!(kept.state, AttemptState::Sent);
    assert_eq!(rig.offer_state(&shown).await, OfferState::Accepting);
}
