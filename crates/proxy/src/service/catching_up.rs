//! Catching up on what Dodo's webhooks would have told while they stayed away: purchases, refunds, disputes and what became
//! of attempts.
//!
//! How far back that goes, and in which windows, is decided in [`upsell_core::policy::catching_up`]. Everything is listed and
//! then applied like a webhook, so that applying it twice changes nothing. Progress is noted after each window: a process
//! that dies goes on from there. One payment that cannot be read is tried for two days and holds up no other.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use dodo_client::{Priority, http::turn::with_priority, ids::PaymentId};
use money::later;
use tokio_util::sync::CancellationToken;
use upsell_core::{
    domain::PaymentFacts,
    policy::{
        catching_up::{self, Concern},
        listing_plan::Window,
    },
};
use wire::UnixSeconds;

use super::{
    charging::{ChargeError, Charging},
    purchases::{PurchaseError, Purchases},
};
use crate::{
    clock::Clock,
    gateway::{Gateway, Listed, ListingError, is_about_it},
    gauges,
    store::{Store, StoreError},
};

/// Pause between two rounds, at first and at most; it doubles while rounds fail.
const PACE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3600));
/// Most pages of one listing of payments; a longer one is cut in halves.
const MOST_PAGES: u32 = 20;
/// Most pages of a window that cannot be shorter: a million payments in a minute.
const ANY_PAGES: u32 = 10_000;
/// Seconds for which a payment that cannot be read is tried.
const TRIED_FOR: i64 = 48 * 3600;

/// Error catching up on what was missed. Trying again is safe.
#[derive(Debug, thiserror::Error)]
pub enum CatchUpError {
    /// Dodo did not answer, or not in full.
    #[error(transparent)]
    Listing(#[from] ListingError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// So many payments could not be read or applied; everything else was.
    #[error("failed to read {0} payments")]
    Unread(usize),
}

/// The worker.
pub struct CatchingUp {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    gateway: Gateway,
    charging: Arc<Charging>,
    purchases: Purchases,
    /// Payments that could not be read, with the time of the first try.
    unread: Mutex<BTreeMap<PaymentId, UnixSeconds>>,
}

impl CatchingUp {
    /// Creates a worker on the same store, clock and gateway as `charging`.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        gateway: Gateway,
        charging: Arc<Charging>,
        purchases: Purchases,
    ) -> Self {
        Self { store, clock, gateway, charging, purchases, unread: Mutex::default() }
    }

