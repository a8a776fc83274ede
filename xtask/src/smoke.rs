//! `cargo xtask demo --smoke`: one accept, one decline, one upgrade, over HTTP only, as a page would ask and as the
//! simulator's ledger saw it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use ureq::Agent;

use crate::process::say;
use crate::stack::Addresses;

/// How long anything that is not immediate may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Drives all of it.
///
/// # Errors
/// At the first thing that is not as it should be.
pub(crate) fn drive(at: &Addresses) -> Result<()> {
    let smoke = Smoke { at, agent: agent(), calls: Cell::new(0) };
    say("smoke: what the buyer's browser loads");
    smoke.page(&format!("{}/", at.shop))?;
    smoke.page(&format!("{}/upsell.js", at.proxy))?;
    smoke.page(&format!("{}/upgrade/", at.proxy))?;
    say("smoke: accept");
    smoke.accept()?;
    say("smoke: decline");
    smoke.decline()?;
    say("smoke: upgrade");
    smoke.upgrade()
}

struct Smoke<'a> {
    at: &'a Addresses,
    agent: Agent,
    calls: Cell<u32>,
}

impl Smoke<'_> {
    /// An offer is accepted: exactly one charge, of the amount that was shown.
    fn accept(&self) -> Result<()> {
        let customer = self.customer("accept")?;
        let token = self.session_after_purchase(&customer, "prod_starter_course")?;
        let offer = self.proxy("GET", "/v1/upsell", &token, None)?;
        ensure!(offer["eligible"] == true, "the buyer should be offered something: {offer}");
        let attempt = self.proxy(
            "POST",
            "/v1/upsell/accept",
            &token,
            Some(json!({"offer_id": offer["offer"]["id"], "quote_id": offer["quote"]["id"]})),
        )?;
        let attempt = self.settled("upsell", attempt, &token)?;
        let total = &offer["quote"]["total"];
        ensure!(
            attempt["receipt"]["amount"] == *total,
            "the receipt differs from the quote {total}: {attempt}"
        );
        self.charged_once(&customer, "one_click", total)
    }

    /// An offer is declined, and the cheaper one after it: nothing is charged and nothing is offered again.
    fn decline(&self) -> Result<()> {
        let customer = self.customer("decline")?;
        let token = self.session_after_purchase(&customer, "prod_starter_course")?;
        let mut offer = self.proxy("GET", "/v1/upsell", &token, None)?;
        ensure!(offer["eligible"] == true, "the buyer should be offered something: {offer}");
        let mut declined = 0;
        while offer["eligible"] == true {
            declined += 1;
            ensure!(declined <= 2, "at most one cheaper offer may follow a refusal: {offer}");
            let body = json!({"offer_id": offer["offer"]["id"]});
            let mut answer = self.proxy("POST", "/v1/upsell/decline", &token, Some(body))?;
            offer = answer["next"].take();
        }
        let again = self.session(&json!({"customer_id": customer, "purpose": "offer"}))?;
        let offer = self.proxy("GET", "/v1/upsell", &again, None)?;
        ensure!(offer["eligible"] == false, "a refused offer came back: {offer}");
        ensure!(self.charges(&customer, "one_click")?.is_empty(), "a refusal was charged");
        Ok(())
    }

    /// A plan is previewed and changed: exactly one charge, of the amount that was shown.
    fn upgrade(&self) -> Result<()> {
        let customer = self.customer("upgrade")?;
        let subscription = self.sim(
            "POST",
            "/_sim/subscriptions",
            Some(json!({"customer_id": customer, "product_id": "prod_basic_plan"})),
        )?;
        let subscription = text(&subscription, "subscription_id")?;
        let token = self.session(&json!({
            "customer_id": customer, "purpose": "plans", "subscription_id": subscription, "signed_in": true,
        }))?;
        let plans = self.proxy("GET", "/v1/plans", &token, None)?;
        ensure!(plans["current"]["product_id"] == "prod_basic_plan", "the current plan is wrong: {plans}");
        let preview =
            self.proxy("POST", "/v1/plans/preview", &token, Some(json!({"product_id": "prod_pro_plan"})))?;
        let attempt = self.proxy(
            "POST",
            "/v1/plans/change",
            &token,
            Some(json!({"quote_id": preview["quote"]["id"]})),
        )?;
        let attempt = self.settled("plans", attempt, &token)?;
        let total = &preview["quote"]["total"];
        ensure!(
            attempt["receipt"]["amount"] == *total,
            "the receipt differs from the quote {total}: {attempt}"
        );
        let now = self.sim("GET", &format!("/subscriptions/{subscription}"), None)?;
        ensure!(now["product_id"] == "prod_pro_plan", "the plan was not changed: {now}");
        self.charged_once(&customer, "plan_change", total)
    }

    /// A buyer with a good saved card.
    fn customer(&self, name: &str) -> Result<String> {
        let body = json!({
            "email": format!("{name}@example.com"),
            "name": name,
            "billing": {"country": "US", "state": "CA", "city": "San Francisco", "street": "1 Market St", "zipcode": "94105"},
            "payment_methods": [{
                "number": "4242424242424242", "expiry_month": "06", "expiry_year": "2032", "recurring_enabled": true,
            }],
        });
        text(&self.sim("POST", "/_sim/customers", Some(body))?, "customer_id")
    }

    fn session_after_purchase(&self, customer: &str, product: &str) -> Result<String> {
        let body = json!({"customer_id": customer, "product_id": product});
        let payment = text(&self.sim("POST", "/_sim/payments", Some(body))?, "payment_id")?;
        self.session(&json!({"customer_id": customer, "purpose": "offer", "payment_id": payment}))
    }

    fn session(&self, request: &Value) -> Result<String> {
        let answer = self.proxy("POST", "/v1/sessions", self.at.merchant_key, Some(request.clone()))?;
        text(&answer, "token")
    }

    /// Asks until the attempt is decided; it must have succeeded.
    fn settled(&self, family: &str, mut attempt: Value, token: &str) -> Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        while attempt["status"] != "succeeded" {
            ensure!(
                ["processing", "in_doubt"].iter().any(|open| attempt["status"] == *open),
                "the attempt did not succeed: {attempt}"
            );
            ensure!(Instant::now() < deadline, "still not decided: {attempt}");
            std::thread::sleep(Duration::from_millis(200));
            let path = format!("/v1/{family}/attempts/{}", text(&attempt, "attempt_id")?);
            attempt = self.proxy("GET", &path, token, None)?;
        }
        Ok(attempt)
    }

    fn charged_once(&self, customer: &str, source: &str, amount: &Value) -> Result<()> {
        let charges = self.charges(customer, source)?;
        ensure!(charges.len() == 1, "{} charges instead of one: {charges:?}", charges.len());
        ensure!(
            charges.iter().all(|c| c["amount"] == *amount),
            "charged something other than {amount}: {charges:?}"
        );
        Ok(())
    }

    /// What the simulator collected from the buyer in that way.
    fn charges(&self, customer: &str, source: &str) -> Result<Vec<Value>> {
        let ledger = self.sim("GET", "/_sim/ledger", None)?;
        let charges = ledger["charges"].as_array().context("the ledger has no charges")?;
        Ok(charges
            .iter()
            .filter(|c| c["customer_id"] == customer && c["source"] == source)
            .cloned()
            .collect())
    }

    fn sim(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
        self.call(method, &format!("{}{path}", self.at.sim), self.at.sim_key, body)
    }

    fn proxy(&self, method: &str, path: &str, bearer: &str, body: Option<Value>) -> Result<Value> {
        self.call(method, &format!("{}{path}", self.at.proxy), bearer, body)
    }

    fn call(&self, method: &str, url: &str, bearer: &str, body: Option<Value>) -> Result<Value> {
        let what = format!("{method} {url}");
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(url)
            .header("Authorization", format!("Bearer {bearer}"))
            .header("Idempotency-Key", self.next_key())
            .header("Upsell-Browser", "the-browser-of-the-smoke-test-keeps-this");
        let answer = match body {
            Some(body) => self.agent.run(
                request
                    .header("Content-Type", "application/json")
                    .body(body.to_string())
                    .context("a bad request")?,
            ),
            None => self.agent.run(request.body(()).context("a bad request")?),
        };
        let mut answer = answer.with_context(|| what.clone())?;
        let text = answer.body_mut().read_to_string().with_context(|| what.clone())?;
        if !answer.status().is_success() {
            bail!("{what} → {}: {text}", answer.status());
        }
        serde_json::from_str(&text)
            .with_context(|| format!("{what} answered something that is not JSON: {text}"))
    }

    /// Every call here is an intention of its own.
    fn next_key(&self) -> String {
        self.calls.set(self.calls.get() + 1);
        format!("smoke-{}", self.calls.get())
    }

    fn page(&self, url: &str) -> Result<()> {
        let answer = self.agent.get(url).call().with_context(|| url.to_owned())?;
        ensure!(answer.status() == 200, "{url} → {}", answer.status());
        Ok(())
    }
}

fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into()
}

fn text(value: &Value, field: &str) -> Result<String> {
    value[field].as_str().map(str::to_owned).with_context(|| format!("no {field} in {value}"))
}
