//! The simulator of Dodo: buyers, cards, faults and switches.
//!
//! | module | what |
//! |---|---|
//! | `buyers` | buyers with what they have bought |
//! | `ledger` | what really happened to the money |
//! | `subscriptions` | subscriptions and changes of their plans |

mod buyers;
mod ledger;
mod subscriptions;

pub use self::{
    buyers::Buyer,
    ledger::{Tally, attempt_in, attempt_of},
    subscriptions::is_lost,
};

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use ::proxy::clock::ManualClock;
use anyhow::Context as _;
use dodo_client::ids::{CustomerId, PaymentId};
use dodo_sim::{Control, NewCustomer, NewFault, NewPayment, NewPaymentMethod, ProductPatch, Sim, SimConfig};
use serde_json::{Value, json};
use wire::UnixSeconds;

/// A running simulator.
#[derive(Debug)]
pub struct Dodo {
    sim: Sim,
    control: Control,
}

impl Dodo {
    /// Starts a simulator without rate limits. Its ids follow from the seed.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(seed: u64) -> anyhow::Result<Self> {
        Self::start_with(SimConfig { seed, ..SimConfig::default() }).await
    }

    /// Starts a simulator with this configuration, without rate limits.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_with(config: SimConfig) -> anyhow::Result<Self> {
        let sim = Sim::start(config).await?;
        let dodo = Self { control: sim.control(), sim };
        dodo.switch(json!({"rate_limit": "off"}))?;
        Ok(dodo)
    }

    /// Returns the address of the simulator.
    #[must_use]
    pub fn url(&self) -> String {
        self.sim.base_url()
    }

    /// Returns the control plane, for everything that has no verb here.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Sets policy switches.
    ///
    /// # Errors
    /// When there is no such switch.
    pub fn switch(&self, switches: Value) -> anyhow::Result<()> {
        self.control.set_policy(switches.as_object().context("switches are an object")?)?;
        Ok(())
    }

    /// Spoils the next `times` requests of this method and path.
    ///
    /// # Errors
    /// When there is no such fault.
    pub fn fault(&self, method: &str, path: &str, kind: Value, times: u32) -> anyhow::Result<()> {
        self.control.fault(NewFault {
            method: Some(method.to_owned()),
            path: Some(path.to_owned()),
            kind,
            times: Some(times),
            ..NewFault::default()
        })?;
        Ok(())
    }

    /// Creates a customer with this card, or none, who is billed in the US.
    ///
    /// # Errors
    /// Never, unless the simulator forgets ids.
    pub fn customer(&self, card: Option<&str>) -> anyhow::Result<CustomerId> {
        self.customer_in(card, "US")
    }

    /// Creates a customer with this card, or none, who is billed in this country.
    ///
    /// # Errors
    /// Never, unless the simulator forgets ids.
    pub fn customer_in(&self, card: Option<&str>, country: &str) -> anyhow::Result<CustomerId> {
        let method =
            card.map(|number| NewPaymentMethod { number: number.to_owned(), ..NewPaymentMethod::default() });
        self.customer_with(method, country)
    }

    /// Creates a customer with this payment method, or none, who is billed in this country.
    ///
    /// # Errors
    /// Never, unless the simulator forgets ids.
    pub fn customer_with(
        &self,
        method: Option<NewPaymentMethod>,
        country: &str,
    ) -> anyhow::Result<CustomerId> {
        self.customer_as(&new_address(), method, country)
    }

    /// Creates a customer with this e-mail address, whether or not another one has it.
    ///
    /// # Errors
    /// Never, unless the simulator forgets ids.
    pub fn customer_as(
        &self,
        email: &str,
        method: Option<NewPaymentMethod>,
        country: &str,
    ) -> anyhow::Result<CustomerId> {
        let customer = self.control.customer(NewCustomer {
            email: email.to_owned(),
            name: "B. Uyer".to_owned(),
            payment_methods: method.into_iter().collect(),
            billing: Some(json!({
                "country": country, "state": "CA", "city": "SF", "street": "1 Market St", "zipcode": "94105",
            })),
            ..NewCustomer::default()
        });
        let id = customer["customer_id"].as_str().context("a customer without an id")?;
        Ok(CustomerId::parse(id)?)
    }

    /// Records a purchase that was paid on the hosted page.
    ///
    /// # Errors
    /// When the product cannot be bought.
    pub fn purchase(&self, customer: &CustomerId, product: &str) -> anyhow::Result<PaymentId> {
        let payment = self.control.payment(NewPayment {
            customer_id: customer.to_string(),
            product_id: product.to_owned(),
            ..NewPayment::default()
        })?;
        Ok(PaymentId::parse(payment["payment_id"].as_str().context("a payment without an id")?)?)
    }

    /// Executes a charging request that was lost on its way: it arrives after all. `None`: no attempt of this buyer was
    /// sent, or the one that was has been executed.
    ///
    /// # Errors
    /// When it cannot be executed.
    pub fn arrive_late(&self, customer: &str) -> anyhow::Result<Option<PaymentId>> {
        let sent = self.charging_requests_of(customer).pop();
        let Some(sent) = sent.filter(|_| self.collected_from(customer).is_empty()) else { return Ok(None) };
        let item = &sent.body["product_cart"][0];
        // It began with its request; that it is heard of so late is Dodo's doing.
        let began = serde_json::to_value(&sent)?["at"].clone();
        let payment = self.control.payment(NewPayment {
            customer_id: customer.to_owned(),
            product_id: item["product_id"].as_str().context("a charge of nothing")?.to_owned(),
            metadata: serde_json::from_value(sent.body["metadata"].clone())?,
            shown: [("created_at".to_owned(), began)].into_iter().collect(),
            ..NewPayment::default()
        })?;
        let id = payment["payment_id"].as_str().context("a payment without an id")?;
        Ok(Some(PaymentId::parse(id)?))
    }

    /// Returns a clock that stands at the simulator's present until it is moved. One that is moved along with the simulator
    /// agrees with it about when something began.
    #[must_use]
    pub fn standing_clock(&self) -> Arc<ManualClock> {
        Arc::new(ManualClock::at(UnixSeconds(self.control.clock().now.unix_timestamp())))
    }

    /// Changes a product's list price, in minor units.
    ///
    /// # Errors
    /// When there is no such product.
    pub fn reprice(&self, product: &str, price: i64) -> anyhow::Result<()> {
        self.control.product(product, ProductPatch { price: Some(price), ..ProductPatch::default() })?;
        Ok(())
    }

    /// Pays on a hosted page with this card, as a buyer's browser does. Returns the status of the answer, which redirects
    /// when the card was taken.
    ///
    /// # Errors
    /// When the page is not the simulator's, or does not answer.
    pub async fn pay_on_page(&self, url: &str, card: &str) -> anyhow::Result<u16> {
        Ok(self.pay_on(url, card, &new_address(), "US").await?.0)
    }

    /// Pays on a hosted page with this card and an address in this country. Returns the status of the answer.
    ///
    /// # Errors
    /// When the page is not the simulator's, or does not answer.
    pub async fn pay_on_page_in(&self, url: &str, card: &str, country: &str) -> anyhow::Result<u16> {
        Ok(self.pay_on(url, card, &new_address(), country).await?.0)
    }

    /// Pays on a hosted page with this card and under this e-mail address. Returns the status of the answer, and the address
    /// that it redirects to.
    ///
    /// # Errors
    /// When the page is not the simulator's, or does not answer.
    pub async fn pay_on_page_as(&self, url: &str, card: &str, email: &str) -> anyhow::Result<(u16, String)> {
        self.pay_on(url, card, email, "US").await
    }

    async fn pay_on(
        &self,
        url: &str,
        card: &str,
        email: &str,
        country: &str,
    ) -> anyhow::Result<(u16, String)> {
        anyhow::ensure!(url.starts_with(&self.url()), "{url} is not a page of the simulator");
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("method", "new"),
                ("priced_for", country),
                ("number", card),
                ("expiry", "12/34"),
                ("cvc", "123"),
                ("country", country),
                ("zipcode", "94105"),
                ("street", "1 Market St"),
                ("city", "SF"),
                ("state", "CA"),
                ("email", email),
                ("name", "B. Uyer"),
            ])
            .finish();
        let request = crate::client()?.post(url);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        let answer = request.send().await?;
        let location = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
        Ok((answer.status().as_u16(), location.to_owned()))
    }

    /// Has the simulator deliver its webhooks to the proxy at this address.
    ///
    /// # Errors
    /// When the address is malformed.
    pub fn deliver_to(&self, proxy: &str) -> anyhow::Result<()> {
        Ok(self.control.set_webhook_endpoint(&format!("{proxy}/webhooks/dodo"), crate::WEBHOOK_SECRET)?)
    }

    /// Reads from the control plane over HTTP.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        crate::Answer::to(crate::client()?.get(format!("{}{path}", self.url()))).await?.ok()
    }

    /// Sends a command to the control plane over HTTP.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        crate::Answer::to(crate::client()?.post(format!("{}{path}", self.url())).json(&body)).await?.ok()
    }
}

/// Returns an e-mail address that nobody has had before.
fn new_address() -> String {
    static BUYERS: AtomicU64 = AtomicU64::new(0);
    format!("buyer-{}@example.com", BUYERS.fetch_add(1, Ordering::Relaxed))
}
