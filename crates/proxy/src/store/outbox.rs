//! What is to be told to the merchant's system. Rows come to be in the transactions in which they become true; here they
//! are taken, told, and swept out.

use async_trait::async_trait;
use wire::UnixSeconds;

use super::StoreError;

/// A piece of news whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueNotice {
    /// The same on every try.
    pub id: String,
    /// JSON, sent as it stands.
    pub body: String,
    /// How often it was tried without success.
    pub tries: u32,
}

/// What waits to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// How many: of more than [`COUNTED`](super::COUNTED), so many.
    pub waiting: u64,
    /// When the oldest of them became true.
    pub oldest: Option<UnixSeconds>,
}

/// News on its way out. At least once: what was sent and not marked is sent again, under the same id.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Takes up to `limit` pieces of news that are due, the longest due first, under a lease until `lease_until`, so that
    /// nobody else sends them meanwhile.
    async fn take_due_notices(
        &self,
        now: UnixSeconds,
        lease_until: UnixSeconds,
        limit: u32,
    ) -> Result<Vec<DueNotice>, StoreError>;

    /// Marks one as told; it is not taken again.
    async fn notice_told(&self, id: &str, at: UnixSeconds) -> Result<(), StoreError>;

    /// Notes a try that failed, and when to try next; `None` gives it up. Changes nothing when somebody else has told it
    /// or noted a try since it was taken: a lease may have ended meanwhile.
    async fn notice_failed(
        &self,
        notice: &DueNotice,
        next_try_at: Option<UnixSeconds>,
    ) -> Result<(), StoreError>;

    /// What waits.
    async fn backlog(&self) -> Result<Backlog, StoreError>;
}
