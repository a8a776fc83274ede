//! Coming back from a backup: how a store that has lost commits is told from one that has not, and how what Dodo knows is
//! put back into it.
//!
//! A store says when a proxy on it was last alive. A process remembers that, and the last attempt that it marked as sent.
//! A store that holds less than its process remembers has gone back in time: a backup was put in its place, or a standby
//! took over that had not received everything. A PostgreSQL server that was promoted writes on a timeline of its own; what
//! it holds is compared before anything is accepted, whether or not anything is seen to be missing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use upsell_core::{
    domain::{Fingerprinted, KnownKey, StoreIdentity},
    journal::{LastSign, Stale, Timeline, Watermark},
};
use wire::{AttemptId, UnixSeconds};

use super::StoreError;

/// A store that may have lost commits.
#[async_trait]
pub trait Restore: Send + Sync {
    /// What it is known by at Dodo.
    fn identity(&self) -> &StoreIdentity;

    /// Every key that charges were signed with, as far as the store knows.
    async fn known_keys(&self) -> Result<Vec<KnownKey>, StoreError>;

    /// Remembers keys that charges are signed with. One that is known stays as it is.
    async fn remember_keys(&self, keys: &[Fingerprinted], at: UnixSeconds) -> Result<(), StoreError>;

    /// Remembers that a key may be missing from now on. `false`: it is not known, or was retired before.
    async fn retire_key(&self, id: &str, at: UnixSeconds) -> Result<bool, StoreError>;

    /// What it says of its last moments.
    async fn last_sign(&self) -> Result<LastSign, StoreError>;

    /// Returns what this process remembers of the store beside what the store holds.
    async fn inspect(&self) -> Result<Watermark, StoreError>;

    /// Writes that a proxy is alive at `now`, unless the store is stale: then nothing is written, and why.
    async fn beat(&self, now: UnixSeconds) -> Result<Option<Stale>, StoreError>;

    /// It holds everything again that is to be had: forgets what this process remembered and writes a beat. `restored_at`
    /// is the moment of the backup, where somebody named one; `compared` is the timeline that the store was compared on.
    /// Where the server writes on another by now, nothing is changed: [`StoreError::AnotherServer`].
    async fn begin_anew(
        &self,
        now: UnixSeconds,
        restored_at: Option<UnixSeconds>,
        compared: Option<Timeline>,
    ) -> Result<(), StoreError>;

    /// Remembers that refusals up to `until` may be lost.
    async fn hold_until(&self, until: UnixSeconds) -> Result<(), StoreError>;

    /// Closes up to `most` open offers that were made before then. Returns how many those were.
    async fn withdraw_offers(&self, before: UnixSeconds, most: u32) -> Result<u64, StoreError>;

    /// Up to when refusals may be lost, if they may.
    async fn held_until(&self) -> Result<Option<UnixSeconds>, StoreError>;
}

/// What a process knows to be in its store.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Known>);

/// The contents of a [`Memory`].
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// The last beat written or read.
    pub(super) beat: Option<UnixSeconds>,
    /// The last attempt marked as sent.
    pub(super) sent: Option<AttemptId>,
    /// The timeline that the store was opened or last compared on.
    pub(super) timeline: Option<Timeline>,
}

impl Memory {
    /// One that knows of a beat from before.
    pub(super) fn of_beat(beat: Option<UnixSeconds>) -> Self {
        Self(Mutex::new(Known { beat, ..Known::default() }))
    }

    /// One that knows which server it opened the store on.
    pub(super) fn of_timeline(timeline: Option<Timeline>) -> Self {
        Self(Mutex::new(Known { timeline, ..Known::default() }))
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn known(&self) -> Known {
        self.lock().clone()
    }

    pub(super) fn sent(&self, attempt: &AttemptId) {
        self.lock().sent = Some(attempt.clone());
    }

    pub(super) fn beat(&self, beat: UnixSeconds) {
        self.lock().beat = Some(beat);
    }

    pub(super) fn begin_anew(&self, beat: UnixSeconds, timeline: Option<Timeline>) {
        *self.lock() = Known { beat: Some(beat), sent: None, timeline };
    }
}
