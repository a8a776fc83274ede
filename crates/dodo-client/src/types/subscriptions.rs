//! Subscriptions, looked up, and what pays for them.

use std::fmt;

use money::UnixSeconds;
use serde::{Deserialize, Serialize};

use super::{
    catalogue::TimeInterval,
    checkouts::AddonQuantity,
    payments::{BillingAddress, CustomerRef},
};
use crate::{
    ids::{CustomerId, PaymentId, PaymentMethodId, ProductId, SubscriptionId},
    lenient::{Readable, null_as_default, open_enum},
    values::{Currency, Metadata, rfc3339},
};

open_enum! {
    /// How a subscription stands. Only an active one can change its plan.
    SubscriptionStatus {
        /// Not yet paid for the first time.
        Pending = "pending",
        /// Running.
        Active = "active",
        /// A charge failed; the dues are open.
        OnHold = "on_hold",
        /// Stopped for a while.
        Paused = "paused",
        /// Ended by somebody.
        Cancelled = "cancelled",
        /// Never came about.
        Failed = "failed",
        /// Ended by itself.
        Expired = "expired",
        /// A renewal failed and is being tried again.
        PastDue = "past_due",
    }
}

/// A subscription with all that is known of it. The plan's name and list price stand at its product.
///
/// Strict: its id, the buyer's id, plan, quantity, add-ons, status, what a renewal costs and when, metadata (a plan change
/// sends it back), a booked change, and the two switches that decide whether its plan may change. Every other field that cannot
/// be read is absent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Subscription {
    /// Which.
    pub subscription_id: SubscriptionId,
    /// The plan.
    pub product_id: ProductId,
    /// How many of it.
    pub quantity: i64,
    /// How it stands.
    pub status: SubscriptionStatus,
    /// Of `recurring_pre_tax_amount`.
    pub currency: Currency,
    /// A renewal, in minor units, before tax.
    pub recurring_pre_tax_amount: i64,
    /// Whether tax is within the amount.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tax_inclusive: bool,
    /// Who pays.
    pub customer: CustomerRef,
    /// Where it is billed to.
    #[serde(default)]
    pub billing: Option<BillingAddress>,
    /// What was added to the plan. A plan change that does not name them removes them.
    #[serde(default, deserialize_with = "null_as_default")]
    pub addons: Vec<AddonQuantity>,
    /// The merchant's own pairs.
    #[serde(default, deserialize_with = "null_as_default")]
    pub metadata: Metadata,
    /// Time at which the current period began.
    #[serde(default, with = "rfc3339::option")]
    pub previous_billing_date: Option<UnixSeconds>,
    /// When it ends.
    #[serde(with = "rfc3339")]
    pub next_billing_date: UnixSeconds,
    /// With the interval: how long a period is.
    pub payment_frequency_count: i64,
    /// See `payment_frequency_count`.
    pub payment_frequency_interval: TimeInterval,
    /// Days before the first charge.
    #[serde(default, deserialize_with = "null_as_default")]
    pub trial_period_days: i64,
    /// When it came about.
    #[serde(default, with = "rfc3339::option")]
    pub created_at: Option<UnixSeconds>,
    /// Charged when the merchant asks, not by the calendar; its plan cannot change.
    #[serde(default, deserialize_with = "null_as_default")]
    pub on_demand: bool,
    /// Ends with the period; its plan cannot change.
    #[serde(default, deserialize_with = "null_as_default")]
    pub cancel_at_next_billing_date: bool,
    /// What pays. For the server only.
    #[serde(default)]
    pub payment_method_id: Option<PaymentMethodId>,
    /// A change that waits for the next renewal.
    #[serde(default)]
    pub scheduled_change: Option<ScheduledChange>,
    /// Discounts within `recurring_pre_tax_amount`, in the order in which they apply.
    #[serde(default, deserialize_with = "null_as_default")]
    pub discounts: Vec<AppliedDiscount>,
}

