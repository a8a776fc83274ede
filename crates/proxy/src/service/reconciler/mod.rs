//! Finding out what became of attempts that nobody has settled: those of a process that died, of an answer that was
//! lost, of a webhook that did not come. By looking, never by sending again.
//!
//! When to look and when waiting ends is decided in [`upsell_core::policy::reconcile_schedule`]. Fresh and old attempts are
//! looked up apart (I19): each in batches, pauses and listings of its own.

mod listing;

use std::{sync::Arc, time::Duration};

use dodo_client::{Priority, http::turn::with_priority};
use futures_util::{StreamExt, stream};
use money::later;
use tokio_util::sync::CancellationToken;
use upsell_core::{
    domain::{AttemptKind, AttemptRow, AttemptState, Observation, ReviewCause, Source},
    journal::{
        Abandon, KeptKey, RecordLook, Release, Review, Settlement,
        claims::unexecuted,
        states::{is_live, is_watched},
    },
    policy::reconcile_schedule::{self, AgeGroup, Look, Next, only_a_listing_tells},
    rules::WaitingRules,
};
use wire::{AttemptId, FailureReason, UnixSeconds};

use self::listing::Pauses;

use super::charging::{Charging, LookError};
use crate::{
    clock::Clock,
    gateway::Gateway,
    store::{Execute, Store, StoreError},
};

/// How often the store is asked what is due.
const PACE: Duration = Duration::from_secs(1);
/// Seconds for which attempts are taken. Longer than a round takes when Dodo is slow.
const LEASE: i64 = 120;
/// Attempts taken in one round: fresh ones, of which an outage leaves many, and old ones, which can wait.
const fn batch(group: AgeGroup) -> u32 {
    match group {
        AgeGroup::Fresh => 1000,
        AgeGroup::Old => 100,
    }
}
/// Look-ups at the same time.
const ABREAST: usize = 4;

/// The worker.
pub struct Reconciler {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    gateway: Gateway,
    charging: Arc<Charging>,
    waiting: WaitingRules,
    pauses: Pauses,
}

