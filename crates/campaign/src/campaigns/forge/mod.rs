//! Buyers write any metadata on any payment: nothing that they forge is believed, and everything that is genuine is.
//!
//! In one file because a run is read from its attempts to its verdict.
//!
//! A run is one shop in which five attempts stand in drawn states. Twenty-five payments are made up about them, with
//! metadata that names, copies, changes or signs what it should not, from static links, from the merchant's own checkouts
//! and on subscriptions of the buyer's own. The proxy hears of each by a signed webhook, of which Dodo may leave out any
//! field, by a listing, or by both; then the store is compared with Dodo as at a start. After each of them no attempt, no
//! offer and no notification may say that anything was collected or failed, nothing may go back, and nobody may take the
//! store for one that has lost commits. What was copied whole and paid for less may be recorded as underpaid. The merchant's
//! rules give back whatever they can.
//!
//! Then as many genuine payments come in, one by each route of the simulator. Each is believed, once, and kept: first what
//! the attempts above should have collected, forged payments or not, then those of new buyers.
//!
//! Half of the runs are on PostgreSQL.
//!
//! Not tried: a whole copy of an attempt that is not settled, for the whole price or more. Nothing tells it from the payment
//! that it was copied from; it is a sale, and nothing of it goes back by itself.
//!
//! Seen to fail when, each alone: the buyer, the cart or the currency is not compared; a code is not verified; a code may
//! be about other terms; a name is enough without a code; another checkout or another subscription does not count; a settled
//! attempt takes a second payment that is only named; other charges and renewals are not recognised; a copy that fails
//! settles the attempt; what falls short is a sale; what renews is given back; anything that names an attempt begins a
//! restore.

mod ask;
mod forgeries;
mod genuine;
mod shop;
mod targets;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use async_trait::async_trait;
use dodo_client::ids::PaymentId;
use proxy::service::gate::Closed;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use testkit::{Database, GOOD_CARD};
use upsell_core::domain::{AttemptState, PaymentStatus};
use wire::AttemptId;

use self::{
    forgeries::{Channel, Forged, RECIPES, Recipe},
    genuine::{ROUTES, Route},
    shop::World,
    targets::{STANDINGS, Seen, Standing, Target},
};
use super::Campaign;
use crate::{
    plan::{Extent, Plan, rng},
    report::{Broken, Report},
};

/// Forged payments of a run, and genuine ones of new buyers.
const TRIES: u64 = 25;
/// Attempts of a run.
const TARGETS: usize = 5;
/// Runs after which simulator and database are replaced: both remember everything, and looking through it takes time.
const FRESH_EVERY: usize = 20;
/// Runs at the same time; fewer where few runs share a database.
const WORKERS: usize = 4;
const QUICK_WORKERS: usize = 2;
/// Seconds between two runs, so that comparing the store with Dodo does not list the payments of the last one.
const APART: i64 = 1_500;
/// Seconds between the attempts and the first forged payment: their requests are over.
const BEFOREHAND: i64 = 300;
/// Seconds after which an attempt without an answer is given up.
const GIVEN_UP: i64 = 1_800;

/// A forged payment was taken for a sale, or for the failure of one.
const BELIEVED: &str = "believed";
/// Something went back of a forged payment.
const REFUNDED: &str = "refunded";
/// The store was taken for one that has lost commits, or an attempt was made up.
const RESTORED: &str = "restored";
/// A report was not taken: Dodo would send it for days.
const NOT_TAKEN: &str = "not_taken";
/// A genuine payment was not believed, not once, or not kept.
const NOT_BELIEVED: &str = "not_believed";

/// See the module.
pub(super) struct Forge;

