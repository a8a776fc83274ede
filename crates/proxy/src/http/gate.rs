//! Who is let in, how often, and how many at a time: what is checked around every request, so that nobody can take all of
//! the proxy for themselves.
//!
//! | caller | how often | at a time |
//! |---|---|---|
//! | the merchant's server, by its key | not limited | all slots |
//! | a buyer whose token was good a moment ago | by token | all slots |
//! | Dodo, once its signature is verified | not limited | all slots |
//! | anybody else | by address | half of the slots |
//!
//! So a flood from one address, or from many, keeps out newcomers at most: neither the merchant, nor Dodo, nor buyers
//! who are on the page already. A request that changes something counts as several, since it may cost requests to Dodo; what
//! those cost is counted for the same callers once more, where Dodo is asked ([`crate::upstream`]).
//! A body is read before a slot is taken: who sends slowly holds a connection, never a slot.

mod meter;

use std::{future::Future, net::IpAddr, sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use dodo_client::{Priority, http::turn::with_priority};
use http::{Method, request::Parts};
use moka::future::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use upsell_core::domain::TokenHash;
use wire::ErrorCode;

use self::meter::Meter;
use super::{
    App,
    auth::{bearer, credential},
    error::ApiError,
    json,
};
use crate::{
    client_address::{ClientKey, TrustedProxies},
    server::Peer,
    upstream::on_behalf_of,
};

/// What the gate lets through.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long a whole body may take.
    pub body_time: Duration,
    /// How long a request may be worked on after its body has come.
    pub request_time: Duration,
    /// Requests worked on at a time.
    pub in_flight: usize,
    /// Requests of one session token in a minute.
    pub per_token: u32,
    /// Requests of one address in a minute, of those that prove nothing.
    pub per_address: u32,
}

impl Limits {
    /// Unless told otherwise.
    pub const DEFAULT: Self = Self {
        body_time: Duration::from_secs(10),
        request_time: Duration::from_secs(60),
        in_flight: 512,
        per_token: 240,
        per_address: 1200,
    };
}

/// What a request that changes something counts for a token.
const TOKEN_WRITE: u32 = 4;
/// The same for an address.
const ADDRESS_WRITE: u32 = 20;
/// How long a token that was good is known to have been.
const PROVEN_FOR: Duration = Duration::from_secs(5 * 60);
/// Seconds after which to try again when the proxy is full.
const FULL_FOR: u32 = 1;

/// Counts, and says no.
#[derive(Debug)]
pub struct Gate {
    limits: Limits,
    proxies: TrustedProxies,
    tokens: Meter<TokenHash>,
    addresses: Meter<ClientKey>,
    /// Tokens, each with the browser that sent it, that were found good a moment ago. Whether they still are is found out again
    /// on every request.
    proven: Cache<TokenHash, ()>,
    slots: Arc<Semaphore>,
    /// For callers that have proven nothing, who need one of these as well.
    strangers: Arc<Semaphore>,
}

/// Whose request it is, before it is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The merchant's server.
    Merchant,
    /// Dodo, or a buyer with a token that was good a moment ago.
    Known,
    /// Anybody.
    Stranger,
}

/// The right to be worked on. Dropping it lets the next one in.
#[derive(Debug)]
pub struct Slot {
    _one: OwnedSemaphorePermit,
    _of_strangers: Option<OwnedSemaphorePermit>,
}

impl Gate {
    /// Nobody has come yet.
    #[must_use]
    pub fn new(limits: Limits, proxies: TrustedProxies) -> Self {
        Self {
            tokens: Meter::per_minute(limits.per_token),
            addresses: Meter::per_minute(limits.per_address),
            proven: Cache::builder().max_capacity(50_000).time_to_idle(PROVEN_FOR).build(),
            slots: Arc::new(Semaphore::new(limits.in_flight)),
            strangers: Arc::new(Semaphore::new(limits.in_flight.div_ceil(2))),
            limits,
            proxies,
        }
    }

    /// Forgets everybody who could not be refused anyway.
    pub fn sweep(&self) {
        self.tokens.sweep();
        self.addresses.sweep();
    }

    /// Counts a request by its address.
    ///
    /// # Errors
    /// [`ErrorCode::RateLimited`].
    pub fn count_address(&self, request: &Parts) -> Result<(), ApiError> {
        let peer = peer(request);
        self.addresses.count(self.client(request), cost(&request.method, ADDRESS_WRITE)).map_err(|seconds| {
            if self.proxies.is_untrusted_proxy(peer, &request.headers) {
                tracing::warn!(%peer, "limiting an address that forwards for others; is it in UPSELL_TRUSTED_PROXIES?");
            }
            limited("address", seconds)
        })
    }

    /// Whom a request is counted for by its address.
    fn client(&self, request: &Parts) -> ClientKey {
        self.proxies.client(peer(request), &request.headers).into()
    }

