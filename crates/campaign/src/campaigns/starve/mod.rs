//! Everything that may keep a proxy busy, at once: honest orders are found out in their time all the same, and honest
//! sessions are answered.
//!
//! A run is one honest buyer. The reply to their charge is lost after Dodo has executed it; at a third of them the bank takes
//! a day to approve; and a webhook about another purchase of theirs could not be applied when it came. Before that, over two
//! days: ten thousand payments, a third of them of one busy buyer, at Dodo; a hundred thousand old charges in the store;
//! charges of four buyers that never reached Dodo, hours apart, and Dodo fails to list three of these buyers while the honest
//! ones wait; payments that cannot be read, some of which do not even say whose they are; and signed webhooks that cannot be
//! read or applied, again and again. In the hour of the honest orders itself there are more payments than a listing of them
//! all is worth. Late money is given back by the rules, so that an approval that is called late is counted. At last, over
//! HTTP on the same store, one buyer asks as fast as they can beside honest ones ([`greedy`]). On both engines; reduced, on
//! PostgreSQL with one run in ten.
//!
//! | counted | what it means here |
//! |---|---|
//! | `stuck` | an honest order is undecided, or an honest webhook not applied, half an hour later, or the order after the bank's approval; or something else that was waited for has no named end |
//! | `given_back` | money of an honest order went back |
//! | `unanswered` | an honest session was not minted, or a page of one not answered, at once |
//!
//! Seen to fail when fresh and old attempts are one batch (`stuck`), when nobody has a share of the quota (`unanswered`), and
//! when a row that cannot be read fails its listing: a proxy that starts beside it answers nobody (`unanswered`).

mod greedy;
mod scene;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use async_trait::async_trait;
use serde_json::json;
use testkit::{Database, Dodo, GOOD_CARD, InProcessServices, KIT, Setup, rules_with, standing_clock};
use upsell_core::{
    domain::OfferState,
    rules::{LateSuccess, MoneyRules},
};

use self::scene::{Order, Scene};
use super::{Campaign, unknowns::judge};
use crate::{
    plan::{Extent, Plan},
    report::{Broken, Report},
};

/// Seconds after which an order whose payment has collected is on record: twenty minutes, and looks that confirm it.
const DEADLINE: i64 = 30 * 60;
/// Hours that the bank takes where it takes its time.
const APPROVAL: u32 = 24;
/// Hours after which everything that was waited for has come to its end.
const ALL_ENDS: u32 = 60;
const GIVEN_BACK: &str = "given_back";
const UNANSWERED: &str = "unanswered";

/// See the module.
pub(super) struct Starve;

/// Amounts of everything that disturbs.
struct Load {
    /// Payments of the two days before.
    payments: u32,
    /// Payments of the hour of the honest orders.
    in_the_hour: u32,
    old_charges: u32,
    /// Minutes of the greedy buyer.
    greedy: usize,
}

/// Load of a whole campaign.
const WHOLE: Load =
    Load { payments: 12_000, in_the_hour: 6_000, old_charges: 100_000, greedy: greedy::MINUTES };
/// Load of a reduced one.
const QUICK: Load = Load { payments: 480, in_the_hour: 2_000, old_charges: 3_000, greedy: 1 };

#[async_trait]
impl Campaign for Starve {
    fn name(&self) -> &'static str {
        "starve"
    }

    fn promise(&self) -> &'static str {
        "whatever cannot be read, applied or listed, honest orders are found out in time and honest sessions answered"
    }

    fn whole_runs(&self) -> u64 {
        300
    }

    fn quick_runs(&self) -> u64 {
        10
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let mut report = Report::asking(&[GIVEN_BACK, UNANSWERED]);
        let mut facts = Facts::default();
        let load = match plan.extent {
            Extent::Quick => &QUICK,
            Extent::Whole => &WHOLE,
        };
        play(plan, &Database::sqlite()?, load, &mut report, &mut facts).await?;
        let on_postgres = match plan.extent {
            Extent::Whole => plan.clone(),
            Extent::Quick => Plan { runs: plan.runs.div_ceil(10), ..plan.clone() },
        };
        play(&on_postgres, &Database::postgres()?, load, &mut report, &mut facts).await?;
        report.fact("postgres", on_postgres.runs);
        report.fact("payments", load.payments.saturating_add(load.in_the_hour));
        report.fact("old_charges", load.old_charges);
        report.fact("listings", facts.listings);
        report.fact("greedy_requests", facts.greedy_requests);
        report.fact("honest_ms", facts.honest.as_millis());
        Ok(report)
    }
}

