//! Where Dodo delivers. The body is verified as it came over the wire; nothing is parsed before.

use axum::extract::{Request, State};
use http::StatusCode;
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{ErrorCode, Problem};

use super::{App, auth::only, error::ApiError, gate::Caller, json::MAX_WEBHOOK};
use crate::{service::webhooks::WebhookError, webhook_signature::SignedHeaders};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(receive))
}

impl From<WebhookError> for ApiError {
    fn from(error: WebhookError) -> Self {
        let code = match &error {
            WebhookError::Signature(_) => ErrorCode::Unauthorized,
            WebhookError::Unreadable(_) => ErrorCode::InvalidRequest,
            WebhookError::Store(_) | WebhookError::Purchase(_) | WebhookError::Charge(_) => {
                ErrorCode::Unavailable
            }
        };
        Self::new(code).because(error)
    }
}

/// Takes a webhook, signed per Standard Webhooks. Answered with 204 once it is on the disk, applied or not.
#[utoipa::path(
    post, path = "/webhooks/dodo", tag = "dodo",
    params(
        ("webhook-id" = String, Header), ("webhook-timestamp" = String, Header),
        ("webhook-signature" = String, Header),
    ),
    request_body(content = String, content_type = "application/json"),
    responses(
        (status = 204),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn receive(State(app): State<App>, request: Request) -> Result<StatusCode, ApiError> {
    let (parts, body) = request.into_parts();
    let body = app.gate.read(body, MAX_WEBHOOK).await?;
    let signed = SignedHeaders {
        id: only(&parts.headers, "webhook-id"),
        timestamp: only(&parts.headers, "webhook-timestamp"),
        signature: only(&parts.headers, "webhook-signature"),
    };
    let verified = match app.webhooks.verify(signed, &body) {
        Ok(verified) => verified,
        Err(error) => {
            // Only now: whoever forges webhooks must not use up anything that Dodo needs.
            app.gate.count_address(&parts)?;
            return Err(WebhookError::from(error).into());
        }
    };
    let _slot = app.gate.slot(Caller::Known)?;
    app.gate.within_time(app.webhooks.receive(verified)).await??;
    Ok(StatusCode::NO_CONTENT)
}
