//! Quotes and attempts, read and taken. What is decided about attempts goes through [`super::journal`].

use async_trait::async_trait;
use dodo_client::ids::{CheckoutSessionId, CustomerId, PaymentId, SubscriptionId};
use upsell_core::{
    domain::{AttemptRow, HistoryEntry, QuoteRow},
    policy::reconcile_schedule::AgeGroup,
};
use wire::{AttemptId, IdempotencyKey, OfferId, QuoteId, UnixSeconds};

use super::StoreError;

/// Quotes.
#[async_trait]
pub trait Quotes: Send + Sync {
    /// Keeps a quote.
    async fn put_quote(&self, quote: &QuoteRow) -> Result<(), StoreError>;

    /// A quote of this buyer, expired or not.
    async fn quote(&self, customer: &CustomerId, id: &QuoteId) -> Result<Option<QuoteRow>, StoreError>;

    /// The latest quote of an offer that is good until after `now`.
    async fn live_quote(
        &self,
        customer: &CustomerId,
        offer: &OfferId,
        now: UnixSeconds,
    ) -> Result<Option<QuoteRow>, StoreError>;
}

/// Attempts.
#[async_trait]
pub trait Attempts: Send + Sync {
    /// What happened to an attempt, the oldest first.
    async fn history(&self, id: &AttemptId) -> Result<Vec<HistoryEntry>, StoreError>;

    /// An attempt of this buyer.
    async fn attempt(&self, customer: &CustomerId, id: &AttemptId) -> Result<Option<AttemptRow>, StoreError>;

    /// The attempt made with this key by this buyer.
    async fn attempt_by_key(
        &self,
        customer: &CustomerId,
        key: &IdempotencyKey,
    ) -> Result<Option<AttemptRow>, StoreError>;

    /// The attempt with this id, whoever's it is. For evidence from Dodo, which names attempts by our metadata.
    async fn attempt_by_id(&self, id: &AttemptId) -> Result<Option<AttemptRow>, StoreError>;

    /// The attempt that this payment or checkout belongs to. For evidence from Dodo.
    async fn attempt_by_upstream(
        &self,
        payment: &PaymentId,
        checkout: Option<&CheckoutSessionId>,
    ) -> Result<Option<AttemptRow>, StoreError>;

    /// The latest attempt of an offer, released ones left out.
    async fn latest_attempt(&self, offer: &OfferId) -> Result<Option<AttemptRow>, StoreError>;

    /// The live attempt on a subscription.
    async fn live_attempt(&self, subscription: &SubscriptionId) -> Result<Option<AttemptRow>, StoreError>;

    /// Whether another change of the same subscription was sent after this attempt and not refused.
    async fn is_followed(&self, row: &AttemptRow) -> Result<bool, StoreError>;

    /// Takes up to `limit` attempts of an age group whose time to be looked up has come, under a lease until `lease_until`,
    /// so that nobody else takes them meanwhile.
    async fn take_due(
        &self,
        group: AgeGroup,
        now: UnixSeconds,
        lease_until: UnixSeconds,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, StoreError>;

    /// After a start: makes every live attempt due at once that nobody can be at work on. In a store of one process
    /// those are all of them, and their leases end; in a shared one, those whose lease is over at `now`. Returns how many
    /// there are.
    async fn make_live_due(&self, now: UnixSeconds) -> Result<u64, StoreError>;
}
