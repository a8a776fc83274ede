//! What the merchant's system is notified of, and when.
//!
//! Each notification has an id that follows from what happened, so that it is written once however often it is found out,
//! and a receiver can recognise a repetition (I14). Bodies hold no payment-method id and no card.

use dodo_client::ids::PaymentId;
use serde_json::{Map, Value, json};
use wire::{Money, UnixSeconds};

use super::Decline;
use crate::domain::{
    AttemptKind, AttemptRow, AttemptState, BookingEnd, ChargePlan, OfferRow, QuoteRow, RefundCause,
    RefundOrder, SeenDispute, SeenPayment, SeenRefund,
};

/// The types of news. The words are part of the contract with merchants (`docs/API.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotificationKind {
    /// The buyer said yes and collecting has begun.
    OfferAccepted,
    /// The buyer said no.
    OfferDeclined,
    /// Money was collected for an offer: fulfil it.
    PaymentSucceeded,
    /// Nothing was collected.
    PaymentFailed,
    /// Less was collected than was agreed: do not fulfil, a person decides.
    PaymentUnderpaid,
    /// Waiting for the payment has ended without an outcome: do not fulfil, a person decides.
    PaymentNeedsReview,
    /// Money was collected that should not have been, and goes back. Where all of it does, there is nothing to fulfil.
    PaymentRefundOrdered,
    /// It did not go back: a person gives it back, or fulfils after all.
    PaymentRefundRefused,
    /// Money went back, whoever sent it.
    PaymentRefunded,
    /// The buyer contests it at the bank, or that has moved on.
    PaymentDisputed,
    /// The plan is changed: give access.
    PlanChanged,
    /// The plan will change at the next billing date.
    PlanChangeScheduled,
    /// It will not, although that was booked.
    PlanChangeCancelled,
}

impl NotificationKind {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::OfferAccepted => "offer.accepted",
            Self::OfferDeclined => "offer.declined",
            Self::PaymentSucceeded => "payment.succeeded",
            Self::PaymentFailed => "payment.failed",
            Self::PaymentUnderpaid => "payment.underpaid",
            Self::PaymentNeedsReview => "payment.needs_review",
            Self::PaymentRefundOrdered => "payment.refund_ordered",
            Self::PaymentRefundRefused => "payment.refund_refused",
            Self::PaymentRefunded => "payment.refunded",
            Self::PaymentDisputed => "payment.disputed",
            Self::PlanChanged => "plan.changed",
            Self::PlanChangeScheduled => "plan.change_scheduled",
            Self::PlanChangeCancelled => "plan.change_cancelled",
        }
    }

    /// The same in an id, which must not hold a dot (Standard Webhooks).
    fn in_id(self) -> String {
        self.word().replace('.', "_")
    }
}

/// One piece of news.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// The same however often it is told.
    pub id: String,
    /// What it is about.
    pub kind: NotificationKind,
    /// `{type, timestamp, data}`.
    pub body: Value,
}

impl Notification {
    /// Says how much was collected, where that is not what was quoted.
    pub(super) fn with_collected(&mut self, collected: Option<Money>) {
        if let (Some(collected), Some(data)) = (collected, self.body.get_mut("data")) {
            data["amount"] = json!(collected.amount);
            data["currency"] = json!(collected.currency);
        }
    }

    /// Says why it is told.
    pub(super) fn with_cause(&mut self, cause: &str) {
        if let Some(data) = self.body.get_mut("data") {
            data["cause"] = json!(cause);
        }
    }
}

/// Whether coming from `before` to `after` is something to tell.
#[must_use]
pub fn is_news(before: AttemptState, after: AttemptState) -> bool {
    before != after
        && match after {
            AttemptState::Succeeded
            | AttemptState::Scheduled
            | AttemptState::Underpaid
            | AttemptState::NeedsReview => true,
            // One reason may be replaced by a sharper one; it failed once.
            AttemptState::Failed(_) => !matches!(before, AttemptState::Failed(_)),
            _ => false,
        }
}