/// Counts for the closing line, of both engines together.
#[derive(Default)]
struct Facts {
    /// Requests for a page of payments while honest orders were waited for.
    listings: usize,
    greedy_requests: u64,
    /// Time from the first honest order until everything has ended.
    honest: Duration,
}

async fn play(
    plan: &Plan,
    database: &Database,
    load: &Load,
    report: &mut Report,
    facts: &mut Facts,
) -> anyhow::Result<()> {
    let dodo = Dodo::start(plan.seed).await?;
    dodo.switch(json!({"rate_limit": "off", "one_click_outcome": "settle"}))?;
    let money = MoneyRules { late_success: LateSuccess::Refund, ..MoneyRules::default() };
    let services =
        InProcessServices::start_under(&dodo, database, &standing_clock(), rules_with(money)?).await?;
    let mut scene =
        Scene { dodo: &dodo, services: &services, webhooks: 0, busy: dodo.customer(Some(GOOD_CARD))? };

    let first = services.show(&dodo, Some(GOOD_CARD), KIT).await?;
    services.accept(&first, "key-1", None).await.context("the charge to copy")?;
    database.fill_with_old_charges(load.old_charges).await?;

    let (abandoned, mut poisoned) = scene.two_bad_days(load).await?;
    let began = Instant::now();
    let asked = scene.listings();
    // In the same hour, and so in the same listings.
    scene.payments(load.in_the_hour)?;
    poisoned.push(scene.poisoned(true).await?);
    let honest = scene.honest_orders(plan, report).await?;
    scene.minutes(DEADLINE / 60).await?;
    for order in &honest {
        scene.is_found_out(order, report).await?;
    }
    facts.listings = facts.listings.saturating_add(scene.listings().saturating_sub(asked));
    dodo.control().clear_faults();
    for hour in 0..ALL_ENDS {
        scene.disturb(hour).await?;
        services.pass_hours(&dodo, 1).await?;
        if hour == APPROVAL {
            // The bank has approved an hour ago at the latest, and what is found is settled by now.
            for order in &honest {
                scene.expect(order, OfferState::Charged, report).await?;
            }
        }
    }
    for shown in abandoned.iter().chain(&poisoned) {
        scene.has_ended(plan.seed, shown, report).await?;
    }
    for Order { seed, shown, .. } in &honest {
        for payment in dodo.payments_of(shown.offer.customer_id.as_str()) {
            if dodo.refund_requests_of(&payment.payment_id) > 0 {
                report.broken(Broken::Other(GIVEN_BACK), *seed, "an honest order was given back");
            }
        }
    }
    let runs: Vec<_> = honest.into_iter().map(|order| (order.seed, order.fault, order.shown)).collect();
    judge(&dodo, &services, &runs, report).await?;
    facts.honest = facts.honest.saturating_add(began.elapsed());
    let setup = Setup { clock: Some(Arc::clone(&services.clock)), ..Setup::over(database.clone()) };
    // A file is one process's: the next proxy opens it.
    services.store.close().await;
    drop(services);
    let greedy_requests = greedy::play(plan, &dodo, setup, load.greedy, report).await?;
    facts.greedy_requests = facts.greedy_requests.saturating_add(greedy_requests);
    Ok(())
}
