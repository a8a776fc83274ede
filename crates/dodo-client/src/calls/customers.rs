//! Buyers, their saved ways to pay, and the door to Dodo's own portal.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::pages::Items;
use crate::{
    Client, Error,
    ids::{CustomerId, PaymentMethodId},
    lenient::{null_as_default, open_enum},
    transport::{Ask, json},
    values::{ExpiryMonth, Metadata},
};

/// A buyer as stored by Dodo.
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
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub blocked_at: Option<OffsetDateTime>,
    /// The buyer's language, when known.
    #[serde(default)]
    pub preferred_locale: Option<String>,
    /// The merchant's own pairs.
    #[serde(default, deserialize_with = "null_as_default")]
    pub metadata: Metadata,
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

/// A saved way to pay. Dodo neither orders them nor marks one as the default, and says nothing about
/// currencies.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PaymentMethod {
    /// For the server only.
    pub payment_method_id: PaymentMethodId,
    /// The family.
    pub payment_method: PaymentMethodKind,
    /// The member of the family (`credit`, `apple_pay`, ...).
    #[serde(default)]
    pub payment_method_type: Option<String>,
    /// Present for cards.
    #[serde(default)]
    pub card: Option<Card>,
    /// When it last paid.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
    /// Whether it may be charged by subscriptions; `None` is "not known".
    #[serde(default)]
    pub recurring_enabled: Option<bool>,
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

impl std::fmt::Debug for PortalSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PortalSession(redacted)")
    }
}

#[derive(Serialize)]
struct PortalQuery<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    return_url: Option<&'a str>,
}

impl Client {
    /// `GET /customers/{id}`. A read.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_customer(&self, id: &CustomerId) -> Result<Customer, Error> {
        self.transport.read(Ask::get(&["customers", id.as_str()])).await
    }

    /// `GET /customers/{id}/payment-methods`. A read. Not paged.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list_payment_methods(&self, id: &CustomerId) -> Result<Vec<PaymentMethod>, Error> {
        let list: Items<PaymentMethod> =
            self.transport.read(Ask::get(&["customers", id.as_str(), "payment-methods"])).await?;
        Ok(list.items)
    }

    /// `POST /customers/{id}/customer-portal/session`. A write: a link of which there may be many.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn create_portal_session(
        &self,
        id: &CustomerId,
        return_url: Option<&str>,
    ) -> Result<PortalSession, Error> {
        let path = ["customers", id.as_str(), "customer-portal", "session"];
        self.transport.write(Ask::post(&path).query(&PortalQuery { return_url }), json).await
    }
}
