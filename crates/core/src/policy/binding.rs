//! The browser that a session token answers to (I24).
//!
//! A token is written into a page, and pages are cached, translated, restored and duplicated. So a token alone opens nothing: a
//! caller also names its browser, by a secret that the browser made up, and a session belongs to the first that does, or to the
//! one that was named when it was minted.
//!
//! ```text
//! free ── first call with a secret ──▶ bound ── that secret ──▶ everything
//!  │                                      ├──── another, and neither outlives its page ──▶ state of a charge
//!  └── without a secret ──▶ nothing       └──── any other, or none ──▶ nothing
//! ```
//!
//! The proxy's own page has another origin, so another secret. It does not share a binding: it gets a session of its own
//! ([`handed_over`]), which ends with the first.

use wire::{Attempt, AttemptStatus, IneligibleReason, UnixSeconds, UpsellResponse};

use crate::domain::{Browser, Session, TokenHash};

/// The part of a session that a caller with its token may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything that the session is for.
    Everything,
    /// Everything, once the session is bound to this browser. Of several that are told so at the same time, one is bound; the
    /// others have to ask again.
    Bind(Browser),
    /// The state of a charge, without amount, card or page ([`charge_state`]): the page was loaded again in a browser that keeps
    /// nothing, so that nobody can tell whether it is still the same.
    ChargeState,
    /// Nothing, since the session belongs to another browser.
    BoundElsewhere,
    /// Nothing, since the caller names no browser.
    Unnamed,
}

/// Decides what a caller may have of a session with this binding.
#[must_use]
pub fn access(bound: Option<Browser>, caller: Option<Browser>) -> Access {
    match (bound, caller) {
        (_, None) => Access::Unnamed,
        (None, Some(caller)) => Access::Bind(caller),
        (Some(bound), Some(caller)) if bound.secret == caller.secret => Access::Everything,
        (Some(bound), Some(caller)) if !bound.outlives_page && !caller.outlives_page => Access::ChargeState,
        (Some(_), Some(_)) => Access::BoundElsewhere,
    }
}

/// Returns what of an attempt is its state: no receipt, reason, page or other way to pay.
#[must_use]
pub fn charge_state(attempt: &Attempt) -> Attempt {
    Attempt {
        success: attempt.success,
        status: attempt.status,
        attempt_id: attempt.attempt_id.clone(),
        receipt: None,
        failure: None,
        hosted_checkout_offered: false,
        checkout_url: None,
    }
}

/// Returns what of an answer is the state of a charge, if there is one. A checkout that the buyer has not paid at is none.
#[must_use]
pub fn charge_state_of(answer: &UpsellResponse) -> Option<UpsellResponse> {
    let reason = match answer.reason {
        Some(reason @ (IneligibleReason::Accepted | IneligibleReason::InProgress)) => reason,
        _ => return None,
    };
    let attempt = answer.attempt.as_ref().filter(|it| it.status != Some(AttemptStatus::CheckoutRequired))?;
    Some(UpsellResponse { attempt: Some(charge_state(attempt)), ..UpsellResponse::ineligible(reason) })
}

/// Returns the session that a page of another origin gets in exchange for a one-time code of `parent`: of the same buyer and for
/// the same purpose, bound to that page's browser from its beginning, and no longer than its parent.
#[must_use]
pub fn handed_over(parent: &Session, token: TokenHash, browser: Browser) -> Session {
    Session { token, browser: Some(browser), ..parent.clone() }
}

/// Seconds for which a one-time code may be exchanged: the time from a press to the next page.
pub const HANDOVER_LIFE: i64 = 120;

/// Returns when a one-time code that is made at `now` ends: not after its session.
#[must_use]
pub fn handover_until(session: &Session, now: UnixSeconds) -> UnixSeconds {
    UnixSeconds(now.0.saturating_add(HANDOVER_LIFE).min(session.expires_at.0))
}

#[cfg(test)]
#[path = "binding_tests.rs"]
mod tests;
