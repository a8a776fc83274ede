//! Payments, looked up. They come into being elsewhere: by checkouts, plan changes and renewals.

use money::UnixSeconds;
use serde::{Deserialize, Serialize};

use super::{disputes::Dispute, refunds::Refund};
use crate::{
    ids::{CheckoutSessionId, CustomerId, PaymentId, PaymentMethodId, ProductId, SubscriptionId},
    lenient::{Readable, null_as_default, open_enum},
    values::{Currency, Metadata, rfc3339},
};

open_enum! {
    /// How a payment stands.
    IntentStatus {
        /// The money was taken.
        Succeeded = "succeeded",
        /// Refused; final.
        Failed = "failed",
        /// Given up; final.
        Cancelled = "cancelled",
        /// On its way.
        Processing = "processing",
        /// The buyer has to do something, usually at the bank's page.
        RequiresCustomerAction = "requires_customer_action",
        /// The merchant has to do something.
        RequiresMerchantAction = "requires_merchant_action",
        /// The method did not do; another is wanted.
        RequiresPaymentMethod = "requires_payment_method",
        /// Not started.
        RequiresConfirmation = "requires_confirmation",
        /// Authorised, not yet taken.
        RequiresCapture = "requires_capture",
        /// Taken in part.
        PartiallyCaptured = "partially_captured",
        /// Taken in part, the rest may follow.
        PartiallyCapturedAndCapturable = "partially_captured_and_capturable",
    }
}

open_enum! {
    /// What a payment was for.
    ChargeType {
        /// The first of a subscription.
        New = "new",
        /// A further period.
        Renewal = "renewal",
        /// A change of plan.
        PlanChange = "plan_change",
        /// Asked for by the merchant.
        OnDemand = "on_demand",
    }
}

open_enum! {
    /// How much of a payment was given back.
    RefundExtent {
        /// A part.
        Partial = "partial",
        /// All of it.
        Full = "full",
    }
}

/// The buyer inside a payment or a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CustomerRef {
    /// Who.
    pub customer_id: CustomerId,
    /// Where receipts go.
    #[serde(default, deserialize_with = "null_as_default")]
    pub email: String,
    /// As given at a checkout.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
}

/// A billing address, received or sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillingAddress {
    /// Two letters.
    pub country: String,
    /// State or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Street and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zipcode: Option<String>,
}

/// A thing and how many of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PaidItem {
    /// What.
    pub product_id: ProductId,
    /// How many.
    pub quantity: i64,
}

/// A payment with all that is known of it: from its own GET, or from a webhook.
///
/// Strict: its id, the buyer's id, status, currency, amount, metadata, and the ids of what it belongs to. Every other field
/// that cannot be read is absent, but `unread` tells a cart and refunds that cannot be read from none, and a `charge_type`
/// that cannot be read is an unknown one: without a type a payment would pass for a new purchase.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Payment {
    /// Which.
    pub payment_id: PaymentId,
    /// Who pays.
    pub customer: CustomerRef,
    /// `None` before anything was tried.
    #[serde(default)]
    pub status: Option<IntentStatus>,
    /// Of `total_amount` and `tax`: what the buyer is charged in.
    pub currency: Currency,
    /// In minor units, tax included.
    pub total_amount: i64,
    /// The tax within `total_amount`.
    #[serde(default)]
    pub tax: Option<i64>,
    /// What the merchant receives, in `settlement_currency`.
    #[serde(default)]
    pub settlement_amount: Option<i64>,
    /// Of `settlement_amount`.
    #[serde(default)]
    pub settlement_currency: Option<Currency>,
    /// Time at which it was begun.
    #[serde(default, with = "rfc3339::option")]
    pub created_at: Option<UnixSeconds>,
    /// When it last changed.
    #[serde(default, with = "rfc3339::option")]
    pub updated_at: Option<UnixSeconds>,
    /// The pairs given at the checkout.
    #[serde(default, deserialize_with = "null_as_default")]
    pub metadata: Metadata,
    /// Where it was billed to.
    #[serde(default)]
    pub billing: Option<BillingAddress>,
    /// For purchases made once; empty for subscriptions.
    #[serde(default, deserialize_with = "null_as_default")]
    pub product_cart: Vec<PaidItem>,
    /// The subscription it pays for.
    #[serde(default)]
    pub subscription_id: Option<SubscriptionId>,
    /// All subscriptions it pays for.
    #[serde(default, deserialize_with = "null_as_default")]
    pub subscription_ids: Vec<SubscriptionId>,
    /// What it was for.
    #[serde(default)]
    pub charge_type: Option<ChargeType>,
    /// The checkout it came from.
    #[serde(default)]
    pub checkout_session_id: Option<CheckoutSessionId>,
    /// How it was paid. For the server only.
    #[serde(default)]
    pub payment_method_id: Option<PaymentMethodId>,
    /// `credit`, `apple_pay`, ...
    #[serde(default)]
    pub payment_method_type: Option<String>,
    /// `visa`, ...
    #[serde(default)]
    pub card_network: Option<String>,
    /// Four digits.
    #[serde(default)]
    pub card_last_four: Option<String>,
    /// Where the buyer can finish it, when something is left to do.
    #[serde(default)]
    pub payment_link: Option<String>,
    /// Why it failed.
    #[serde(default)]
    pub error_code: Option<String>,
    /// Why it failed, for the merchant's eyes.
    #[serde(default)]
    pub error_message: Option<String>,
    /// Whether it was given back.
    #[serde(default)]
    pub refund_status: Option<RefundExtent>,
    /// What was given back of it, or is on its way back.
    #[serde(default, deserialize_with = "null_as_default")]
    pub refunds: Vec<Refund>,
    /// Whether its buyer contests it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub disputes: Vec<Dispute>,
    /// The invoice.
    #[serde(default)]
    pub invoice_url: Option<String>,
    /// Parts that Dodo sent and that cannot be read.
    #[serde(skip)]
    pub unread: UnreadParts,
}

