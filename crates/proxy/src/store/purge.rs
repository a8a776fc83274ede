//! Deleting what is old, in steps of a bounded number of rows: one step is one short transaction, so that a store with
//! years of history is purged beside charging and never before it. What may go and when is decided in
//! [`upsell_core::policy::retention`].

use async_trait::async_trait;
use wire::UnixSeconds;

use super::StoreError;

/// A kind of rows that go, or lose what is not needed any more, once they are old, and the time by which they are.
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
    /// Postal codes of purchases, by the time of payment.
    PurchaseAddresses,
    /// Postal codes of offers, by the time at which they were made.
    OfferAddresses,
    /// Postal codes of quotes, by their end.
    QuoteAddresses,
    /// Purchases, by the time of payment. What was bought stays known as owned.
    Purchases,
    /// Events that the merchant reported.
    Events,
    /// Offers to which no attempt refers, by the time at which they were made. What was taken stays known as owned.
    Offers,
    /// Refunds of payments that are not on record, by the time of the report.
    Refunds,
    /// Disputes of payments that are not on record, by the time of the report.
    Disputes,
    /// Payments that name an attempt and are none of its, nor on record otherwise, by the time of the report.
    ForeignPayments,
    /// Tombstones, by the age of what has gone.
    Tombstones,
}

impl Purge {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Sessions,
        Self::Nonces,
        Self::Quotes,
        Self::Webhooks,
        Self::PaymentLinks,
        Self::EndedNotifications,
        Self::Notifications,
        Self::PurchaseAddresses,
        Self::OfferAddresses,
        Self::QuoteAddresses,
        Self::Purchases,
        Self::Events,
        Self::Offers,
        Self::Refunds,
        Self::Disputes,
        Self::ForeignPayments,
        Self::Tombstones,
    ];
}

/// Place in a walk over old rows: the age and the id of the last row that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub UnixSeconds, pub String);

impl Cursor {
    /// Returns the place before every row.
    #[must_use]
    pub fn start() -> Self {
        Self(UnixSeconds(i64::MIN), String::new())
    }
}

/// Result of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Rows deleted or changed.
    pub changed: u64,
    /// Place of the next step; absent where there is nothing more.
    pub next: Option<Cursor>,
}

impl Step {
    /// Returns the result of a step that looked at `seen` rows, changed some of them, and left none to be looked at again.
    #[must_use]
    pub fn of_all(changed: u64, seen: u64, most: u32) -> Self {
        Self { changed, next: (seen >= u64::from(most)).then(Cursor::start) }
    }
}

/// Deletion in steps. Whoever purges calls [`crate::service::purging::purge`], which pauses between steps.
#[async_trait]
pub trait Purging: Send + Sync {
    /// Deletes or reduces rows of one kind that are older than `before`, from a place on, in one transaction that looks at `most`
    /// rows or fewer.
    async fn purge_step(
        &self,
        what: Purge,
        before: UnixSeconds,
        after: &Cursor,
        most: u32,
    ) -> Result<Step, StoreError>;
}
