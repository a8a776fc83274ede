//! Whether a webhook was signed by Dodo, by the Standard Webhooks scheme: HMAC-SHA256 over
//! `id.timestamp.body`, with the body as it came over the wire. And signing in the same way what the merchant's system is
//! told.
//!
//! Pure: no clock, no HTTP types, no allocation that grows with what a stranger sends. It says nothing about
//! what the webhook means, nor whether it came before: the webhook's id and the inbox do that.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// How far a webhook's time may be from ours, in seconds, either way.
pub const TOLERANCE: u64 = 300;

/// The shortest key, in bytes. With a short or empty key anybody could sign.
pub const MIN_KEY: usize = 24;

/// A key that webhooks are signed with. `Debug` does not show it.
#[derive(Clone)]
pub struct WebhookKey(Hmac<Sha256>);

/// Why a text is no key. It carries nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// What follows `whsec_` is not base64.
    #[error("the webhook key is not `whsec_` and base64")]
    Encoding,
    /// Fewer than [`MIN_KEY`] bytes.
    #[error("the webhook key has {0} bytes and needs at least {MIN_KEY}")]
    TooShort(usize),
}

impl WebhookKey {
    /// Reads a key as Dodo's dashboard shows it, `whsec_` and base64.
    ///
    /// # Errors
    /// When it is not that, or shorter than [`MIN_KEY`] bytes.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let encoded = text.trim().strip_prefix("whsec_").ok_or(KeyError::Encoding)?;
        let key = STANDARD.decode(encoded).map_err(|_| KeyError::Encoding)?;
        if key.len() < MIN_KEY {
            return Err(KeyError::TooShort(key.len()));
        }
        Hmac::new_from_slice(&key).map(Self).map_err(|_| KeyError::TooShort(key.len()))
    }

    /// The base64 of the signature, as it stands behind `v1,`.
    fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKey(redacted)")
    }
}

/// The three headers. `None` stands for one that is missing, sent more than once, or not visible ASCII.
#[derive(Debug, Clone, Copy)]
pub struct SignedHeaders<'a> {
    /// `webhook-id`: the same on every delivery of one webhook.
    pub id: Option<&'a str>,
    /// `webhook-timestamp`: Unix seconds.
    pub timestamp: Option<&'a str>,
    /// `webhook-signature`: `v1,<base64>`, several of them separated by spaces while keys are being changed.
    pub signature: Option<&'a str>,
}

/// Why a webhook is refused. For logs and counters; the sender learns only that it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header is missing, doubled or unreadable.
    #[error("the {0} header is missing or unreadable")]
    Header(&'static str),
    /// The id is empty, or holds a dot, which would let two different webhooks share one signature.
    #[error("the webhook's id is malformed")]
    Id,
    /// Not a plain number of seconds.
    #[error("the webhook's time is malformed")]
    Timestamp,
    /// More than [`TOLERANCE`] seconds ago.
    #[error("the webhook is too old")]
    TooOld,
    /// More than [`TOLERANCE`] seconds ahead.
    #[error("the webhook is from the future")]
    TooNew,
    /// No signature of a known version fits any key.
    #[error("no signature fits")]
    Mismatch,
}

/// Checks a webhook against every key that is in force. While a key is being replaced, the old one stays in
/// force for a day.
///
/// `now` is in Unix seconds. `body` is what came over the wire, byte for byte: never what a JSON library
/// made of it.
///
/// # Errors
/// When anything at all is not as it should be; see [`SignatureError`].
pub fn verify(
    keys: &[WebhookKey],
    headers: SignedHeaders<'_>,
    body: &[u8],
    now: i64,
) -> Result<(), SignatureError> {
    let id = headers.id.ok_or(SignatureError::Header("webhook-id"))?;
    let timestamp = headers.timestamp.ok_or(SignatureError::Header("webhook-timestamp"))?;
    let signatures = headers.signature.ok_or(SignatureError::Header("webhook-signature"))?;
    if id.is_empty() || id.contains('.') {
        return Err(SignatureError::Id);
    }
    let sent = seconds(timestamp)?;
    if sent.abs_diff(now) > TOLERANCE {
        return Err(if sent < now { SignatureError::TooOld } else { SignatureError::TooNew });
    }
    // Every key is tried against every signature, so that time tells nothing about which of them fits.
    let mut fits = Choice::from(0);
    for key in keys {
        let expected = key.sign(id, timestamp, body);
        for signature in signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,")) {
            fits |= expected.as_bytes().ct_eq(signature.as_bytes());
        }
    }
    if bool::from(fits) { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// The header `webhook-signature` of what is sent at `timestamp`: one signature for each key, so that the receiver may
/// go from one to another.
#[must_use]
pub fn sign(keys: &[WebhookKey], id: &str, timestamp: i64, body: &[u8]) -> String {
    let timestamp = timestamp.to_string();
    let signatures: Vec<_> =
        keys.iter().map(|key| format!("v1,{}", key.sign(id, &timestamp, body))).collect();
    signatures.join(" ")
}

/// Digits only: no sign, no space, no fraction, nothing that another parser might read differently.
fn seconds(text: &str) -> Result<i64, SignatureError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(SignatureError::Timestamp);
    }
    text.parse().map_err(|_| SignatureError::Timestamp)
}

#[cfg(test)]
mod tests;
