//! Forgetting a buyer: everything about them goes, and only keyed hashes stay. Asked for by the merchant's server, and done again
//! after a backup from before was put in the store's place: the list of who was forgotten is kept beside the store.

use std::{collections::BTreeMap, sync::Arc};

use dodo_client::ids::CustomerId;
use upsell_core::{domain::CustomerHash, policy::retention};
use wire::{AttemptId, ErrorCode, UnixSeconds};

pub use upsell_core::policy::retention::Hold;

use super::{catalogue::Catalogue, charging::Charging, reconciler::Reconciler};
use crate::{
    clock::Clock,
    forgotten_list::ForgottenList,
    store::{ForgetPlace, Store, StoreError, Until},
};

/// Most customers of which one statement tells.
const STEP: u32 = 500;
/// Most charges, purchases or offers that go in one transaction: some milliseconds of the store's writer.
const ROWS: u32 = 25;

/// Error forgetting a buyer.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// Not a customer id.
    #[error("`customer_id` cannot be taken")]
    Invalid,
    /// The store is not known to be whole.
    #[error("the store is being compared with Dodo")]
    NotReady,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The list beside the store failed.
    #[error("the list of forgotten buyers failed: {0}")]
    List(#[from] std::io::Error),
}

impl ForgetError {
    /// Returns the code that the client sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid => ErrorCode::InvalidRequest,
            Self::NotReady => ErrorCode::Unavailable,
            Self::Store(error) => error.code(),
            Self::List(_) => ErrorCode::Internal,
        }
    }
}

/// Result of forgetting a buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// Everything from up to this time went, but for what is pending.
    pub at: UnixSeconds,
    /// Charges that went.
    pub charges: u64,
    /// Charges that have to come to an end first, and why. They go with the first pass after it.
    pub pending: Vec<(AttemptId, Hold)>,
}

/// Forgets buyers.
pub struct Forgetting {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Methods of buyers that are kept in memory.
    pub catalogue: Catalogue,
    /// The gate: whether the store is known to be whole.
    pub charging: Arc<Charging>,
    /// Ends the wait for what may take days.
    pub reconciler: Arc<Reconciler>,
    /// The list beside the store; absent where there is none.
    pub list: Option<ForgottenList>,
}

impl Forgetting {
    /// Forgets a buyer. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When the store is not known to be whole, or fails: then the next pass goes on where this call ended.
    pub async fn forget(&self, customer: &CustomerId) -> Result<Forgotten, ForgetError> {
        if self.charging.ready().await.is_err() {
            return Err(ForgetError::NotReady);
        }
        let at = self.clock.now();
        let forgotten = self.forget_in_store(customer, at, Until::Now).await?;
        self.catalogue.forget(customer).await;
        // Without its line on the list a restore would bring the buyer back; the next pass adds what is missing.
        if let Err(error) = self.update_list().await {
            tracing::error!(alert = "forgotten_list", %error, "failed to write the list of forgotten buyers");
            metrics::counter!("upsell_alerts_total", "kind" => "forgotten_list").increment(1);
        }
        tracing::info!(charges = forgotten.charges, pending = forgotten.pending.len(), "forgot a buyer");
        Ok(forgotten)
    }

    /// Looks at charges that Dodo calls pending, and does not wait for them. One that is pending afterwards keeps the buyer due.
    async fn forget_in_store(
        &self,
        customer: &CustomerId,
        at: UnixSeconds,
        until: Until,
    ) -> Result<Forgotten, ForgetError> {
        self.store.begin_forgetting(customer, at, until).await?;
        let first = self.forget_what_may_go(customer, at, until).await?;
        let mut has_looked = false;
        for (attempt, hold) in &first.pending {
            if *hold == Hold::Undecided {
                self.reconciler.stop_waiting_for(attempt).await?;
                has_looked = true;
            }
        }
        let forgotten = if has_looked {
            let second = self.forget_what_may_go(customer, at, until).await?;
            Forgotten { charges: first.charges.saturating_add(second.charges), ..second }
        } else {
            first
        };
        if forgotten.pending.is_empty() {
            self.store.forgotten_again(&self.store.customer_hash(customer), at).await?;
        }
        Ok(forgotten)
    }

