//! Asking Dodo whether what a session names is its buyer's, within the time that the merchant's server waits or behind it.
//!
//! What a session may do meanwhile is decided in [`upsell_core::policy::confirmation`]. A check that outlives the request
//! which began it is a task of its own, and writes down what it finds. Which checks run is known to this process only; what
//! they have found is in the store, for every proxy on it.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use dodo_client::{
    Priority,
    http::turn::with_priority,
    ids::{CustomerId, PaymentId, SubscriptionId},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use upsell_core::{
    domain::{Confirmation, Session, TokenHash},
    policy::confirmation::{self, Admission, CHECK_AGAIN, Finding, LastCheck, Owner},
};
use wire::Purpose;

use super::{
    catalogue::Catalogue,
    offers::Offers,
    purchases::{PurchaseError, Purchases},
};
use crate::{
    gateway::Gateway,
    store::{Store, StoreError},
    upstream::on_same_behalf,
};

/// The time that one check may take behind a session.
const CHECK_TIME: Duration = Duration::from_secs(10);
/// Checks and preparations at a time that nobody waits for.
const BEHIND: usize = 64;

/// A session that may not be used yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotYet {
    /// Seconds after which to ask again.
    pub retry_after: u32,
}

/// The parts that checks are made from.
pub struct Confirming {
    store: Arc<dyn Store>,
    gateway: Gateway,
    catalogue: Catalogue,
    purchases: Purchases,
    offers: Arc<Offers>,
    /// Checks that run or have just ended without an answer.
    last: Mutex<HashMap<TokenHash, Last>>,
    behind: Arc<Semaphore>,
    /// All that goes on behind requests. It holds the store, so it ends before the store is closed.
    tasks: TaskTracker,
    stop: CancellationToken,
}

#[derive(Clone, Copy)]
enum Last {
    Running,
    Ended(Instant),
}

/// A check that counts as running until it is dropped.
struct Running {
    of: Arc<Confirming>,
    token: TokenHash,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.of.last().insert(self.token, Last::Ended(Instant::now()));
    }
}

