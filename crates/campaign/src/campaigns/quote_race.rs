//! The price changes while somebody buys: nobody pays more than was on the button.
//!
//! A run is one buyer who accepts a quote while the product gets dearer or cheaper at one of seven moments. At five of them
//! the product asks for the price after the change, or has collected before it: whatever was collected must not be above
//! what was shown. Two lie in the window between the last question and the request: Dodo takes no expected amount, so that
//! what comes in above the quote goes back, to the unit, and the merchant is told. Half of the buyers who are shown a new
//! price take it.
//!
//! Seen to fail when: the fresh price is not held against the quote; the difference is not given back.

use std::sync::Arc;

use async_trait::async_trait;
use proxy::{
    failpoint,
    service::{accepting::AcceptError, charging::ChargeError},
};
use rand::RngExt as _;
use testkit::{
    Database, Dodo, GOOD_CARD, InProcessServices, KIT, Shown, Tally, check, rules_with, standing_clock,
};
use upsell_core::{
    domain::{AttemptState, QuoteRow},
    rules::{AboveQuote, MoneyRules},
};
use wire::Attempt;

use super::Campaign;
use crate::{
    plan::{Plan, rng},
    report::{Broken, Report},
};

/// When the price changes, by the place in the code at which the charge then is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// The page is open; nobody has clicked yet.
    BeforeTheClick,
    /// The price is asked for after the change, or was collected before it.
    At(&'static str),
    /// The price was asked for before the change, and is collected after it.
    Window(&'static str),
}

const MOMENTS: [Moment; 7] = [
    Moment::BeforeTheClick,
    Moment::At("accept.begun"),
    Moment::At("claim.committed"),
    Moment::At("run.begun"),
    Moment::At("charge.answered"),
    Moment::Window("run.prepared"),
    Moment::Window("charge.before_post"),
];
/// Runs after which the simulator is replaced: it remembers everything, and looking through it takes time.
const FRESH_EVERY: usize = 100;
/// What the product costs when the page is made.
const PRICE: i64 = 1900;
/// Seconds within which what is too much has gone back.
const PATIENCE: i64 = 120;

/// More was collected than was shown, at a moment that leaves no excuse.
const ABOVE: &str = "above";
/// More was kept than was shown.
const KEPT: &str = "kept_above";

/// See the module.
pub(super) struct QuoteRace;

#[async_trait]
impl Campaign for QuoteRace {
    fn name(&self) -> &'static str {
        "quote-race"
    }

    fn promise(&self) -> &'static str {
        "a price that changes while somebody buys costs them no more than was shown"
    }

    fn whole_runs(&self) -> u64 {
        7 * 200
    }

    fn quick_runs(&self) -> u64 {
        7 * 6
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let mut report = Report::asking(&[ABOVE, KEPT]);
        let money = MoneyRules { above_quote: AboveQuote::RefundDifference, ..MoneyRules::default() };
        let rules = rules_with(money)?;
        let mut given_back = 0_u64;
        let seeds: Vec<u64> = plan.seeds().collect();
        for seeds in seeds.chunks(FRESH_EVERY) {
            let dodo = Dodo::start(plan.seed).await?;
            let database = Database::sqlite()?;
            let services =
                InProcessServices::start_under(&dodo, &database, &standing_clock(), Arc::clone(&rules))
                    .await?;
            for seed in seeds {
                given_back += u64::from(one(&dodo, &services, *seed, &mut report).await?);
                report.runs += 1;
            }
        }
        report.fact("moments", MOMENTS.len());
        report.fact("given_back", given_back);
        Ok(report)
    }
}

