//! Events that stayed away for longer than Dodo repeats them are caught up on, from the last event seen.

use std::time::Duration;

use dodo_client::{
    ChargeEvidence,
    ids::{CustomerId, PaymentId},
    types::refunds::RefundRequest,
};
use dodo_sim::IntentStatus;
use serde_json::json;
use upsell_core::domain::{DisputeStatus, OfferState};
use wire::AttemptStatus;

use super::rig::{GOOD, KIT, KIT_PRICE, Rig};

/// An event that says nothing of interest: events come.
async fn hear(rig: &Rig, id: &str) {
    let buyer = rig.dodo.customer(Some(GOOD)).unwrap();
    let payment = rig.dodo.purchase(&buyer, KIT).unwrap();
    let mut data = rig.dodo.payment(payment.as_str()).await.unwrap();
    data["payload_type"] = "Payment".into();
    rig.deliver(id, "payment.succeeded", &data).await.unwrap();
}

fn bought(rig: &Rig) -> (CustomerId, PaymentId) {
    let buyer = rig.dodo.customer(Some(GOOD)).unwrap();
    let payment = rig.dodo.purchase(&buyer, KIT).unwrap();
    (buyer, payment)
}

async fn give_back(rig: &Rig, payment: &PaymentId) {
    let request = RefundRequest { payment_id: payment.clone(), items: Vec::new(), reason: None };
    let answer = rig.client.refund(&request).await;
    assert!(matches!(answer, ChargeEvidence::Accepted { .. }), "{answer:?}");
}

async fn knows(rig: &Rig, (buyer, payment): &(CustomerId, PaymentId)) -> bool {
    rig.store.purchase(buyer, payment).await.unwrap().is_some()
}

/// Dodo gives up repeating a webhook after 27 hours and 35 minutes. Nobody tells of what happened before.
#[tokio::test]
async fn purchases_refunds_and_disputes_of_a_long_outage_are_learned() {
    for (hours, event_comes_first) in [(40, false), (40, true), (30 * 24, false)] {
        let rig = Rig::start().await;
        rig.dodo
            .switch(json!({"rate_limit": "off", "one_click_outcome": "processing", "processing_seconds": 0}))
            .unwrap();
        hear(&rig, "msg_1").await;
        let shown = rig.shown(Some(GOOD)).await;
        let waits = rig.accept(&shown, "key-1").await.unwrap();
        let charged = rig.payment_of(&waits).await;
        let seconds = i64::from(hours) * 3600;
        // The reconciler is not at work: nobody is.
        rig.clock.advance(seconds / 2);
        rig.dodo.control().advance(Duration::from_secs(seconds.unsigned_abs() / 2));
        let purchase = bought(&rig);
        let given_back = bought(&rig);
        give_back(&rig, &given_back.1).await;
        rig.dodo.control().resolve_payment(charged.as_str(), IntentStatus::Succeeded, None).unwrap();
        give_back(&rig, &charged).await;
        let now = rig.dodo.payment(purchase.1.as_str()).await.unwrap()["created_at"].clone();
        let dispute = json!({"dispute_id": "dsp_1", "payment_id": charged.as_str(), "dispute_status": "dispute_opened",
                             "dispute_stage": "dispute", "created_at": now});
        let disputes = json!({"disputes": [dispute]});
        rig.dodo.control().show_payment(charged.as_str(), disputes.as_object().unwrap().clone()).unwrap();
        rig.clock.advance(seconds / 2);
        rig.dodo.control().advance(Duration::from_secs(seconds.unsigned_abs() / 2));
        if event_comes_first {
            hear(&rig, "msg_2").await;
        }
        assert!(!knows(&rig, &purchase).await);

        rig.workers.catching_up.round().await.unwrap();

        assert!(knows(&rig, &purchase).await && knows(&rig, &given_back).await, "{hours} h");
        assert_eq!(rig.offer_state(&shown).await, OfferState::Charged, "{hours} h");
        assert_eq!(rig.poll(&shown.session, &waits).await.status, Some(AttemptStatus::Succeeded));
        let sale = rig.store.sale(&charged).await.unwrap().unwrap();
        assert_eq!((sale.refunded, sale.dispute), (KIT_PRICE, Some(DisputeStatus::Opened)), "{hours} h");

        let before = rig.dodo.requests_to("GET", "/payments?");
        rig.workers.catching_up.round().await.unwrap();
        assert_eq!(rig.dodo.requests_to("GET", "/payments?"), before, "nothing is missed any more");
    }
}

/// While events come, nothing is listed; a quiet shop is listed once in a while, and what is known is not read again.
#[tokio::test]
async fn catching_up_costs_nothing_where_nothing_was_missed() {
    let rig = Rig::start().await;
    hear(&rig, "msg_1").await;
    for no in 0..5 {
        rig.clock.advance(5 * 3600);
        hear(&rig, &format!("msg_again_{no}")).await;
        rig.workers.catching_up.round().await.unwrap();
    }
    let asked = |path: &str| rig.dodo.requests_to("GET", path);
    assert_eq!((asked("/payments?"), asked("/refunds"), asked("/disputes")), (0, 0, 0));
    rig.clock.advance(7 * 3600);
    rig.workers.catching_up.round().await.unwrap();
    assert_eq!((asked("/payments?"), asked("/refunds"), asked("/disputes")), (1, 1, 1));
}

/// I19: a payment that cannot be read is tried on, and everything after it is learned all the same.
#[tokio::test]
async fn a_payment_that_cannot_be_read_holds_up_no_other() {
    let rig = Rig::start().await;
    rig.dodo.switch(json!({"rate_limit": "off"})).unwrap();
    hear(&rig, "msg_1").await;
    rig.clock.advance(40 * 3600);
    rig.dodo.control().advance(Duration::from_secs(40 * 3600));
    let (poisoned, good) = (bought(&rig), bought(&rig));
    rig.dodo
        .fault("GET", &format!("/payments/{}", poisoned.1), json!("status_500_before"), u32::MAX)
        .unwrap();
    assert!(rig.workers.catching_up.round().await.is_err());
    assert!(knows(&rig, &good).await && !knows(&rig, &poisoned).await);
    // Dodo comes round.
    rig.dodo.control().clear_faults();
    rig.workers.catching_up.round().await.unwrap();
    assert!(knows(&rig, &poisoned).await);

    let never = bought(&rig);
    rig.clock.advance(7 * 3600);
    rig.dodo.control().advance(Duration::from_secs(7 * 3600));
    rig.dodo.fault("GET", &format!("/payments/{}", never.1), json!("status_500_before"), u32::MAX).unwrap();
    assert!(rig.workers.catching_up.round().await.is_err());
    rig.clock.advance(49 * 3600);
    rig.workers.catching_up.round().await.unwrap();
    assert!(!knows(&rig, &never).await, "given up after two days, with an alert");
}
