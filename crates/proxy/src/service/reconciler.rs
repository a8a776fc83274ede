//! Finding out what became of attempts that nobody has settled: those of a process that died, of an answer that was
//! lost, of a webhook that did not come. By looking, never by sending again.
//!
//! When to look and when to give up is decided in [`upsell_core::policy::reconcile_schedule`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use dodo_client::{Priority, http::turn::with_priority};
use futures_util::{StreamExt, stream};
use money::later;
use tokio_util::sync::CancellationToken;
use upsell_core::{
    domain::{AttemptKind, AttemptRow, AttemptState, Observation, PaymentFacts, Source},
    journal::{
        Abandon, KeptKey, RecordLook, Release, Settlement,
        claims::unexecuted,
        states::{is_live, is_watched},
    },
    policy::reconcile_schedule::{self, Look, Next, only_a_listing_tells},
};
use wire::{AttemptId, FailureReason, UnixSeconds};

use super::charging::{CLOCK_SLACK, Charging, LookError};
use crate::{
    clock::Clock,
    gateway::{Gateway, ListingError},
    store::{Execute, Store, StoreError},
};

/// How often the store is asked what is due.
const PACE: Duration = Duration::from_secs(1);
/// Seconds for which attempts are taken. Longer than a round takes when Dodo is slow.
const LEASE: i64 = 120;
/// Attempts taken in one round.
const BATCH: u32 = 1000;
/// Look-ups at the same time.
const ABREAST: usize = 4;
/// Up to so many buyers are listed one by one; beyond, one listing of all is cheaper.
const FEW_BUYERS: usize = 3;

/// The worker.
pub struct Reconciler {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    gateway: Gateway,
    charging: Arc<Charging>,
    listing: Mutex<ListingPause>,
}

/// While Dodo does not list payments it is not asked every second.
#[derive(Default)]
struct ListingPause {
    /// In a row.
    failures: u32,
    until: Option<UnixSeconds>,
}

