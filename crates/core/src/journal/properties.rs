//! The invariants of `docs/ARCHITECTURE.md` by number, over random sequences of steps in a small world ([`World`]).
//!
//! I8 is not here: what may be collected is decided before a claim, and `policy::quote_lock` has the property.
//!
//! The net below the rules (guards and unique indexes) is left out here: what a rule lets through is seen. Seen to fail when:
//!
//! | broken in production code | failed |
//! |---|---|
//! | a second payment of an attempt is not surplus; the latest payment counts, not the first that collected | I1 |
//! | a claim does not ask whether the subscription is busy | I2 |
//! | the sent mark does not ask for the state, or for the lease | I3, I4 |
//! | the sent mark of a refund order does not ask for its state | I3, I4 |
//! | money of an earlier attempt leaves the offer as it is | I5 |
//! | a claim does not ask for rivals; `offer_after` is not fenced; a rebuilt attempt leaves its offer open | I6 |
//! | an offer can be declined while it is being paid; the sent mark does not ask for the offer; offers do not end | I7 |
//! | settling does not keep the receipt; a payment's status goes back | I9 |
//! | the payment of a surplus attempt is not surplus; a failure goes back to pending | I10 |
//! | a claim does not ask for the key | I11 |
//! | a failure goes back to pending | I12 |
//! | settling does not keep the time of the next look | I13 |
//! | settling does not notify; a failure is notified again; a sale that goes back is notified as one | I14 |
//! | a claim or a refusal asks about its own offer only; a sent mark does not ask what came in meanwhile | I15 |
//! | settling does not load the other attempts | the scope |

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    Change, ClaimOutcome, Command, Conclusion, HistoryEvent, KeptKey, MarkSent, Record, Release, Scope,
    StoredAttempt, Took, Watermark,
    any_command::{AnyCommand, Outcome},
    decide,
    fixtures::{after, claim_of},
    memory::Memory,
    record::OfferKey,
    states,
    world::{Step, World},
};
use crate::domain::{AttemptKind, AttemptState, OfferState, OrderState, PaymentStatus};

use self::walk::{choices, collected, gone_on, live, of_offer, take, walk};

mod same_thing;
mod settling;
mod walk;

