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
use dodo_client::ids::{CustomerId, PaymentId};
use rand::RngExt;
use serde_json::Value;
use testkit::{Answer, COURSE, Dodo, GOOD_CARD, Ports, Process, ProxyClient, Setup, attempt_of, check};

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
    customer: CustomerId,
    purchase: PaymentId,
    token: String,
    shown: Value,
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
        let (proxy, mut buyers, mut starts) = (ports.client()?, Vec::new(), Vec::new());
        for seed in plan.seeds() {
            let mut process = Process::start(&dodo, &setup, ports)?;
            starts.push(process.ready().await?);
            for _ in 0..BUYERS {
                buyers.push(welcome(&proxy, &dodo, seed).await?);
            }
            let moment = Duration::from_millis(rng(seed).random_range(0..=KILLED_WITHIN));
            // The last two runs' buyers: the new ones for the first time, the others after the answer that did not come.
            let clicking = buyers.iter().rev().take(2 * BUYERS).map(|buyer| click(&proxy, buyer));
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
        starts.push(last.ready().await?);
        for buyer in &mut buyers {
            buyer.token = proxy.mint(&buyer.customer, &buyer.purchase).await?;
        }
        // Whoever is still without an answer asks once more: what was never sent may be sent now, and nothing else.
        for some in buyers.chunks(BUYERS) {
            futures_util::future::join_all(some.iter().map(|buyer| click(&proxy, buyer))).await;
        }
        judge(&proxy, &dodo, &buyers, &mut report).await?;
        starts.sort_unstable();
        let p95 =
            starts.get((starts.len() * 95).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default();
        report.fact("ready_p95_ms", p95.as_millis());
        last.kill()?;
        Ok(report)
    }
}

/// Creates a new buyer with an offer on the screen.
async fn welcome(proxy: &ProxyClient, dodo: &Dodo, seed: u64) -> anyhow::Result<Buyer> {
    let customer = dodo.customer(Some(GOOD_CARD))?;
    let purchase = dodo.purchase(&customer, COURSE)?;
    // A token is good for fifteen minutes, less than a whole campaign may take.
    let token = proxy.mint(&customer, &purchase).await?;
    let shown = proxy.look(&token).await?;
    anyhow::ensure!(shown["eligible"] == true, "nothing is offered: {shown}");
    Ok(Buyer { seed, customer, purchase, token, shown })
}

/// Clicks, always with the same key. No answer is an answer as well.
async fn click(proxy: &ProxyClient, buyer: &Buyer) -> Option<Answer> {
    proxy.accept(&buyer.token, &buyer.shown, "click").await.ok()
}

/// Compares what each buyer is told with what was collected from them.
async fn judge(
    proxy: &ProxyClient,
    dodo: &Dodo,
    buyers: &[Buyer],
    report: &mut Report,
) -> anyhow::Result<()> {
    let (tally, collected) = (dodo.tally(), dodo.collected());
    let until = Instant::now() + SETTLED_WITHIN;
    let mut charged = 0_u32;
    for buyer in buyers {
        let tally = tally.get(buyer.customer.as_str()).copied().unwrap_or_default();
        report.posts = report.posts.saturating_add(u64::from(tally.posts));
        report.found("a kill", buyer.seed, check::at_most_once(tally));
        let mut of_buyer = collected.iter().filter(|charge| charge.customer_id == buyer.customer.as_str());
        let (Some(charge), None) = (of_buyer.next(), of_buyer.next()) else { continue };
        let Some(attempt) = attempt_of(charge) else { continue };
        charged += 1;
        let told = settled(proxy, buyer, &attempt, until).await?;
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
async fn settled(
    proxy: &ProxyClient,
    buyer: &Buyer,
    attempt: &str,
    until: Instant,
) -> anyhow::Result<Answer> {
    loop {
        let told = proxy.attempt(&buyer.token, attempt).await?;
        let open = matches!(told.body["status"].as_str(), Some("processing" | "in_doubt"));
        if !open || Instant::now() >= until {
            return Ok(told);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
