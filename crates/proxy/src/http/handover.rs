//! The proxy's own page takes over from an element on the merchant's page: it has another origin, so a browser's secret of its own.

use axum::extract::State;
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{Problem, SessionResponse, TakeOverRequest};

use super::{App, error::ApiError, json::Json};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(take_over))
}

/// Exchanges a one-time code, once, for a session token that belongs to this browser.
#[utoipa::path(
    post, path = "/v1/handover/redeem", tag = "upgrade page", request_body = TakeOverRequest,
    responses(
        (status = 200, body = SessionResponse),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn take_over(
    State(app): State<App>,
    Json(request): Json<TakeOverRequest>,
) -> Result<axum::Json<SessionResponse>, ApiError> {
    Ok(axum::Json(app.sessions.take_over(&request).await?))
}
