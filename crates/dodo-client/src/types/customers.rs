//! Buyers, their saved ways to pay, and the door to Dodo's own portal.

use money::UnixSeconds;
use serde::Deserialize;

use crate::{
    ids::{CustomerId, PaymentMethodId},
    lenient::{Readable, null_as_default, open_enum},
    values::{ExpiryMonth, Metadata, rfc3339},
};

/// A buyer as stored by Dodo. Strict: the id, whether the buyer is blocked, and the metadata.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Customer {
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Where receipts go.
    #[serde(default, deserialize_with = "null_as_default")]
    pub email: String,
    /// As given at a checkout.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// Set when the merchant has blocked the buyer.
    #[serde(default, with = "rfc3339::option")]
    pub blocked_at: Option<UnixSeconds>,
    /// The buyer's language, when known.
    #[serde(default)]
    pub preferred_locale: Option<String>,
    /// The merchant's own pairs.
    #[serde(default, deserialize_with = "null_as_default")]
    pub metadata: Metadata,
}

impl Readable for Customer {
    const NAME: &'static str = "customer";
    const STRICT: &'static [&'static str] = &["blocked_at", "metadata"];
}

open_enum! {
    /// The family a way to pay belongs to.
    PaymentMethodKind {
        /// A card.
        Card = "card",
        /// Apple Pay, Google Pay, PayPal and the like.
        Wallet = "wallet",
        /// Buy now, pay later.
        PayLater = "pay_later",
        /// A debit that the bank was given leave for.
        BankDebit = "bank_debit",
        /// India's payment system.
        Upi = "upi",
    }
}

impl Default for PaymentMethodKind {
    fn default() -> Self {
        Self::Unknown(String::new())
    }
}

/// A saved way to pay. Strict: its id. Dodo neither orders them nor marks one as the default, and says nothing about
/// currencies.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PaymentMethod {
    /// For the server only.
    pub payment_method_id: PaymentMethodId,
    /// The family.
    #[serde(default, deserialize_with = "null_as_default")]
    pub payment_method: PaymentMethodKind,
    /// The member of the family (`credit`, `apple_pay`, ...).
    #[serde(default)]
    pub payment_method_type: Option<String>,
    /// Present for cards.
    #[serde(default)]
    pub card: Option<Card>,
    /// When it last paid.
    #[serde(default, with = "rfc3339::option")]
    pub last_used_at: Option<UnixSeconds>,
    /// Whether it may be charged by subscriptions; `None` is "not known".
    #[serde(default)]
    pub recurring_enabled: Option<bool>,
}

impl Readable for PaymentMethod {
    const NAME: &'static str = "payment_method";
}

/// What is known of a saved card.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Card {
    /// Four digits.
    pub last4_digits: Option<String>,
    /// `visa`, `mastercard`, ...
    pub card_network: Option<String>,
    /// Two letters.
    pub card_issuing_country: Option<String>,
    /// `01` to `12`.
    pub expiry_month: Option<String>,
    /// Two or four digits: undocumented.
    pub expiry_year: Option<String>,
}

impl Card {
    /// The last month in which it is good, when Dodo sent a readable one.
    #[must_use]
    pub fn expiry(&self) -> Option<ExpiryMonth> {
        ExpiryMonth::parse(self.expiry_month.as_deref()?, self.expiry_year.as_deref()?)
    }
}

/// A link into Dodo's customer portal. It lets whoever holds it in: hand it to its buyer only.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct PortalSession {
    /// Good for 24 hours.
    pub link: String,
}

impl Readable for PortalSession {
    const NAME: &'static str = "portal_session";
}

impl std::fmt::Debug for PortalSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PortalSession(redacted)")
    }
}
