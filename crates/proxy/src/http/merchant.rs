//! The merchant's own server: tokens for its buyers, and events that it reports of them.

use axum::extract::{Path, State, rejection::PathRejection};
use dodo_client::ids::CustomerId;
use http::StatusCode;
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{
    AttemptId, ErrorCode, EventRequest, ForgetRequest, ForgetResponse, PendingCharge, Problem,
    ResolveRequest, ResolveResponse, RetireKeyRequest, RetireKeyResponse, SessionRequest, SessionResponse,
};

use super::{App, auth::MerchantServer, error::ApiError, json::Json, upsell::attempt_id};
use crate::service::{forgetting::ForgetError, resolving::ResolveError, sessions::SessionError};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(mint))
        .routes(routes!(report))
        .routes(routes!(resolve))
        .routes(routes!(forget))
        .routes(routes!(retire_key))
}

impl From<SessionError> for ApiError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Invalid(field) => Self::invalid(field.to_owned()),
            error => Self::new(error.code()).because(error),
        }
    }
}

impl From<ForgetError> for ApiError {
    fn from(error: ForgetError) -> Self {
        Self::new(error.code()).because(error)
    }
}

impl From<ResolveError> for ApiError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Invalid => Self::invalid("resolution".to_owned()),
            error => Self::new(error.code()).because(error),
        }
    }
}

/// Mints a session token for one buyer and one purpose.
#[utoipa::path(
    post, path = "/v1/sessions", tag = "merchant", security(("merchant_key" = [])), request_body = SessionRequest,
    responses(
        (status = 201, body = SessionResponse),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn mint(
    State(app): State<App>,
    _: MerchantServer,
    Json(request): Json<SessionRequest>,
) -> Result<(StatusCode, axum::Json<SessionResponse>), ApiError> {
    Ok((StatusCode::CREATED, axum::Json(app.sessions.mint(&request).await?)))
}

/// Reports a trigger other than a purchase.
#[utoipa::path(
    post, path = "/v1/events", tag = "merchant", security(("merchant_key" = [])), request_body = EventRequest,
    responses(
        (status = 202),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn report(
    State(app): State<App>,
    _: MerchantServer,
    Json(request): Json<EventRequest>,
) -> Result<StatusCode, ApiError> {
    app.sessions.report(&request).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Decides what becomes of an attempt that waits for a person: `underpaid` or `needs_review`.
#[utoipa::path(
    post, path = "/v1/attempts/{id}/resolve", tag = "merchant", security(("merchant_key" = [])),
    request_body = ResolveRequest, params(("id" = AttemptId, Path)),
    responses(
        (status = 200, body = ResolveResponse),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn resolve(
    State(app): State<App>,
    _: MerchantServer,
    id: Result<Path<String>, PathRejection>,
    Json(request): Json<ResolveRequest>,
) -> Result<axum::Json<ResolveResponse>, ApiError> {
    let row = app.resolving.resolve(&attempt_id(id)?, request.resolution).await?;
    Ok(axum::Json(ResolveResponse { attempt_id: row.id, state: row.state.word().as_str().to_owned() }))
}

/// Forgets a buyer: everything about them goes, but for keyed hashes of what they refused and own. Doing it twice changes
/// nothing. 202: all but the charges in `pending` is gone; those go once they have come to their end.
#[utoipa::path(
    post, path = "/v1/customers/forget", tag = "merchant", security(("merchant_key" = [])), request_body = ForgetRequest,
    responses(
        (status = 200, body = ForgetResponse),
        (status = 202, body = ForgetResponse),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn forget(
    State(app): State<App>,
    _: MerchantServer,
    Json(request): Json<ForgetRequest>,
) -> Result<(StatusCode, axum::Json<ForgetResponse>), ApiError> {
    let customer =
        CustomerId::parse(request.customer_id).map_err(|_| ApiError::invalid("customer_id".to_owned()))?;
    let forgotten = app.forgetting.forget(&customer).await?;
    let status = if forgotten.pending.is_empty() { StatusCode::OK } else { StatusCode::ACCEPTED };
    let pending = forgotten
        .pending
        .into_iter()
        .map(|(attempt_id, hold)| PendingCharge { attempt_id, reason: hold.as_str().to_owned() })
        .collect();
    let charges = u32::try_from(forgotten.charges).unwrap_or(u32::MAX);
    Ok((status, axum::Json(ForgetResponse { forgotten_at: forgotten.at, charges, pending })))
}

/// Says that charges signed with a key need not be recognised any more, so that a proxy starts without it.
#[utoipa::path(
    post, path = "/v1/signing-keys/retire", tag = "merchant", security(("merchant_key" = [])),
    request_body = RetireKeyRequest,
    responses(
        (status = 200, body = RetireKeyResponse),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn retire_key(
    State(app): State<App>,
    _: MerchantServer,
    Json(request): Json<RetireKeyRequest>,
) -> Result<axum::Json<RetireKeyResponse>, ApiError> {
    match app.signing_keys.retire(&request.key_id).await? {
        Some(retired_at) => Ok(axum::Json(RetireKeyResponse { retired_at })),
        None => Err(ApiError::new(ErrorCode::NotFound)),
    }
}
