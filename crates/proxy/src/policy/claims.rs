//! Which offers may be taken and refused, and how one stands that was claimed for nothing. Pure; the store asks inside
//! its transactions, and the model of the protocol asks the same functions.

use crate::domain::{AttemptKind, OfferState};

/// Offers that an attempt of this kind may take: one click takes what was not tried yet; another way to pay, or a plan
/// change after a new card was given, also what has failed.
#[must_use]
pub fn open_for(kind: AttemptKind) -> &'static [OfferState] {
    match kind {
        AttemptKind::OneClick => &[OfferState::Eligible, OfferState::Presented],
        AttemptKind::Hosted | AttemptKind::PlanChange => {
            &[OfferState::Eligible, OfferState::Presented, OfferState::Failed]
        }
    }
}

/// Whether a refusal is taken: not while money may be under way, and not after it came.
#[must_use]
pub fn may_decline(offer: OfferState) -> bool {
    match offer {
        OfferState::Eligible | OfferState::Presented | OfferState::Failed | OfferState::Expired => true,
        OfferState::Accepting
        | OfferState::Pending
        | OfferState::Unknown
        | OfferState::Charged
        | OfferState::Declined
        | OfferState::Abandoned => false,
    }
}

/// How an offer stands again after a claim was given up: as before it. One whose card was declined stays one whose card
/// was declined.
#[must_use]
pub fn reopened(failed_before: bool) -> OfferState {
    if failed_before { OfferState::Failed } else { OfferState::Presented }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// I6, I7: what may be taken or refused has no payment under way and was not refused before.
    #[test]
    fn only_open_offers_are_taken_or_refused() {
        let open = [OfferState::Eligible, OfferState::Presented, OfferState::Failed];
        for state in [
            OfferState::Eligible,
            OfferState::Presented,
            OfferState::Accepting,
            OfferState::Pending,
            OfferState::Unknown,
            OfferState::Failed,
            OfferState::Charged,
            OfferState::Declined,
            OfferState::Expired,
            OfferState::Abandoned,
        ] {
            for kind in [AttemptKind::OneClick, AttemptKind::Hosted, AttemptKind::PlanChange] {
                let failed_card = kind == AttemptKind::OneClick && state == OfferState::Failed;
                assert_eq!(
                    open_for(kind).contains(&state),
                    open.contains(&state) && !failed_card,
                    "{state:?}"
                );
            }
            assert_eq!(
                may_decline(state),
                open.contains(&state) || state == OfferState::Expired,
                "{state:?}"
            );
        }
    }
}
