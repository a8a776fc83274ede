//! Who asks, and what they have bought.

use super::EmailHash;
use dodo_client::ids::{CustomerId, PaymentId, PaymentMethodId, SubscriptionId};
use serde::{Deserialize, Serialize};
use wire::{FeatureUsage, ProductId, Purpose, Trigger, UnixSeconds};

/// SHA-256 of a bearer token or a nonce; the secret itself is never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

/// Says whether Dodo has confirmed that the payment and the subscription of a session are its buyer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// Confirmed, or nothing to confirm: the session names neither.
    Confirmed,
    /// Not yet. Nothing is shown or done for the session before.
    Pending,
}

/// A browser as the proxy knows it: by a secret that the browser made up for the origin of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Browser {
    /// SHA-256 of the secret.
    pub secret: TokenHash,
    /// `true` if the browser could store the secret. Otherwise it has another one after each reload.
    pub outlives_page: bool,
}

/// What a session token stands for: one buyer, one purpose, for a short while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Key of the row.
    pub token: TokenHash,
    /// The buyer.
    pub customer_id: CustomerId,
    /// Whether the merchant's server says that the buyer is signed in. Otherwise the session knows a purchase, and that is
    /// all it may learn or charge.
    pub signed_in: bool,
    /// What for.
    pub purpose: Purpose,
    /// What set the offer off.
    pub trigger: Trigger,
    /// The purchase to follow up, as the merchant's server named it.
    pub payment_id: Option<PaymentId>,
    /// The buyer's newest purchase, where the merchant's server named none. It is followed, and proves nothing.
    pub newest: Option<PaymentId>,
    /// The subscription to change, with purpose `plans`.
    pub subscription_id: Option<SubscriptionId>,
    /// Language for the merchant's words.
    pub locale: Option<String>,
    /// Country for tax where the purchase does not tell.
    pub country: Option<String>,
    /// What has been used of what plans limit, as the merchant counts it.
    pub usage: Vec<FeatureUsage>,
    /// The one browser that may use the token; `None` until the first that does.
    pub browser: Option<Browser>,
    /// End of life.
    pub expires_at: UnixSeconds,
    /// Says whether what it names is known to be its buyer's.
    pub confirmation: Confirmation,
}

impl Session {
    /// Returns the purchase that the session follows.
    #[must_use]
    pub fn follows(&self) -> Option<&PaymentId> {
        self.payment_id.as_ref().or(self.newest.as_ref())
    }
}

/// A paid purchase, known from a webhook or looked up when a session was minted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// Dodo's payment.
    pub payment_id: PaymentId,
    /// The buyer.
    pub customer_id: CustomerId,
    /// Keyed hash of the e-mail address that it was paid under.
    pub email: Option<EmailHash>,
    /// The saved method that paid it, where Dodo names one.
    pub payment_method_id: Option<PaymentMethodId>,
    /// What was bought: one-time products, or the plan of `subscription_id`.
    pub product_ids: Vec<ProductId>,
    /// The subscription, when it began one.
    pub subscription_id: Option<SubscriptionId>,
    /// Where the buyer is billed.
    pub billing: Option<Billing>,
    /// When.
    pub paid_at: UnixSeconds,
}

/// Billing address of the buyer, as far as prices and one-click charges need it (`billing` at Dodo): tax goes by country and postal
/// code, and so does a confirmed checkout with `minimal_address`. Street and city are not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billing {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// State or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zipcode: Option<String>,
}

impl Billing {
    /// Returns the country alone: what is left once nothing is to be priced any more.
    #[must_use]
    pub fn country_only(&self) -> Self {
        Self { country: self.country.clone(), state: None, zipcode: None }
    }
}

/// Something other than a purchase that the merchant reported of a buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerEvent {
    /// Its own id; becomes an offer's `trigger_ref`.
    pub id: String,
    /// The buyer.
    pub customer_id: CustomerId,
    /// What happened.
    pub trigger: Trigger,
    /// On which subscription.
    pub subscription_id: Option<SubscriptionId>,
    /// When it was reported.
    pub at: UnixSeconds,
}
