//! Buyers at the simulator, with what they have bought.

use anyhow::Context as _;
use dodo_client::ids::{CustomerId, PaymentId, SubscriptionId};
use dodo_sim::NewSubscription;
use serde_json::Value;

use super::Dodo;
use crate::{Answer, GOOD_CARD, client};

/// A buyer who has bought something.
#[derive(Clone, Debug)]
pub struct Buyer {
    /// The customer at Dodo.
    pub customer: CustomerId,
    /// The payment of the purchase.
    pub payment: Option<PaymentId>,
    /// The running subscription, if that is what was bought.
    pub subscription: Option<SubscriptionId>,
}

impl Dodo {
    /// Creates a buyer who has just bought a one-time product, with this card saved, or none.
    ///
    /// # Errors
    /// When the product cannot be bought.
    pub fn buyer_of(&self, product: &str, card: Option<&str>) -> anyhow::Result<Buyer> {
        let customer = self.customer(card)?;
        let payment = self.purchase(&customer, product)?;
        Ok(Buyer { customer, payment: Some(payment), subscription: None })
    }

    /// Creates a buyer with a running subscription and a card that pays.
    ///
    /// # Errors
    /// When the product is not a subscription.
    pub fn subscriber_of(&self, product: &str) -> anyhow::Result<Buyer> {
        let customer = self.customer(Some(GOOD_CARD))?;
        let subscription = self.start_subscription(NewSubscription {
            customer_id: customer.to_string(),
            product_id: product.to_owned(),
            ..NewSubscription::default()
        })?;
        let charges = self.charges_of(customer.as_str());
        let first = charges.first().context("a subscription without a first payment")?;
        let payment = PaymentId::parse(first.payment_id.as_str())?;
        Ok(Buyer { customer, payment: Some(payment), subscription: Some(subscription) })
    }

    /// Lists payments of a buyer that are not decided yet, as the API does.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn undecided(&self, customer: &CustomerId) -> anyhow::Result<Vec<Value>> {
        let url = format!("{}/payments?customer_id={customer}", self.url());
        let page = Answer::to(client()?.get(url).bearer_auth(dodo_sim::DEFAULT_KEY)).await?.ok()?;
        let payments = page["items"].as_array().context("a page without items")?;
        Ok(payments.iter().filter(|payment| payment["status"] == "processing").cloned().collect())
    }
}
