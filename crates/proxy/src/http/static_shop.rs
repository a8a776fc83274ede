//! Shops without a server: a checkout of a listed product, and a token for whoever comes back from it.

use axum::extract::State;
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{CheckoutRequest, CheckoutResponse, Problem, RedeemRequest, SessionResponse};

use super::{App, error::ApiError, json::Json};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(start_checkout)).routes(routes!(redeem))
}

/// Starts a hosted checkout of a product that the rules file lists for this.
#[utoipa::path(
    post, path = "/v1/checkouts", tag = "static shop", request_body = CheckoutRequest,
    responses(
        (status = 200, body = CheckoutResponse),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn start_checkout(
    State(app): State<App>,
    Json(request): Json<CheckoutRequest>,
) -> Result<axum::Json<CheckoutResponse>, ApiError> {
    Ok(axum::Json(app.sessions.start_checkout(&request).await?))
}

/// Exchanges the nonce from the return address for a session token, once, after the checkout was paid.
#[utoipa::path(
    post, path = "/v1/upsell/redeem", tag = "static shop", request_body = RedeemRequest,
    responses(
        (status = 200, body = SessionResponse),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn redeem(
    State(app): State<App>,
    Json(request): Json<RedeemRequest>,
) -> Result<axum::Json<SessionResponse>, ApiError> {
    Ok(axum::Json(app.sessions.redeem(&request).await?))
}
