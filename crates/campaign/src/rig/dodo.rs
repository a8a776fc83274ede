//! The simulator of Dodo, and its ledger, which tells what really happened to the money.

use std::collections::HashMap;

use anyhow::Context as _;
use dodo_client::ids::{CustomerId, PaymentId};
use dodo_sim::{
    Charge, Control, IntentStatus, NewCustomer, NewFault, NewPayment, NewPaymentMethod, ProductPatch,
    Request, Sim, SimConfig,
};
use serde_json::{Value, json};

/// What came of one buyer's offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Charging requests.
    pub posts: u32,
    /// Collections.
    pub paid: u32,
}

/// A running simulator.
#[derive(Debug)]
pub struct Dodo {
    sim: Sim,
    control: Control,
}

impl Dodo {
    /// Starts one that lets a campaign go faster than Dodo lets a shop go. Its ids follow from the seed.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(seed: u64) -> anyhow::Result<Self> {
        Self::start_with(SimConfig { seed, ..SimConfig::default() }).await
    }

    /// The same, set up otherwise.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_with(config: SimConfig) -> anyhow::Result<Self> {
        let sim = Sim::start(config).await?;
        let dodo = Self { control: sim.control(), sim };
        dodo.switch(json!({"rate_limit": "off"}))?;
        Ok(dodo)
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        self.sim.base_url()
    }

    /// Everything else that can be done to it.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Turns switches.
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

    /// A customer with this card, or none.
    ///
    /// # Errors
    /// Never, unless the simulator forgets ids.
    pub fn customer(&self, card: Option<&str>) -> anyhow::Result<CustomerId> {
        self.customer_in(card, "US")
    }

    /// The same, billed in this country.
    ///
    /// # Errors
    /// Never, unless the simulator forgets ids.
    pub fn customer_in(&self, card: Option<&str>, country: &str) -> anyhow::Result<CustomerId> {
        let payment_methods = card
            .map(|number| NewPaymentMethod { number: number.to_owned(), ..NewPaymentMethod::default() })
            .into_iter()
            .collect();
        let customer = self.control.customer(NewCustomer {
            email: "buyer@example.com".to_owned(),
            name: "B. Uyer".to_owned(),
            payment_methods,
            billing: Some(json!({
                "country": country, "state": "CA", "city": "SF", "street": "1 Market St", "zipcode": "94105",
            })),
            ..NewCustomer::default()
        });
        let id = customer["customer_id"].as_str().context("a customer without an id")?;
        Ok(CustomerId::parse(id)?)
    }

    /// A purchase on the hosted page that has been paid.
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

    /// Requests that may move money, in the order in which they arrived: confirmed checkouts and plan changes.
    #[must_use]
    pub fn charging_requests(&self) -> Vec<Request> {
        let mut posts = self.control.ledger().posts;
        posts.retain(|post| {
            post.method == "POST"
                && (post.path.ends_with("/change-plan")
                    || (post.path == "/checkouts" && post.body["confirm"] == true))
        });
        posts
    }

    /// Those about this buyer.
    #[must_use]
    pub fn charging_requests_of(&self, customer: &str) -> Vec<Request> {
        let mut posts = self.charging_requests();
        posts.retain(|post| post.body["customer"]["customer_id"] == customer);
        posts
    }

    /// Charging requests and collections, by buyer. Plan changes name no buyer and are left out.
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

    /// Every payment of this buyer that ended, collected or not.
    #[must_use]
    pub fn charges_of(&self, customer: &str) -> Vec<Charge> {
        let mut charges = self.control.ledger().charges;
        charges.retain(|charge| charge.customer_id == customer);
        charges
    }

    /// Money that was collected from this buyer for an attempt of the proxy's.
    #[must_use]
    pub fn collected_from(&self, customer: &str) -> Vec<Charge> {
        let mut charges = self.collected();
        charges.retain(|charge| charge.customer_id == customer);
        charges
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
        let payment = self.control.payment(NewPayment {
            customer_id: customer.to_owned(),
            product_id: item["product_id"].as_str().context("a charge of nothing")?.to_owned(),
            metadata: serde_json::from_value(sent.body["metadata"].clone())?,
            ..NewPayment::default()
        })?;
        let id = payment["payment_id"].as_str().context("a payment without an id")?;
        Ok(Some(PaymentId::parse(id)?))
    }

    /// Requests to give money of this payment back.
    #[must_use]
    pub fn refund_requests_of(&self, payment: &str) -> usize {
        let posts = self.control.ledger().posts;
        posts.iter().filter(|post| post.path == "/refunds" && post.body["payment_id"] == payment).count()
    }

    /// What has gone back of this payment, in minor units.
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

    /// Changes a product's list price, in minor units.
    ///
    /// # Errors
    /// When there is no such product.
    pub fn reprice(&self, product: &str, price: i64) -> anyhow::Result<()> {
        self.control.product(product, ProductPatch { price: Some(price), ..ProductPatch::default() })?;
        Ok(())
    }

    /// A payment as the API tells of it.
    ///
    /// # Errors
    /// When it does not.
    pub async fn payment(&self, id: &str) -> anyhow::Result<Value> {
        let request =
            super::client()?.get(format!("{}/payments/{id}", self.url())).bearer_auth(dodo_sim::DEFAULT_KEY);
        super::Answer::to(request).await?.ok()
    }

    /// Money that was collected for an attempt of the proxy's.
    #[must_use]
    pub fn collected(&self) -> Vec<Charge> {
        let mut charges = self.control.ledger().charges;
        charges.retain(|charge| charge.status == IntentStatus::Succeeded && attempt_of(charge).is_some());
        charges
    }
}

/// The attempt that a charge names.
#[must_use]
pub fn attempt_of(charge: &Charge) -> Option<String> {
    json!(charge.metadata)["attempt_id"].as_str().map(str::to_owned)
}

/// The attempt that a request names.
#[must_use]
pub fn attempt_in(request: &Request) -> Option<String> {
    request.body["metadata"]["attempt_id"].as_str().map(str::to_owned)
}
