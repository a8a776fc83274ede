//! Payments: what Dodo says of one, whether it was looked up, listed or reported, and what is kept of it.

use dodo_client::{
    ids::{CheckoutSessionId, CustomerId, PaymentId, SubscriptionId},
    types::payments::{ChargeType, IntentStatus, Payment, PaymentSummary},
};
use wire::{AttemptId, Card, Money, UnixSeconds};

use super::{
    method::shown_card,
    tags::{self, Tags},
    words::words,
};

/// The facts of one payment. Listings know less than look-ups: no tax, no card, no reason of a failure, no page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentFacts {
    /// Which.
    pub payment_id: PaymentId,
    /// Who pays.
    pub customer_id: CustomerId,
    /// How it stands.
    pub status: Option<IntentStatus>,
    /// Why it failed.
    pub error_code: Option<String>,
    /// A page on which the buyer completes this very payment.
    pub payment_link: Option<String>,
    /// What the buyer is charged, tax included.
    pub amount: Money,
    /// Tax within.
    pub tax: Option<i64>,
    /// When it last changed, as far as known.
    pub at: UnixSeconds,
    /// When it was begun.
    pub created_at: UnixSeconds,
    /// The card charged.
    pub card: Option<Card>,
    /// What it was for.
    pub charge_type: Option<ChargeType>,
    /// The checkout it came from.
    pub checkout_session_id: Option<CheckoutSessionId>,
    /// The subscription it pays for.
    pub subscription_id: Option<SubscriptionId>,
    /// Our attempt, as its metadata names it.
    pub attempt: Option<AttemptId>,
    /// All that its metadata names, when it names all.
    pub tags: Option<Tags>,
}

impl From<&Payment> for PaymentFacts {
    fn from(payment: &Payment) -> Self {
        Self {
            payment_id: payment.payment_id.clone(),
            customer_id: payment.customer.customer_id.clone(),
            status: payment.status.clone(),
            error_code: payment.error_code.clone(),
            payment_link: payment.payment_link.clone(),
            amount: Money::new(payment.total_amount, payment.currency),
            tax: payment.tax,
            at: payment.updated_at.unwrap_or(payment.created_at),
            created_at: payment.created_at,
            card: shown_card(payment.card_network.as_deref(), payment.card_last_four.as_deref()),
            charge_type: payment.charge_type.clone(),
            checkout_session_id: payment.checkout_session_id.clone(),
            subscription_id: payment.subscription_id.clone(),
            attempt: tags::attempt(&payment.metadata),
            tags: Tags::read(&payment.metadata),
        }
    }
}

impl From<&PaymentSummary> for PaymentFacts {
    fn from(payment: &PaymentSummary) -> Self {
        Self {
            payment_id: payment.payment_id.clone(),
            customer_id: payment.customer.customer_id.clone(),
            status: payment.status.clone(),
            error_code: None,
            payment_link: None,
            amount: Money::new(payment.total_amount, payment.currency),
            tax: None,
            at: payment.created_at,
            created_at: payment.created_at,
            card: None,
            charge_type: payment.charge_type.clone(),
            checkout_session_id: payment.checkout_session_id.clone(),
            subscription_id: payment.subscription_id.clone(),
            attempt: tags::attempt(&payment.metadata),
            tags: Tags::read(&payment.metadata),
        }
    }
}

/// How a payment stands, as far as an attempt is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PaymentStatus {
    /// Not settled.
    Pending,
    /// Failed or cancelled. On a hosted page another may follow.
    Failed,
    /// Collected.
    Succeeded,
}

words!(PaymentStatus { Pending = "pending", Failed = "failed", Succeeded = "succeeded" });

/// A payment as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPayment {
    /// Dodo's id.
    pub id: PaymentId,
    /// How it stands.
    pub status: PaymentStatus,
    /// What it collects, tax included; absent where not known yet.
    pub amount: Option<Money>,
}

/// A payment of an attempt as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentOnRecord {
    /// It.
    pub payment: SeenPayment,
    /// It came in although the attempt had been paid by another.
    pub surplus: bool,
    /// When it was last seen.
    pub seen_at: UnixSeconds,
}
