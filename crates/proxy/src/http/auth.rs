//! Who asks: a buyer with a session token for one purpose, or the merchant's server with its key.
//!
//! Whatever is wrong with a token, the answer is the same: unknown, expired, malformed and meant for something else
//! cannot be told apart from outside.

use axum::extract::FromRequestParts;
use http::{HeaderMap, header, request::Parts};
use upsell_core::domain::Session;
use wire::{ErrorCode, IdempotencyKey, Purpose};

use super::{App, error::ApiError};
use crate::{service::confirming::NotYet, upstream};

/// A buyer with a token for offers.
#[derive(Debug)]
pub struct OfferSession(pub Session);

/// A buyer with a token for plans.
#[derive(Debug)]
pub struct PlansSession(pub Session);

/// The merchant's own server.
#[derive(Debug)]
pub struct MerchantServer;

/// The request's `Idempotency-Key`.
#[derive(Debug)]
pub struct Key(pub IdempotencyKey);

impl FromRequestParts<App> for OfferSession {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        session(&parts.headers, app, Purpose::Offer).await.map(Self)
    }
}

impl FromRequestParts<App> for PlansSession {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let session = session(&parts.headers, app, Purpose::Plans).await?;
        // One from before such sessions were for buyers who are signed in.
        if session.signed_in { Ok(Self(session)) } else { Err(ApiError::new(ErrorCode::Unauthorized)) }
    }
}

impl FromRequestParts<App> for MerchantServer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match bearer(&parts.headers) {
            Some(key) if app.sessions.is_merchant_key(key) => Ok(Self),
            _ => Err(ApiError::new(ErrorCode::Unauthorized)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        idempotency_key(&parts.headers)
            .map(Self)
            .ok_or_else(|| ApiError::new(ErrorCode::IdempotencyKeyMissing))
    }
}

async fn session(headers: &HeaderMap, app: &App, purpose: Purpose) -> Result<Session, ApiError> {
    let unauthorized = || ApiError::new(ErrorCode::Unauthorized);
    let token = bearer(headers).ok_or_else(unauthorized)?;
    let session = app.sessions.authenticate(token).await?.ok_or_else(unauthorized)?;
    app.gate.vouch_for(session.token).await;
    upstream::known_as(&session);
    if session.purpose != purpose {
        return Err(unauthorized());
    }
    let not_yet = |NotYet { retry_after }| ApiError::new(ErrorCode::NotConfirmedYet).after(retry_after);
    app.sessions.admit(&session).map_err(not_yet)?;
    Ok(session)
}

/// The token behind `Bearer`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = only(headers, header::AUTHORIZATION.as_str())?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= 256).then_some(token)
}

/// The `Idempotency-Key`, when there is one that can be taken.
pub fn idempotency_key(headers: &HeaderMap) -> Option<IdempotencyKey> {
    let text = only(headers, "idempotency-key")?.trim();
    // A structured-field string, so quoted; many clients send it bare.
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    IdempotencyKey::parse(text).ok()
}

/// The value of a header that is there once and is readable.
pub fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}
