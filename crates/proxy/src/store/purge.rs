//! Deleting what is old, in steps of a bounded number of rows: one step is one short transaction, so that a store with
//! years of history is purged beside charging and never before it.

use async_trait::async_trait;
use wire::UnixSeconds;

use super::StoreError;

/// A kind of rows that are deleted once they are old, and the time by which they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge {
    /// Sessions, by their end.
    Sessions,
    /// Nonces of checkouts that begin in a browser, by their end.
    Nonces,
    /// Quotes that nobody tried to collect, by their end.
    Quotes,
    /// Webhooks that are not tried again, by the time of their receipt.
    Webhooks,
    /// Links on which buyers give another payment method, by their end.
    PaymentLinks,
    /// Notifications that were delivered or given up, by that time. Never one that waits.
    EndedNotifications,
    /// All notifications, by their age: for a merchant who wants none.
    Notifications,
}

/// Result of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purged {
    /// Rows deleted.
    pub deleted: u64,
    /// Whether another step may find more.
    pub more: bool,
}

/// Deletion in steps. Whoever purges calls [`crate::service::purging::purge`], which pauses between steps.
#[async_trait]
pub trait Purging: Send + Sync {
    /// Deletes rows of one kind that are older than `before`, in one transaction that looks at `most` rows or fewer.
    async fn purge_step(&self, what: Purge, before: UnixSeconds, most: u32) -> Result<Purged, StoreError>;
}
