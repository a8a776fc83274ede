//! What tests read: money that moved, requests that came in, webhooks that went out.

use crate::engine::world::World;
use crate::model::Metadata;
use crate::model::money::Currency;
use crate::model::payment::{IntentStatus, Source};
use crate::webhooks::outbox::Attempt;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

/// The ledger at one moment. Times are virtual.
#[derive(Debug, Clone, Serialize)]
pub struct Ledger {
    /// Collections of money and refused ones, in order of settlement.
    pub charges: Vec<Charge>,
    /// Every request to the API or a hosted page that was not a GET, with its body.
    pub posts: Vec<Request>,
    /// Every request to the API or a hosted page, without bodies.
    pub requests: Vec<Request>,
    /// Every event and its deliveries.
    pub webhooks: Vec<Delivery>,
}

/// A payment that ended with money moved or refused.
#[derive(Debug, Clone, Serialize)]
pub struct Charge {
    /// Its payment.
    pub payment_id: String,
    /// Who paid.
    pub customer_id: String,
    /// The subscription that it is for, if any.
    pub subscription_id: Option<String>,
    /// Minor units, with tax, after credit.
    pub amount: i64,
    /// Of the amount.
    pub currency: Currency,
    /// `succeeded` or `failed`.
    pub status: IntentStatus,
    /// When it was settled.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Everything that it pays for.
    pub product_ids: Vec<String>,
    /// As sent.
    pub metadata: Metadata,
    /// What made the simulator charge.
    pub source: Source,
    /// Minor units given back.
    pub refunded: i64,
}

/// A request that came in.
#[derive(Debug, Clone, Serialize)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// With the query.
    pub path: String,
    /// Arrival.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What was answered; `None` when nothing (complete) was, by a fault.
    pub status_sent: Option<u16>,
    /// The fault that was applied.
    pub fault: Option<String>,
    /// As JSON, or as text when it is none; null in the list of all requests.
    pub body: Value,
}

/// A webhook.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    /// `webhook-id`.
    pub id: String,
    /// Such as `payment.succeeded`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Every try.
    pub attempts: Vec<Attempt>,
    /// First acceptance.
    #[serde(with = "time::serde::rfc3339::option")]
    pub delivered_at: Option<OffsetDateTime>,
    /// Dropped on purpose.
    pub dropped: bool,
}

/// Requests as they come in.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    requests: Vec<Request>,
}

/// Place of a request in the log, to add what was answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogEntry(usize);

impl RequestLog {
    pub(crate) fn arrived(&mut self, request: Request) -> LogEntry {
        self.requests.push(request);
        LogEntry(self.requests.len() - 1)
    }

    pub(crate) fn answered(&mut self, entry: LogEntry, status: u16) {
        if let Some(request) = self.requests.get_mut(entry.0) {
            request.status_sent = Some(status);
        }
    }
}

impl Ledger {
    pub(crate) fn of(world: &World) -> Self {
        let mut charges: Vec<Charge> = world
            .payments
            .iter()
            .filter(|payment| payment.total_amount > 0)
            .filter(|payment| matches!(payment.status, IntentStatus::Succeeded | IntentStatus::Failed))
            .filter_map(|payment| {
                Some(Charge {
                    payment_id: payment.payment_id.clone(),
                    customer_id: payment.customer_id.clone(),
                    subscription_id: payment.subscription_ids.first().cloned(),
                    amount: payment.total_amount,
                    currency: payment.currency,
                    status: payment.status,
                    at: payment.settled_at?,
                    product_ids: payment.product_ids.clone(),
                    metadata: payment.metadata.clone(),
                    source: payment.source,
                    refunded: payment.refunded(),
                })
            })
            .collect();
        charges.sort_by_key(|charge| charge.at);
        let posts = world.log.requests.iter().filter(|request| request.method != "GET").cloned().collect();
        let requests = world
            .log
            .requests
            .iter()
            .map(|request| Request { body: Value::Null, ..request.clone() })
            .collect();
        let webhooks = world
            .outbox
            .webhooks
            .iter()
            .map(|webhook| Delivery {
                id: webhook.id.clone(),
                kind: webhook.kind.as_str().to_owned(),
                attempts: webhook.attempts.clone(),
                delivered_at: webhook.delivered_at,
                dropped: webhook.dropped,
            })
            .collect();
        Self { charges, posts, requests, webhooks }
    }

    /// The charges that collected money.
    pub fn succeeded(&self) -> impl Iterator<Item = &Charge> {
        self.charges.iter().filter(|charge| charge.status == IntentStatus::Succeeded)
    }
}
