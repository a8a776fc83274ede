//! What others chose, counted again now and then: the page is looked at far more often than plans are changed.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;
use money::later;
use upsell_core::{
    domain::PlanChanges,
    policy::plan_share,
    rules::{MOST_CHANGES, Recommendation},
};
use wire::{PlanShare, ProductId, UnixSeconds};

use crate::store::Store;

/// How long a count is good.
const COUNT_LIFE: Duration = Duration::from_secs(5 * 60);

/// The latest count.
pub struct Chosen {
    counted: Cache<(), Arc<[PlanChanges]>>,
}

impl Default for Chosen {
    fn default() -> Self {
        Self { counted: Cache::builder().max_capacity(1).time_to_live(COUNT_LIFE).build() }
    }
}

impl Chosen {
    /// The plan to mark for somebody who has `today`, with its share. That it cannot be counted is no reason to show no
    /// page.
    pub(super) async fn most(
        &self,
        store: &dyn Store,
        now: UnixSeconds,
        rule: Recommendation,
        today: &ProductId,
    ) -> Option<(ProductId, PlanShare)> {
        let since = later(now, i64::from(rule.window_days).saturating_mul(-86_400));
        let count = async { store.plan_changes(since, MOST_CHANGES).await.map(Arc::from) };
        match self.counted.try_get_with((), count).await {
            Ok(changes) => plan_share::most_chosen(&changes, today, rule),
            Err(error) => {
                tracing::warn!(%error, "changes of plan could not be counted");
                None
            }
        }
    }
}