impl Reconciler {
    /// Over what charging is over.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        gateway: Gateway,
        charging: Arc<Charging>,
    ) -> Self {
        Self { store, clock, gateway, charging, listing: Mutex::default() }
    }

    /// After a start, before anything is accepted: takes up everything that the last process left behind, once, whether
    /// or not Dodo answers. A store that fails here is logged; it will fail whoever asks next as well.
    pub async fn catch_up(&self) {
        if let Err(error) = self.take_up_what_is_left().await {
            tracing::error!(%error, "attempts of the last run could not be taken up");
        }
    }

    async fn take_up_what_is_left(&self) -> Result<(), StoreError> {
        let left_behind = self.store.make_live_due(self.clock.now()).await?;
        if left_behind > 0 {
            tracing::info!(left_behind, "taking up attempts of the last run");
        }
        while self.round().await? >= usize::try_from(BATCH).unwrap_or(usize::MAX) {}
        Ok(())
    }

    /// Works until cancelled.
    pub async fn run(&self, cancel: CancellationToken) {
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = pace.tick() => {}
            }
            if let Err(error) = self.round_if_whole().await {
                tracing::error!(%error, "a round of looking up failed");
            }
        }
    }

    /// Nothing is concluded from a store that has lost commits: what looks unsent there may have been sent.
    async fn round_if_whole(&self) -> Result<(), StoreError> {
        if !self.charging.gate().is_open() {
            return Ok(());
        }
        if let Some(stale) = self.store.inspect().await?.staleness() {
            self.charging.gate().close(stale.into());
            return Ok(());
        }
        self.round().await.map(drop)
    }

    /// Looks up everything that is due. Returns how many attempts that were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn round(&self) -> Result<usize, StoreError> {
        with_priority(Priority::LookUp, self.look_up_what_is_due()).await
    }

    async fn look_up_what_is_due(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let due = self.store.take_due(now, later(now, LEASE), BATCH).await?;
        crate::failpoint!("round.taken");
        let count = due.len();
        let (mut listed, mut single) = (Vec::new(), Vec::new());
        for row in due {
            match self.awaken(row).await? {
                None => {}
                Some(row) if only_a_listing_tells(&row) => listed.push(row),
                Some(row) => single.push(row),
            }
        }
        crate::failpoint!("round.awakened");
        self.look_by_listing(listed).await?;
        let outcomes: Vec<_> =
            stream::iter(single).map(|row| self.look_at_one(row)).buffer_unordered(ABREAST).collect().await;
        outcomes.into_iter().collect::<Result<(), _>>()?;
        Ok(count)
    }

    /// Releases what certainly executed nothing; what was sent and has no outcome is unknown from now on.
    async fn awaken(&self, row: AttemptRow) -> Result<Option<AttemptRow>, StoreError> {
        if let Some(from) = unexecuted(&row) {
            let (attempt, at) = (row.id.clone(), self.clock.now());
            let release = Release { attempt, from, replacement: None, key: KeptKey::Freed, at };
            if self.store.execute(&release).await? {
                tracing::info!(attempt_id = %row.id, "attempt released: it executed nothing");
            }
            return Ok(None);
        }
        if row.state != AttemptState::Sent {
            return Ok(Some(row));
        }
        let settled = self.charging.settle(&row, None, &self.charging.nothing_seen(Source::LookUp)).await?;
        Ok(settled.map(|settled| settled.row))
    }

    /// Charges of which not even an id is known: one listing for many.
    async fn look_by_listing(&self, rows: Vec<AttemptRow>) -> Result<(), StoreError> {
        let Some(oldest) = rows.iter().map(|row| row.created_at).min() else { return Ok(()) };
        let now = self.clock.now();
        let paused_until = self.pause().until.filter(|until| now < *until);
        if let Some(until) = paused_until {
            return self.postpone(&rows, until).await;
        }
        let listing = self.list(&rows, later(oldest, -CLOCK_SLACK)).await;
        crate::failpoint!("listing.done");
        let payments = match listing {
            Ok(payments) => payments,
            Err(error) => {
                let until = self.listing_failed(now);
                tracing::warn!(%error, "payments could not be listed");
                return self.postpone(&rows, until).await;
            }
        };
        *self.pause() = ListingPause::default();
        let mut rows: BTreeMap<AttemptId, AttemptRow> =
            rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        let mut incomplete = BTreeSet::new();
        for payment in payments {
            let Some(id) = payment.named.attempt() else { continue };
            let Some(row) = rows.get_mut(id) else { continue };
            let base = self.charging.nothing_seen(Source::LookUp);
            match self.charging.settle_payment(row, &payment, base).await {
                Ok(weighed) => {
                    if let Some(settled) = weighed.settled() {
                        *row = settled.row;
                    }
                }
                Err(LookError::Store(error)) => return Err(error),
                Err(error) => {
                    tracing::warn!(attempt_id = %row.id, %error, "a payment could not be looked into");
                    incomplete.insert(row.id.clone());
                }
            }
        }
        for row in rows.into_values() {
            let look = if incomplete.contains(&row.id) { Look::Incomplete } else { Look::Idle };
            self.conclude(row, look).await?;
        }
        Ok(())
    }

    /// Notes that it was not to be found out, and to look then.
    async fn postpone(&self, rows: &[AttemptRow], until: UnixSeconds) -> Result<(), StoreError> {
        for row in rows {
            self.record_look(row, false, Some(until)).await?;
        }
        Ok(())
    }

    /// Records that an attempt was looked up, and when to look next; `None` ends looking.
    async fn record_look(
        &self,
        row: &AttemptRow,
        clean_after_deadline: bool,
        next_check_at: Option<UnixSeconds>,
    ) -> Result<(), StoreError> {
        let (attempt, at) = (row.id.clone(), self.clock.now());
        self.store.execute(&RecordLook { attempt, at, clean_after_deadline, next_check_at }).await
    }

    /// Until when to wait.
    fn listing_failed(&self, now: UnixSeconds) -> UnixSeconds {
        let mut pause = self.pause();
        pause.failures = pause.failures.saturating_add(1);
        let until = later(now, reconcile_schedule::pause_after(pause.failures));
        pause.until = Some(until);
        until
    }

    fn pause(&self) -> MutexGuard<'_, ListingPause> {
        self.listing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn list(&self, rows: &[AttemptRow], since: UnixSeconds) -> Result<Vec<PaymentFacts>, ListingError> {
        let buyers: BTreeSet<_> = rows.iter().map(|row| row.customer_id.clone()).collect();
        if buyers.len() > FEW_BUYERS {
            return self.gateway.payments_since(None, None, since).await;
        }
        let mut all = Vec::new();
        for buyer in &buyers {
            all.extend(self.gateway.payments_since(Some(buyer), None, since).await?);
        }
        Ok(all)
    }

    /// Looks one attempt up, by its payment, its checkout or its subscription.
    async fn look_at_one(&self, row: AttemptRow) -> Result<(), StoreError> {
        let looked = match row.kind {
            AttemptKind::PlanChange => self.look_at_change(&row).await.map(|row| (row, Look::Idle)),
            AttemptKind::OneClick | AttemptKind::Hosted => self.charging.look_at_checkout(&row).await,
        };
        crate::failpoint!("look.done");
        match looked {
            Ok((row, look)) => self.conclude(row, look).await,
            Err(LookError::Store(error)) => Err(error),
            Err(error) => {
                tracing::warn!(attempt_id = %row.id, %error, "an attempt could not be looked up");
                self.conclude(row, Look::Incomplete).await
            }
        }
    }

    async fn look_at_change(&self, row: &AttemptRow) -> Result<AttemptRow, LookError> {
        let Some(quote) = self.store.quote(&row.customer_id, &row.quote_id).await? else {
            return Ok(row.clone());
        };
        let settled = self.charging.look_at_change(row, &quote, Source::LookUp).await?;
        Ok(settled.map_or_else(|| row.clone(), |settled| settled.row))
    }

    /// Writes down that it was looked up, and when to look next or that waiting is over.
    async fn conclude(&self, row: AttemptRow, look: Look) -> Result<(), StoreError> {
        if !is_live(row.state) && !is_watched(row.state) {
            return Ok(());
        }
        crate::failpoint!("conclude.begun");
        let now = self.clock.now();
        let clean = look != Look::Incomplete && reconcile_schedule::counts_as_clean(&row, now);
        let row = AttemptRow { clean_looks: row.clean_looks.saturating_add(u32::from(clean)), ..row };
        match reconcile_schedule::next(&row, look, now) {
            Next::LookAt(at) => self.record_look(&row, clean, Some(at)).await,
            Next::Stop => self.record_look(&row, clean, None).await,
            Next::Abandon(watch_from) => {
                self.record_look(&row, clean, Some(watch_from)).await?;
                crate::failpoint!("conclude.abandoning");
                let abandon = Abandon { attempt: row.id.clone(), at: now, next_check_at: watch_from };
                if self.store.execute(&abandon).await? {
                    self.charging.alert("given_up", &row);
                }
                Ok(())
            }
            Next::HostedPageClosed => {
                let cancelled = Observation::Failed(FailureReason::Cancelled);
                let closed = Settlement::of(cancelled, Source::Deadline, now);
                self.charging.settle(&row, None, &closed).await?;
                Ok(())
            }
        }
    }
}
