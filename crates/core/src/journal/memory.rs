//! A store in memory, for tests: it loads records and writes changes as a real store does, thousands of times a second.
//!
//! It holds the net below the decisions as well, and panics where a real store would refuse to write: what keeps two
//! attempts of an offer from being live is a rule, and that a second one cannot be written is the schema.

#![allow(clippy::panic, reason = "a broken net ends the test")]

use std::collections::BTreeMap;

use dodo_client::ids::{CustomerId, DisputeId, PaymentId, RefundId};
use wire::{AttemptId, OfferId, QuoteId, UnixSeconds};

use super::{
    Change, Changes, Command, HistoryEvent, Lock, Record, Scope, StoredAttempt, StoredOrder, StoredPayment,
    Watermark, decide, evidence::ForeignPayment, notifications::Notification, record::OfferKey, states,
};
use crate::domain::{
    AttemptRow, AttemptState, BookingEnd, DeclineEntry, EmailHash, OfferRow, PaymentStatus, Purchase,
    QuoteRow, RefundCause, RefundOrder, SeenDispute, SeenRefund,
};

/// Everything that the journal keeps. The fields are open: a test may put anything there that a real store could hold.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Memory {
    /// Name of this opening of the store.
    pub instance: String,
    /// Leaves out the net: guards and unique indexes refuse nothing, so that properties see what the rules let through.
    pub has_no_net: bool,
    /// The process's memory of the store.
    pub watermark: Watermark,
    /// Offers.
    pub offers: BTreeMap<OfferId, OfferRow>,
    /// Quotes.
    pub quotes: BTreeMap<QuoteId, QuoteRow>,
    /// Attempts.
    pub attempts: BTreeMap<AttemptId, StoredAttempt>,
    /// Payments.
    pub payments: BTreeMap<PaymentId, StoredPayment>,
    /// Refunds.
    pub refunds: BTreeMap<RefundId, SeenRefund>,
    /// Disputes.
    pub disputes: BTreeMap<DisputeId, SeenDispute>,
    /// Refund orders.
    pub orders: BTreeMap<(PaymentId, &'static str), StoredOrder>,
    /// How bookings ended.
    pub booking_ends: BTreeMap<AttemptId, BookingEnd>,
    /// The decline ledger, in the order in which it was written.
    pub declines: Vec<(CustomerId, Option<EmailHash>, DeclineEntry)>,
    /// What was bought in the shop.
    pub purchases: Vec<Purchase>,
    /// Payments that name an attempt and are none of its.
    pub foreign: BTreeMap<PaymentId, ForeignPayment>,
    /// History of the attempts, in the order in which it was written.
    pub history: Vec<(AttemptId, UnixSeconds, HistoryEvent)>,
    /// The outbox, by the notifications' ids.
    pub notifications: BTreeMap<String, Notification>,
}

impl Memory {
    /// Returns an empty store, opened under this name.
    #[must_use]
    pub fn opened_as(instance: &str) -> Self {
        Self { instance: instance.to_owned(), ..Self::default() }
    }

    /// Carries out a command: loads what it depends on, decides, and writes what follows.
    pub fn execute<C: Command>(&mut self, command: &C) -> C::Outcome {
        let record = self.load(&command.scope());
        let (outcome, changes) = decide(&record, command);
        assert!(self.apply(&changes), "a guarded change of `{}` did not apply", C::NAME);
        outcome
    }

    /// Returns the store without what the order of evidence shows in: times at which something is looked at and how often
    /// it was, history, what notifications say, and whether a failure or a booking was notified before a success.
    #[must_use]
    pub fn without_traces_of_order(mut self) -> Self {
        for StoredAttempt { row, .. } in self.attempts.values_mut() {
            (row.next_check_at, row.lease_until) = (None, UnixSeconds(0));
            (row.checks, row.clean_looks) = (0, 0);
        }
        self.history.clear();
        let is_passed = |id: &str| id.ends_with("_payment_failed") || id.ends_with("_plan_change_scheduled");
        self.notifications.retain(|id, _| !is_passed(id));
        for notification in self.notifications.values_mut() {
            notification.body = serde_json::Value::Null;
        }
        self
    }

