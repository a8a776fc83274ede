//! The states of offers and attempts: which of them mean what, and how evidence moves them.
//!
//! Merging evidence is a join, so that the reply, webhooks and look-ups may come in any order, any number of times (I10).
//! What counts as evidence is decided in [`crate::policy::classify`] and [`crate::policy::observe`]; giving up after the
//! deadline is not evidence and is kept apart ([`abandon`]).

use wire::FailureReason;

use crate::domain::{
    AttemptKind, AttemptState, AttemptWord, Observation, OfferRow, OfferState, RefundStatus,
};

/// Offers that a buyer can still take or refuse.
pub const OPEN_OFFERS: [OfferState; 3] = [OfferState::Eligible, OfferState::Presented, OfferState::Failed];

/// Attempts that [`is_live`], by their words.
pub const LIVE: [AttemptWord; 4] =
    [AttemptWord::Claimed, AttemptWord::Sent, AttemptWord::Unknown, AttemptWord::Pending];

/// Attempts of which [`is_collected`] holds, by their words.
pub const COLLECTED: [AttemptWord; 2] = [AttemptWord::Scheduled, AttemptWord::Succeeded];

/// Attempts whose change is booked for the next billing date.
pub const BOOKED: AttemptWord = AttemptWord::Scheduled;

/// Attempts that [`may_have_acted`], by their words.
pub const ACTED: [AttemptWord; 9] = [
    AttemptWord::Sent,
    AttemptWord::Unknown,
    AttemptWord::Pending,
    AttemptWord::Abandoned,
    AttemptWord::NeedsReview,
    AttemptWord::Scheduled,
    AttemptWord::Underpaid,
    AttemptWord::Dismissed,
    AttemptWord::Succeeded,
];

/// Attempts that are as if they had never been made: nobody is shown them, and no decision about their offer sees them.
pub const TAKEN_BACK: AttemptWord = AttemptWord::Released;

/// The attempt that is shown before every other of its offer, also before later ones.
pub const PAID: AttemptWord = AttemptWord::Succeeded;

/// A refund of which the amount has gone back.
pub const GONE_BACK: RefundStatus = RefundStatus::Succeeded;

/// How showing an offer moves it: from the first state to the second. Every other state stays.
pub const PRESENTATION: (OfferState, OfferState) = (OfferState::Eligible, OfferState::Presented);

/// Where an offer ends whose refusal may be lost ([`crate::policy::restore`]).
pub const WITHDRAWN: OfferState = OfferState::Expired;

/// Returns the offers that an attempt of this kind may claim: one click takes what was not tried yet; another way to pay,
/// or a plan change after a new card was given, also what has failed.
#[must_use]
pub fn open_for(kind: AttemptKind) -> &'static [OfferState] {
    match kind {
        AttemptKind::OneClick => &[OfferState::Eligible, OfferState::Presented],
        AttemptKind::Hosted | AttemptKind::PlanChange => &OPEN_OFFERS,
    }
}

/// Says whether an offer can be refused: not while money may be under way, and not after it came.
#[must_use]
pub fn may_decline(offer: OfferState) -> bool {
    OPEN_OFFERS.contains(&offer) || offer == OfferState::Expired
}

/// Says whether the thing offered is the buyer's, or may become so: what might be paid for is not offered again.
#[must_use]
pub fn is_taken(offer: OfferState) -> bool {
    match offer {
        OfferState::Charged
        | OfferState::Accepting
        | OfferState::Pending
        | OfferState::Unknown
        | OfferState::Abandoned => true,
        OfferState::Eligible
        | OfferState::Presented
        | OfferState::Failed
        | OfferState::Declined
        | OfferState::Expired => false,
    }
}

/// Says whether an offer keeps every other offer of the same thing from being taken or refused. A plan that was taken may
/// have been left again: then the subscription alone tells.
#[must_use]
pub fn keeps_from_others(offer: &OfferRow) -> bool {
    is_taken(offer.state) && (offer.plan.subscription_id().is_none() || offer.state != OfferState::Charged)
}

/// Returns the state of an offer whose claim was given up: as before the claim. One whose card was declined stays one
/// whose card was declined.
#[must_use]
pub fn reopened(failed_before: bool) -> OfferState {
    if failed_before { OfferState::Failed } else { OfferState::Presented }
}

/// Says whether an attempt in this state has collected, or has its change booked.
#[must_use]
pub fn is_collected(state: AttemptState) -> bool {
    matches!(state, AttemptState::Succeeded | AttemptState::Scheduled)
}

/// Says whether an attempt in this state keeps others of the same offer from being made: it may still bring money in, has
/// done so, or may yet turn out to have.
#[must_use]
pub fn excludes_others(state: AttemptState) -> bool {
    is_live(state) || is_collected(state) || is_watched(state)
}

/// Says whether an attempt in this state was sent and not refused, so that what is found upstream may be its doing.
#[must_use]
pub fn may_have_acted(state: AttemptState) -> bool {
    !matches!(state, AttemptState::Claimed | AttemptState::Released | AttemptState::Failed(_))
}

/// Says whether an attempt in this state is watched: nothing further is charged for it, and money may still turn out to
/// have come in.
#[must_use]
pub fn is_watched(state: AttemptState) -> bool {
    matches!(state, AttemptState::Abandoned | AttemptState::NeedsReview | AttemptState::Underpaid)
}

