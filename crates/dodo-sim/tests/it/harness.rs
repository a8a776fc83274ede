//! A simulator on a clock that stands still, and an HTTP client for it.

use dodo_sim::{DEFAULT_KEY, Policy, RateLimitTier, Sim, SimConfig};
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use std::time::Duration;
use time::OffsetDateTime;
use time::macros::datetime;

/// April has thirty days, so that halves of a month are halves.
pub(crate) const APRIL: OffsetDateTime = datetime!(2026-04-01 0:00 UTC);
pub(crate) const GOOD: &str = "4242424242424242";
pub(crate) const DECLINED: &str = "4000000000000002";
pub(crate) const FAILS_LATER: &str = "4000000000000341";
pub(crate) const CHALLENGES: &str = "4000002500003155";

pub(crate) struct World {
    pub(crate) sim: Sim,
    pub(crate) http: reqwest::Client,
    key: &'static str,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The body of a success.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.text);
        self.json()
    }

    /// Status and code of a refusal.
    #[track_caller]
    pub(crate) fn refusal(&self) -> (u16, String) {
        assert!(!self.status.is_success(), "{} {}", self.status, self.text);
        (self.status.as_u16(), self.json()["code"].as_str().unwrap_or_default().to_owned())
    }
}

pub(crate) fn config() -> SimConfig {
    SimConfig {
        clock_start: Some(APRIL),
        clock_speed: 0,
        policy: Policy { rate_limit: RateLimitTier::Off, ..Policy::default() },
        ..SimConfig::default()
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(config()).await
    }

    pub(crate) async fn with(config: SimConfig) -> Self {
        // Nothing here uses TLS, yet the client wants a provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        Self { sim: Sim::start(config).await.unwrap(), http, key: DEFAULT_KEY }
    }

    pub(crate) fn keyed(mut self, key: &'static str) -> Self {
        self.key = key;
        self
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sim.base_url())
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.url(path)).bearer_auth(self.key)
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        Answer {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Changes switches.
    pub(crate) async fn switch(&self, changes: Value) {
        self.post("/_sim/policy", changes).await.ok();
    }

    pub(crate) async fn advance_days(&self, days: u64) {
        self.post("/_sim/clock", json!({"advance_seconds": days * 86_400})).await.ok();
    }

    /// A customer in a country with one saved card: customer and method.
    pub(crate) async fn buyer_in(&self, country: &str, card: &str) -> (String, String) {
        let customer = self
            .post(
                "/_sim/customers",
                json!({
                    "email": "a@example.com", "name": "A", "payment_methods": [{"number": card}],
                    "billing": {"country": country, "zipcode": "94105"},
                }),
            )
            .await
            .ok();
        let id = customer["customer_id"].as_str().unwrap().to_owned();
        let methods = self.get(&format!("/customers/{id}/payment-methods")).await.ok();
        (id, methods["items"][0]["payment_method_id"].as_str().unwrap().to_owned())
    }

    pub(crate) async fn buyer(&self, card: &str) -> (String, String) {
        self.buyer_in("US", card).await
    }

    /// A subscription of a new customer that began today; customer and subscription.
    pub(crate) async fn subscriber(&self, product: &str, card: &str) -> (String, String) {
        let (customer, _) = self.buyer(card).await;
        let id = self.subscribe(&customer, json!({"product_id": product})).await;
        (customer, id)
    }

    pub(crate) async fn subscribe(&self, customer: &str, mut wanted: Value) -> String {
        wanted["customer_id"] = json!(customer);
        let subscription = self.post("/_sim/subscriptions", wanted).await.ok();
        subscription["subscription_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn subscription(&self, id: &str) -> Value {
        self.get(&format!("/subscriptions/{id}")).await.ok()
    }

    /// Amounts and sources of everything collected, in order.
    pub(crate) fn collected(&self) -> Vec<(i64, String)> {
        let ledger = self.sim.control().ledger();
        let source = |charge: &dodo_sim::Charge| json!(charge.source).as_str().unwrap().to_owned();
        ledger.succeeded().map(|charge| (charge.amount, source(charge))).collect()
    }

    /// Types of all webhooks so far, in order, without `subscription.updated`.
    pub(crate) fn told(&self) -> Vec<String> {
        let ledger = self.sim.control().ledger();
        let kinds = ledger.webhooks.into_iter().map(|webhook| webhook.kind);
        kinds.filter(|kind| kind != "subscription.updated").collect()
    }
}

/// A one-click purchase of a product.
pub(crate) fn one_click(customer: &str, method: &str, product: &str) -> Value {
    json!({
        "product_cart": [{"product_id": product, "quantity": 1}],
        "customer": {"customer_id": customer},
        "payment_method_id": method,
        "confirm": true,
        "billing_address": {"country": "US", "street": "1 Market St", "city": "SF", "state": "CA", "zipcode": "94105"},
        "metadata": {"attempt": "at_1"},
    })
}
