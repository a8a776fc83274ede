//! What was found out about an attempt, merged with everything that follows from it.

use dodo_client::ids::CheckoutSessionId;
use wire::{AttemptId, UnixSeconds};

use super::{
    Change, Changes, Command, HistoryEvent, Record, Scope, StoredAttempt, StoredOrder, StoredPayment,
    notifications, record::OfferKey, states,
};
use crate::{
    domain::{
        AttemptRow, AttemptState, Observation, OfferRow, OrderState, PaymentOnRecord, PaymentStatus,
        QuoteRow, RefundCause, RefundOrder, SeenPayment, Source,
    },
    policy::refunds::{self, Found, RefundRules},
};

/// What was observed of an attempt, and what came to be known with it. Absent fields stay as they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// How it stands.
    pub observation: Observation,
    /// Who found out.
    pub source: Source,
    /// When.
    pub at: UnixSeconds,
    /// Dodo's payment.
    pub payment: Option<SeenPayment>,
    /// Dodo's checkout session.
    pub checkout_session_id: Option<CheckoutSessionId>,
    /// Hosted checkout.
    pub checkout_url: Option<String>,
    /// With a success.
    pub receipt: Option<wire::Receipt>,
    /// When to look next, if it is still undecided afterwards.
    pub next_check_at: Option<UnixSeconds>,
    /// What goes back, should the payment turn out to be late, duplicate or excess.
    pub refund: RefundRules,
}

impl Settlement {
    /// Returns an observation and nothing else.
    #[must_use]
    pub fn of(observation: Observation, source: Source, at: UnixSeconds) -> Self {
        Self {
            observation,
            source,
            at,
            payment: None,
            checkout_session_id: None,
            checkout_url: None,
            receipt: None,
            next_check_at: None,
            refund: RefundRules::default(),
        }
    }

    /// Says whether it may end in a state that the merchant's system is notified of.
    fn is_definite(&self) -> bool {
        match self.observation {
            Observation::Failed(_)
            | Observation::Scheduled
            | Observation::Underpaid
            | Observation::Succeeded => true,
            Observation::Unknown | Observation::Pending { .. } => self.has_collected(),
        }
    }

    fn has_collected(&self) -> bool {
        self.payment.as_ref().is_some_and(|payment| payment.status == PaymentStatus::Succeeded)
    }

    /// Returns the attempt after it.
    fn merged_into(&self, row: &AttemptRow) -> AttemptRow {
        let state = states::join(row.state, self.observation);
        let open = states::is_live(state) || states::is_watched(state);
        let seen = self.payment.as_ref().map(|payment| payment.id.clone());
        // Of several payments on one hosted checkout the one that collected counts; until then, the latest.
        let payment_id = match row.state {
            AttemptState::Succeeded => row.payment_id.clone().or(seen),
            _ => seen.or_else(|| row.payment_id.clone()),
        };
        let receipt = self.receipt.clone().filter(|_| states::is_collected(state));
        AttemptRow {
            state,
            payment_id,
            checkout_session_id: self.checkout_session_id.clone().or_else(|| row.checkout_session_id.clone()),
            checkout_url: self.checkout_url.clone().or_else(|| row.checkout_url.clone()),
            receipt: row.receipt.clone().or(receipt),
            next_check_at: self.next_check_at.or(row.next_check_at).filter(|_| open),
            lease_until: UnixSeconds(0),
            ..row.clone()
        }
    }
}

/// Merges an observation into an attempt. May be given by anybody, in any order, any number of times (I10).
#[derive(Clone, Copy, Debug)]
pub struct Settle<'a> {
    /// The attempt.
    pub attempt: &'a AttemptId,
    /// The observation.
    pub settlement: &'a Settlement,
}

/// What settling did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The state before.
    pub before: AttemptState,
    /// The row after.
    pub row: AttemptRow,
    /// Money came in although another attempt of the same offer was live or had collected, or another payment of this
    /// attempt had: a person has to look. Said once for each payment.
    pub surplus: bool,
}

