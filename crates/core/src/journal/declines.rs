//! Refusals.

use dodo_client::ids::CustomerId;
use wire::{DeclineReason, Money, OfferId, ProductId, UnixSeconds};

use super::{Change, Changes, Command, Lock, Record, Scope, notifications, record::OfferKey, states};
use crate::domain::{DeclineEntry, OfferRow, OfferState};

/// Refuses an offer: it goes to `declined` and the ledger is written, or neither. Of a decline and an accept at the same
/// time exactly one wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decline {
    /// The offer.
    pub offer_id: OfferId,
    /// The buyer.
    pub customer_id: CustomerId,
    /// What it cost, where known.
    pub price: Option<Money>,
    /// The plan that the buyer is on, where known.
    pub plan: Option<ProductId>,
    /// Why, when said.
    pub reason: Option<DeclineReason>,
    /// The time.
    pub at: UnixSeconds,
}

/// Outcome of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeclineOutcome {
    /// It is written now.
    Declined(OfferRow),
    /// The offer was declined before; nothing was added.
    AlreadyDeclined(OfferRow),
    /// The offer is being paid, is paid or is over.
    NotDeclinable(OfferState),
    /// No such offer of this buyer.
    NotFound,
}

impl Command for Decline {
    const NAME: &'static str = "decline";
    type Outcome = DeclineOutcome;

    fn scope(&self) -> Scope {
        Scope {
            offer: Some(OfferKey::Id(self.offer_id.clone())),
            ..Scope::under(Lock::Buyer(self.customer_id.clone()))
        }
    }

    fn decide(&self, record: &Record) -> (DeclineOutcome, Changes) {
        let refused = |outcome| (outcome, Changes::none());
        let Some(offer) = &record.offer else { return refused(DeclineOutcome::NotFound) };
        if offer.state == OfferState::Declined {
            return refused(DeclineOutcome::AlreadyDeclined(offer.clone()));
        }
        if !states::may_decline(offer.state) {
            return refused(DeclineOutcome::NotDeclinable(offer.state));
        }
        let declined = OfferRow { state: OfferState::Declined, ..offer.clone() };
        let mut changes = Changes::none();
        changes.update_offer(&declined);
        changes.push(Change::AppendDecline {
            customer_id: self.customer_id.clone(),
            entry: DeclineEntry {
                offer_id: self.offer_id.clone(),
                equivalence: offer.equivalence.clone(),
                campaign: offer.campaign.clone(),
                price: self.price,
                plan: self.plan.clone(),
                reason: self.reason,
                at: self.at,
            },
        });
        changes.notify(notifications::of_refusal(self, offer), self.at);
        (DeclineOutcome::Declined(declined), changes)
    }
}

#[cfg(test)]
mod tests;
