//! A store that holds years of charges is as quick as an empty one: no start, no page, no charge, no refusal, no look-up
//! and no step of a purge takes longer the more history there is.
//!
//! A run is one size of the history on one engine. The history is written as SQL (`testkit::history`), then a proxy starts
//! over it and serves new buyers, one after the other. Each figure is held against that of the same engine without history:
//! it may be [`FACTOR`] times as long and its own allowance more. What is busy beside the campaign makes single figures long,
//! and no figure long three times: a size is measured again, up to [`TAKES`] times, and only what grew in each take has grown.
//!
//! Seen to fail when a purge is one step, however much there is to purge.

mod measure;

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use test_postgres::{Server, ServerError};
use testkit::{
    Database,
    history::{Engine, age_quotes, fill},
};

use self::measure::{Figures, measure};
use super::Campaign;
use crate::{
    plan::Plan,
    report::{Broken, Report},
};

/// Charges of the history.
const SIZES: [u64; 4] = [0, 10_000, 100_000, 1_000_000];
/// A figure may be so many times that of an empty store, and its allowance more.
const FACTOR: u32 = 3;
/// Takes of one size, of which one has to be good.
const TAKES: u64 = 3;
/// Figures that grew with the history.
const GREW: &str = "grew";

/// See the module.
pub(super) struct Growth;

#[async_trait]
impl Campaign for Growth {
    fn name(&self) -> &'static str {
        "growth"
    }

    fn promise(&self) -> &'static str {
        "a million old charges slow down nothing"
    }

    fn whole_runs(&self) -> u64 {
        2 * 4
    }

    fn quick_runs(&self) -> u64 {
        2
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let mut report = Report::asking(&[GREW]);
        let mut empty: Vec<(Engine, Figures)> = Vec::new();
        if plan.explain {
            eprintln!("{}", Figures::heading());
        }
        for seed in plan.seeds() {
            let (engine, charges) = case(seed);
            let base = match empty.iter().find(|(known, _)| *known == engine) {
                Some((_, figures)) if charges > 0 => figures.clone(),
                _ => {
                    let (figures, posts) = measure(&database(engine)?, seed).await?;
                    report.posts = report.posts.saturating_add(posts);
                    tell(plan, engine, 0, &figures);
                    empty.push((engine, figures.clone()));
                    figures
                }
            };
            if charges > 0 {
                let grown = compare(plan, (engine, charges), seed, &base, &mut report).await?;
                for (what, longest) in grown {
                    let was = base.of(what);
                    report.broken(
                        Broken::Other(GREW),
                        seed,
                        format_args!("{engine:?}, {charges} charges: {what} {longest:?}, empty {was:?}"),
                    );
                }
            }
            report.runs += 1;
        }
        Ok(report)
    }
}

/// Returns engine and size of the run with this seed: every size on SQLite, then every size on PostgreSQL.
fn case(seed: u64) -> (Engine, u64) {
    let at = usize::try_from(seed.wrapping_sub(1) % 8).unwrap_or_default();
    let engine = if at < SIZES.len() { Engine::Sqlite } else { Engine::Postgres };
    (engine, SIZES[at % SIZES.len()])
}

/// Returns an empty database on the disk: a million charges do not fit into the memory in which other tests have theirs.
fn database(engine: Engine) -> anyhow::Result<Database> {
    static SERVER: OnceLock<Result<Server, ServerError>> = OnceLock::new();
    match engine {
        Engine::Sqlite => Database::sqlite(),
        Engine::Postgres => {
            let server = SERVER.get_or_init(|| Server::start_on_disk(&["max_wal_size=4GB"]));
            let server = server.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?;
            Database::elsewhere(server.fresh_database()?)
        }
    }
}

/// Measures a filled store until a take has nothing that grew. Returns what grew in every take, with the shortest time that
/// it took.
async fn compare(
    plan: &Plan,
    (engine, charges): (Engine, u64),
    seed: u64,
    base: &Figures,
    report: &mut Report,
) -> anyhow::Result<Vec<(&'static str, Duration)>> {
    let database = database(engine)?;
    let began = Instant::now();
    fill(&database, charges).await?;
    if plan.explain {
        eprintln!("filled with {charges} charges in {} s", began.elapsed().as_secs());
    }
    let mut grown: Option<Vec<(&'static str, Duration)>> = None;
    for take in 0..TAKES {
        if take > 0 {
            // Otherwise the take before would have left nothing to purge.
            age_quotes(&database).await?;
        }
        // The simulator's ids follow from its seed, and a buyer of one take must not be one of another.
        let (figures, posts) = measure(&database, seed.wrapping_add(take << 32)).await?;
        report.posts = report.posts.saturating_add(posts);
        tell(plan, engine, charges, &figures);
        let now = figures.beyond(base);
        grown = Some(match grown {
            None => now,
            Some(before) => before
                .into_iter()
                .filter_map(|(what, long)| {
                    let again = now.iter().find(|(also, _)| *also == what)?;
                    Some((what, long.min(again.1)))
                })
                .collect(),
        });
        if grown.as_ref().is_some_and(Vec::is_empty) {
            break;
        }
    }
    Ok(grown.unwrap_or_default())
}

fn tell(plan: &Plan, engine: Engine, charges: u64, figures: &Figures) {
    if plan.explain {
        eprintln!("{}", figures.row(engine, charges));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_whole_campaign_has_every_size_on_both_engines_and_the_reduced_one_two() {
        let cases: Vec<_> = (1..=Growth.whole_runs()).map(case).collect();
        let different: HashSet<_> = cases.iter().map(|case| format!("{case:?}")).collect();
        assert_eq!(different.len(), 8);
        let quick = &cases[..usize::try_from(Growth.quick_runs()).unwrap()];
        assert_eq!(quick, [(Engine::Sqlite, 0), (Engine::Sqlite, 10_000)]);
    }

    #[test]
    fn what_takes_longer_than_its_allowance_has_grown() {
        let of = |start, get| {
            let mut figures = Figures::default();
            figures.set("start", Duration::from_millis(start));
            figures.set("get", Duration::from_millis(get));
            figures
        };
        let names = |figures: Figures, base: &Figures| -> Vec<&'static str> {
            figures.beyond(base).into_iter().map(|(what, _)| what).collect()
        };
        let base = of(100, 5);
        assert!(names(of(400, 20), &base).is_empty());
        assert_eq!(names(of(12_000, 5), &base), ["start"]);
        assert_eq!(names(of(100, 500), &base), ["get"]);
    }
}