/// What the payment of a settlement changes.
#[derive(Default)]
struct Paid {
    /// A second payment of the same attempt collected.
    second: bool,
    /// A refund is ordered: why, and how much, or all of it.
    order: Option<(RefundCause, Option<i64>)>,
}

impl Command for Settle<'_> {
    const NAME: &'static str = "settle";
    /// `None`: no such attempt.
    type Outcome = Option<Settled>;

    fn scope(&self) -> Scope {
        let payment = self.settlement.payment.as_ref();
        Scope {
            offer: Some(OfferKey::OfAttempt),
            siblings: self.settlement.is_definite(),
            quote: self.settlement.is_definite(),
            payment: payment.map(|payment| payment.id.clone()),
            flags: self.settlement.has_collected(),
            ..Scope::of_attempt(self.attempt)
        }
    }

    fn decide(&self, record: &Record) -> (Option<Settled>, Changes) {
        let Some(stored) = &record.attempt else { return (None, Changes::none()) };
        let (settlement, before) = (self.settlement, stored.row.state);
        let row = settlement.merged_into(&stored.row);
        let has_money = |state| states::is_collected(state) || state == AttemptState::Underpaid;
        let rival = has_money(row.state) && !has_money(before) && record.has_rival();
        let mut changes = Changes::none();
        changes.push(Change::UpdateAttempt(Box::new(StoredAttempt {
            row: row.clone(),
            surplus: stored.surplus || rival,
            lease_owner: stored.lease_owner.clone(),
        })));
        let paid = match &settlement.payment {
            Some(seen) => self.record_payment(seen, stored, &row, rival, record, &mut changes),
            None => Paid::default(),
        };
        if let Some(offer) = follow(&row, record, &mut changes) {
            changes.history(&row.id, settlement.at, HistoryEvent::OfferMoved(offer.state));
        }
        if row.state != before || paid.second {
            changes.history(
                &row.id,
                settlement.at,
                HistoryEvent::Settled {
                    state: row.state,
                    source: settlement.source,
                    payment: settlement.payment.as_ref().map(|payment| payment.id.clone()),
                },
            );
        }
        // Money that goes back whole is nothing to fulfil.
        if !matches!(paid.order, Some((_, None)))
            && let Some(quote) = &record.quote
            && let Some(mut notification) =
                notifications::of_attempt(before, &row, quote, record.offer.as_ref(), settlement.at)
        {
            if row.state == AttemptState::Underpaid {
                notification.with_collected(settlement.payment.as_ref().and_then(|seen| seen.amount));
            }
            changes.notify(notification, settlement.at);
        }
        (Some(Settled { before, row, surplus: rival || paid.second }), changes)
    }
}

