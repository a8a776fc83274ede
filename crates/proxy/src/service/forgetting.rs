//! Forgetting a buyer: everything about them goes, and only keyed hashes stay. Asked for by the merchant's server, and done again
//! after a backup from before was put in the store's place: the list of who was forgotten is kept beside the store.

use std::{collections::BTreeMap, sync::Arc};

use dodo_client::ids::CustomerId;
use upsell_core::{domain::CustomerHash, policy::retention};
use wire::{AttemptId, ErrorCode, UnixSeconds};

pub use upsell_core::policy::retention::Hold;

use super::{catalogue::Catalogue, charging::Charging};
use crate::{
    clock::Clock,
    forgotten_list::ForgottenList,
    store::{Forgot, Store, StoreError, Until},
};

/// Most customers of which one statement tells.
const STEP: u32 = 500;

/// Error forgetting a buyer.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// Not a customer id.
    #[error("`customer_id` cannot be taken")]
    Invalid,
    /// The store is not known to be whole.
    #[error("the store is being compared with Dodo")]
    NotReady,
    /// Charges of the buyer have to come to an end first.
    #[error("charges of this buyer are pending: {}", listed(.0))]
    Pending(Vec<(AttemptId, Hold)>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The list beside the store failed.
    #[error("the list of forgotten buyers failed: {0}")]
    List(#[from] std::io::Error),
}

fn listed(pending: &[(AttemptId, Hold)]) -> String {
    let each: Vec<_> = pending.iter().map(|(id, hold)| format!("{id} ({})", hold.as_str())).collect();
    each.join(", ")
}

impl ForgetError {
    /// Returns the code that the client sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid => ErrorCode::InvalidRequest,
            Self::NotReady => ErrorCode::Unavailable,
            Self::Pending(_) => ErrorCode::ChargesPending,
            Self::Store(error) => error.code(),
            Self::List(_) => ErrorCode::Internal,
        }
    }
}

/// What was forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// When.
    pub at: UnixSeconds,
    /// Charges that went.
    pub charges: u64,
}

/// Forgets buyers.
pub struct Forgetting {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What is kept in memory of a buyer's methods.
    pub catalogue: Catalogue,
    /// The gate: whether the store is known to be whole.
    pub charging: Arc<Charging>,
    /// The list beside the store; absent where there is none.
    pub list: Option<ForgottenList>,
}

impl Forgetting {
    /// Forgets a buyer. Doing it twice changes nothing.
    ///
    /// # Errors
    /// [`ForgetError::Pending`] while a charge is undecided, watched, underpaid, booked, being refunded or contested. Nothing is
    /// forgotten then.
    pub async fn forget(&self, customer: &CustomerId) -> Result<Forgotten, ForgetError> {
        if self.charging.ready().await.is_err() {
            return Err(ForgetError::NotReady);
        }
        let at = self.clock.now();
        let charges = self.forget_in_store(customer, at, Until::Now).await?;
        self.catalogue.forget(customer).await;
        // Without its line on the list a restore would bring the buyer back; the next pass adds what is missing.
        if let Err(error) = self.update_list().await {
            tracing::error!(alert = "forgotten_list", %error, "failed to write the list of forgotten buyers");
            metrics::counter!("upsell_alerts_total", "kind" => "forgotten_list").increment(1);
        }
        tracing::info!(charges, "forgot a buyer");
        Ok(Forgotten { at, charges })
    }

    /// Where a charge is pending, a person has to end it first: this is the one place that says so.
    async fn forget_in_store(
        &self,
        customer: &CustomerId,
        at: UnixSeconds,
        until: Until,
    ) -> Result<u64, ForgetError> {
        let now = self.clock.now();
        let mut pending = Vec::new();
        let may_forget = &mut |charges: &[retention::Charge]| {
            pending = retention::keeps_from_forgetting(charges, now);
            pending.is_empty()
        };
        match self.store.forget(customer, at, until, may_forget).await? {
            Forgot::Gone { charges } => Ok(charges),
            Forgot::Held => Err(ForgetError::Pending(pending)),
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

    /// Forgets everybody again whom a restore has brought back, up to when they were forgotten: what they did afterwards stays. Who
    /// cannot be forgotten now is tried again at the next call, and keeps nobody else from being forgotten.
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
                    Ok(_) => tracing::warn!("forgot a buyer again"),
                    Err(error) => {
                        due.remove(&hash);
                        tracing::error!(%error, "failed to forget a buyer again");
                    }
                }
            }
        }
        for customer in due.keys() {
            self.store.forgotten_again(customer).await?;
        }
        Ok(())
    }
}
