//! The upgrade page: compare, preview, change, take back, give another payment method; what is proposed before a buyer
//! leaves their plan, and cancelling.

use axum::extract::{Path, State, rejection::PathRejection};
use http::StatusCode;
use upsell_core::rules::Reader;
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{
    Attempt, AttemptId, ChangeRequest, DeclineRequest, HandoverResponse, IdempotencyKey, PaymentMethodLink,
    PlansResponse, PreviewRequest, PreviewResponse, Problem, StayOfferRequest, StayOfferResponse,
};

use super::{
    App,
    auth::{Key, PlansPage, PlansSession},
    error::ApiError,
    json::{Json, fingerprint},
    upsell::{Language, attempt_for, attempt_id},
};
use crate::service::plans::PlansError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(preview))
        .routes(routes!(change))
        .routes(routes!(attempt))
        .routes(routes!(cancel_scheduled))
        .routes(routes!(stay_offer))
        .routes(routes!(decline))
        .routes(routes!(cancel, take_cancellation_back))
        .routes(routes!(payment_method))
        .routes(routes!(hand_over))
}

impl From<PlansError> for ApiError {
    fn from(error: PlansError) -> Self {
        match error {
            PlansError::Invalid(field) => Self::invalid(field.to_owned()),
            PlansError::Offer(error) => error.into(),
            error => Self::new(error.code()).because(error),
        }
    }
}

/// The current plan, the others, and what each costs more or less.
#[utoipa::path(
    get, path = "/v1/plans", tag = "plans", security(("session_token" = [], "browser" = [])),
    params(
        ("locale" = Option<String>, Query, description = "Language of the page"),
        ("languages" = Option<String>, Query, description = "Languages that the page has words in, with commas between"),
    ),
    responses(
        (status = 200, body = PlansResponse),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn list(
    State(app): State<App>,
    PlansSession(session): PlansSession,
    language: Language,
) -> Result<axum::Json<PlansResponse>, ApiError> {
    Ok(axum::Json(app.plans.page(&session, language.reader()).await?))
}

/// What a change would charge, exactly.
#[utoipa::path(
    post, path = "/v1/plans/preview", tag = "plans", security(("session_token" = [], "browser" = [])), request_body = PreviewRequest,
    responses(
        (status = 200, body = PreviewResponse),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn preview(
    State(app): State<App>,
    PlansSession(session): PlansSession,
    Json(request): Json<PreviewRequest>,
) -> Result<axum::Json<PreviewResponse>, ApiError> {
    Ok(axum::Json(app.plans.preview(&session, &request).await?))
}

/// Makes the change that was previewed, once, exactly as quoted, or not at all.
#[utoipa::path(
    post, path = "/v1/plans/change", tag = "plans", security(("session_token" = [], "browser" = [])), request_body = ChangeRequest,
    params(("idempotency-key" = IdempotencyKey, Header, description = "One key for one intention to pay")),
    responses(
        (status = 200, body = Attempt),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn change(
    State(app): State<App>,
    PlansSession(session): PlansSession,
    Key(key): Key,
    Json(request): Json<ChangeRequest>,
) -> Result<axum::Json<Attempt>, ApiError> {
    let fingerprint = fingerprint(&request);
    Ok(axum::Json(app.accepting.change(&session, request, key, fingerprint).await?))
}

/// How an attempt stands.
#[utoipa::path(
    get, path = "/v1/plans/attempts/{id}", tag = "plans", security(("session_token" = [], "browser" = [])),
    params(("id" = AttemptId, Path)),
    responses(
        (status = 200, body = Attempt),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn attempt(
    State(app): State<App>,
    PlansPage(page): PlansPage,
    id: Result<Path<String>, PathRejection>,
) -> Result<axum::Json<Attempt>, ApiError> {
    attempt_for(&app, page, &attempt_id(id)?).await.map(axum::Json)
}

/// Takes a scheduled change back.
#[utoipa::path(
    delete, path = "/v1/plans/scheduled", tag = "plans", security(("session_token" = [], "browser" = [])),
    responses(
        (status = 204),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn cancel_scheduled(
    State(app): State<App>,
    PlansSession(session): PlansSession,
) -> Result<StatusCode, ApiError> {
    app.plans.cancel_scheduled(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The buyer is about to take a cheaper plan or to cancel: what the merchant proposes instead, once.
#[utoipa::path(
    post, path = "/v1/plans/stay-offer", tag = "plans", security(("session_token" = [], "browser" = [])),
    request_body = StayOfferRequest,
    params(
        ("locale" = Option<String>, Query, description = "Language of the page"),
        ("languages" = Option<String>, Query, description = "Languages that the page has words in, with commas between"),
    ),
    responses(
        (status = 200, body = StayOfferResponse),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn stay_offer(
    State(app): State<App>,
    PlansSession(session): PlansSession,
    language: Language,
    Json(request): Json<StayOfferRequest>,
) -> Result<axum::Json<StayOfferResponse>, ApiError> {
    Ok(axum::Json(app.plans.propose(&session, &request, language.reader()).await?))
}

/// Refuses a stay-offer, for good by default. Safe to repeat.
#[utoipa::path(
    post, path = "/v1/plans/decline", tag = "plans", security(("session_token" = [], "browser" = [])), request_body = DeclineRequest,
    responses(
        (status = 204),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn decline(
    State(app): State<App>,
    PlansSession(session): PlansSession,
    Json(request): Json<DeclineRequest>,
) -> Result<StatusCode, ApiError> {
    app.offers.decline(&session, &request, Reader::default()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Cancels the subscription for the next billing date. Safe to repeat.
#[utoipa::path(
    post, path = "/v1/plans/cancellation", tag = "plans", security(("session_token" = [], "browser" = [])),
    responses(
        (status = 204),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn cancel(State(app): State<App>, PlansSession(session): PlansSession) -> Result<StatusCode, ApiError> {
    app.plans.cancel(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes the cancellation back. Safe to repeat.
#[utoipa::path(
    delete, path = "/v1/plans/cancellation", tag = "plans", security(("session_token" = [], "browser" = [])),
    responses(
        (status = 204),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn take_cancellation_back(
    State(app): State<App>,
    PlansSession(session): PlansSession,
) -> Result<StatusCode, ApiError> {
    app.plans.take_cancellation_back(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A link on which the buyer gives another payment method.
#[utoipa::path(
    post, path = "/v1/plans/payment-method", tag = "plans", security(("session_token" = [], "browser" = [])),
    responses(
        (status = 200, body = PaymentMethodLink),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn payment_method(
    State(app): State<App>,
    PlansSession(session): PlansSession,
) -> Result<axum::Json<PaymentMethodLink>, ApiError> {
    Ok(axum::Json(app.plans.payment_method_link(&session).await?))
}

/// A one-time code with which the proxy's own page goes on for the same buyer (`/upgrade/?view=plans#code=…`).
#[utoipa::path(
    post, path = "/v1/plans/handover", tag = "plans", security(("session_token" = [], "browser" = [])),
    responses(
        (status = 200, body = HandoverResponse),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn hand_over(
    State(app): State<App>,
    PlansSession(session): PlansSession,
) -> Result<axum::Json<HandoverResponse>, ApiError> {
    Ok(axum::Json(app.sessions.hand_over(&session).await?))
}