    /// Works until cancelled.
    pub async fn run(&self, cancel: CancellationToken) {
        let mut pause = PACE.0;
        loop {
            // A store that has lost commits would take payments of its own for strangers'.
            if self.charging.gate().is_open() {
                match self.round().await {
                    Ok(()) => pause = PACE.0,
                    Err(error) => {
                        tracing::warn!(%error, "failed to catch up on missed events");
                        pause = pause.saturating_mul(2).min(PACE.1);
                    }
                }
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Catches up on everything that was missed.
    ///
    /// # Errors
    /// See [`CatchUpError`]. What was caught up on before the error stays so.
    pub async fn round(&self) -> Result<(), CatchUpError> {
        let now = self.clock.now();
        let progress = self.store.advance_events(now, &|progress| progress.silent(now)).await?;
        gauges::missed_events(progress.behind());
        let Some(missed) = progress.missed else { return Ok(()) };
        with_priority(Priority::LookUp, self.catch_up(missed)).await?;
        gauges::missed_events(0);
        Ok(())
    }

    async fn catch_up(&self, missed: Window) -> Result<(), CatchUpError> {
        tracing::info!(from = missed.from.0, to = missed.to.0, "catching up on missed events");
        self.refunds_and_disputes(missed).await?;
        let all = catching_up::payments(missed);
        let (mut window, mut unread) = (all, 0_usize);
        loop {
            let half = catching_up::first_half(window);
            let pages = if half.is_some() { MOST_PAGES } else { ANY_PAGES };
            let listed = match (self.gateway.payments_within(None, window, pages).await, half) {
                (Err(ListingError::TooLong), Some(half)) => {
                    window = half;
                    continue;
                }
                (listed, _) => listed?,
            };
            unread = unread.saturating_add(self.apply(listed).await?);
            crate::failpoint!("catching_up.applied");
            // What is left in one window is looked for again, and the windows after it are caught up on all the same.
            if unread == 0 {
                let until = window.to;
                self.store.advance_events(self.clock.now(), &|progress| progress.caught_up(until)).await?;
            }
            match catching_up::after(window, all.to) {
                Some(next) => window = next,
                None if unread == 0 => return Ok(()),
                None => return Err(CatchUpError::Unread(unread)),
            }
        }
    }

    async fn refunds_and_disputes(&self, missed: Window) -> Result<(), CatchUpError> {
        for refund in known(self.gateway.refunds_within(catching_up::refunds(missed)).await)? {
            self.charging.observe_refund(&refund).await?;
        }
        for dispute in known(self.gateway.disputes_within(catching_up::disputes(missed)).await)? {
            self.charging.observe_dispute(&dispute).await?;
        }
        Ok(())
    }

    /// Applies listed payments, the oldest first, as webhooks would have come. Returns how many could not be read and are to be
    /// tried again. Rows that cannot be read were raised when they were listed.
    async fn apply(&self, listed: Listed) -> Result<usize, CatchUpError> {
        let mut payments = listed.payments;
        payments.sort_by_key(|payment| payment.created_at);
        let mut unread = 0_usize;
        for payment in &payments {
            match self.apply_one(payment).await {
                Ok(()) => self.forget(&payment.payment_id),
                Err(Failed::Store(error)) => return Err(error.into()),
                Err(Failed::Dodo(error)) => return Err(ListingError::Dodo(error).into()),
                Err(Failed::Payment(error)) => {
                    if self.may_try_again(&payment.payment_id) {
                        unread = unread.saturating_add(1);
                        tracing::warn!(payment_id = %payment.payment_id, %error, "failed to catch up on a payment");
                    } else {
                        tracing::error!(
                            alert = "unreadable_payment", payment_id = %payment.payment_id, %error,
                            "giving up on a payment that was missed"
                        );
                        metrics::counter!("upsell_alerts_total", "kind" => "unreadable_payment").increment(1);
                    }
                }
            }
        }
        Ok(unread)
    }

    async fn apply_one(&self, listed: &PaymentFacts) -> Result<(), Failed> {
        if let Some(subscription) = &listed.subscription_id {
            self.charging.observe_bookings(subscription).await?;
        }
        if !self.is_news(listed).await? {
            return Ok(());
        }
        let payment = match self.gateway.whole_payment(&listed.payment_id).await {
            Ok(payment) => payment,
            Err(error) if is_about_it(&error) => return Err(Failed::Payment(error.into())),
            Err(error) => return Err(Failed::Dodo(error)),
        };
        self.charging.observe_payment(&payment).await?;
        self.purchases.record(&payment).await?;
        Ok(())
    }

    /// Says whether a payment may tell anything that the store does not know.
    async fn is_news(&self, listed: &PaymentFacts) -> Result<bool, StoreError> {
        match catching_up::concern(listed) {
            Concern::Nothing => Ok(false),
            Concern::Purchase => {
                let known = self.store.purchase(&listed.customer_id, &listed.payment_id).await?;
                Ok(known.is_none())
            }
            Concern::Attempt => {
                let Some(id) = listed.named.attempt() else { return Ok(true) };
                let known = self.store.attempt_by_id(id).await?;
                Ok(known.is_none_or(|row| catching_up::is_open(&row)))
            }
        }
    }

    fn may_try_again(&self, id: &PaymentId) -> bool {
        let now = self.clock.now();
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        let first = *unread.entry(id.clone()).or_insert(now);
        now < later(first, TRIED_FOR)
    }

    fn forget(&self, id: &PaymentId) {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

/// Why one payment was not applied.
enum Failed {
    /// The store failed: nothing goes on.
    Store(StoreError),
    /// Dodo cannot be asked at the moment: nothing goes on.
    Dodo(dodo_client::Error),
    /// It is about this payment, as far as can be told.
    Payment(Box<dyn std::error::Error + Send + Sync>),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ChargeError> for Failed {
    fn from(error: ChargeError) -> Self {
        match error {
            ChargeError::Store(error) => Self::Store(error),
            error => Self::Payment(error.into()),
        }
    }
}

impl From<PurchaseError> for Failed {
    fn from(error: PurchaseError) -> Self {
        match error {
            PurchaseError::Store(error) => Self::Store(error),
            error => Self::Payment(error.into()),
        }
    }
}

/// A list that the key may not read, or that is too long, must not keep payments from being listed.
fn known<T>(listed: Result<Vec<T>, ListingError>) -> Result<Vec<T>, ListingError> {
    match listed {
        Err(ListingError::Dodo(dodo_client::Error::Api(answer))) if matches!(answer.status, 403 | 404) => {
            tracing::warn!(status = answer.status, "Dodo does not list refunds or disputes for this key");
            Ok(Vec::new())
        }
        Err(error @ ListingError::TooLong) => {
            tracing::error!(%error, "failed to list refunds or disputes");
            Ok(Vec::new())
        }
        listed => listed,
    }
}
