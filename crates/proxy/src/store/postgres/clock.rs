//! The database's clock, for every proxy on it: leases and expiries of several machines have to be compared, and the
//! machines' own clocks may differ.
//!
//! The time is asked for every few seconds and carried on by the monotonic clock in between, so that a step of the
//! machine's own clock changes nothing. It only decides who is waited for how long: that two proxies never both send is
//! guarded by compare-and-set on the attempt's state, whatever their clocks say.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use tokio::task::JoinHandle;
use wire::UnixSeconds;

use super::{PostgresStore, connections::Connections};
use crate::clock::Clock;

/// How often the database is asked.
const PACE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy)]
struct Sample {
    /// What the database said, in microseconds since 1970.
    micros: i64,
    /// When it said so: between the question and the answer, taken as the answer.
    taken: Instant,
}

/// Tells the database's time. Stops asking when dropped.
pub struct DatabaseClock {
    sample: Arc<RwLock<Sample>>,
    asking: JoinHandle<()>,
}

impl DatabaseClock {
    /// Asks once, and goes on asking.
    ///
    /// # Errors
    /// When the first question fails.
    pub async fn start(store: &PostgresStore) -> Result<Self, sqlx::Error> {
        let pool = store.readers.clone();
        let sample = Arc::new(RwLock::new(ask(&pool).await?));
        let shared = Arc::clone(&sample);
        let asking = tokio::spawn(async move {
            let mut pace = tokio::time::interval(PACE);
            pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                pace.tick().await;
                match ask(&pool).await {
                    Ok(fresh) => *shared.write().unwrap_or_else(PoisonError::into_inner) = fresh,
                    Err(error) => tracing::warn!(%error, "the database did not tell the time"),
                }
            }
        });
        Ok(Self { sample, asking })
    }
}

impl Drop for DatabaseClock {
    fn drop(&mut self) {
        self.asking.abort();
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> UnixSeconds {
        let Sample { micros, taken } = *self.sample.read().unwrap_or_else(PoisonError::into_inner);
        let since = i64::try_from(taken.elapsed().as_micros()).unwrap_or(i64::MAX);
        UnixSeconds(micros.saturating_add(since).div_euclid(1_000_000))
    }
}

async fn ask(pool: &Connections) -> Result<Sample, sqlx::Error> {
    let micros: i64 = sqlx::query_scalar("SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT")
        .fetch_one(pool)
        .await?;
    Ok(Sample { micros, taken: Instant::now() })
}
