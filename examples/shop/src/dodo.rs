//! The two things that the shop asks of Dodo: start a checkout, and say who paid in it.

use reqwest::Client;
use serde::Deserialize;
use serde_json::json;

use crate::Config;
use crate::http::{CallError, call};

/// Dodo, with the shop's secret key.
pub struct Dodo {
    client: Client,
    url: String,
    key: String,
}

/// A checkout that waits for the buyer.
#[derive(Debug, Deserialize)]
pub struct Checkout {
    /// What to ask about it with.
    pub session_id: String,
    /// The hosted page.
    pub checkout_url: String,
}

/// Who paid, as Dodo tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buyer {
    /// `customer_id`.
    pub customer_id: String,
    /// Name to greet.
    pub name: String,
    /// The payment.
    pub payment_id: String,
    /// The subscription that it began, if it did.
    pub subscription_id: Option<String>,
}

/// How a checkout went.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Paid.
    Paid(Buyer),
    /// Under way: it will be known soon.
    Pending,
    /// Not paid, and not about to be.
    NotPaid,
}

#[derive(Deserialize)]
struct CheckoutStatus {
    payment_id: Option<String>,
    payment_status: Option<String>,
}

#[derive(Deserialize)]
struct Payment {
    payment_id: String,
    customer: Customer,
    subscription_id: Option<String>,
}

#[derive(Deserialize)]
struct Customer {
    customer_id: String,
    name: String,
}

impl Dodo {
    pub(crate) fn new(client: Client, config: &Config) -> Self {
        Self { client, url: config.dodo_url.clone(), key: config.dodo_key.clone() }
    }

    /// Starts a checkout of one article. A buyer who is known keeps their customer record, and with it their saved cards.
    ///
    /// # Errors
    /// When Dodo cannot be reached or refuses.
    pub async fn start_checkout(
        &self,
        product_id: &str,
        customer_id: Option<&str>,
        return_url: &str,
    ) -> Result<Checkout, CallError> {
        let mut body = json!({
            "product_cart": [{"product_id": product_id, "quantity": 1}],
            "return_url": return_url,
            "feature_flags": {"redirect_immediately": true},
        });
        if let Some(customer_id) = customer_id {
            body["customer"] = json!({"customer_id": customer_id});
            body["show_saved_payment_methods"] = json!(true);
        }
        let request = self.client.post(format!("{}/checkouts", self.url)).bearer_auth(&self.key).json(&body);
        call(request).await
    }

    /// How one of the shop's own checkouts went.
    ///
    /// # Errors
    /// When Dodo cannot be reached or refuses.
    pub async fn buyer_of(&self, session_id: &str) -> Result<Outcome, CallError> {
        let status: CheckoutStatus = self.get(&format!("/checkouts/{session_id}")).await?;
        match (status.payment_status.as_deref(), status.payment_id) {
            (Some("succeeded"), Some(payment_id)) => {
                let payment: Payment = self.get(&format!("/payments/{payment_id}")).await?;
                Ok(Outcome::Paid(Buyer {
                    customer_id: payment.customer.customer_id,
                    name: payment.customer.name,
                    payment_id: payment.payment_id,
                    subscription_id: payment.subscription_id,
                }))
            }
            (None | Some("failed" | "cancelled" | "requires_payment_method"), _) => Ok(Outcome::NotPaid),
            // Also a word that this shop does not know: it is no proof that nothing was paid.
            _ => Ok(Outcome::Pending),
        }
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, CallError> {
        call(self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.key)).await
    }
}
