//! The process dies at every place at which it can, and the next one goes on with what is on the disk.
//!
//! A run is a story of one buyer (accepting, paying another way, refusing, an answer that is lost, a price that has
//! changed, money that comes late and goes back) with a place of the product's code, marked by `failpoint!`, at which the
//! process dies at its first or a later passing; the next process may die as well. Which places a story passes is learnt
//! by playing it once without dying. A process is a runtime of its own: dropping it ends every task where it stands, open
//! transactions included.
//!
//! Seen to fail when: the `sent` mark is left out; a claimed attempt is sent again by recovery; `settle` forgets to move
//! the offer; a claim leaves out the offer's state; a refund's mark is left out, or its request repeated when the answer
//! is lost; settling forgets to order it; an order is concluded before its refund is noted on the sale.

mod judge;
mod life;
mod story;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::Context as _;
use async_trait::async_trait;
use rand::RngExt as _;

use self::{
    judge::judge,
    life::{Deaths, World, live},
    story::{SCENARIOS, Scenario, Story},
};
use super::Campaign;
use crate::{
    plan::{Extent, Plan, rng},
    report::Report,
    rig::{Database, Dodo},
};

/// Fewer places than this, and the campaign does not try what it promises.
const PLACES: usize = 40;
/// Runs after which simulator and database are replaced: both remember everything, and looking through it takes time.
const FRESH_EVERY: u64 = 100;
/// Of so many runs one is on PostgreSQL.
const POSTGRES_EVERY: u64 = 11;

/// See the module.
pub(super) struct Crash;

#[async_trait]
impl Campaign for Crash {
    fn name(&self) -> &'static str {
        "crash"
    }

    fn promise(&self) -> &'static str {
        "A process that dies anywhere charges nobody twice, loses no payment and leaves nothing undecided"
    }

    fn whole_runs(&self) -> u64 {
        // 40 places and more: 500 runs each on SQLite, 50 on PostgreSQL.
        24_200
    }

    fn quick_runs(&self) -> u64 {
        99
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let places = learn().await?;
        let distinct: BTreeSet<_> = places.values().flat_map(|passed| passed.keys().copied()).collect();
        anyhow::ensure!(distinct.len() >= PLACES, "only {} places are passed: {distinct:?}", distinct.len());
        let table = in_turn(&places);
        let workers = match plan.extent {
            Extent::Whole => std::thread::available_parallelism().map_or(1, usize::from),
            Extent::Quick => 2,
        };
        let seeds: Vec<u64> = plan.seeds().collect();
        let table = Arc::new(table);
        let share = seeds.len().div_ceil(workers).max(1);
        let work: Vec<_> = seeds
            .chunks(share)
            .map(|seeds| {
                let (seeds, table) = (seeds.to_vec(), Arc::clone(&table));
                tokio::spawn(async move { worker(&seeds, &table).await })
            })
            .collect();
        let mut report = Report::new();
        for worker in work {
            report.absorb(worker.await.context("a worker ended badly")??);
        }
        report.fact("places", distinct.len());
        Ok(report)
    }
}

/// Which places each scenario passes, and how often.
async fn learn() -> anyhow::Result<BTreeMap<Scenario, BTreeMap<&'static str, u32>>> {
    let mut places = BTreeMap::new();
    for scenario in SCENARIOS {
        let world = World { dodo: Arc::new(Dodo::start(1).await?), database: Database::sqlite()? };
        let (_, passed) = live(&world, Story::new(*scenario, 0), &Deaths::none()).await?;
        places.insert(*scenario, passed);
    }
    Ok(places)
}

/// Every place in every scenario that passes it. Each place comes once before any comes a second time, so that few runs
/// pass all of them.
fn in_turn(places: &BTreeMap<Scenario, BTreeMap<&'static str, u32>>) -> Vec<(Scenario, &'static str, u32)> {
    let mut seen: BTreeMap<&'static str, u32> = BTreeMap::new();
    let mut table = Vec::new();
    for (scenario, passed) in places {
        for (name, times) in passed {
            let turn = seen.entry(name).or_default();
            *turn = turn.saturating_add(1);
            table.push((*turn, (*scenario, *name, *times)));
        }
    }
    table.sort_by_key(|(turn, _)| *turn);
    table.into_iter().map(|(_, entry)| entry).collect()
}

async fn worker(seeds: &[u64], table: &[(Scenario, &'static str, u32)]) -> anyhow::Result<Report> {
    let mut report = Report::new();
    let mut worlds: BTreeMap<bool, (u64, World)> = BTreeMap::new();
    for seed in seeds {
        let on_postgres = seed % POSTGRES_EVERY == POSTGRES_EVERY - 1;
        let stale = worlds.get(&on_postgres).is_none_or(|(used, _)| *used >= FRESH_EVERY);
        if stale {
            let database = if on_postgres { Database::postgres()? } else { Database::sqlite()? };
            let dodo = Arc::new(Dodo::start(*seed).await?);
            worlds.insert(on_postgres, (0, World { dodo, database }));
        }
        let Some((used, world)) = worlds.get_mut(&on_postgres) else { continue };
        *used = used.saturating_add(1);
        one(world, *seed, table, &mut report).await.with_context(|| format!("run with seed {seed}"))?;
    }
    Ok(report)
}

async fn one(
    world: &World,
    seed: u64,
    table: &[(Scenario, &'static str, u32)],
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut rng = rng(seed);
    // In turn, so that every place has its share of any number of runs.
    let at = usize::try_from(seed)? % table.len();
    let (scenario, place, passed) = table[at];
    let first = (place, rng.random_range(1..=passed));
    let second = rng.random_bool(0.3).then(|| {
        let (_, place, passed) = table[rng.random_range(0..table.len())];
        (place, rng.random_range(1..=passed))
    });
    let deaths = Deaths { first: Some(first), second, asleep: rng.random_range(0..180) };
    let (story, _) = live(world, Story::new(scenario, seed), &deaths).await?;
    judge(world, &story, seed, report).await
}
