//! Keys for the code over the pairs that charges carry ([`super::Tags`]): only what a proxy of this merchant wrote has a
//! valid one. A copy of it is worth only what the pairs say.
//!
//! The code stands in the pair `upsell_auth` as `v1.<key id>.<base64url of HMAC-SHA256>`. It covers every pair that
//! anything reads, also those that are absent, each with its length, so that no two sets of pairs have the same encoding.

use std::fmt;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use dodo_client::values::Metadata;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use wire::UnixSeconds;

use super::tags::{AUTH, COVERED};

/// Fewest bytes of a key.
const MIN_KEY: usize = 32;
/// Most characters of a key's id.
const MAX_ID: usize = 16;

/// Begins everything that is signed, so that a code for one purpose is none for another.
const PURPOSE: &[u8] = b"upsell tags v1";
const FINGERPRINT_PURPOSE: &[u8] = b"upsell tags key fingerprint v1";

/// One key. `Debug` does not show it.
#[derive(Clone)]
pub struct TagKey {
    id: String,
    mac: Hmac<Sha256>,
}

/// Why a text is no key. It carries nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TagKeyError {
    /// There is no key.
    #[error("there is no key")]
    Empty,
    /// A key is not an id, a colon and base64.
    #[error("a key is not `id:base64`, with an id of 1 to {MAX_ID} small letters, digits, `_` or `-`")]
    Form,
    /// A key has too few bytes.
    #[error("a key has {0} bytes and needs at least {MIN_KEY}")]
    TooShort(usize),
    /// Two keys have the same id.
    #[error("two keys have the same id")]
    SameId,
}

/// What the store keeps of a key: enough to know it again, and nothing to sign with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprinted {
    /// The key's id.
    pub id: String,
    /// 16 hexadecimal digits.
    pub fingerprint: String,
}

/// A key that the store has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// The key.
    pub key: Fingerprinted,
    /// When charges were first signed with it, or could have been.
    pub seen_at: UnixSeconds,
    /// When somebody said that it may be missing.
    pub retired_at: Option<UnixSeconds>,
}

/// Why a proxy must not run with the keys that it was given: what was signed with others would not be recognised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// A key that charges were signed with is not there.
    #[error(
        "charges were signed with the key `{0}`, which is not given; give it beside the others, or retire it"
    )]
    Missing(String),
    /// Another key has the id of one that charges were signed with.
    #[error("the key `{0}` is not the one that charges were signed with under this id")]
    Changed(String),
}

impl TagKey {
    fn parse(text: &str) -> Result<Self, TagKeyError> {
        let (id, encoded) = text.split_once(':').ok_or(TagKeyError::Form)?;
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(is_plain) {
            return Err(TagKeyError::Form);
        }
        let key = STANDARD.decode(encoded).map_err(|_| TagKeyError::Form)?;
        if key.len() < MIN_KEY {
            return Err(TagKeyError::TooShort(key.len()));
        }
        let mac = Hmac::new_from_slice(&key).map_err(|_| TagKeyError::TooShort(key.len()))?;
        Ok(Self { id: id.to_owned(), mac })
    }

    /// The MAC over every pair that is read, in a fixed order.
    fn over(&self, metadata: &Metadata) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(PURPOSE);
        for key in COVERED {
            match metadata.text(key) {
                None => mac.update(&[0]),
                Some(value) => {
                    mac.update(&[1]);
                    // A value longer than this is refused by Dodo, and never signed by us.
                    mac.update(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
                    mac.update(value.as_bytes());
                }
            }
        }
        mac
    }

    /// Returns what the store keeps of it.
    #[must_use]
    pub fn fingerprinted(&self) -> Fingerprinted {
        let mut mac = self.mac.clone();
        mac.update(FINGERPRINT_PURPOSE);
        let digest = mac.finalize().into_bytes();
        let fingerprint = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Fingerprinted { id: self.id.clone(), fingerprint }
    }
}

impl fmt::Debug for TagKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TagKey({}, redacted)", self.id)
    }
}

/// The keys of a proxy: the first signs, all of them verify.
#[derive(Clone, Debug)]
pub struct TagKeys {
    signs: TagKey,
    others: Vec<TagKey>,
}

impl TagKeys {
    /// Reads keys as `id:base64`, separated by spaces or commas. The first signs.
    ///
    /// # Errors
    /// See [`TagKeyError`].
    pub fn parse(text: &SecretString) -> Result<Self, TagKeyError> {
        let parts = text.expose_secret().split([' ', ',', '\n']).filter(|part| !part.is_empty());
        let mut keys = parts.map(TagKey::parse).collect::<Result<Vec<_>, _>>()?.into_iter();
        let keys = Self { signs: keys.next().ok_or(TagKeyError::Empty)?, others: keys.collect() };
        for (at, key) in keys.all().enumerate() {
            if keys.all().take(at).any(|earlier| earlier.id == key.id) {
                return Err(TagKeyError::SameId);
            }
        }
        Ok(keys)
    }

    /// Returns every key, the one that signs first.
    pub fn all(&self) -> impl Iterator<Item = &TagKey> {
        std::iter::once(&self.signs).chain(&self.others)
    }

    /// Compares these keys with those that the store has seen.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn check(&self, known: &[KnownKey]) -> Result<(), KeysError> {
        let given: Vec<_> = self.all().map(TagKey::fingerprinted).collect();
        for KnownKey { key, retired_at, .. } in known {
            match given.iter().find(|given| given.id == key.id) {
                Some(same) if same.fingerprint == key.fingerprint => {}
                Some(_) => return Err(KeysError::Changed(key.id.clone())),
                None if retired_at.is_some() => {}
                None => return Err(KeysError::Missing(key.id.clone())),
            }
        }
        Ok(())
    }

    pub(super) fn sign(&self, metadata: &Metadata) -> String {
        let code = self.signs.over(metadata).finalize().into_bytes();
        format!("v1.{}.{}", self.signs.id, URL_SAFE_NO_PAD.encode(code))
    }

    /// Says whether one of these keys made the code that stands in this metadata. Compares in constant time.
    pub(super) fn verify(&self, metadata: &Metadata) -> bool {
        let Some((id, code)) = metadata
            .text(AUTH)
            .and_then(|auth| auth.strip_prefix("v1."))
            .and_then(|rest| rest.split_once('.'))
        else {
            return false;
        };
        let (Some(key), Ok(code)) = (self.all().find(|key| key.id == id), URL_SAFE_NO_PAD.decode(code))
        else {
            return false;
        };
        key.over(metadata).verify_slice(&code).is_ok()
    }

    /// Returns keys for tests.
    #[cfg(any(test, feature = "fixtures"))]
    #[allow(clippy::unwrap_used, reason = "for tests")]
    #[must_use]
    pub fn example() -> Self {
        let key = STANDARD.encode([7; MIN_KEY]);
        Self::parse(&SecretString::from(format!("k1:{key}"))).unwrap()
    }
}
