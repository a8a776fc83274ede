//! Webhooks of Dodo, kept raw by their id so that each counts once, and tried again where they could not be applied.

use async_trait::async_trait;
use upsell_core::policy::inbox_schedule::{AfterFailure, WebhookState};
use wire::UnixSeconds;

use super::StoreError;

/// Whether a webhook is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InboxInsert {
    /// Not received before.
    New,
    /// Received, and not applied yet: the process died in between, or is at it, or it could not be applied.
    Unapplied,
    /// Received and applied.
    Duplicate,
}

/// Which of the webhooks that are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// Those that have never failed.
    Never,
    /// Those that have.
    Before,
}

/// A webhook whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueWebhook {
    /// The id under which Dodo sent it.
    pub id: String,
    /// The body, as it came.
    pub raw: Vec<u8>,
    /// Tries that have failed.
    pub tries: u32,
}

/// Webhooks that are not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InboxBacklog {
    /// Their state.
    pub state: WebhookState,
    /// How many there are: of more than [`COUNTED`](super::COUNTED), so many.
    pub webhooks: u64,
    /// When the oldest of them was received.
    pub oldest: Option<UnixSeconds>,
}

/// The inbox. Webhooks are kept longer than Dodo repeats them.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Keeps a webhook whose signature was checked. Unless somebody applies it first, it is due at `first_try_at`.
    async fn inbox_insert(
        &self,
        webhook_id: &str,
        kind: &str,
        raw: &[u8],
        at: UnixSeconds,
        first_try_at: UnixSeconds,
    ) -> Result<InboxInsert, StoreError>;

    /// Marks a webhook as applied; it is not tried again.
    async fn inbox_applied(&self, webhook_id: &str, at: UnixSeconds) -> Result<(), StoreError>;

    /// Takes up to `limit` webhooks that are due, the longest due first. They are due again at `until`, unless something is
    /// recorded of them meanwhile.
    async fn take_due_webhooks(
        &self,
        tried: Tried,
        now: UnixSeconds,
        until: UnixSeconds,
        limit: u32,
    ) -> Result<Vec<DueWebhook>, StoreError>;

    /// Records that the try after `tries` failed ones failed too, by this version of the proxy. Changes nothing where
    /// somebody else has applied it or recorded a try meanwhile.
    async fn webhook_failed(
        &self,
        webhook_id: &str,
        tries: u32,
        next: AfterFailure,
        version: &str,
    ) -> Result<(), StoreError>;

    /// Makes up to `limit` webhooks due at `now` that another version than this one could not read or gave up. Returns how
    /// many those were.
    async fn retry_after_update(
        &self,
        version: &str,
        now: UnixSeconds,
        limit: u32,
    ) -> Result<u64, StoreError>;

    /// Counts the webhooks that are not applied, by their state.
    async fn inbox_backlog(&self) -> Result<Vec<InboxBacklog>, StoreError>;
}