    /// Loads what a scope names, and nothing else.
    #[must_use]
    pub fn load(&self, scope: &Scope) -> Record {
        let mut record = Record::empty(&self.instance);
        if let Lock::BuyerOf(id) = &scope.lock
            && !self.attempts.contains_key(id)
        {
            return record;
        }
        if scope.watermark {
            record.watermark = self.watermark;
        }
        record.attempt = scope.attempt.as_ref().and_then(|id| self.attempts.get(id)).cloned();
        if let (Some(key), Some(customer)) = (&scope.key, scope.lock.customer()) {
            let is_its = |row: &&AttemptRow| row.customer_id == *customer && row.key.as_ref() == Some(key);
            record.by_key = self.attempts.values().map(|attempt| &attempt.row).find(is_its).cloned();
        }
        if let Some(id) = &scope.payment {
            record.payment = self.payments.get(id).cloned();
            if let Some(payment) = record.payment.as_ref().filter(|_| scope.sale) {
                record.attempt = self.attempts.get(&payment.attempt_id).cloned();
            }
            if scope.flags {
                record.refunds = self.refunds.values().filter(|r| r.payment_id == *id).cloned().collect();
                record.disputes = self.disputes.values().filter(|d| d.payment_id == *id).cloned().collect();
                record.orders = self.orders.values().filter(|o| o.row.payment_id == *id).cloned().collect();
            }
        }
        if let Some(subscription) = &scope.began {
            let began = |p: &&StoredPayment| p.record.payment.subscription_id.as_ref() == Some(subscription);
            record.began_by = self.payments.values().find(began).map(|p| p.record.payment.id.clone());
        }
        let payment = scope.payment.as_ref().filter(|_| scope.foreign);
        record.is_known_as_foreign = payment.is_some_and(|id| self.foreign.contains_key(id));
        record.offer = scope.offer.as_ref().and_then(|key| self.offer_by(key, scope, &record)).cloned();
        if let Some(offer) = record.offer.as_ref().filter(|_| scope.siblings) {
            let is_other = |other: &&StoredAttempt| {
                other.row.offer_id.as_ref() == Some(&offer.id)
                    && scope.attempt.as_ref() != Some(&other.row.id)
                    && other.row.state != AttemptState::Released
            };
            record.siblings = self.attempts.values().filter(is_other).cloned().collect();
        }
        if let Some(offer) = record.offer.clone().filter(|_| scope.same_thing) {
            let person = offer.person();
            let is_same = |other: &&OfferRow| {
                other.id != offer.id
                    && other.equivalence == offer.equivalence
                    && person.is(&other.customer_id, other.email.as_ref())
            };
            record.same_thing = self.offers.values().filter(is_same).cloned().collect();
            let refused = self.declines.iter().filter(|(customer, email, entry)| {
                entry.equivalence == offer.equivalence && person.is(customer, email.as_ref())
            });
            record.refusals = refused.map(|(_, _, entry)| entry.clone()).collect();
            let bought = self.purchases.iter().filter(|p| person.is(&p.customer_id, p.email.as_ref()));
            record.bought = bought.flat_map(|purchase| purchase.product_ids.clone()).collect();
        }
        if let Some(subscription) = &scope.subscription {
            let is_live = |other: &&StoredAttempt| {
                other.row.subscription_id.as_ref() == Some(subscription)
                    && scope.attempt.as_ref() != Some(&other.row.id)
                    && states::is_live(other.row.state)
            };
            record.on_subscription = self.attempts.values().filter(is_live).cloned().collect();
        }
        if let Some(attempt) = record.attempt.as_ref().filter(|_| scope.quote) {
            record.quote = self.quotes.get(&attempt.row.quote_id).cloned();
        }
        if let Some(attempt) = record.attempt.as_ref().filter(|_| scope.booking) {
            record.booking_end = self.booking_ends.get(&attempt.row.id).copied();
        }
        record
    }

