//! What a payment at Dodo says, whether it was looked up, listed or reported.

use dodo_client::{
    calls::payments::{ChargeType, IntentStatus, Payment, PaymentSummary},
    ids::{CheckoutSessionId, CustomerId, PaymentId, SubscriptionId},
};
use time::OffsetDateTime;
use wire::{AttemptId, Card, Currency, Money, UnixSeconds};

use super::tags::{self, Tags};
use crate::service::catalogue::shown_card;

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
    /// What the buyer is charged, tax included; `None` in a currency that is no currency.
    pub amount: Option<Money>,
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

fn seconds(at: OffsetDateTime) -> UnixSeconds {
    UnixSeconds(at.unix_timestamp())
}

fn money(amount: i64, currency: dodo_client::values::Currency) -> Option<Money> {
    Some(Money::new(amount, Currency::parse(currency.as_str()).ok()?))
}

impl From<&Payment> for PaymentFacts {
    fn from(payment: &Payment) -> Self {
        Self {
            payment_id: payment.payment_id.clone(),
            customer_id: payment.customer.customer_id.clone(),
            status: payment.status.clone(),
            error_code: payment.error_code.clone(),
            payment_link: payment.payment_link.clone(),
            amount: money(payment.total_amount, payment.currency),
            tax: payment.tax,
            at: seconds(payment.updated_at.unwrap_or(payment.created_at)),
            created_at: seconds(payment.created_at),
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
            amount: money(payment.total_amount, payment.currency),
            tax: None,
            at: seconds(payment.created_at),
            created_at: seconds(payment.created_at),
            card: None,
            charge_type: payment.charge_type.clone(),
            checkout_session_id: payment.checkout_session_id.clone(),
            subscription_id: payment.subscription_id.clone(),
            attempt: tags::attempt(&payment.metadata),
            tags: Tags::read(&payment.metadata),
        }
    }
}
