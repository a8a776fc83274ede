//! The proxy's program is killed with `kill -9` while buyers are clicking, again and again over one SQLite file on disk
//! (`synchronous=FULL`): nothing is charged twice, and nothing that was charged is forgotten.
//!
//! A run is one kill: a few new buyers come, they click at the same time, and the process dies at a moment of the seed's.
//! Whoever got no answer clicks again with the same key after the next start. At the end the simulator's ledger is
//! compared with what the proxy tells each buyer. Undecided attempts of which nothing reached the simulator wait for a
//! deadline of twenty real minutes, which `ambiguity` and `crash` try on a clock of their own.
//!
//! Seen to fail when recovery takes an attempt that is marked as sent for one that was not sent.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use rand::RngExt;
use serde_json::{Value, json};
use testkit::{
    Answer, COURSE, Dodo, GOOD_CARD, MERCHANT_KEY, Ports, Process, Setup, attempt_of, check, client,
};

use super::Campaign;
use crate::{
    plan::{Plan, rng},
    report::{Broken, Report},
};

/// Buyers of one run.
const BUYERS: usize = 6;
/// The last moment of a kill, in milliseconds after the clicks have begun.
const KILLED_WITHIN: u64 = 1_000;
/// How long the last process has for what Dodo knows already: two rounds of looking up, and the leases before them.
const SETTLED_WITHIN: Duration = Duration::from_secs(180);
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(200);

/// See the module.
pub(super) struct Kill;

/// Somebody with an offer on the screen.
struct Buyer {
    seed: u64,
    customer: String,
    /// What the merchant's server asks a token for.
    purchase: Value,
    token: String,
    body: Value,
}

#[async_trait]
impl Campaign for Kill {
    fn name(&self) -> &'static str {
        "kill"
    }

    fn promise(&self) -> &'static str {
        "kill -9 at any moment under load: nothing charged twice, nothing forgotten"
    }

    fn whole_runs(&self) -> u64 {
        300
    }

    fn quick_runs(&self) -> u64 {
        5
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let mut report = Report::new();
        let (dodo, setup, ports) = (Dodo::start(plan.seed).await?, Setup::new()?, Ports::free()?);
        let (shop, mut buyers, mut starts) =
            (Shop { http: client()?, url: ports.url() }, Vec::new(), Vec::new());
        for seed in plan.seeds() {
            let mut process = Process::start(&dodo, &setup, ports)?;
            starts.push(process.ready(&shop.http).await?);
            for _ in 0..BUYERS {
                buyers.push(shop.welcome(&dodo, seed).await?);
            }
            let moment = Duration::from_millis(rng(seed).random_range(0..=KILLED_WITHIN));
            // The last two runs' buyers: the new ones for the first time, the others after the answer that did not come.
            let clicking = buyers.iter().rev().take(2 * BUYERS).map(|buyer| shop.click(buyer));
            let killed = async {
                tokio::time::sleep(moment).await;
                process.kill()
            };
            let (_, killed) =
                futures_util::future::join(futures_util::future::join_all(clicking), killed).await;
            killed?;
            report.runs += 1;
        }
        let mut last = Process::start(&dodo, &setup, ports)?;
        starts.push(last.ready(&shop.http).await?);
        for buyer in &mut buyers {
            buyer.token = shop.token(&buyer.purchase).await?;
        }
        // Whoever is still without an answer asks once more: what was never sent may be sent now, and nothing else.
        for some in buyers.chunks(BUYERS) {
            futures_util::future::join_all(some.iter().map(|buyer| shop.click(buyer))).await;
        }
        shop.judge(&dodo, &buyers, &mut report).await?;
        starts.sort_unstable();
        let p95 =
            starts.get((starts.len() * 95).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default();
        report.fact("ready_p95_ms", p95.as_millis());
        last.kill()?;
        Ok(report)
    }
}

/// The buyers' way to the proxy, whichever process is behind it.
struct Shop {
    http: reqwest::Client,
    url: String,
}

impl Shop {
    /// A new buyer with an offer on the screen.
    async fn welcome(&self, dodo: &Dodo, seed: u64) -> anyhow::Result<Buyer> {
        let customer = dodo.customer(Some(GOOD_CARD))?;
        let purchase = dodo.purchase(&customer, COURSE)?;
        let purchase = json!({
            "customer_id": customer.as_str(), "purpose": "offer", "payment_id": purchase.as_str(),
        });
        let token = self.token(&purchase).await?;
        let shown = self.ask(&token, "/v1/upsell").await?.ok()?;
        anyhow::ensure!(shown["eligible"] == true, "nothing is offered: {shown}");
        let body = json!({"offer_id": shown["offer"]["id"], "quote_id": shown["quote"]["id"]});
        Ok(Buyer { seed, customer: customer.to_string(), purchase, token, body })
    }

    /// A token to follow up a purchase. It is good for fifteen minutes, less than a whole campaign may take.
    async fn token(&self, purchase: &Value) -> anyhow::Result<String> {
        let minting = self.http.post(format!("{}/v1/sessions", self.url)).bearer_auth(MERCHANT_KEY);
        let minted = Answer::to(minting.json(purchase)).await?.ok()?;
        Ok(minted["token"].as_str().unwrap_or_default().to_owned())
    }

    /// A click, always with the same key. No answer is an answer as well.
    async fn click(&self, buyer: &Buyer) -> Option<Answer> {
        let request = self.http.post(format!("{}/v1/upsell/accept", self.url)).bearer_auth(&buyer.token);
        Answer::to(request.header("idempotency-key", "click").json(&buyer.body)).await.ok()
    }

    async fn ask(&self, token: &str, path: &str) -> anyhow::Result<Answer> {
        Answer::to(self.http.get(format!("{}{path}", self.url)).bearer_auth(token)).await
    }

    /// Compares what each buyer is told with what was collected from them.
    async fn judge(&self, dodo: &Dodo, buyers: &[Buyer], report: &mut Report) -> anyhow::Result<()> {
        let (tally, collected) = (dodo.tally(), dodo.collected());
        let until = Instant::now() + SETTLED_WITHIN;
        let mut charged = 0_u32;
        for buyer in buyers {
            let tally = tally.get(&buyer.customer).copied().unwrap_or_default();
            report.posts = report.posts.saturating_add(u64::from(tally.posts));
            report.found("a kill", buyer.seed, check::at_most_once(tally));
            let mut of_buyer = collected.iter().filter(|charge| charge.customer_id == buyer.customer);
            let (Some(charge), None) = (of_buyer.next(), of_buyer.next()) else { continue };
            let Some(attempt) = attempt_of(charge) else { continue };
            charged += 1;
            let told = self.settled(buyer, &attempt, until).await?;
            match told.body["status"].as_str() {
                Some("succeeded") => {}
                Some("failed") => report.broken(Broken::Lie, buyer.seed, "paid, and told failed"),
                _ => report.broken(Broken::Lost, buyer.seed, format_args!("paid, and told {told:?}")),
            }
        }
        report.fact("buyers", buyers.len());
        report.fact("charged", charged);
        Ok(())
    }

    /// What the buyer is told once it is decided.
    async fn settled(&self, buyer: &Buyer, attempt: &str, until: Instant) -> anyhow::Result<Answer> {
        loop {
            let told = self.ask(&buyer.token, &format!("/v1/upsell/attempts/{attempt}")).await?;
            let open = matches!(told.body["status"].as_str(), Some("processing" | "in_doubt"));
            if !open || Instant::now() >= until {
                return Ok(told);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
