//! Checkers: what the simulator's ledger and the store must agree on, whatever happened before.
//!
//! Each function names the invariants of `docs/ARCHITECTURE.md` that it checks, and returns every violation that it finds.
//! A checker knows nothing of the scenario: what is particular to a scenario belongs to its test.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use dodo_client::ids::PaymentId;
use dodo_sim::{Charge, Request};
use proxy::store::Store;
use upsell_core::{
    domain::{AttemptKind, AttemptRow, AttemptState, OfferRow, OfferState, OrderState},
    journal::states::is_live,
};
use wire::AttemptId;

use crate::{Dodo, Shown, Tally, attempt_in, attempt_of};

/// A promise about money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// Nothing is collected twice, or above what was quoted (I1, I2, I3, I4, I7, I8).
    NoDoubleCharge,
    /// What was collected is on record as collected (I5, I9).
    NoLostPayment,
    /// Nothing stays undecided beyond its deadline (I6, I13).
    NoStuckAttempt,
    /// Nothing is recorded or answered that is not so (I11, I12).
    NothingMisreported,
}

/// A promise that was broken, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The promise.
    pub promise: Promise,
    /// How it was broken.
    pub what: String,
}

impl Violation {
    /// Creates a violation.
    #[must_use]
    pub fn new(promise: Promise, what: impl Into<String>) -> Self {
        Self { promise, what: what.into() }
    }
}

/// Violations found so far.
#[derive(Default)]
struct Found(Vec<Violation>);

impl Found {
    fn check(&mut self, is_wrong: bool, promise: Promise, what: impl Into<String>) {
        if is_wrong {
            self.0.push(Violation::new(promise, what));
        }
    }
}

/// Checks after the deadline everything that must hold of an offer in any scenario: [`charges`], [`requests`], [`record`]
/// and [`decided`].
///
/// # Errors
/// When the store fails or does not know the offer.
pub async fn offer(dodo: &Dodo, store: &dyn Store, shown: &Shown) -> anyhow::Result<Vec<Violation>> {
    let (customer, quoted) = (&shown.offer.customer_id, shown.quote.quote.total);
    let collected = dodo.collected_from(customer.as_str());
    let offer = store.offer(customer, &shown.offer.id).await?.context("the offer is gone")?;
    let latest = store.latest_attempt(&shown.offer.id).await?;
    let mut found = charges(&collected, quoted);
    found.extend(requests(store, &dodo.charging_requests_of(customer.as_str())).await?);
    found.extend(record(&offer, latest.as_ref(), collected.first(), quoted));
    found.extend(decided(&offer, latest.as_ref()));
    Ok(found)
}

/// Checks that one buyer's offer led to at most one charging request and one charge (I1, I3).
#[must_use]
pub fn at_most_once(Tally { posts, paid }: Tally) -> Option<Violation> {
    let what = format!("{posts} requests, {paid} charges");
    (posts > 1 || paid > 1).then(|| Violation::new(Promise::NoDoubleCharge, what))
}

/// Checks that one buyer's offer led to exactly one charging request, and to at most one charge (I1, I3).
#[must_use]
pub fn sent_once(Tally { posts, paid }: Tally) -> Option<Violation> {
    let what = format!("{posts} requests, {paid} charges");
    (posts != 1 || paid > 1).then(|| Violation::new(Promise::NoDoubleCharge, what))
}

/// Checks that one buyer's offer led to exactly one charging request and one charge (I1, I3).
#[must_use]
pub fn charged_once(Tally { posts, paid }: Tally) -> Option<Violation> {
    let what = format!("{posts} requests, {paid} charges");
    (posts != 1 || paid != 1).then(|| Violation::new(Promise::NoDoubleCharge, what))
}

/// Checks that an offer was paid at most once (I1), and not above what was quoted (I8).
#[must_use]
pub fn charges(collected: &[Charge], quoted: i64) -> Vec<Violation> {
    let mut found = Found::default();
    let above = collected.iter().any(|charge| charge.amount > quoted);
    found.check(collected.len() > 1, Promise::NoDoubleCharge, format!("{} payments", collected.len()));
    found.check(above, Promise::NoDoubleCharge, "more was collected than was shown");
    found.0
}

