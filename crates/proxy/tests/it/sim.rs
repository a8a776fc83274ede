//! The simulator as tests use it, through its control plane: buyers, purchases, prices, faults, the ledger.

use dodo_sim::Sim;
use serde_json::{Value, json};

use crate::harness::{Answer, GOOD_CARD, http_client};

/// Somebody who has bought something.
#[derive(Clone, Debug)]
pub(crate) struct Buyer {
    pub(crate) customer: String,
    pub(crate) payment: Option<String>,
    pub(crate) subscription: Option<String>,
}

/// The simulator and its control plane.
pub(crate) struct SimApi {
    pub(crate) url: String,
    http: reqwest::Client,
    _sim: Sim,
}

impl SimApi {
    pub(crate) fn new(sim: Sim) -> Self {
        Self { url: sim.base_url(), http: http_client(), _sim: sim }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        Answer::read(self.http.get(format!("{}{path}", self.url)).send().await.unwrap()).await.ok()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        Answer::read(self.http.post(format!("{}{path}", self.url)).json(&body).send().await.unwrap())
            .await
            .ok()
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Value {
        Answer::read(self.http.patch(format!("{}{path}", self.url)).json(&body).send().await.unwrap())
            .await
            .ok()
    }

    pub(crate) async fn clear_faults(&self) {
        self.http
            .delete(format!("{}/_sim/faults", self.url))
            .send()
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
    }

    /// A customer with a saved card, or none.
    pub(crate) async fn customer(&self, card: Option<&str>) -> String {
        let methods: Vec<Value> = card
            .map(|number| json!({"number": number, "expiry_month": "12", "expiry_year": "2034"}))
            .into_iter()
            .collect();
        let customer = self
            .post(
                "/_sim/customers",
                json!({
                    "email": "buyer@example.com", "name": "B. Uyer", "payment_methods": methods,
                    "billing": {"country": "US", "state": "CA", "city": "SF", "street": "1 Market St", "zipcode": "94105"},
                }),
            )
            .await;
        customer["customer_id"].as_str().unwrap().to_owned()
    }

    /// Somebody who has just bought a one-time product.
    pub(crate) async fn buyer_of(&self, product: &str, card: Option<&str>) -> Buyer {
        let customer = self.customer(card).await;
        let payment = self.purchase(&customer, product).await;
        Buyer { customer, payment: Some(payment), subscription: None }
    }

    /// Payments of a buyer that are not decided yet.
    pub(crate) async fn undecided(&self, buyer: &Buyer) -> Vec<Value> {
        let url = format!("{}/payments?customer_id={}", self.url, buyer.customer);
        let request = self.http.get(url).bearer_auth(dodo_sim::DEFAULT_KEY);
        let page = Answer::read(request.send().await.unwrap()).await.ok();
        let mut payments = page["items"].as_array().unwrap().clone();
        payments.retain(|payment| payment["status"] == "processing");
        payments
    }

    /// Somebody else changes a subscription, past the proxy.
    pub(crate) async fn change_elsewhere(&self, subscription: &str, body: Value) {
        let url = format!("{}/subscriptions/{subscription}/change-plan", self.url);
        let request = self.http.post(url).bearer_auth(dodo_sim::DEFAULT_KEY).json(&body);
        Answer::read(request.send().await.unwrap()).await.ok();
    }

    /// A further purchase of a known buyer.
    pub(crate) async fn purchase(&self, customer: &str, product: &str) -> String {
        let payment =
            self.post("/_sim/payments", json!({"customer_id": customer, "product_id": product})).await;
        payment["payment_id"].as_str().unwrap().to_owned()
    }

    /// Somebody with a running subscription.
    pub(crate) async fn subscriber_of(&self, product: &str) -> Buyer {
        let customer = self.customer(Some(GOOD_CARD)).await;
        let body = json!({"customer_id": customer, "product_id": product});
        let subscription = self.post("/_sim/subscriptions", body).await;
        let subscription = subscription["subscription_id"].as_str().unwrap().to_owned();
        let first = self
            .charges()
            .await
            .into_iter()
            .find(|charge| charge["customer_id"] == customer.as_str())
            .unwrap();
        let payment = first["payment_id"].as_str().map(str::to_owned);
        Buyer { customer, payment, subscription: Some(subscription) }
    }

    /// Money collected or refused, in order.
    pub(crate) async fn charges(&self) -> Vec<Value> {
        self.get("/_sim/ledger").await["charges"].as_array().unwrap().clone()
    }

    /// Money collected from one buyer by one way: `one_click`, `hosted`, `plan_change`.
    pub(crate) async fn collected(&self, buyer: &Buyer, source: &str) -> Vec<Value> {
        let mut charges = self.charges().await;
        charges.retain(|charge| {
            charge["customer_id"] == buyer.customer.as_str()
                && charge["source"] == source
                && charge["status"] == "succeeded"
        });
        charges
    }

    /// Pays on a hosted page, as a buyer does.
    pub(crate) async fn pay_on_page(&self, url: &str, card: &str) {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("method", "new"),
                ("number", card),
                ("expiry", "12/34"),
                ("cvc", "123"),
                ("country", "US"),
                ("zipcode", "94105"),
                ("street", "1 Market St"),
                ("city", "SF"),
                ("state", "CA"),
                ("email", "buyer@example.com"),
                ("name", "B. Uyer"),
            ])
            .finish();
        let request =
            self.http.post(url).header("content-type", "application/x-www-form-urlencoded").body(form);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_redirection(), "{} {}", answer.status(), answer.text().await.unwrap());
    }

    /// Requests to the API received so far, of one method or of all (`""`), with a path that begins like this.
    pub(crate) async fn requests(&self, method: &str, path: &str) -> usize {
        let ledger = self.get("/_sim/ledger").await;
        let requests = ledger["requests"].as_array().unwrap();
        let matches = |request: &&Value| {
            (method.is_empty() || request["method"] == method)
                && request["path"].as_str().is_some_and(|found| found.starts_with(path))
        };
        requests.iter().filter(matches).count()
    }
}
