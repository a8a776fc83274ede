//! Before anything is accepted: does the store know every attempt that Dodo has a payment of? What it does not know is
//! written anew. The rules are in [`upsell_core::journal::restore`].
//!
//! Looked into at every start, and again whenever the store is found to hold less than this process has seen in it. The
//! gate stays closed until Dodo has answered and everything is written.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use dodo_client::{ids::PaymentId, types::payments::IntentStatus};
use tokio_util::sync::CancellationToken;
use upsell_core::{
    domain::{PaymentFacts, Person, Source, Tags},
    journal::{PresumeSent, Rebuild, Stale, Took, restore},
    policy::{email, observe, retention::LetGo},
};
use wire::{ProductId, UnixSeconds};

use super::{
    charging::{Charging, LookError},
    forgetting::{ForgetError, Forgetting},
    gate::Closed,
    purging::STEP,
};
use crate::{
    clock::Clock,
    gateway::{Gateway, Listed, UnreadableRow, is_about_it},
    store::{Execute, Store, StoreError},
};

/// How often a proxy says that it is alive.
const BEAT: Duration = Duration::from_secs(10);
/// How long to wait before asking Dodo again, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// How often a payment is read in vain before the store is compared without it.
const READ_TRIES: u32 = 3;

/// What came of comparing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Attempts written anew.
    pub rebuilt: u64,
    /// Payments that cannot be read, or are ours and say too little. Each concerns its own buyer only.
    pub unreadable: u64,
    /// One of them proves that the store lacks an attempt.
    lacks_one: bool,
}