/// Checks that each attempt sent at most one charging request (I3), and only after it was marked as sent (I4).
///
/// # Errors
/// When the store fails, or the id of an attempt is malformed.
pub async fn requests(store: &dyn Store, posts: &[Request]) -> anyhow::Result<Vec<Violation>> {
    let mut by_attempt: BTreeMap<String, u32> = BTreeMap::new();
    let mut found = Found::default();
    for post in posts {
        match attempt_in(post) {
            Some(attempt) => {
                let sent = by_attempt.entry(attempt).or_default();
                *sent = sent.saturating_add(1);
            }
            None => found.check(true, Promise::NoDoubleCharge, "a charging request names no attempt"),
        }
    }
    for (attempt, sent) in by_attempt {
        found.check(sent > 1, Promise::NoDoubleCharge, format!("{attempt} was sent {sent} times"));
        let marked = is_marked(store, &AttemptId::parse(attempt.as_str())?).await?;
        found.check(!marked, Promise::NoDoubleCharge, format!("{attempt} was sent without its mark"));
    }
    Ok(found.0)
}

/// Returns whether an attempt was ever marked as sent.
///
/// # Errors
/// When the store fails.
pub async fn is_marked(store: &dyn Store, attempt: &AttemptId) -> anyhow::Result<bool> {
    Ok(store.history(attempt).await?.iter().any(|line| line.event == "sent"))
}

/// Checks that an offer and its latest attempt record the charge that was made, and no other (I5, I9).
#[must_use]
pub fn record(
    offer: &OfferRow,
    latest: Option<&AttemptRow>,
    collected: Option<&Charge>,
    quoted: i64,
) -> Option<Violation> {
    let recorded = latest.filter(|row| row.state == AttemptState::Succeeded);
    match (collected, recorded) {
        (None, None) => (offer.state == OfferState::Charged)
            .then(|| Violation::new(Promise::NothingMisreported, "charged without a payment")),
        (None, Some(_)) => Some(Violation::new(Promise::NothingMisreported, "succeeded without a payment")),
        (Some(_), None) => {
            let what = format!("paid, and the offer is {:?}", offer.state);
            Some(Violation::new(Promise::NoLostPayment, what))
        }
        (Some(charge), Some(row)) => {
            let on_record =
                records(row, charge) && row.consent.amount == quoted && offer.state == OfferState::Charged;
            let what = format!("paid, and not on record as it is: {:?}", offer.state);
            (!on_record).then(|| Violation::new(Promise::NoLostPayment, what))
        }
    }
}

/// Returns whether an attempt names a charge as its payment, with the amount that was collected on its receipt.
#[must_use]
pub fn records(row: &AttemptRow, charge: &Charge) -> bool {
    row.state == AttemptState::Succeeded
        && row.payment_id.as_ref().is_some_and(|id| id.as_str() == charge.payment_id)
        && row.receipt.as_ref().is_some_and(|receipt| receipt.amount == charge.amount)
}

/// Checks after the deadline that an offer and its latest attempt are decided (I6, I13). A hosted checkout may wait for its
/// buyer.
#[must_use]
pub fn decided(offer: &OfferRow, latest: Option<&AttemptRow>) -> Vec<Violation> {
    let waits = |row: &&AttemptRow| row.kind == AttemptKind::Hosted;
    let mut found = Found(latest.filter(|row| !waits(row)).and_then(attempt_decided).into_iter().collect());
    let is_open = matches!(offer.state, OfferState::Accepting | OfferState::Unknown);
    let what = format!("the offer is {:?} after half an hour", offer.state);
    found.check(is_open, Promise::NoStuckAttempt, what);
    found.0
}

/// Checks after the deadline that an attempt is decided (I13).
#[must_use]
pub fn attempt_decided(row: &AttemptRow) -> Option<Violation> {
    let what = format!("{} is {:?} after half an hour", row.id, row.state);
    is_live(row.state).then(|| Violation::new(Promise::NoStuckAttempt, what))
}

/// Checks that no attempt was paid twice (I3).
#[must_use]
pub fn attempts_paid_once(collected: &[Charge]) -> Vec<Violation> {
    let mut seen = BTreeSet::new();
    let attempts = collected.iter().filter_map(attempt_of);
    let twice = attempts.filter(|attempt| !seen.insert(attempt.clone()));
    twice
        .map(|attempt| Violation::new(Promise::NoDoubleCharge, format!("{attempt} was collected twice")))
        .collect()
}

