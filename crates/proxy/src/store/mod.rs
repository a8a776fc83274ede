//! What the proxy remembers, as a port: the engine behind it is chosen at start-up.
//!
//! A store is opened for one [`Tenant`](crate::domain::Tenant); every call below means that tenant's rows only, and
//! where a buyer asks, that buyer's. Each method is one transaction: either all of it is on disk when it returns, or
//! nothing. No method waits for the network. Rules live in `policy`; the one rule applied in here is
//! [`policy::settle`](crate::policy::settle), because merging has to happen inside the transaction.
//!
//! One file a concern: sessions, offers and declines, charging, sales, webhooks, news, coming back from a backup. [`sqlite`]
//! and [`postgres`] are the engines; the statements in `sql/` are written once for both, and `contract/` is what either has
//! to keep.

mod charging;
mod offers;
mod open;
mod outbox;
mod people;
mod plan_changes;
pub mod postgres;
mod restore;
mod sales;
pub mod sqlite;
#[cfg(test)]
mod statements_tests;
mod support;

use async_trait::async_trait;

pub use charging::{Attempts, Claim, ClaimRequest, KeptKey, Quotes, Release, Settled, Settlement};
pub use offers::{DeclineOutcome, Inserted, Offers, Refusal};
pub use open::{Condition, Database, DatabaseError, OpenError, Opened, examine, open, open_read_only};
pub use outbox::{Backlog, DueNotice, Outbox};
pub use people::{Inbox, InboxInsert, People};
pub use plan_changes::Changes;
pub use restore::{LastSign, Rebuilding, Restore, Took};
pub use sales::{Conclusion, RefundOrders, Sales};
pub use support::{AttemptFilter, StateCount, Support};

/// A store as a thing that is up, or not.
#[async_trait]
pub trait Life: Send + Sync {
    /// Answers a trivial question: the store is there and can be read.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Finishes what is under way and lets go of the store.
    async fn close(&self);
}

/// Everything that the proxy remembers.
pub trait Store:
    Life
    + People
    + Offers
    + Quotes
    + Attempts
    + Changes
    + Sales
    + RefundOrders
    + Inbox
    + Outbox
    + Restore
    + Support
{
}

impl<
    T: Life
        + People
        + Offers
        + Quotes
        + Attempts
        + Changes
        + Sales
        + RefundOrders
        + Inbox
        + Outbox
        + Restore
        + Support,
> Store for T
{
}

/// Why the store did not do what was asked. Nothing was changed, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine failed: disk full, locked for too long, file gone. After a failed commit it is not known whether the
    /// change is there; callers on the charging path treat it as "it may be".
    #[error("the store failed")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A stored value does not read back: written by a newer version, or damaged.
    #[error("the store holds an unreadable value in {0}")]
    Unreadable(&'static str),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Engine(Box::new(error))
    }
}
