//! What to do about a store that may have been put back to an earlier state. Pure.
//!
//! Charges carry the names of what they were made for. A payment that names an attempt which the store does not know
//! proves that the store has lost commits, and says enough to write the attempt again. Refusals leave no trace at Dodo:
//! once commits are known to be lost, what was set off before is not offered any more.

use dodo_client::types::{payments::ChargeType, plan_changes::ProrationMode};
use money::later;
use wire::{Currency, EffectiveAt, LineKind, OfferId, QuoteId, QuoteLine, UnixSeconds};

use super::{
    Change, Changes, Command, HistoryEvent, Lock, Record, Scope, StoredAttempt, record::OfferKey, states,
};
use crate::{
    domain::{
        AttemptKind, AttemptRow, AttemptState, ChargePlan, ConsentRecord, Fingerprint, OfferRow, OfferState,
        OfferTags, PaymentFacts, QuoteRow, Tags,
    },
    policy::{declines, observe},
};

/// What a store says of its last moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastSign {
    /// Last heartbeat of a proxy on it.
    pub beat: Option<UnixSeconds>,
    /// When its latest attempt was claimed.
    pub attempt: Option<UnixSeconds>,
    /// The moment of a backup that was named when it was last rebuilt.
    pub restored_at: Option<UnixSeconds>,
}

/// An attempt that only Dodo knows of, and what has to be there for it. All of it is a proposal: what the store holds of
/// it stays as it is.
#[derive(Clone, Debug)]
pub struct Rebuilding {
    /// Its offer, being paid.
    pub offer: Option<OfferRow>,
    /// Its quote.
    pub quote: QuoteRow,
    /// The attempt, sent.
    pub attempt: AttemptRow,
}

/// Puts back an attempt that Dodo has a payment of, so that it can be settled by it. It is written as sent, and closes its
/// offer, unless that is over already; what the payment makes of both is settled afterwards, like any other evidence.
#[derive(Clone, Copy, Debug)]
pub struct Rebuild<'a> {
    /// What is put back.
    pub rebuilding: &'a Rebuilding,
    /// The time.
    pub at: UnixSeconds,
}

/// Outcome of putting an attempt back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Took {
    /// It is written now, as sent. The row has its number, and its offer: the one for the same occasion, if the store
    /// had one.
    New(AttemptRow),
    /// It was there; if only claimed, it is now sent, which it must have been.
    Known(AttemptRow),
}

impl Command for Rebuild<'_> {
    const NAME: &'static str = "rebuild";
    type Outcome = Took;

    fn scope(&self) -> Scope {
        let Rebuilding { offer, attempt, .. } = self.rebuilding;
        Scope {
            attempt: Some(attempt.id.clone()),
            offer: offer.clone().map(|offer| OfferKey::Occasion(Box::new(offer))),
            siblings: true,
            subscription: attempt.subscription_id.clone(),
            ..Scope::under(Lock::Buyer(attempt.customer_id.clone()))
        }
    }

    fn decide(&self, record: &Record) -> (Took, Changes) {
        let mut changes = Changes::none();
        let took = match &record.attempt {
            Some(stored) if stored.row.state != AttemptState::Claimed => {
                return (Took::Known(stored.row.clone()), changes);
            }
            Some(stored) => Took::Known(self.mark_as_sent(stored, &mut changes)),
            None => Took::New(self.put_back(record, &mut changes)),
        };
        changes.history(&self.rebuilding.attempt.id, self.at, HistoryEvent::Rebuilt);
        (took, changes)
    }
}

impl Rebuild<'_> {
    /// Marks an attempt as sent that was only claimed when the backup was taken, and has a payment.
    fn mark_as_sent(&self, stored: &StoredAttempt, changes: &mut Changes) -> AttemptRow {
        let row = AttemptRow {
            state: AttemptState::Sent,
            lease_until: UnixSeconds(0),
            next_check_at: Some(self.at),
            ..stored.row.clone()
        };
        changes.push(Change::UpdateAttempt(Box::new(StoredAttempt { row: row.clone(), ..stored.clone() })));
        row
    }

    fn put_back(&self, record: &Record, changes: &mut Changes) -> AttemptRow {
        let mut row = self.rebuilding.attempt.clone();
        let mut rival = record.subscription_is_busy();
        if let Some(lost) = &self.rebuilding.offer {
            if record.offer.is_none() {
                changes.push(Change::InsertOffer(Box::new(lost.clone())));
            }
            let offer = record.offer.as_ref().unwrap_or(lost);
            row.offer_id = Some(offer.id.clone());
            row.no = offer.attempt_no.saturating_add(1);
            rival |= record.has_rival();
            let is_open = states::OPEN_OFFERS.contains(&offer.state);
            let state = if is_open { OfferState::Accepting } else { offer.state };
            changes.update_offer(&OfferRow { state, attempt_no: row.no, ..offer.clone() });
        }
        changes.push(Change::InsertQuote(Box::new(self.rebuilding.quote.clone())));
        changes.push(Change::InsertAttempt(Box::new(StoredAttempt {
            row: row.clone(),
            surplus: rival,
            lease_owner: Some(record.instance.clone()),
        })));
        row
    }
}

/// Seconds before the last sign of life from which payments are looked at: for clocks that differ, and for what was under
/// way then.
pub const MARGIN: i64 = 600;

/// Seconds by which Dodo's clock, which times purchases, may be ahead of ours, by which their refusals are lost.
const AHEAD: i64 = 60;

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
    let amount = payment.amount;
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
        withheld: false,
        // Who it was issued to is lost.
        signed_in: true,
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
        email: None,
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
