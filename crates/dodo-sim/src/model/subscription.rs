//! Subscriptions and changes of their plan.

use super::Metadata;
use super::catalogue::Every;
use super::money::Currency;
use super::payment::Billing;
use super::table::Row;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SubscriptionStatus {
    Pending,
    Active,
    OnHold,
    Paused,
    Cancelled,
    Failed,
    Expired,
    PastDue,
}

/// What is subscribed to, at the prices that hold for this subscriber.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Plan {
    pub(crate) product_id: String,
    pub(crate) quantity: i64,
    /// After the product's own discount and kept codes; locked until the plan changes.
    pub(crate) unit_price: i64,
    pub(crate) addons: Vec<PlanAddon>,
    pub(crate) currency: Currency,
    pub(crate) tax_inclusive: bool,
    pub(crate) frequency: Every,
    pub(crate) usage_based: bool,
    pub(crate) discount_codes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PlanAddon {
    pub(crate) addon_id: String,
    pub(crate) name: String,
    pub(crate) quantity: i64,
    pub(crate) unit_price: i64,
    pub(crate) tax_category: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProrationMode {
    ProratedImmediately,
    FullImmediately,
    DifferenceImmediately,
    DoNotBill,
    ProratedImmediatelyKeepCycle,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EffectiveAt {
    #[default]
    Immediately,
    NextBillingDate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnPaymentFailure {
    PreventChange,
    ApplyChange,
}

/// A change that has been priced: what preview shows and what change applies.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PlannedChange {
    pub(crate) plan: Plan,
    /// Start and end of a new period; none when the current one goes on, whichever that is by the time it is paid.
    pub(crate) new_period: Option<(OffsetDateTime, OffsetDateTime)>,
    pub(crate) on_failure: OnPaymentFailure,
    /// Credit that the change grants to the buyer.
    pub(crate) credit_granted: i64,
    /// Whether the period that it leads into counts as paid, and so gives something back at the next change.
    pub(crate) period_paid: bool,
}

/// A subscription that begins when its first payment is collected.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NewSubscription {
    pub(crate) plan: Plan,
    pub(crate) life: Every,
    pub(crate) trial_days: u32,
    pub(crate) trial_amount: Option<i64>,
    pub(crate) tax_id: Option<String>,
    pub(crate) customer_business_name: Option<String>,
    pub(crate) on_demand: bool,
}

/// What a subscription on hold owes, with tax and before credit.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Dues {
    pub(crate) amount: i64,
    pub(crate) tax: i64,
    /// Whether paying them begins the period that was missed; false for dues of a plan change.
    pub(crate) begins_period: bool,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ScheduledChange {
    pub(crate) id: String,
    pub(crate) plan: Plan,
    pub(crate) on_failure: OnPaymentFailure,
    pub(crate) metadata: Option<Metadata>,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) effective_at: OffsetDateTime,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Subscription {
    pub(crate) subscription_id: String,
    pub(crate) customer_id: String,
    pub(crate) plan: Plan,
    pub(crate) status: SubscriptionStatus,
    pub(crate) billing: Billing,
    pub(crate) metadata: Metadata,
    pub(crate) payment_method_id: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    /// Start of the current period.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) previous_billing_date: OffsetDateTime,
    /// End of the current period.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) next_billing_date: OffsetDateTime,
    /// The day of the month that renewals fall on, so that a short month does not move it for good.
    pub(crate) billing_day: u8,
    pub(crate) life: Every,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) expires_at: OffsetDateTime,
    pub(crate) trial_period_days: u32,
    pub(crate) trial_amount: Option<i64>,
    pub(crate) on_demand: bool,
    /// False during an unpaid trial: there is nothing to give back for it.
    pub(crate) period_paid: bool,
    pub(crate) cancel_at_next_billing_date: bool,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) cancelled_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) paused_at: Option<OffsetDateTime>,
    pub(crate) scheduled_change: Option<ScheduledChange>,
    /// Payment of a change that is not settled.
    pub(crate) pending_change: Option<String>,
    /// Credit of this subscription alone (switch `credit_scope`).
    pub(crate) credit: i64,
    /// What is owed while on hold.
    pub(crate) dues: Option<Dues>,
    /// The renewal payment that `subscription.renewed` tells of.
    pub(crate) renewal_payment_id: Option<String>,
    pub(crate) tax_id: Option<String>,
    pub(crate) customer_business_name: Option<String>,
}

impl Row for Subscription {
    fn id(&self) -> &str {
        &self.subscription_id
    }
}
