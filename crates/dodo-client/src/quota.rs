//! The quota that all requests of a business share, and whose turn it is when it runs low.
//!
//! Dodo counts every request, whatever it is for, and refuses what is too many. Whoever owns a client may give it a
//! [`Quota`], which is asked before each read and each write, repetitions included. What a request is for is a matter of
//! the task that makes it (`http::turn::with_priority`).
//!
//! **A charge is not asked about.** By the time it is sent it is too late to wait or to refuse. Whoever charges keeps
//! room for it beforehand (`http::Client::room_for_charge`) and spends it on the request.

use std::{fmt, time::Duration};

use crate::error::RateLimit;

/// What a request is for; the later ones are the more important.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Something that is known already is fetched again.
    Refresh,
    /// Somebody waits for an answer. What is not said to be anything else.
    Interactive,
    /// The merchant's server waits for an answer: without it no page begins.
    Merchant,
    /// What became of money is to be found out.
    LookUp,
    /// A charge, and the questions right before it.
    Charge,
}

impl Priority {
    /// All of them, the least important first.
    pub const ALL: [Self; 5] = [Self::Refresh, Self::Interactive, Self::Merchant, Self::LookUp, Self::Charge];

    /// For logs and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::Interactive => "interactive",
            Self::Merchant => "merchant",
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
