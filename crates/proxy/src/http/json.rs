//! Bodies: read whole within a size and a time, refused when too deep, decoded with the path of the field at fault.
//!
//! They are read by [`super::gate`], before anything else is done for a request.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{FromRequest, Request},
};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use upsell_core::domain::Fingerprint;
use wire::ErrorCode;

use super::error::ApiError;

/// Largest body of an API call, in bytes.
pub const MAX_BODY: usize = 16 * 1024;
/// Largest body of a webhook, in bytes.
pub const MAX_WEBHOOK: usize = 256 * 1024;
/// How deep arrays and objects may nest. The contract needs four levels.
const MAX_DEPTH: usize = 32;

/// A JSON body of type `T`.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::new(ErrorCode::UnsupportedMediaType));
        }
        let body = whole(request.into_body(), MAX_BODY).await?;
        if is_too_deep(&body) {
            return Err(ApiError::invalid(None));
        }
        let mut input = serde_json::Deserializer::from_slice(&body);
        let value = serde_path_to_error::deserialize(&mut input).map_err(|error| {
            let path = error.path().to_string();
            // "." is the whole body: it says nothing more than that it cannot be read.
            ApiError::invalid(Some(path).filter(|path| path != "."))
        })?;
        input.end().map_err(|_| ApiError::invalid(None))?;
        Ok(Self(value))
    }
}

/// Reads a whole body of at most `limit` bytes within `time`.
///
/// # Errors
/// When it is larger, slower, or cut short.
pub async fn read(body: Body, limit: usize, time: Duration) -> Result<Bytes, ApiError> {
    let read = tokio::time::timeout(time, whole(body, limit)).await;
    read.unwrap_or_else(|_| Err(ApiError::new(ErrorCode::RequestTimeout)))
}

async fn whole(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if is_too_long(error.as_ref()) => Err(ApiError::new(ErrorCode::PayloadTooLarge)),
        Err(_) => Err(ApiError::invalid(None)),
    }
}

/// The limit's error, which may come wrapped.
fn is_too_long(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_too_long)
}

/// What tells two requests under one key apart. Taken of the decoded request, so that spacing, order and unknown fields
/// make no difference.
pub fn fingerprint<T: Serialize>(request: &T) -> Fingerprint {
    // Requests are flat structs, which always serialise.
    Fingerprint(Sha256::digest(serde_json::to_vec(request).unwrap_or_default()).into())
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Whether arrays and objects nest deeper than [`MAX_DEPTH`]. Looks at brackets outside of strings only; whether it is
/// JSON at all is the decoder's business.
fn is_too_deep(body: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in body {
        match (in_string, *byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => depth = depth.saturating_add(1),
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_of_strings() {
        let nested = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert!(!is_too_deep(nested(MAX_DEPTH).as_bytes()));
        assert!(is_too_deep(nested(MAX_DEPTH + 1).as_bytes()));
        assert!(!is_too_deep(format!("[\"{}\"]", "[".repeat(100)).as_bytes()));
        assert!(!is_too_deep(format!("[\"\\\"{}\"]", "[".repeat(100)).as_bytes()));
        assert!(is_too_deep(format!("[\"\\\\\",{}", "{".repeat(100)).as_bytes()));
        assert!(!is_too_deep("[1],".repeat(100).as_bytes()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let drip = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            Some((Ok::<_, std::convert::Infallible>("x"), ()))
        });
        let started = tokio::time::Instant::now();
        let limit = Duration::from_secs(10);
        let refused = read(Body::from_stream(drip), MAX_BODY, limit).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::RequestTimeout);
        assert_eq!(started.elapsed(), limit);
    }

    #[test]
    fn only_json_is_json() {
        let sent = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, value.parse().unwrap());
            is_json(&headers)
        };
        assert!(sent("application/json"));
        assert!(sent("Application/JSON; charset=utf-8"));
        for other in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "text/json", ""]
        {
            assert!(!sent(other), "{other}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
