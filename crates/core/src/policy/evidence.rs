//! Whether a payment is the one that an attempt collects by, and what that proves (I16 to I18). Pure.
//!
//! Buyers write metadata, so a name there is a hint where to look, never evidence. Evidence is one of two things: an object
//! reached by an id that Dodo's reply to our own request named, or a payment whose name carries a valid code over everything
//! that is read. Both have to agree with what was asked for: buyer, cart, currency, amount. What is absent neither agrees
//! nor disagrees: it is fetched, and until then nothing follows.

use core::cmp::Ordering;

use dodo_client::{
    ids::PaymentId,
    types::{
        payments::{ChargeType, IntentStatus},
        subscriptions::Subscription,
    },
};
use money::later;

use super::observe::{self, Progress};
use crate::domain::{
    AttemptKind, AttemptRow, ChargePlan, Named, PaymentFacts, Proof, QuoteRow, StoreIdentity, Tags,
};
use crate::journal::states::is_collected;

/// Seconds by which Dodo's clock may be behind ours.
const CLOCK_SLACK: i64 = 600;
/// Seconds after a claim by which its request has left and was answered, or never will be.
const BEGINS_WITH_REQUEST: i64 = 180;
/// Seconds after a click within which its payment begins, at most. The shortest billing period is a day, so that a renewal
/// whose type Dodo leaves out is not mistaken for it.
const BEGINS_WITHIN: i64 = 12 * 3600;

/// How what was collected relates to what was agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Amount {
    /// As agreed. On a hosted page of ours: as Dodo priced it there.
    AsAgreed,
    /// Less.
    Less,
    /// More.
    More,
}

/// Why a payment is none of an attempt's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Foreign {
    /// A further payment of a subscription that an earlier one began, or a payment of a type that no attempt makes.
    OtherCharge,
    /// It comes from another checkout, or pays for another subscription.
    OtherOrigin,
    /// The attempt has its one payment already, and this one is named only.
    OtherPayment,
    /// It names the attempt, without a code.
    Unproven,
    /// Its code is about something else.
    OtherTerms,
    /// Somebody else pays.
    OtherBuyer,
    /// It buys something else.
    OtherCart,
    /// It is in another currency.
    OtherCurrency,
}

impl Foreign {
    /// Says whether a person has to look: somebody, or something, gave a payment a name that is not its own.
    #[must_use]
    pub fn is_suspicious(self) -> bool {
        match self {
            Self::OtherCharge | Self::OtherOrigin => false,
            Self::OtherPayment
            | Self::Unproven
            | Self::OtherTerms
            | Self::OtherBuyer
            | Self::OtherCart
            | Self::OtherCurrency => true,
        }
    }

    /// The word for it in logs and alerts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OtherCharge => "other_charge",
            Self::OtherOrigin => "other_origin",
            Self::OtherPayment => "other_payment",
            Self::Unproven => "unproven",
            Self::OtherTerms => "other_terms",
            Self::OtherBuyer => "other_buyer",
            Self::OtherCart => "other_cart",
            Self::OtherCurrency => "other_currency",
        }
    }
}

/// What has to be fetched before anything can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Missing {
    /// The payment itself: a listing leaves out what it bought.
    Payment,
    /// The subscription that it pays for.
    Subscription,
}

/// What a payment is to an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Its own.
    Own(Proof, Amount),
    /// None of its.
    Foreign(Foreign),
    /// Not known yet.
    Held(Missing),
}

/// Everything that the verdict depends on.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The attempt.
    pub row: &'a AttemptRow,
    /// Its quote.
    pub quote: &'a QuoteRow,
    /// The payment.
    pub payment: &'a PaymentFacts,
    /// The subscription that the payment names, as it is now, where it was fetched.
    pub subscription: Option<&'a Subscription>,
    /// What has made the payment the attempt's own before, where it is recorded as such.
    pub on_record: Option<Proof>,
    /// The payment of ours that began or changed the subscription that this payment names.
    pub began_by: Option<&'a PaymentId>,
    /// The store that the attempt is in.
    pub store: &'a StoreIdentity,
}

/// Judges what a payment is to an attempt.
#[must_use]
pub fn judge(case: &Case<'_>) -> Verdict {
    if is_other_charge(case) {
        return Verdict::Foreign(Foreign::OtherCharge);
    }
    let proof = match case.row.kind {
        AttemptKind::OneClick | AttemptKind::Hosted => proof_of_purchase(case),
        AttemptKind::PlanChange => proof_of_change(case),
    };
    match proof {
        Ok(proof) => agreement(case, proof),
        Err(verdict) => verdict,
    }
}

