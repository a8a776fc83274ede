//! The secret by which a browser is known to be the one that a session token belongs to.
//!
//! The page makes it up, keeps it in the `localStorage` of its origin, and sends it with each token. Where nothing can be stored it
//! is kept in memory and begins with [`PAGE_PREFIX`], so that the proxy does not take a reload for another buyer's browser.

/// Name of the request header that carries the secret. Sent with a token only.
pub const BROWSER_HEADER: &str = "upsell-browser";

/// Beginning of a secret that lasts as long as its page.
pub const PAGE_PREFIX: &str = "page-";

/// Says whether a text is long enough for a secret, and of characters that may stand in a header: 32 to 128 of `[A-Za-z0-9_-]`.
#[must_use]
pub fn is_browser_secret(text: &str) -> bool {
    (32..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
