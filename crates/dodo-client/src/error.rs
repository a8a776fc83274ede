//! Why there is no answer, as data. No variant carries the key, a URL or a value out of an answer.

use std::{fmt, time::Duration};

use serde::de::DeserializeOwned;

use crate::lenient::{self, Readable};

/// How much of an error's text is kept, in bytes.
const MAX_TEXT: usize = 500;

/// A read or a write that gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It was not sent: others go first.
    #[error("a request was held back")]
    HeldBack(#[from] HeldBack),
    /// No connection came about, so nothing was sent.
    #[error("Dodo was not reached: {0}")]
    Unsent(#[from] Unsent),
    /// The connection failed after the request may have left.
    #[error("the exchange with Dodo broke: {0}")]
    Transport(#[from] TransportError),
    /// Dodo answered, and not with a 2xx.
    #[error("Dodo answered {0}")]
    Api(#[from] Box<ApiError>),
    /// A 2xx whose body is not what was asked for.
    #[error("Dodo's {status} answer could not be read: {reason}")]
    Undecodable {
        /// The HTTP status.
        status: u16,
        /// Where reading stopped.
        reason: DecodeError,
    },
}

impl Error {
    /// Whether Dodo says that the thing asked for does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Api(error) if error.status == 404)
    }

    /// Whether Dodo has understood the request and refuses it, so that asking again changes nothing. A wrong key (401, 403)
    /// and a full quota (429) are the asker's trouble, not the request's.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Api(error) if matches!(error.status, 400 | 404 | 409 | 410 | 422))
    }
}

/// A request that was not made, since the quota is used up or what is left of it is kept for more important ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the quota at Dodo is used up, or kept for charges")]
pub struct HeldBack {
    /// When it may be made.
    pub retry_after: Duration,
}

/// Why a request provably never left this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// The request could not be put together.
    #[error("the request could not be built")]
    Request,
    /// The name has no address.
    #[error("its name did not resolve")]
    Dns,
    /// Nobody listens there, or the network is unreachable.
    #[error("the connection was refused or is impossible")]
    Connect,
    /// The secure channel could not be agreed on.
    #[error("the TLS handshake failed")]
    Tls,
    /// The time for connecting ran out.
    #[error("connecting took too long")]
    ConnectTimeout,
}

/// How an exchange broke after the request may have left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The time for the request ran out.
    #[error("timed out")]
    Timeout,
    /// The other side tore the connection down.
    #[error("connection reset")]
    Reset,
    /// The connection ended before the answer did.
    #[error("answer cut short")]
    Truncated,
    /// The answer is longer than any that is expected.
    #[error("answer too long")]
    TooLong,
    /// Something that is not HTTP, or a failure of a kind not listed here.
    #[error("protocol failure")]
    Protocol,
}

/// An answer outside 2xx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// What the body said.
    pub body: ErrorBody,
    /// How long Dodo asks to wait.
    pub retry_after: Option<Duration>,
    /// What the rate limit headers said.
    pub rate_limit: RateLimit,
}

impl ApiError {
    /// Dodo's code (`PENDING_PLAN_CHANGE_EXISTS`, ...), when the body had one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match &self.body {
            ErrorBody::Parsed { code, .. } => code.as_deref(),
            ErrorBody::Text(_) | ErrorBody::Empty => None,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if let Some(code) = self.code() {
            write!(f, " {code}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

/// The body of an error answer. Texts are cut at 500 bytes. They address the merchant: log them, show them
/// to no buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorBody {
    /// JSON with a code, a message or both, at the top or under `error`.
    Parsed {
        /// `SCREAMING_SNAKE`.
        code: Option<String>,
        /// For humans.
        message: Option<String>,
    },
    /// Anything else: an error page, JSON of another shape.
    Text(String),
    /// Nothing, or white space.
    Empty,
}

impl ErrorBody {
    /// Reads `{code, message}`, then `{error: {code, message}}`, then gives up and keeps the text.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Self::Empty;
        }
        if let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) {
            let nested = value.get("error").unwrap_or(&serde_json::Value::Null);
            for candidate in [&value, nested] {
                let text = |key: &str| candidate.get(key).and_then(|text| text.as_str()).map(shorten);
                let (code, message) = (text("code"), text("message"));
                if code.is_some() || message.is_some() {
                    return Self::Parsed { code, message };
                }
            }
        }
        Self::Text(shorten(&String::from_utf8_lossy(body)))
    }
}

fn shorten(text: &str) -> String {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default().to_owned()
}

