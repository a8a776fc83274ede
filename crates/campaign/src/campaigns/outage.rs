//! Dodo is away for ten minutes: a thousand charges without an answer are found out with few listings, and one look at each
//! payment that they show: a listing leaves out what was bought.
//!
//! A run is one buyer whose charge is not answered; one request in twenty was lost before Dodo saw it, the others were
//! executed. From the first of these charges on Dodo lists no payments. Every second the reconciler does what is due, as in
//! production. Requests are counted from the first charge on, those without an answer too. How many looks go out in a minute is
//! held back by the client's share of Dodo's quota, which has tests of its own and is not used here.
//!
//! Seen to fail when look-ups are spread over the seconds instead of coming due together: 95 requests.

use std::time::Duration;

use async_trait::async_trait;
use rand::RngExt as _;
use serde_json::json;
use testkit::{Database, Dodo, GOOD_CARD, InProcessServices, KIT, standing_clock};

use super::{Campaign, unknowns::judge};
use crate::{
    plan::{Plan, rng},
    report::{Broken, Report},
};

/// Charges a second.
const PER_SECOND: usize = 10;
/// Seconds for which Dodo lists nothing.
const AWAY: u32 = 10 * 60;
/// Seconds until all waiting is over: twenty minutes, and the looks that confirm it.
const PATIENCE: u32 = 30 * 60;
/// Listings that a thousand charges may cost.
const MOST: usize = 60;
/// What Dodo lets a business ask in a minute.
const QUOTA: usize = 240;
/// Requests beyond what was allowed.
const TOO_MANY: &str = "too_many";

/// See the module.
pub(super) struct Outage;

#[async_trait]
impl Campaign for Outage {
    fn name(&self) -> &'static str {
        "outage"
    }

    fn promise(&self) -> &'static str {
        "a thousand charges that an outage left undecided are found out with sixty listings at most, and one look at each"
    }

    fn whole_runs(&self) -> u64 {
        1_000
    }

    fn quick_runs(&self) -> u64 {
        100
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let mut report = Report::asking(&[TOO_MANY]);
        let dodo = Dodo::start(plan.seed).await?;
        let database = Database::sqlite()?;
        let services = InProcessServices::start(&dodo, &database, &standing_clock()).await?;
        let mut buyers = Vec::new();
        for seed in plan.seeds() {
            buyers.push((seed, services.show(&dodo, Some(GOOD_CARD), KIT).await?));
        }
        dodo.fault("GET", "/payments", json!("status_503_before"), u32::MAX)?;
        let mut watch = Watch { dodo: &dodo, services: &services, busiest: 0, minute: Vec::new() };
        let mut runs = Vec::new();
        for buyers in buyers.chunks(PER_SECOND) {
            for (seed, shown) in buyers {
                let fault = if rng(*seed).random_bool(0.05) { "reset_before" } else { "reset_after" };
                dodo.fault("POST", "/checkouts", json!(fault), 1)?;
                // Not known: whatever is answered, it must not be that it failed. The judge asks again.
                drop(services.accept(shown, "key-1", None).await);
                runs.push((*seed, fault, shown.clone()));
            }
            watch.second().await?;
        }
        for _ in 0..AWAY {
            watch.second().await?;
        }
        dodo.control().clear_faults();
        let while_away = watch.requests();
        for _ in AWAY..PATIENCE {
            watch.second().await?;
        }
        let (requests, looks, busiest) = (watch.requests(), watch.looks(), watch.busiest);
        judge(&dodo, &services, &runs, &mut report).await?;
        if requests > MOST {
            report.broken(Broken::Other(TOO_MANY), plan.seed, format_args!("{requests} listings"));
        }
        if looks > runs.len() {
            report.broken(Broken::Other(TOO_MANY), plan.seed, format_args!("{looks} looks"));
        }
        if busiest > QUOTA {
            report.broken(Broken::Other(TOO_MANY), plan.seed, format_args!("{busiest} in one minute"));
        }
        report.fact("requests", requests);
        report.fact("looks", looks);
        report.fact("while_away", while_away);
        report.fact("in_one_minute", busiest);
        Ok(report)
    }
}

/// Lets seconds pass, and counts what they cost.
struct Watch<'a> {
    dodo: &'a Dodo,
    services: &'a InProcessServices,
    /// Requests of the busiest minute.
    busiest: usize,
    /// Requests at the end of each second.
    minute: Vec<usize>,
}

impl Watch<'_> {
    async fn second(&mut self) -> anyhow::Result<()> {
        self.services.clock.advance(1);
        self.dodo.control().advance(Duration::from_secs(1));
        // Reading the ledger takes longer than most seconds.
        let looked = self.services.workers.reconciler.round().await? > 0;
        let so_far = self.minute.last().copied().unwrap_or_default();
        let now = if looked { self.requests() } else { so_far };
        self.minute.push(now);
        let before = self.minute.len().checked_sub(61).map_or(0, |at| self.minute[at]);
        self.busiest = self.busiest.max(now.saturating_sub(before));
        Ok(())
    }

    /// Listings of payments, and questions about checkouts, so far.
    fn requests(&self) -> usize {
        self.asked(|path| {
            path == "/payments" || path.starts_with("/payments?") || path.starts_with("/checkouts/")
        })
    }

    /// Looks at one payment so far.
    fn looks(&self) -> usize {
        self.asked(|path| path.starts_with("/payments/"))
    }

    fn asked(&self, about: impl Fn(&str) -> bool) -> usize {
        let requests = self.dodo.control().ledger().requests;
        requests.iter().filter(|request| request.method == "GET" && about(&request.path)).count()
    }
}
