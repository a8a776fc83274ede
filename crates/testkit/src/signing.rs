//! Signing webhooks as Dodo does: an implementation of its own of the Standard Webhooks scheme. What it signs and the
//! product verifies agrees because both follow the specification.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Returns the base64 of the HMAC over the parts, joined by dots.
#[must_use]
pub fn sign(key: &[u8], parts: &[&[u8]]) -> String {
    // A key of any length is taken: forgers use the empty one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(&parts.join(&b'.'));
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Returns the bytes of a key in the form in which the dashboard shows it.
#[must_use]
pub fn key_bytes(key: &str) -> Vec<u8> {
    STANDARD.decode(key.trim_start_matches("whsec_")).unwrap_or_default()
}