/// `X-RateLimit-*` as sent; absent or unreadable ones are `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests in the window.
    pub limit: Option<u64>,
    /// Requests left in it.
    pub remaining: Option<u64>,
    /// When it starts anew. Dodo documents no unit.
    pub reset: Option<u64>,
}

/// Where reading a body stopped. It names the field, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON at all, or cut short.
    #[error("not JSON")]
    NotJson,
    /// JSON of another shape.
    #[error("unexpected shape at `{path}`")]
    Shape {
        /// The path of the field, `.` for the whole body.
        path: String,
    },
}

impl DecodeError {
    /// Reads a body, as every answer is read. A field that cannot be read and settles nothing is left out; see [`Readable`].
    ///
    /// # Errors
    /// When it is not JSON, or JSON of another shape: then with the field at which that shows.
    pub fn read<T: Readable>(body: &[u8]) -> Result<T, Self> {
        lenient::from_value(serde_json::from_slice(body).map_err(|_| Self::NotJson)?)
    }

    /// Reads a body of which every field counts, none of them twice.
    pub(crate) fn read_exactly<T: DeserializeOwned>(body: &[u8]) -> Result<T, Self> {
        let mut input = serde_json::Deserializer::from_slice(body);
        let value = serde_path_to_error::deserialize(&mut input).map_err(|error| {
            if error.inner().is_data() { Self::shape(error.path()) } else { Self::NotJson }
        })?;
        input.end().map_err(|_| Self::NotJson)?;
        Ok(value)
    }

    /// JSON of another shape at this path.
    pub(crate) fn shape(path: &serde_path_to_error::Path) -> Self {
        Self::Shape { path: shorten(&path.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(code: Option<&str>, message: Option<&str>) -> ErrorBody {
        ErrorBody::Parsed { code: code.map(Into::into), message: message.map(Into::into) }
    }

    #[test]
    fn error_bodies_in_every_documented_shape() {
        let cases: [(&str, ErrorBody); 8] = [
            (
                r#"{"code":"NOT_FOUND","message":"no such thing"}"#,
                parsed(Some("NOT_FOUND"), Some("no such thing")),
            ),
            (r#"{"error":{"code":"X","message":"m","details":{}}}"#, parsed(Some("X"), Some("m"))),
            (r#"{"message":"only words"}"#, parsed(None, Some("only words"))),
            (r#"{"code":"TOP","error":{"code":"NESTED"}}"#, parsed(Some("TOP"), None)),
            (r#"{"code":7}"#, ErrorBody::Text(r#"{"code":7}"#.into())),
            ("<html>502</html>", ErrorBody::Text("<html>502</html>".into())),
            (" \n", ErrorBody::Empty),
            ("[]", ErrorBody::Text("[]".into())),
        ];
        for (body, expected) in cases {
            assert_eq!(ErrorBody::read(body.as_bytes()), expected, "{body}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_make_a_bounded_error_body(body: Vec<u8>) {
            let length = match ErrorBody::read(&body) {
                ErrorBody::Parsed { code, message } => code.unwrap_or_default().len().max(message.unwrap_or_default().len()),
                ErrorBody::Text(text) => text.len(),
                ErrorBody::Empty => 0,
            };
            proptest::prop_assert!(length <= MAX_TEXT);
        }
    }

    #[test]
    fn long_and_broken_texts_are_cut_at_a_character() {
        let ErrorBody::Text(text) = ErrorBody::read("ä".repeat(400).as_bytes()) else {
            panic!("text expected")
        };
        assert_eq!(text.len(), MAX_TEXT);
        let ErrorBody::Text(text) = ErrorBody::read(b"x\xff") else { panic!("text expected") };
        assert_eq!(text, "x\u{fffd}");
    }

    #[test]
    fn decode_errors_name_the_field_and_not_its_value() {
        #[derive(serde::Deserialize, Debug)]
        struct Outer {
            #[expect(dead_code, reason = "only decoded")]
            items: Vec<u8>,
        }
        impl Readable for Outer {
            const NAME: &'static str = "outer";
        }
        let error = DecodeError::read::<Outer>(br#"{"items":[1,"secret"]}"#).unwrap_err();
        assert_eq!(error, DecodeError::Shape { path: "items[1]".into() });
        assert_eq!(DecodeError::read::<Outer>(br#"{"items":[1"#).unwrap_err(), DecodeError::NotJson);
        assert_eq!(DecodeError::read::<Outer>(br#"{"items":[]} x"#).unwrap_err(), DecodeError::NotJson);
    }
}
