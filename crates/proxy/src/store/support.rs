//! What people who look after a running proxy ask the store: nothing here changes a row.

use async_trait::async_trait;
use dodo_client::ids::CustomerId;
use upsell_core::domain::{AttemptRow, AttemptWord, PaymentOnRecord};
use wire::{AttemptId, UnixSeconds};

use super::StoreError;

/// Which attempts.
#[derive(Clone, Debug, Default)]
pub struct AttemptFilter {
    /// In this state only.
    pub state: Option<AttemptWord>,
    /// Of this buyer only.
    pub customer: Option<CustomerId>,
    /// At most so many.
    pub limit: u32,
}

/// Most rows that a count looks at: what is counted for people and gauges need not be exact beyond.
pub const COUNTED: u32 = 10_000;

/// How many attempts are in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateCount {
    /// The state.
    pub state: AttemptWord,
    /// How many: of more than [`COUNTED`], so many.
    pub attempts: u64,
    /// When the oldest of them was claimed.
    pub oldest: UnixSeconds,
}

/// How often a saved method was not charged because it was not shown to be the buyer's, of the latest [`COUNTED`] hosted
/// checkouts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Withheld {
    /// Offers for which a hosted checkout was opened instead.
    pub opened: u64,
    /// Those of them that were paid there.
    pub paid: u64,
}

/// Looking into the store.
#[async_trait]
pub trait Support: Send + Sync {
    /// Attempts, the newest first.
    async fn list_attempts(&self, filter: &AttemptFilter) -> Result<Vec<AttemptRow>, StoreError>;

    /// Attempts by state; states without any are left out.
    async fn count_attempts(&self) -> Result<Vec<StateCount>, StoreError>;

    /// Returns how often the checkout was hosted because no saved method might be charged.
    async fn withheld(&self) -> Result<Withheld, StoreError>;

    /// Payments seen of an attempt, the earliest first.
    async fn payments_of(&self, id: &AttemptId) -> Result<Vec<PaymentOnRecord>, StoreError>;
}
