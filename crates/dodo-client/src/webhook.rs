//! The body of a webhook. Its signature is checked by whoever received it, on the raw bytes, before this.
//!
//! `type` says what happened once; `data` is the object as it was when the webhook was *delivered*, which may
//! be later. Trust `data`, or better, look the object up.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    error::DecodeError,
    lenient::{self, Readable},
    types::{disputes::Dispute, payments::Payment, refunds::Refund, subscriptions::Subscription},
};

/// One webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The merchant it is meant for.
    pub business_id: String,
    /// `payment.succeeded`, `subscription.plan_changed`, ...; new ones appear.
    pub kind: String,
    /// The object.
    pub object: EventObject,
}

/// What a webhook is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventObject {
    /// A payment.
    Payment(Box<Payment>),
    /// A subscription.
    Subscription(Box<Subscription>),
    /// A refund.
    Refund(Box<Refund>),
    /// A dispute.
    Dispute(Box<Dispute>),
    /// Anything else; nothing of it is read.
    Other,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    business_id: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    data: Value,
}

impl Event {
    /// Reads a body. Which object it holds is told by `data.payload_type`, or where that is missing by the
    /// part of `type` before the dot.
    ///
    /// # Errors
    /// When it is not an envelope, or not the object that it claims to hold.
    pub fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let envelope: Envelope = DecodeError::read_exactly(body)?;
        let family = envelope
            .data
            .get("payload_type")
            .and_then(Value::as_str)
            .or_else(|| envelope.kind.split('.').next())
            .unwrap_or_default()
            .to_ascii_lowercase();
        let object = match family.as_str() {
            "payment" => EventObject::Payment(read_object(envelope.data)?),
            "subscription" => EventObject::Subscription(read_object(envelope.data)?),
            "refund" => EventObject::Refund(read_object(envelope.data)?),
            "dispute" => EventObject::Dispute(read_object(envelope.data)?),
            _ => EventObject::Other,
        };
        Ok(Self { business_id: envelope.business_id.unwrap_or_default(), kind: envelope.kind, object })
    }
}

fn read_object<T: Readable>(data: Value) -> Result<Box<T>, DecodeError> {
    lenient::from_value(data).map(Box::new).map_err(|error| match error {
        DecodeError::Shape { path } => DecodeError::Shape { path: format!("data.{path}") },
        DecodeError::NotJson => DecodeError::NotJson,
    })
}