/// Renewals carry the metadata of what began the subscription, code and all. They are recognised before anything is read.
fn is_other_charge(case: &Case<'_>) -> bool {
    let payment = case.payment;
    if !observe::may_belong(case.row.kind, payment.charge_type.as_ref()) {
        return true;
    }
    let began_by_other = case.began_by.is_some_and(|first| *first != payment.payment_id);
    let is_purchase = case.row.kind != AttemptKind::PlanChange;
    let type_is_known =
        matches!(&payment.charge_type, Some(known) if !matches!(known, ChargeType::Unknown(_)));
    let too_late = payment.created_at.is_none_or(|at| at > later(case.row.created_at, BEGINS_WITHIN))
        && !is_reached(case)
        && payment.subscription_id.is_some();
    is_purchase && !type_is_known && (began_by_other || too_late)
}

/// Says whether the payment or its checkout is one that a reply to our own request named.
fn is_reached(Case { row, payment, on_record, .. }: &Case<'_>) -> bool {
    // A payment that became known by its name stays one that is only named.
    let is_its = row.payment_id.as_ref() == Some(&payment.payment_id);
    let by_payment = is_its && on_record.is_none_or(|proof| proof == Proof::OurId);
    let by_checkout =
        row.checkout_session_id.is_some() && row.checkout_session_id == payment.checkout_session_id;
    by_payment || by_checkout
}

fn proof_of_purchase(case: &Case<'_>) -> Result<Proof, Verdict> {
    let Case { row, payment, .. } = case;
    if is_reached(case) {
        return Ok(Proof::OurId);
    }
    if let (Some(ours), Some(theirs)) = (&row.checkout_session_id, &payment.checkout_session_id)
        && ours != theirs
    {
        // A copy of everything is still from another checkout.
        return Err(Verdict::Foreign(Foreign::OtherOrigin));
    }
    // One payment each: where it has collected, or Dodo's reply has named it, another that is only named is a copy. While no
    // reply has come, what began with the request may be its doing a second time.
    let has_another = row.payment_id.as_ref().is_some_and(|its| *its != payment.payment_id);
    let is_copy = match row.kind {
        AttemptKind::OneClick => {
            row.checkout_session_id.is_some()
                || (is_collected(row.state) && !begins_with_request(row, payment))
        }
        // On a page a second card may follow one that was declined.
        AttemptKind::Hosted | AttemptKind::PlanChange => is_collected(row.state),
    };
    if has_another && is_copy {
        return Err(Verdict::Foreign(Foreign::OtherPayment));
    }
    proof_by_name(case)
}

/// Says whether the failure of a payment is that of its attempt. Of one that is only named it is where it began with the
/// request: the name has to be seen before it can be copied, and a copy that fails must not open the offer beside the
/// payment that it was copied from.
#[must_use]
pub fn may_fail(row: &AttemptRow, payment: &PaymentFacts, proof: Proof) -> bool {
    proof == Proof::OurId || begins_with_request(row, payment)
}

/// Says whether a payment may go back by itself, where the merchant's rules say so (I17). One that is only named may where it
/// began with the request: later, it may be a copy, by which the buyer bought the same elsewhere.
#[must_use]
pub fn may_go_back(row: &AttemptRow, payment: &PaymentFacts, proof: Proof) -> bool {
    let began_with_it = row.kind != AttemptKind::Hosted && begins_with_request(row, payment);
    proof == Proof::OurId || (proof == Proof::Code && began_with_it)
}

fn begins_with_request(row: &AttemptRow, payment: &PaymentFacts) -> bool {
    payment.created_at.is_some_and(|at| at <= later(row.created_at, BEGINS_WITH_REQUEST))
}

fn proof_of_change(case: &Case<'_>) -> Result<Proof, Verdict> {
    let Case { row, payment, .. } = case;
    if is_reached(case) {
        return Ok(Proof::OurId);
    }
    match &payment.subscription_id {
        None if payment.is_whole => return Err(Verdict::Foreign(Foreign::Unproven)),
        None => return Err(Verdict::Held(Missing::Payment)),
        id if *id != row.subscription_id => return Err(Verdict::Foreign(Foreign::OtherOrigin)),
        Some(_) => {}
    }
    if payment.charge_type != Some(ChargeType::PlanChange) {
        return Err(Verdict::Held(Missing::Payment));
    }
    match &payment.named {
        Named::Proven(_) => proof_by_name(case),
        Named::Attempt(other) if *other != row.id => Err(Verdict::Foreign(Foreign::OtherTerms)),
        Named::Nobody | Named::Attempt(_) => proof_by_subscription(case),
    }
}

