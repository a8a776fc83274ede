//! Checkout sessions and the links that stand on hosted pages.

use super::Metadata;
use super::payment::Billing;
use super::table::Row;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// `product_id` and how many.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CartProduct {
    pub(crate) product_id: String,
    pub(crate) quantity: i64,
    /// For pay-what-you-want prices only.
    #[serde(default)]
    pub(crate) amount: Option<i64>,
    #[serde(default)]
    pub(crate) addons: Option<Vec<CartAddon>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CartAddon {
    pub(crate) addon_id: String,
    pub(crate) quantity: i64,
}

/// Who buys: known, or by e-mail.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum CustomerRequest {
    Existing {
        customer_id: String,
    },
    New {
        email: String,
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        phone_number: Option<String>,
    },
}

/// The flags that change what the simulator does; the other known ones are accepted and have no effect.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FeatureFlags {
    pub(crate) redirect_immediately: bool,
    pub(crate) always_create_new_customer: bool,
    pub(crate) require_tax_id: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SubscriptionData {
    pub(crate) trial_period_days: Option<u32>,
    pub(crate) on_demand: Option<serde_json::Value>,
}

/// Body of `POST /checkouts` and of its preview. Fields without effect here are accepted and ignored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CheckoutRequest {
    pub(crate) product_cart: Vec<CartProduct>,
    #[serde(default)]
    pub(crate) customer: Option<CustomerRequest>,
    #[serde(default)]
    pub(crate) payment_method_id: Option<String>,
    #[serde(default)]
    pub(crate) confirm: bool,
    #[serde(default)]
    pub(crate) billing_address: Option<Billing>,
    #[serde(default)]
    pub(crate) minimal_address: bool,
    #[serde(default)]
    pub(crate) return_url: Option<url::Url>,
    #[serde(default)]
    pub(crate) cancel_url: Option<url::Url>,
    #[serde(default)]
    pub(crate) feature_flags: FeatureFlags,
    #[serde(default)]
    pub(crate) metadata: Option<Metadata>,
    #[serde(default)]
    pub(crate) discount_codes: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) discount_code: Option<String>,
    #[serde(default)]
    pub(crate) show_saved_payment_methods: bool,
    #[serde(default)]
    pub(crate) subscription_data: Option<SubscriptionData>,
    #[serde(default)]
    pub(crate) tax_id: Option<String>,
    #[serde(default)]
    pub(crate) customer_business_name: Option<String>,
}

/// What a hosted page collects for.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub(crate) enum SessionKind {
    /// A cart; each try is a payment of its own.
    Cart(Box<CheckoutRequest>),
    /// One payment that already exists: dues, a plan change by link, or a new method.
    Payment { return_url: Option<url::Url> },
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) kind: SessionKind,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) expires_at: OffsetDateTime,
    pub(crate) customer_id: Option<String>,
    pub(crate) customer_email: Option<String>,
    pub(crate) customer_name: Option<String>,
    /// The latest try.
    pub(crate) payment_id: Option<String>,
}

/// A visit to the customer portal.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Portal {
    pub(crate) id: String,
    pub(crate) customer_id: String,
    pub(crate) return_url: Option<url::Url>,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) expires_at: OffsetDateTime,
}

impl Row for Portal {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Row for Session {
    fn id(&self) -> &str {
        &self.id
    }
}
