//! The two commits before a charge, and the way back: claim, mark as sent, release.
//!
//! Of any number of clicks, tabs and processes at recovery exactly one goes on.

use wire::{AttemptId, Money, ProductId, QuoteId, UnixSeconds};

use super::{
    Change, Changes, Command, HistoryEvent, Lock, Record, Scope, Stale, StoredAttempt, notifications,
    record::OfferKey, states,
};
use crate::{
    domain::{AttemptKind, AttemptRow, AttemptState, AttemptWord, EmailHash, OfferRow, OfferState, Person},
    policy::declines::{self, Present},
    rules::DeclinePolicy,
};

/// Claims: the offer goes to `accepting` and the attempt is written, or neither.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The attempt as it is to be written: `claimed`. Its number is given here.
    pub attempt: AttemptRow,
    /// Keyed hash of the e-mail address of the purchase that the offer follows.
    pub email: Option<EmailHash>,
    /// What lifts an earlier refusal of the same thing.
    pub lifting: Lifting,
}

/// What lifts a refusal: the campaign's policy, and what is true now. What is not known lifts nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifting {
    /// When the campaign may offer again what was refused.
    pub policy: DeclinePolicy,
    /// What the thing costs.
    pub price: Option<Money>,
    /// The plan that the buyer is on.
    pub plan: Option<ProductId>,
}

impl Default for Lifting {
    fn default() -> Self {
        Self { policy: DeclinePolicy::NeverAgain, price: None, plan: None }
    }
}

/// Outcome of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The attempt is written and is the only live one. The row has its number.
    Claimed(AttemptRow),
    /// The key was used before by this buyer, for this attempt.
    KeyUsed(AttemptRow),
    /// The offer is in a state from which it cannot be claimed, or over.
    OfferNotOpen(OfferState),
    /// The person has taken the same thing through another offer in this state, or is taking it.
    TakenElsewhere(OfferState),
    /// The person has refused the same thing, or bought it in the shop.
    NotAvailable,
    /// Another attempt is live on the subscription.
    SubscriptionBusy,
    /// No such offer of this buyer.
    OfferNotFound,
    /// The store may hold less than was written to it: nothing may be claimed until it has been compared.
    StaleStore(Stale),
}

impl Command for Claim {
    const NAME: &'static str = "claim";
    type Outcome = ClaimOutcome;

    fn scope(&self) -> Scope {
        let AttemptRow { customer_id, key, offer_id, subscription_id, .. } = &self.attempt;
        Scope {
            watermark: true,
            key: key.clone(),
            offer: offer_id.clone().map(OfferKey::Id),
            siblings: true,
            same_thing: offer_id.is_some(),
            subscription: subscription_id.clone(),
            ..Scope::under(Lock::Person(Person {
                customer_id: customer_id.clone(),
                email: self.email.clone(),
            }))
        }
    }

    fn decide(&self, record: &Record) -> (ClaimOutcome, Changes) {
        let refused = |outcome| (outcome, Changes::none());
        if let Some(stale) = record.watermark.staleness() {
            return refused(ClaimOutcome::StaleStore(stale));
        }
        if let Some(earlier) = &record.by_key {
            return refused(ClaimOutcome::KeyUsed(earlier.clone()));
        }
        if self.attempt.subscription_id.is_some() && record.subscription_is_busy() {
            return refused(ClaimOutcome::SubscriptionBusy);
        }
        let mut attempt = self.attempt.clone();
        let mut changes = Changes::none();
        if attempt.offer_id.is_some() {
            let Some(offer) = &record.offer else { return refused(ClaimOutcome::OfferNotFound) };
            if let Some(state) = why_closed(offer, &attempt, record) {
                return refused(ClaimOutcome::OfferNotOpen(state));
            }
            if let Some(outcome) = self.unavailable(offer, record) {
                return outcome;
            }
            attempt.no = offer.attempt_no.saturating_add(1);
            changes.update_offer(&OfferRow {
                state: OfferState::Accepting,
                attempt_no: attempt.no,
                ..offer.clone()
            });
        }
        let stored = StoredAttempt {
            row: attempt.clone(),
            surplus: false,
            lease_owner: Some(record.instance.clone()),
        };
        changes.push(Change::InsertAttempt(Box::new(stored)));
        changes.history(&attempt.id, attempt.created_at, HistoryEvent::Claimed(attempt.kind));
        (ClaimOutcome::Claimed(attempt), changes)
    }
}

