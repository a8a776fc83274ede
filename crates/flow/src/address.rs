//! Which addresses from the backend the page may be sent to.

/// Whether the widget may navigate to this address: https, or http on this very machine for development.
/// No user name in front of the host, no blanks, no backslashes: nothing that a reader could mistake for another host.
#[must_use]
pub fn may_go_to(url: &str) -> bool {
    let (rest, secure) = if let Some(rest) = url.strip_prefix("https://") {
        (rest, true)
    } else if let Some(rest) = url.strip_prefix("http://") {
        (rest, false)
    } else {
        return false;
    };
    if url.bytes().any(|b| b <= b' ' || b == b'\\' || b == 0x7f) {
        return false;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return false;
    }
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    !host.is_empty() && (secure || matches!(host, "localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::may_go_to;

    #[test]
    fn https_anywhere_and_http_at_home() {
        for good in [
            "https://checkout.dodopayments.com/session/cks_1",
            "https://shop.test:8443/?a=b#c",
            "http://localhost:4000/pay",
            "http://127.0.0.1/pay",
            "http://[::1]:80/",
        ] {
            assert!(may_go_to(good), "{good}");
        }
        for bad in [
            "",
            "https://",
            "https:///x",
            "http://shop.test/pay",
            "http://localhost.evil.test/",
            "http://localhost@evil.test/",
            "https://bank.test@evil.test/",
            "javascript:alert(1)",
            "data:text/html,x",
            "//shop.test/",
            "/pay",
            " https://shop.test/",
            "https://shop.test\\@evil.test/",
            "https://shop.test/\n",
            "HTTPS://shop.test/",
        ] {
            assert!(!may_go_to(bad), "{bad}");
        }
    }
}
