//! Webhook bodies, and bodies that are none.

use dodo_client::{
    error::DecodeError,
    types::disputes::DisputeStatus,
    webhook::{Event, EventObject},
};
use serde_json::{Value, json};

use crate::answers::{payment, subscription};

#[test]
fn webhooks() {
    let event = |kind: &str, data: Value| {
        Event::read(
            json!({"business_id": "bus_1", "type": kind, "timestamp": "2026-01-01T00:00:05Z", "data": data})
                .to_string()
                .as_bytes(),
        )
    };
    let tagged = |mut data: Value, payload_type: &str| {
        data["payload_type"] = payload_type.into();
        data
    };
    let read = event("payment.succeeded", tagged(payment(), "Payment")).unwrap();
    assert_eq!((read.business_id.as_str(), read.kind.as_str()), ("bus_1", "payment.succeeded"));
    assert!(matches!(read.object, EventObject::Payment(payment) if payment.payment_id.as_str() == "pay_1"));
    let read = event("subscription.plan_changed", tagged(subscription(), "Subscription")).unwrap();
    assert!(matches!(read.object, EventObject::Subscription(_)));
    // Without the tag, the type tells.
    assert!(matches!(event("payment.failed", payment()).unwrap().object, EventObject::Payment(_)));
    let dispute = json!({"dispute_id": "dsp_1", "payment_id": "pay_1", "dispute_status": "dispute_opened",
                         "dispute_stage": "dispute", "amount": "1900", "currency": "USD"});
    let EventObject::Dispute(read) = event("dispute.opened", tagged(dispute, "Dispute")).unwrap().object
    else {
        panic!("not a dispute")
    };
    assert_eq!((read.dispute_id.as_str(), &read.dispute_status), ("dsp_1", &DisputeStatus::Opened));
    // What a payment says beside the matter does not make it unreadable.
    let mut refunded = payment();
    refunded["refunds"] =
        json!([{"refund_id": "ref_1", "payment_id": "pay_1", "status": "succeeded"}, {"new": 1}]);
    refunded["disputes"] = json!(null);
    let EventObject::Payment(read) = event("payment.succeeded", refunded).unwrap().object else {
        panic!("not a payment")
    };
    assert_eq!((read.refunds.len(), read.disputes.len()), (1, 0));
    // Unknown families are left alone, whatever they hold.
    assert_eq!(event("novelty", json!(null)).unwrap().object, EventObject::Other);
}

#[test]
fn webhooks_that_are_none() {
    for body in ["", "{", "null", "[]", "{}", r#"{"type":"payment.succeeded"}"#, r#"{"type":7,"data":{}}"#] {
        assert!(Event::read(body.as_bytes()).is_err(), "{body}");
    }
    let lacking = Event::read(br#"{"type":"payment.succeeded","data":{"payment_id":"pay_1"}}"#).unwrap_err();
    assert!(matches!(lacking, DecodeError::Shape { path } if path.starts_with("data")));
    let deep = format!(r#"{{"type":"x.y","data":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert!(Event::read(deep.as_bytes()).is_err());
    let huge = payment().to_string().replace("3270", "92233720368547758080");
    assert!(Event::read(format!(r#"{{"type":"payment.succeeded","data":{huge}}}"#).as_bytes()).is_err());
}
