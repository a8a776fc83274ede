//! Plan changes, counted.

use async_trait::async_trait;
use upsell_core::domain::PlanChanges;
use wire::UnixSeconds;

use super::StoreError;

/// What became of plans.
#[async_trait]
pub trait Changes: Send + Sync {
    /// How many subscriptions went from which plan to which, by changes made here since then: each subscription by the
    /// latest of its own. Of all changes, other seats and add-ons on the same plan among them, the latest `most` are
    /// looked at. What is not known to have been made from a plan is not counted.
    async fn plan_changes(&self, since: UnixSeconds, most: u32) -> Result<Vec<PlanChanges>, StoreError>;
}
