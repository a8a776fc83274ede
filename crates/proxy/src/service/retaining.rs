//! Keeping no more than is needed: now and then everything whose period is over goes, in small steps with a pause after each,
//! so that whoever waits for the store's writer gets it. What may go is decided in [`upsell_core::policy::retention`].

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use upsell_core::policy::retention::{self, Periods};
use wire::UnixSeconds;

use super::{
    forgetting::{ForgetError, Forgetting},
    purging::{STEP, pause, purge},
};
use crate::{
    clock::Clock,
    store::{Cursor, Purge, Store, StoreError},
};

/// Time between two passes over everything.
const PACE: Duration = Duration::from_secs(3600);

/// The worker.
pub struct Retaining {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Periods for which rows are kept.
    pub periods: Periods,
    /// The merchant's system takes notifications.
    pub notifies: bool,
    /// Forgets again what a restore has brought back.
    pub forgetting: Arc<Forgetting>,
}

/// Result of a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// Charges deleted, each with everything that belongs to it.
    pub charges: u64,
    /// Other rows deleted or reduced.
    pub rows: u64,
}

impl Retaining {
    /// Works until cancelled. A store that has lost commits is left alone until it has been compared with Dodo.
    pub async fn run(&self, cancel: CancellationToken) {
        let work = async {
            loop {
                self.forgetting.charging.gate().opened().await;
                match self.pass().await {
                    Ok(gone) if gone != Retained::default() => {
                        tracing::info!(charges = gone.charges, rows = gone.rows, "deleted what was old");
                    }
                    Ok(_) => {}
                    Err(error) => tracing::warn!(%error, "failed to delete what is old"),
                }
                tokio::time::sleep(PACE).await;
            }
        };
        tokio::select! {
            () = cancel.cancelled() => {}
            () = work => {}
        }
    }

    /// Goes through everything once. What fails keeps nothing else from going.
    ///
    /// # Errors
    /// The first failure, at the end. What was deleted stays deleted.
    pub async fn pass(&self) -> Result<Retained, ForgetError> {
        let now = self.clock.now();
        let mut failed = self.forgetting.forget_again().await.err();
        let mut take = |result: Result<u64, StoreError>| {
            result.unwrap_or_else(|error| {
                failed.get_or_insert(error.into());
                0
            })
        };
        let charges = take(self.purge_charges(now).await);
        let mut rows = 0_u64;
        for what in Purge::ALL {
            rows = rows.saturating_add(take(self.purge(what, now).await));
        }
        rows = rows.saturating_add(take(self.hash_refusals().await));
        take(self.drop_locks().await.map(|()| 0));
        failed.map_or(Ok(Retained { charges, rows }), Err)
    }

    /// Refusals from before customers were known by keyed hash.
    async fn hash_refusals(&self) -> Result<u64, StoreError> {
        let mut hashed = 0_u64;
        loop {
            let changed = self.store.hash_refusals(STEP).await?;
            hashed = hashed.saturating_add(changed);
            if !more_after_a_pause(changed).await {
                return Ok(hashed);
            }
        }
    }

    async fn drop_locks(&self) -> Result<(), StoreError> {
        while more_after_a_pause(self.store.drop_locks(STEP).await?).await {}
        Ok(())
    }

    /// The time before which rows of one kind are old; absent where none are.
    async fn before(&self, what: Purge, now: UnixSeconds) -> Result<Option<UnixSeconds>, StoreError> {
        let periods = &self.periods;
        let period = match what {
            Purge::Sessions | Purge::Nonces => 0,
            Purge::Quotes => periods.quotes,
            Purge::Webhooks | Purge::PaymentLinks => periods.webhooks,
            Purge::EndedNotifications if self.notifies => periods.notifications,
            Purge::Notifications if !self.notifies => periods.unwanted_notifications,
            Purge::EndedNotifications | Purge::Notifications => return Ok(None),
            Purge::Purchases => periods.purchases,
            Purge::PurchaseAddresses | Purge::OfferAddresses | Purge::QuoteAddresses => periods.addresses,
            Purge::Events => periods.events,
            Purge::Offers => periods.offers,
            Purge::Refunds | Purge::Disputes | Purge::ForeignPayments => periods.reports,
            Purge::Tombstones => {
                return Ok(self.store.kept_since().await?.map(retention::tombstones_before));
            }
        };
        Ok(Some(retention::cutoff(now, period)))
    }

    async fn purge(&self, what: Purge, now: UnixSeconds) -> Result<u64, StoreError> {
        match self.before(what, now).await? {
            Some(before) => purge(&*self.store, what, before).await,
            None => Ok(0),
        }
    }

    /// Each charge in a transaction of its own, under its buyer's lock. One that does not read back stays, and is reported.
    async fn purge_charges(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        let before = retention::cutoff(now, self.periods.charges);
        // First, so that no report of a charge that goes is taken for a loss.
        self.store.keep_since(before).await?;
        let (mut purged, mut place) = (0_u64, Cursor::start());
        loop {
            let page = self.store.old_attempts(before, &place, STEP).await?;
            let Some((last, _)) = page.last() else { return Ok(purged) };
            place = last.clone();
            for (_, id) in &page {
                let may_go = &mut |charge: &retention::Charge| retention::may_go(charge, &self.periods, now);
                match self.store.purge_charge(id, may_go).await {
                    Ok(true) => purged = purged.saturating_add(1),
                    Ok(false) => {}
                    Err(StoreError::Unreadable(what)) => {
                        tracing::error!(%id, what, "failed to read an old charge; it is kept");
                    }
                    Err(error) => return Err(error),
                }
                tokio::task::yield_now().await;
            }
            pause().await;
        }
    }
}

/// Says whether a step that changed so many rows may have left some, after a pause.
async fn more_after_a_pause(changed: u64) -> bool {
    let more = changed >= u64::from(STEP);
    if more {
        pause().await;
    }
    more
}