impl Readable for Subscription {
    const NAME: &'static str = "subscription";
    const STRICT: &'static [&'static str] = &[
        "tax_inclusive",
        "addons",
        "metadata",
        "on_demand",
        "cancel_at_next_billing_date",
        "scheduled_change",
        "scheduled_change.addons",
        "discounts[].amount",
        "discounts[].cycles_remaining",
        "discounts[].preserve_on_plan_change",
        "discounts[].restricted_to",
    ];
    const ROWS: &'static [&'static str] = &["discounts"];
}

open_enum! {
    /// How a discount is computed.
    DiscountKind {
        /// In hundredths of a percent.
        Percentage = "percentage",
        /// An amount for the whole cart.
        Flat = "flat",
    }
}

/// A discount on a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AppliedDiscount {
    /// How it is computed.
    #[serde(rename = "type", default)]
    pub kind: Option<DiscountKind>,
    /// Hundredths of a percent, for a percentage.
    #[serde(default)]
    pub amount: i64,
    /// Renewals that it still holds for; `None` for all.
    #[serde(default)]
    pub cycles_remaining: Option<i64>,
    /// Whether it stays when the plan changes.
    #[serde(default, deserialize_with = "null_as_default")]
    pub preserve_on_plan_change: bool,
    /// The products that it is for; empty for all.
    #[serde(default, deserialize_with = "null_as_default")]
    pub restricted_to: Vec<ProductId>,
}

/// A plan change that waits for the next renewal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ScheduledChange {
    /// The plan to come.
    pub product_id: ProductId,
    /// Its name.
    #[serde(default)]
    pub product_name: Option<String>,
    /// How many of it.
    pub quantity: i64,
    /// What will be added to it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub addons: Vec<AddonQuantity>,
    /// When it takes effect, as known when it was scheduled: a pause moves the renewal and not this.
    #[serde(with = "rfc3339")]
    pub effective_at: UnixSeconds,
}

/// A subscription as lists show it. Add-ons are not among what lists say: look it up before changing it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SubscriptionSummary {
    /// Which.
    pub subscription_id: SubscriptionId,
    /// The plan.
    pub product_id: ProductId,
    /// Its name.
    #[serde(default)]
    pub product_name: Option<String>,
    /// How many of it.
    pub quantity: i64,
    /// How it stands.
    pub status: SubscriptionStatus,
    /// Of `recurring_pre_tax_amount`.
    pub currency: Currency,
    /// A renewal, in minor units, before tax.
    pub recurring_pre_tax_amount: i64,
    /// Who pays.
    pub customer: CustomerRef,
    /// When the current period ends.
    #[serde(with = "rfc3339")]
    pub next_billing_date: UnixSeconds,
}

impl Readable for SubscriptionSummary {
    const NAME: &'static str = "listed_subscription";
}

/// Which subscriptions to list.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SubscriptionFilter {
    /// Of this buyer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// On this plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_id: Option<ProductId>,
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<SubscriptionStatus>,
}

/// The answer of calls that may need the buyer at a page of Dodo's. Everything is absent when they do not. Nothing in it is
/// strict: that it was answered counts, and a payment is found at its subscription as well.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PaymentLink {
    /// The payment that was begun.
    pub payment_id: Option<PaymentId>,
    /// Where the buyer goes on.
    pub payment_link: Option<String>,
    /// Until when the link is good.
    #[serde(with = "rfc3339::option")]
    pub expires_on: Option<UnixSeconds>,
}

impl Readable for PaymentLink {
    const NAME: &'static str = "payment_link";
}

impl fmt::Debug for PaymentLink {
    // The link lets whoever holds it into the payment: it stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentLink")
            .field("payment_id", &self.payment_id)
            .field("has_payment_link", &self.payment_link.is_some())
            .field("expires_on", &self.expires_on)
            .finish()
    }
}
