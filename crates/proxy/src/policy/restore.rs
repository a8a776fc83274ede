//! What to do about a store that may have been put back to an earlier state. Pure.
//!
//! Charges carry the names of what they were made for. A payment that names an attempt which the store does not know
//! proves that the store has lost commits, and says enough to write the attempt again. Refusals leave no trace at Dodo:
//! once commits are known to be lost, what was set off before is not offered any more.

use dodo_client::calls::{payments::ChargeType, plan_changes::ProrationMode};
use wire::{Currency, EffectiveAt, LineKind, OfferId, QuoteId, QuoteLine, UnixSeconds};

use super::{declines, observe};
use crate::{
    clock::later,
    domain::{
        AttemptKind, AttemptRow, AttemptState, ChargePlan, ConsentRecord, Fingerprint, OfferRow, OfferState,
        QuoteRow,
    },
    gateway::{OfferTags, PaymentFacts, Tags},
    store::{LastSign, Rebuilding},
};

/// Seconds before the last sign of life from which payments are looked at: for clocks that differ, and for what was under
/// way then.
pub const MARGIN: i64 = 600;

/// Seconds by which Dodo's clock, which times purchases, may be ahead of ours, by which their refusals are lost.
const AHEAD: i64 = 60;

/// Whether a store that says `found` has lost what `remembered` was in it.
#[must_use]
pub fn has_gone_back(remembered: Option<UnixSeconds>, found: Option<UnixSeconds>) -> bool {
    match (remembered, found) {
        (Some(remembered), Some(found)) => found < remembered,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// From when on Dodo's payments have to be compared with the store before anything is accepted. `None`: the store is new
/// and nobody says otherwise.
///
/// `named` is the moment of a backup, where somebody has named one; `seen` the beginning of a payment that should not
/// have been unknown.
#[must_use]
pub fn compare_since(
    sign: LastSign,
    named: Option<UnixSeconds>,
    seen: Option<UnixSeconds>,
) -> Option<UnixSeconds> {
    let by_itself = sign.beat.or(sign.attempt);
    let earliest = [by_itself, named, seen].into_iter().flatten().min()?;
    Some(later(earliest, -MARGIN))
}

/// The moment that somebody named, unless the store has been rebuilt from it before: a setting that is left behind must
/// not have every start withdraw every offer.
#[must_use]
pub fn newly_named(sign: LastSign, named: Option<UnixSeconds>) -> Option<UnixSeconds> {
    named.filter(|named| sign.restored_at != Some(*named))
}

/// Up to when what was set off may have been refused, in a store found at `now` to have lost commits.
#[must_use]
pub fn hold_from(now: UnixSeconds) -> UnixSeconds {
    later(now, AHEAD)
}

/// Whether something set off at `at` is not offered any more, because a refusal of it may be lost.
#[must_use]
pub fn is_held(at: UnixSeconds, held_until: Option<UnixSeconds>) -> bool {
    held_until.is_some_and(|until| at < until)
}

/// The names on a payment, when it is one that an attempt of this store may have begun. Renewals of a subscription carry
/// the names of its first payment. Several stores may share an account at Dodo; one that was rebuilt because somebody
/// said so takes what no other can claim to be its own.
#[must_use]
pub fn is_ours<'a>(payment: &'a PaymentFacts, store: &str, named: bool) -> Option<&'a Tags> {
    let tags = payment.tags.as_ref()?;
    let ours = named || tags.store == store;
    (ours && observe::may_belong(tags.kind, payment.charge_type.as_ref())).then_some(tags)
}

