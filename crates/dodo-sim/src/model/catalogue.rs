//! What can be bought: products, add-ons, discount codes. The price is the wire's own tagged union.

use super::Metadata;
use super::money::Currency;
use super::table::Row;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Dodo's capitalised interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TimeInterval {
    Day,
    Week,
    Month,
    Year,
}

/// So many intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Every {
    pub(crate) count: u32,
    pub(crate) interval: TimeInterval,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum Price {
    #[serde(rename = "one_time_price")]
    OneTime(OneTimePrice),
    #[serde(rename = "recurring_price")]
    Recurring(RecurringPrice),
    #[serde(rename = "usage_based_price")]
    UsageBased(UsageBasedPrice),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OneTimePrice {
    pub(crate) currency: Currency,
    pub(crate) price: i64,
    #[serde(default)]
    pub(crate) discount: i64,
    #[serde(default)]
    pub(crate) discount_bps: i64,
    #[serde(default)]
    pub(crate) purchasing_power_parity: bool,
    #[serde(default)]
    pub(crate) tax_inclusive: bool,
    #[serde(default)]
    pub(crate) pay_what_you_want: bool,
    #[serde(default)]
    pub(crate) suggested_price: Option<i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RecurringPrice {
    pub(crate) currency: Currency,
    pub(crate) price: i64,
    pub(crate) payment_frequency_count: u32,
    pub(crate) payment_frequency_interval: TimeInterval,
    #[serde(default = "twenty")]
    pub(crate) subscription_period_count: u32,
    #[serde(default = "years")]
    pub(crate) subscription_period_interval: TimeInterval,
    #[serde(default)]
    pub(crate) discount: i64,
    #[serde(default)]
    pub(crate) discount_bps: i64,
    #[serde(default)]
    pub(crate) purchasing_power_parity: bool,
    #[serde(default)]
    pub(crate) tax_inclusive: bool,
    #[serde(default)]
    pub(crate) trial_period_days: u32,
    #[serde(default)]
    pub(crate) trial_amount: Option<i64>,
    #[serde(default)]
    pub(crate) trial_apply_discounts: Option<bool>,
    #[serde(default)]
    pub(crate) trial_payment_method_optional: bool,
    #[serde(default)]
    pub(crate) zero_amount_payment_method_optional: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct UsageBasedPrice {
    pub(crate) currency: Currency,
    pub(crate) fixed_price: i64,
    pub(crate) payment_frequency_count: u32,
    pub(crate) payment_frequency_interval: TimeInterval,
    #[serde(default = "twenty")]
    pub(crate) subscription_period_count: u32,
    #[serde(default = "years")]
    pub(crate) subscription_period_interval: TimeInterval,
    #[serde(default)]
    pub(crate) discount: i64,
    #[serde(default)]
    pub(crate) discount_bps: i64,
    #[serde(default)]
    pub(crate) purchasing_power_parity: bool,
    #[serde(default)]
    pub(crate) tax_inclusive: bool,
    #[serde(default)]
    pub(crate) meters: Vec<serde_json::Value>,
}

fn twenty() -> u32 {
    20
}

fn years() -> TimeInterval {
    TimeInterval::Year
}

/// The cycle of a price that repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cycle {
    pub(crate) frequency: Every,
    pub(crate) life: Every,
    pub(crate) trial_days: u32,
    pub(crate) trial_amount: Option<i64>,
}

impl Price {
    pub(crate) fn currency(&self) -> Currency {
        match self {
            Self::OneTime(price) => price.currency,
            Self::Recurring(price) => price.currency,
            Self::UsageBased(price) => price.currency,
        }
    }

    /// The list price of one unit; for usage-based prices the fixed fee.
    pub(crate) fn list(&self) -> i64 {
        match self {
            Self::OneTime(price) => price.price,
            Self::Recurring(price) => price.price,
            Self::UsageBased(price) => price.fixed_price,
        }
    }

    pub(crate) fn set_list(&mut self, amount: i64) {
        match self {
            Self::OneTime(price) => price.price = amount,
            Self::Recurring(price) => price.price = amount,
            Self::UsageBased(price) => price.fixed_price = amount,
        }
    }

    pub(crate) fn set_tax_inclusive(&mut self, inclusive: bool) {
        match self {
            Self::OneTime(price) => price.tax_inclusive = inclusive,
            Self::Recurring(price) => price.tax_inclusive = inclusive,
            Self::UsageBased(price) => price.tax_inclusive = inclusive,
        }
    }

    /// The product's own discount in basis points; the older percentage counts when it is the only one.
    pub(crate) fn discount_bps(&self) -> i64 {
        let (bps, percent) = match self {
            Self::OneTime(price) => (price.discount_bps, price.discount),
            Self::Recurring(price) => (price.discount_bps, price.discount),
            Self::UsageBased(price) => (price.discount_bps, price.discount),
        };
        if bps != 0 { bps } else { percent.saturating_mul(100) }
    }

    pub(crate) fn tax_inclusive(&self) -> bool {
        match self {
            Self::OneTime(price) => price.tax_inclusive,
            Self::Recurring(price) => price.tax_inclusive,
            Self::UsageBased(price) => price.tax_inclusive,
        }
    }

    /// `None` for what is bought once.
    pub(crate) fn cycle(&self) -> Option<Cycle> {
        match self {
            Self::OneTime(_) => None,
            Self::Recurring(price) => Some(Cycle {
                frequency: Every {
                    count: price.payment_frequency_count,
                    interval: price.payment_frequency_interval,
                },
                life: Every {
                    count: price.subscription_period_count,
                    interval: price.subscription_period_interval,
                },
                trial_days: price.trial_period_days,
                trial_amount: price.trial_amount,
            }),
            Self::UsageBased(price) => Some(Cycle {
                frequency: Every {
                    count: price.payment_frequency_count,
                    interval: price.payment_frequency_interval,
                },
                life: Every {
                    count: price.subscription_period_count,
                    interval: price.subscription_period_interval,
                },
                trial_days: 0,
                trial_amount: None,
            }),
        }
    }

    pub(crate) fn is_usage_based(&self) -> bool {
        matches!(self, Self::UsageBased(_))
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Product {
    pub(crate) product_id: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) image: Option<String>,
    pub(crate) price: Price,
    pub(crate) tax_category: String,
    /// Add-ons that may be attached.
    #[serde(default)]
    pub(crate) addons: Vec<String>,
    #[serde(default)]
    pub(crate) metadata: Metadata,
    #[serde(default)]
    pub(crate) product_collection_id: Option<String>,
    #[serde(default)]
    pub(crate) archived: bool,
    #[serde(default = "epoch", with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    #[serde(default = "epoch", with = "time::serde::rfc3339")]
    pub(crate) updated_at: OffsetDateTime,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Addon {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: Option<String>,
    pub(crate) price: i64,
    pub(crate) currency: Currency,
    pub(crate) tax_category: String,
    #[serde(default = "epoch", with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
}

/// A discount code: a percentage in basis points, or a flat sum pooled over the cart.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Discount {
    pub(crate) discount_id: String,
    pub(crate) code: String,
    #[serde(flatten)]
    pub(crate) value: DiscountValue,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) restricted_to: Vec<String>,
    #[serde(default)]
    pub(crate) preserve_on_plan_change: bool,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub(crate) expires_at: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum DiscountValue {
    /// `amount` in basis points.
    Percentage { amount: i64 },
    /// `amount` in minor units of `currency`.
    Flat { amount: i64, currency: Currency },
}

/// Fixtures without a date are as old as the API they imitate.
fn epoch() -> OffsetDateTime {
    time::macros::datetime!(2025-01-01 0:00 UTC)
}

impl Row for Product {
    fn id(&self) -> &str {
        &self.product_id
    }
}

impl Row for Addon {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Row for Discount {
    /// Codes are what buyers know them by.
    fn id(&self) -> &str {
        &self.code
    }
}
