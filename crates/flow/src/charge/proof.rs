//! The evidence on which something may be said about money (invariant F18).
//!
//! | sentence | needs |
//! |---|---|
//! | "paid", a receipt | the receipt of an attempt |
//! | "nothing was charged", "the payment did not go through" | [`NotCharged`] |
//! | "you will not be charged twice" | a charge at a backend that keeps the contract: [`super::WaitingView`] |
//!
//! An HTTP status is no evidence: a gateway, a firewall or a sign-in page answers 401, 403 or 404 in the backend's place,
//! also after the backend has charged. A basic backend gives no evidence at all (see `offer::Ordered`).

use wire::{Attempt, AttemptStatus, ErrorCode};

/// Evidence that what the buyer confirmed was not charged. A view without it says nothing of the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotCharged(Evidence);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    FailedAttempt,
    Refusal,
}

impl NotCharged {
    /// The attempt itself says that it failed. `None` for every other status, and for none.
    #[must_use]
    pub fn by_attempt(attempt: &Attempt) -> Option<Self> {
        (attempt.status == Some(AttemptStatus::Failed)).then_some(Self(Evidence::FailedAttempt))
    }

    /// The proxy refused the charging request with a code that, by the contract (`docs/API.md`), it gives only before
    /// anything is collected. `None` for every other code: `offer_gone` may mean that the offer was paid on another page.
    #[must_use]
    pub fn by_refusal(code: ErrorCode) -> Option<Self> {
        match code {
            ErrorCode::QuoteChanged
            | ErrorCode::QuoteExpired
            | ErrorCode::ChangeNotPossible
            | ErrorCode::RateLimited
            | ErrorCode::NotConfirmedYet
            | ErrorCode::InvalidRequest
            | ErrorCode::IdempotencyKeyMissing
            | ErrorCode::MethodNotAllowed
            | ErrorCode::PayloadTooLarge
            | ErrorCode::UnsupportedMediaType => Some(Self(Evidence::Refusal)),
            ErrorCode::Unauthorized
            | ErrorCode::BoundElsewhere
            | ErrorCode::OriginNotAllowed
            | ErrorCode::NotFound
            | ErrorCode::RequestTimeout
            | ErrorCode::AttemptInProgress
            | ErrorCode::KeyInProgress
            | ErrorCode::NotResolvable
            | ErrorCode::OfferGone
            | ErrorCode::IdempotencyKeyReused
            | ErrorCode::SignInRequired
            | ErrorCode::Internal
            | ErrorCode::Unavailable
            | ErrorCode::Other => None,
        }
    }
}