/// What has to be in the store for a payment that names an unknown attempt. `None` when it does not say enough: no amount
/// in a currency that there is, or no subscription for a plan change.
#[must_use]
pub fn rebuilding(tags: &Tags, payment: &PaymentFacts, name: String, now: UnixSeconds) -> Option<Rebuilding> {
    let amount = payment.amount?;
    let plan = plan(tags, payment)?;
    let begun = payment.created_at;
    let tax = payment.tax.unwrap_or(0);
    let quote = QuoteRow {
        quote: quote_of(&tags.quote, amount.currency, amount.amount, tax, &name, &plan, begun),
        offer_id: tags.offer.as_ref().map(|offer| offer.id.clone()),
        customer_id: payment.customer_id.clone(),
        plan: plan.clone(),
        from_plan: None,
        name,
        basis_hash: String::new(),
        payment_method_id: None,
        card: payment.card.clone(),
    };
    let attempt = AttemptRow {
        id: tags.attempt.clone(),
        offer_id: tags.offer.as_ref().map(|offer| offer.id.clone()),
        subscription_id: plan.subscription_id().cloned(),
        no: 1,
        customer_id: payment.customer_id.clone(),
        quote_id: tags.quote.clone(),
        kind: tags.kind,
        key: None,
        fingerprint: Fingerprint([0; 32]),
        state: AttemptState::Sent,
        replacement: None,
        checkout_session_id: payment.checkout_session_id.clone(),
        checkout_url: None,
        payment_id: Some(payment.payment_id.clone()),
        receipt: None,
        // What the words on the screen were is lost; that this amount was confirmed is not.
        consent: ConsentRecord { amount: amount.amount, currency: amount.currency, at: begun, shown: None },
        created_at: begun,
        lease_until: UnixSeconds(0),
        next_check_at: Some(now),
        checks: 0,
        clean_looks: 0,
    };
    let offer = tags.offer.as_ref().map(|offer| offer_of(offer, payment, plan));
    Some(Rebuilding { offer, quote, attempt })
}

fn plan(tags: &Tags, payment: &PaymentFacts) -> Option<ChargePlan> {
    let (product_id, quantity) = (tags.product.clone(), tags.quantity);
    let changes = tags.kind == AttemptKind::PlanChange || payment.charge_type == Some(ChargeType::PlanChange);
    if !changes {
        return Some(ChargePlan::Checkout {
            product_id,
            quantity,
            billing: None,
            discount_codes: Vec::new(),
        });
    }
    Some(ChargePlan::PlanChange {
        subscription_id: payment.subscription_id.clone()?,
        product_id,
        quantity,
        addons: Vec::new(),
        proration: ProrationMode::DifferenceImmediately,
        effective_at: EffectiveAt::Immediately,
    })
}

fn quote_of(
    id: &QuoteId,
    currency: Currency,
    total: i64,
    tax: i64,
    name: &str,
    plan: &ChargePlan,
    at: UnixSeconds,
) -> wire::Quote {
    wire::Quote {
        id: id.clone(),
        currency,
        lines: vec![QuoteLine {
            kind: LineKind::Product,
            name: name.to_owned(),
            quantity: plan.quantity(),
            amount: total.saturating_sub(tax),
            prorated: plan.subscription_id().is_some(),
        }],
        tax,
        tax_inclusive: false,
        credit: 0,
        total,
        settlement: None,
        renewal: None,
        effective_at: EffectiveAt::Immediately,
        expires_at: at,
        expires_in: 0,
    }
}

/// It is over: whatever becomes of the payment, nothing may be begun on this offer again.
fn offer_of(tags: &OfferTags, payment: &PaymentFacts, plan: ChargePlan) -> OfferRow {
    OfferRow {
        id: tags.id.clone(),
        customer_id: payment.customer_id.clone(),
        campaign: tags.campaign.clone(),
        trigger_ref: tags.trigger_ref.clone(),
        purchase: tags.original.clone(),
        parent: None::<OfferId>,
        equivalence: declines::equivalence(plan.product_id()),
        kind: tags.kind,
        plan,
        state: OfferState::Accepting,
        attempt_no: 0,
        created_at: payment.created_at,
        seen_at: None,
        expires_at: payment.created_at,
    }
}

#[cfg(test)]
mod tests;