/// Parts of a payment that are there and cannot be read. To take them for absent would be wrong about money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnreadParts {
    /// The cart: it has to be looked up.
    pub product_cart: bool,
    /// One refund or all: how much has gone back is not known.
    pub refunds: bool,
}

impl Readable for Payment {
    const NAME: &'static str = "payment";
    const STRICT: &'static [&'static str] = &[
        "status",
        "metadata",
        "subscription_id",
        "subscription_ids",
        "checkout_session_id",
        "refunds[].amount",
        "refunds[].currency",
    ];
    const ROWS: &'static [&'static str] = &["refunds", "disputes"];

    fn left_out(&mut self, path: &str) {
        match path {
            "product_cart" => self.unread.product_cart = true,
            "refunds" | "refunds[]" => self.unread.refunds = true,
            "charge_type" => self.charge_type = Some(ChargeType::Unknown(String::new())),
            _ => {}
        }
    }
}

/// A payment as lists show it. What is missing here is missing in the list, not in the payment: look the
/// payment up to learn why it failed, how it was paid or what was bought.
///
/// As strict as [`Payment`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PaymentSummary {
    /// Which.
    pub payment_id: PaymentId,
    /// Who pays.
    pub customer: CustomerRef,
    /// `None` before anything was tried.
    #[serde(default)]
    pub status: Option<IntentStatus>,
    /// Of `total_amount`.
    pub currency: Currency,
    /// In minor units, tax included.
    pub total_amount: i64,
    /// Time at which it was begun.
    #[serde(default, with = "rfc3339::option")]
    pub created_at: Option<UnixSeconds>,
    /// The pairs given at the checkout.
    #[serde(default, deserialize_with = "null_as_default")]
    pub metadata: Metadata,
    /// The subscription it pays for.
    #[serde(default)]
    pub subscription_id: Option<SubscriptionId>,
    /// What it was for.
    #[serde(default)]
    pub charge_type: Option<ChargeType>,
    /// The checkout it came from.
    #[serde(default)]
    pub checkout_session_id: Option<CheckoutSessionId>,
}

impl Readable for PaymentSummary {
    const NAME: &'static str = "listed_payment";
    const STRICT: &'static [&'static str] = &["status", "metadata", "subscription_id", "checkout_session_id"];

    fn left_out(&mut self, path: &str) {
        if path == "charge_type" {
            self.charge_type = Some(ChargeType::Unknown(String::new()));
        }
    }
}

/// A row of a list of payments that this version cannot read, as far as it can be made out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadablePayment {
    /// Which, if that can be read: it may be looked up alone.
    pub payment_id: Option<PaymentId>,
    /// Who pays, if that can be read.
    pub customer_id: Option<CustomerId>,
    /// The pairs given at the checkout, if they can be read.
    pub metadata: Metadata,
}

impl UnreadablePayment {
    /// Makes out what can be read of a row.
    pub(crate) fn of(row: &serde_json::Value) -> Self {
        fn part<T: serde::de::DeserializeOwned>(row: &serde_json::Value, path: &str) -> Option<T> {
            row.pointer(path).and_then(|part| T::deserialize(part).ok())
        }
        Self {
            payment_id: part(row, "/payment_id"),
            customer_id: part(row, "/customer/customer_id"),
            metadata: part(row, "/metadata").unwrap_or_default(),
        }
    }
}

/// A line of a payment, as refunds name it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LineItem {
    /// Which.
    pub items_id: String,
    /// What may still be given back of it, in minor units.
    pub refundable_amount: i64,
}

/// The lines of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LineItems {
    /// Its lines.
    #[serde(default, deserialize_with = "null_as_default")]
    pub items: Vec<LineItem>,
}

/// Strict: the list. A line that cannot be read is left out.
impl Readable for LineItems {
    const NAME: &'static str = "line_items";
    const STRICT: &'static [&'static str] = &["items"];
    const ROWS: &'static [&'static str] = &["items"];
}

/// Which payments to list. Metadata cannot be searched for.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PaymentFilter {
    /// Of this buyer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// Of this subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<SubscriptionId>,
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<IntentStatus>,
    /// Begun at this time or later.
    #[serde(with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created_at_gte: Option<UnixSeconds>,
    /// Begun at this time or before.
    #[serde(with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created_at_lte: Option<UnixSeconds>,
}
