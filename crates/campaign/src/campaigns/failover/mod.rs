//! The database fails over under load: nothing is charged twice, nothing is forgotten, nobody is told what is not so.
//!
//! Three PostgreSQL nodes under Patroni and etcd, as [`cluster`] sets them up; two proxies; buyers who accept all the time.
//! In each run the primary is killed, frozen or cut off from everybody, by the seed, at a moment of the seed's. The run is
//! over when a charge was accepted that was begun after that, the fault is undone, and both other nodes follow the new
//! primary. A frozen node wakes up as a primary that does not know that it was replaced.
//!
//! At the end the simulator's ledger is compared with what the proxies tell each buyer. Attempts of which nothing reached
//! the simulator and whose sent mark may have been written wait for their deadline of twenty minutes; they are counted.
//!
//! The whole campaign measures besides what commits a failover takes back ([`loss`]), with replication as it has to be and
//! as a proxy refuses it, and what a pooler costs ([`pooling`]).

mod cluster;
mod load;
mod loss;
mod pooling;
mod relay;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use async_trait::async_trait;
use dodo_sim::NewFault;
use rand::RngExt as _;
use testkit::{Answer, Database, Dodo, Proxy, Setup, attempt_of, check, patiently};

use self::{
    cluster::{Cluster, Replication},
    load::{Buyer, Load},
};
use super::Campaign;
use crate::{
    plan::{Extent, Plan, rng},
    report::{Broken, Report},
};

/// A charge may take so long to be accepted after a fault. Patroni's lease of the primary is 20 seconds.
const ACCEPTED_WITHIN: Duration = Duration::from_secs(180);
/// Longest time for which a payment that Dodo knows may be undecided at the end.
const SETTLED_WITHIN: Duration = Duration::from_secs(120);
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(250);
/// Milliseconds in which Dodo answers a charge.
const CHARGE_TAKES: u64 = 300;
/// The load goes on for so many milliseconds, at most, before the fault.
const FAULT_WITHIN: u64 = 1_500;

/// Fault of the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Its processes are killed.
    Killed,
    /// Its processes, and Patroni's, stop where they stand.
    Frozen,
    /// Nothing gets to it or away from it.
    CutOff,
}

const FAULTS: [Fault; 3] = [Fault::Killed, Fault::Frozen, Fault::CutOff];

/// See the module.
pub(super) struct Failover;

#[async_trait]
impl Campaign for Failover {
    fn name(&self) -> &'static str {
        "failover"
    }

    fn promise(&self) -> &'static str {
        "the primary database is killed, frozen or cut off under load: nothing charged twice, nothing forgotten"
    }

    fn whole_runs(&self) -> u64 {
        33
    }

    fn quick_runs(&self) -> u64 {
        1
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let mut report = Report::new();
        let cluster = Cluster::start(Replication::Synchronous).await?;
        let dodo = Arc::new(Dodo::start(plan.seed).await?);
        // As long as Dodo takes, so that most charges are on their way when the database goes.
        dodo.control().fault(NewFault {
            path: Some("/checkouts".to_owned()),
            kind: "delay".into(),
            delay_ms: Some(CHARGE_TAKES),
            ..NewFault::default()
        })?;
        let setup = Setup::over(Database::elsewhere(cluster.url())?);
        let proxies = [Proxy::start(&dodo, &setup).await?, Proxy::start(&dodo, &setup).await?];
        proxies[0].hear(&dodo)?;
        let load = Load::start(&dodo, &proxies)?;
        load.accepted_after(Instant::now()).await;
        let mut waited = Vec::new();
        for seed in plan.seeds() {
            load.of_run(seed);
            let took = fail_over(&cluster, &load, seed).await?;
            if plan.explain {
                eprintln!("run {seed}: {:?} for {} ms", fault(seed), took.as_millis());
            }
            waited.push(took);
            report.runs += 1;
        }
        let buyers = load.end().await?;
        judge(&dodo, &proxies, &buyers, &mut report).await?;
        waited.sort_unstable();
        for (name, percent) in [("next_median_ms", 50), ("next_p95_ms", 95), ("next_max_ms", 100)] {
            let at = (waited.len() * percent).div_ceil(100).saturating_sub(1);
            report.fact(name, waited.get(at).copied().unwrap_or_default().as_millis());
        }
        for proxy in proxies {
            proxy.stop().await?;
        }
        if plan.extent == Extent::Whole {
            measure(cluster, plan.seed, &mut report).await?;
        }
        Ok(report)
    }
}

