//! The post-purchase offer: shown, seen, accepted, declined.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path, State, rejection::PathRejection};
use http::{StatusCode, request::Parts};
use upsell_core::{policy::binding, rules::Reader};
use url::form_urlencoded;
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{
    AcceptRequest, Attempt, AttemptId, DeclineRequest, DeclineResponse, ErrorCode, HandoverResponse,
    IdempotencyKey, Problem, SeenRequest, UpsellResponse,
};

use super::{
    App,
    auth::{Key, OfferPage, OfferSession, Page},
    error::ApiError,
    json::{Json, fingerprint},
};
use crate::service::{accepting::AcceptError, offers::OfferError, sessions::is_language};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(current))
        .routes(routes!(accept))
        .routes(routes!(attempt))
        .routes(routes!(decline))
        .routes(routes!(seen))
        .routes(routes!(hand_over))
}

impl From<OfferError> for ApiError {
    fn from(error: OfferError) -> Self {
        match error {
            OfferError::Invalid(field) => Self::invalid(field.to_owned()),
            error => Self::new(error.code()).because(error),
        }
    }
}

impl From<AcceptError> for ApiError {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::Offer(error) => error.into(),
            AcceptError::Charge(error) => error.into(),
        }
    }
}

/// `?locale=`, the page's language, taken over the session's, and `&languages=`, those of the page's own words. What is not
/// a language is passed over, and so is every other parameter.
#[derive(Debug)]
pub(super) struct Language {
    locale: Option<String>,
    spoken: Vec<String>,
}

/// More languages than any client has words in.
const MAX_LANGUAGES: usize = 64;

impl Language {
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader { locale: self.locale.as_deref(), spoken: &self.spoken }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        let named = |wanted| {
            let found = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.into_owned())
        };
        let languages = named("languages").unwrap_or_default();
        let spoken = languages.split(',').filter(|tag| is_language(tag)).take(MAX_LANGUAGES);
        Ok(Self {
            locale: named("locale").filter(|tag| is_language(tag)),
            spoken: spoken.map(str::to_owned).collect(),
        })
    }
}

/// An id out of a path; one that is malformed does not exist.
pub(super) fn attempt_id(path: Result<Path<String>, PathRejection>) -> Result<AttemptId, ApiError> {
    let id = path.ok().and_then(|Path(text)| AttemptId::parse(text).ok());
    id.ok_or_else(|| ApiError::new(ErrorCode::NotFound))
}

/// How an attempt stands, as much of it as a page may know.
pub(super) async fn attempt_for(app: &App, page: Page, id: &AttemptId) -> Result<Attempt, ApiError> {
    Ok(match page {
        Page::Buyer(session) => app.charging.attempt(&session, id).await?,
        Page::Reloaded(session) => binding::charge_state(&app.charging.attempt(&session, id).await?),
    })
}

/// The offer for this buyer, with everything needed to show and to accept it, or why there is none.
#[utoipa::path(
    get, path = "/v1/upsell", tag = "offer", security(("session_token" = [], "browser" = [])),
    params(
        ("locale" = Option<String>, Query, description = "Language of the page"),
        ("languages" = Option<String>, Query, description = "Languages that the page has words in, with commas between"),
    ),
    responses(
        (status = 200, body = UpsellResponse),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn current(
    State(app): State<App>,
    OfferPage(page): OfferPage,
    language: Language,
) -> Result<axum::Json<UpsellResponse>, ApiError> {
    let answer = match page {
        Page::Buyer(session) => app.accepting.offer(&session, language.reader()).await?,
        Page::Reloaded(session) => {
            let answer = app.accepting.offer(&session, language.reader()).await?;
            binding::charge_state_of(&answer).ok_or_else(|| ApiError::new(ErrorCode::BoundElsewhere))?
        }
    };
    Ok(axum::Json(answer))
}

/// Charges the offer, once, exactly as quoted, or not at all.
#[utoipa::path(
    post, path = "/v1/upsell/accept", tag = "offer", security(("session_token" = [], "browser" = [])), request_body = AcceptRequest,
    params(("idempotency-key" = IdempotencyKey, Header, description = "One key for one intention to pay")),
    responses(
        (status = 200, body = Attempt),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn accept(
    State(app): State<App>,
    OfferSession(session): OfferSession,
    Key(key): Key,
    Json(request): Json<AcceptRequest>,
) -> Result<axum::Json<Attempt>, ApiError> {
    let fingerprint = fingerprint(&request);
    Ok(axum::Json(app.accepting.accept(&session, request, key, fingerprint).await?))
}

/// How an attempt stands.
#[utoipa::path(
    get, path = "/v1/upsell/attempts/{id}", tag = "offer", security(("session_token" = [], "browser" = [])),
    params(("id" = AttemptId, Path)),
    responses(
        (status = 200, body = Attempt),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn attempt(
    State(app): State<App>,
    OfferPage(page): OfferPage,
    id: Result<Path<String>, PathRejection>,
) -> Result<axum::Json<Attempt>, ApiError> {
    attempt_for(&app, page, &attempt_id(id)?).await.map(axum::Json)
}

/// Refuses the offer, for good by default. Safe to repeat.
#[utoipa::path(
    post, path = "/v1/upsell/decline", tag = "offer", security(("session_token" = [], "browser" = [])), request_body = DeclineRequest,
    params(
        ("locale" = Option<String>, Query, description = "Language of the page"),
        ("languages" = Option<String>, Query, description = "Languages that the page has words in, with commas between"),
    ),
    responses(
        (status = 200, body = DeclineResponse),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn decline(
    State(app): State<App>,
    OfferSession(session): OfferSession,
    language: Language,
    Json(request): Json<DeclineRequest>,
) -> Result<axum::Json<DeclineResponse>, ApiError> {
    Ok(axum::Json(app.offers.decline(&session, &request, language.reader()).await?))
}

/// The offer was really visible to the buyer.
#[utoipa::path(
    post, path = "/v1/upsell/seen", tag = "offer", security(("session_token" = [], "browser" = [])), request_body = SeenRequest,
    responses(
        (status = 204),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn seen(
    State(app): State<App>,
    OfferSession(session): OfferSession,
    Json(request): Json<SeenRequest>,
) -> Result<StatusCode, ApiError> {
    app.offers.seen(&session, &request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A one-time code with which the proxy's own page goes on for the same buyer (`/upgrade/?view=offer#code=…`).
#[utoipa::path(
    post, path = "/v1/upsell/handover", tag = "offer", security(("session_token" = [], "browser" = [])),
    responses(
        (status = 200, body = HandoverResponse),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn hand_over(
    State(app): State<App>,
    OfferSession(session): OfferSession,
) -> Result<axum::Json<HandoverResponse>, ApiError> {
    Ok(axum::Json(app.sessions.hand_over(&session).await?))
}
