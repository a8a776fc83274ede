//! Changing a subscription's plan: ask what it costs, do it, take a scheduled one back.

use serde::{Deserialize, Serialize};

use super::checkouts::AddonQuantity;
use crate::{ids::ProductId, values::Metadata};

/// A plan change. The same value serves for the preview and for the change.
///
/// Dodo has defaults for most of it, and they are dangerous: add-ons that are not named are removed, and
/// what happens when the charge fails depends on a switch in the merchant's dashboard. Here everything that
/// matters has to be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanChange {
    /// The plan to come; it may be the present one, with another quantity or other add-ons.
    pub product_id: ProductId,
    /// How many of it, at least 1.
    pub quantity: i64,
    /// How the rest of the current period is settled.
    pub proration_billing_mode: ProrationMode,
    /// All add-ons that are to be there afterwards. Those that are not named are removed.
    pub addons: Vec<AddonQuantity>,
    /// When.
    pub effective_at: EffectiveAt,
    /// What becomes of the change when its charge fails.
    pub on_payment_failure: OnPaymentFailure,
    /// `None` keeps the discounts that may be kept, an empty list drops all, any other replaces them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discount_codes: Option<Vec<String>>,
    /// For the payment. It takes the place of the subscription's own pairs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// How the rest of the current period is settled. What each of them charges, and whether the renewal date
/// moves, Dodo has described differently over time: the preview decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProrationMode {
    /// In proportion to what is left of the period.
    ProratedImmediately,
    /// The same, and the renewal date stays.
    ProratedImmediatelyKeepCycle,
    /// The difference of the prices.
    DifferenceImmediately,
    /// The full new price.
    FullImmediately,
    /// Nothing.
    DoNotBill,
}

/// When a plan change takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectiveAt {
    /// Now.
    Immediately,
    /// At the next renewal; Dodo then wants [`ProrationMode::FullImmediately`].
    NextBillingDate,
}

/// What becomes of a plan change whose charge fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnPaymentFailure {
    /// The old plan stays until the charge has succeeded.
    PreventChange,
    /// The new plan comes all the same; the subscription may go on hold.
    ApplyChange,
}