impl Claim {
    /// Returns a claim of something that nobody is known to have been offered or to have refused elsewhere.
    #[must_use]
    pub fn of(attempt: AttemptRow) -> Self {
        Self { attempt, email: None, lifting: Lifting::default() }
    }

    /// Returns why the thing offered is not available to the person any more (I15). An offer of what the person has is
    /// over; one of what is being paid for, or stands refused, stays as it is.
    fn unavailable(&self, offer: &OfferRow, record: &Record) -> Option<(ClaimOutcome, Changes)> {
        let mut changes = Changes::none();
        if let Some(state) = record.taken_elsewhere() {
            if state == OfferState::Charged {
                changes.update_offer(&OfferRow { state: OfferState::Expired, ..offer.clone() });
            }
            return Some((ClaimOutcome::TakenElsewhere(state), changes));
        }
        if record.is_owned(offer) {
            changes.update_offer(&OfferRow { state: OfferState::Expired, ..offer.clone() });
            return Some((ClaimOutcome::NotAvailable, changes));
        }
        let Lifting { policy, price, plan } = &self.lifting;
        let present = Present { price: *price, plan: plan.as_ref(), now: self.attempt.created_at };
        let refused = declines::is_refused(*policy, &record.refusals, &offer.equivalence, present);
        refused.then_some((ClaimOutcome::NotAvailable, changes))
    }
}

/// Returns the state that keeps an offer from being claimed by this attempt.
fn why_closed(offer: &OfferRow, attempt: &AttemptRow, record: &Record) -> Option<OfferState> {
    if !states::open_for(attempt.kind).contains(&offer.state) {
        return Some(offer.state);
    }
    if offer.expires_at <= attempt.created_at {
        return Some(OfferState::Expired);
    }
    // An open offer beside an attempt that may still collect is a contradiction, and money wins.
    record.has_rival().then_some(OfferState::Unknown)
}

/// Marks an attempt as sent. From the moment this is committed the request may have left; where the outcome is `false`,
/// it must not leave.
#[derive(Clone, Debug)]
pub struct MarkSent {
    /// The attempt.
    pub attempt: AttemptId,
    /// The time.
    pub now: UnixSeconds,
    /// When to look what became of it, unless that is known by then.
    pub next_check_at: UnixSeconds,
    /// Amount of the preview that was made just before, in minor units of the quote's currency.
    pub agreed: i64,
}

impl Command for MarkSent {
    const NAME: &'static str = "mark_sent";
    type Outcome = bool;

    fn scope(&self) -> Scope {
        Scope {
            watermark: true,
            offer: Some(OfferKey::OfAttempt),
            same_thing: true,
            quote: true,
            ..Scope::of_attempt(&self.attempt)
        }
    }

    /// The store has to be the one that was compared (I22). The lease has to be this process's still, and the offer this
    /// attempt's: money that came in late on an earlier attempt closes it. So does money that came in late on another offer
    /// of the same thing.
    fn decide(&self, record: &Record) -> (bool, Changes) {
        let Some(stored) = record.attempt.as_ref().filter(|stored| self.may_send(stored, record)) else {
            return (false, Changes::none());
        };
        let row = AttemptRow {
            state: AttemptState::Sent,
            agreed: Some(self.agreed),
            lease_until: self.next_check_at,
            next_check_at: Some(self.next_check_at),
            ..stored.row.clone()
        };
        let mut changes = Changes::none();
        changes.push(Change::MarkAttemptSent {
            attempt: Box::new(StoredAttempt { row: row.clone(), ..stored.clone() }),
            from: AttemptWord::Claimed,
            now: self.now,
        });
        changes.history(&row.id, self.now, HistoryEvent::Sent);
        if let (Some(offer), Some(quote)) = (&record.offer, &record.quote) {
            changes.notify(notifications::of_acceptance(&row, quote, offer, self.now), self.now);
        }
        (true, changes)
    }
}

