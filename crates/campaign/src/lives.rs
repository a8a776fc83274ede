//! Stories that are played in processes which live and die, one after the other, over one database.
//!
//! A [`Tale`] says what happens step by step. A run is a tale with a place of the product's code, marked by `failpoint!`,
//! at which the process dies at its first or a later passing; the next process may die as well. Which places a tale passes
//! is learnt by playing it once without dying. A process is a runtime of its own: dropping it ends every task where it
//! stands, open transactions included.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use async_trait::async_trait;
use proxy::{
    clock::ManualClock,
    failpoint::{self, Plan as Failpoints},
};
use rand::RngExt as _;
use testkit::{Database, Dodo, InProcessServices};
use upsell_core::rules::Rules;

use crate::{
    plan::{Extent, Plan, rng},
    report::Report,
};

/// Longer than any life takes; a life that hangs is a campaign that could not be run.
const LIFE: Duration = Duration::from_secs(60);
/// Longer than anything may stay undecided (I13).
const AFTERWARDS: i64 = 30 * 60;
/// Runs after which simulator and database are replaced: both remember everything, and looking through it takes time.
const FRESH_EVERY: u64 = 100;
/// Of so many runs one is on PostgreSQL.
const POSTGRES_EVERY: u64 = 11;

/// What outlives a process.
pub struct World {
    /// Dodo.
    pub dodo: Arc<Dodo>,
    /// Where the proxy keeps its rows.
    pub database: Database,
}

/// A story, as far as it has gone. What it knows outlives the processes that it is played in, as the people in it do.
#[async_trait]
pub trait Tale: Clone + Send + Sync + 'static {
    /// What kind of story it is.
    type Scenario: Copy + Ord + Debug + Send + Sync + 'static;
    /// What may happen in it.
    type Step: Copy + Send + Sync + 'static;
    /// Every kind.
    const SCENARIOS: &'static [Self::Scenario];

    /// One at its beginning. Nothing in it is random but by the seed.
    fn begin(scenario: Self::Scenario, seed: u64) -> Self;

    /// The merchant's rules.
    ///
    /// # Errors
    /// When there are none.
    fn rules(&self) -> anyhow::Result<Arc<Rules>>;

    /// What happens, in this order.
    fn steps(&self) -> &'static [Self::Step];

    /// The simulator that it is played against.
    ///
    /// # Errors
    /// When it does not start.
    async fn dodo(seed: u64) -> anyhow::Result<Dodo> {
        Dodo::start(seed).await
    }

    /// Called at the start of every process, before it may die. The first call brings the buyer in.
    ///
    /// # Errors
    /// When that cannot be done.
    async fn prepare(services: &InProcessServices, dodo: &Dodo, tale: &Mutex<Self>) -> anyhow::Result<()>;

    /// Lets one step happen.
    ///
    /// # Errors
    /// When it cannot be played at all. What the product answers is part of the story.
    async fn take(
        services: &InProcessServices,
        dodo: &Dodo,
        tale: &Mutex<Self>,
        step: Self::Step,
    ) -> anyhow::Result<()>;

    /// Called when the last process has come to the end, half an hour after the last step: lets more time pass for what
    /// may take longer.
    ///
    /// # Errors
    /// When it cannot be played.
    async fn linger(_services: &InProcessServices, _dodo: &Dodo, _tale: &Mutex<Self>) -> anyhow::Result<()> {
        Ok(())
    }

    /// What is wrong at its end, by the simulator's ledger and the store. Counts the run and its requests.
    ///
    /// # Errors
    /// When it cannot be found out.
    async fn judge(&self, world: &World, seed: u64, report: &mut Report) -> anyhow::Result<()>;
}

/// A look at a tale, or a change of it.
pub fn told<T>(tale: &Mutex<T>) -> MutexGuard<'_, T> {
    tale.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where processes die.
