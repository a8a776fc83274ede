//! However often an offer is clicked at the same moment, on however many proxies: one request, one charge.
//!
//! A run is one offer, accepted eight times at once on each of two proxies over one PostgreSQL database. Half of the clicks
//! are one browser's repeats of one key, the others have keys of their own, as other tabs and devices do.
//!
//! Seen to fail when a claim forgets to look at the offer's state and the database does not refuse a second live attempt.

use std::collections::HashMap;

use async_trait::async_trait;
use rand::{RngExt, seq::SliceRandom as _};
use testkit::{Answer, COURSE, Database, Dodo, GOOD_CARD, Proxy, Setup, check};

use super::Campaign;
use crate::{
    plan::{Plan, rng},
    report::{Broken, Report},
};

/// Accepts of one offer on each proxy.
const CLICKS: usize = 8;
/// An offer that nobody could buy.
const UNCHARGED: &str = "uncharged";
/// A click that was answered with an error of the proxy's own.
const ERRORS: &str = "errors";

/// See the module.
pub(super) struct DoubleSubmit;

#[async_trait]
impl Campaign for DoubleSubmit {
    fn name(&self) -> &'static str {
        "double-submit"
    }

    fn promise(&self) -> &'static str {
        "an offer clicked many times at once on two proxies is charged once"
    }

    fn whole_runs(&self) -> u64 {
        1_000
    }

    fn quick_runs(&self) -> u64 {
        20
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let mut report = Report::asking(&[UNCHARGED, ERRORS]);
        let dodo = Dodo::start(plan.seed).await?;
        let setup = Setup { database: Database::postgres()?, ..Setup::new()? };
        let proxies = [Proxy::start(&dodo, &setup).await?, Proxy::start(&dodo, &setup).await?];
        let [first, _] = &proxies;
        first.hear(&dodo)?;
        let mut offers = HashMap::new();
        for seed in plan.seeds() {
            let customer = dodo.customer(Some(GOOD_CARD))?;
            offers.insert(customer.to_string(), seed);
            let token = first.mint(&customer, &dodo.purchase(&customer, COURSE)?).await?;
            let shown = first.look(&token).await?;
            anyhow::ensure!(shown["eligible"] == true, "nothing is offered: {shown}");
            let mut answered = 0_u32;
            for answer in click(&proxies, &token, &shown, seed).await? {
                answered += u32::from(answer.status < 300);
                if answer.status >= 500 {
                    report.broken(Broken::Other(ERRORS), seed, format_args!("{answer:?}"));
                }
                if answer.body["status"] == "failed" {
                    report.broken(Broken::Lie, seed, format_args!("told failed: {answer:?}"));
                }
            }
            if answered == 0 {
                report.broken(Broken::Other(ERRORS), seed, "no click was told what came of it");
            }
            // Whoever clicks later is told of the one charge, on either proxy.
            for proxy in &proxies {
                let answer = proxy.accept(&token, &shown, "later").await?;
                if answer.body["status"] != "succeeded" {
                    report.broken(Broken::Lost, seed, format_args!("not on record: {answer:?}"));
                }
            }
            report.runs += 1;
        }
        judge(&dodo, &offers, &mut report);
        for proxy in proxies {
            proxy.stop().await?;
        }
        Ok(report)
    }
}

/// All clicks on one offer, at once and in an order of the seed's.
async fn click(
    proxies: &[Proxy; 2],
    token: &str,
    shown: &serde_json::Value,
    seed: u64,
) -> anyhow::Result<Vec<Answer>> {
    let mut rng = rng(seed);
    let shared = format!("shared-{}", rng.random::<u32>());
    let mut clicks: Vec<(&Proxy, String)> = (0..CLICKS)
        .flat_map(|no| proxies.iter().enumerate().map(move |(at, proxy)| (no, at, proxy)))
        .map(|(no, at, proxy)| (proxy, if no % 2 == 0 { shared.clone() } else { format!("key-{at}-{no}") }))
        .collect();
    clicks.shuffle(&mut rng);
    let answers = clicks.iter().map(|(proxy, key)| proxy.accept(token, shown, key));
    futures_util::future::try_join_all(answers).await
}

/// What really happened to the money.
fn judge(dodo: &Dodo, offers: &HashMap<String, u64>, report: &mut Report) {
    let tally = dodo.tally();
    for (customer, seed) in offers {
        let tally = tally.get(customer).copied().unwrap_or_default();
        report.posts = report.posts.saturating_add(u64::from(tally.posts));
        match (tally.posts, tally.paid) {
            (0, _) | (_, 0) => report.broken(Broken::Other(UNCHARGED), *seed, "nothing was collected"),
            _ => report.found("an offer", *seed, check::charged_once(tally)),
        }
    }
}
