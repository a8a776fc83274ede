//! I10 over whole stores: settling in any order, any number of times.

use proptest::prelude::*;

use super::walk::{choices, collected, walk};
use crate::{
    domain::{AttemptKind, AttemptState, Observation, PaymentStatus},
    journal::{
        Settle, Settlement, StoredAttempt, fixtures::paid, memory::Memory, states, world::evidence_of,
    },
    policy::refunds::RefundRules,
};

proptest! {
    /// I10: what is seen of an attempt by one payment settles alike in every order, any number of times.
    #[test]
    fn i10_settling_is_commutative_and_idempotent(
        choices in choices(), which: u64, seen in prop::collection::vec(any::<u64>(), 1..5), backs: bool
    ) {
        let (store, world) = walk(&choices, |_, _, _| Ok(()))?;
        let Some(attempt) = chosen(&store, which, |attempt| has_one_payment(&store, attempt)) else {
            return Ok(());
        };
        let seen: Vec<_> = seen.iter().map(|choice| evidence_of(*choice, &attempt.row, world.now)).collect();
        // Late is what comes after giving up, unless something else was seen of its payment between: that depends on the
        // order.
        let is_told = |seen: &Settlement| matches!(seen.observation, Observation::Failed(_) | Observation::Pending { .. });
        let is_told_of = seen.iter().any(|seen| is_told(seen) || seen.payment.as_ref().is_some_and(|payment| payment.status != PaymentStatus::Succeeded));
        let late = backs && !is_told_of && attempt.row.kind == AttemptKind::OneClick;
        let refund = RefundRules { late, surplus: backs, excess: None };
        let settlements: Vec<_> = seen.into_iter().map(|seen| Settlement { refund, ..seen }).collect();
        let forwards = settled(&store, attempt, settlements.iter());
        let alike = |other| other == forwards;
        prop_assert!(alike(settled(&store, attempt, settlements.iter().rev())), "{attempt:#?} {settlements:#?}");
        for turn in 1..settlements.len() {
            let turned = settlements.iter().cycle().skip(turn).take(settlements.len());
            prop_assert!(alike(settled(&store, attempt, turned)), "{attempt:#?} {settlements:#?}");
        }
        let twice = settlements.iter().chain(&settlements);
        prop_assert!(alike(settled(&store, attempt, twice)), "{attempt:#?} {settlements:#?}");
    }

    /// I10: of several payments of one attempt one counts, whichever comes first; every other one is reported.
    #[test]
    fn i10_of_several_payments_one_counts(
        choices in choices(), which: u64, order in Just(vec!["a", "b", "c"]).prop_shuffle()
    ) {
        let (mut store, _) = walk(&choices, |_, _, _| Ok(()))?;
        let Some(attempt) = chosen(&store, which, |attempt| !is_proven_otherwise(&store, attempt)) else {
            return Ok(());
        };
        let id = attempt.row.id.clone();
        for by in order.iter().chain(&order) {
            store.settle(&id, &paid(&format!("pay_{id}_{by}")));
        }
        let kept = collected(&store, &id).filter(|payment| !payment.surplus).count();
        prop_assert_eq!(kept, usize::from(!store.attempts[&id].surplus));
        prop_assert_eq!(store.state(&id), AttemptState::Succeeded);
    }
}

/// One of the attempts that were sent and fit.
fn chosen(store: &Memory, which: u64, fits: impl Fn(&StoredAttempt) -> bool) -> Option<&StoredAttempt> {
    let sent = store.attempts.values().filter(|attempt| states::may_have_acted(attempt.row.state));
    let fitting: Vec<_> = sent.filter(|attempt| fits(attempt)).collect();
    let no = which.checked_rem(u64::try_from(fitting.len()).ok()?)?;
    fitting.get(usize::try_from(no).ok()?).copied()
}

/// Says whether no other than the first payment of an attempt has been seen.
fn has_one_payment(store: &Memory, attempt: &StoredAttempt) -> bool {
    let mut seen = store.payments.values().filter(|payment| payment.attempt_id == attempt.row.id);
    seen.all(|payment| payment.record.payment.id.as_str().ends_with("_0"))
}

/// Says whether a change of plan was seen to be made, and the payment on record of it has not collected: it may be another
/// one that does.
fn is_proven_otherwise(store: &Memory, StoredAttempt { row, .. }: &StoredAttempt) -> bool {
    let has_collected = |id| {
        let payment = store.payments.get(id);
        payment.is_some_and(|payment| payment.record.payment.status == PaymentStatus::Succeeded)
    };
    row.state == AttemptState::Succeeded && row.payment_id.as_ref().is_some_and(|id| !has_collected(id))
}

/// The store after these settlements, without what their order shows in.
fn settled<'a>(
    store: &Memory,
    attempt: &StoredAttempt,
    settlements: impl Iterator<Item = &'a Settlement>,
) -> Memory {
    let mut store = store.clone();
    let (mut with_payment, mut without) = (false, false);
    for settlement in settlements {
        let collects = !matches!(
            settlement.observation,
            Observation::Failed(_) | Observation::Unknown | Observation::Pending { .. }
        );
        with_payment |= collects && settlement.payment.is_some();
        without |= collects && settlement.payment.is_none();
        store.execute(&Settle { attempt: &attempt.row.id, settlement });
    }
    let id = &attempt.row.id;
    // Surplus money goes back when it is what proves the success; a plan change may be proven otherwise.
    if with_payment && without && store.attempts[id].surplus {
        store.orders.clear();
        store.notifications.clear();
    }
    store.without_traces_of_order()
}
