//! Quotes and attempts: the journal that is written before, and after, anything that may move money.

use async_trait::async_trait;
use dodo_client::ids::{CheckoutSessionId, CustomerId, PaymentId, SubscriptionId};
use wire::{AttemptId, IdempotencyKey, OfferId, QuoteId, UnixSeconds};

use super::StoreError;
use crate::{
    domain::{AttemptRow, AttemptState, HistoryEntry, OfferState, QuoteRow, SeenPayment, Source},
    policy::{refunds::RefundRules, settle::Observation},
};

/// Quotes.
#[async_trait]
pub trait Quotes: Send + Sync {
    /// Keeps a quote.
    async fn put_quote(&self, quote: &QuoteRow) -> Result<(), StoreError>;

    /// A quote of this buyer, expired or not.
    async fn quote(&self, customer: &CustomerId, id: &QuoteId) -> Result<Option<QuoteRow>, StoreError>;

    /// Deletes quotes that expired before `before` and were never tried to be collected. Returns how many.
    async fn purge_quotes(&self, before: UnixSeconds) -> Result<u64, StoreError>;

    /// The latest quote of an offer that is good until after `now`.
    async fn live_quote(
        &self,
        customer: &CustomerId,
        offer: &OfferId,
        now: UnixSeconds,
    ) -> Result<Option<QuoteRow>, StoreError>;
}

/// What is to be claimed. The attempt's number is given by the store.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    /// As it is to be written: `claimed`, with a key.
    pub attempt: AttemptRow,
    /// Offer states from which it may be claimed.
    pub from: &'static [OfferState],
}

/// What came of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The attempt is written and is the only live one. The row has its number.
    Claimed(AttemptRow),
    /// The key was used before by this buyer; here is that attempt.
    KeyUsed(AttemptRow),
    /// The offer is in a state from which it cannot be claimed, or over.
    OfferNotOpen(OfferState),
    /// Another attempt is live on the subscription.
    SubscriptionBusy,
    /// No such offer of this buyer.
    OfferNotFound,
    /// The store holds less than this process has seen in it: nothing may be claimed until it is rebuilt.
    StoreWentBack,
}

/// What happens to the browser's key when an attempt is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptKey {
    /// The answer is final for this key.
    Kept,
    /// The same request may be made again with it.
    Freed,
}

/// What was observed of an attempt, and what came to be known with it. Absent fields stay as they are.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// How it stands.
    pub observation: Observation,
    /// Who found out.
    pub source: Source,
    /// When.
    pub at: UnixSeconds,
    /// Dodo's payment.
    pub payment: Option<SeenPayment>,
    /// Dodo's checkout session.
    pub checkout_session_id: Option<CheckoutSessionId>,
    /// Hosted page.
    pub checkout_url: Option<String>,
    /// With a success.
    pub receipt: Option<wire::Receipt>,
    /// When to look next, if it is still undecided afterwards.
    pub next_check_at: Option<UnixSeconds>,
    /// What goes back, should the payment be money that should not be there.
    pub refund: RefundRules,
}

impl Settlement {
    /// Only an observation.
    #[must_use]
    pub fn of(observation: Observation, source: Source, at: UnixSeconds) -> Self {
        Self {
            observation,
            source,
            at,
            payment: None,
            checkout_session_id: None,
            checkout_url: None,
            receipt: None,
            next_check_at: None,
            refund: RefundRules::default(),
        }
    }
}

/// What settling did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The state before.
    pub before: AttemptState,
    /// The row after.
    pub row: AttemptRow,
    /// Money that came in although another attempt of the same offer was live or had collected, or another payment of
    /// this attempt had: the merchant has to look. Said once for each payment.
    pub surplus: bool,
}

/// Taking an attempt back.
#[derive(Clone, Debug)]
pub struct Release<'a> {
    /// The state that it has to be in: `claimed`, or `sent` when the request provably was not executed.
    pub from: AttemptState,
    /// The new quote, when it is taken back because the amount had changed.
    pub replacement: Option<&'a QuoteId>,
    /// What happens to the browser's key.
    pub key: KeptKey,
    /// When.
    pub at: UnixSeconds,
}

/// Attempts.
#[async_trait]
pub trait Attempts: Send + Sync {
    /// Claims: the offer goes to `accepting` and the attempt is written, or neither. Refuses an offer that is over at
    /// the attempt's `created_at`.
    async fn claim(&self, request: &ClaimRequest) -> Result<Claim, StoreError>;

    /// `claimed` becomes `sent`, if the lease is this store's and good until after `now`, and the offer still this
    /// attempt's. From the moment this returns `true` the request may have left. `false`: it must not leave.
    async fn mark_sent(
        &self,
        attempt: &AttemptRow,
        now: UnixSeconds,
        next_check_at: UnixSeconds,
    ) -> Result<bool, StoreError>;

    /// Calls an attempt off. The offer is open again, as it was. `false` when the attempt was not in `release.from`.
    async fn release(&self, id: &AttemptId, release: &Release<'_>) -> Result<bool, StoreError>;

    /// Merges an observation. May be called by anybody, in any order, any number of times. `None`: no such attempt.
    async fn settle(&self, id: &AttemptId, settlement: &Settlement) -> Result<Option<Settled>, StoreError>;

    /// Gives up waiting: `unknown` and `pending` become `abandoned`; every other state stays.
    async fn abandon(
        &self,
        id: &AttemptId,
        at: UnixSeconds,
        next_check_at: UnixSeconds,
    ) -> Result<bool, StoreError>;

    /// Notes that an attempt was looked up at `at`.
    async fn note_look(
        &self,
        id: &AttemptId,
        at: UnixSeconds,
        clean_after_deadline: bool,
        next_check_at: Option<UnixSeconds>,
    ) -> Result<(), StoreError>;

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

    /// Takes up to `limit` attempts whose time to be looked up has come, under a lease until `lease_until`, so that
    /// nobody else takes them meanwhile.
    async fn take_due(
        &self,
        now: UnixSeconds,
        lease_until: UnixSeconds,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, StoreError>;

    /// After a start: makes every live attempt due at once that nobody can be at work on. In a store of one process
    /// those are all of them, and their leases end; in a shared one, those whose lease is over at `now`. Returns how many
    /// there are.
    async fn make_live_due(&self, now: UnixSeconds) -> Result<u64, StoreError>;
}