/// Measures the loss of a failover with and without synchronous replication, and the cost of a pooler.
async fn measure(cluster: Cluster, seed: u64, report: &mut Report) -> anyhow::Result<()> {
    let loss = loss::measured(&cluster, Replication::Synchronous).await?;
    if loss.lost > 0 {
        report.broken(Broken::Lost, seed, "an answered commit was lost although a standby had to have it");
    }
    report.fact("synchronous_answered", loss.answered);
    drop(cluster);
    let cluster = Cluster::start(Replication::Asynchronous).await?;
    let dodo = Arc::new(Dodo::start(seed).await?);
    let refused = Proxy::start(&dodo, &Setup::over(Database::elsewhere(cluster.url())?)).await;
    anyhow::ensure!(refused.is_err(), "a proxy started on asynchronous nodes");
    let loss = loss::measured(&cluster, Replication::Asynchronous).await?;
    report.fact("asynchronous_answered", loss.answered);
    report.fact("asynchronous_lost", loss.lost);
    drop(cluster);
    pooling::measured(seed, report).await
}

fn fault(seed: u64) -> Fault {
    FAULTS[usize::try_from(seed % 3).unwrap_or_default()]
}

/// One failover. Returns how long no charge was accepted that was begun after the fault.
async fn fail_over(cluster: &Cluster, load: &Load, seed: u64) -> anyhow::Result<Duration> {
    let primary = cluster.whole(Replication::Synchronous).await?;
    let timeline = cluster.timeline(primary)?;
    tokio::time::sleep(Duration::from_millis(rng(seed).random_range(0..=FAULT_WITHIN))).await;
    let fault = fault(seed);
    match fault {
        Fault::Killed => cluster.kill(primary)?,
        Fault::Frozen => cluster.freeze(primary, true)?,
        Fault::CutOff => cluster.cut_off(primary, true),
    }
    let began = Instant::now();
    let accepted = tokio::time::timeout(ACCEPTED_WITHIN, load.accepted_after(began)).await;
    let waited = began.elapsed();
    let logs = if accepted.is_err() { cluster.logs() } else { String::new() };
    match fault {
        Fault::Killed => {}
        Fault::Frozen => cluster.freeze(primary, false)?,
        Fault::CutOff => cluster.cut_off(primary, false),
    }
    accepted
        .with_context(|| format!("no charge was accepted any more after the primary was {fault:?}:{logs}"))?;
    let now = cluster.whole(Replication::Synchronous).await?;
    // On a slow machine the new primary may be replaced too, by the old one.
    anyhow::ensure!(cluster.timeline(now)? > timeline, "{fault:?}: the primary was not replaced");
    Ok(waited)
}

/// Compares what each buyer is told with what was collected from them.
async fn judge(dodo: &Dodo, proxies: &[Proxy], buyers: &[Buyer], report: &mut Report) -> anyhow::Result<()> {
    let (tally, collected) = (dodo.tally(), dodo.collected());
    let until = Instant::now() + SETTLED_WITHIN;
    let (mut charged, mut waiting) = (0_u32, 0_u32);
    for (no, buyer) in buyers.iter().enumerate() {
        let tally = tally.get(buyer.customer.as_str()).copied().unwrap_or_default();
        report.posts = report.posts.saturating_add(u64::from(tally.posts));
        report.found("a failover", buyer.seed, check::at_most_once(tally));
        let told = buyer.told.as_ref().and_then(|told| told.body["status"].as_str());
        let mut of_buyer = collected.iter().filter(|charge| charge.customer_id == buyer.customer.as_str());
        let Some(charge) = of_buyer.next() else {
            if told == Some("succeeded") {
                report.broken(Broken::Lie, buyer.seed, "told succeeded, and nothing was collected");
            }
            waiting = waiting.saturating_add(u32::from(told != Some("failed")));
            continue;
        };
        if told == Some("failed") {
            report.broken(Broken::Lie, buyer.seed, "paid, and told failed");
        }
        let Some(attempt) = attempt_of(charge) else { continue };
        charged = charged.saturating_add(1);
        let now = settled(&proxies[no % proxies.len()], buyer, &attempt, until).await?;
        match now.body["status"].as_str() {
            Some("succeeded") => {}
            Some("failed") => report.broken(Broken::Lie, buyer.seed, "paid, and told failed later"),
            Some("processing" | "in_doubt") => {
                report.broken(Broken::Stuck, buyer.seed, format_args!("{now:?}"))
            }
            _ => report.broken(Broken::Lost, buyer.seed, format_args!("paid, and told {now:?}")),
        }
    }
    report.fact("buyers", buyers.len());
    report.fact("charged", charged);
    report.fact("not_sent", waiting);
    Ok(())
}

/// Returns the answer to the buyer once it is decided.
async fn settled(proxy: &Proxy, buyer: &Buyer, attempt: &str, until: Instant) -> anyhow::Result<Answer> {
    let token = patiently(|| async {
        let request = serde_json::json!({
            "customer_id": buyer.customer.as_str(), "purpose": "offer", "payment_id": buyer.purchase.as_str(),
        });
        proxy.post(testkit::MERCHANT_KEY, "/v1/sessions", None, &request).await
    })
    .await?;
    let token = token.body["token"].as_str().unwrap_or_default().to_owned();
    loop {
        let told = proxy.attempt(&token, attempt).await?;
        let open = matches!(told.body["status"].as_str(), Some("processing" | "in_doubt"));
        if (!open && told.status < 500) || Instant::now() >= until {
            return Ok(told);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