/// Checks after the deadline that the state of an offer that was charged without a reply is the truth about the money (I5,
/// I13).
#[must_use]
pub fn found_out(state: OfferState, paid: u32) -> Option<Violation> {
    let (promise, what) = match (state, paid) {
        (OfferState::Charged, 1) | (OfferState::Abandoned, 0) => return None,
        (OfferState::Accepting | OfferState::Pending | OfferState::Unknown, _) => {
            (Promise::NoStuckAttempt, format!("still {state:?}"))
        }
        (_, 0) => (Promise::NothingMisreported, format!("{state:?}, nothing paid")),
        _ => (Promise::NoLostPayment, format!("{state:?}, and it was paid")),
    };
    Some(Violation::new(promise, what))
}

/// Checks that an attempt that a buyer was told to have failed was not paid (I12).
#[must_use]
pub fn told_failed(attempt: &AttemptId, collected: &[Charge]) -> Option<Violation> {
    let what = format!("{attempt} was said to have failed and was paid");
    is_paid(attempt, collected).then(|| Violation::new(Promise::NothingMisreported, what))
}

/// Returns whether one of these charges names an attempt.
#[must_use]
pub fn is_paid(attempt: &AttemptId, collected: &[Charge]) -> bool {
    collected.iter().any(|charge| attempt_of(charge).as_deref() == Some(attempt.as_str()))
}

/// Checks the refunds of a charge under rules that give late payments back: requested at most once and only after the mark,
/// not above what was collected, and on record as they are. `row` is the attempt that the charge belongs to.
///
/// # Errors
/// When the store fails or the simulator does not answer.
pub async fn refunds(
    dodo: &Dodo,
    store: &dyn Store,
    charge: &Charge,
    row: Option<&AttemptRow>,
) -> anyhow::Result<Vec<Violation>> {
    let payment = PaymentId::parse(charge.payment_id.as_str())?;
    let (requests, back) =
        (dodo.refund_requests_of(payment.as_str()), dodo.given_back(payment.as_str()).await?);
    let order = store.refund_order(&payment).await?;
    let sale = store.sale(&payment).await?;
    let given_up = match row {
        Some(row) => store.history(&row.id).await?.iter().any(|line| line.event == "abandoned"),
        None => false,
    };
    let state = order.as_ref().map(|order| order.state);
    let marked = order.as_ref().is_some_and(|order| order.sent_at.is_some());
    let done = state == Some(OrderState::Done);
    let mut found = Found::default();
    found.check(requests > 1, Promise::NoDoubleCharge, "a refund was requested twice");
    found.check(back > charge.amount, Promise::NoDoubleCharge, "more went back than was collected");
    let unmarked = requests > 0 && !marked;
    found.check(unmarked, Promise::NoDoubleCharge, "a refund was requested without its mark");
    let what = "a late payment without an order to give it back, or the reverse";
    found.check(given_up != order.is_some(), Promise::NoLostPayment, what);
    let due = state == Some(OrderState::Due);
    found.check(due, Promise::NoStuckAttempt, "a refund is due after half an hour");
    let refused = state == Some(OrderState::Refused);
    found.check(refused, Promise::NothingMisreported, "a refund was called refused and was not");
    found.check(done && back == 0, Promise::NothingMisreported, "a refund was called done and was not");
    let what = "money went back, and that is not on record";
    found.check(back > 0 && !done, Promise::NoLostPayment, what);
    let unknown = sale.is_some_and(|sale| sale.refunded != back);
    found.check(unknown, Promise::NoLostPayment, "the sale does not know what went back");
    Ok(found.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_judged_by_what_was_promised() {
        let of = |posts, paid| Tally { posts, paid };
        assert_eq!([of(0, 0), of(1, 0), of(1, 1)].map(|tally| at_most_once(tally).is_none()), [true; 3]);
        assert_eq!([of(2, 1), of(1, 2)].map(|tally| at_most_once(tally).is_some()), [true; 2]);
        assert_eq!([of(1, 0), of(1, 1)].map(|tally| sent_once(tally).is_none()), [true; 2]);
        assert!(sent_once(of(0, 0)).is_some());
        assert!(charged_once(of(1, 1)).is_none() && charged_once(of(1, 0)).is_some());
    }

    #[test]
    fn an_offer_has_to_tell_the_truth_about_the_money() {
        let promise = |state, paid| found_out(state, paid).map(|violation| violation.promise);
        assert_eq!(promise(OfferState::Charged, 1), None);
        assert_eq!(promise(OfferState::Abandoned, 0), None);
        assert_eq!(promise(OfferState::Unknown, 1), Some(Promise::NoStuckAttempt));
        assert_eq!(promise(OfferState::Charged, 0), Some(Promise::NothingMisreported));
        assert_eq!(promise(OfferState::Failed, 1), Some(Promise::NoLostPayment));
    }
}