#[derive(Clone, Copy, Debug, Default)]
struct Deaths {
    first: Option<(&'static str, u32)>,
    second: Option<(&'static str, u32)>,
    /// Seconds until the next process starts.
    asleep: i64,
}

/// Tales and the places that they pass, with how often.
type Places<S> = BTreeMap<S, BTreeMap<&'static str, u32>>;
/// The same in the order in which runs take them.
type Turns<S> = Vec<(S, &'static str, u32)>;

/// Plays every run of a plan and adds what it found to `report`. Fewer than `least` places that a process can die at, and
/// the campaign would not try what it promises.
///
/// # Errors
/// When it could not be played.
pub async fn play_all<T: Tale>(plan: &Plan, least: usize, mut report: Report) -> anyhow::Result<Report> {
    let places = learn::<T>().await?;
    let distinct: BTreeSet<_> = places.values().flat_map(|passed| passed.keys().copied()).collect();
    anyhow::ensure!(distinct.len() >= least, "only {} places are passed: {distinct:?}", distinct.len());
    let table = Arc::new(in_turn(&places));
    // Most of a run is waiting: for the disk, and for requests that hang.
    let workers = match plan.extent {
        Extent::Whole => {
            std::thread::available_parallelism().map_or(2, |cores| cores.get().saturating_mul(2))
        }
        Extent::Quick => 4,
    };
    let seeds: Vec<u64> = plan.seeds().collect();
    let share = seeds.len().div_ceil(workers).max(1);
    let work: Vec<_> = seeds
        .chunks(share)
        .map(|seeds| {
            let (seeds, table) = (seeds.to_vec(), Arc::clone(&table));
            tokio::spawn(async move { worker::<T>(&seeds, &table).await })
        })
        .collect();
    for worker in work {
        report.absorb(worker.await.context("a worker ended badly")??);
    }
    report.fact("places", distinct.len());
    Ok(report)
}

/// Which places each scenario passes, and how often.
async fn learn<T: Tale>() -> anyhow::Result<Places<T::Scenario>> {
    let mut places = BTreeMap::new();
    for scenario in T::SCENARIOS {
        let world = World { dodo: Arc::new(T::dodo(1).await?), database: Database::sqlite()? };
        let (_, passed) = live(&world, T::begin(*scenario, 0), 0, &Deaths::default()).await?;
        places.insert(*scenario, passed);
    }
    Ok(places)
}

/// Every place in every scenario that passes it. Each place comes once before any comes a second time, each beginning with
/// another scenario, so that few runs pass all places and all scenarios.
fn in_turn<S: Copy + Ord>(places: &Places<S>) -> Turns<S> {
    let mut by_place: BTreeMap<&'static str, Vec<(S, u32)>> = BTreeMap::new();
    for (scenario, passed) in places {
        for (name, times) in passed {
            by_place.entry(name).or_default().push((*scenario, *times));
        }
    }
    let mut table = Vec::new();
    for (nth, (name, mut scenarios)) in by_place.into_iter().enumerate() {
        let first = nth % scenarios.len();
        scenarios.rotate_left(first);
        table.extend(
            scenarios
                .into_iter()
                .enumerate()
                .map(|(turn, (scenario, times))| (turn, (scenario, name, times))),
        );
    }
    table.sort_by_key(|(turn, _)| *turn);
    table.into_iter().map(|(_, entry)| entry).collect()
}

async fn worker<T: Tale>(seeds: &[u64], table: &Turns<T::Scenario>) -> anyhow::Result<Report> {
    let mut report = Report::new();
    let mut worlds: BTreeMap<bool, (u64, World)> = BTreeMap::new();
    for seed in seeds {
        let on_postgres = seed % POSTGRES_EVERY == POSTGRES_EVERY - 1;
        let stale = worlds.get(&on_postgres).is_none_or(|(used, _)| *used >= FRESH_EVERY);
        if stale {
            let database = if on_postgres { Database::postgres()? } else { Database::sqlite()? };
            let dodo = Arc::new(T::dodo(*seed).await?);
            worlds.insert(on_postgres, (0, World { dodo, database }));
        }
        let Some((used, world)) = worlds.get_mut(&on_postgres) else { continue };
        *used = used.saturating_add(1);
        one::<T>(world, *seed, table, &mut report).await.with_context(|| format!("run with seed {seed}"))?;
    }
    Ok(report)
}

async fn one<T: Tale>(
    world: &World,
    seed: u64,
    table: &Turns<T::Scenario>,
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
    let (tale, _) = live(world, T::begin(scenario, seed), seed, &deaths).await?;
    tale.judge(world, seed, report).await
}

/// A tale on its way through processes.
struct Telling<T> {
    tale: Mutex<T>,
    /// The next step.
    at: AtomicUsize,
    /// Half the buyers whose page did not answer click again: a step that a process dies in comes once more.
    insists: bool,
}

impl<T: Tale> Telling<T> {
    fn begin_step(&self) -> Option<T::Step> {
        let at = self.at.load(Ordering::SeqCst);
        let step = told(&self.tale).steps().get(at).copied();
        self.advance(!self.insists);
        step
    }

    fn end_step(&self) {
        self.advance(self.insists);
    }

    fn advance(&self, now: bool) {
        self.at.fetch_add(usize::from(now), Ordering::SeqCst);
    }
}

/// Plays a tale to its end, through all its deaths. Tells the places that the first process passed.
async fn live<T: Tale>(
    world: &World,
    tale: T,
    seed: u64,
    deaths: &Deaths,
) -> anyhow::Result<(T, BTreeMap<&'static str, u32>)> {
    let clock = world.dodo.standing_clock();
    let insists = rng(seed ^ 0x5eed).random_bool(0.5);
    let telling = Arc::new(Telling { tale: Mutex::new(tale), at: AtomicUsize::new(0), insists });
    let mut passed = None;
    for death in [deaths.first, deaths.second, None] {
        let plan = death.map_or_else(Failpoints::counting, |(name, nth)| Failpoints::stopping_at(name, nth));
        let died = process(world, &clock, &telling, &plan).await?;
        passed.get_or_insert_with(|| plan.hits());
        if !died {
            break;
        }
        clock.advance(deaths.asleep);
        world.dodo.control().advance(Duration::from_secs(deaths.asleep.unsigned_abs()));
    }
    let tale = told(&telling.tale).clone();
    Ok((tale, passed.unwrap_or_default()))
}

/// One process, in a runtime of its own. Returns whether it died.
async fn process<T: Tale>(
    world: &World,
    clock: &Arc<ManualClock>,
    telling: &Arc<Telling<T>>,
    plan: &Arc<Failpoints>,
) -> anyhow::Result<bool> {
    let (dodo, database) = (Arc::clone(&world.dodo), world.database.clone());
    let (clock, telling, plan) = (Arc::clone(clock), Arc::clone(telling), Arc::clone(plan));
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let died = runtime.block_on(async {
            let rules = told(&telling.tale).rules()?;
            let services = InProcessServices::start_under(&dodo, &database, &clock, rules).await?;
            T::prepare(&services, &dodo, &telling.tale).await?;
            let play = failpoint::with(Arc::clone(&plan), play(&services, &dodo, &telling));
            tokio::select! {
                () = plan.stopped() => Ok(true),
                played = tokio::time::timeout(LIFE, play) => {
                    played.context("a process hangs")??;
                    T::linger(&services, &dodo, &telling.tale).await?;
                    services.store.close().await;
                    Ok(false)
                }
            }
        });
        // Whatever is under way ends here, where it stands.
        drop(runtime);
        died
    })
    .await
    .context("a process panicked")?
}

/// What a process does: takes up what is left, then goes on with the story.
async fn play<T: Tale>(
    services: &InProcessServices,
    dodo: &Dodo,
    telling: &Telling<T>,
) -> anyhow::Result<()> {
    services.workers.reconciler.catch_up().await;
    while let Some(step) = telling.begin_step() {
        T::take(services, dodo, &telling.tale, step).await?;
        telling.end_step();
    }
    services.webhooks.apply_leftovers().await?;
    services.pass(dodo, AFTERWARDS).await
}
