//! A webhook as it is delivered, and who may make a genuine one.

use proxy::webhook_signature::{SignedHeaders, TOLERANCE, WebhookKey};

pub(super) use testkit::{key_bytes, sign};

/// The time of every message: that of the scheme's published vector.
pub(super) const NOW: i64 = 1_649_367_553;
/// The key in force, the published vector's.
pub(super) const KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// The key before it, which is in force still.
pub(super) const OLD_KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What comes over the wire. `None` is a header that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) id: Option<String>,
    pub(super) timestamp: Option<String>,
    pub(super) signature: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Message {
    /// A message with a signature.
    pub(super) fn signed(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> Self {
        Self {
            id: Some(id.to_owned()),
            timestamp: Some(timestamp.to_owned()),
            signature: Some(format!("v1,{}", sign(key, &[id.as_bytes(), timestamp.as_bytes(), body]))),
            body: body.to_owned(),
        }
    }

    /// What the product is handed.
    pub(super) fn headers(&self) -> SignedHeaders<'_> {
        SignedHeaders {
            id: self.id.as_deref(),
            timestamp: self.timestamp.as_deref(),
            signature: self.signature.as_deref(),
        }
    }

    /// Whether it is one of `originals` in all that is signed, with its signature among those that it carries, at a time
    /// when that still counts. It says so without any cryptography, from knowing what was ever signed.
    pub(super) fn is_genuine(&self, originals: &[Self], now: i64) -> bool {
        originals.iter().any(|original| {
            let in_time = original.timestamp.as_ref().and_then(|at| at.parse::<i64>().ok());
            let carries = |wanted: &String| {
                self.signature.iter().flat_map(|listed| listed.split(' ')).any(|listed| listed == wanted)
            };
            (&self.id, &self.timestamp, &self.body) == (&original.id, &original.timestamp, &original.body)
                && original.signature.as_ref().is_some_and(carries)
                && in_time.is_some_and(|at| at.abs_diff(now) <= TOLERANCE)
        })
    }
}

/// The keys in force, as the product reads them.
///
/// # Errors
/// When the product refuses them.
pub(super) fn keys() -> anyhow::Result<Vec<WebhookKey>> {
    Ok([KEY, OLD_KEY].map(WebhookKey::parse).into_iter().collect::<Result<_, _>>()?)
}

/// Messages that Dodo signed: what forgers have seen and build upon.
pub(super) fn originals() -> Vec<Message> {
    let now = NOW.to_string();
    let earlier = (NOW - 200).to_string();
    let reference = br#"{"email":"test@example.com","username":"test_user"}"#;
    vec![
        Message::signed(&key_bytes(KEY), "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", &now, reference),
        Message::signed(&key_bytes(KEY), "msg_2xPaymentSucceeded", &now, PAID.as_bytes()),
        Message::signed(&key_bytes(OLD_KEY), "msg_2xOfTheOldKey", &earlier, PAID.as_bytes()),
        Message::signed(&key_bytes(KEY), "msg_2xSubscriptionActive", &earlier, ACTIVE.as_bytes()),
    ]
}

/// A purchase.
pub(super) const PAID: &str = r#"{"business_id":"bus_sim","type":"payment.succeeded","timestamp":"2022-04-07T21:39:13Z","data":{"payload_type":"Payment","payment_id":"pay_genuine","status":"succeeded","currency":"USD","total_amount":4900,"customer":{"customer_id":"cus_genuine","email":"a@example.com","name":"A"},"product_cart":[{"product_id":"prod_starter_course","quantity":1}],"created_at":"2022-04-07T21:39:00Z"}}"#;

/// A kind that the product takes and passes over.
const ACTIVE: &str = r#"{"business_id":"bus_sim","type":"license_key.created","timestamp":"2022-04-07T21:39:13Z","data":{"payload_type":"LicenseKey","id":"lic_1","key":"AAAA-BBBB"}}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_signature_is_the_published_one() {
        let reference = &originals()[0];
        assert_eq!(reference.signature.as_deref(), Some("v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="));
    }

    #[test]
    fn genuine_is_an_original_at_its_time_with_its_signature_among_others() {
        let originals = originals();
        for original in &originals {
            assert!(original.is_genuine(&originals, NOW));
            assert!(!original.is_genuine(&originals, NOW + 301));
            let listed = original.signature.as_ref().map(|own| format!("v1,AAAA {own}"));
            assert!(Message { signature: listed, ..original.clone() }.is_genuine(&originals, NOW));
            assert!(!Message { body: b"{}".to_vec(), ..original.clone() }.is_genuine(&originals, NOW));
            assert!(!Message { id: None, ..original.clone() }.is_genuine(&originals, NOW));
            assert!(!Message { signature: None, ..original.clone() }.is_genuine(&originals, NOW));
        }
    }
}
