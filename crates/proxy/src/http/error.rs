//! What goes wrong, as the one error body that clients see: `application/problem+json` with a closed code.
//!
//! Every failure of a service is turned into a code here and nowhere else. What an answer may say is the code, a fixed
//! title, a request id, and for some codes a field, a pause or a quote. Causes go to the log (see [`super::observe`]).

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use wire::{ErrorCode, Problem, Quote};

use crate::{service::charging::ChargeError, store::StoreError, upstream};

/// An error on its way to the client.
#[derive(Clone, Debug)]
pub struct ApiError {
    problem: Problem,
    cause: Option<Cause>,
}

/// What really happened, for the log. Rides on the response as an extension.
#[derive(Clone, Debug)]
pub struct Cause(pub Arc<dyn std::error::Error + Send + Sync>);

impl ApiError {
    /// An error with nothing to add to its code.
    #[must_use]
    pub fn new(code: ErrorCode) -> Self {
        let (status, title) = meaning(code);
        let problem = Problem {
            status: status.as_u16(),
            code,
            title: title.to_owned(),
            request_id: None,
            field: None,
            retry_after: None,
            quote: None,
        };
        Self { problem, cause: None }
    }

    /// A request that cannot be read, at a field where that is known.
    #[must_use]
    pub fn invalid(field: impl Into<Option<String>>) -> Self {
        let mut error = Self::new(ErrorCode::InvalidRequest);
        error.problem.field = field.into();
        error
    }

    /// Nothing was charged; this is what it costs now.
    #[must_use]
    pub fn quote_changed(quote: Quote) -> Self {
        let mut error = Self::new(ErrorCode::QuoteChanged);
        error.problem.quote = Some(Box::new(quote));
        error
    }

    /// What it tells programs.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.problem.code
    }

    /// Adds how many seconds to wait.
    #[must_use]
    pub fn after(mut self, seconds: u32) -> Self {
        self.problem.retry_after = Some(seconds);
        self
    }

    /// Adds what really happened, for the log.
    #[must_use]
    pub fn because(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        if let Some(seconds) = upstream::held_back_for(&cause) {
            self = self.after(seconds);
        }
        self.cause = Some(Cause(Arc::new(cause)));
        self
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::new(error.code()).because(error)
    }
}

impl From<ChargeError> for ApiError {
    fn from(error: ChargeError) -> Self {
        match error {
            ChargeError::QuoteChanged(quote) => Self::quote_changed(*quote),
            ChargeError::Invalid(field) => Self::invalid(field.to_owned()),
            ChargeError::Unavailable { retry_after: Some(seconds) } => {
                Self::new(ErrorCode::Unavailable).after(seconds).because(error)
            }
            error => Self::new(error.code()).because(error),
        }
    }
}

impl IntoResponse for ApiError {
    /// The body is written by [`super::observe`], which knows the request's id.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        response.extensions_mut().insert(self.problem);
        response
    }
}

/// Status and title of a code.
fn meaning(code: ErrorCode) -> (StatusCode, &'static str) {
    match code {
        ErrorCode::InvalidRequest => (StatusCode::BAD_REQUEST, "The request cannot be read"),
        ErrorCode::IdempotencyKeyMissing => {
            (StatusCode::BAD_REQUEST, "The Idempotency-Key header is missing or malformed")
        }
        ErrorCode::Unauthorized => (StatusCode::UNAUTHORIZED, "No valid token or key"),
        ErrorCode::BoundElsewhere => (StatusCode::UNAUTHORIZED, "The token belongs to another browser"),
        ErrorCode::OriginNotAllowed => (StatusCode::FORBIDDEN, "This origin is not allowed"),
        ErrorCode::NotFound => (StatusCode::NOT_FOUND, "There is no such thing"),
        ErrorCode::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "This method is not allowed here"),
        ErrorCode::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, "The body came too slowly"),
        ErrorCode::AttemptInProgress => (StatusCode::CONFLICT, "Another attempt is under way"),
        ErrorCode::QuoteChanged => (StatusCode::CONFLICT, "The amount has changed; nothing was charged"),
        ErrorCode::NotConfirmedYet => {
            (StatusCode::CONFLICT, "Dodo has not confirmed yet what this token was made for; ask again")
        }
        ErrorCode::KeyInProgress => (StatusCode::CONFLICT, "The request with this key is being worked on"),
        ErrorCode::NotResolvable => (StatusCode::CONFLICT, "This attempt does not wait for such a decision"),
        ErrorCode::QuoteExpired => (StatusCode::GONE, "The quote has expired; nothing was charged"),
        ErrorCode::OfferGone => (StatusCode::GONE, "The offer is over"),
        ErrorCode::PayloadTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
        ErrorCode::UnsupportedMediaType => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body must be application/json")
        }
        ErrorCode::IdempotencyKeyReused => {
            (StatusCode::UNPROCESSABLE_ENTITY, "The key was used with another request")
        }
        ErrorCode::ChangeNotPossible => {
            (StatusCode::UNPROCESSABLE_ENTITY, "This change is not possible at the moment")
        }
        ErrorCode::SignInRequired => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Sessions for plans and for triggers other than a purchase are for signed-in buyers (`signed_in: true`)",
        ),
        ErrorCode::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
        ErrorCode::Internal | ErrorCode::Other => (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong"),
        ErrorCode::Unavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "Not available at the moment; nothing was charged")
        }
    }
}