impl Settle<'_> {
    /// Records the payment; what is known of it only grows. Where it is now known to have collected and was not before,
    /// orders what goes back of it, and notifies of what was reported of it before it was known to be ours.
    fn record_payment(
        &self,
        seen: &SeenPayment,
        stored: &StoredAttempt,
        row: &AttemptRow,
        rival: bool,
        record: &Record,
        changes: &mut Changes,
    ) -> Paid {
        let at = self.settlement.at;
        let known = record.payment.as_ref();
        let status = known.map_or(seen.status, |known| known.record.payment.status.max(seen.status));
        let was_paid = known.is_some_and(|known| known.record.payment.status == PaymentStatus::Succeeded);
        let newly_paid = status == PaymentStatus::Succeeded && !was_paid;
        let beside = row.payment_id.as_ref() != Some(&seen.id);
        // An attempt may be known to have succeeded, beside another, before its payment is known.
        let is_surplus = rival || stored.surplus || beside;
        // What fell short is not the sale, until it is found to be, or a person says so.
        let is_short = row.state == AttemptState::Underpaid && !beside;
        let was_short = stored.row.state == AttemptState::Underpaid && !beside && !is_short;
        let was_surplus = known.is_some_and(|known| known.record.surplus);
        let surplus =
            is_short || (newly_paid && is_surplus) || if was_short { is_surplus } else { was_surplus };
        let amount = seen.amount.or_else(|| known.and_then(|known| known.record.payment.amount));
        changes.push(Change::WritePayment(StoredPayment {
            attempt_id: known.map_or_else(|| row.id.clone(), |known| known.attempt_id.clone()),
            record: PaymentOnRecord {
                payment: SeenPayment {
                    id: seen.id.clone(),
                    status,
                    amount,
                    proof: known.map_or(seen.proof, |known| known.record.payment.proof.max(seen.proof)),
                    paid_by: seen
                        .paid_by
                        .clone()
                        .or_else(|| known.and_then(|known| known.record.payment.paid_by.clone())),
                    subscription_id: seen
                        .subscription_id
                        .clone()
                        .or_else(|| known.and_then(|known| known.record.payment.subscription_id.clone())),
                },
                surplus,
                seen_at: at,
            },
        }));
        if !newly_paid {
            return Paid::default();
        }
        let second = beside && self.settlement.observation == Observation::Succeeded;
        let newly_collected = states::is_collected(row.state) && !states::is_collected(stored.row.state);
        let found = Found {
            late: is_late(stored, known) && row.state == AttemptState::Succeeded,
            surplus: second || (newly_collected && record.rival_has_collected()),
        };
        let order = refunds::order(self.settlement.refund, found);
        let Some(quote) = &record.quote else { return Paid { second, order } };
        if let Some(order) = order {
            order_refund(order, seen, row, quote, record, at, changes);
        }
        let offer = record.offer.as_ref();
        for refund in record.refunds.iter().filter(|refund| refund.has_succeeded()) {
            changes.notify(notifications::of_refund(refund, row, quote, offer, at), at);
        }
        for dispute in &record.disputes {
            changes.notify(notifications::of_dispute(dispute, row, quote, offer, at), at);
        }
        Paid { second, order }
    }
}

/// Says whether what collects now comes late: its attempt had been given up, and Dodo had said nothing of a payment until
/// then. A payment that Dodo called pending is on its way, however long that takes (I13).
fn is_late(stored: &StoredAttempt, known: Option<&StoredPayment>) -> bool {
    let was_given_up = matches!(stored.row.state, AttemptState::Abandoned | AttemptState::NeedsReview);
    was_given_up && known.is_none() && stored.row.payment_id.is_none()
}

/// Orders a refund of a payment, and says so to the merchant's system.
pub(super) fn order_refund(
    (cause, amount): (RefundCause, Option<i64>),
    seen: &SeenPayment,
    row: &AttemptRow,
    quote: &QuoteRow,
    record: &Record,
    at: UnixSeconds,
    changes: &mut Changes,
) {
    changes.push(Change::InsertOrder(StoredOrder {
        row: RefundOrder {
            payment_id: seen.id.clone(),
            cause,
            amount,
            state: OrderState::Due,
            refund_id: None,
            created_at: at,
            sent_at: None,
            next_check_at: Some(at),
        },
        lease_until: UnixSeconds(0),
        lease_owner: None,
        checks: 0,
    }));
    changes.history(&row.id, at, HistoryEvent::RefundOrdered { cause, payment: seen.id.clone() });
    let offer = record.offer.as_ref();
    changes.notify(notifications::of_refund_order((cause, amount), seen, row, quote, offer, at), at);
}

/// Brings the offer to where its attempt is. Returns the offer, when it has moved.
pub(super) fn follow(row: &AttemptRow, record: &Record, changes: &mut Changes) -> Option<OfferRow> {
    let offer = record.offer.as_ref()?;
    let state = states::offer_after(offer.state, row.state, offer.attempt_no == row.no);
    if state == offer.state {
        return None;
    }
    let moved = OfferRow { state, ..offer.clone() };
    changes.update_offer(&moved);
    Some(moved)
}

#[cfg(test)]
mod tests;
