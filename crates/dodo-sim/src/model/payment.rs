//! Payments and refunds.

use super::Metadata;
use super::money::Currency;
use super::subscription::{NewSubscription, PlannedChange};
use super::table::Row;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Billing {
    /// Two capital letters.
    pub(crate) country: String,
    #[serde(default)]
    pub(crate) city: Option<String>,
    #[serde(default)]
    pub(crate) state: Option<String>,
    #[serde(default)]
    pub(crate) street: Option<String>,
    #[serde(default)]
    pub(crate) zipcode: Option<String>,
}

/// The statuses that the simulator produces, of the eleven that Dodo has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentStatus {
    /// Collected.
    Succeeded,
    /// Declined for good.
    Failed,
    /// Given up.
    Cancelled,
    /// On its way.
    Processing,
    /// Waits for the buyer's challenge.
    RequiresCustomerAction,
    /// Waits for a payment method.
    RequiresPaymentMethod,
}

impl IntentStatus {
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Processing => "processing",
            Self::RequiresCustomerAction => "requires_customer_action",
            Self::RequiresPaymentMethod => "requires_payment_method",
        }
    }
}

/// What made the simulator charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A buyer on a hosted page.
    Hosted,
    /// A confirmed checkout on a saved method.
    OneClick,
    /// A plan change.
    PlanChange,
    /// A renewal.
    Renewal,
    /// What was owed by a subscription on hold.
    Dues,
}

/// What happens when the payment ends.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// The cart of a session is delivered: its subscriptions begin.
    Checkout { subscriptions: Vec<NewSubscription> },
    /// The plan changes, or not.
    PlanChange { subscription_id: String, change: Box<PlannedChange> },
    /// The subscription enters its next period.
    Renewal { subscription_id: String },
    /// The subscription comes back from hold.
    Dues { subscription_id: String },
    /// A new method was collected; nothing else.
    NewMethod { subscription_id: String },
}

/// One part of what is paid.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PaymentLine {
    pub(crate) items_id: String,
    pub(crate) name: String,
    /// With tax.
    pub(crate) amount: i64,
    pub(crate) tax: i64,
    pub(crate) refunded: i64,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct CartItem {
    pub(crate) product_id: String,
    pub(crate) quantity: i64,
}

/// The part of a subscription's life that a payment pays for.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ServicePeriod {
    pub(crate) subscription_id: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) starts_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) ends_at: OffsetDateTime,
    /// Decimal text; "1" is a full period.
    pub(crate) proration_factor: String,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Payment {
    pub(crate) payment_id: String,
    pub(crate) customer_id: String,
    pub(crate) billing: Billing,
    pub(crate) currency: Currency,
    /// With tax, after credit: what the buyer is charged.
    pub(crate) total_amount: i64,
    pub(crate) tax: i64,
    pub(crate) status: IntentStatus,
    pub(crate) error_code: Option<String>,
    pub(crate) source: Source,
    pub(crate) purpose: Purpose,
    pub(crate) checkout_session_id: Option<String>,
    pub(crate) subscription_ids: Vec<String>,
    pub(crate) product_cart: Vec<CartItem>,
    /// Every product that it pays for, one-time or not.
    pub(crate) product_ids: Vec<String>,
    pub(crate) payment_method_id: Option<String>,
    pub(crate) payment_link: Option<String>,
    pub(crate) client_secret: String,
    pub(crate) lines: Vec<PaymentLine>,
    pub(crate) service_periods: Vec<ServicePeriod>,
    pub(crate) discount_codes: Vec<String>,
    /// Credit that was taken from the wallet for it, given back when it fails.
    pub(crate) credit_spent: i64,
    pub(crate) challenged: bool,
    pub(crate) metadata: Metadata,
    /// Fields that the API gives with other values than these here.
    pub(crate) shown: Map<String, Value>,
    pub(crate) invoice_id: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) updated_at: Option<OffsetDateTime>,
    /// When money moved or was refused.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) settled_at: Option<OffsetDateTime>,
}

impl Payment {
    pub(crate) fn refunded(&self) -> i64 {
        self.lines.iter().map(|line| line.refunded).sum()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefundStatus {
    Succeeded,
    Failed,
    Pending,
    Review,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Refund {
    pub(crate) refund_id: String,
    pub(crate) payment_id: String,
    pub(crate) customer_id: String,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    pub(crate) is_partial: bool,
    pub(crate) reason: Option<String>,
    pub(crate) status: RefundStatus,
    /// Per line: its id and how much of it.
    pub(crate) parts: Vec<(String, i64)>,
    pub(crate) metadata: Metadata,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
}

impl Row for Payment {
    fn id(&self) -> &str {
        &self.payment_id
    }
}

impl Row for Refund {
    fn id(&self) -> &str {
        &self.refund_id
    }
}
