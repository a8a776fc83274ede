//! Webhook bodies.

use super::{payment, subscription};
use crate::engine::event::{EventType, Subject};
use crate::engine::world::World;
use crate::model::rfc3339;
use serde_json::{Value, json};
use time::OffsetDateTime;

/// The `data` of an event, as its object is now.
pub(crate) fn data(world: &World, kind: EventType, subject: &Subject) -> Value {
    let (payload_type, object) = match subject {
        Subject::Payment { payment_id } => {
            ("Payment", world.payments.get(payment_id).map(|found| payment::payment(world, found)))
        }
        Subject::Refund { refund_id } => {
            ("Refund", world.refunds.get(refund_id).map(|found| payment::refund(world, found)))
        }
        Subject::Subscription { subscription_id } => (
            "Subscription",
            world.subscriptions.get(subscription_id).map(|found| {
                let mut object = subscription::subscription(world, found);
                let renewal = (kind == EventType::SubscriptionRenewed).then_some(&found.renewal_payment_id);
                object["payment_id"] = json!(renewal.cloned().flatten());
                object["past_due_ends_at"] = Value::Null;
                object
            }),
        ),
    };
    let mut object = object.unwrap_or_else(|| json!({}));
    object["payload_type"] = json!(payload_type);
    object
}

/// The whole body.
pub(crate) fn envelope(world: &World, kind: EventType, at: OffsetDateTime, data: &Value) -> Value {
    json!({
        "business_id": world.business_id,
        "type": kind,
        "timestamp": rfc3339(at),
        "data": data,
    })
}
