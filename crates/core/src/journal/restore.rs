//! What to do about a store that may have been put back to an earlier state. Pure.
//!
//! Charges carry the names of what they were made for. A payment that names an attempt which the store does not know
//! proves that the store has lost commits, and says enough to write the attempt again. Refusals leave no trace at Dodo:
//! once commits are known to be lost, what was set off before is not offered any more.

use dodo_client::types::{
    payments::{ChargeType, IntentStatus},
    plan_changes::ProrationMode,
};
use money::later;
use wire::{AttemptId, EffectiveAt, LineKind, Money, OfferId, QuoteId, QuoteLine, UnixSeconds};

use super::{
    Change, Changes, Command, HistoryEvent, Lock, Record, Scope, StoredAttempt, record::OfferKey, states,
};
use crate::{
    domain::{
        AttemptKind, AttemptRow, AttemptState, ChargePlan, ConsentRecord, Fingerprint, Named, OfferRow,
        OfferState, OfferTags, PaymentFacts, QuoteRow, StoreIdentity, Tags,
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
            Some(stored) => Took::Known(mark_as_sent(stored, self.at, &mut changes)),
            None => Took::New(self.put_back(record, &mut changes)),
        };
        changes.history(&self.rebuilding.attempt.id, self.at, HistoryEvent::Rebuilt);
        (took, changes)
    }
}

/// Takes an attempt for sent that was only claimed when the backup was taken, because a payment from before there were
/// codes names it. The outcome says whether it was.
#[derive(Clone, Debug)]
pub struct PresumeSent {
    /// The attempt.
    pub attempt: AttemptId,
    /// The time.
    pub at: UnixSeconds,
}

impl Command for PresumeSent {
    const NAME: &'static str = "presume_sent";
    type Outcome = bool;

    fn scope(&self) -> Scope {
        Scope::of_attempt(&self.attempt)
    }

    fn decide(&self, record: &Record) -> (bool, Changes) {
        let mut changes = Changes::none();
        let claimed = |stored: &&StoredAttempt| stored.row.state == AttemptState::Claimed;
        let Some(stored) = record.attempt.as_ref().filter(claimed) else { return (false, changes) };
        mark_as_sent(stored, self.at, &mut changes);
        changes.history(&self.attempt, self.at, HistoryEvent::Rebuilt);
        (true, changes)
    }
}

/// Marks an attempt as sent that was only claimed when the backup was taken.
fn mark_as_sent(stored: &StoredAttempt, at: UnixSeconds, changes: &mut Changes) -> AttemptRow {
    let row = AttemptRow {
        state: AttemptState::Sent,
        lease_until: UnixSeconds(0),
        next_check_at: Some(at),
        ..stored.row.clone()
    };
    changes.push(Change::UpdateAttempt(Box::new(StoredAttempt { row: row.clone(), ..stored.clone() })));
    row
}

impl Rebuild<'_> {
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

/// Returns what a payment says of its attempt, where a proxy on this store wrote it (I16). Nothing else begins a restore or
/// writes an attempt anew: buyers write metadata, too. Renewals of a subscription carry the metadata of its first payment;
/// where Dodo does not say that a payment is none, it does not count.
#[must_use]
pub fn authenticated<'a>(payment: &'a PaymentFacts, store: &StoreIdentity) -> Option<&'a Tags> {
    let tags = payment.named.tags()?;
    let may_belong = observe::may_belong(tags.kind, payment.charge_type.as_ref());
    let may_be_a_renewal = payment.subscription_id.is_some()
        && matches!(payment.charge_type, None | Some(ChargeType::Unknown(_)));
    (is_of(tags, store) && may_belong && !may_be_a_renewal).then_some(tags)
}

/// Says whether these tags were written over this store. Alone, of a payment that cannot be read, they prove that the store
/// had their attempt, and nothing about what became of it.
#[must_use]
pub fn is_of(tags: &Tags, store: &StoreIdentity) -> bool {
    tags.store == store.name && tags.mode == store.mode
}

/// Says whether a payment may have been made by an attempt from before there were codes. In a restore that blocks the
/// attempt from being made again, and settles nothing.
#[must_use]
pub fn may_be_older(payment: &PaymentFacts, store: &StoreIdentity) -> bool {
    matches!(payment.named, Named::Attempt(_)) && payment.created_at.is_none_or(|at| at < store.signed_since)
}

