//! Requests that change nothing, and may therefore be repeated.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use money::UnixSeconds;
use serde::Serialize;

use super::{Ask, Transport, exchange::Exchange, once};
use crate::{
    error::{Error, TransportError, Unsent},
    http::turn,
    lenient::Readable,
};

/// Repetitions after the first try.
const MAX_REPEATS: usize = 2;

/// A longer wait than this is left to the caller, who has a schedule.
const MAX_PAUSE: Duration = Duration::from_secs(5);

impl Transport {
    /// Asks, and asks again after failures that may pass, all within the configured total. Look-ups ask once.
    pub(crate) async fn read<T, Q, B>(&self, ask: Ask<'_, Q, B>) -> Result<T, Error>
    where
        T: Readable,
        Q: Serialize + Sync + ?Sized,
        B: Serialize + Sync + ?Sized,
    {
        let tries = || async {
            turn::turn(self.quota.as_ref()).await?;
            self.exchange(ask.on(&self.pooled, self)?).await.decoded(once::json)
        };
        let repeated = tries.retry(schedule()).when(may_pass).adjust(pause);
        match tokio::time::timeout(self.limits.read_total, repeated).await {
            Ok(result) => result,
            Err(_) => Err(TransportError::Timeout.into()),
        }
    }

    /// Asks once; of the answer, only what the other side's clock showed is kept.
    pub(crate) async fn date<Q, B>(&self, ask: Ask<'_, Q, B>) -> Result<Option<UnixSeconds>, Error>
    where
        Q: Serialize + Sync + ?Sized,
        B: Serialize + Sync + ?Sized,
    {
        turn::turn(self.quota.as_ref()).await?;
        match self.exchange(ask.on(&self.pooled, self)?).await {
            Exchange::Complete { date, .. } => Ok(date),
            failed => failed.decoded(once::nothing).map(|()| None),
        }
    }
}

fn schedule() -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(2))
        .with_max_times(if turn::is_on_a_schedule() { 0 } else { MAX_REPEATS })
        .with_jitter()
}

/// Whether asking again may help.
fn may_pass(error: &Error) -> bool {
    match error {
        Error::Unsent(why) => !matches!(why, Unsent::Request),
        Error::Transport(cause) => !matches!(cause, TransportError::TooLong),
        Error::Api(error) => matches!(error.status, 408 | 429 | 500 | 502 | 503 | 504),
        // It has waited for its turn already.
        Error::HeldBack(_) | Error::Undecodable { .. } => false,
    }
}

/// Waits as long as Dodo asks, or not at all when that is too long: `None` ends the repetitions.
fn pause(error: &Error, scheduled: Option<Duration>) -> Option<Duration> {
    let scheduled = scheduled?;
    let asked = match error {
        Error::Api(error) => error.retry_after.unwrap_or_default(),
        _ => Duration::ZERO,
    };
    (asked <= MAX_PAUSE).then(|| scheduled.max(asked))
}
