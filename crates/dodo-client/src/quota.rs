//! The quota that all requests of a business share, and whose turn it is when it runs low.
//!
//! Dodo counts every request, whatever it is for, and refuses what is too many. Whoever owns a client may give it a
//! [`Quota`], which is asked before each read and each write, repetitions included. What a request is for is a matter of
//! the task that makes it: see [`with_priority`].
//!
//! **A charge is not asked about.** By the time it is sent it is too late to wait or to refuse. Whoever charges keeps
//! room for it beforehand ([`Client::room_for_charge`](crate::Client::room_for_charge)) and spends it on the request.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::error::RateLimit;

/// What a request is for; the later ones are the more important.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Something that is known already is fetched again.
    Refresh,
    /// Somebody waits for an answer. What is not said to be anything else.
    Interactive,
    /// What became of money is to be found out.
    LookUp,
    /// A charge, and the questions right before it.
    Charge,
}

impl Priority {
    /// All of them, the least important first.
    pub const ALL: [Self; 4] = [Self::Refresh, Self::Interactive, Self::LookUp, Self::Charge];

    /// How long such a request waits for its turn before it is given up.
    const fn patience(self) -> Duration {
        match self {
            Self::Refresh => Duration::ZERO,
            // The burst of the present second may be over in the next.
            Self::Interactive => Duration::from_millis(1500),
            Self::LookUp => Duration::from_secs(3),
            Self::Charge => Duration::from_secs(10),
        }
    }

    /// For logs and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::Interactive => "interactive",
            Self::LookUp => "look_up",
            Self::Charge => "charge",
        }
    }
}

/// Counts requests, and says whether another may leave now. Every method is called from many tasks at once and must
/// not block.
pub trait Quota: fmt::Debug + Send + Sync + 'static {
    /// Takes room for a request that leaves now.
    ///
    /// # Errors
    /// How long until it is worth asking again.
    fn take(&self, priority: Priority) -> Result<(), Duration>;

    /// Keeps room for a charge that will leave in a moment.
    ///
    /// # Errors
    /// How long until it is worth asking again.
    fn keep(&self) -> Result<(), Duration>;

    /// The charge leaves now: what was kept for it is taken.
    fn spend_kept(&self);

    /// The charge will not leave: what was kept for it is free again.
    fn give_back(&self);

    /// What an answer said about the quota, with how long to wait when it was a 429.
    fn learn(&self, said: RateLimit, refused: Option<Refused>);
}

/// An answer 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// `Retry-After`, if there was one.
    pub retry_after: Option<Duration>,
}

/// A request that was not made, since the quota is used up or what is left of it is kept for more important ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the quota at Dodo is used up, or kept for charges")]
pub struct HeldBack {
    /// When it may be made.
    pub retry_after: Duration,
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
        wait_for(Priority::Charge.patience(), || quota.keep()).await?;
    }
    Ok(Room { quota: quota.cloned() })
}

/// Waits for the turn of one request of the present task.
pub(crate) async fn turn(quota: Option<&Arc<dyn Quota>>) -> Result<(), HeldBack> {
    let turn = TURN.try_with(|turn| *turn).unwrap_or(Turn::Asked(Priority::Interactive));
    match (quota, turn) {
        (Some(quota), Turn::Asked(priority)) => wait_for(priority.patience(), || quota.take(priority)).await,
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