/// Says whether a listed payment tells nothing new: it succeeded, and the attempt that it names was settled by it, with
/// this amount. In a busy shop that is nearly all of them, and they are compared while everybody waits.
#[must_use]
pub fn is_old_news(known: &AttemptRow, payment: &PaymentFacts) -> bool {
    let collected = known.receipt.as_ref().map(|receipt| (receipt.amount, receipt.currency));
    known.state == AttemptState::Succeeded
        && known.payment_id.as_ref() == Some(&payment.payment_id)
        && payment.status == Some(IntentStatus::Succeeded)
        && collected == Some((payment.amount.amount, payment.amount.currency))
}

/// What has to be in the store for a payment that names an unknown attempt: what the proxy that sent it wrote, and nothing
/// of the payment but when it was begun. Whether this payment is the attempt's own is judged afterwards.
#[must_use]
pub fn rebuilding(tags: &Tags, begun: UnixSeconds, name: String, now: UnixSeconds) -> Option<Rebuilding> {
    let plan = plan(tags)?;
    let quote = QuoteRow {
        quote: quote_of(&tags.quote, tags.agreed, &name, &plan, begun),
        offer_id: tags.offer.as_ref().map(|offer| offer.id.clone()),
        customer_id: tags.customer.clone(),
        plan: plan.clone(),
        from_plan: None,
        name,
        basis_hash: String::new(),
        payment_method_id: None,
        card: None,
        withheld: false,
        // Who it was issued to is lost.
        signed_in: true,
    };
    let Money { amount, currency } = tags.agreed;
    let attempt = AttemptRow {
        id: tags.attempt.clone(),
        offer_id: tags.offer.as_ref().map(|offer| offer.id.clone()),
        subscription_id: plan.subscription_id().cloned(),
        no: 1,
        customer_id: tags.customer.clone(),
        quote_id: tags.quote.clone(),
        kind: tags.kind,
        key: None,
        fingerprint: Fingerprint([0; 32]),
        state: AttemptState::Sent,
        replacement: None,
        // The reply that named them is lost, and a name is no id of ours.
        checkout_session_id: None,
        checkout_url: None,
        payment_id: None,
        receipt: None,
        // What the words on the screen were is lost; that this amount was agreed is not.
        consent: ConsentRecord { amount, currency, at: begun, shown: None },
        agreed: Some(amount),
        created_at: begun,
        lease_until: UnixSeconds(0),
        next_check_at: Some(now),
        checks: 0,
        clean_looks: 0,
    };
    let offer = tags.offer.as_ref().map(|offer| offer_of(offer, tags, begun, plan));
    Some(Rebuilding { offer, quote, attempt })
}

/// `None` where the tags do not say what is bought, or of a plan change on which subscription.
fn plan(tags: &Tags) -> Option<ChargePlan> {
    let [(product_id, quantity)] = tags.items.as_slice() else { return None };
    let (product_id, quantity) = (product_id.clone(), *quantity);
    match tags.kind {
        AttemptKind::OneClick | AttemptKind::Hosted => {
            Some(ChargePlan::Checkout { product_id, quantity, billing: None, discount_codes: Vec::new() })
        }
        AttemptKind::PlanChange => Some(ChargePlan::PlanChange {
            subscription_id: tags.subscription.clone()?,
            product_id,
            quantity,
            addons: tags.addons.clone(),
            proration: ProrationMode::DifferenceImmediately,
            effective_at: EffectiveAt::Immediately,
        }),
    }
}

fn quote_of(id: &QuoteId, agreed: Money, name: &str, plan: &ChargePlan, at: UnixSeconds) -> wire::Quote {
    wire::Quote {
        id: id.clone(),
        currency: agreed.currency,
        // How much of it was tax is lost.
        lines: vec![QuoteLine {
            kind: LineKind::Product,
            name: name.to_owned(),
            quantity: plan.quantity(),
            amount: agreed.amount,
            prorated: plan.subscription_id().is_some(),
        }],
        tax: 0,
        tax_inclusive: true,
        credit: 0,
        total: agreed.amount,
        settlement: None,
        renewal: None,
        effective_at: EffectiveAt::Immediately,
        expires_at: at,
        expires_in: 0,
    }
}

/// It is over: whatever becomes of the payment, nothing may be begun on this offer again.
fn offer_of(offer: &OfferTags, tags: &Tags, begun: UnixSeconds, plan: ChargePlan) -> OfferRow {
    OfferRow {
        id: offer.id.clone(),
        customer_id: tags.customer.clone(),
        campaign: offer.campaign.clone(),
        trigger_ref: offer.trigger_ref.clone(),
        purchase: offer.original.clone(),
        email: None,
        parent: None::<OfferId>,
        equivalence: declines::equivalence(plan.product_id()),
        kind: offer.kind,
        plan,
        state: OfferState::Accepting,
        attempt_no: 0,
        created_at: begun,
        seen_at: None,
        expires_at: begun,
    }
}

#[cfg(test)]
mod tests;
