//! The merchant's own server: tokens for its buyers, and events that it reports of them.

use axum::extract::{Path, State, rejection::PathRejection};
use http::StatusCode;
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{
    AttemptId, EventRequest, Problem, ResolveRequest, ResolveResponse, SessionRequest, SessionResponse,
};

use super::{App, auth::MerchantServer, error::ApiError, json::Json, upsell::attempt_id};
use crate::service::{resolving::ResolveError, sessions::SessionError};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(mint)).routes(routes!(report)).routes(routes!(resolve))
}

impl From<SessionError> for ApiError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Invalid(field) => Self::invalid(field.to_owned()),
            error => Self::new(error.code()).because(error),
        }
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
