//! What the proxy remembers, as a port: the engine behind it is chosen at start-up.
//!
//! A store is opened for one [`Tenant`](upsell_core::domain::Tenant); every call below means that tenant's rows only, and
//! where a buyer asks, that buyer's. Each method is one transaction: either all of it is on disk when it returns, or
//! nothing. No method waits for the network. No rule lives here: decisions are made by [`upsell_core::journal`] over what
//! [`Journal::transact`] loads, and written as they were made.
//!
//! One file a concern: sessions, offers and declines, charging, sales, webhooks, news, coming back from a backup. [`sqlite`]
//! and [`postgres`] are the engines; the statements in `sql/` are written once for both, and `contract/` is what either has
//! to keep.

mod bookings;
mod charging;
#[cfg(test)]
mod earlier;
mod events;
mod inbox;
mod journal;
mod offers;
mod open;
mod outbox;
mod payment_links;
mod people;
mod plan_changes;
pub mod postgres;
mod purge;
mod restore;
pub mod retention;
mod sales;
pub mod sqlite;
mod support;
#[cfg(test)]
mod verbs;

use async_trait::async_trait;
use wire::ErrorCode;

pub use bookings::Bookings;
pub use charging::{Attempts, Quotes};
pub use events::{Advance, Events};
pub use inbox::{DueWebhook, Inbox, InboxBacklog, InboxInsert, Tried};
pub use journal::{Decide, Execute, Journal};
pub use offers::{Inserted, Offers};
pub use open::{Condition, Database, DatabaseError, OpenError, Opened, examine, open, open_read_only};
pub use outbox::{Backlog, DueNotice, Outbox};
pub use payment_links::PaymentLinks;
pub use people::People;
pub use plan_changes::Changes;
pub use purge::{Cursor, Purge, Purging, Step};
pub use restore::Restore;
pub use retention::{ForgetPlace, ForgetStep, Retention, Until};
pub use sales::{RefundOrders, Sales};
pub use support::{AttemptFilter, COUNTED, StateCount, Support, Withheld};

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
    + Journal
    + People
    + Offers
    + Quotes
    + Attempts
    + Changes
    + PaymentLinks
    + Bookings
    + Sales
    + RefundOrders
    + Inbox
    + Events
    + Outbox
    + Restore
    + Retention
    + Support
    + Purging
{
}

impl<
    T: Life
        + Journal
        + People
        + Offers
        + Quotes
        + Attempts
        + Changes
        + PaymentLinks
        + Bookings
        + PaymentLinks
        + Sales
        + RefundOrders
        + Inbox
        + Events
        + Outbox
        + Restore
        + Retention
        + Support
        + Purging,
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
    /// Another database server answered than the one that was asked about, or one that was replaced.
    #[error("the database server is not the one that was compared")]
    AnotherServer,
    /// What was loaded for a decision changed before it could be written, again and again.
    #[error("the store is contended")]
    Contended,
    /// A stored value does not read back: written by a newer version, or damaged.
    #[error("the store holds an unreadable value in {0}")]
    Unreadable(&'static str),
}

impl StoreError {
    /// The code that the client sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Engine(_) | Self::AnotherServer | Self::Contended => ErrorCode::Unavailable,
            Self::Unreadable(_) => ErrorCode::Internal,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Engine(Box::new(error))
    }
}