/// Error comparing the store with Dodo.
#[derive(Debug, thiserror::Error)]
enum CompareError {
    /// Dodo or the store could not be asked.
    #[error(transparent)]
    Look(#[from] LookError),
    /// Who was forgotten is not known.
    #[error(transparent)]
    Forget(#[from] ForgetError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Dodo does not list its payments.
    #[error(transparent)]
    Dodo(#[from] dodo_client::Error),
    /// The listing is not complete.
    #[error(transparent)]
    Listing(#[from] crate::gateway::ListingError),
}

/// The worker.
pub struct Restoring {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    gateway: Gateway,
    charging: Arc<Charging>,
    forgetting: Arc<Forgetting>,
    /// The moment of the backup that the store was restored from, where somebody named it.
    restored_at: Option<UnixSeconds>,
}

impl Restoring {
    /// Over what charging is over.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        gateway: Gateway,
        charging: Arc<Charging>,
        forgetting: Arc<Forgetting>,
        restored_at: Option<UnixSeconds>,
    ) -> Self {
        Self { store, clock, gateway, charging, forgetting, restored_at }
    }

    /// Does what the gate is closed for, again and again until it is done, and leaves opening it to the caller.
    pub async fn until_done(&self, why: Closed) {
        let mut pause = BACKOFF.0;
        let mut failed = Failed::default();
        loop {
            match self.compare(why, &mut failed).await {
                Ok(_) => return,
                Err(error) => {
                    tracing::error!(%error, "the store could not be compared with Dodo; nothing is accepted")
                }
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(BACKOFF.1);
        }
    }

    /// Compares the store with Dodo's payments since it was last known to be whole, and writes anew what it has lost.
    async fn compare(&self, why: Closed, failed: &mut Failed) -> Result<Compared, CompareError> {
        let found = self.store.inspect().await?;
        if found.staleness() == Some(Stale::Superseded) {
            return Err(StoreError::AnotherServer.into());
        }
        // What was forgotten is not written anew.
        self.forgetting.update_list().await?;
        let sign = self.store.last_sign().await?;
        let named = restore::newly_named(sign, self.restored_at);
        let (mut went_back, seen) = match why {
            // What was noted beside the store may say more than the store, and a server that took over may have
            // received everything.
            Closed::Starting | Closed::NewServer => (found.has_lost_commits(), None),
            Closed::WentBack(seen) => (true, seen),
        };
        let mut compared = Compared::default();
        if let Some(since) = restore::compare_since(sign, named, seen) {
            let Listed { payments, unreadable } = self.gateway.all_payments_since(since).await?;
            compared = self.put_back(payments, failed).await?;
            for row in &unreadable {
                self.look_behind(row, &mut compared).await?;
            }
            went_back |= compared.rebuilt > 0 || compared.lacks_one;
        }
        let lost = went_back || named.is_some();
        if lost {
            self.store.hold_until(restore::hold_from(self.clock.now())).await?;
        }
        // Also what an earlier process was told to hold, and did not come to the end of.
        let closed = self.withdraw_held().await?;
        if lost {
            tracing::error!(
                alert = "store_restored",
                rebuilt = compared.rebuilt,
                unreadable = compared.unreadable,
                closed,
                "the store had lost commits: attempts were written anew from Dodo, open offers were closed"
            );
            metrics::counter!("upsell_alerts_total", "kind" => "store_restored").increment(1);
        }
        self.store.begin_anew(self.clock.now(), named, found.writes).await?;
        if why == Closed::NewServer {
            tracing::warn!(
                timeline = found.writes.map(|on| on.number),
                "another database server was taken on"
            );
            metrics::counter!("upsell_database_takeovers_total").increment(1);
        }
        Ok(compared)
    }

    /// Closes every open offer whose refusal may be lost, in small steps. Returns how many those were.
    async fn withdraw_held(&self) -> Result<u64, StoreError> {
        let Some(until) = self.store.held_until().await? else { return Ok(0) };
        let mut closed: u64 = 0;
        loop {
            let step = self.store.withdraw_offers(until, STEP).await?;
            closed = closed.saturating_add(step);
            if step < u64::from(STEP) {
                return Ok(closed);
            }
        }
    }

    /// The oldest first, so that attempts of one offer come in their order.
    async fn put_back(
        &self,
        mut payments: Vec<PaymentFacts>,
        failed: &mut Failed,
    ) -> Result<Compared, LookError> {
        payments.sort_by_key(|payment| payment.created_at);
        let store = self.store.identity();
        let mut compared = Compared::default();
        let mut again = None;
        for payment in &payments {
            let Some(tags) = restore::authenticated(payment, store) else {
                if restore::may_be_older(payment, store) {
                    self.block_older(payment).await?;
                }
                continue;
            };
            match self.put_one_back(tags, payment).await {
                Ok(Some(true)) => compared.rebuilt = compared.rebuilt.saturating_add(1),
                Ok(Some(false)) => {}
                Ok(None) => compared.unreadable = compared.unreadable.saturating_add(1),
                Err(LookError::Dodo(error)) if failed.is_enough(&payment.payment_id, &error) => {
                    tracing::error!(
                        alert = "unreadable_payment", payment_id = %payment.payment_id, attempt_id = %tags.attempt, %error,
                        "failed to read a payment of ours while the store was compared"
                    );
                    metrics::counter!("upsell_alerts_total", "kind" => "unreadable_payment").increment(1);
                    self.note_unreadable(tags, Some(&payment.payment_id), &mut compared).await?;
                }
                Err(LookError::Dodo(error)) if is_about_it(&error) => again = again.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        match again {
            Some(error) => Err(error.into()),
            None => Ok(compared),
        }
    }

    /// What a row says that cannot be read: where its metadata carries a valid code of this store, that its attempt was sent.
    async fn look_behind(&self, row: &UnreadableRow, compared: &mut Compared) -> Result<(), StoreError> {
        match row.named.tags().filter(|tags| restore::is_of(tags, self.store.identity())) {
            Some(tags) => self.note_unreadable(tags, row.payment_id.as_ref(), compared).await,
            None => {
                compared.unreadable = compared.unreadable.saturating_add(1);
                Ok(())
            }
        }
    }

    /// The payment of an attempt cannot be read: what was only claimed in the backup is taken for sent, and an attempt that
    /// the store does not know, and has not let go of, proves that it has lost commits.
    async fn note_unreadable(
        &self,
        tags: &Tags,
        payment: Option<&PaymentId>,
        compared: &mut Compared,
    ) -> Result<(), StoreError> {
        compared.unreadable = compared.unreadable.saturating_add(1);
        let (attempt, at) = (tags.attempt.clone(), self.clock.now());
        let let_go = match payment {
            Some(payment) => self.store.let_go(Some(&attempt), payment, &tags.customer).await?,
            None => LetGo::default(),
        };
        if self.store.attempt_by_id(&attempt).await?.is_none() && !let_go.has_tombstone {
            compared.lacks_one = true;
        }
        self.store.execute(&PresumeSent { attempt, at }).await?;
        Ok(())
    }

    /// Whether the attempt of a payment had to be written anew; `None` when the payment says too little.
    async fn put_one_back(&self, tags: &Tags, listed: &PaymentFacts) -> Result<Option<bool>, LookError> {
        if let Some(known) = self.store.attempt_by_id(&tags.attempt).await?
            && known.state != upsell_core::domain::AttemptState::Claimed
        {
            // What the listing says of it may be worth knowing all the same.
            if restore::is_old_news(&known, listed) {
                return Ok(Some(false));
            }
            let base = self.charging.nothing_seen(Source::LookUp);
            match self.charging.settle_payment(&known, listed, base).await {
                // The reconciler looks it up; nothing depends on it here.
                Err(LookError::Dodo(error)) => {
                    tracing::warn!(attempt_id = %known.id, %error, "failed to look up a payment of a known attempt");
                }
                Err(error) => return Err(error),
                Ok(_) => {}
            }
            return Ok(Some(false));
        }
        let let_go = self.store.let_go(Some(&tags.attempt), &listed.payment_id, &tags.customer).await?;
        if let_go.covers(listed.created_at) && !self.may_be_pending(&let_go, tags, listed).await? {
            return Ok(Some(false));
        }
        let whole = self.gateway.whole_payment(&listed.payment_id).await?;
        let payment = self.gateway.facts(&whole);
        let name = match tags.items.first() {
            Some((product, _)) => self.charging.name_of(product).await,
            None => String::new(),
        };
        let now = self.clock.now();
        let begun = payment.created_at.unwrap_or(now);
        let Some(mut rebuilding) = restore::rebuilding(tags, begun, name, now) else {
            tracing::error!(attempt_id = %tags.attempt, "a payment says too little to write its attempt anew");
            return Ok(None);
        };
        if let Some(offer) = &mut rebuilding.offer {
            offer.email = email::hash(self.store.email_key(), &whole.customer.email);
        }
        let rebuild = Rebuild { rebuilding: &rebuilding, at: self.clock.now() };
        let (Took::New(row) | Took::Known(row)) = self.store.execute(&rebuild).await?;
        tracing::warn!(attempt_id = %row.id, "an attempt was written anew from its payment");
        let base = self.charging.nothing_seen(Source::Restore);
        self.charging.settle_payment(&row, &payment, base).await?;
        self.charging.observe_flags(&whole).await?;
        Ok(Some(true))
    }

    /// Says whether a charge of a forgotten buyer was pending when the buyer was forgotten, and may be still: it has to come to its
    /// end before it goes. Of one that was paid, what is owned stays known.
    async fn may_be_pending(
        &self,
        let_go: &LetGo,
        tags: &Tags,
        listed: &PaymentFacts,
    ) -> Result<bool, StoreError> {
        if let_go.has_tombstone || !let_go.is_forgotten(listed.created_at) {
            return Ok(false);
        }
        if let (Some(IntentStatus::Succeeded), None, [(product, _)]) =
            (&listed.status, &tags.subscription, tags.items.as_slice())
        {
            let person = Person { customer_id: tags.customer.clone(), email: None };
            self.store.note_owned(&person, std::slice::from_ref(product)).await?;
        }
        Ok(observe::is_under_way(listed.status.as_ref()))
    }

    /// A name from before there were codes settles nothing. It keeps an attempt that was only claimed in the backup from
    /// being taken for unsent, and so its offer from being charged again.
    async fn block_older(&self, payment: &PaymentFacts) -> Result<(), LookError> {
        let Some(id) = payment.named.attempt() else { return Ok(()) };
        let at = self.clock.now();
        if self.store.execute(&PresumeSent { attempt: id.clone(), at }).await? {
            tracing::warn!(attempt_id = %id, "an attempt that was only claimed may have been sent");
        }
        Ok(())
    }

    /// Says that the proxy is alive, now and then, until cancelled; and once more at the end. Closes the gate when the
    /// store turns out to have lost commits.
    pub async fn keep_beating(&self, stop: CancellationToken) {
        let mut pace = tokio::time::interval(BEAT);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let stopped = tokio::select! {
                () = stop.cancelled() => true,
                _ = pace.tick() => false,
            };
            // While the gate is closed the last beat has to stay what it was.
            if self.charging.gate().is_open()
                && let Err(error) = self.beat().await
            {
                tracing::error!(%error, "a beat could not be written");
            }
            if stopped {
                return;
            }
        }
    }

    async fn beat(&self) -> Result<(), StoreError> {
        if let Some(stale) = self.store.beat(self.clock.now()).await? {
            self.charging.gate().close(stale.into());
        }
        Ok(())
    }
}

/// Payments that could not be read while the store was compared, with how often.
#[derive(Default)]
struct Failed(BTreeMap<PaymentId, u32>);

impl Failed {
    /// Says whether the payment is to be left out by now: Dodo has answered about it, and the answer was of no use, again and
    /// again. One that could not be asked for is asked for again.
    fn is_enough(&mut self, id: &PaymentId, error: &dodo_client::Error) -> bool {
        if !is_about_it(error) {
            return false;
        }
        let times = self.0.entry(id.clone()).or_default();
        *times = times.saturating_add(1);
        *times >= READ_TRIES
    }
}

impl Charging {
    /// What a product is called, for a receipt.
    async fn name_of(&self, product: &ProductId) -> String {
        match self.catalogue().product(product).await {
            Ok(product) => product.name.clone(),
            Err(_) => product.to_string(),
        }
    }
}
