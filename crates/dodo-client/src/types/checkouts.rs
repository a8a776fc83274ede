//! Checkout sessions: asked for a price, opened on Dodo's page, or charged at once.

use std::fmt;

use money::UnixSeconds;
use serde::{Deserialize, Serialize};

use super::payments::{BillingAddress, IntentStatus};
use crate::{
    ids::{AddonId, CheckoutSessionId, CustomerId, PaymentId, ProductId},
    lenient::{Readable, null_as_default},
    values::{Currency, DecimalText, Metadata, rfc3339},
};

/// What is to be bought, and how the checkout behaves. The same value serves for the preview and for the
/// purchase, so that what was quoted is what is bought.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Checkout {
    /// At least one and at most 20.
    pub product_cart: Vec<CartItem>,
    /// One-click charges need it in full, unless `minimal_address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<BillingAddress>,
    /// Country and postal code are enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimal_address: Option<bool>,
    /// Heeded only when the merchant has adaptive pricing on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_currency: Option<Currency>,
    /// In the order in which they apply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub discount_codes: Vec<String>,
    /// Copied to the payment.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// Where the hosted page sends the buyer afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// Where the hosted page's back button leads; without it there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_url: Option<String>,
    /// Whether the hosted page offers the buyer's saved methods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_saved_payment_methods: Option<bool>,
    /// Switches of the hosted page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature_flags: Option<FeatureFlags>,
}

/// One line of a cart.
#[derive(Debug, Clone, Serialize)]
pub struct CartItem {
    /// What.
    pub product_id: ProductId,
    /// How many.
    pub quantity: i64,
    /// For subscriptions only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addons: Vec<AddonQuantity>,
}

/// An add-on and how many of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AddonQuantity {
    /// What.
    pub addon_id: AddonId,
    /// How many.
    pub quantity: i64,
}

/// Switches of the hosted page; those that are absent keep Dodo's defaults.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct FeatureFlags {
    /// Skip the success page and go to `return_url` at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_immediately: Option<bool>,
    /// Let the buyer type a discount code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_discount_code: Option<bool>,
    /// Let the buyer pick another currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_currency_selection: Option<bool>,
    /// Make a new customer, also where one with this e-mail address is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub always_create_new_customer: Option<bool>,
}

/// Who buys.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Buyer {
    /// Somebody Dodo knows.
    Known {
        /// Who.
        customer_id: CustomerId,
    },
    /// Somebody new, or found again by address.
    ByEmail {
        /// Where receipts go.
        email: String,
        /// As it is to stand on the receipt.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
}

/// A session that was just made. It carries no status: a session is not a payment, and nothing here says
/// that money moved.
///
/// Strict: its id. A payment's id that cannot be read is absent, as with older servers: the session leads to the payment.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct CheckoutSession {
    /// Which.
    pub session_id: CheckoutSessionId,
    /// Dodo's page; absent for a one-click charge.
    #[serde(default)]
    pub checkout_url: Option<String>,
    /// The payment that a one-click charge began. Older servers leave it out.
    #[serde(default)]
    pub payment_id: Option<PaymentId>,
}

impl Readable for CheckoutSession {
    const NAME: &'static str = "checkout_session";
}

impl fmt::Debug for CheckoutSession {
    // The address lets whoever holds it into the checkout: it stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckoutSession")
            .field("session_id", &self.session_id)
            .field("has_checkout_url", &self.checkout_url.is_some())
            .field("payment_id", &self.payment_id)
            .finish()
    }
}

/// How a session stands. The payment's fields are absent while the buyer is still filling it in.
///
/// Strict: its id, its payment and how that stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CheckoutStatus {
    /// Which session.
    pub id: CheckoutSessionId,
    /// Time at which it was made.
    #[serde(default, with = "rfc3339::option")]
    pub created_at: Option<UnixSeconds>,
    /// Its payment.
    #[serde(default)]
    pub payment_id: Option<PaymentId>,
    /// How the payment stands.
    #[serde(default)]
    pub payment_status: Option<IntentStatus>,
}

impl Readable for CheckoutStatus {
    const NAME: &'static str = "checkout_status";
    const STRICT: &'static [&'static str] = &["payment_id", "payment_status"];
}

/// What a cart would cost, taxes and conversions included. Nothing is reserved by it.
///
/// Strict: every amount that a buyer is shown, what it is for, and what comes next.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CheckoutPreview {
    /// Two letters; decides the tax.
    #[serde(default)]
    pub billing_country: Option<String>,
    /// Of every amount here, unless said otherwise.
    pub currency: Currency,
    /// Due now, in minor units, tax included.
    pub total_price: i64,
    /// The tax within `total_price`.
    #[serde(default)]
    pub total_tax: Option<i64>,
    /// How `total_price` comes about.
    pub current_breakup: Breakup,
    /// How a renewal comes about, when something recurs.
    #[serde(default)]
    pub recurring_breakup: Option<Breakup>,
    /// The lines.
    #[serde(default, deserialize_with = "null_as_default")]
    pub product_cart: Vec<PreviewLine>,
    /// Whether anything has to be paid at all.
    #[serde(default)]
    pub payment_method_required: Option<bool>,
    /// The first renewal, when something recurs.
    #[serde(default, with = "rfc3339::option")]
    pub next_billing_date: Option<UnixSeconds>,
}

impl Readable for CheckoutPreview {
    const NAME: &'static str = "checkout_preview";
    const STRICT: &'static [&'static str] = &[
        "total_tax",
        "current_breakup.discount",
        "current_breakup.tax",
        "recurring_breakup",
        "recurring_breakup.discount",
        "recurring_breakup.tax",
        "product_cart",
        "product_cart[].tax_inclusive",
        "product_cart[].is_subscription",
        "next_billing_date",
    ];
}

/// A sum and its parts, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Breakup {
    /// Before discount and tax.
    pub subtotal: i64,
    /// Taken off.
    #[serde(default, deserialize_with = "null_as_default")]
    pub discount: i64,
    /// The tax.
    #[serde(default)]
    pub tax: Option<i64>,
    /// The sum.
    pub total_amount: i64,
}

/// One line of a previewed cart.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PreviewLine {
    /// What.
    pub product_id: ProductId,
    /// How many.
    pub quantity: i64,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Of `discounted_price` and `tax`.
    #[serde(default)]
    pub currency: Option<Currency>,
    /// After discount, in minor units.
    #[serde(default)]
    pub discounted_price: Option<i64>,
    /// As the merchant priced it, in `og_currency`.
    #[serde(default)]
    pub og_price: Option<i64>,
    /// Of `og_price`.
    #[serde(default)]
    pub og_currency: Option<Currency>,
    /// The tax on the line.
    #[serde(default)]
    pub tax: Option<i64>,
    /// The rate; Dodo documents no unit.
    #[serde(default)]
    pub tax_rate: Option<DecimalText>,
    /// Whether tax is within `discounted_price`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tax_inclusive: bool,
    /// Whether it recurs.
    #[serde(default, deserialize_with = "null_as_default")]
    pub is_subscription: bool,
}