    /// A token was found good in a browser: from now on its requests are counted by both.
    pub async fn vouch_for(&self, token: TokenHash) {
        self.proven.insert(token, ()).await;
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    /// When it is larger than `limit` bytes, slower than allowed, or cut short.
    pub async fn read(&self, body: Body, limit: usize) -> Result<bytes::Bytes, ApiError> {
        json::read(body, limit, self.limits.body_time).await
    }

    /// Takes a slot.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`] when there is none.
    pub fn slot(&self, caller: Caller) -> Result<Slot, ApiError> {
        let take = |slots: &Arc<Semaphore>| Arc::clone(slots).try_acquire_owned().map_err(|_| full());
        let of_strangers = match caller {
            Caller::Merchant | Caller::Known => None,
            Caller::Stranger => Some(take(&self.strangers)?),
        };
        Ok(Slot { _one: take(&self.slots)?, _of_strangers: of_strangers })
    }

    /// Does the work of a request, or gives it up after a while.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`]. What the work has begun in tasks of its own goes on.
    pub async fn within_time<T>(&self, work: impl Future<Output = T>) -> Result<T, ApiError> {
        tokio::time::timeout(self.limits.request_time, work).await.map_err(|_| {
            turned_away("request_time");
            ApiError::new(ErrorCode::Unavailable).after(FULL_FOR)
        })
    }

    /// Counts a request by its token, where that is known, and else by its address.
    async fn count(&self, app: &App, request: &Parts) -> Result<Caller, ApiError> {
        if let Some(token) = bearer(&request.headers) {
            if app.sessions.is_merchant_key(token) {
                return Ok(Caller::Merchant);
            }
            let token = credential(token, &request.headers);
            if self.proven.get(&token).await.is_some() {
                let counted = self.tokens.count(token, cost(&request.method, TOKEN_WRITE));
                return counted.map(|()| Caller::Known).map_err(|seconds| limited("token", seconds));
            }
        }
        self.count_address(request)?;
        Ok(Caller::Stranger)
    }
}

/// Around every call of the API but webhooks, which prove themselves by their body.
pub async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    match let_in(&app, request).await {
        Ok((request, caller, _slot)) => {
            let keyed = request.headers().contains_key("idempotency-key");
            let (parts, body) = request.into_parts();
            let client = app.gate.client(&parts);
            let work = next.run(Request::from_parts(parts, body));
            let answered = async {
                match caller {
                    Caller::Merchant => with_priority(Priority::Merchant, work).await,
                    Caller::Known | Caller::Stranger => on_behalf_of(client.into(), work).await,
                }
            };
            match app.gate.within_time(answered).await {
                Ok(response) => response,
                // Not "nothing was charged": a charge may have been begun, and goes on.
                Err(_) if keyed => ApiError::new(ErrorCode::KeyInProgress).after(FULL_FOR).into_response(),
                Err(error) => error.into_response(),
            }
        }
        Err(error) => error.into_response(),
    }
}

async fn let_in(app: &App, request: Request) -> Result<(Request, Caller, Slot), ApiError> {
    let gate = &app.gate;
    let (parts, body) = request.into_parts();
    let caller = gate.count(app, &parts).await?;
    let body = if body.is_end_stream() { body } else { gate.read(body, json::MAX_BODY).await?.into() };
    let slot = gate.slot(caller)?;
    Ok((Request::from_parts(parts, body), caller, slot))
}

/// The other end of the connection.
fn peer(request: &Parts) -> IpAddr {
    request.extensions.get::<Peer>().map_or_else(|| [0, 0, 0, 0].into(), |Peer(peer)| *peer)
}

/// Around files, which are in memory: counted by address, and nothing more.
pub async fn admit_to_files(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match app.gate.count_address(&parts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(error) => error.into_response(),
    }
}

fn cost(method: &Method, write: u32) -> u32 {
    if method.is_safe() { 1 } else { write }
}

fn limited(by: &'static str, seconds: u32) -> ApiError {
    turned_away(by);
    ApiError::new(ErrorCode::RateLimited).after(seconds)
}

fn full() -> ApiError {
    turned_away("in_flight");
    ApiError::new(ErrorCode::Unavailable).after(FULL_FOR)
}

fn turned_away(by: &'static str) {
    metrics::counter!("upsell_turned_away_total", "by" => by).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_leave_half_of_the_slots_to_those_who_are_known() {
        let limits = Limits { in_flight: 3, ..Limits::DEFAULT };
        let gate = Gate::new(limits, TrustedProxies::default());
        let strangers = [gate.slot(Caller::Stranger).unwrap(), gate.slot(Caller::Stranger).unwrap()];
        assert_eq!(gate.slot(Caller::Stranger).unwrap_err().code(), ErrorCode::Unavailable);
        let known = gate.slot(Caller::Known).unwrap();
        assert!(gate.slot(Caller::Known).is_err());
        drop(strangers);
        // A place among strangers is not lost when there was no slot for it.
        let all = [(); 2].map(|()| gate.slot(Caller::Known).unwrap());
        assert!(gate.slot(Caller::Stranger).is_err());
        drop((known, all));
        assert!(gate.slot(Caller::Stranger).is_ok());
    }
}
