//! What the rig does to the simulator, and reads from it.

use std::time::Duration;

use dodo_client::ids::{CustomerId, SubscriptionId};
use dodo_sim::{Charge, NewCustomer, NewFault, NewPaymentMethod, NewSubscription};
use serde_json::{Value, json};

use super::rig::Rig;
use crate::harness::http_client;

impl Rig {
    pub(super) fn customer(&self, card: Option<&str>) -> CustomerId {
        self.customer_in(card, "US")
    }

    /// A customer who is billed in this country.
    pub(super) fn customer_in(&self, card: Option<&str>, country: &str) -> CustomerId {
        let method =
            card.map(|number| NewPaymentMethod { number: number.to_owned(), ..NewPaymentMethod::default() });
        self.customer_with(method, country)
    }

    /// The same with a saved method as it is wanted.
    pub(super) fn customer_with(&self, method: Option<NewPaymentMethod>, country: &str) -> CustomerId {
        let payment_methods = method.into_iter().collect();
        let customer = self.sim.customer(NewCustomer {
            email: "buyer@example.com".into(),
            name: "B. Uyer".into(),
            payment_methods,
            billing: Some(json!({"country": country, "state": "CA", "city": "SF", "street": "1 Market St",
                                 "zipcode": "94105"})),
            ..NewCustomer::default()
        });
        CustomerId::parse(customer["customer_id"].as_str().unwrap()).unwrap()
    }

    /// A running subscription.
    pub(super) fn subscription(&self, new: NewSubscription) -> SubscriptionId {
        let subscription = self.sim.subscription(new).unwrap();
        SubscriptionId::parse(subscription["subscription_id"].as_str().unwrap()).unwrap()
    }

    /// Waits until something is true at the simulator.
    pub(super) async fn until(&self, reached: impl Fn() -> bool) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while !reached() {
            assert!(tokio::time::Instant::now() < deadline, "it did not come to that");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Turns switches of the simulator.
    pub(super) fn policy(&self, switches: Value) {
        self.sim.set_policy(switches.as_object().unwrap()).unwrap();
    }

    /// The simulator's address.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn fault(&self, path: &str, kind: Value, times: u32) {
        let fault = NewFault {
            method: Some("POST".into()),
            path: Some(path.into()),
            kind,
            times: Some(times),
            ..NewFault::default()
        };
        self.sim.fault(fault).unwrap();
    }

    /// Charging requests that reached the simulator.
    pub(super) fn posts(&self, path: &str) -> usize {
        self.sim.ledger().posts.iter().filter(|post| post.method == "POST" && post.path == path).count()
    }

    /// Reads that reached the simulator, on paths that begin like this.
    pub(super) fn gets(&self, path: &str) -> usize {
        let ledger = self.sim.ledger();
        ledger.requests.iter().filter(|get| get.method == "GET" && get.path.starts_with(path)).count()
    }

    /// Money collected from one buyer.
    pub(super) fn collected(&self, customer: &CustomerId) -> Vec<Charge> {
        let mut charges = self.sim.ledger().charges;
        charges.retain(|charge| {
            charge.customer_id == customer.as_str() && charge.status == dodo_sim::IntentStatus::Succeeded
        });
        charges
    }

    /// Pays on the hosted page as a buyer's browser would.
    pub(super) async fn pay_on_page(&self, checkout_url: &str, number: &str) {
        assert!(checkout_url.starts_with(&self.url), "{checkout_url}");
        let form = [
            ("method", "new"),
            ("priced_for", "US"),
            ("number", number),
            ("expiry", "12/34"),
            ("cvc", "123"),
            ("country", "US"),
            ("zipcode", "94105"),
            ("email", "buyer@example.com"),
            ("name", "B. Uyer"),
        ];
        let body = form
            .map(|(key, value)| format!("{key}={}", value.replace(' ', "+").replace('/', "%2F")))
            .join("&");
        let request =
            http_client().post(checkout_url).header("content-type", "application/x-www-form-urlencoded");
        request.body(body).send().await.unwrap();
    }
}
