//! Refusals.

use dodo_client::ids::CustomerId;
use wire::{DeclineReason, Money, OfferId, ProductId, UnixSeconds};

use super::{Change, Changes, Command, Lock, Record, Scope, notifications, record::OfferKey, states};
use crate::domain::{DeclineEntry, EmailHash, OfferRow, OfferState, Person};

/// Refuses an offer: it goes to `declined` and the ledger is written, or neither. Of a decline and an accept at the same
/// time exactly one wins, also where they are about two offers of the same thing (I15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decline {
    /// The offer.
    pub offer_id: OfferId,
    /// The buyer.
    pub customer_id: CustomerId,
    /// Keyed hash of the e-mail address of the purchase that the offer follows.
    pub email: Option<EmailHash>,
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
    /// The person has taken the same thing through another offer in this state, or is taking it.
    TakenElsewhere(OfferState),
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
            same_thing: true,
            ..Scope::under(Lock::Person(Person {
                customer_id: self.customer_id.clone(),
                email: self.email.clone(),
            }))
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
        if let Some(state) = record.taken_elsewhere() {
            // The person has it, so that a refusal would be a lie. The offer is over all the same.
            let mut changes = Changes::none();
            if state == OfferState::Charged && offer.state != OfferState::Expired {
                changes.update_offer(&OfferRow { state: OfferState::Expired, ..offer.clone() });
            }
            return (DeclineOutcome::TakenElsewhere(state), changes);
        }
        let declined = OfferRow { state: OfferState::Declined, ..offer.clone() };
        let mut changes = Changes::none();
        changes.update_offer(&declined);
        changes.push(Change::AppendDecline {
            customer_id: self.customer_id.clone(),
            email: offer.email.clone(),
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