proptest! {
    /// I1: of all that is collected for an offer, one payment at most is not reported as surplus.
    #[test]
    fn i1_one_succeeded_payment_per_offer(choices in choices()) {
        walk(&choices, |store, _, _| {
            for offer in store.offers.keys() {
                let payments = of_offer(store, offer).flat_map(|attempt| collected(store, &attempt.row.id));
                prop_assert!(payments.filter(|payment| !payment.surplus).count() <= 1, "{}", offer);
            }
            Ok(())
        })?;
    }

    /// I2: one attempt at most is live on an offer, and on a subscription, but for those put back beside one.
    #[test]
    fn i2_one_live_attempt_per_offer_and_subscription(choices in choices()) {
        walk(&choices, |store, _, _| {
            let mut offers = BTreeSet::new();
            let mut subscriptions = BTreeSet::new();
            for attempt in store.attempts.values().filter(live).filter(|attempt| !attempt.surplus) {
                let (offer, subscription) = (&attempt.row.offer_id, &attempt.row.subscription_id);
                prop_assert!(offer.as_ref().is_none_or(|id| offers.insert(id)), "{:?}", offer);
                prop_assert!(subscription.as_ref().is_none_or(|id| subscriptions.insert(id)), "{:?}", subscription);
            }
            Ok(())
        })?;
    }

    /// I3, I4: a request leaves once, after its attempt went from claimed to sent, by the process that has its lease.
    #[test]
    fn i3_i4_a_request_leaves_once_and_after_its_mark(choices in choices()) {
        let (store, world) = walk(&choices, |store, world, taken| {
            if let Some((AnyCommand::MarkSent(mark), Outcome::Flag(true))) = taken.command {
                let MarkSent { attempt, now, .. } = mark;
                prop_assert_eq!(taken.attempts[attempt], AttemptState::Claimed);
                prop_assert_eq!(store.state(attempt), AttemptState::Sent);
                prop_assert_eq!(world.requests[attempt], 1);
                let (lease_until, owner) = &taken.leases[attempt];
                prop_assert!(lease_until > now, "its lease ended at {:?}", lease_until);
                prop_assert_eq!(owner.as_ref(), Some(&store.instance));
                prop_assert_eq!(taken.changes.marks_sent(), Some(attempt));
            }
            Ok(())
        })?;
        let marks = store.history.iter().filter(|(_, _, event)| *event == HistoryEvent::Sent).count();
        prop_assert_eq!(marks, world.requests.len());
    }

    /// I3, I4 for refunds: an order is marked as sent once, until its request is proven not to have been executed.
    #[test]
    fn i3_i4_a_refund_is_sent_once(choices in choices()) {
        let mut sent = BTreeSet::new();
        walk(&choices, |_, _, taken| {
            match taken.command {
                Some((AnyCommand::MarkRefundSent(mark), Outcome::Flag(true))) => {
                    let is_first = sent.insert((mark.payment_id.clone(), mark.cause.as_str()));
                    prop_assert!(is_first, "{:?}", mark);
                }
                Some((AnyCommand::ConcludeRefund(order, Conclusion::Due(_), _), Outcome::Flag(true))) => {
                    sent.remove(&(order.payment_id.clone(), order.cause.as_str()));
                }
                _ => {}
            }
            Ok(())
        })?;
    }

    /// I5: whatever comes in for an offer ends in `charged`.
    #[test]
    fn i5_money_ends_in_charged(choices in choices()) {
        walk(&choices, |store, _, _| {
            for attempt in store.attempts.values() {
                let Some(offer) = &attempt.row.offer_id else { continue };
                let has_money = collected(store, &attempt.row.id).next().is_some();
                if has_money || states::is_collected(attempt.row.state) {
                    prop_assert_eq!(store.offers[offer].state, OfferState::Charged);
                }
            }
            Ok(())
        })?;
    }

    /// I6: an open offer has no live attempt. Where one was put back beside another, no third one can be made.
    #[test]
    fn i6_an_open_offer_has_no_live_attempt(choices in choices()) {
        walk(&choices, |store, world, taken| {
            if let Some((AnyCommand::Rebuild(..), Outcome::Took(Took::New(row)))) = taken.command {
                let offer = row.offer_id.as_ref().and_then(|id| store.offers.get(id));
                prop_assert!(offer.is_none_or(|offer| !states::OPEN_OFFERS.contains(&offer.state)), "{:?}", offer);
            }
            for offer in store.offers.values().filter(|offer| states::OPEN_OFFERS.contains(&offer.state)) {
                let mut kept = of_offer(store, &offer.id).filter(|attempt| !attempt.surplus);
                if !kept.any(|attempt| live(&attempt)) {
                    continue;
                }
                prop_assert!(world.put_back.contains(&offer.id), "{:?}", offer);
                let mut claim = claim_of(offer, "at_again", "key-again");
                claim.attempt.kind = AttemptKind::Hosted;
                let (outcome, _) = decide(&store.load(&claim.scope()), &claim);
                prop_assert_eq!(outcome, ClaimOutcome::OfferNotOpen(OfferState::Unknown));
            }
            Ok(())
        })?;
    }

    /// I7: what was refused or is over stays so, but for money; nothing is claimed or marked as sent on it.
    #[test]
    fn i7_a_refusal_stands(choices in choices()) {
        walk(&choices, |store, _, taken| {
            for (id, before) in taken.offers {
                let now = store.offers[id].state;
                let has_money = of_offer(store, id).any(|attempt| states::is_collected(attempt.row.state));
                let stands = match before {
                    OfferState::Declined | OfferState::Abandoned => now == *before,
                    OfferState::Expired => now == *before || now == OfferState::Declined,
                    OfferState::Charged => now == *before,
                    _ => true,
                };
                let is_paid = has_money && now == OfferState::Charged;
                prop_assert!(stands || is_paid, "{:?} to {:?}", before, now);
            }
            if let Some(id) = gone_on(store, taken).and_then(|attempt| attempt.row.offer_id.as_ref()) {
                let before = taken.offers[id];
                prop_assert!(!matches!(before, OfferState::Declined | OfferState::Expired), "{:?}", before);
                prop_assert_eq!(store.offers[id].state, OfferState::Accepting);
            }
            Ok(())
        })?;
    }

    /// I7: of a refusal and an accept one wins: nothing that may collect is under way on an offer when it is refused.
    #[test]
    fn i7_a_refusal_and_an_accept_exclude_each_other(choices in choices()) {
        walk(&choices, |store, world, taken| {
            for (id, _) in taken.offers.iter().filter(|(_, before)| **before != OfferState::Declined) {
                if store.offers[id].state == OfferState::Declined && !world.put_back.contains(id) {
                    prop_assert!(!of_offer(store, id).any(|attempt| states::excludes_others(attempt.row.state)));
                }
            }
            Ok(())
        })?;
    }

    /// I7: nothing is claimed on an offer that is over.
    #[test]
    fn i7_an_offer_ends(choices in choices(), at in 86_400..90_000_i64) {
        let (mut store, _) = walk(&choices, |_, _, _| Ok(()))?;
        for row in World::offers() {
            for kind in [AttemptKind::OneClick, AttemptKind::Hosted, AttemptKind::PlanChange] {
                let mut claim = claim_of(&row, "at_late", "key-late");
                (claim.attempt.kind, claim.attempt.created_at) = (kind, after(at));
                let outcome = store.execute(&claim);
                prop_assert!(matches!(outcome, ClaimOutcome::OfferNotOpen(_)), "{:?}", outcome);
            }
        }
    }

    /// I9: a success has its consent, its quote, and, unless nothing was due, its payment on record.
    #[test]
    fn i9_a_success_is_on_record(choices in choices()) {
        walk(&choices, |store, _, _| {
            for StoredAttempt { row, .. } in store.attempts.values() {
                if row.state != AttemptState::Succeeded {
                    continue;
                }
                let quote = store.quotes.get(&row.quote_id);
                prop_assert_eq!(quote.map(|quote| quote.quote.total), Some(row.consent.amount));
                if row.kind != AttemptKind::PlanChange {
                    let by = row.payment_id.as_ref().and_then(|id| store.payments.get(id));
                    let by = by.map(|payment| (&payment.attempt_id, payment.record.payment.status));
                    prop_assert_eq!(by, Some((&row.id, PaymentStatus::Succeeded)));
                    prop_assert!(row.receipt.is_some(), "{:?}", row);
                }
            }
            Ok(())
        })?;
    }

    /// I11: a key gets the attempt that was made with it, until that is released and the key with it.
    #[test]
    fn i11_one_key_gets_one_attempt(choices in choices()) {
        let mut made = BTreeMap::new();
        walk(&choices, |store, _, taken| {
            match taken.command {
                Some((AnyCommand::Claim(claim), Outcome::Claim(outcome))) => {
                    let key = (claim.attempt.customer_id.clone(), claim.attempt.key.clone());
                    match (made.get(&key), outcome) {
                        (Some(id), ClaimOutcome::KeyUsed(row)) => {
                            prop_assert_eq!((&row.id, &row.key), (id, &key.1));
                            prop_assert_eq!(row, &store.attempts[id].row);
                        }
                        (None, ClaimOutcome::Claimed(row)) => drop(made.insert(key, row.id.clone())),
                        (Some(id), other) => prop_assert!(false, "{} has the key, and {:?}", id, other),
                        (None, other) => prop_assert!(!matches!(other, ClaimOutcome::KeyUsed(_)), "{:?}", other),
                    }
                }
                Some((AnyCommand::Release(Release { attempt, key: KeptKey::Freed, .. }), Outcome::Flag(true))) => {
                    made.retain(|_, id| id != attempt);
                }
                _ => {}
            }
            Ok(())
        })?;
    }

    /// I12: whatever was said of an attempt before, collected is succeeded, for good.
    #[test]
    fn i12_a_success_is_never_taken_back(choices in choices()) {
        let mut failed = BTreeSet::new();
        walk(&choices, |store, _, taken| {
            let has_failed = |state: &AttemptState| matches!(state, AttemptState::Failed(_));
            failed.extend(taken.attempts.iter().filter(|(_, state)| has_failed(state)).map(|(id, _)| id.clone()));
            for (id, before) in taken.attempts {
                let now = store.state(id);
                if collected(store, id).next().is_some() || *before == AttemptState::Succeeded {
                    prop_assert_eq!(now, AttemptState::Succeeded);
                }
                if failed.contains(id) {
                    prop_assert!(has_failed(&now) || states::is_collected(now), "{:?}", now);
                }
            }
            Ok(())
        })?;
    }

    /// I13: what is undecided, and a refund that is on its way, has a time at which somebody looks.
    #[test]
    fn i13_nothing_undecided_is_forgotten(choices in choices()) {
        walk(&choices, |store, _, _| {
            for attempt in store.attempts.values().filter(live) {
                prop_assert!(attempt.row.next_check_at.is_some(), "{:?}", attempt);
            }
            for order in store.orders.values() {
                let is_open = matches!(order.row.state, OrderState::Due | OrderState::Sent);
                prop_assert!(!is_open || order.row.next_check_at.is_some(), "{:?}", order);
            }
            Ok(())
        })?;
    }

    /// I14: what an attempt came to is notified once, under one name, unless all of its money goes back.
    #[test]
    fn i14_every_end_is_notified_once(choices in choices()) {
        let mut notified = BTreeSet::new();
        walk(&choices, |store, _, taken| {
            for change in taken.changes {
                let Change::Notify { notification, .. } = change else { continue };
                if store.attempts.keys().any(|id| notification.id.starts_with(&format!("evt_{id}_"))) {
                    prop_assert!(notified.insert(notification.id.clone()), "{} again", notification.id);
                }
            }
            for StoredAttempt { row, .. } in store.attempts.values() {
                let event = match (row.state, row.kind) {
                    (AttemptState::Succeeded, AttemptKind::PlanChange) => "plan_changed",
                    (AttemptState::Succeeded, _) => "payment_succeeded",
                    (AttemptState::Scheduled, _) => "plan_change_scheduled",
                    (AttemptState::Failed(_), _) => "payment_failed",
                    _ => continue,
                };
                let is_notified = notified.contains(&format!("evt_{}_{event}", row.id));
                let goes_back = store.orders.values().any(|order| {
                    order.row.amount.is_none() && Some(&order.row.payment_id) == row.payment_id.as_ref()
                });
                let is_failure = matches!(row.state, AttemptState::Failed(_));
                prop_assert!(is_notified || (goes_back && !is_failure), "{:?}", row);
                // A change of plan may have been notified before its payment was known.
                let is_sale = event == "payment_succeeded";
                prop_assert!(!(is_sale && is_notified && goes_back), "nothing to fulfil: {:?}", row);
            }
            Ok(())
        })?;
    }

    /// A scope never leaves out what the decision reads: over everything that there is, it is the same.
    #[test]
    fn a_scope_covers_its_decision(choices in choices(), is_stale: bool) {
        let (mut store, mut world) = (World::store(), World::wild());
        store.watermark = Watermark { has_last_sent: !is_stale, ..Watermark::default() };
        for choice in choices {
            let step = world.next(choice, &store);
            if let Step::Command(command) = &step {
                let scope = command.scope();
                let everything = everything(&store, &scope);
                prop_assert_eq!(decide(&store.load(&scope), command), decide(&everything, command));
            }
            store.watermark.has_last_sent |= choice % 4 == 0;
            take(&mut store, &mut world, &step);
        }
    }
}

/// The record of a scope, and of what it does not ask for.
fn everything(store: &Memory, scope: &Scope) -> Record {
    let asked = store.load(scope);
    let attempt = asked.attempt.as_ref().map(|attempt| &attempt.row);
    store.load(&Scope {
        watermark: true,
        offer: scope.offer.clone().or(Some(OfferKey::OfAttempt)),
        siblings: true,
        same_thing: true,
        subscription: scope.subscription.clone().or_else(|| attempt?.subscription_id.clone()),
        quote: true,
        payment: scope.payment.clone().or_else(|| attempt?.payment_id.clone()),
        flags: true,
        ..scope.clone()
    })
}
