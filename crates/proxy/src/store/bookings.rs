//! Changes of plans that are booked for the next billing date.

use async_trait::async_trait;
use dodo_client::ids::SubscriptionId;
use upsell_core::domain::AttemptRow;

use super::StoreError;

/// What was booked and has not ended, as far as it is known here.
#[async_trait]
pub trait Bookings: Send + Sync {
    /// Returns the attempts that booked a change of this subscription whose end is not recorded, the latest first.
    async fn open_bookings(&self, id: &SubscriptionId) -> Result<Vec<AttemptRow>, StoreError>;
}