/// What an attempt came to.
#[must_use]
pub fn of_attempt(
    before: AttemptState,
    row: &AttemptRow,
    quote: &QuoteRow,
    offer: Option<&OfferRow>,
    at: UnixSeconds,
) -> Option<Notification> {
    if !is_news(before, row.state) {
        return None;
    }
    let kind = match (row.state, row.kind) {
        (AttemptState::Succeeded, AttemptKind::PlanChange) => NotificationKind::PlanChanged,
        (AttemptState::Succeeded, _) => NotificationKind::PaymentSucceeded,
        (AttemptState::Scheduled, _) => NotificationKind::PlanChangeScheduled,
        (AttemptState::Failed(_), _) => NotificationKind::PaymentFailed,
        (AttemptState::Underpaid, _) => NotificationKind::PaymentUnderpaid,
        (AttemptState::NeedsReview, _) => NotificationKind::PaymentNeedsReview,
        _ => return None,
    };
    let mut data = data(row, quote, offer);
    if let AttemptState::Failed(reason) = row.state {
        data.insert("failure".to_owned(), json!(reason));
    } else if let Some(receipt) = &row.receipt {
        data.insert("amount".to_owned(), json!(receipt.amount));
        data.insert("currency".to_owned(), json!(receipt.currency));
    }
    Some(notification(kind, row.id.as_str(), at, data))
}

/// Returns what a booked change came to.
#[must_use]
pub fn of_booking(
    end: BookingEnd,
    row: &AttemptRow,
    quote: &QuoteRow,
    offer: Option<&OfferRow>,
    at: UnixSeconds,
) -> Notification {
    let kind = match end {
        BookingEnd::Made => NotificationKind::PlanChanged,
        BookingEnd::Cancelled => NotificationKind::PlanChangeCancelled,
    };
    notification(kind, row.id.as_str(), at, data(row, quote, offer))
}

/// Money was collected that should not have been, and goes back: so much of it, or all.
#[must_use]
pub fn of_refund_order(
    (cause, amount): (RefundCause, Option<i64>),
    payment: &SeenPayment,
    row: &AttemptRow,
    quote: &QuoteRow,
    offer: Option<&OfferRow>,
    at: UnixSeconds,
) -> Notification {
    let mut data = data_of_sale(&payment.id, row, quote, offer);
    data.insert("cause".to_owned(), json!(cause.as_str()));
    data.insert("full".to_owned(), json!(amount.is_none()));
    if let Some(collected) = payment.amount {
        data.insert("amount".to_owned(), json!(amount.unwrap_or(collected.amount)));
        data.insert("currency".to_owned(), json!(collected.currency));
    }
    notification(NotificationKind::PaymentRefundOrdered, payment.id.as_str(), at, data)
}

/// What was ordered to go back did not.
#[must_use]
pub fn of_refund_refusal(
    order: &RefundOrder,
    row: &AttemptRow,
    quote: &QuoteRow,
    offer: Option<&OfferRow>,
    at: UnixSeconds,
) -> Notification {
    let mut data = data_of_sale(&order.payment_id, row, quote, offer);
    data.insert("cause".to_owned(), json!(order.cause.as_str()));
    data.insert("full".to_owned(), json!(order.amount.is_none()));
    match order.amount {
        Some(amount) => data.insert("amount".to_owned(), json!(amount)),
        // All of it is what was collected, which need not be what was quoted.
        None => data.remove("amount"),
    };
    notification(NotificationKind::PaymentRefundRefused, order.payment_id.as_str(), at, data)
}

/// Money went back.
#[must_use]
pub fn of_refund(
    refund: &SeenRefund,
    row: &AttemptRow,
    quote: &QuoteRow,
    offer: Option<&OfferRow>,
    at: UnixSeconds,
) -> Notification {
    let mut data = data_of_sale(&refund.payment_id, row, quote, offer);
    data.insert("refund_id".to_owned(), json!(refund.id.as_str()));
    match refund.amount {
        Some(amount) => {
            data.insert("amount".to_owned(), json!(amount.amount));
            data.insert("currency".to_owned(), json!(amount.currency));
        }
        // How much is not known; what was quoted is not it.
        None => data.retain(|key, _| key != "amount" && key != "currency"),
    }
    notification(NotificationKind::PaymentRefunded, refund.id.as_str(), at, data)
}

