//! What a reply to a charging request proves. Pure and total: every reply falls into exactly one class.

use wire::{Attempt, AttemptId, AttemptStatus, ErrorCode, FailureReason, Problem};

use super::proof::NotCharged;
use super::state::{Awaits, Settled};
use crate::{ApiError, may_go_to};

/// What a reply proves about the charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// It is decided.
    Settled(Settled),
    /// It is not decided; the backend has it, and can be asked.
    Open { awaits: Awaits, attempt: Option<AttemptId> },
    /// Nothing is known. The request may be repeated with the same key.
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
    let not_charged = NotCharged::by_attempt(&attempt);
    let address = attempt.checkout_url.filter(|url| may_go_to(url));
    let open = |awaits| Class::Open { awaits, attempt: attempt.attempt_id };
    match (attempt.status, not_charged) {
        (Some(AttemptStatus::Failed), Some(not_charged)) => Class::Settled(Settled::Failed {
            reason: attempt.failure.unwrap_or(FailureReason::Other),
            hosted_offered: attempt.hosted_checkout_offered,
            not_charged,
        }),
        (Some(status @ (AttemptStatus::Succeeded | AttemptStatus::Scheduled)), _) => {
            Class::Settled(Settled::Succeeded {
                scheduled: status == AttemptStatus::Scheduled,
                receipt: attempt.receipt.map(Box::new),
            })
        }
        (Some(AttemptStatus::CheckoutRequired), _) => match address {
            Some(url) => Class::Settled(Settled::Checkout(url)),
            // Without an address there is nowhere to go: look again.
            None => open(Awaits::Evidence),
        },
        (Some(AttemptStatus::Processing), _) => open(Awaits::Bank),
        (Some(AttemptStatus::RequiresCustomerAction), _) => open(Awaits::Buyer { at: address }),
        (Some(AttemptStatus::NeedsReview), _) => open(Awaits::Review),
        // A backend that makes quotes says a status; without one, nothing is known.
        (Some(AttemptStatus::Failed | AttemptStatus::InDoubt | AttemptStatus::Other) | None, _) => {
            open(Awaits::Evidence)
        }
    }
}

/// What an error reply to the charging request proves.
pub(crate) fn error(error: &ApiError) -> Class {
    match error {
        // A reply that cannot be read is no answer; the server will repeat it for the same key only if it was its own.
        ApiError::BadBody | ApiError::BadField(_) => Class::Unknown { repeat: false },
        ApiError::Network | ApiError::Timeout => Class::Unknown { repeat: true },
        ApiError::Foreign { status } => by_status(*status),
        ApiError::Problem(problem) => by_code(problem),
    }
}

fn by_code(problem: &Problem) -> Class {
    if let Some(not_charged) = NotCharged::by_refusal(problem.code) {
        return refused(problem, not_charged);
    }
    match problem.code {
        // Taken, refused or expired, here or on another page.
        ErrorCode::OfferGone => Class::Settled(Settled::Gone),
        ErrorCode::NotFound => Class::Refused(Settled::Gone),
        ErrorCode::Unauthorized | ErrorCode::BoundElsewhere | ErrorCode::OriginNotAllowed => {
            Class::Refused(Settled::SessionOver)
        }
        // Someone is at it already, in this tab or another: look, never repeat.
        ErrorCode::AttemptInProgress | ErrorCode::KeyInProgress | ErrorCode::IdempotencyKeyReused => {
            Class::Open { awaits: Awaits::Evidence, attempt: None }
        }
        ErrorCode::Unavailable | ErrorCode::RequestTimeout => Class::Unknown { repeat: true },
        ErrorCode::Other => by_status(problem.status),
        // `not_resolvable` and `sign_in_required` answer the merchant's server, never a buyer.
        _ => Class::Unknown { repeat: false },
    }
}

fn refused(problem: &Problem, not_charged: NotCharged) -> Class {
    let failed = |reason| Settled::Failed { reason, hosted_offered: false, not_charged };
    match problem.code {
        ErrorCode::QuoteChanged => Class::Settled(match &problem.quote {
            Some(quote) if quote.adds_up() => Settled::QuoteChanged(quote.clone(), not_charged),
            _ => Settled::QuoteExpired(not_charged),
        }),
        ErrorCode::QuoteExpired => Class::Settled(Settled::QuoteExpired(not_charged)),
        ErrorCode::ChangeNotPossible => Class::Settled(failed(FailureReason::NotPossible)),
        ErrorCode::RateLimited | ErrorCode::NotConfirmedYet => Class::Refused(Settled::Busy(not_charged)),
        _ => Class::Refused(failed(FailureReason::Other)),
    }
}

/// A status alone proves nothing about money, whatever it is: somebody else may have answered, after the charge.
fn by_status(status: u16) -> Class {
    Class::Unknown { repeat: matches!(status, 502..=504) }
}
