//! Giving money back.

use money::UnixSeconds;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{PaymentId, RefundId},
    lenient::{Readable, open_enum},
    values::{Currency, rfc3339},
};

open_enum! {
    /// How a refund stands.
    RefundStatus {
        /// Given back.
        Succeeded = "succeeded",
        /// Not given back; final.
        Failed = "failed",
        /// On its way.
        Pending = "pending",
        /// Dodo looks at it.
        Review = "review",
    }
}

/// What to give back.
#[derive(Debug, Clone, Serialize)]
pub struct RefundRequest {
    /// Of which payment.
    pub payment_id: PaymentId,
    /// Parts of it. Empty means all of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<RefundItem>,
    /// For the merchant's records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A part of a payment. Dodo takes partial amounts for one line of the payment at a time.
#[derive(Debug, Clone, Serialize)]
pub struct RefundItem {
    /// The line: its product, usually.
    pub item_id: String,
    /// In minor units; `None` is the whole line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    /// Whether tax is within `amount`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_inclusive: Option<bool>,
}

/// A refund. Strict: all of it that is read here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Refund {
    /// Which.
    pub refund_id: RefundId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// How it stands.
    pub status: RefundStatus,
    /// In minor units.
    #[serde(default)]
    pub amount: Option<i64>,
    /// Of `amount`.
    #[serde(default)]
    pub currency: Option<Currency>,
}

impl Readable for Refund {
    const NAME: &'static str = "refund";
    const STRICT: &'static [&'static str] = &["amount", "currency"];
}

/// Which refunds or disputes to list.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CreatedFilter {
    /// Begun at this time or later.
    #[serde(with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created_at_gte: Option<UnixSeconds>,
    /// Begun at this time or before.
    #[serde(with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created_at_lte: Option<UnixSeconds>,
}
