//! Addresses from the configuration: origins, the proxy's own address, where buyers return to.
//!
//! Buyers are sent to these, and browsers are let in by them, so they are parsed strictly.

use std::fmt;

use url::{Host, Url};

/// Why an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a URL.
    #[error("is not a URL")]
    NotAUrl,
    /// Neither https nor this very machine.
    #[error("must be https (http is allowed for localhost)")]
    NotHttps,
    /// Somebody's name and password are in it.
    #[error("must not carry a user name or a password")]
    Credentials,
    /// White space, a backslash or a control character.
    #[error("holds a character that does not belong in an address")]
    Character,
    /// A pattern. Browsers name one host, and only that is compared.
    #[error("must name one host: there are no wildcards, so list each address")]
    Wildcard,
    /// A dot behind the host, which browsers take for another host.
    #[error("must not have a dot behind the host")]
    TrailingDot,
    /// More than scheme, host and port.
    #[error("must be an origin: scheme, host and port, nothing behind it")]
    NotAnOrigin,
    /// A fragment would be lost, or mixed up with ours.
    #[error("must not carry a fragment")]
    Fragment,
}

/// Scheme, host and port, as browsers write it in the `Origin` header.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// Takes an origin such as `https://shop.example`.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = strict(text)?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::NotAnOrigin);
        }
        Ok(Self(url.origin().ascii_serialization()))
    }

    /// The origin of a socket on this machine, for development.
    #[must_use]
    pub fn of_listener(address: std::net::SocketAddr) -> Self {
        Self(format!("http://{address}"))
    }

    /// As browsers write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The proxy's own address: an origin; in live mode https without exception.
///
/// # Errors
/// See [`AddressError`].
pub fn public_url(text: &str, live: bool) -> Result<Origin, AddressError> {
    let origin = Origin::parse(text)?;
    if live && !origin.as_str().starts_with("https://") {
        return Err(AddressError::NotHttps);
    }
    Ok(origin)
}

/// Where buyers come back to from Dodo's pages. It may have a path and a query.
///
/// # Errors
/// See [`AddressError`].
pub fn return_url(text: &str) -> Result<String, AddressError> {
    Ok(without_fragment(text)?.into())
}

/// Where the merchant's system is told the news. It may have a path and a query.
///
/// # Errors
/// See [`AddressError`].
pub fn notify_url(text: &str) -> Result<Url, AddressError> {
    without_fragment(text)
}

fn without_fragment(text: &str) -> Result<Url, AddressError> {
    let url = strict(text)?;
    if url.fragment().is_some() {
        return Err(AddressError::Fragment);
    }
    Ok(url)
}

fn strict(text: &str) -> Result<Url, AddressError> {
    // The URL standard quietly drops or turns round some of these; what is meant and what is used must be the same.
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(AddressError::Character);
    }
    let url = Url::parse(text).map_err(|_| AddressError::NotAUrl)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::Credentials);
    }
    match url.host() {
        Some(Host::Domain(name)) if name.contains('*') => return Err(AddressError::Wildcard),
        Some(Host::Domain(name)) if name.ends_with('.') => return Err(AddressError::TrailingDot),
        _ => {}
    }
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(AddressError::NotAUrl),
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if local => Ok(url),
        _ => Err(AddressError::NotHttps),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        for (text, origin) in [
            ("https://shop.example", "https://shop.example"),
            ("https://shop.example/", "https://shop.example"),
            ("https://SHOP.example:443", "https://shop.example"),
            ("https://shop.example:8443", "https://shop.example:8443"),
            ("http://localhost:4030", "http://localhost:4030"),
            ("http://127.0.0.1:4030", "http://127.0.0.1:4030"),
            ("http://[::1]:4030", "http://[::1]:4030"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().as_str(), origin);
        }
    }

    #[test]
    fn what_is_no_safe_address_is_refused() {
        for (text, error) in [
            ("", AddressError::NotAUrl),
            ("shop.example", AddressError::NotAUrl),
            ("*", AddressError::NotAUrl),
            ("null", AddressError::NotAUrl),
            ("//shop.example", AddressError::NotAUrl),
            ("https://", AddressError::NotAUrl),
            ("http://shop.example", AddressError::NotHttps),
            ("http://localhost.evil.example", AddressError::NotHttps),
            ("javascript:alert(1)", AddressError::NotAUrl),
            ("data:text/html,x", AddressError::NotAUrl),
            ("ftp://shop.example", AddressError::NotHttps),
            ("https://user@shop.example", AddressError::Credentials),
            ("https://:pw@shop.example", AddressError::Credentials),
            ("https://shop.example\\@evil.example", AddressError::Character),
            ("https://*.example.com", AddressError::Wildcard),
            ("https://shop.*", AddressError::Wildcard),
            ("https://*", AddressError::Wildcard),
            ("https://shop.example.", AddressError::TrailingDot),
            ("https://shop.example\n", AddressError::Character),
            (" https://shop.example", AddressError::Character),
        ] {
            assert_eq!(Origin::parse(text).unwrap_err(), error, "{text:?}");
            assert_eq!(return_url(text).unwrap_err(), error, "{text:?}");
            assert_eq!(notify_url(text).unwrap_err(), error, "{text:?}");
        }
        assert_eq!(Origin::parse("https://shop.example//"), Err(AddressError::NotAnOrigin));
        assert_eq!(Origin::parse("https://shop.example/x"), Err(AddressError::NotAnOrigin));
        assert_eq!(Origin::parse("https://shop.example?x"), Err(AddressError::NotAnOrigin));
        assert_eq!(return_url("https://shop.example/#x"), Err(AddressError::Fragment));
        assert_eq!(public_url("http://localhost:1", true), Err(AddressError::NotHttps));
    }

    #[test]
    fn a_return_address_keeps_path_and_query() {
        let url = "https://shop.example/thanks?from=upsell";
        assert_eq!(return_url(url).as_deref(), Ok(url));
    }
}