/// The buyer contests a payment. Each state of a dispute is news of its own.
#[must_use]
pub fn of_dispute(
    dispute: &SeenDispute,
    row: &AttemptRow,
    quote: &QuoteRow,
    offer: Option<&OfferRow>,
    at: UnixSeconds,
) -> Notification {
    let mut data = data_of_sale(&dispute.payment_id, row, quote, offer);
    let word = dispute.status.as_str();
    data.insert("dispute_id".to_owned(), json!(dispute.id.as_str()));
    data.insert("status".to_owned(), json!(word));
    let told = notification(NotificationKind::PaymentDisputed, dispute.id.as_str(), at, data);
    Notification { id: format!("{}_{word}", told.id), ..told }
}

/// The buyer said yes.
#[must_use]
pub fn of_acceptance(row: &AttemptRow, quote: &QuoteRow, offer: &OfferRow, at: UnixSeconds) -> Notification {
    notification(NotificationKind::OfferAccepted, row.id.as_str(), at, data(row, quote, Some(offer)))
}

/// The buyer said no.
#[must_use]
pub fn of_refusal(decline: &Decline, offer: &OfferRow) -> Notification {
    let mut data = plan_data(&offer.plan);
    extend_by_offer(&mut data, offer);
    data.insert("customer_id".to_owned(), json!(decline.customer_id.as_str()));
    if let Some(reason) = decline.reason {
        data.insert("reason".to_owned(), json!(reason));
    }
    notification(NotificationKind::OfferDeclined, decline.offer_id.as_str(), decline.at, data)
}

fn notification(
    kind: NotificationKind,
    about: &str,
    at: UnixSeconds,
    data: Map<String, Value>,
) -> Notification {
    Notification {
        id: format!("evt_{about}_{}", kind.in_id()),
        kind,
        body: json!({"type": kind.word(), "timestamp": at.0, "data": data}),
    }
}

/// The same about a payment that need not be the one that the attempt counts.
fn data_of_sale(
    payment: &PaymentId,
    row: &AttemptRow,
    quote: &QuoteRow,
    offer: Option<&OfferRow>,
) -> Map<String, Value> {
    let mut data = data(row, quote, offer);
    data.insert("payment_id".to_owned(), json!(payment.as_str()));
    data
}

fn data(row: &AttemptRow, quote: &QuoteRow, offer: Option<&OfferRow>) -> Map<String, Value> {
    let mut data = plan_data(&quote.plan);
    if let Some(offer) = offer {
        extend_by_offer(&mut data, offer);
    }
    data.insert("attempt_id".to_owned(), json!(row.id));
    data.insert("customer_id".to_owned(), json!(row.customer_id.as_str()));
    if let Some(payment) = &row.payment_id {
        data.insert("payment_id".to_owned(), json!(payment.as_str()));
    }
    data.insert("amount".to_owned(), json!(quote.quote.total));
    data.insert("currency".to_owned(), json!(quote.quote.currency));
    data
}

fn plan_data(plan: &ChargePlan) -> Map<String, Value> {
    let mut data = Map::new();
    data.insert("product_id".to_owned(), json!(plan.product_id()));
    data.insert("quantity".to_owned(), json!(plan.quantity()));
    if let Some(subscription) = plan.subscription_id() {
        data.insert("subscription_id".to_owned(), json!(subscription.as_str()));
    }
    data
}

fn extend_by_offer(data: &mut Map<String, Value>, offer: &OfferRow) {
    data.insert("offer_id".to_owned(), json!(offer.id));
    data.insert("campaign".to_owned(), json!(offer.campaign));
    data.insert("offer_kind".to_owned(), json!(offer.kind));
    if let Some(purchase) = &offer.purchase {
        data.insert("original_payment_id".to_owned(), json!(purchase.as_str()));
    }
}

#[cfg(test)]
mod tests;
