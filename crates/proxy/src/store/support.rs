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

/// How many attempts are in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateCount {
    /// The state.
    pub state: AttemptWord,
    /// How many.
    pub attempts: u64,
    /// When the oldest of them was claimed.
    pub oldest: UnixSeconds,
}

/// Looking into the store.
#[async_trait]
pub trait Support: Send + Sync {
    /// Attempts, the newest first.
    async fn list_attempts(&self, filter: &AttemptFilter) -> Result<Vec<AttemptRow>, StoreError>;

    /// Attempts by state; states without any are left out.
    async fn count_attempts(&self) -> Result<Vec<StateCount>, StoreError>;

    /// Payments seen of an attempt, the earliest first.
    async fn payments_of(&self, id: &AttemptId) -> Result<Vec<PaymentOnRecord>, StoreError>;
}
