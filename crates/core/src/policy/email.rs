//! The keyed hashes by which a person is recognised: under a second customer id, and after everything else about them has gone.
//! Both use one key, which is made with the store and never changes.
//!
//! An address is normalised before it is hashed: surrounding white space is left out, and all letters become lower case.
//! Dots and `+` suffixes stay, because what they mean is the mail server's business: two mailboxes must never become one
//! person. Text without exactly one `@` between two non-empty parts, or over 254 bytes, is not an address.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use dodo_client::ids::CustomerId;

use crate::domain::{CustomerHash, EmailHash, HASHED};

/// Most bytes of an address (RFC 5321).
const MAX_BYTES: usize = 254;

/// Returns the address as it is hashed; `None` where the text is not an address.
#[must_use]
pub fn normalised(address: &str) -> Option<String> {
    let address = address.trim().to_lowercase();
    let (local, domain) = address.split_once('@')?;
    let is_whole = !local.is_empty() && !domain.is_empty() && !domain.contains('@');
    (is_whole && address.len() <= MAX_BYTES).then_some(address)
}

/// Returns the keyed hash (HMAC-SHA256) of an address; `None` where the text is not an address.
#[must_use]
pub fn hash(key: &SecretString, address: &str) -> Option<EmailHash> {
    let address = normalised(address)?;
    Some(EmailHash(keyed(key, b"email\0", &address)))
}

/// Returns the keyed hash (HMAC-SHA256) of a customer id.
#[must_use]
pub fn hash_customer(key: &SecretString, customer: &CustomerId) -> CustomerHash {
    CustomerHash(format!("{HASHED}{}", keyed(key, b"customer\0", customer.as_str())))
}

fn keyed(key: &SecretString, what: &[u8], text: &str) -> String {
    // HMAC takes keys of any length, so there is no error to meet.
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes())
        .unwrap_or_else(|_| Hmac::new(&Default::default()));
    mac.update(what);
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash_of(address: &str) -> Option<EmailHash> {
        hash(&SecretString::from("a secret of the store"), address)
    }

    #[test]
    fn one_mailbox_has_one_hash_and_two_have_two() {
        let ann = hash_of("ann@shop.example").unwrap();
        assert_eq!(ann.0.len(), 64);
        for same in ["Ann@Shop.Example", "  ann@shop.example\n"] {
            assert_eq!(hash_of(same).as_ref(), Some(&ann), "{same:?}");
        }
        for other in ["an.n@shop.example", "ann+2@shop.example", "ann@shop.example.", "ann@shop2.example"] {
            assert_ne!(hash_of(other).as_ref(), Some(&ann), "{other:?}");
        }
        assert_ne!(hash(&SecretString::from("another"), "ann@shop.example"), Some(ann));
    }

    #[test]
    fn customers_and_addresses_have_hashes_of_their_own() {
        let key = SecretString::from("a secret of the store");
        let of = |key: &SecretString, id: &str| hash_customer(key, &CustomerId::parse(id).unwrap());
        let ann = of(&key, "cus_1");
        assert!(ann.0.strip_prefix(HASHED).is_some_and(|digits| digits.len() == 64), "{ann:?}");
        assert_eq!(ann, of(&key, "cus_1"));
        assert_ne!(ann, of(&key, "cus_2"));
        assert_ne!(ann, of(&SecretString::from("another"), "cus_1"));
        assert_ne!(keyed(&key, b"email\0", "cus_1"), keyed(&key, b"customer\0", "cus_1"));
    }

    #[test]
    fn what_is_not_an_address_has_no_hash() {
        let long = format!("{}@shop.example", "a".repeat(250));
        for text in ["", " ", "ann", "@", "ann@", "@shop.example", "a@b@c", long.as_str()] {
            assert_eq!(hash_of(text), None, "{text:?}");
        }
    }
}
