//! Idempotency keys.

use wire::IdempotencyKey;

/// A fresh random key of 128 bits, in hexadecimal. Not `crypto.randomUUID`, which is missing on pages without https.
#[must_use]
pub fn fresh_key() -> Option<IdempotencyKey> {
    let mut bytes = [0_u8; 16];
    web_sys::window()?.crypto().ok()?.get_random_values_with_u8_array(&mut bytes).ok()?;
    IdempotencyKey::parse(hex(&bytes)).ok()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_digits_a_byte() {
        assert_eq!(super::hex(&[0, 1, 0xab, 0xff]), "0001abff");
    }
}
