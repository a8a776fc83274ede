//! What the merchant sells: products, their prices, and add-ons.

use serde::Deserialize;

use crate::{
    ids::{AddonId, ProductId},
    lenient::{Readable, null_as_default, open_enum},
    values::{Currency, Metadata},
};

/// A product. Strict: its id, its price with everything in it, whether it recurs, and what may be added.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Product {
    /// Which.
    pub product_id: ProductId,
    /// Merchants may leave it out.
    #[serde(default)]
    pub name: Option<String>,
    /// Likewise.
    #[serde(default)]
    pub description: Option<String>,
    /// A picture's address.
    #[serde(default)]
    pub image: Option<String>,
    /// Whether it is sold by subscription.
    #[serde(default, deserialize_with = "null_as_default")]
    pub is_recurring: bool,
    /// What it costs; the currency is in here.
    pub price: Price,
    /// What may be added to it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub addons: Vec<AddonId>,
    /// The merchant's own pairs.
    #[serde(default, deserialize_with = "null_as_default")]
    pub metadata: Metadata,
}

impl Readable for Product {
    const NAME: &'static str = "product";
    const STRICT: &'static [&'static str] = &["is_recurring", "addons"];
}

/// A price. Amounts are before tax unless `tax_inclusive`, and before the product's own discount. What a
/// buyer is really charged (local currency, tax, codes) is known from a preview only.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type")]
pub enum Price {
    /// Paid once.
    #[serde(rename = "one_time_price")]
    OneTime(OneTimePrice),
    /// Paid every period.
    #[serde(rename = "recurring_price")]
    Recurring(RecurringPrice),
    /// A fixed fee every period, and what was used.
    #[serde(rename = "usage_based_price")]
    UsageBased(UsageBasedPrice),
    /// Of a kind that this version does not know; it cannot be offered.
    #[serde(other)]
    Unknown,
}

/// A price paid once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OneTimePrice {
    /// Of `price`.
    pub currency: Currency,
    /// In minor units; the least one when the buyer names the price.
    pub price: i64,
    /// In hundredths of a percent.
    #[serde(default)]
    pub discount_bps: Option<i64>,
    /// Whether tax is within `price`.
    #[serde(default)]
    pub tax_inclusive: Option<bool>,
    /// Whether the buyer names the price.
    #[serde(default, deserialize_with = "null_as_default")]
    pub pay_what_you_want: bool,
}

/// A price paid every period.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RecurringPrice {
    /// Of `price`.
    pub currency: Currency,
    /// In minor units, for one period.
    pub price: i64,
    /// In hundredths of a percent.
    #[serde(default)]
    pub discount_bps: Option<i64>,
    /// Whether tax is within `price`.
    #[serde(default)]
    pub tax_inclusive: Option<bool>,
    /// With the interval: how long a period is.
    pub payment_frequency_count: i64,
    /// See `payment_frequency_count`.
    pub payment_frequency_interval: TimeInterval,
    /// Days before the first charge.
    #[serde(default, deserialize_with = "null_as_default")]
    pub trial_period_days: i64,
}

/// A price that depends on use.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct UsageBasedPrice {
    /// Of `fixed_price`.
    pub currency: Currency,
    /// In minor units, for one period, whatever was used.
    pub fixed_price: i64,
    /// With the interval: how long a period is.
    pub payment_frequency_count: i64,
    /// See `payment_frequency_count`.
    pub payment_frequency_interval: TimeInterval,
}

open_enum! {
    /// The unit of a period. Dodo writes it with a capital.
    TimeInterval {
        /// Days.
        Day = "Day",
        /// Weeks.
        Week = "Week",
        /// Months.
        Month = "Month",
        /// Years.
        Year = "Year",
    }
}

/// Something sold along with a subscription. Strict: its id and its price.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Addon {
    /// Which.
    pub id: AddonId,
    /// Its name.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// In minor units, for one of it and one period of the subscription.
    pub price: i64,
    /// Of `price`.
    pub currency: Currency,
    /// The merchant's words.
    #[serde(default)]
    pub description: Option<String>,
}

impl Readable for Addon {
    const NAME: &'static str = "addon";
}
