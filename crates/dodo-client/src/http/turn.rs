//! Waiting for a request's turn within the [`Quota`](crate::quota::Quota).

use std::{future::Future, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    error::HeldBack,
    quota::{Priority, Quota},
};

/// Returns how long such a request waits for its turn before it is given up.
const fn patience(priority: Priority) -> Duration {
    match priority {
        Priority::Refresh => Duration::ZERO,
        // The burst of the present second may be over in the next.
        Priority::Interactive => Duration::from_millis(1500),
        Priority::Merchant | Priority::LookUp => Duration::from_secs(3),
        Priority::Charge => Duration::from_secs(10),
    }
}

/// How the requests of a task come to their turn.
#[derive(Debug, Clone, Copy)]
enum Turn {
    /// They ask.
    Asked(Priority),
    /// Room was kept for the one that is made.
    Granted,
}

tokio::task_local! {
    static TURN: Turn;
}

/// Does `work`, with requests of this priority. The innermost counts; spawned tasks begin anew.
pub async fn with_priority<F: Future>(priority: Priority, work: F) -> F::Output {
    TURN.scope(Turn::Asked(priority), work).await
}

/// Room kept for one charge. Dropping it gives the room back.
#[derive(Debug)]
#[must_use = "dropped, it keeps nothing"]
pub struct Room {
    quota: Option<Arc<dyn Quota>>,
}

impl Room {
    /// Makes the one request that the room was kept for. It neither waits nor is it refused.
    pub async fn spend_on<F: Future>(mut self, request: F) -> F::Output {
        if let Some(quota) = self.quota.take() {
            quota.spend_kept();
        }
        TURN.scope(Turn::Granted, request).await
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Some(quota) = self.quota.take() {
            quota.give_back();
        }
    }
}

/// Keeps room for a charge, waiting a while for it if need be.
pub(crate) async fn room(quota: Option<&Arc<dyn Quota>>) -> Result<Room, HeldBack> {
    if let Some(quota) = quota {
        wait_for(patience(Priority::Charge), || quota.keep()).await?;
    }
    Ok(Room { quota: quota.cloned() })
}

/// Waits for the turn of one request of the present task.
pub(crate) async fn turn(quota: Option<&Arc<dyn Quota>>) -> Result<(), HeldBack> {
    let turn = TURN.try_with(|turn| *turn).unwrap_or(Turn::Asked(Priority::Interactive));
    match (quota, turn) {
        (Some(quota), Turn::Asked(priority)) => wait_for(patience(priority), || quota.take(priority)).await,
        _ => Ok(()),
    }
}

/// Whether the present task looks up what became of money. Whoever does that has a schedule and comes again anyway: what
/// is repeated on top of it in an outage, for hundreds of charges, is used up of the quota for nothing.
pub(crate) fn is_on_a_schedule() -> bool {
    TURN.try_with(|turn| matches!(turn, Turn::Asked(Priority::LookUp))).unwrap_or_default()
}

/// Asks until it may be, but not beyond `patience`.
async fn wait_for(patience: Duration, mut ask: impl FnMut() -> Result<(), Duration>) -> Result<(), HeldBack> {
    let deadline = Instant::now() + patience;
    loop {
        match ask() {
            Ok(()) => return Ok(()),
            Err(pause) if Instant::now() + pause <= deadline => tokio::time::sleep(pause).await,
            Err(pause) => return Err(HeldBack { retry_after: pause }),
        }
    }
}