impl Reconciler {
    /// Over what charging is over.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        gateway: Gateway,
        charging: Arc<Charging>,
        waiting: WaitingRules,
    ) -> Self {
        Self { store, clock, gateway, charging, waiting, pauses: Pauses::default() }
    }

    /// After a start, before anything is accepted: takes up everything fresh that the last process left behind, once, whether
    /// or not Dodo answers. What is older comes due as well, and keeps nobody waiting. A store that fails here is logged; it
    /// will fail whoever asks next as well.
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
        let full = usize::try_from(batch(AgeGroup::Fresh)).unwrap_or(usize::MAX);
        while self.round_of(AgeGroup::Fresh).await? >= full {}
        Ok(())
    }

    /// Works until cancelled.
    pub async fn run(&self, cancel: CancellationToken) {
        let [fresh, old] = AgeGroup::ALL.map(|group| self.run_group(group, cancel.clone()));
        tokio::join!(fresh, old);
    }

    async fn run_group(&self, group: AgeGroup, cancel: CancellationToken) {
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = pace.tick() => {}
            }
            if let Err(error) = self.round_if_whole(group).await {
                tracing::error!(%error, ?group, "failed to look up what is due");
            }
        }
    }

    /// Nothing is concluded from a store that has lost commits: what looks unsent there may have been sent.
    async fn round_if_whole(&self, group: AgeGroup) -> Result<(), StoreError> {
        if !self.charging.gate().is_open() {
            return Ok(());
        }
        if let Some(stale) = self.store.inspect().await?.staleness() {
            self.charging.gate().close(stale.into());
            return Ok(());
        }
        self.round_of(group).await.map(drop)
    }

    /// Looks up everything that is due. Returns how many attempts that were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn round(&self) -> Result<usize, StoreError> {
        let fresh = self.round_of(AgeGroup::Fresh).await?;
        Ok(fresh.saturating_add(self.round_of(AgeGroup::Old).await?))
    }

    async fn round_of(&self, group: AgeGroup) -> Result<usize, StoreError> {
        with_priority(Priority::LookUp, self.look_up_what_is_due(group)).await
    }

    async fn look_up_what_is_due(&self, group: AgeGroup) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let due = self.store.take_due(group, now, later(now, LEASE), batch(group)).await?;
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
        self.look_by_listing(listed, group).await?;
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

    /// Looks at an attempt at once whose buyer is to be forgotten, and does not wait for what Dodo calls pending. One on which
    /// somebody is at work is left alone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn stop_waiting_for(&self, id: &AttemptId) -> Result<(), StoreError> {
        let now = self.clock.now();
        let may_look = |row: &AttemptRow| {
            let is_waited_for = matches!(row.state, AttemptState::Unknown | AttemptState::Pending { .. });
            is_waited_for && row.lease_until <= now
        };
        let row = self.store.attempt_by_id(id).await?;
        let Some(row) = row.filter(may_look) else { return Ok(()) };
        let (row, look) = match row.state {
            // Its last evidence said so; the next listing is the reconciler's.
            AttemptState::Pending { .. } if only_a_listing_tells(&row) => (row, Look::UnderWay),
            _ if only_a_listing_tells(&row) => return Ok(()),
            _ => with_priority(Priority::LookUp, self.look(row)).await?,
        };
        match reconcile_schedule::next_of_forgotten(&row, look, now) {
            Some(Next::Review(cause, next_check_at)) => self.review(&row, cause, next_check_at).await,
            _ => Ok(()),
        }
    }

    async fn review(
        &self,
        row: &AttemptRow,
        cause: ReviewCause,
        next_check_at: Option<UnixSeconds>,
    ) -> Result<(), StoreError> {
        let review = Review { attempt: row.id.clone(), cause, at: self.clock.now(), next_check_at };
        if self.store.execute(&review).await? {
            self.charging.alert("needs_review", row);
        }
        Ok(())
    }

    async fn look_at_one(&self, row: AttemptRow) -> Result<(), StoreError> {
        let (row, look) = self.look(row).await?;
        self.conclude(row, look).await
    }

    /// Looks one attempt up, by its payment, its checkout or its subscription.
    async fn look(&self, row: AttemptRow) -> Result<(AttemptRow, Look), StoreError> {
        let looked = match row.kind {
            AttemptKind::PlanChange => self.look_at_change(&row).await,
            AttemptKind::OneClick | AttemptKind::Hosted => self.charging.look_at_checkout(&row).await,
        };
        crate::failpoint!("look.done");
        match looked {
            Ok(looked) => Ok(looked),
            Err(LookError::Store(error)) => Err(error),
            Err(error) => {
                tracing::warn!(attempt_id = %row.id, %error, "an attempt could not be looked up");
                Ok((row, Look::Incomplete))
            }
        }
    }

    async fn look_at_change(&self, row: &AttemptRow) -> Result<(AttemptRow, Look), LookError> {
        let Some(quote) = self.store.quote(&row.customer_id, &row.quote_id).await? else {
            return Ok((row.clone(), Look::Idle));
        };
        let (settled, look) = self.charging.look_at_change(row, &quote, Source::LookUp).await?;
        Ok((settled.map_or_else(|| row.clone(), |settled| settled.row), look))
    }

    /// Writes down that it was looked up, and when to look next or that waiting is over.
    async fn conclude(&self, row: AttemptRow, look: Look) -> Result<(), StoreError> {
        if !is_live(row.state) && !is_watched(row.state) {
            return Ok(());
        }
        crate::failpoint!("conclude.begun");
        let now = self.clock.now();
        let clean = reconcile_schedule::counts_as_clean(&row, look, now);
        let row = AttemptRow { clean_looks: row.clean_looks.saturating_add(u32::from(clean)), ..row };
        match reconcile_schedule::next(&row, look, self.waiting, now) {
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
            Next::Review(cause, next_check_at) => {
                // Kept due until it is decided, so that a process that dies here leaves it to the next.
                self.record_look(&row, clean, Some(next_check_at.unwrap_or_else(|| later(now, LEASE))))
                    .await?;
                crate::failpoint!("conclude.reviewing");
                self.review(&row, cause, next_check_at).await
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
