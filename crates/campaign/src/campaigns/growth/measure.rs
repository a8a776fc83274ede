//! What a store of some size is asked, and how long each answer takes.

use std::time::{Duration, Instant};

use proxy::{
    clock::Clock as _,
    service::purging::STEP,
    store::{Cursor, Purge},
};
use serde_json::json;
use testkit::{
    COURSE, Database, Dodo, GOOD_CARD, InProcessServices, KIT, Proxy, Setup, client, history::Engine,
    standing_clock,
};
use upsell_core::policy::retention::Periods;
use wire::UnixSeconds;

use super::FACTOR;

/// Buyers of one take. Half of them accept.
const BUYERS: usize = 24;
/// Charges of one take that are found out by a look-up.
const UNKNOWN: usize = 8;
/// Steps of a purge that are timed. Others are left for the proxy that runs next.
const STEPS: usize = 10;
/// Longest time until a proxy is ready.
const PATIENCE: Duration = Duration::from_secs(300);

/// What is measured: its name, what it may take beyond a multiple of an empty store's, in milliseconds, and what it is.
const MEASURED: [(&str, u64, &str); 7] = [
    ("start", 500, "from the start of a proxy until it is ready"),
    ("session", 100, "median of `POST /v1/sessions` after a purchase, which makes the offer"),
    ("get", 50, "median of the first `GET /v1/upsell` of a session"),
    ("accept", 100, "median of `POST /v1/upsell/accept`, charge included"),
    ("decline", 50, "median of `POST /v1/upsell/decline`"),
    ("sweep", 250, "rounds of the reconciler until eight unknown charges are settled"),
    ("purge", 100, "longest of ten steps that purge old quotes"),
];

/// How long everything took, and the size of the database.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    times: Vec<(&'static str, Duration)>,
    bytes: u64,
}

impl Figures {
    /// Returns how long this took; nothing where it was not measured.
    pub(super) fn of(&self, what: &str) -> Duration {
        self.times.iter().find(|(known, _)| *known == what).map(|(_, time)| *time).unwrap_or_default()
    }

    /// Notes how long this took.
    pub(super) fn set(&mut self, what: &'static str, time: Duration) {
        self.times.push((what, time));
    }

    /// Returns what took longer than it may, beside the figures of an empty store.
    pub(super) fn beyond(&self, empty: &Self) -> Vec<(&'static str, Duration)> {
        MEASURED
            .iter()
            .map(|(what, allowance, _)| (*what, self.of(what), Duration::from_millis(*allowance)))
            .filter(|(what, time, allowance)| *time > empty.of(what).saturating_mul(FACTOR) + *allowance)
            .map(|(what, time, _)| (what, time))
            .collect()
    }

    /// Returns the head of the table.
    pub(super) fn heading() -> String {
        let names: Vec<&str> = MEASURED.iter().map(|(what, ..)| *what).collect();
        format!(
            "| engine | charges | {} | disk |\n|---|---|{}---|",
            names.join(" | "),
            "---|".repeat(names.len())
        )
    }

    /// Returns a row of the table: milliseconds, and the disk in megabytes.
    pub(super) fn row(&self, engine: Engine, charges: u64) -> String {
        let times: Vec<String> = MEASURED
            .iter()
            .map(|(what, ..)| self.of(what).as_micros())
            .map(|micros| format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100))
            .collect();
        format!("| {engine:?} | {charges} | {} | {} MB |", times.join(" | "), self.bytes.div_ceil(1_000_000))
    }
}

/// Takes every figure once, with new buyers. Returns them and the charging requests that they made.
///
/// # Errors
/// When something fails that has to work on any store.
pub(super) async fn measure(database: &Database, seed: u64) -> anyhow::Result<(Figures, u64)> {
    let dodo = Dodo::start(seed).await?;
    let mut figures = Figures { bytes: database.bytes().await?, ..Figures::default() };
    beside_http(&dodo, database, &mut figures).await?;
    over_http(&dodo, database, &mut figures).await?;
    let posts = dodo.tally().values().map(|tally| u64::from(tally.posts)).sum();
    Ok((figures, posts))
}

/// Purges and looks up, step by step.
async fn beside_http(dodo: &Dodo, database: &Database, figures: &mut Figures) -> anyhow::Result<()> {
    let clock = standing_clock();
    let services = InProcessServices::start(dodo, database, &clock).await?;
    let before = UnixSeconds(clock.now().0.saturating_sub(Periods::default().quotes));
    let mut longest = Duration::ZERO;
    let mut place = Cursor::start();
    for _ in 0..STEPS {
        let began = Instant::now();
        let step = services.store.purge_step(Purge::Quotes, before, &place, STEP).await?;
        longest = longest.max(began.elapsed());
        let Some(next) = step.next else { break };
        place = next;
    }
    figures.set("purge", longest);
    let mut shown = Vec::new();
    for _ in 0..UNKNOWN {
        shown.push(services.show(dodo, Some(GOOD_CARD), KIT).await?);
    }
    dodo.fault("POST", "/checkouts", json!("reset_after"), u32::try_from(UNKNOWN)?)?;
    for buyer in &shown {
        // Whatever is answered: the answer of the charge was lost.
        drop(services.accept(buyer, "key-1", None).await);
    }
    let mut swept = Duration::ZERO;
    for _second in 0..120 {
        clock.advance(1);
        dodo.control().advance(Duration::from_secs(1));
        let began = Instant::now();
        services.workers.reconciler.round().await?;
        swept += began.elapsed();
    }
    for buyer in &shown {
        let told = services.accept(buyer, "key-1", None).await?;
        anyhow::ensure!(told.status == Some(wire::AttemptStatus::Succeeded), "not settled: {told:?}");
    }
    figures.set("sweep", swept);
    services.store.close().await;
    Ok(())
}

/// Starts a proxy and serves buyers, one after the other.
async fn over_http(dodo: &Dodo, database: &Database, figures: &mut Figures) -> anyhow::Result<()> {
    let setup = Setup::over(database.clone());
    let began = Instant::now();
    let proxy = Proxy::start(dodo, &setup).await?;
    let (http, ready) = (client()?, format!("{}/readyz", proxy.ops_url()));
    while !http.get(&ready).send().await?.status().is_success() {
        anyhow::ensure!(began.elapsed() < PATIENCE, "the proxy is not ready after {} s", PATIENCE.as_secs());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    figures.set("start", began.elapsed());
    let (mut sessions, mut gets) = (Vec::new(), Vec::new());
    let (mut accepts, mut declines) = (Vec::new(), Vec::new());
    for number in 0..BUYERS {
        let customer = dodo.customer(Some(GOOD_CARD))?;
        let purchase = dodo.purchase(&customer, COURSE)?;
        let began = Instant::now();
        let token = proxy.mint(&customer, &purchase).await?;
        sessions.push(began.elapsed());
        let began = Instant::now();
        let shown = proxy.look(&token).await?;
        gets.push(began.elapsed());
        anyhow::ensure!(shown["eligible"] == true, "nothing is offered: {shown}");
        let began = Instant::now();
        if number % 2 == 0 {
            proxy.accept(&token, &shown, "key").await?.ok()?;
            accepts.push(began.elapsed());
        } else {
            proxy.decline(&token, &shown).await?.ok()?;
            declines.push(began.elapsed());
        }
    }
    figures.set("session", median(sessions));
    figures.set("get", median(gets));
    figures.set("accept", median(accepts));
    figures.set("decline", median(declines));
    proxy.stop().await
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
