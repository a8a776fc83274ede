//! What a plan change would cost, as Dodo computes it.

use money::UnixSeconds;
use serde::Deserialize;

use super::subscriptions::Subscription;
use crate::{
    ids::{AddonId, ProductId},
    lenient::{Readable, null_as_default},
    values::{Currency, DecimalText, rfc3339},
};

/// The answer of a preview.
///
/// Strict: the whole sum, and of the plan to come what is strict in a [`Subscription`]. A line that cannot be read is
/// [`LineItem::Unknown`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PlanChangePreview {
    /// What happens now.
    pub immediate_charge: ImmediateCharge,
    /// The subscription as it would be afterwards: next renewal, recurring amount.
    pub new_plan: Subscription,
}

impl Readable for PlanChangePreview {
    const NAME: &'static str = "plan_change_preview";
    const STRICT: &'static [&'static str] = &[
        "immediate_charge.summary.tax",
        "immediate_charge.summary.customer_credits",
        "immediate_charge.summary.customer_credits_currency",
        "immediate_charge.summary.settlement_tax",
        "new_plan.tax_inclusive",
        "new_plan.addons",
        "new_plan.metadata",
        "new_plan.on_demand",
        "new_plan.cancel_at_next_billing_date",
        "new_plan.scheduled_change",
        "new_plan.scheduled_change.addons",
        "new_plan.discounts[].amount",
        "new_plan.discounts[].cycles_remaining",
        "new_plan.discounts[].preserve_on_plan_change",
        "new_plan.discounts[].restricted_to",
    ];
    const ROWS: &'static [&'static str] = &["immediate_charge.line_items", "new_plan.discounts"];

    fn left_out(&mut self, path: &str) {
        if path == "immediate_charge.line_items[]" {
            self.immediate_charge.line_items.push(LineItem::Unknown);
        }
    }
}

/// What is charged or credited at the change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ImmediateCharge {
    /// When; older servers leave it out.
    #[serde(default, with = "rfc3339::option")]
    pub effective_at: Option<UnixSeconds>,
    /// The lines; a negative factor gives back for the old plan.
    #[serde(default, deserialize_with = "null_as_default")]
    pub line_items: Vec<LineItem>,
    /// The sum.
    pub summary: ChargeSummary,
}

/// The sum of a plan change, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct ChargeSummary {
    /// Of `total_amount` and `tax`.
    pub currency: Currency,
    /// Dodo does not say whether this is before or after credits.
    pub total_amount: i64,
    /// The tax.
    #[serde(default)]
    pub tax: Option<i64>,
    /// Below zero: credit that is used up now. Above: credit that the buyer gains.
    #[serde(default, deserialize_with = "null_as_default")]
    pub customer_credits: i64,
    /// Of `customer_credits`; older servers leave it out, and mean `currency`.
    #[serde(default)]
    pub customer_credits_currency: Option<Currency>,
    /// Due now, after tax and credits.
    pub settlement_amount: i64,
    /// Of `settlement_amount`.
    pub settlement_currency: Currency,
    /// The tax, in `settlement_currency`.
    #[serde(default)]
    pub settlement_tax: Option<i64>,
}

/// One line of a plan change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LineItem {
    /// A plan, the old or the new one.
    Subscription(PlanLine),
    /// An add-on.
    Addon(AddonLine),
    /// What was used.
    Meter(MeterLine),
    /// Of a kind that this version does not know. The summary includes it.
    #[serde(other)]
    Unknown,
}

/// A plan's line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PlanLine {
    /// The plan.
    pub product_id: ProductId,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// What it is charged by.
    #[serde(flatten)]
    pub terms: LineTerms,
}

/// An add-on's line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AddonLine {
    /// The add-on.
    pub id: AddonId,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// What it is charged by.
    #[serde(flatten)]
    pub terms: LineTerms,
}

/// What plans and add-ons are charged by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LineTerms {
    /// How many.
    pub quantity: i64,
    /// For one, in minor units, never negative.
    pub unit_price: i64,
    /// The share of the price that is charged; below zero it is given back.
    pub proration_factor: DecimalText,
    /// Of `unit_price` and `tax`.
    pub currency: Currency,
    /// Whether tax is within `unit_price`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tax_inclusive: bool,
    /// The tax on the whole line, before the factor.
    #[serde(default)]
    pub tax: Option<i64>,
    /// The rate; Dodo documents no unit.
    #[serde(default)]
    pub tax_rate: Option<DecimalText>,
}

/// What was used, and is due.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MeterLine {
    /// The meter's name.
    #[serde(default)]
    pub name: Option<String>,
    /// Of `subtotal` and `tax`.
    pub currency: Currency,
    /// In minor units.
    pub subtotal: i64,
    /// How much was used.
    #[serde(default)]
    pub units_consumed: Option<DecimalText>,
    /// Whether tax is within `subtotal`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tax_inclusive: bool,
    /// The tax.
    #[serde(default)]
    pub tax: Option<i64>,
}
