//! What really happened to the money, by the simulator's ledger.

use std::collections::HashMap;

use dodo_client::ids::CustomerId;
use dodo_sim::{Charge, IntentStatus, Request, Source};
use serde_json::{Value, json};

use super::Dodo;
use crate::{Answer, client};

/// Counts of one buyer's offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Charging requests.
    pub posts: u32,
    /// Successful charges.
    pub paid: u32,
}

impl Dodo {
    /// Returns requests that may move money, in the order in which they arrived: confirmed checkouts and plan changes.
    #[must_use]
    pub fn charging_requests(&self) -> Vec<Request> {
        let mut posts = self.control().ledger().posts;
        posts.retain(|post| {
            post.method == "POST"
                && (post.path.ends_with("/change-plan")
                    || (post.path == "/checkouts" && post.body["confirm"] == true))
        });
        posts
    }

    /// Returns the charging requests about this buyer.
    #[must_use]
    pub fn charging_requests_of(&self, customer: &str) -> Vec<Request> {
        let mut posts = self.charging_requests();
        posts.retain(|post| post.body["customer"]["customer_id"] == customer);
        posts
    }

    /// Counts charging requests and successful charges by buyer. Plan changes name no buyer and are left out.
    #[must_use]
    pub fn tally(&self) -> HashMap<String, Tally> {
        let mut tally = HashMap::<String, Tally>::new();
        for post in self.charging_requests() {
            if let Some(customer) = post.body["customer"]["customer_id"].as_str() {
                let of = tally.entry(customer.to_owned()).or_default();
                of.posts = of.posts.saturating_add(1);
            }
        }
        for charge in self.collected() {
            let of = tally.entry(charge.customer_id).or_default();
            of.paid = of.paid.saturating_add(1);
        }
        tally
    }

    /// Returns every payment of this buyer that ended, collected or not.
    #[must_use]
    pub fn charges_of(&self, customer: &str) -> Vec<Charge> {
        let mut charges = self.control().ledger().charges;
        charges.retain(|charge| charge.customer_id == customer);
        charges
    }

    /// Returns charges that were collected from this buyer for an attempt of the proxy.
    #[must_use]
    pub fn collected_from(&self, customer: &str) -> Vec<Charge> {
        let mut charges = self.collected();
        charges.retain(|charge| charge.customer_id == customer);
        charges
    }

    /// Counts requests to refund this payment.
    #[must_use]
    pub fn refund_requests_of(&self, payment: &str) -> usize {
        let posts = self.control().ledger().posts;
        posts.iter().filter(|post| post.path == "/refunds" && post.body["payment_id"] == payment).count()
    }

    /// Returns the amount refunded of this payment, in minor units.
    ///
    /// # Errors
    /// When the API does not tell.
    pub async fn given_back(&self, payment: &str) -> anyhow::Result<i64> {
        let told = self.payment(payment).await?;
        let refunds = told["refunds"].as_array().map_or(&[][..], Vec::as_slice);
        Ok(refunds
            .iter()
            .filter(|refund| refund["status"] == "succeeded")
            .filter_map(|refund| refund["amount"].as_i64())
            .sum())
    }

    /// Reads a payment from the API.
    ///
    /// # Errors
    /// When it does not.
    pub async fn payment(&self, id: &str) -> anyhow::Result<Value> {
        let request =
            client()?.get(format!("{}/payments/{id}", self.url())).bearer_auth(dodo_sim::DEFAULT_KEY);
        Answer::to(request).await?.ok()
    }

    /// Counts POST requests to exactly this path, previews included.
    #[must_use]
    pub fn posts_to(&self, path: &str) -> usize {
        let posts = self.control().ledger().posts;
        posts.iter().filter(|post| post.method == "POST" && post.path == path).count()
    }

    /// Counts requests of this method, or of all methods (`""`), whose path begins like this.
    #[must_use]
    pub fn requests_to(&self, method: &str, path: &str) -> usize {
        let requests = self.control().ledger().requests;
        let asked = |request: &&Request| {
            (method.is_empty() || request.method == method) && request.path.starts_with(path)
        };
        requests.iter().filter(asked).count()
    }

    /// Returns what was collected from this buyer in one way.
    #[must_use]
    pub fn collected_by(&self, customer: &CustomerId, source: Source) -> Vec<Charge> {
        let mut charges = self.payments_of(customer.as_str());
        charges.retain(|charge| charge.source == source);
        charges
    }

    /// Returns every successful payment of this buyer, whatever it was for.
    #[must_use]
    pub fn payments_of(&self, customer: &str) -> Vec<Charge> {
        let mut charges = self.charges_of(customer);
        charges.retain(|charge| charge.status == IntentStatus::Succeeded);
        charges
    }

    /// Returns charges that were collected for an attempt of the proxy.
    #[must_use]
    pub fn collected(&self) -> Vec<Charge> {
        let mut charges = self.control().ledger().charges;
        charges.retain(|charge| charge.status == IntentStatus::Succeeded && attempt_of(charge).is_some());
        charges
    }
}

/// Returns the attempt that a charge names.
#[must_use]
pub fn attempt_of(charge: &Charge) -> Option<String> {
    json!(charge.metadata)["attempt_id"].as_str().map(str::to_owned)
}

/// Returns the attempt that a request names.
#[must_use]
pub fn attempt_in(request: &Request) -> Option<String> {
    request.body["metadata"]["attempt_id"].as_str().map(str::to_owned)
}