impl MarkSent {
    fn may_send(&self, stored: &StoredAttempt, record: &Record) -> bool {
        let row = &stored.row;
        let is_mine = stored.lease_owner.as_deref() == Some(record.instance.as_str());
        let offer_is_its_own = match (&row.offer_id, &record.offer) {
            (None, _) => true,
            (Some(_), Some(offer)) => offer.state == OfferState::Accepting && offer.attempt_no == row.no,
            (Some(_), None) => false,
        };
        let is_open = offer_is_its_own && record.taken_elsewhere().is_none();
        let is_current = record.watermark.staleness().is_none();
        row.state == AttemptState::Claimed && row.lease_until > self.now && is_mine && is_open && is_current
    }
}

/// What happens to the browser's key when an attempt is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptKey {
    /// The answer is final for this key.
    Kept,
    /// The same request may be made again with it.
    Freed,
}

/// An attempt that certainly executed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unexecuted {
    /// It was claimed only: its request cannot have left.
    Claimed,
    /// It was marked as sent, and its request provably was not executed.
    Sent,
}

/// Says whether nobody can have been charged by an attempt that no process works on any more: its request never left, or
/// only opened a hosted checkout whose address nobody was given.
#[must_use]
pub fn unexecuted(row: &AttemptRow) -> Option<Unexecuted> {
    let is_unseen_page = row.kind == AttemptKind::Hosted && row.checkout_url.is_none();
    match row.state {
        AttemptState::Claimed => Some(Unexecuted::Claimed),
        AttemptState::Sent if is_unseen_page => Some(Unexecuted::Sent),
        _ => None,
    }
}

/// Takes an attempt back. The offer is open again, as it was. The outcome is `false` when the attempt was in another
/// state.
#[derive(Clone, Debug)]
pub struct Release {
    /// The attempt.
    pub attempt: AttemptId,
    /// The state that it has to be in.
    pub from: Unexecuted,
    /// The new quote, when it is taken back because the amount had changed.
    pub replacement: Option<QuoteId>,
    /// What happens to the browser's key.
    pub key: KeptKey,
    /// The time.
    pub at: UnixSeconds,
}

impl Command for Release {
    const NAME: &'static str = "release";
    type Outcome = bool;

    fn scope(&self) -> Scope {
        Scope { offer: Some(OfferKey::OfAttempt), siblings: true, ..Scope::of_attempt(&self.attempt) }
    }

    fn decide(&self, record: &Record) -> (bool, Changes) {
        let from = match self.from {
            Unexecuted::Claimed => AttemptState::Claimed,
            Unexecuted::Sent => AttemptState::Sent,
        };
        let Some(stored) = record.attempt.as_ref().filter(|stored| stored.row.state == from) else {
            return (false, Changes::none());
        };
        let row = AttemptRow {
            state: AttemptState::Released,
            replacement: self.replacement.clone(),
            key: stored.row.key.clone().filter(|_| self.key == KeptKey::Kept),
            next_check_at: None,
            lease_until: UnixSeconds(0),
            ..stored.row.clone()
        };
        let mut changes = Changes::none();
        changes.push(Change::UpdateAttempt(Box::new(StoredAttempt { row: row.clone(), ..stored.clone() })));
        if let Some(offer) = &record.offer
            && offer.attempt_no == row.no
            && offer.state == OfferState::Accepting
        {
            let failed = |other: &StoredAttempt| matches!(other.row.state, AttemptState::Failed(_));
            let state = states::reopened(record.siblings.iter().any(failed));
            changes.update_offer(&OfferRow { state, ..offer.clone() });
        }
        let changed = self.replacement.is_some();
        changes.history(&row.id, self.at, HistoryEvent::Released { changed });
        (true, changes)
    }
}

#[cfg(test)]
mod tests;
