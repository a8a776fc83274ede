//! Whatever order Dodo's reports come in, and however often, they end alike.
//!
//! A run is one offer that was accepted, and the seven reports about it in one of their 5,040 orders, once for each of two
//! stories. The seventh repeats one of the others twice: under its own webhook-id, and under another. What is on record
//! in the end of attempt, offer, sales and news has to be what it is in the first order, word for word, but for the ids.
//!
//! The opening of a dispute is told only where it was known to be open: that one piece of news depends on the order, and
//! is held against it.
//!
//! Seen to fail when: of two reports of a refund, a dispute, a payment or an attempt the last one counts instead of the
//! one that is further; a payment that was declined takes the place of the one that collected; what was reported before
//! the payment is not told once it is known; a webhook-id is not remembered.

mod end;
mod story;

use std::{collections::BTreeSet, sync::Arc};

use anyhow::Context as _;
use async_trait::async_trait;
use dodo_client::ids::CustomerId;
use proxy::{clock::ManualClock, failpoint};
use rand::RngExt as _;
use testkit::{Database, Dodo, InProcessServices, check, standing_clock};

use self::{
    end::End,
    story::{REPORTS, STORIES, Story, Told},
};
use super::Campaign;
use crate::{
    plan::{Plan, rng},
    report::{Broken, Report},
};

/// Orders of seven.
const ORDERS: u64 = 5_040;
/// Every order of every story.
const ALL: u64 = ORDERS * STORIES.len() as u64;
/// From one run to the next so many orders are skipped, so that few runs are of all kinds. It has no divisor in common
/// with [`ALL`]: so many runs pass every order of every story, whatever the first seed.
const STRIDE: u64 = 6_229;
/// Of so many runs one is played on PostgreSQL as well.
const POSTGRES_EVERY: u64 = 10;
/// Runs after which simulator and database are replaced: both remember everything.
const FRESH_EVERY: usize = 100;
/// Workers, each with a world of its own.
const WORKERS: usize = 2;

/// An order that ended otherwise than the first.
const UNLIKE: &str = "unlike";
/// A webhook that was applied more than once under one id, or not at all.
const NOT_ONCE: &str = "not_once";
/// A report that was not taken.
const REFUSED: &str = "refused";

/// See the module.
pub(super) struct WebhookOrder;

#[async_trait]
impl Campaign for WebhookOrder {
    fn name(&self) -> &'static str {
        "webhook-order"
    }

    fn promise(&self) -> &'static str {
        "reports in any order, any number of times, end alike"
    }

    fn whole_runs(&self) -> u64 {
        ALL
    }

    fn quick_runs(&self) -> u64 {
        100
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let mut report = asking();
        let first = Arc::new(first_ends(plan.seed, &mut report).await?);
        let seeds: Vec<u64> = plan.seeds().collect();
        let share = seeds.len().div_ceil(WORKERS).max(1);
        let work: Vec<_> = seeds
            .chunks(share)
            .map(|seeds| {
                let (seeds, first) = (seeds.to_vec(), Arc::clone(&first));
                tokio::spawn(async move { worker(&seeds, &first).await })
            })
            .collect();
        for worker in work {
            report.absorb(worker.await.context("a worker ended badly")??);
        }
        // Each of a story.
        report.fact("orders", seeds.iter().map(|seed| of_run(*seed)).collect::<BTreeSet<_>>().len());
        report.fact("postgres", seeds.iter().filter(|seed| on_postgres(**seed)).count());
        Ok(report)
    }
}

fn asking() -> Report {
    Report::asking(&[UNLIKE, NOT_ONCE, REFUSED])
}

fn on_postgres(seed: u64) -> bool {
    seed % POSTGRES_EVERY == POSTGRES_EVERY - 1
}

/// The story of a run, and the order of its reports.
fn of_run(seed: u64) -> (Story, [usize; REPORTS]) {
    let turn = (seed % ALL) * STRIDE % ALL;
    let story = usize::try_from(turn / ORDERS).unwrap_or_default();
    (STORIES[story], ordering(turn % ORDERS))
}

/// The order number `n`, in the order of words in a dictionary.
fn ordering(n: u64) -> [usize; REPORTS] {
    let (mut left, mut rest) = (Vec::from_iter(0..REPORTS), n);
    let mut orders = ORDERS;
    std::array::from_fn(|_| {
        orders /= left.len() as u64;
        let at = usize::try_from(rest / orders).unwrap_or_default();
        rest %= orders;
        left.remove(at)
    })
}

