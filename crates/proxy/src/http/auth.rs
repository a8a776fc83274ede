//! Who asks: a buyer with a session token for one purpose and the secret of the browser that it belongs to, or the merchant's
//! server with its key.
//!
//! Whatever is wrong with a token, the answer is the same: unknown, expired, malformed and meant for something else
//! cannot be told apart from outside, nor from one without a secret. A good token in another browser has a code of its own, which
//! tells a developer that the page was cached, and nothing of the buyer.

use axum::extract::FromRequestParts;
use http::{HeaderMap, header, request::Parts};
use sha2::{Digest, Sha256};
use upsell_core::domain::{Browser, Session, TokenHash};
use wire::{BROWSER_HEADER, ErrorCode, IdempotencyKey, Purpose};

use super::{App, error::ApiError};
use crate::{
    service::{
        browsers::{self, Caller},
        confirming::NotYet,
    },
    upstream,
};

/// A buyer with a token for offers.
#[derive(Debug)]
pub struct OfferSession(pub Session);

/// A buyer with a token for plans.
#[derive(Debug)]
pub struct PlansSession(pub Session);

/// Somebody who may learn how a charge stands: a buyer, or a page that was loaded again in a browser that keeps nothing.
#[derive(Debug)]
pub enum Page {
    /// A buyer, who may learn everything.
    Buyer(Session),
    /// A reloaded page, which may learn the state of a charge.
    Reloaded(Session),
}

/// A page with a token for offers.
#[derive(Debug)]
pub struct OfferPage(pub Page);

/// A page with a token for plans.
#[derive(Debug)]
pub struct PlansPage(pub Page);

/// The merchant's own server.
#[derive(Debug)]
pub struct MerchantServer;

/// The request's `Idempotency-Key`.
#[derive(Debug)]
pub struct Key(pub IdempotencyKey);

impl FromRequestParts<App> for OfferSession {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        page(&parts.headers, app, Purpose::Offer).await?.buyer().map(Self)
    }
}

impl FromRequestParts<App> for PlansSession {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        page(&parts.headers, app, Purpose::Plans).await?.buyer().map(Self)
    }
}

impl FromRequestParts<App> for OfferPage {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        page(&parts.headers, app, Purpose::Offer).await.map(Self)
    }
}

impl FromRequestParts<App> for PlansPage {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        page(&parts.headers, app, Purpose::Plans).await.map(Self)
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

impl Page {
    /// Returns the session of a buyer.
    fn buyer(self) -> Result<Session, ApiError> {
        match self {
            Self::Buyer(session) => Ok(session),
            Self::Reloaded(_) => Err(ApiError::new(ErrorCode::BoundElsewhere)),
        }
    }
}

async fn page(headers: &HeaderMap, app: &App, purpose: Purpose) -> Result<Page, ApiError> {
    let unauthorized = || ApiError::new(ErrorCode::Unauthorized);
    let token = bearer(headers).ok_or_else(unauthorized)?;
    let page = match app.sessions.authenticate(token, browser(headers), purpose).await? {
        Caller::Buyer(session) => Page::Buyer(session),
        Caller::Reloaded(session) => Page::Reloaded(session),
        Caller::Elsewhere => return Err(ApiError::new(ErrorCode::BoundElsewhere)),
        Caller::Unknown => return Err(unauthorized()),
    };
    let (Page::Buyer(session) | Page::Reloaded(session)) = &page;
    // One from before such sessions were for buyers who are signed in.
    if purpose == Purpose::Plans && !session.signed_in {
        return Err(unauthorized());
    }
    app.gate.vouch_for(credential(token, headers)).await;
    upstream::known_as(session);
    let not_yet = |NotYet { retry_after }| ApiError::new(ErrorCode::NotConfirmedYet).after(retry_after);
    app.sessions.admit(session).map_err(not_yet)?;
    Ok(page)
}

/// Returns what a caller is counted by: token and browser together, so that somebody with a copy of the token uses up nothing of
/// the buyer's.
pub fn credential(token: &str, headers: &HeaderMap) -> TokenHash {
    let secret = only(headers, BROWSER_HEADER).unwrap_or_default();
    let both = Sha256::new().chain_update(token).chain_update(" ").chain_update(secret);
    TokenHash(both.finalize().into())
}

/// The browser that the request names.
fn browser(headers: &HeaderMap) -> Option<Browser> {
    browsers::browser(only(headers, BROWSER_HEADER)?)
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
