//! A fingerprint of what the buyer had on the screen when they pressed, kept with the charge. It tells later which words were
//! shown, and in which language; it is no proof against a forger, who could write any hash.

use web_sys::HtmlElement;
use wire::Consent;

/// What is on the screen now.
#[must_use]
pub fn of_screen(screen: &HtmlElement) -> Consent {
    let text = screen.text_content().unwrap_or_default();
    Consent {
        locale: super::screen::language(screen).unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        text_hash: super::ids::hex(&fnv1a(text.as_bytes()).to_be_bytes()),
    }
}

/// FNV-1a, 64 bits.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_published_test_values() {
        assert_eq!(super::fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(super::fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(super::fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
