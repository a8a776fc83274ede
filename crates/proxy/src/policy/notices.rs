//! What the merchant's system is told, and when. Pure.
//!
//! Each piece of news has an id that follows from what happened, so that it is written down once however often it is
//! found out, and a receiver can tell a repetition (I14). Bodies hold no payment-method id and no card.

use serde_json::{Map, Value, json};
use wire::UnixSeconds;

use crate::{
    domain::{AttemptKind, AttemptRow, AttemptState, ChargePlan, OfferRow, QuoteRow},
    store::Refusal,
};

/// The types of news. The words are part of the contract with merchants (`docs/API.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// The buyer said yes and collecting has begun.
    OfferAccepted,
    /// The buyer said no.
    OfferDeclined,
    /// Money was collected for an offer: fulfil it.
    PaymentSucceeded,
    /// Nothing was collected.
    PaymentFailed,
    /// The plan is changed: give access.
    PlanChanged,
    /// The plan will change at the next billing date.
    PlanChangeScheduled,
}

impl NoticeKind {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::OfferAccepted => "offer.accepted",
            Self::OfferDeclined => "offer.declined",
            Self::PaymentSucceeded => "payment.succeeded",
            Self::PaymentFailed => "payment.failed",
            Self::PlanChanged => "plan.changed",
            Self::PlanChangeScheduled => "plan.change_scheduled",
        }
    }

    /// The same in an id, which must not hold a dot (Standard Webhooks).
    fn in_id(self) -> String {
        self.word().replace('.', "_")
    }
}

/// One piece of news.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The same however often it is told.
    pub id: String,
    /// What it is about.
    pub kind: NoticeKind,
    /// `{type, timestamp, data}`.
    pub body: Value,
}

/// Whether coming from `before` to `after` is something to tell.
#[must_use]
pub fn is_news(before: AttemptState, after: AttemptState) -> bool {
    before != after
        && match after {
            AttemptState::Succeeded | AttemptState::Scheduled => true,
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
) -> Option<Notice> {
    if !is_news(before, row.state) {
        return None;
    }
    let kind = match (row.state, row.kind) {
        (AttemptState::Succeeded, AttemptKind::PlanChange) => NoticeKind::PlanChanged,
        (AttemptState::Succeeded, _) => NoticeKind::PaymentSucceeded,
        (AttemptState::Scheduled, _) => NoticeKind::PlanChangeScheduled,
        (AttemptState::Failed(_), _) => NoticeKind::PaymentFailed,
        _ => return None,
    };
    let mut data = data(row, quote, offer);
    if let AttemptState::Failed(reason) = row.state {
        data.insert("failure".to_owned(), json!(reason));
    } else if let Some(receipt) = &row.receipt {
        data.insert("amount".to_owned(), json!(receipt.amount));
        data.insert("currency".to_owned(), json!(receipt.currency));
    }
    Some(notice(kind, row.id.as_str(), at, data))
}

/// The buyer said yes.
#[must_use]
pub fn of_acceptance(row: &AttemptRow, quote: &QuoteRow, offer: &OfferRow, at: UnixSeconds) -> Notice {
    notice(NoticeKind::OfferAccepted, row.id.as_str(), at, data(row, quote, Some(offer)))
}

/// The buyer said no.
#[must_use]
pub fn of_refusal(refusal: &Refusal, offer: &OfferRow) -> Notice {
    let mut data = plan_data(&offer.plan);
    extend_by_offer(&mut data, offer);
    data.insert("customer_id".to_owned(), json!(refusal.customer_id.as_str()));
    if let Some(reason) = refusal.reason {
        data.insert("reason".to_owned(), json!(reason));
    }
    notice(NoticeKind::OfferDeclined, refusal.offer_id.as_str(), refusal.at, data)
}

fn notice(kind: NoticeKind, about: &str, at: UnixSeconds, data: Map<String, Value>) -> Notice {
    Notice {
        id: format!("evt_{about}_{}", kind.in_id()),
        kind,
        body: json!({"type": kind.word(), "timestamp": at.0, "data": data}),
    }
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
