//! Sessions, nonces, purchases, reported events.

use async_trait::async_trait;
use dodo_client::ids::{CheckoutSessionId, CustomerId, PaymentId};
use secrecy::SecretString;
use upsell_core::domain::{Browser, Purchase, Session, TokenHash, TriggerEvent};
use wire::{Trigger, UnixSeconds};

use super::StoreError;

/// Who asks, and what they have bought.
#[async_trait]
pub trait People: Send + Sync {
    /// Keeps a session.
    async fn put_session(&self, session: &Session) -> Result<(), StoreError>;

    /// Key of the hashes of e-mail addresses: made with the store, kept by every copy of it.
    fn email_key(&self) -> &SecretString;

    /// Has a session follow this purchase, the newest, from now on, unless it follows one already.
    async fn follow_purchase(&self, token: TokenHash, payment: &PaymentId) -> Result<(), StoreError>;

    /// Notes that what a session names is its buyer's.
    async fn confirm_session(&self, token: TokenHash) -> Result<(), StoreError>;

    /// Deletes a session that was never confirmed, so that its token is worth nothing.
    async fn revoke_session(&self, token: TokenHash) -> Result<(), StoreError>;

    /// The session of a token, unless unknown or over at `now`.
    async fn session(&self, token: TokenHash, now: UnixSeconds) -> Result<Option<Session>, StoreError>;

    /// Binds a session to a browser, unless it is bound already. Returns whether it was free: of several at the same time exactly
    /// one finds it so.
    async fn bind_session(&self, token: TokenHash, browser: &Browser) -> Result<bool, StoreError>;

    /// Keeps the one-time code of a session, in place of an earlier one that was not exchanged.
    async fn put_handover(
        &self,
        token: TokenHash,
        code: TokenHash,
        until: UnixSeconds,
    ) -> Result<(), StoreError>;

    /// Takes the session of a one-time code, unless unknown or over at `now`: `Some` exactly once.
    async fn take_handover(&self, code: TokenHash, now: UnixSeconds) -> Result<Option<Session>, StoreError>;

    /// Keeps a nonce for the checkout that it goes with, and the browser that began it.
    async fn put_nonce(
        &self,
        nonce: TokenHash,
        browser: TokenHash,
        checkout: &CheckoutSessionId,
        expires_at: UnixSeconds,
    ) -> Result<(), StoreError>;

    /// The checkout of a nonce, unless unknown, begun in another browser, over at `now` or redeemed. Does not redeem it.
    async fn nonce(
        &self,
        nonce: TokenHash,
        browser: TokenHash,
        now: UnixSeconds,
    ) -> Result<Option<CheckoutSessionId>, StoreError>;

    /// Redeems a nonce in the browser that began its checkout: `Some` exactly once.
    async fn redeem_nonce(
        &self,
        nonce: TokenHash,
        browser: TokenHash,
        now: UnixSeconds,
    ) -> Result<Option<CheckoutSessionId>, StoreError>;

    /// Keeps a purchase; a later report of the same payment fills in what the earlier one lacked.
    async fn upsert_purchase(&self, purchase: &Purchase) -> Result<(), StoreError>;

    /// A purchase of this buyer.
    async fn purchase(
        &self,
        customer: &CustomerId,
        payment: &PaymentId,
    ) -> Result<Option<Purchase>, StoreError>;

    /// This buyer's purchases, the latest first.
    async fn purchases_of(&self, customer: &CustomerId) -> Result<Vec<Purchase>, StoreError>;

    /// This buyer's latest purchase.
    async fn latest_purchase(&self, customer: &CustomerId) -> Result<Option<Purchase>, StoreError>;

    /// Keeps a reported event.
    async fn put_trigger(&self, event: &TriggerEvent) -> Result<(), StoreError>;

    /// This buyer's latest event of that kind.
    async fn latest_trigger(
        &self,
        customer: &CustomerId,
        trigger: Trigger,
    ) -> Result<Option<TriggerEvent>, StoreError>;
}
