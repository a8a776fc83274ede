//! A backup in the database's place: what was charged since is known again, and nobody is charged a second time.
//!
//! A run is one buyer who takes an offer after the backup. Half of the offers were made before it, the others are unknown
//! to it as well. Then the backup is put in place, in three ways, and every buyer clicks on. Runs of one way share one
//! backup.
//!
//! Seen to fail when: payments are not listed at the start; a claim does not look whether the store went back.

use async_trait::async_trait;
use dodo_client::ids::{CustomerId, PaymentId};
use serde_json::Value;
use testkit::{Answer, COURSE, Database, Dodo, GOOD_CARD, Proxy, Setup, check, patiently};

use super::Campaign;
use crate::{
    plan::Plan,
    report::{Broken, Report},
};

/// How a backup comes into the database's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// SQLite, by copying the file.
    File,
    /// PostgreSQL, between two lives of the proxy.
    Server,
    /// PostgreSQL, under a proxy that goes on running: a standby without the last commits takes over.
    Takeover,
}

const WAYS: [Way; 3] = [Way::File, Way::Server, Way::Takeover];

/// A buyer and what was taken.
struct Buyer {
    seed: u64,
    customer: CustomerId,
    purchase: PaymentId,
    shown: Value,
    taken: Value,
}

/// See the module.
pub(super) struct Restore;

#[async_trait]
impl Campaign for Restore {
    fn name(&self) -> &'static str {
        "restore"
    }

    fn promise(&self) -> &'static str {
        "what was charged since a backup is known again after it was restored, and not charged again"
    }

    fn whole_runs(&self) -> u64 {
        100
    }

    fn quick_runs(&self) -> u64 {
        4
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let (mut report, mut fewest) = (Report::new(), u64::MAX);
        for way in WAYS {
            fewest = fewest.min(play(way, plan, &mut report).await?);
        }
        report.fact("ways", WAYS.len());
        // In the way that recovered the fewest.
        report.fact("recovered", fewest);
        Ok(report)
    }
}

/// Plays every run in one way. Returns how many charges were known again.
async fn play(way: Way, plan: &Plan, report: &mut Report) -> anyhow::Result<u64> {
    let dodo = Dodo::start(plan.seed).await?;
    let database = if way == Way::File { Database::sqlite()? } else { Database::postgres()? };
    let setup = Setup { database, ..Setup::new()? };
    let proxy = Proxy::start(&dodo, &setup).await?;
    let first = dodo.customer(Some(GOOD_CARD))?;
    let first_token = proxy.mint(&first, &dodo.purchase(&first, COURSE)?).await?;
    let first_shown = proxy.look(&first_token).await?;
    let mut early = Vec::new();
    for seed in plan.seeds() {
        let customer = dodo.customer(Some(GOOD_CARD))?;
        let purchase = dodo.purchase(&customer, COURSE)?;
        let shown = if seed % 2 == 0 { Some(see(&proxy, &customer, &purchase).await?) } else { None };
        early.push((seed, customer, purchase, shown));
    }
    proxy.stop().await?;
    setup.database.back_up()?;
    let proxy = Proxy::start(&dodo, &setup).await?;
    proxy.hear(&dodo)?;
    let mut buyers = Vec::new();
    for (seed, customer, purchase, shown) in early {
        let shown = match shown {
            Some(shown) => shown,
            None => see(&proxy, &customer, &purchase).await?,
        };
        let token = proxy.mint(&customer, &purchase).await?;
        let taken = proxy.accept(&token, &shown, "key").await?.ok()?;
        buyers.push(Buyer { seed, customer, purchase, shown, taken });
    }
    let proxy = if way == Way::Takeover {
        setup.database.restore()?;
        proxy
    } else {
        proxy.stop().await?;
        setup.database.restore()?;
        Proxy::start(&dodo, &setup).await?
    };
    proxy.hear(&dodo)?;
    // Somebody with a page from before the backup clicks first, which gives a takeover away.
    let told = patiently(|| proxy.accept(&first_token, &first_shown, "first")).await?;
    if told.status < 300 || !dodo.charging_requests_of(first.as_str()).is_empty() {
        report.broken(Broken::Lie, plan.seed, format_args!("{way:?}: a refusal may be lost, and: {told:?}"));
    }
    let recovered = click_on(way, &proxy, &buyers, report).await?;
    proxy.stop().await?;
    judge(way, &dodo, &buyers, report);
    Ok(recovered)
}

/// What a buyer is shown.
async fn see(proxy: &Proxy, customer: &CustomerId, purchase: &PaymentId) -> anyhow::Result<Value> {
    let shown = proxy.look(&proxy.mint(customer, purchase).await?).await?;
    anyhow::ensure!(shown["eligible"] == true, "nothing is offered: {shown}");
    Ok(shown)
}

/// Everybody clicks on: with the same key, from another tab, and on whatever is shown now.
async fn click_on(way: Way, proxy: &Proxy, buyers: &[Buyer], report: &mut Report) -> anyhow::Result<u64> {
    let mut recovered = 0_u64;
    for Buyer { seed, customer, purchase, shown, taken } in buyers {
        let mut same = true;
        let token = patiently(|| async { mint(proxy, customer, purchase).await }).await?;
        let token = token.body["token"].as_str().unwrap_or_default().to_owned();
        for key in ["key", "another"] {
            let told = patiently(|| proxy.accept(&token, shown, key)).await?;
            if told.body["status"] != "succeeded" || told.body["attempt_id"] != taken["attempt_id"] {
                same = false;
                report.broken(Broken::Lost, *seed, format_args!("{way:?}: paid as {taken}, told {told:?}"));
            }
        }
        let now = patiently(|| proxy.get(&token, "/v1/upsell")).await?;
        if now.body["eligible"] == true {
            same = false;
            proxy.accept(&token, &now.body, "once more").await?;
            report.broken(Broken::Lie, *seed, format_args!("{way:?}: offered again: {}", now.body));
        }
        recovered += u64::from(same);
        report.runs += 1;
    }
    Ok(recovered)
}

async fn mint(proxy: &Proxy, customer: &CustomerId, purchase: &PaymentId) -> anyhow::Result<Answer> {
    let request = serde_json::json!({
        "customer_id": customer.as_str(), "purpose": "offer", "payment_id": purchase.as_str(),
    });
    proxy.post(testkit::MERCHANT_KEY, "/v1/sessions", None, &request).await
}

/// What really happened to the money.
fn judge(way: Way, dodo: &Dodo, buyers: &[Buyer], report: &mut Report) {
    let tally = dodo.tally();
    for Buyer { seed, customer, .. } in buyers {
        let tally = tally.get(customer.as_str()).copied().unwrap_or_default();
        report.posts = report.posts.saturating_add(u64::from(tally.posts));
        report.found(format_args!("{way:?}"), *seed, check::charged_once(tally));
    }
}
