//! What is old goes, and nothing that Dodo says or lists of it later brings it back or looks like a loss (I21).

use dodo_client::ids::PaymentId;
use proxy::{clock::Clock as _, service::gate::Closed};
use serde_json::json;
use wire::AttemptStatus;

use super::rig::{GOOD, Rig};

const DAY: i64 = 86_400;

/// Reports a payment as Dodo does.
async fn report(rig: &Rig, id: &str, payment: &PaymentId) {
    let mut told = rig.dodo.payment(payment.as_str()).await.unwrap();
    told["payload_type"] = "Payment".into();
    rig.deliver(id, "payment.succeeded", &told).await.unwrap();
}

#[tokio::test]
async fn a_charge_that_has_gone_is_not_written_again() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let taken = rig.accept(&shown, "key-1").await.unwrap();
    let taken = rig.until_settled(&shown.session, taken).await;
    assert_eq!(taken.status, Some(AttemptStatus::Succeeded));
    let payment = rig.payment_of(&taken).await;
    let id = taken.attempt_id.clone().unwrap();
    let begun = rig.store.attempt_by_id(&id).await.unwrap().unwrap().created_at;

    rig.store.beat(rig.clock.now()).await.unwrap();
    for (days, purged) in [(0, 0), (729, 0), (2, 1), (1, 0)] {
        rig.clock.advance(days * DAY);
        assert_eq!(rig.workers.retaining.pass().await.unwrap().charges, purged, "{days} more days");
    }
    assert_eq!(rig.store.attempt_by_id(&id).await.unwrap(), None);
    assert!(
        !rig.store.inspect().await.unwrap().has_lost_commits(),
        "the last attempt that was sent is the one that went"
    );
    let history = rig.store.offers_of(&shown.offer.customer_id).await.unwrap();
    assert!(history.is_empty(), "its offer has gone with it: {history:?}");

    // Its payment is reported and listed again: with a code of this store, and of an attempt that nobody knows.
    report(&rig, "msg_again", &payment).await;
    assert!(rig.charging.gate().is_open());
    rig.workers.restoring.until_done(Closed::WentBack(Some(begun))).await;
    assert_eq!(rig.store.attempt_by_id(&id).await.unwrap(), None, "not written anew");
    let refund = json!({
        "payload_type": "Refund", "refund_id": "ref_late", "payment_id": payment.as_str(), "status": "succeeded",
        "amount": 100, "currency": "USD", "created_at": "2026-01-01T00:00:00Z", "business_id": "bus_sim",
        "is_partial": true, "customer": {"customer_id": "cus_x", "email": "a@b.example", "name": "A"}, "metadata": {},
    });
    rig.deliver("msg_refund", "refund.succeeded", &refund).await.unwrap();
    assert!(rig.store.sale(&payment).await.unwrap().is_none());

    // Once age tells as much, the tombstones go too, and it is still no loss.
    rig.clock.advance(60 * DAY);
    rig.workers.retaining.pass().await.unwrap();
    let let_go = rig.store.let_go(Some(&id), &payment, &shown.offer.customer_id).await.unwrap();
    assert!(!let_go.has_tombstone);
    report(&rig, "msg_later", &payment).await;
    assert!(rig.charging.gate().is_open());
    rig.workers.restoring.until_done(Closed::WentBack(Some(begun))).await;
    assert_eq!(rig.store.attempt_by_id(&id).await.unwrap(), None);
}

/// What nobody has decided stays, however old it is.
#[tokio::test]
async fn what_is_undecided_is_kept() {
    let rig = Rig::start().await;
    let shown = rig.shown(None).await;
    let taken = rig.accept(&shown, "key-1").await.unwrap();
    assert_eq!(taken.status, Some(AttemptStatus::CheckoutRequired));
    rig.clock.advance(2_000 * DAY);
    assert_eq!(rig.workers.retaining.pass().await.unwrap().charges, 0);
    assert!(rig.store.attempt_by_id(taken.attempt_id.as_ref().unwrap()).await.unwrap().is_some());
}
