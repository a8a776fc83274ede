//! New identifiers and secrets.
//!
//! Identifiers are UUIDs of version 7 behind a prefix: they sort by time, which keeps the store's indexes compact.
//! They are names, not secrets. Tokens are 256 random bits, kept by their hash only.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use upsell_core::domain::TokenHash;
use uuid::Uuid;
use wire::{AttemptId, IdError, OfferId, QuoteId};

fn fresh(prefix: &str) -> String {
    format!("{prefix}_{}", Uuid::now_v7().simple())
}

/// A new offer's id.
///
/// # Errors
/// Never in practice: the text is well-formed by construction.
pub fn offer_id() -> Result<OfferId, IdError> {
    OfferId::parse(fresh("of"))
}

/// A new quote's id.
///
/// # Errors
/// Never in practice: the text is well-formed by construction.
pub fn quote_id() -> Result<QuoteId, IdError> {
    QuoteId::parse(fresh("qt"))
}

/// A new attempt's id.
///
/// # Errors
/// Never in practice: the text is well-formed by construction.
pub fn attempt_id() -> Result<AttemptId, IdError> {
    AttemptId::parse(fresh("at"))
}

/// A new reported event's id.
#[must_use]
pub fn event_id() -> String {
    fresh("ev")
}

/// A name for one opening of a store by one process.
#[must_use]
pub fn instance() -> String {
    fresh("px")
}

/// A name for a store, made with it.
#[must_use]
pub fn store_name() -> String {
    fresh("st")
}

/// A new bearer token or nonce: 256 random bits, as text that may stand in a header or a fragment.
#[must_use]
pub fn token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What is stored in a token's place.
#[must_use]
pub fn token_hash(token: &str) -> TokenHash {
    TokenHash(Sha256::digest(token.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_well_formed_and_differ() {
        let ids: HashSet<_> = (0..1000).map(|_| attempt_id().unwrap()).collect();
        assert_eq!(ids.len(), 1000);
    }

    #[test]
    fn tokens_have_256_bits_and_differ() {
        let tokens: HashSet<_> = (0..1000).map(|_| token()).collect();
        assert_eq!(tokens.len(), 1000);
        assert!(tokens.iter().all(|token| URL_SAFE_NO_PAD.decode(token).unwrap().len() == 32));
    }

    #[test]
    fn a_token_is_stored_as_its_sha_256() {
        // The hash of the three bytes `abc`, from the standard (FIPS 180-4).
        let expected = [
            0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
            0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
        ];
        assert_eq!(token_hash("abc").0, expected);
    }
}
