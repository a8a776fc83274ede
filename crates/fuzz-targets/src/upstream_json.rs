//! Answers of Dodo's.

use std::fmt::Debug;

use dodo_client::{
    ApiError, ChargeEvidence, DecodeError, ErrorBody, RateLimit, Readable,
    types::{
        catalogue::{Addon, Product},
        checkouts::{CheckoutPreview, CheckoutSession, CheckoutStatus},
        customers::{Customer, PaymentMethod, PortalSession},
        disputes::Dispute,
        payments::{LineItems, Payment, PaymentSummary},
        plan_preview::PlanChangePreview,
        refunds::Refund,
        subscriptions::{PaymentLink, Subscription, SubscriptionSummary},
        webhooks::WebhookEndpoint,
    },
    webhook::{Event, EventObject},
};
use serde_json::Value;
use upsell_core::policy::classify::{Class, classify};

use crate::{Reached, dodo};

/// The longest text of an error that is kept, in bytes.
const MAX_TEXT: usize = 500;

/// Reads the bytes as each kind of answer there is, and as the answer to a charge.
pub fn upstream_json(data: &[u8]) -> Reached {
    let mut answer = Answer { data, json: serde_json::from_slice(data).ok(), reached: Reached::new() };
    answer.read::<Payment>(dodo::payment);
    answer.read::<PaymentSummary>(dodo::summary);
    answer.read::<Subscription>(dodo::subscription);
    answer.read::<Refund>(dodo::refund);
    answer.read::<Dispute>(dodo::dispute);
    answer.read::<PaymentMethod>(dodo::payment_method);
    answer.read::<CheckoutPreview>(dodo::checkout_preview);
    answer.read::<PlanChangePreview>(dodo::plan_preview);
    answer.read::<Product>(dodo::product);
    answer.read::<SubscriptionSummary>(|_, _| "listed subscription");
    answer.read::<CheckoutSession>(|_, _| "checkout session");
    answer.read::<CheckoutStatus>(|_, _| "checkout status");
    answer.read::<PaymentLink>(|_, _| "payment link");
    answer.read::<LineItems>(|_, _| "line items");
    answer.read::<Addon>(|_, _| "add-on");
    answer.read::<Customer>(|_, _| "customer");
    answer.read::<PortalSession>(|_, _| "portal session");
    answer.read::<WebhookEndpoint>(|_, _| "webhook endpoint");
    answer.as_webhooks();
    charged::<CheckoutSession>(data);
    charged::<PaymentLink>(data);
    charged::<Refund>(data);
    answer.reached.insert(refused(data));
    answer.reached
}

struct Answer<'a> {
    data: &'a [u8],
    /// `None` where it is no JSON, or holds numbers beyond every range where nothing is read.
    json: Option<Value>,
    reached: Reached,
}

impl Answer<'_> {
    /// Reads it as one kind of answer. What is read from bytes is read alike from a value, as within a webhook.
    fn read<T: Readable + PartialEq + Debug>(&mut self, judge: fn(&T, &Value) -> &'static str) {
        let read = match DecodeError::read::<T>(self.data) {
            Ok(read) => read,
            Err(DecodeError::NotJson) => return,
            Err(DecodeError::Shape { path }) => return assert!(path.len() <= MAX_TEXT),
        };
        let Some(json) = &self.json else { return };
        let again = serde_json::from_value::<T>(json.clone()).ok();
        // Where fields were left out, there is nothing to compare with.
        if let Some(again) = again {
            assert_eq!(again, read, "read otherwise from a value");
        }
        if dodo::is_plain(json) {
            self.reached.insert(judge(&read, json));
        }
    }

    /// What a webhook says of an object is what asking for it says.
    fn as_webhooks(&self) {
        for kind in ["payment.succeeded", "subscription.active", "refund.succeeded", "dispute.opened"] {
            let body = [br#"{"type":""#, kind.as_bytes(), br#"","data":"#, self.data, b"}"].concat();
            let Ok(json) = serde_json::from_slice::<Value>(&body) else { return };
            // Then the data says what it is.
            if !json["data"]["payload_type"].is_null() {
                return;
            }
            let told = Event::read(&body).map(|event| event.object);
            let asked = match kind.split('.').next() {
                Some("payment") => self.asked(EventObject::Payment),
                Some("subscription") => self.asked(EventObject::Subscription),
                Some("refund") => self.asked(EventObject::Refund),
                _ => self.asked(EventObject::Dispute),
            };
            assert!(asked.is_none() || asked == told.ok(), "a webhook tells something else: {asked:?}");
        }
    }

    fn asked<T: Readable>(&self, object: fn(Box<T>) -> EventObject) -> Option<EventObject> {
        DecodeError::read::<T>(self.data).ok().map(Box::new).map(object)
    }
}

/// A 2xx to a charge is taken on when it is read, and proves nothing at all when it is not.
fn charged<T: Readable>(data: &[u8]) {
    let evidence = match DecodeError::read::<T>(data) {
        Ok(reply) => ChargeEvidence::Accepted { status: 200, reply },
        Err(reason) => ChargeEvidence::Undecodable { status: 200, reason },
    };
    let read = matches!(evidence, ChargeEvidence::Accepted { .. });
    let class = classify(&evidence);
    assert_eq!(matches!(class, Class::Accepted(_)), read);
    assert_eq!(matches!(class, Class::Unknown), !read, "a 2xx proves nothing");
}

/// An error answer proves that nothing was charged only in Dodo's own form, and never with a status that may follow a
/// charge.
fn refused(data: &[u8]) -> &'static str {
    let body = ErrorBody::read(data);
    let (texts, name) = match &body {
        ErrorBody::Parsed { code, message } => ([code.as_deref(), message.as_deref()], "refusal"),
        ErrorBody::Text(text) => ([Some(text.as_str()), None], "foreign error"),
        ErrorBody::Empty => ([None, None], "empty error"),
    };
    assert!(texts.into_iter().flatten().all(|text| text.len() <= MAX_TEXT), "the error's text is kept whole");
    for status in [301, 400, 401, 402, 404, 408, 409, 418, 422, 429, 500, 502, 503, 504] {
        let definite = matches!(body, ErrorBody::Parsed { .. }) && [400, 401, 404, 422].contains(&status);
        let rate_limit = RateLimit::default();
        let error = ApiError { status, body: body.clone(), retry_after: None, rate_limit };
        let evidence = ChargeEvidence::<()>::Refused(Box::new(error));
        let class = classify(&evidence);
        assert_eq!(matches!(class, Class::Rejected(_)), definite, "{status}");
        assert_eq!(matches!(class, Class::Unknown), !definite, "{status}");
    }
    name
}
