//! The shop of this campaign, and the worlds that its runs are played in.

use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Context as _;
use dodo_client::ids::PaymentId;
use dodo_sim::{NewPayment, SimConfig};
use proxy::clock::{Clock as _, ManualClock};
use serde_json::{Map, Value, json};
use testkit::{Database, Dodo, InProcessServices, SIGNING_KEYS, standing_clock};
use upsell_core::{
    domain::{Billing, ChargePlan, TagKeys},
    rules::{AboveQuote, LateSuccess, MoneyRules, Rules, Surplus},
};
use wire::{AttemptId, ProductId};

/// What is offered.
pub(super) const KIT: &str = "prod_kit";
/// Another product at the same price.
pub(super) const TOOL: &str = "prod_tool";
/// A product in a currency without decimals.
pub(super) const YEN: &str = "prod_yen";
/// A subscription that is offered.
pub(super) const CLUB: &str = "prod_club";
/// A subscription with a free trial.
pub(super) const TRIAL: &str = "prod_trial";
/// A subscription with a trial that costs something.
pub(super) const PAID_TRIAL: &str = "prod_paid_trial";
/// The plan of every subscriber.
pub(super) const BASIC: &str = "prod_basic";
/// The plan that subscribers change to.
pub(super) const PRO: &str = "prod_pro";
/// A code for ten per cent.
pub(super) const TEN_OFF: &str = "TENOFF";

/// Simulator, services and database of many runs.
pub(super) struct World {
    pub(super) dodo: Dodo,
    pub(super) services: InProcessServices,
    pub(super) clock: Arc<ManualClock>,
    pub(super) keys: TagKeys,
    /// Numbers webhooks and names.
    next: AtomicU64,
    /// Removed when nobody holds it.
    _database: Database,
}

impl World {
    /// Opens the shop. In a store that predates codes no attempt counts as having one.
    pub(super) async fn open(seed: u64, database: Database, predates_codes: bool) -> anyhow::Result<Self> {
        let mut file = tempfile::NamedTempFile::new().context("no room for the shop's catalogue")?;
        file.write_all(catalogue().to_string().as_bytes())?;
        let fixtures = Some(file.path().to_owned());
        let dodo =
            Dodo::start_with(SimConfig { seed, clock_speed: 0, fixtures, ..SimConfig::default() }).await?;
        let clock = standing_clock();
        let start = || async { InProcessServices::start_under(&dodo, &database, &clock, rules()?).await };
        let mut services = start().await?;
        if predates_codes {
            services.store.close().await;
            drop(services);
            database.predate_codes().await?;
            services = start().await?;
        }
        let keys = TagKeys::parse(&SIGNING_KEYS.to_owned().into())?;
        Ok(Self { dodo, services, clock, keys, next: AtomicU64::new(0), _database: database })
    }

    /// Returns a number that was not given out before.
    pub(super) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Lets time pass here and at Dodo, without anybody at work.
    pub(super) fn idle(&self, seconds: i64) {
        self.clock.advance(seconds);
        self.dodo.control().advance(std::time::Duration::from_secs(seconds.unsigned_abs()));
    }

    /// Has the reconciler look at every live attempt now.
    pub(super) async fn look_up(&self) -> anyhow::Result<()> {
        self.services.store.make_live_due(self.clock.now()).await?;
        self.services.workers.reconciler.round().await?;
        Ok(())
    }

    /// Reports a payment as it stands, with what `edit` makes of the report.
    pub(super) async fn tell(
        &self,
        payment: &PaymentId,
        edit: impl FnOnce(&mut Value),
    ) -> anyhow::Result<()> {
        let mut data = self.dodo.payment(payment.as_str()).await?;
        let status = data["status"].as_str().unwrap_or("processing").to_owned();
        edit(&mut data);
        data["payload_type"] = "Payment".into();
        let id = format!("msg_{payment}_{}", self.number());
        self.services.deliver(&id, &format!("payment.{status}"), &data).await
    }

    /// Makes a payment that has no request of the proxy behind it.
    pub(super) fn pay(&self, new: NewPayment) -> anyhow::Result<PaymentId> {
        let payment = self.dodo.control().payment(new)?;
        Ok(PaymentId::parse(payment["payment_id"].as_str().context("a payment without an id")?)?)
    }

    /// Returns the metadata that the proxy sent for an attempt.
    pub(super) fn sent_for(&self, attempt: &AttemptId) -> anyhow::Result<Map<String, Value>> {
        let posts = self.dodo.control().ledger().posts;
        let sent = posts.iter().rev().find(|post| post.body["metadata"]["attempt_id"] == attempt.as_str());
        let sent = sent.and_then(|post| post.body["metadata"].as_object());
        sent.cloned().context("nothing was sent for an attempt")
    }
}

/// Returns a purchase of one, billed in a country.
pub(super) fn purchase(product: &str, country: &str, codes: &[&str]) -> anyhow::Result<ChargePlan> {
    Ok(ChargePlan::Checkout {
        product_id: ProductId::parse(product)?,
        quantity: 1,
        billing: Some(Billing {
            country: country.to_owned(),
            state: Some("CA".to_owned()),
            zipcode: Some("94105".to_owned()),
        }),
        discount_codes: codes.iter().map(|code| (*code).to_owned()).collect(),
    })
}

/// A merchant who gives everything back that the rules can give back.
fn rules() -> anyhow::Result<Arc<Rules>> {
    let money = MoneyRules {
        late_success: LateSuccess::Refund,
        surplus: Surplus::Refund,
        above_quote: AboveQuote::RefundDifference,
    };
    let text = format!(
        "[merchant]\nname = \"Forge\"\n[[plan]]\nproduct_id = \"{BASIC}\"\n[[plan]]\nproduct_id = \"{PRO}\"\n"
    );
    Ok(Arc::new(Rules { money, ..Rules::parse(&text)? }))
}

fn catalogue() -> Value {
    let once = |id: &str, currency: &str| {
        json!({
            "product_id": id, "name": id, "tax_category": "saas",
            "price": {"type": "one_time_price", "currency": currency, "price": 1900},
        })
    };
    let monthly = |id: &str, price: i64, trial: u32, trial_amount: Option<i64>| {
        json!({
            "product_id": id, "name": id, "tax_category": "saas",
            "price": {
                "type": "recurring_price", "currency": "USD", "price": price, "payment_frequency_count": 1,
                "payment_frequency_interval": "Month", "trial_period_days": trial, "trial_amount": trial_amount,
            },
        })
    };
    json!({
        "business_id": "bus_forge", "tax_bps": {"US": 0, "DE": 1900},
        "products": [
            once(KIT, "USD"), once(TOOL, "USD"), once(YEN, "JPY"),
            monthly(CLUB, 2500, 0, None), monthly(TRIAL, 2500, 7, None), monthly(PAID_TRIAL, 2500, 7, Some(500)),
            monthly(BASIC, 3000, 0, None), monthly(PRO, 8000, 0, None),
        ],
        "discounts": [
            {"discount_id": "dsc_ten", "code": TEN_OFF, "type": "percentage", "amount": 1000, "name": "Ten"},
        ],
    })
}