    fn offer_by(&self, key: &OfferKey, scope: &Scope, record: &Record) -> Option<&OfferRow> {
        match (key, scope.lock.customer()) {
            (OfferKey::Id(id), Some(customer)) => {
                self.offers.get(id).filter(|offer| offer.customer_id == *customer)
            }
            (OfferKey::Id(_), None) => None,
            (OfferKey::Occasion(lost), _) => {
                let same = self.offers.get(&lost.id).filter(|offer| offer.customer_id == lost.customer_id);
                same.or_else(|| self.offer_for_occasion(lost))
            }
            (OfferKey::OfAttempt, _) => {
                let attempt = &record.attempt.as_ref()?.row;
                let offer = self.offers.get(attempt.offer_id.as_ref()?);
                offer.filter(|offer| offer.customer_id == attempt.customer_id)
            }
        }
    }

    fn offer_for_occasion(&self, like: &OfferRow) -> Option<&OfferRow> {
        let occasion =
            |offer: &OfferRow| (offer.customer_id.clone(), offer.campaign.clone(), offer.trigger_ref.clone());
        self.offers.values().find(|offer| occasion(offer) == occasion(like))
    }

    /// Takes every attempt whose time to be looked up has come, under a lease until `lease_until`.
    pub fn take_due(&mut self, now: UnixSeconds, lease_until: UnixSeconds) -> Vec<AttemptRow> {
        let is_due = |attempt: &&mut StoredAttempt| {
            attempt.row.next_check_at.is_some_and(|at| at <= now) && attempt.row.lease_until <= now
        };
        let due = self.attempts.values_mut().filter(is_due);
        due.map(|attempt| {
            attempt.row.lease_until = lease_until;
            attempt.lease_owner = Some(self.instance.clone());
            attempt.row.clone()
        })
        .collect()
    }

    /// Takes every refund order whose time has come, under a lease until `lease_until`.
    pub fn take_due_refunds(&mut self, now: UnixSeconds, lease_until: UnixSeconds) -> Vec<RefundOrder> {
        let is_due = |order: &&mut StoredOrder| {
            order.row.next_check_at.is_some_and(|at| at <= now) && order.lease_until <= now
        };
        let due = self.orders.values_mut().filter(is_due);
        due.map(|order| {
            order.lease_until = lease_until;
            order.lease_owner = Some(self.instance.clone());
            order.row.clone()
        })
        .collect()
    }

    /// Closes every open offer made before `until`, because refusals may be lost. Returns how many those were.
    pub fn hold_until(&mut self, until: UnixSeconds) -> u64 {
        let is_open =
            |offer: &&mut OfferRow| states::OPEN_OFFERS.contains(&offer.state) && offer.created_at < until;
        let open = self.offers.values_mut().filter(is_open);
        open.map(|offer| offer.state = states::WITHDRAWN).fold(0, |closed, ()| closed + 1)
    }

    /// Writes changes. `false`: a guarded one did not apply, and nothing is written.
    #[must_use]
    pub fn apply(&mut self, changes: &Changes) -> bool {
        let is_guarded = |change: &Change| {
            matches!(change, Change::MarkAttemptSent { .. } | Change::MarkRefundSent { .. })
        };
        let before = changes.iter().any(is_guarded).then(|| self.clone());
        for change in changes {
            if !self.apply_one(change) {
                if let Some(before) = before {
                    *self = before;
                }
                return false;
            }
        }
        if !self.has_no_net {
            self.check_net();
        }
        true
    }

