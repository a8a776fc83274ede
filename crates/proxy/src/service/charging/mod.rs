//! Collecting a quote: once, exactly as shown, or not at all.
//!
//! The steps, and what a crash between two of them leaves behind:
//!
//! | step | where | left behind |
//! |---|---|---|
//! | claim (commit) | [`Charging`], called by [`super::accepting`] | `claimed`: provably unsent, released by recovery |
//! | re-quote, choose the method | [`run`] | the same |
//! | mark as sent (commit) | [`run`] | `sent`: taken for unknown, looked up |
//! | one request, never repeated | [`run`] | the same |
//! | classify, settle (commit) | [`run`], [`upsell_core::policy::classify`], [`upsell_core::journal::states`] | settled |
//!
//! Evidence also comes from webhooks and from the reconciler, in any order; it goes through [`evidence`]. Everything
//! after the claim runs in a task of its own: a browser that goes away does not interrupt it, and shutting down waits for
//! it.

mod bookings;
mod changes;
mod error;
mod evidence;
mod flags;
mod intent;
mod run;
mod signals;
mod view;

use std::{sync::Arc, time::Duration};

use dodo_client::{Priority, http::turn::with_priority};
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;
use tracing::Instrument;
use wire::{AcceptRequest, AttemptId, ChangeRequest, IdempotencyKey, Purpose};

use crate::store::Execute;

pub use self::error::ChargeError;
pub(in crate::service) use self::evidence::LookError;
pub(in crate::service) use self::intent::Agreed;
use upsell_core::{
    domain::{AttemptKind, AttemptRow, AttemptState, Fingerprint, OfferRow, OfferState, Session},
    journal::{ClaimOutcome, states::open_for},
    policy::authority,
    rules::MoneyRules,
};

use self::{intent::Intent, run::Outcome, signals::Signals};
use super::{catalogue::Catalogue, gate::Gate, quoting::Quoting};
use crate::{clock::Clock, failpoint, gateway::Gateway, store::Store};

/// How long a caller is kept waiting for the request itself. The work goes on beyond it.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
/// How long a caller is kept waiting for a webhook after the request was taken on.
const WEBHOOK_WITHIN: Duration = Duration::from_millis(1500);

/// How long a request waits for the gate before it is told to come back.
const GATE_PATIENCE: Duration = Duration::from_secs(3);
/// Seconds after which it may.
const GATE_RETRY: u32 = 5;

/// Collects quotes.
pub struct Charging {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    gateway: Gateway,
    catalogue: Catalogue,
    quoting: Arc<Quoting>,
    tasks: TaskTracker,
    signals: Signals,
    money: MoneyRules,
    gate: Gate,
}

/// What [`Charging`] needs.
pub struct Parts {
    /// The journal.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Dodo.
    pub gateway: Gateway,
    /// Saved methods.
    pub catalogue: Catalogue,
    /// Prices.
    pub quoting: Arc<Quoting>,
    /// Waited for at shutdown.
    pub tasks: TaskTracker,
    /// The merchant's rules about unexpected payments.
    pub money: MoneyRules,
}

