//! Bearer keys.

use crate::error::{ApiError, Code, Outcome};
use crate::shared::Shared;
use axum::extract::Request;
use http::{Method, header};

pub(crate) fn check(shared: &Shared, request: &Request) -> Outcome<()> {
    let presented = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let Some(key) = shared.keys.iter().find(|key| Some(key.key.as_str()) == presented) else {
        return Err(ApiError::new(Code::Unauthorized, "the key is missing or unknown"));
    };
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let previews =
        request.uri().path().ends_with("/preview") && shared.look(|world| world.policy.read_only_may_preview);
    if key.read_only && !reads && !previews {
        return Err(ApiError::new(Code::Forbidden, "the key has no write access"));
    }
    Ok(())
}
