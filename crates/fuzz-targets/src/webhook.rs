//! Deliveries to `POST /webhooks/dodo`.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::STANDARD};
use dodo_client::webhook::{Event, EventObject};
use hmac::{Hmac, KeyInit, Mac};
use proxy::{
    http::auth::only,
    webhook_signature::{SignatureError, SignedHeaders, TOLERANCE, WebhookKey, sign, verify},
};
use serde_json::Value;
use sha2::Sha256;

use crate::{Reached, dodo, message::Message};

/// The time of the proxy's clock; seeds are signed at it.
pub const NOW: i64 = 1_768_521_600;

/// The keys in force: two, as while one takes the other's place.
const IN_FORCE: [&str; 2] =
    ["whsec_ZG9kby1zaW0tdGVzdC1zZWNyZXQtMDEyMzQ1Njc4OSE=", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"];
/// A key of somebody else's.
const FOREIGN: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

static KEYS: LazyLock<Vec<WebhookKey>> = LazyLock::new(|| read_keys(&IN_FORCE));
static FOREIGN_KEYS: LazyLock<Vec<WebhookKey>> = LazyLock::new(|| read_keys(&[FOREIGN]));

fn read_keys(texts: &[&str]) -> Vec<WebhookKey> {
    let keys: Vec<_> = texts.iter().filter_map(|text| WebhookKey::parse(text).ok()).collect();
    assert_eq!(keys.len(), texts.len(), "a key of this file is none");
    keys
}

/// Verifies the message as it came, then one that is signed here with each thing about it spoiled, then reads the body.
pub fn webhook(data: &[u8]) -> Reached {
    let Message { headers, body } = Message::read(data);
    let headers = SignedHeaders {
        id: only(&headers, "webhook-id"),
        timestamp: only(&headers, "webhook-timestamp"),
        signature: only(&headers, "webhook-signature"),
    };
    let mut reached = Reached::new();
    reached.insert(as_it_came(headers, body));
    signed_here(headers.id, body);
    reached.insert(meaning(body));
    reached
}

/// Whatever is accepted carries a signature that only a holder of a key can have made.
fn as_it_came(headers: SignedHeaders<'_>, body: &[u8]) -> &'static str {
    assert!(verify(&[], headers, body, NOW).is_err(), "accepted without a key");
    for nothing in [None, Some(""), Some("v1,"), Some("v1, v1,")] {
        let unsigned = SignedHeaders { signature: nothing, ..headers };
        assert!(verify(&KEYS, unsigned, body, NOW).is_err(), "accepted with the signature {nothing:?}");
    }
    if verify(&KEYS, headers, body, NOW).is_err() {
        return "refused";
    }
    let SignedHeaders { id: Some(id), timestamp: Some(timestamp), signature: Some(signature) } = headers
    else {
        assert!(headers.signature.is_none(), "accepted with a header missing");
        return "refused";
    };
    let made = IN_FORCE.map(|key| format!("v1,{}", signature_of(key, id, timestamp, body)));
    assert!(
        signature.split(' ').any(|one| made.iter().any(|made| made == one)),
        "accepted without a signature"
    );
    let sent: Option<i64> = timestamp.parse().ok();
    assert!(sent.is_some_and(|sent| sent.abs_diff(NOW) <= TOLERANCE), "accepted at the wrong time");
    "accepted"
}

/// The scheme once more, from its specification: what the product verifies and this agrees on is no shared mistake.
fn signature_of(key: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    let key = STANDARD.decode(key.trim_start_matches("whsec_")).unwrap_or_default();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return String::new() };
    mac.update(&[id.as_bytes(), timestamp.as_bytes(), body].join(&b'.'));
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A message signed here is accepted, and with any one thing about it changed it is not.
fn signed_here(id: Option<&str>, body: &[u8]) {
    let id = id.filter(|id| !id.is_empty() && !id.contains('.')).unwrap_or("msg_1");
    let timestamp = NOW.to_string();
    let signature = sign(&KEYS[..1], id, NOW, body);
    let genuine = SignedHeaders { id: Some(id), timestamp: Some(&timestamp), signature: Some(&signature) };
    assert_eq!(verify(&KEYS, genuine, body, NOW), Ok(()), "a genuine one is refused");

    let tolerance = i64::try_from(TOLERANCE).unwrap_or(i64::MAX);
    assert_eq!(verify(&KEYS, genuine, body, NOW + tolerance + 1), Err(SignatureError::TooOld));
    assert_eq!(verify(&KEYS, genuine, body, NOW - tolerance - 1), Err(SignatureError::TooNew));
    assert!(verify(&FOREIGN_KEYS, genuine, body, NOW).is_err(), "accepted with another key");

    let longer = [body, b" "].concat();
    let mut spoiled = body.to_vec();
    // Which byte, the input says, so that over many inputs it is each.
    let at = body.iter().fold(body.len(), |sum, byte| sum.wrapping_add(usize::from(*byte)));
    if let Some(place) = at.checked_rem(body.len()) {
        spoiled[place] ^= 1 << (at % 8);
    } else {
        spoiled.push(0);
    }
    for other in [&longer, &spoiled] {
        assert!(verify(&KEYS, genuine, other, NOW).is_err(), "accepted with another body");
    }
    let (other_id, later) = (format!("{id}x"), (NOW + 1).to_string());
    let foreign = sign(&FOREIGN_KEYS, id, NOW, body);
    let (cut, version) = (&signature[..signature.len() - 1], signature.replace("v1,", "v2,"));
    for spoiled in [
        SignedHeaders { id: Some(&other_id), ..genuine },
        SignedHeaders { id: None, ..genuine },
        SignedHeaders { timestamp: Some(&later), ..genuine },
        SignedHeaders { timestamp: None, ..genuine },
        SignedHeaders { signature: Some(&foreign), ..genuine },
        SignedHeaders { signature: Some(cut), ..genuine },
        SignedHeaders { signature: Some(&version), ..genuine },
    ] {
        assert!(verify(&KEYS, spoiled, body, NOW).is_err(), "accepted: {spoiled:?}");
    }
}

/// What was signed is read as it stands there, or not at all.
fn meaning(body: &[u8]) -> &'static str {
    let Ok(event) = Event::read(body) else { return "unreadable" };
    // Numbers beyond every range can stand where nothing is read.
    let Ok(json) = serde_json::from_slice::<Value>(body) else { return "strange" };
    if !json.is_object() {
        return "strange";
    }
    assert_eq!(Some(event.kind.as_str()), json["type"].as_str());
    assert_eq!(event.business_id, json["business_id"].as_str().unwrap_or_default());
    let data = &json["data"];
    if !dodo::is_plain(data) {
        return "strange";
    }
    match &event.object {
        EventObject::Payment(payment) => dodo::payment(payment, data),
        EventObject::Subscription(subscription) => dodo::subscription(subscription, data),
        EventObject::Refund(refund) => dodo::refund(refund, data),
        EventObject::Dispute(dispute) => dodo::dispute(dispute, data),
        EventObject::Other => "other",
    }
}
