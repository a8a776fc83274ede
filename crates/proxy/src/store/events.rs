//! How far Dodo's events are known. What follows from that is decided in [`upsell_core::policy::catching_up`].

use async_trait::async_trait;
use upsell_core::policy::catching_up::EventProgress;
use wire::UnixSeconds;

use super::StoreError;

/// Says what progress becomes; `None` leaves it as it is.
pub type Advance<'a> = &'a (dyn Fn(EventProgress) -> Option<EventProgress> + Send + Sync);

/// The last event and what may have been missed.
#[async_trait]
pub trait Events: Send + Sync {
    /// Advances the progress in one transaction and returns it. A store that knows of no event begins at `now`.
    async fn advance_events(
        &self,
        now: UnixSeconds,
        advance: Advance<'_>,
    ) -> Result<EventProgress, StoreError>;
}
