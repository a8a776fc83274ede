//! Credentials in headers, and addresses that buyers and browsers are sent to.

use flow::may_go_to;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use proxy::{
    http::auth::{bearer, idempotency_key},
    ids::token_hash,
    settings::{Origin, notify_url, public_url, return_url},
};
use url::{Host, Url};

use crate::{Reached, message::Message};

/// Reads the message's credentials, and each line of its body as an address.
pub fn token(data: &[u8]) -> Reached {
    let Message { headers, body } = Message::read(data);
    let mut reached = Reached::new();
    reached.extend(session_token(&headers));
    reached.extend(key(&headers));
    for line in String::from_utf8_lossy(body).split('\n').take(16) {
        reached.extend(configured(line));
        reached.extend(navigated_to(line));
    }
    reached
}

/// There is one token or none; it is the whole of what follows `Bearer`; and any other has another hash.
fn session_token(headers: &HeaderMap) -> Option<&'static str> {
    let token = bearer(headers)?;
    assert_eq!(headers.get_all(header::AUTHORIZATION).iter().count(), 1, "one of several credentials");
    assert!(!token.is_empty() && token.len() <= 256 && token == token.trim());
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let scheme = sent.strip_suffix(token).unwrap_or_default();
    assert!(scheme.trim().eq_ignore_ascii_case("bearer"), "{sent:?} was read as {token:?}");

    let plain = with(header::AUTHORIZATION, &format!("Bearer {token}"));
    assert_eq!(bearer(&plain), Some(token), "the same token, sent plainly");
    let hash = token_hash(token);
    assert_eq!(hash, token_hash(token));
    assert_ne!(hash, token_hash(&format!("{token}=")));
    assert_ne!(hash, token_hash(&token[..token.len() - 1]));
    Some("token")
}

/// Quoted and bare the key is the same, and nothing is a key that could not be one on the wire.
fn key(headers: &HeaderMap) -> Option<&'static str> {
    let key = idempotency_key(headers)?;
    let text = key.as_str();
    assert!((1..=64).contains(&text.len()));
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'));
    let name = HeaderName::from_static("idempotency-key");
    assert_eq!(headers.get_all(&name).iter().count(), 1, "one of several keys");
    for form in [text.to_owned(), format!("\"{text}\""), format!(" {text}\t")] {
        assert_eq!(idempotency_key(&with(name.clone(), &form)).as_ref(), Some(&key), "{form:?}");
    }
    Some("key")
}

fn with(name: HeaderName, value: &str) -> HeaderMap {
    HeaderValue::from_str(value).map(|value| (name, value)).into_iter().collect()
}

/// What settings take for an address is one for every reader: safe, and written the same when it is read again.
fn configured(text: &str) -> Option<&'static str> {
    assert_eq!(return_url(text).map_err(|error| error.to_string()), {
        notify_url(text).map(String::from).map_err(|error| error.to_string())
    });
    if let Ok(origin) = Origin::parse(text) {
        assert_eq!(Origin::parse(origin.as_str()).as_ref(), Ok(&origin));
        assert_eq!(origin.as_str().matches('/').count(), 2, "{origin} is more than an origin");
        assert!(public_url(text, true).is_err() || origin.as_str().starts_with("https://"));
    }
    let url = return_url(text).ok()?;
    assert_eq!(return_url(&url).as_ref(), Ok(&url));
    assert!(!url.contains('#'), "{url}");
    safe(&url);
    if url.starts_with("https://") {
        assert!(may_go_to(&url), "a buyer could not come back to {url}");
    }
    Some("return address")
}

/// Where the widget goes, a browser goes by the same scheme, without anybody's password, and to nobody else's machine
/// without TLS.
fn navigated_to(text: &str) -> Option<&'static str> {
    if !may_go_to(text) {
        return None;
    }
    // What no browser can read leads nowhere.
    Url::parse(text).ok()?;
    safe(text);
    Some("address")
}

fn safe(address: &str) {
    let parsed = Url::parse(address);
    assert!(parsed.is_ok(), "{address} is no address");
    let Ok(url) = parsed else { return };
    assert!(url.username().is_empty() && url.password().is_none(), "{address} has credentials");
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let secure = url.scheme() == "https" && url.host().is_some();
    assert!(secure || (url.scheme() == "http" && local), "{address} is not safe");
}