/// Should Dodo leave the metadata of a plan change out, the subscription tells: it is what was asked for, and this payment
/// collected exactly what was agreed since the change was claimed.
fn proof_by_subscription(case: &Case<'_>) -> Result<Proof, Verdict> {
    let Case { row, quote, payment, .. } = case;
    let since =
        payment.created_at.is_some_and(|at| at >= later(row.created_at, CLOCK_SLACK.saturating_neg()));
    let is_collected = payment.status == Some(IntentStatus::Succeeded);
    if !since || !is_collected || compare(case) != Some(Ordering::Equal) {
        return Err(Verdict::Foreign(Foreign::Unproven));
    }
    match case.subscription {
        None => Err(Verdict::Held(Missing::Subscription)),
        Some(now) if observe::progress(&quote.plan, now) == Some(Progress::Applied) => Ok(Proof::OurId),
        Some(_) => Err(Verdict::Foreign(Foreign::Unproven)),
    }
}

fn proof_by_name(Case { row, quote, payment, store, .. }: &Case<'_>) -> Result<Proof, Verdict> {
    match &payment.named {
        Named::Proven(tags) if is_about(tags, row, quote, store) => Ok(Proof::Code),
        Named::Proven(_) => Err(Verdict::Foreign(Foreign::OtherTerms)),
        Named::Attempt(named) if *named == row.id && row.created_at < store.signed_since => {
            Ok(Proof::OldName)
        }
        Named::Attempt(_) | Named::Nobody => Err(Verdict::Foreign(Foreign::Unproven)),
    }
}

/// Says whether proven tags are about this attempt, as it is stored, and nothing else.
fn is_about(tags: &Tags, row: &AttemptRow, quote: &QuoteRow, store: &StoreIdentity) -> bool {
    let addons: &[_] = match &quote.plan {
        ChargePlan::PlanChange { addons, .. } => addons,
        ChargePlan::Checkout { .. } => &[],
    };
    tags.store == store.name
        && tags.mode == store.mode
        && tags.attempt == row.id
        && tags.kind == row.kind
        && tags.quote == row.quote_id
        && tags.customer == row.customer_id
        && tags.subscription == row.subscription_id
        && tags.items == [(quote.plan.product_id().clone(), quote.plan.quantity())]
        && tags.addons == addons
        && tags.agreed.currency == quote.quote.currency
        && row.agreed.is_none_or(|agreed| agreed == tags.agreed.amount)
}

fn agreement(case: &Case<'_>, proof: Proof) -> Verdict {
    let Case { row, quote, payment, .. } = case;
    // On the page that we opened anybody may pay, in the currency and with the tax of their country.
    let is_our_page = proof == Proof::OurId && row.kind == AttemptKind::Hosted;
    if payment.customer_id != row.customer_id && !is_our_page {
        return Verdict::Foreign(Foreign::OtherBuyer);
    }
    if row.kind != AttemptKind::PlanChange
        && let Some(verdict) = other_cart(case, proof)
    {
        return verdict;
    }
    if is_our_page {
        return Verdict::Own(proof, Amount::AsAgreed);
    }
    match (compare(case), quote.quote.currency == payment.amount.currency) {
        (_, false) | (None, _) => Verdict::Foreign(Foreign::OtherCurrency),
        (Some(Ordering::Equal), _) => Verdict::Own(proof, Amount::AsAgreed),
        (Some(Ordering::Less), _) => Verdict::Own(proof, Amount::Less),
        (Some(Ordering::Greater), _) => Verdict::Own(proof, Amount::More),
    }
}

/// Returns the verdict where the cart is another, or not known and nothing else says it. `None`: it is as it should be.
fn other_cart(Case { quote, payment, subscription, .. }: &Case<'_>, proof: Proof) -> Option<Verdict> {
    let (product, quantity) = (quote.plan.product_id(), quote.plan.quantity());
    let same = match (&payment.cart, &payment.subscription_id, subscription) {
        (Some(cart), _, _) => cart.is_only(product, quantity),
        // What was reached by an id of ours has the cart that we sent.
        (None, _, _) if proof == Proof::OurId => true,
        (None, Some(id), Some(now)) if now.subscription_id == *id => {
            now.product_id == *product && now.quantity == i64::from(quantity)
        }
        (None, Some(_), _) => return Some(Verdict::Held(Missing::Subscription)),
        (None, None, _) => return Some(Verdict::Held(Missing::Payment)),
    };
    (!same).then_some(Verdict::Foreign(Foreign::OtherCart))
}

/// Compares what was collected with what was agreed just before sending. `None` where the currencies differ.
fn compare(Case { row, quote, payment, .. }: &Case<'_>) -> Option<Ordering> {
    let agreed = row.agreed.unwrap_or(quote.quote.total);
    (payment.amount.currency == quote.quote.currency).then(|| payment.amount.amount.cmp(&agreed))
}

#[cfg(test)]
#[path = "evidence_tests.rs"]
mod tests;