    async fn forget_what_may_go(
        &self,
        customer: &CustomerId,
        at: UnixSeconds,
        until: Until,
    ) -> Result<Forgotten, StoreError> {
        let now = self.clock.now();
        let outlasts = &|charge: &retention::Charge| retention::outlasts_forgetting(charge, now);
        let mut forgotten = Forgotten { at, charges: 0, pending: Vec::new() };
        let mut place = ForgetPlace::start();
        loop {
            let step = self.store.forget_step(customer, until, place, ROWS, outlasts).await?;
            forgotten.charges = forgotten.charges.saturating_add(step.charges);
            forgotten.pending.extend(step.held);
            let Some(next) = step.next else { return Ok(forgotten) };
            // A webhook that waits may decide what is pending.
            if matches!(next, ForgetPlace::Webhooks(_)) && !forgotten.pending.is_empty() {
                return Ok(forgotten);
            }
            place = next;
            tokio::task::yield_now().await;
        }
    }

    /// Brings store and list together: who is on the list and unknown to the store was forgotten after the backup that the store
    /// was restored from, and is due to be forgotten again. Before anything of that time is written anew.
    ///
    /// # Errors
    /// When the store or the list fails.
    pub async fn update_list(&self) -> Result<(), ForgetError> {
        let Some(list) = &self.list else { return Ok(()) };
        let listed = list.read()?;
        for (customer, at) in &listed {
            if self.store.note_forgotten(customer, *at).await? {
                tracing::warn!("a forgotten buyer may be in the store again");
            }
        }
        let is_missing = |(customer, at): &(CustomerHash, UnixSeconds)| {
            listed.get(customer).is_none_or(|listed| listed < at)
        };
        let missing = self.forgotten(false).await?.into_iter().filter(is_missing).collect();
        Ok(list.append(&missing)?)
    }

    /// Everybody who was forgotten and when, or only those who are due to be forgotten again.
    async fn forgotten(&self, only_due: bool) -> Result<BTreeMap<CustomerHash, UnixSeconds>, StoreError> {
        let mut all = BTreeMap::new();
        let mut after = String::new();
        loop {
            let page = self.store.forgotten(only_due, &after, STEP).await?;
            let Some((last, _)) = page.last() else { return Ok(all) };
            after.clone_from(&last.0);
            all.extend(page);
        }
    }

    /// Forgets everybody who is due: whom a restore has brought back, and of whom a charge was pending. Up to when they were
    /// forgotten: what they did afterwards stays. A buyer of whom something is left is due at the next call, too, and keeps nobody
    /// else from being forgotten.
    ///
    /// # Errors
    /// When the store or the list fails.
    pub async fn forget_again(&self) -> Result<(), ForgetError> {
        self.update_list().await?;
        let mut due = self.forgotten(true).await?;
        if due.is_empty() {
            return Ok(());
        }
        let mut after = String::new();
        loop {
            let page = self.store.customers(&after, STEP).await?;
            let Some(last) = page.last() else { break };
            after = last.to_string();
            for customer in &page {
                let hash = self.store.customer_hash(customer);
                let Some(at) = due.get(&hash).copied() else { continue };
                match self.forget_in_store(customer, at, Until::Then(at)).await {
                    Ok(forgotten) if forgotten.pending.is_empty() => tracing::warn!("forgot a buyer again"),
                    Ok(_) => {
                        due.remove(&hash);
                    }
                    Err(error) => {
                        due.remove(&hash);
                        tracing::error!(%error, "failed to forget a buyer again");
                    }
                }
            }
        }
        for (customer, at) in &due {
            self.store.forgotten_again(customer, *at).await?;
        }
        Ok(())
    }
}