/// How each story ends when its reports come in the order in which they were made.
async fn first_ends(seed: u64, report: &mut Report) -> anyhow::Result<Vec<End>> {
    let world = World::open(seed, Database::sqlite()?).await?;
    let mut ends = Vec::new();
    for story in STORIES {
        let played = world.play(story, ordering(0), 0).await?;
        if let Some(what) = played.end.otherwise_than_told(story) {
            report.broken(Broken::Other(UNLIKE), seed, format_args!("{story:?} in order: {what}"));
        }
        ends.push(played.end);
    }
    Ok(ends)
}

async fn worker(seeds: &[u64], first: &[End]) -> anyhow::Result<Report> {
    let mut report = asking();
    for seeds in seeds.chunks(FRESH_EVERY) {
        let Some(seed) = seeds.first() else { continue };
        let sqlite = World::open(*seed, Database::sqlite()?).await?;
        let postgres = match seeds.iter().any(|seed| on_postgres(*seed)) {
            true => Some(World::open(*seed, Database::postgres()?).await?),
            false => None,
        };
        for seed in seeds {
            let twice = postgres.as_ref().filter(|_| on_postgres(*seed));
            for world in std::iter::once(&sqlite).chain(twice) {
                one(world, *seed, first, &mut report)
                    .await
                    .with_context(|| format!("run with seed {seed}"))?;
            }
            report.runs += 1;
        }
        for world in std::iter::once(&sqlite).chain(&postgres) {
            report.posts += u64::try_from(world.dodo.charging_requests().len())?;
        }
    }
    Ok(report)
}

/// Plays one order and compares.
async fn one(world: &World, seed: u64, first: &[End], report: &mut Report) -> anyhow::Result<()> {
    let (story, order) = of_run(seed);
    let again = rng(seed).random_range(0..REPORTS - 1);
    let Played { told, end, customer } = world.play(story, order, again).await?;
    let mut broken = |promise, what: String| {
        report.broken(promise, seed, format!("{story:?} {order:?}, {again} again: {what}"))
    };
    for refused in &told.refused {
        broken(Broken::Other(REFUSED), refused.clone());
    }
    if told.applied != told.ids {
        broken(Broken::Other(NOT_ONCE), format!("{} webhooks, {} applied", told.ids, told.applied));
    }
    let wanted = STORIES.iter().position(|other| *other == story).and_then(|at| first.get(at));
    if let Some(what) = wanted.and_then(|wanted| end.otherwise_than(wanted)) {
        broken(Broken::Other(UNLIKE), what);
    }
    if end.opening != told.opening {
        broken(Broken::Other(UNLIKE), format!("told of an open dispute: {}", end.opening));
    }
    let tally = world.dodo.tally().get(customer.as_str()).copied().unwrap_or_default();
    report.found(format_args!("{story:?} {order:?}, {again} again"), seed, check::at_most_once(tally));
    Ok(())
}

/// What a run happens in.
struct World {
    dodo: Dodo,
    services: InProcessServices,
    clock: Arc<ManualClock>,
    /// Removed when nobody holds it.
    _database: Database,
}

/// A run at its end.
struct Played {
    told: Told,
    end: End,
    customer: CustomerId,
}

impl World {
    async fn open(seed: u64, database: Database) -> anyhow::Result<Self> {
        let (dodo, clock) = (Dodo::start(seed).await?, standing_clock());
        let services = InProcessServices::start(&dodo, &database, &clock).await?;
        Ok(Self { dodo, services, clock, _database: database })
    }

    /// A new buyer's story, with its reports in this order, of which the last repeats report number `again`.
    async fn play(&self, story: Story, order: [usize; REPORTS], again: usize) -> anyhow::Result<Played> {
        let Self { dodo, services, clock, .. } = self;
        let begun = story.begin(services, dodo).await?;
        let plan = failpoint::Plan::counting();
        let telling = begun.tell(services, clock, order, again);
        let mut told = failpoint::with(Arc::clone(&plan), telling).await;
        told.applied = plan.hits().get("webhook.applied").copied().unwrap_or_default();
        let end = End::of(services, &begun).await?;
        Ok(Played { told, end, customer: begun.shown.offer.customer_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_runs_are_all_orders_of_all_stories_and_few_begin_in_every_way() {
        let all: BTreeSet<_> = (1..=ALL).map(of_run).collect();
        assert_eq!(all.len() as u64, ALL);
        assert!(all.iter().all(|(_, order)| BTreeSet::from(*order) == BTreeSet::from_iter(0..REPORTS)));
        let begun: BTreeSet<_> = (1..=100).map(of_run).map(|(story, [first, ..])| (story, first)).collect();
        assert_eq!(begun.len(), STORIES.len() * REPORTS);
        assert_eq!(ordering(0), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(ordering(ORDERS - 1), [6, 5, 4, 3, 2, 1, 0]);
    }
}
