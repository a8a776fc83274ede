//! Keeping no more than is needed: what outlives a purge, charges that go whole, and forgetting a buyer. What may go and when is
//! decided in [`upsell_core::policy::retention`].

use async_trait::async_trait;
use dodo_client::ids::{CustomerId, PaymentId};
use upsell_core::{
    domain::{CustomerHash, Person},
    policy::retention::{Charge, LetGo},
};
use wire::{AttemptId, ProductId, UnixSeconds};

use super::{Cursor, StoreError};

/// Decides over one charge whether it may go.
pub type MayGo<'a> = &'a mut (dyn FnMut(&Charge) -> bool + Send);

/// Decides over the charges of a buyer whether everything about the buyer may go.
pub type MayForget<'a> = &'a mut (dyn FnMut(&[Charge]) -> bool + Send);

/// Which rows of a buyer go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// All that there are.
    Now,
    /// Those from up to a moment: what the buyer did afterwards stays.
    Then(UnixSeconds),
}

impl Until {
    /// Returns the time of the last rows that go.
    #[must_use]
    pub fn last(self) -> UnixSeconds {
        match self {
            Self::Now => UnixSeconds(i64::MAX),
            Self::Then(at) => at,
        }
    }
}

/// Result of forgetting a buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgot {
    /// Nothing was done: a charge of the buyer has to be kept.
    Held,
    /// Everything is gone, with so many charges.
    Gone {
        /// Charges deleted.
        charges: u64,
    },
}

/// Retention and forgetting.
#[async_trait]
pub trait Retention: Send + Sync {
    /// Returns the keyed hash under which a customer stays known.
    fn customer_hash(&self, customer: &CustomerId) -> CustomerHash;

    /// Replaces up to `most` customer ids in the decline ledger by their keyed hashes. Returns how many.
    async fn hash_refusals(&self, most: u32) -> Result<u64, StoreError>;

    /// Deletes up to `most` lock rows that nobody holds. Returns how many; there are none where one process has the store.
    async fn drop_locks(&self, most: u32) -> Result<u64, StoreError>;

    /// Returns up to `most` attempts that were made before `before`, the oldest first, from a place on.
    async fn old_attempts(
        &self,
        before: UnixSeconds,
        after: &Cursor,
        most: u32,
    ) -> Result<Vec<(Cursor, AttemptId)>, StoreError>;

    /// Deletes an attempt with everything that refers to it, if `may_go` says so over what is on record. Tombstones stay.
    async fn purge_charge(&self, id: &AttemptId, may_go: MayGo<'_>) -> Result<bool, StoreError>;

    /// Remembers that charges from before this time may have gone. It only grows.
    async fn keep_since(&self, at: UnixSeconds) -> Result<(), StoreError>;

    /// Returns the time before which charges may have gone.
    async fn kept_since(&self) -> Result<Option<UnixSeconds>, StoreError>;

    /// Returns what the store knows of something that it does not hold.
    async fn let_go(
        &self,
        attempt: Option<&AttemptId>,
        payment: &PaymentId,
        customer: &CustomerId,
    ) -> Result<LetGo, StoreError>;

    /// Returns what this person owns although the purchase or offer has gone.
    async fn owned_by(&self, person: &Person) -> Result<Vec<ProductId>, StoreError>;

    /// Deletes everything about a buyer, if `may_forget` says so, and notes that it was forgotten at `at`. Refusals and ownership stay,
    /// by keyed hash, and tombstones.
    async fn forget(
        &self,
        customer: &CustomerId,
        at: UnixSeconds,
        until: Until,
        may_forget: MayForget<'_>,
    ) -> Result<Forgot, StoreError>;

    /// Notes a buyer who was forgotten before this store's rows were written; `false` where that is known. Until
    /// [`Retention::forgotten_again`], the buyer is due to be forgotten again.
    async fn note_forgotten(&self, customer: &CustomerHash, at: UnixSeconds) -> Result<bool, StoreError>;

    /// Notes that nothing more of this buyer is in the store.
    async fn forgotten_again(&self, customer: &CustomerHash) -> Result<(), StoreError>;

    /// Returns up to `most` buyers who were forgotten and when, or only of those who are due to be forgotten again, in the order of
    /// their hashes from one on.
    async fn forgotten(
        &self,
        only_due: bool,
        after: &str,
        most: u32,
    ) -> Result<Vec<(CustomerHash, UnixSeconds)>, StoreError>;

    /// Returns up to `most` customers of which anything is stored, in their order from one on.
    async fn customers(&self, after: &str, most: u32) -> Result<Vec<CustomerId>, StoreError>;
}
