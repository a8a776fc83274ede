//! Which pages may call: the configured origins and the proxy's own.
//!
//! There are no cookies, so a foreign page could do nothing without a token; this keeps it from trying.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};
use wire::ErrorCode;

use super::error::ApiError;
use crate::settings::Origin;

/// The origins let in.
#[derive(Clone, Debug)]
pub struct AllowedOrigins(Vec<HeaderValue>);

impl AllowedOrigins {
    /// The pages of the merchant, and the proxy's own.
    #[must_use]
    pub fn new(pages: &[Origin], own: &Origin) -> Self {
        let all = pages.iter().chain([own]);
        Self(all.filter_map(|origin| HeaderValue::from_str(origin.as_str()).ok()).collect())
    }

    /// Answers preflights and says which origin may read the answer: never more than the one that asks.
    pub fn cors(&self) -> CorsLayer {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(self.0.iter().cloned()))
            .allow_methods([Method::GET, Method::POST, Method::DELETE])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                HeaderName::from_static("idempotency-key"),
                HeaderName::from_static(wire::BROWSER_HEADER),
            ])
            .max_age(Duration::from_secs(7200))
    }
}

/// Refuses requests that a browser marks as coming from anywhere else. The merchant's server and Dodo send neither
/// header.
pub async fn guard(State(allowed): State<AllowedOrigins>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let foreign = match headers.get(header::ORIGIN) {
        Some(origin) => !allowed.0.contains(origin),
        None => headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site"),
    };
    if foreign { ApiError::new(ErrorCode::OriginNotAllowed).into_response() } else { next.run(request).await }
}
