//! What a reply to a charging request proves. Pure and total: every reply falls into exactly one class.

use wire::{Attempt, AttemptId, AttemptStatus, ErrorCode, FailureReason, Problem};

use super::state::{Awaits, Settled};
use crate::{ApiError, may_go_to};

/// What a reply proves about the charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// It is decided.
    Settled(Settled),
    /// It is not decided; the backend has it, and can be asked.
    Open { awaits: Awaits, attempt: Option<AttemptId> },
    /// Nothing is known. The request may be repeated with the same key where the backend knows keys.
    Unknown { repeat: bool },
    /// This request was refused before anything was charged; proves nothing about an earlier, unanswered one.
    Refused(Settled),
}

/// Whether a reply to the charging request ends the intention: it decides the charge, says that the backend has it, or
/// refuses. Without that a repetition, also after a reload, is still the same intention.
#[must_use]
pub fn ends_intent(reply: &Result<Attempt, ApiError>) -> bool {
    reply.as_ref().err().is_none_or(|failure| !matches!(error(failure), Class::Unknown { .. }))
}

/// What the attempt says, from a reply or from a later look.
pub(crate) fn attempt(attempt: Attempt) -> Class {
    let Some(status) = attempt.status else {
        // A smaller backend says no more than this.
        return Class::Settled(if attempt.success {
            Settled::Succeeded { scheduled: false, receipt: attempt.receipt.map(Box::new) }
        } else {
            failed(attempt.failure.unwrap_or(FailureReason::Other), false)
        });
    };
    let address = attempt.checkout_url.filter(|url| may_go_to(url));
    let open = |awaits| Class::Open { awaits, attempt: attempt.attempt_id };
    match status {
        AttemptStatus::Succeeded | AttemptStatus::Scheduled => Class::Settled(Settled::Succeeded {
            scheduled: status == AttemptStatus::Scheduled,
            receipt: attempt.receipt.map(Box::new),
        }),
        AttemptStatus::Failed => Class::Settled(failed(
            attempt.failure.unwrap_or(FailureReason::Other),
            attempt.hosted_checkout_offered,
        )),
        AttemptStatus::CheckoutRequired => match address {
            Some(url) => Class::Settled(Settled::Checkout(url)),
            // Without an address there is nowhere to go: look again.
            None => open(Awaits::Evidence),
        },
        AttemptStatus::Processing => open(Awaits::Bank),
        AttemptStatus::RequiresCustomerAction => open(Awaits::Buyer { at: address }),
        AttemptStatus::InDoubt | AttemptStatus::Other => open(Awaits::Evidence),
        AttemptStatus::NeedsReview => open(Awaits::Review),
    }
}

/// What an error reply to the charging request proves.
pub(crate) fn error(error: &ApiError) -> Class {
    match error {
        // A reply that cannot be read is no answer; the server will repeat it for the same key only if it was its own.
        ApiError::BadBody => Class::Unknown { repeat: false },
        ApiError::Network | ApiError::Timeout => Class::Unknown { repeat: true },
        ApiError::Foreign { status } => by_status(*status),
        ApiError::Problem(problem) => by_code(problem),
    }
}

fn by_code(problem: &Problem) -> Class {
    match problem.code {
        ErrorCode::QuoteChanged => Class::Settled(match &problem.quote {
            Some(quote) if quote.adds_up() => Settled::QuoteChanged(quote.clone()),
            _ => Settled::QuoteExpired,
        }),
        ErrorCode::QuoteExpired => Class::Settled(Settled::QuoteExpired),
        ErrorCode::OfferGone => Class::Settled(Settled::Gone),
        ErrorCode::ChangeNotPossible => Class::Settled(failed(FailureReason::NotPossible, false)),
        // Someone is at it already, in this tab or another: look, never repeat.
        ErrorCode::AttemptInProgress | ErrorCode::KeyInProgress | ErrorCode::IdempotencyKeyReused => {
            Class::Open { awaits: Awaits::Evidence, attempt: None }
        }
        ErrorCode::Unauthorized | ErrorCode::BoundElsewhere | ErrorCode::OriginNotAllowed => {
            Class::Refused(Settled::SessionOver)
        }
        ErrorCode::NotFound => Class::Refused(Settled::Gone),
        ErrorCode::RateLimited | ErrorCode::NotConfirmedYet => Class::Refused(Settled::Busy),
        ErrorCode::InvalidRequest
        | ErrorCode::IdempotencyKeyMissing
        | ErrorCode::MethodNotAllowed
        | ErrorCode::PayloadTooLarge
        | ErrorCode::UnsupportedMediaType
        | ErrorCode::SignInRequired => Class::Refused(failed(FailureReason::ProcessingError, false)),
        ErrorCode::Unavailable | ErrorCode::RequestTimeout => Class::Unknown { repeat: true },
        // `not_resolvable` answers the merchant's server, never a buyer.
        ErrorCode::Internal | ErrorCode::NotResolvable => Class::Unknown { repeat: false },
        ErrorCode::Other => by_status(problem.status),
    }
}

fn by_status(status: u16) -> Class {
    match status {
        502..=504 => Class::Unknown { repeat: true },
        401 | 403 => Class::Refused(Settled::SessionOver),
        404 | 410 => Class::Refused(Settled::Gone),
        429 => Class::Refused(Settled::Busy),
        // Time-outs and conflicts may come after the charge; everything else in the 4xx refuses before it.
        408 | 409 => Class::Unknown { repeat: false },
        400..=499 => Class::Refused(failed(FailureReason::ProcessingError, false)),
        _ => Class::Unknown { repeat: false },
    }
}

fn failed(reason: FailureReason, hosted_offered: bool) -> Settled {
    Settled::Failed { reason, hosted_offered }
}
