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
pub const ACTED: [AttemptWord; 8] = [
    AttemptWord::Sent,
    AttemptWord::Unknown,
    AttemptWord::Pending,
    AttemptWord::Abandoned,
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
    matches!(state, AttemptState::Abandoned | AttemptState::Underpaid)
}

/// Says whether an attempt in this state is looked up: its request may have left, and no definite answer came.
#[must_use]
pub fn is_looked_up(state: AttemptState) -> bool {
    match state {
        AttemptState::Sent
        | AttemptState::Unknown
        | AttemptState::Pending { .. }
        | AttemptState::Underpaid
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
/// `succeeded` absorbs everything, then what a person decided, then `underpaid`, then `scheduled`, then `failed`; `pending` beats `unknown`; an abandoned attempt is
/// moved by definite evidence only. Evidence about an attempt that was never sent is a contradiction that money wins:
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
        (S::Failed(_) | S::Abandoned, O::Pending { .. } | O::Unknown) => state,
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
                AttemptState::Abandoned => OfferState::Abandoned,
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn observation() -> impl Strategy<Value = Observation> {
        prop_oneof![
            Just(Observation::Unknown),
            any::<bool>().prop_map(|customer_action| Observation::Pending { customer_action }),
            prop::sample::select(FailureReason::ALL).prop_map(Observation::Failed),
            Just(Observation::Scheduled),
            Just(Observation::Succeeded),
        ]
    }

    fn sent_state() -> impl Strategy<Value = AttemptState> {
        prop_oneof![
            Just(AttemptState::Sent),
            Just(AttemptState::Unknown),
            any::<bool>().prop_map(|customer_action| AttemptState::Pending { customer_action }),
            prop::sample::select(FailureReason::ALL).prop_map(AttemptState::Failed),
            Just(AttemptState::Abandoned),
            Just(AttemptState::Scheduled),
            Just(AttemptState::Succeeded),
        ]
    }

    fn offer_state() -> impl Strategy<Value = OfferState> {
        prop::sample::select(OfferState::ALL)
    }

    proptest! {
        /// I10.
        #[test]
        fn order_does_not_matter(state in sent_state(), seen in prop::collection::vec(observation(), 0..6), seed: u64) {
            let fold = |seen: &[Observation]| seen.iter().fold(state, |state, seen| join(state, *seen));
            let mut shuffled = seen.clone();
            let mut seed = seed;
            for i in (1..shuffled.len()).rev() {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                shuffled.swap(i, usize::try_from(seed >> 33).unwrap() % (i + 1));
            }
            prop_assert_eq!(fold(&seen), fold(&shuffled));
        }

        /// I10.
        #[test]
        fn saying_it_twice_changes_nothing(state in sent_state(), seen in observation()) {
            let once = join(state, seen);
            prop_assert_eq!(join(once, seen), once);
        }

        /// I12: a success is never taken back, whatever comes later.
        #[test]
        fn success_absorbs(state in sent_state(), seen in observation()) {
            prop_assert_eq!(join(AttemptState::Succeeded, seen), AttemptState::Succeeded);
            prop_assert_eq!(join(state, Observation::Succeeded), AttemptState::Succeeded);
        }

        /// I6: only a definite failure of the latest attempt opens the offer again.
        #[test]
        fn the_offer_opens_after_a_definite_failure_only(offer in offer_state(), state in sent_state(), current: bool) {
            let after = offer_after(offer, state, current);
            let open = |offer| matches!(offer, OfferState::Eligible | OfferState::Presented | OfferState::Failed);
            if !open(offer) && open(after) {
                prop_assert!(current);
                prop_assert!(matches!(state, AttemptState::Failed(_)));
            }
        }

        /// I7: a refusal stands against everything but money.
        #[test]
        fn declined_stays_declined_unless_money_came(state in sent_state(), current: bool) {
            let after = offer_after(OfferState::Declined, state, current);
            let money = matches!(state, AttemptState::Succeeded | AttemptState::Scheduled);
            prop_assert_eq!(after, if money { OfferState::Charged } else { OfferState::Declined });
        }

        /// I5: money always ends in `charged`.
        #[test]
        fn money_always_ends_in_charged(offer in offer_state(), current: bool) {
            prop_assert_eq!(offer_after(offer, AttemptState::Succeeded, current), OfferState::Charged);
        }
    }

    #[test]
    fn a_slow_decline_of_an_earlier_attempt_does_not_open_the_button() {
        let declined = AttemptState::Failed(FailureReason::Declined);
        assert_eq!(offer_after(OfferState::Accepting, declined, false), OfferState::Accepting);
        assert_eq!(offer_after(OfferState::Accepting, declined, true), OfferState::Failed);
    }

    #[test]
    fn an_abandoned_offer_is_never_chargeable_again() {
        let failed = join(AttemptState::Abandoned, Observation::Failed(FailureReason::Declined));
        assert_eq!(failed, AttemptState::Failed(FailureReason::Declined));
        assert_eq!(offer_after(OfferState::Abandoned, failed, true), OfferState::Abandoned);
        assert_eq!(offer_after(OfferState::Abandoned, AttemptState::Succeeded, true), OfferState::Charged);
    }

    #[test]
    fn only_undecided_attempts_are_abandoned() {
        assert_eq!(abandon(AttemptState::Unknown), AttemptState::Abandoned);
        assert_eq!(abandon(AttemptState::Pending { customer_action: true }), AttemptState::Abandoned);
        for state in [
            AttemptState::Claimed,
            AttemptState::Released,
            AttemptState::Sent,
            AttemptState::Failed(FailureReason::Declined),
            AttemptState::Scheduled,
            AttemptState::Succeeded,
        ] {
            assert_eq!(abandon(state), state);
        }
    }

    #[test]
    fn what_was_never_sent_is_moved_by_money_only() {
        for state in [AttemptState::Claimed, AttemptState::Released] {
            assert_eq!(join(state, Observation::Failed(FailureReason::Declined)), state);
            assert_eq!(join(state, Observation::Pending { customer_action: false }), state);
            assert_eq!(join(state, Observation::Succeeded), AttemptState::Succeeded);
        }
    }

    /// The lists of words, by which rows are found, say what the functions say.
    #[test]
    fn words_and_states_agree() {
        let reason = FailureReason::Declined;
        for word in AttemptWord::ALL.iter().copied() {
            let state = AttemptState::from_parts(word, false, Some(reason)).unwrap();
            assert_eq!(LIVE.contains(&word), is_live(state), "{word:?}");
            assert_eq!(COLLECTED.contains(&word), is_collected(state), "{word:?}");
            assert_eq!(ACTED.contains(&word), may_have_acted(state), "{word:?}");
            assert_eq!(word.is_unsettled(), is_live(state), "{word:?}");
        }
    }

    /// I6, I7: what may be taken or refused has no payment under way and was not refused before.
    #[test]
    fn only_open_offers_are_taken_or_refused() {
        let open = [OfferState::Eligible, OfferState::Presented, OfferState::Failed];
        for &state in OfferState::ALL {
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
