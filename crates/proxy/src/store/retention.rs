//! Keeping no more than is needed: what outlives a purge, charges that go whole, and forgetting a buyer. What may go and when is
//! decided in [`upsell_core::policy::retention`].

use async_trait::async_trait;
use dodo_client::ids::{CustomerId, PaymentId};
use upsell_core::{
    domain::{CustomerHash, Person},
    policy::retention::{Charge, Hold, LetGo},
};
use wire::{AttemptId, ProductId, UnixSeconds};

use super::{Cursor, StoreError};

/// Decides over one charge whether it may go.
pub type MayGo<'a> = &'a mut (dyn FnMut(&Charge) -> bool + Send);

/// Decides over one charge of a buyer who is to be forgotten why it stays for now; `None` where it may go.
pub type Outlasts<'a> = &'a (dyn Fn(&Charge) -> Option<Hold> + Sync);

/// Rows of a buyer that go.
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

/// Place at which forgetting a buyer goes on. Charges go first: what is left of them says which payments still matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForgetPlace {
    /// Charges, after this attempt.
    Charges(String),
    /// Purchases. What was bought stays known as owned.
    Purchases,
    /// Offers to which no attempt refers. What was taken stays known as owned.
    Offers,
    /// Quotes, events, and who paid for somebody else.
    Rest,
    /// Webhooks about the buyer that wait, after this one. Left in their place while a charge is held: one may decide it.
    Webhooks(Cursor),
}

impl ForgetPlace {
    /// Returns the place before everything.
    #[must_use]
    pub fn start() -> Self {
        Self::Charges(String::new())
    }
}

/// Result of one step of forgetting a buyer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForgetStep {
    /// Charges deleted.
    pub charges: u64,
    /// Charges that stay for now, and why.
    pub held: Vec<(AttemptId, Hold)>,
    /// Place of the next step; absent where there is nothing more.
    pub next: Option<ForgetPlace>,
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

    /// Notes that a buyer was forgotten at `at` and is due until [`Retention::forgotten_again`], and ends their sessions. From here
    /// on nothing of before is written about the buyer. Refusals stay, by keyed hash.
    async fn begin_forgetting(
        &self,
        customer: &CustomerId,
        at: UnixSeconds,
        until: Until,
    ) -> Result<(), StoreError>;

    /// Deletes up to `most` rows of one kind about a buyer with all that refers to them, except charges that `outlasts` names a
    /// reason for. Refusals and ownership stay, by keyed hash, and tombstones.
    async fn forget_step(
        &self,
        customer: &CustomerId,
        until: Until,
        place: ForgetPlace,
        most: u32,
        outlasts: Outlasts<'_>,
    ) -> Result<ForgetStep, StoreError>;

    /// Notes that somebody owns products whose purchase is not kept.
    async fn note_owned(&self, person: &Person, products: &[ProductId]) -> Result<(), StoreError>;

    /// Notes a buyer who was forgotten before this store's rows were written; `false` where that is known. Until
    /// [`Retention::forgotten_again`], the buyer is due to be forgotten again.
    async fn note_forgotten(&self, customer: &CustomerHash, at: UnixSeconds) -> Result<bool, StoreError>;

    /// Notes that nothing more of this buyer from up to `at` is in the store. A buyer who was forgotten later stays due.
    async fn forgotten_again(&self, customer: &CustomerHash, at: UnixSeconds) -> Result<(), StoreError>;

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