    fn apply_one(&mut self, change: &Change) -> bool {
        match change {
            Change::InsertOffer(row) => {
                if self.offer_for_occasion(row).is_none() {
                    let known = self.offers.insert(row.id.clone(), row.as_ref().clone());
                    assert!(known.is_none(), "offer {} is inserted twice", row.id);
                }
            }
            Change::UpdateOffer { id, state, attempt_no } => {
                if let Some(offer) = self.offers.get_mut(id) {
                    (offer.state, offer.attempt_no) = (*state, *attempt_no);
                }
            }
            Change::InsertQuote(row) => {
                self.quotes.entry(row.quote.id.clone()).or_insert_with(|| row.as_ref().clone());
            }
            Change::InsertAttempt(attempt) => {
                let known = self.attempts.insert(attempt.row.id.clone(), attempt.as_ref().clone());
                assert!(known.is_none(), "attempt {} is inserted twice", attempt.row.id);
            }
            Change::UpdateAttempt(attempt) => self.overwrite(attempt),
            Change::MarkAttemptSent { attempt, from, now } => {
                let held = self.attempts.get(&attempt.row.id).is_some_and(|stored| {
                    stored.row.state.word() == *from
                        && stored.row.lease_until > *now
                        && stored.lease_owner.as_deref() == Some(self.instance.as_str())
                });
                if !held && !self.has_no_net {
                    return false;
                }
                self.overwrite(attempt);
            }
            Change::WritePayment(payment) => {
                self.payments.insert(payment.record.payment.id.clone(), payment.clone());
            }
            Change::RecordForeign(payment) => {
                let id = payment.payment_id.clone();
                self.foreign.entry(id).or_insert_with(|| payment.clone());
            }
            // Of which payment it is stays as it was first reported.
            Change::WriteRefund { refund, .. } => {
                let stored = self.refunds.entry(refund.id.clone()).or_insert_with(|| refund.clone());
                (stored.status, stored.amount) = (refund.status, refund.amount);
            }
            Change::WriteDispute { dispute, .. } => {
                let stored = self.disputes.entry(dispute.id.clone()).or_insert_with(|| dispute.clone());
                stored.status = dispute.status;
            }
            Change::InsertOrder(order) => {
                self.orders.entry(order_key(order)).or_insert_with(|| order.clone());
            }
            Change::UpdateOrder(order) => {
                self.orders.insert(order_key(order), order.clone());
            }
            Change::MarkRefundSent { order, from, now } => {
                let held = self.orders.get(&order_key(order)).is_some_and(|stored| {
                    stored.row.state == *from
                        && stored.lease_until > *now
                        && stored.lease_owner.as_deref() == Some(self.instance.as_str())
                });
                if !held && !self.has_no_net {
                    return false;
                }
                self.orders.insert(order_key(order), order.clone());
            }
            Change::EndBooking { attempt, end, .. } => {
                self.booking_ends.entry(attempt.clone()).or_insert(*end);
            }
            Change::AppendDecline { customer_id, email, entry } => {
                self.declines.push((customer_id.clone(), email.clone(), entry.clone()));
            }
            Change::AppendHistory { attempt, at, event } => {
                self.history.push((attempt.clone(), *at, event.clone()));
            }
            Change::Notify { notification, .. } => {
                let id = notification.id.clone();
                self.notifications.entry(id).or_insert_with(|| notification.as_ref().clone());
            }
        }
        true
    }

    fn overwrite(&mut self, attempt: &StoredAttempt) {
        match self.attempts.get_mut(&attempt.row.id) {
            Some(stored) => {
                stored.row = attempt.row.clone();
                stored.surplus = attempt.surplus;
            }
            None => panic!("attempt {} is updated and not there", attempt.row.id),
        }
    }

    /// Ends the test where a unique index of a real store would refuse the change.
    fn check_net(&self) {
        let kept: Vec<&StoredAttempt> = self.attempts.values().filter(|attempt| !attempt.surplus).collect();
        for offer in self.offers.keys() {
            let of_offer = |a: &&&StoredAttempt| a.row.offer_id.as_ref() == Some(offer);
            let excluding = kept.iter().filter(of_offer).filter(|a| states::excludes_others(a.row.state));
            assert!(excluding.count() <= 1, "two attempts of offer {offer} exclude each other");
        }
        let mut on_subscription = BTreeMap::new();
        for attempt in kept.iter().filter(|attempt| states::is_live(attempt.row.state)) {
            if let Some(subscription) = &attempt.row.subscription_id {
                let earlier = on_subscription.insert(subscription, &attempt.row.id);
                assert!(earlier.is_none(), "two attempts are live on subscription {subscription}");
            }
        }
        let mut paid = BTreeMap::new();
        for payment in self.payments.values().filter(|payment| !payment.record.surplus) {
            if payment.record.payment.status == PaymentStatus::Succeeded {
                let earlier = paid.insert(&payment.attempt_id, &payment.record.payment.id);
                assert!(earlier.is_none(), "attempt {} is paid twice", payment.attempt_id);
            }
        }
    }
}

fn order_key(order: &StoredOrder) -> (PaymentId, &'static str) {
    (order.row.payment_id.clone(), RefundCause::as_str(order.row.cause))
}