/// One buyer. Returns whether a difference went back.
async fn one(
    dodo: &Dodo,
    services: &InProcessServices,
    seed: u64,
    report: &mut Report,
) -> anyhow::Result<bool> {
    let moment = MOMENTS[usize::try_from(seed % 7)?];
    let mut rng = rng(seed);
    dodo.reprice(KIT, PRICE)?;
    let mut shown = services.show(dodo, Some(GOOD_CARD), KIT).await?;
    let step = rng.random_range(1..=900);
    let price = if rng.random_bool(0.7) { PRICE + step } else { PRICE - step };
    let mut told = buy(dodo, services, &shown, moment, price).await?;
    if let Err(AcceptError::Charge(ChargeError::QuoteChanged(quote))) = &told
        && rng.random_bool(0.5)
    {
        shown.quote = QuoteRow { quote: (**quote).clone(), ..shown.quote };
        told = services.accept(&shown, "again", None).await;
    }
    services.pass(dodo, PATIENCE).await?;
    judge(dodo, services, &Run { seed, moment, shown, told }, report).await
}

/// Clicks, and changes the price at its moment.
async fn buy(
    dodo: &Dodo,
    services: &InProcessServices,
    shown: &Shown,
    moment: Moment,
    price: i64,
) -> anyhow::Result<Result<Attempt, AcceptError>> {
    let place = match moment {
        Moment::BeforeTheClick => {
            dodo.reprice(KIT, price)?;
            return Ok(services.accept(shown, "first", None).await);
        }
        Moment::At(place) | Moment::Window(place) => place,
    };
    let slow = failpoint::Plan::pausing_at(place);
    let clicked = failpoint::with(slow.clone(), services.accept(shown, "first", None));
    let changed = async {
        slow.stopped().await;
        let done = dodo.reprice(KIT, price);
        slow.resume();
        done
    };
    tokio::pin!(clicked, changed);
    tokio::select! {
        told = &mut clicked => anyhow::bail!("{place} was not passed: {told:?}"),
        changed = changed => changed?,
    }
    Ok(clicked.await)
}

/// What was played.
struct Run {
    seed: u64,
    moment: Moment,
    /// The offer with the quote that was last agreed to.
    shown: Shown,
    told: Result<Attempt, AcceptError>,
}

/// Compares the money with what was on the button. Returns whether a difference went back.
async fn judge(
    dodo: &Dodo,
    services: &InProcessServices,
    run: &Run,
    report: &mut Report,
) -> anyhow::Result<bool> {
    let Run { seed, moment, shown, told } = run;
    let customer = shown.offer.customer_id.as_str();
    let collected = dodo.collected_from(customer);
    let posts = u32::try_from(dodo.charging_requests_of(customer).len())?;
    let tally = Tally { posts, paid: u32::try_from(collected.len())? };
    report.posts = report.posts.saturating_add(u64::from(posts));
    let agreed = shown.quote.quote.total;
    let words = format!("{moment:?}: {agreed} was shown, collected {collected:?}, told {told:?}");
    report.found(&words, *seed, check::at_most_once(tally));
    let row = services.store.latest_attempt(&shown.offer.id).await?;
    let recorded = row.filter(|row| row.state == AttemptState::Succeeded).and_then(|row| row.receipt);
    let Some(charge) = collected.first() else {
        if recorded.is_some() || told.is_ok() {
            report.broken(Broken::Lie, *seed, format_args!("nothing was collected; {words}"));
        }
        return Ok(false);
    };
    if recorded.is_none_or(|receipt| receipt.amount != charge.amount) {
        report.broken(Broken::Lost, *seed, format_args!("not on record as it is; {words}"));
    }
    let back = dodo.given_back(&charge.payment_id).await?;
    if charge.amount > agreed && !matches!(moment, Moment::Window(_)) {
        report.broken(Broken::Other(ABOVE), *seed, &words);
    }
    if charge.amount.saturating_sub(back) > agreed {
        report.broken(Broken::Other(KEPT), *seed, format_args!("{back} went back; {words}"));
    }
    // Not more than that either.
    if back != charge.amount.saturating_sub(agreed).max(0) {
        report.broken(Broken::Lost, *seed, format_args!("{back} went back; {words}"));
    }
    Ok(back > 0)
}