impl Confirming {
    /// Creates checks over a store and Dodo.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        gateway: Gateway,
        catalogue: Catalogue,
        purchases: Purchases,
        offers: Arc<Offers>,
    ) -> Self {
        let behind = Arc::new(Semaphore::new(BEHIND));
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        Self { store, gateway, catalogue, purchases, offers, last: Mutex::default(), behind, tasks, stop }
    }

    /// Drops what goes on behind requests. Sessions that are not confirmed stay so: the next call with one begins a check.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Begins a task that ends with [`Confirming::stop`]; `None` is its result then.
    fn spawn<F>(&self, work: F) -> JoinHandle<Option<F::Output>>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.tasks.spawn(self.stop.clone().run_until_cancelled_owned(work))
    }

    /// Keeps a session that the merchant's server asks for, once Dodo has confirmed what it names or `until` has come, and
    /// prepares what it will be used for in the time that is left. What is not done by then goes on behind. Returns `false`,
    /// and keeps nothing, where what it names is not the buyer's.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keep(self: &Arc<Self>, session: &Session, until: Instant) -> Result<bool, StoreError> {
        let mut check = {
            let (this, session) = (Arc::clone(self), session.clone());
            self.spawn(with_priority(Priority::Merchant, async move { this.find(&session).await }))
        };
        let found = timeout_at(until, &mut check).await;
        let finding = match &found {
            Ok(Ok(Some(finding))) => *finding,
            _ => Finding::Unknown,
        };
        match finding {
            Finding::Confirmed => {
                let session = Session { confirmation: Confirmation::Confirmed, ..session.clone() };
                self.open(session, until, Priority::Merchant).await?;
                Ok(true)
            }
            Finding::Refused => Ok(false),
            Finding::Unknown => {
                tracing::warn!("session opened before Dodo has confirmed what it names");
                let session = Session { confirmation: Confirmation::Pending, ..session.clone() };
                self.store.put_session(&session).await?;
                match found {
                    Err(_) => self.go_on(session, Some(check)),
                    // Answered, and not usefully: the page's first call asks again.
                    Ok(_) => count(Finding::Unknown),
                }
                Ok(true)
            }
        }
    }

    /// Keeps a confirmed session, and prepares what it will be used for until `until`, then behind: with this priority, for
    /// whom the present task asks.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(
        self: &Arc<Self>,
        session: Session,
        until: Instant,
        priority: Priority,
    ) -> Result<(), StoreError> {
        self.store.put_session(&session).await?;
        let this = Arc::clone(self);
        let prepared = self.spawn(with_priority(
            priority,
            on_same_behalf(async move {
                this.prepare(&session).await;
            }),
        ));
        // What has not ended by then goes on by itself.
        let _ = timeout_at(until, prepared).await;
        Ok(())
    }

    /// Lets a session be used, or begins the check that it waits for where none is running.
    ///
    /// # Errors
    /// [`NotYet`]: the caller answers with that, whatever was asked.
    pub fn admit(self: &Arc<Self>, session: &Session) -> Result<(), NotYet> {
        let last = match self.last().get(&session.token) {
            None => LastCheck::Never,
            Some(Last::Running) => LastCheck::Running,
            Some(Last::Ended(at)) => LastCheck::Ended(at.elapsed()),
        };
        match confirmation::admission(session.confirmation, last) {
            Admission::Admitted => Ok(()),
            Admission::NotYet { begin_check } => {
                if begin_check {
                    self.go_on(session.clone(), None);
                }
                Err(NotYet { retry_after: confirmation::RETRY_AFTER })
            }
        }
    }

    /// Checks a session behind, for the page that asks, or waits for the check that a request for it has begun; writes down
    /// what comes of it. Nothing is begun where a check of it is running or too many of others are: the next call begins one.
    fn go_on(self: &Arc<Self>, session: Session, begun: Option<JoinHandle<Option<Finding>>>) {
        let Some(running) = self.begin(session.token) else { return };
        let (this, is_merchants) = (Arc::clone(self), begun.is_some());
        let work = async move {
            let found = async {
                match begun {
                    Some(check) => check.await.ok().flatten().unwrap_or(Finding::Unknown),
                    None => this.find(&session).await,
                }
            };
            let finding = timeout(CHECK_TIME, found).await.unwrap_or(Finding::Unknown);
            count(finding);
            match this.conclude(&session, finding).await {
                Ok(()) if finding == Finding::Confirmed => this.prepare(&session).await,
                Ok(()) => {}
                Err(error) => tracing::warn!(%error, "failed to note whether a session is confirmed"),
            }
            drop(running);
        };
        match is_merchants {
            true => drop(self.spawn(with_priority(Priority::Merchant, work))),
            false => drop(self.spawn(on_same_behalf(work))),
        }
    }

    fn begin(self: &Arc<Self>, token: TokenHash) -> Option<Running> {
        let permit = Arc::clone(&self.behind).try_acquire_owned().ok()?;
        let mut last = self.last();
        last.retain(|_, last| match last {
            Last::Running => true,
            Last::Ended(at) => at.elapsed() < CHECK_AGAIN,
        });
        if let Some(Last::Running) = last.insert(token, Last::Running) {
            return None;
        }
        Some(Running { of: Arc::clone(self), token, _permit: permit })
    }

    async fn conclude(&self, session: &Session, finding: Finding) -> Result<(), StoreError> {
        match finding {
            Finding::Confirmed => self.store.confirm_session(session.token).await,
            Finding::Refused => {
                tracing::warn!("session revoked: what it names is not its buyer's");
                self.store.revoke_session(session.token).await
            }
            Finding::Unknown => Ok(()),
        }
    }

    /// Asks Dodo whose the payment and the subscription of a session are, both at once.
    async fn find(&self, session: &Session) -> Finding {
        let (payment, subscription) = tokio::join!(
            async {
                match &session.payment_id {
                    Some(id) => Some(self.owner_of_payment(&session.customer_id, id).await),
                    None => None,
                }
            },
            async {
                match &session.subscription_id {
                    Some(id) => Some(self.owner_of_subscription(&session.customer_id, id).await),
                    None => None,
                }
            },
        );
        let owners: Vec<Owner> = payment.into_iter().chain(subscription).collect();
        confirmation::judge(&session.customer_id, &owners)
    }

    /// A payment that is not paid yet counts too: it may still become a purchase.
    async fn owner_of_payment(&self, buyer: &CustomerId, id: &PaymentId) -> Owner {
        match self.purchases.look_up(buyer, id).await {
            Ok(Some(purchase)) => return Owner::Customer(purchase.customer_id),
            Ok(None) => {}
            // Of the payment itself, or of a subscription that it paid for.
            Err(PurchaseError::Upstream(error)) => return owner(Err(&error)),
            Err(error) => return unknown(&error),
        }
        owner(self.gateway.whole_payment(id).await.as_ref().map(|payment| &payment.customer.customer_id))
    }

    async fn owner_of_subscription(&self, buyer: &CustomerId, id: &SubscriptionId) -> Owner {
        match self.catalogue.recent_subscription(buyer, id).await {
            Ok(subscription) => Owner::Customer(subscription.customer.customer_id.clone()),
            Err(error) if error.is_final() => Owner::Nobody,
            Err(error) => unknown(&error),
        }
    }

    async fn prepare(&self, session: &Session) {
        match session.purpose {
            Purpose::Offer => self.offers.warm(session).await,
            Purpose::Plans | Purpose::Other => {
                if let Err(error) = self.catalogue.recent_methods(&session.customer_id).await {
                    tracing::warn!(%error, "the buyer's methods could not be fetched");
                }
            }
        }
    }

    fn last(&self) -> MutexGuard<'_, HashMap<TokenHash, Last>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn owner(answer: Result<&CustomerId, &dodo_client::Error>) -> Owner {
    match answer {
        Ok(customer) => Owner::Customer(customer.clone()),
        Err(error) if error.is_refusal() => Owner::Nobody,
        Err(error) => unknown(error),
    }
}

fn unknown(error: &dyn std::error::Error) -> Owner {
    tracing::warn!(error = %error, "failed to look up whose the thing is that a session names");
    Owner::Unknown
}

/// Counts a check that nobody waited for to its end.
fn count(finding: Finding) {
    let finding = match finding {
        Finding::Confirmed => "confirmed",
        Finding::Refused => "refused",
        Finding::Unknown => "unknown",
    };
    metrics::counter!("upsell_session_checks_total", "finding" => finding).increment(1);
}