impl Charging {
    /// Over its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { store, clock, gateway, catalogue, quoting, tasks, money } = parts;
        Self {
            store,
            clock,
            gateway,
            catalogue,
            quoting,
            tasks,
            signals: Signals::new(),
            money,
            gate: Gate::default(),
        }
    }

    /// Whether anything may be accepted.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(in crate::service) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Waits a moment for the gate: a restart is over before a buyer has noticed.
    ///
    /// # Errors
    /// [`ChargeError::Unavailable`] when it stays closed.
    pub async fn ready(&self) -> Result<(), ChargeError> {
        if self.gate.opens_within(GATE_PATIENCE).await {
            return Ok(());
        }
        Err(ChargeError::Unavailable { retry_after: Some(GATE_RETRY) })
    }

    /// Returns the answer to a key that was used before; `None` for a new key.
    ///
    /// # Errors
    /// As the earlier request was refused, or [`ChargeError::KeyReused`] where that request was another.
    pub(in crate::service) async fn earlier_answer(
        &self,
        session: &Session,
        key: &IdempotencyKey,
        fingerprint: Fingerprint,
    ) -> Result<Option<wire::Attempt>, ChargeError> {
        match self.store.attempt_by_key(&session.customer_id, key).await? {
            Some(earlier) => self.replay(session, &earlier, fingerprint).await.map(Some),
            None => Ok(None),
        }
    }

    /// Charges an offer. [`Accepting`](super::accepting::Accepting) has made sure that it may be.
    ///
    /// # Errors
    /// See [`ChargeError`]. On every error nothing was charged by this request.
    pub(in crate::service) async fn accept(
        self: &Arc<Self>,
        session: &Session,
        agreed: Agreed,
        request: AcceptRequest,
        key: IdempotencyKey,
        fingerprint: Fingerprint,
    ) -> Result<wire::Attempt, ChargeError> {
        let Agreed { offer: Some(offer), quote, .. } = &agreed else { return Err(ChargeError::NotFound) };
        if quote.offer_id.as_ref() != Some(&offer.id) {
            return Err(ChargeError::NotFound);
        }
        if request.quantity.is_some_and(|wanted| wanted != quote.plan.quantity()) {
            return Err(ChargeError::Invalid("quantity"));
        }
        let kind = intent::kind(quote, request.pay_with)?;
        if !open_for(kind).contains(&offer.state) {
            return self.what_became_of(session, offer).await;
        }
        let consent = request.consent;
        let customer = session.customer_id.clone();
        self.charge(session, Intent { customer, kind, agreed, key, fingerprint, consent }).await
    }

    /// Charges a plan change that was previewed, with the offer that its quote belongs to.
    /// [`Accepting`](super::accepting::Accepting) has made sure that it may be.
    ///
    /// # Errors
    /// See [`ChargeError`]. On every error nothing was charged by this request.
    pub(in crate::service) async fn change(
        self: &Arc<Self>,
        session: &Session,
        agreed: Agreed,
        request: ChangeRequest,
        key: IdempotencyKey,
        fingerprint: Fingerprint,
    ) -> Result<wire::Attempt, ChargeError> {
        let Agreed { offer, quote, .. } = &agreed;
        let of_this_page = session.purpose == Purpose::Plans
            && quote.plan.subscription_id().is_some()
            && quote.plan.subscription_id() == session.subscription_id.as_ref();
        if !of_this_page {
            return Err(ChargeError::NotFound);
        }
        let kind = AttemptKind::PlanChange;
        if let Some(offer) = offer.as_ref().filter(|offer| !open_for(kind).contains(&offer.state)) {
            return self.what_became_of(session, offer).await;
        }
        let (customer, consent) = (session.customer_id.clone(), request.consent);
        self.charge(session, Intent { customer, kind, agreed, key, fingerprint, consent }).await
    }

    /// How an attempt of this buyer stands.
    ///
    /// # Errors
    /// [`ChargeError::NotFound`], or the store's.
    pub async fn attempt(&self, session: &Session, id: &AttemptId) -> Result<wire::Attempt, ChargeError> {
        let row = self.store.attempt(&session.customer_id, id).await?.ok_or(ChargeError::NotFound)?;
        // An attempt on a subscription is seen by its plan page, one of an offer by every session that may see the offer.
        let visible = match session.purpose {
            Purpose::Offer => match &row.offer_id {
                Some(offer) => {
                    let offer = self.store.offer(&session.customer_id, offer).await?;
                    offer.is_some_and(|offer| authority::may_see(session, &offer))
                }
                None => false,
            },
            Purpose::Plans => row.subscription_id.is_some() && row.subscription_id == session.subscription_id,
            Purpose::Other => false,
        };
        if !visible {
            return Err(ChargeError::NotFound);
        }
        Ok(self.view(session, &row).await?)
    }

    /// Claims, and lets the rest run in a task of its own.
    async fn charge(
        self: &Arc<Self>,
        session: &Session,
        intent: Intent,
    ) -> Result<wire::Attempt, ChargeError> {
        crate::failpoint!("accept.begun");
        let now = self.clock.now();
        if intent.agreed.quote.quote.expires_at <= now {
            return Err(ChargeError::QuoteExpired);
        }
        let claim = intent.claim(now)?;
        let attempt = match self.store.execute(&claim).await? {
            ClaimOutcome::Claimed(attempt) => attempt,
            ClaimOutcome::KeyUsed(earlier) => {
                return self.replay(session, &earlier, intent.fingerprint).await;
            }
            ClaimOutcome::SubscriptionBusy => return Err(ChargeError::AttemptInProgress),
            // Nothing is under way for this offer that the page could ask about.
            ClaimOutcome::TakenElsewhere(_) | ClaimOutcome::NotAvailable => {
                return Err(ChargeError::OfferGone);
            }
            ClaimOutcome::OfferNotFound => return Err(ChargeError::NotFound),
            ClaimOutcome::StaleStore(stale) => {
                self.gate.close(stale.into());
                return Err(ChargeError::Unavailable { retry_after: Some(GATE_RETRY) });
            }
            ClaimOutcome::OfferNotOpen(state) => {
                let offer = intent.agreed.offer.ok_or(ChargeError::NotFound)?;
                return self.what_became_of(session, &OfferRow { state, ..offer }).await;
            }
        };
        let (done, result) = oneshot::channel();
        let me = Arc::clone(self);
        let id = attempt.id.clone();
        let span = tracing::info_span!("charge", attempt_id = %id);
        let work = async move {
            // Once it is sent, finding out what became of it is one look-up among others.
            let outcome = with_priority(Priority::LookUp, me.run(attempt, intent)).await;
            // Nobody listens when the caller has gone, or was answered "processing" already.
            drop(done.send(outcome));
        };
        self.tasks.spawn(failpoint::inherit(work.instrument(span)));
        match tokio::time::timeout(ANSWER_WITHIN, result).await {
            Ok(Ok(Outcome::Refused(error))) => Err(error),
            Ok(Ok(Outcome::Underway(row))) => {
                crate::failpoint!("accept.underway");
                let row = self.wait_for_news(*row).await?;
                Ok(self.view(session, &row).await?)
            }
            Ok(Err(_)) | Err(_) => self.attempt(session, &id).await,
        }
    }

    /// Waits briefly for a webhook to settle what is still under way.
    async fn wait_for_news(&self, row: AttemptRow) -> Result<AttemptRow, ChargeError> {
        let waiting = row.kind != AttemptKind::Hosted
            && matches!(row.state, AttemptState::Pending { customer_action: false });
        if !waiting {
            return Ok(row);
        }
        let news = self.signals.listen();
        // It may have been settled before we listened.
        let fresh = self.store.attempt_by_id(&row.id).await?.unwrap_or(row);
        if !matches!(fresh.state, AttemptState::Pending { .. }) {
            return Ok(fresh);
        }
        if tokio::time::timeout(WEBHOOK_WITHIN, news.about(&fresh.id)).await.is_err() {
            return Ok(fresh);
        }
        Ok(self.store.attempt_by_id(&fresh.id).await?.unwrap_or(fresh))
    }

    /// The answer to a key that was used before: the same as then.
    async fn replay(
        &self,
        session: &Session,
        earlier: &AttemptRow,
        fingerprint: Fingerprint,
    ) -> Result<wire::Attempt, ChargeError> {
        if earlier.fingerprint != fingerprint {
            return Err(ChargeError::KeyReused);
        }
        match (earlier.state, &earlier.replacement) {
            (AttemptState::Claimed | AttemptState::Sent, _) => Err(ChargeError::KeyInProgress),
            (AttemptState::Released, Some(id)) => {
                let quote =
                    self.store.quote(&earlier.customer_id, id).await?.ok_or(ChargeError::QuoteExpired)?;
                Err(ChargeError::QuoteChanged(Box::new(self.quoting.as_of_now(&quote))))
            }
            _ => Ok(self.view(session, earlier).await?),
        }
    }

    /// The answer to a click on an offer that cannot be claimed: what became of it.
    async fn what_became_of(
        &self,
        session: &Session,
        offer: &OfferRow,
    ) -> Result<wire::Attempt, ChargeError> {
        let latest = self.store.latest_attempt(&offer.id).await?;
        match (offer.state, latest) {
            (OfferState::Charged | OfferState::Failed, Some(latest)) => {
                Ok(self.view(session, &latest).await?)
            }
            // Two tabs share one hosted page.
            (OfferState::Pending, Some(latest)) if latest.kind == AttemptKind::Hosted => {
                Ok(self.view(session, &latest).await?)
            }
            (OfferState::Accepting | OfferState::Pending | OfferState::Unknown, _) => {
                Err(ChargeError::AttemptInProgress)
            }
            _ => Err(ChargeError::OfferGone),
        }
    }
}
