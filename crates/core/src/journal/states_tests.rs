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
        Just(AttemptState::NeedsReview),
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
            assert_eq!(open_for(kind).contains(&state), open.contains(&state) && !failed_card, "{state:?}");
        }
        assert_eq!(may_decline(state), open.contains(&state) || state == OfferState::Expired, "{state:?}");
    }
}