/// Says whether an attempt in this state is looked up: its request may have left, and no definite answer came.
#[must_use]
pub fn is_looked_up(state: AttemptState) -> bool {
    match state {
        AttemptState::Sent
        | AttemptState::Unknown
        | AttemptState::Pending { .. }
        | AttemptState::Underpaid
        | AttemptState::NeedsReview
        | AttemptState::Abandoned => true,
        AttemptState::Claimed
        | AttemptState::Released
        | AttemptState::Failed(_)
        | AttemptState::Scheduled
        | AttemptState::Dismissed
        | AttemptState::Succeeded => false,
    }
}

/// The attempt's state after `seen`.
///
/// `succeeded` absorbs everything, then what a person decided, then `underpaid`, then `scheduled`, then `failed`; `pending` beats `unknown`; an attempt that was
/// given up, or needs review, is moved by definite evidence only. Evidence about an attempt that was never sent is a contradiction that money wins:
/// only a success is believed.
#[must_use]
pub fn join(state: AttemptState, seen: Observation) -> AttemptState {
    use AttemptState as S;
    use Observation as O;
    match (state, seen) {
        (_, O::Succeeded) | (S::Succeeded, _) => S::Succeeded,
        (S::Dismissed, _) => S::Dismissed,
        (_, O::Underpaid) | (S::Underpaid, _) => S::Underpaid,
        (S::Claimed | S::Released, _) => state,
        (_, O::Scheduled) | (S::Scheduled, _) => S::Scheduled,
        (S::Failed(known), O::Failed(new)) => S::Failed(sharper(known, new)),
        (_, O::Failed(reason)) => S::Failed(reason),
        (S::Failed(_) | S::Abandoned | S::NeedsReview, O::Pending { .. } | O::Unknown) => state,
        (S::Pending { customer_action: known }, O::Pending { customer_action: new }) => {
            S::Pending { customer_action: known || new }
        }
        (S::Sent | S::Unknown, O::Pending { customer_action }) => S::Pending { customer_action },
        (S::Pending { .. }, O::Unknown) => state,
        (S::Sent | S::Unknown, O::Unknown) => S::Unknown,
    }
}

/// Of two reasons for one failure, the one that says more; an arbitrary but fixed order among equals.
fn sharper(a: FailureReason, b: FailureReason) -> FailureReason {
    let rank = |reason| match reason {
        FailureReason::Other => 0,
        FailureReason::ProcessingError => 1,
        FailureReason::Declined => 2,
        FailureReason::NotPossible => 3,
        FailureReason::Cancelled => 4,
        FailureReason::MethodNotUsable => 5,
        FailureReason::MethodNotReusable => 6,
        FailureReason::WrongCurrency => 7,
        FailureReason::AuthenticationFailed => 8,
        FailureReason::LimitExceeded => 9,
        FailureReason::InsufficientFunds => 10,
        FailureReason::ExpiredCard => 11,
    };
    if rank(b) > rank(a) { b } else { a }
}

/// The attempt's state after waiting in vain: never chargeable again, still open to evidence.
#[must_use]
pub fn abandon(state: AttemptState) -> AttemptState {
    match state {
        AttemptState::Unknown | AttemptState::Pending { .. } => AttemptState::Abandoned,
        other => other,
    }
}

/// Returns the attempt's state after its waiting has come to its end: for a person to look at, still open to evidence.
#[must_use]
pub fn review(state: AttemptState) -> AttemptState {
    match state {
        AttemptState::Unknown | AttemptState::Pending { .. } | AttemptState::Abandoned => {
            AttemptState::NeedsReview
        }
        other => other,
    }
}

/// The offer's state after one of its attempts came to `attempt`.
///
/// `current` says whether that attempt is the offer's latest. A stale attempt can still bring money in, and nothing
/// else: a slow "declined" of the first attempt must not open the button while the second is under way.
#[must_use]
pub fn offer_after(offer: OfferState, attempt: AttemptState, current: bool) -> OfferState {
    match attempt {
        AttemptState::Succeeded | AttemptState::Scheduled => OfferState::Charged,
        // Money came in that does not buy it: nothing further is charged until a person has decided.
        AttemptState::Underpaid => match offer {
            OfferState::Charged | OfferState::Declined | OfferState::Expired => offer,
            _ => OfferState::Abandoned,
        },
        _ if !current => offer,
        _ => match offer {
            OfferState::Accepting | OfferState::Pending | OfferState::Unknown => match attempt {
                AttemptState::Claimed | AttemptState::Sent => OfferState::Accepting,
                AttemptState::Unknown => OfferState::Unknown,
                AttemptState::Pending { .. } => OfferState::Pending,
                AttemptState::Failed(_) => OfferState::Failed,
                AttemptState::Abandoned | AttemptState::NeedsReview => OfferState::Abandoned,
                AttemptState::Released
                | AttemptState::Dismissed
                | AttemptState::Underpaid
                | AttemptState::Succeeded
                | AttemptState::Scheduled => offer,
            },
            OfferState::Eligible
            | OfferState::Presented
            | OfferState::Failed
            | OfferState::Charged
            | OfferState::Declined
            | OfferState::Expired
            | OfferState::Abandoned => offer,
        },
    }
}

/// Whether an attempt in this state may still bring money in, so that no other may be begun beside it.
#[must_use]
pub fn is_live(state: AttemptState) -> bool {
    matches!(
        state,
        AttemptState::Claimed | AttemptState::Sent | AttemptState::Unknown | AttemptState::Pending { .. }
    )
}

#[cfg(test)]
#[path = "states_tests.rs"]
mod tests;
