//! What the proxy remembers, as a port: the engine behind it is chosen at start-up.
//!
//! A store is opened for one [`Tenant`](crate::domain::Tenant); every call below means that tenant's rows only, and
//! where a buyer asks, that buyer's. Each method is one transaction: either all of it is on disk when it returns, or
//! nothing. No method waits for the network. Rules live in `policy`; the one rule applied in here is
//! [`policy::settle`](crate::policy::settle), because merging has to happen inside the transaction.
//!
//! One file a concern: sessions, offers and declines, charging, webhooks.

mod charging;
mod offers;
mod people;
pub mod sqlite;

pub use charging::{Attempts, Claim, ClaimRequest, KeptKey, Quotes, Settled, Settlement};
pub use offers::{DeclineOutcome, Inserted, Offers, Refusal};
pub use people::{Inbox, InboxInsert, People};

/// Everything that the proxy remembers.
pub trait Store: People + Offers + Quotes + Attempts + Inbox {}

impl<T: People + Offers + Quotes + Attempts + Inbox> Store for T {}

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