#[async_trait]
impl Campaign for Forge {
    fn name(&self) -> &'static str {
        "forge"
    }

    fn promise(&self) -> &'static str {
        "whatever buyers write on payments, none is believed, refunded or restored from that is not ours; all of ours are"
    }

    fn whole_runs(&self) -> u64 {
        2_000
    }

    fn quick_runs(&self) -> u64 {
        6
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let seeds: Vec<u64> = plan.seeds().collect();
        let workers = if plan.extent == Extent::Quick { QUICK_WORKERS } else { WORKERS };
        let share = seeds.len().div_ceil(workers).max(1);
        let work: Vec<_> = seeds
            .chunks(share)
            .map(|seeds| {
                let seeds = seeds.to_vec();
                tokio::spawn(async move { worker(&seeds).await })
            })
            .collect();
        let (mut report, mut tried) = (asking(), Tried::default());
        for worker in work {
            let (part, also) = worker.await.context("a worker ended badly")??;
            report.absorb(part);
            tried.add(also);
        }
        // What was found is told first.
        if plan.runs >= self.quick_runs() && report.violations() == 0 {
            tried.check()?;
        }
        report.fact("tries", tried.forged.values().sum::<u64>());
        report.fact("genuine", tried.genuine.values().sum::<u64>() + tried.after_all);
        report.fact("underpaid", tried.underpaid);
        report.fact("recipes", tried.forged.len());
        report.fact("routes", tried.genuine.len());
        report.fact("standings", tried.standings.len());
        report.fact("postgres", seeds.iter().filter(|seed| on_postgres(**seed)).count());
        if plan.explain {
            eprintln!("{tried:#?}");
        }
        Ok(report)
    }
}

/// What was drawn, and how often.
#[derive(Debug, Default)]
struct Tried {
    forged: BTreeMap<Recipe, u64>,
    genuine: BTreeMap<Route, u64>,
    standings: BTreeSet<Standing>,
    channels: BTreeSet<Channel>,
    /// Forged payments that were recorded as underpaid.
    underpaid: u64,
    /// Genuine payments of attempts that forged ones had named before.
    after_all: u64,
}

impl Tried {
    fn add(&mut self, other: Self) {
        for (recipe, times) in other.forged {
            *self.forged.entry(recipe).or_default() += times;
        }
        for (route, times) in other.genuine {
            *self.genuine.entry(route).or_default() += times;
        }
        self.standings.extend(other.standings);
        self.channels.extend(other.channels);
        self.underpaid += other.underpaid;
        self.after_all += other.after_all;
    }

    /// Makes sure that everything was drawn: what is never tried is not promised.
    fn check(&self) -> anyhow::Result<()> {
        for recipe in RECIPES {
            anyhow::ensure!(self.forged.contains_key(&recipe), "{recipe:?} was never drawn");
        }
        for route in ROUTES {
            anyhow::ensure!(self.genuine.contains_key(&route), "{route:?} was never drawn");
        }
        anyhow::ensure!(self.standings.len() == STANDINGS.len(), "only {:?} were drawn", self.standings);
        anyhow::ensure!(self.channels.len() == 3, "only {:?} were drawn", self.channels);
        anyhow::ensure!(self.underpaid > 0, "nothing was ever underpaid");
        anyhow::ensure!(self.after_all > 0, "no attempt was paid after all");
        Ok(())
    }
}

fn asking() -> Report {
    Report::asking(&[BELIEVED, REFUNDED, RESTORED, NOT_TAKEN, NOT_BELIEVED])
}

fn on_postgres(seed: u64) -> bool {
    seed % 2 == 1
}

async fn worker(seeds: &[u64]) -> anyhow::Result<(Report, Tried)> {
    let (mut report, mut tried) = (asking(), Tried::default());
    for seeds in seeds.chunks(FRESH_EVERY) {
        for postgres in [false, true] {
            let seeds: Vec<u64> =
                seeds.iter().copied().filter(|seed| on_postgres(*seed) == postgres).collect();
            let Some(first) = seeds.first() else { continue };
            let database = || if postgres { Database::postgres() } else { Database::sqlite() };
            let world = World::open(*first, database()?, false).await?;
            let older = World::open(*first, database()?, true).await?;
            for seed in seeds {
                let mut run = Run {
                    seed,
                    short: BTreeSet::new(),
                    world: &world,
                    report: &mut report,
                    tried: &mut tried,
                };
                run.play(&older).await.with_context(|| format!("run with seed {seed}"))?;
                report.runs += 1;
            }
            for world in [&world, &older] {
                report.posts += u64::try_from(world.dodo.charging_requests().len())?;
                world.services.store.close().await;
            }
        }
    }
    Ok((report, tried))
}

/// A run as it is played.
struct Run<'a> {
    seed: u64,
    /// Attempts that a copy for less has named: they may be underpaid from then on.
    short: BTreeSet<AttemptId>,
    world: &'a World,
    report: &'a mut Report,
    tried: &'a mut Tried,
}

