//! Minting session tokens at the upsell proxy, server to server.

use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use serde_json::json;

use crate::Config;
use crate::dodo::Buyer;
use crate::http::{CallError, call};

/// The buyer waits for this page: rather no offer than a late one.
const PATIENCE: Duration = Duration::from_secs(3);

/// The proxy, with the shop's key.
pub struct Upsell {
    client: Client,
    url: String,
    key: String,
}

/// What the token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The offer after the purchase.
    Offer,
    /// The plan comparison, on a page that only somebody who is signed in can open. This shop takes the visitor's cookie for
    /// a login, so that it needs none.
    Plans,
}

#[derive(Deserialize)]
struct Session {
    token: String,
}

impl Upsell {
    pub(crate) fn new(client: Client, config: &Config) -> Self {
        Self { client, url: config.proxy_url.clone(), key: config.merchant_key.clone() }
    }

    /// A token for this buyer.
    ///
    /// # Errors
    /// When the proxy cannot be reached in time or refuses; show the page without the widget then.
    pub async fn token(
        &self,
        buyer: &Buyer,
        purpose: Purpose,
        locale: Option<&str>,
    ) -> Result<String, CallError> {
        let mut body = match purpose {
            Purpose::Offer => json!({"purpose": "offer", "payment_id": buyer.payment_id}),
            Purpose::Plans => {
                json!({"purpose": "plans", "subscription_id": buyer.subscription_id, "signed_in": true})
            }
        };
        body["customer_id"] = json!(buyer.customer_id);
        if let Some(locale) = locale {
            body["locale"] = json!(locale);
        }
        let request = self
            .client
            .post(format!("{}/v1/sessions", self.url))
            .bearer_auth(&self.key)
            .timeout(PATIENCE)
            .json(&body);
        Ok(call::<Session>(request).await?.token)
    }
}