impl Run<'_> {
    fn broken(&mut self, question: &'static str, what: impl std::fmt::Display) {
        self.report.broken(Broken::Other(question), self.seed, what);
    }

    async fn play(&mut self, older: &World) -> anyhow::Result<()> {
        let mut rng = rng(self.seed);
        self.world.idle(APART);
        let targets = self.begin().await?;
        self.forge(&targets, &mut rng).await?;
        self.compare(&targets).await?;
        self.pay_after_all(&targets).await?;
        for turn in 0..TRIES {
            let at = (self.seed.wrapping_mul(TRIES).wrapping_add(turn)) % ROUTES.len() as u64;
            let route = ROUTES[usize::try_from(at)?];
            let world = if route.is_older() { older } else { self.world };
            let wrong = route.play(world).await.with_context(|| format!("{route:?}"))?;
            if let Some(wrong) = wrong {
                self.broken(NOT_BELIEVED, format_args!("{route:?}: {wrong}"));
            }
            *self.tried.genuine.entry(route).or_default() += 1;
        }
        Ok(())
    }

    /// Brings five attempts to where they stand.
    async fn begin(&mut self) -> anyhow::Result<Vec<Target>> {
        let first = usize::try_from(self.seed % STANDINGS.len() as u64)? * TARGETS;
        let standings: Vec<Standing> =
            (0..TARGETS).map(|turn| STANDINGS[(first + turn) % STANDINGS.len()]).collect();
        // What has to be given up comes first, so that nothing else is.
        let (given_up, others): (Vec<_>, Vec<_>) =
            standings.into_iter().partition(|standing| standing.is_given_up());
        let mut targets = Vec::new();
        for (standings, afterwards) in [(given_up, GIVEN_UP), (others, BEFOREHAND)] {
            for standing in &standings {
                let target = Target::begin(self.world, *standing).await;
                targets.push(target.with_context(|| format!("{standing:?}"))?);
                self.tried.standings.insert(*standing);
            }
            if !standings.is_empty() {
                self.world.services.pass(&self.world.dodo, afterwards).await?;
            }
        }
        for target in &mut targets {
            target.settle_in(self.world).await?;
        }
        ask::notices(self.world).await?;
        Ok(targets)
    }

    async fn forge(&mut self, targets: &[Target], rng: &mut ChaCha8Rng) -> anyhow::Result<()> {
        let world = self.world;
        let accomplice = world.dodo.customer(Some(GOOD_CARD))?;
        let mut turn = rng.random_range(0..RECIPES.len());
        for _ in 0..TRIES {
            let (recipe, target) = loop {
                let recipe = RECIPES[turn % RECIPES.len()];
                turn += 1;
                let fitting: Vec<&Target> =
                    targets.iter().filter(|target| recipe.fits(target.standing)).collect();
                if !fitting.is_empty() {
                    break (recipe, fitting[rng.random_range(0..fitting.len())]);
                }
            };
            let other = &targets[rng.random_range(0..targets.len())];
            let channel = match rng.random_range(0..5) {
                0 => Channel::Listing,
                1 => Channel::Both,
                _ => Channel::Webhook,
            };
            world.idle(1);
            let before = look(world, targets).await?;
            if recipe == Recipe::CopyCheaper {
                self.short.insert(target.row.id.clone());
            }
            let forged = recipe.forge(world, target, other, &accomplice, rng)?;
            let refused = forged.tell(world, channel, rng).await?;
            let what = format!("{recipe:?} about {:?} by {channel:?}", target.standing);
            if let Some(refused) = refused {
                self.broken(NOT_TAKEN, format_args!("{what}: {refused}"));
            }
            self.check(&what, targets, target, &before, &forged).await?;
            *self.tried.forged.entry(recipe).or_default() += 1;
            self.tried.channels.insert(channel);
        }
        Ok(())
    }

    /// Says what has changed that a forged payment must not change.
    async fn check(
        &mut self,
        what: &str,
        targets: &[Target],
        about: &Target,
        before: &[Seen],
        forged: &Forged,
    ) -> anyhow::Result<()> {
        let store = &self.world.services.store;
        let after = look(self.world, targets).await?;
        self.compare_seen(what, targets, before, &after);
        for seen in store.payments_of(&about.row.id).await? {
            let is_sale = seen.payment.status == PaymentStatus::Succeeded && !seen.surplus;
            if seen.payment.id == forged.payment && is_sale {
                self.broken(BELIEVED, format_args!("{what}: on record as {seen:?}"));
            }
        }
        if let Some(order) = store.refund_order(&forged.payment).await? {
            self.broken(REFUNDED, format_args!("{what}: {order:?}"));
        }
        for notice in ask::notices(self.world).await? {
            if ask::tells_of_sale(&notice) || ask::tells_of_failure(&notice) {
                self.broken(BELIEVED, format_args!("{what}: the merchant is told {notice}"));
            } else if ask::tells_of_refund(&notice) {
                self.broken(REFUNDED, format_args!("{what}: the merchant is told {notice}"));
            }
        }
        self.check_gate(what).await;
        if let Some(invented) = &forged.invented
            && let Some(row) = store.attempt_by_id(invented).await?
        {
            self.broken(RESTORED, format_args!("{what}: an attempt {row:?}"));
        }
        Ok(())
    }

    fn compare_seen(&mut self, what: &str, targets: &[Target], before: &[Seen], after: &[Seen]) {
        for ((target, before), after) in targets.iter().zip(before).zip(after) {
            let falls_short = after.state == AttemptState::Underpaid && self.short.contains(&target.row.id);
            if before.state != after.state && falls_short {
                self.tried.underpaid += 1;
            } else if before != after {
                let standing = target.standing;
                self.broken(BELIEVED, format_args!("{what}: {standing:?}, {before:?} became {after:?}"));
            }
        }
    }

    async fn check_gate(&mut self, what: &str) {
        let gate = self.world.services.charging.gate();
        if !gate.is_open() {
            let why = gate.closed().await;
            self.broken(RESTORED, format_args!("{what}: nothing is accepted any more, {why:?}"));
            gate.open(why);
        }
    }

    /// Compares the store with Dodo, as at a start: there is nothing to restore.
    async fn compare(&mut self, targets: &[Target]) -> anyhow::Result<()> {
        let services = &self.world.services;
        let before = look(self.world, targets).await?;
        let count = attempts(self.world).await?;
        services.workers.restoring.until_done(Closed::Starting).await;
        services.workers.refunds.round().await?;
        let after = look(self.world, targets).await?;
        self.compare_seen("at a start", targets, &before, &after);
        let count_after = attempts(self.world).await?;
        if count != count_after {
            self.broken(RESTORED, format_args!("at a start {count} attempts became {count_after}"));
        }
        if let Some(until) = services.store.held_until().await? {
            self.broken(RESTORED, format_args!("at a start offers were withdrawn up to {until:?}"));
        }
        self.check_gate("at a start").await;
        let refunds = self.world.dodo.posts_to("/refunds");
        if refunds > 0 {
            self.broken(REFUNDED, format_args!("{refunds} requests for refunds"));
        }
        for notice in ask::notices(self.world).await? {
            if ask::tells_of_sale(&notice) || ask::tells_of_failure(&notice) || ask::tells_of_refund(&notice)
            {
                self.broken(BELIEVED, format_args!("at a start the merchant is told {notice}"));
            }
        }
        Ok(())
    }

    /// Has attempts collect that forged payments have named before.
    async fn pay_after_all(&mut self, targets: &[Target]) -> anyhow::Result<()> {
        for target in targets {
            let Some(payment) = target.pay_after_all(self.world).await? else { continue };
            let wrong =
                self.paid(target, &payment).await.with_context(|| format!("{:?}", target.standing))?;
            if let Some(wrong) = wrong {
                self.broken(NOT_BELIEVED, format_args!("{:?} after all: {wrong}", target.standing));
            }
            self.tried.after_all += 1;
        }
        Ok(())
    }

    async fn paid(&self, target: &Target, payment: &PaymentId) -> anyhow::Result<Option<String>> {
        self.world.tell(payment, |_| {}).await?;
        let row = genuine::again(self.world, &target.row.id).await?;
        genuine::believed_once(self.world, &row, payment).await
    }
}

async fn look(world: &World, targets: &[Target]) -> anyhow::Result<Vec<Seen>> {
    let mut seen = Vec::new();
    for target in targets {
        seen.push(target.look(world).await?);
    }
    Ok(seen)
}

async fn attempts(world: &World) -> anyhow::Result<u64> {
    let counts = world.services.store.count_attempts().await?;
    Ok(counts.iter().map(|count| count.attempts).sum())
}
