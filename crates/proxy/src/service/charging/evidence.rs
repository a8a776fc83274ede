//! Evidence from Dodo, wherever it came from: what it means for an attempt, writing that down, telling who waits, and
//! raising what the merchant has to look at.

use dodo_client::{
    ChargeEvidence,
    ids::SubscriptionId,
    types::{
        payments::{ChargeType, IntentStatus, Payment},
        subscriptions::Subscription,
    },
};
use money::later;
use upsell_core::{
    domain::{AttemptKind, AttemptRow, AttemptState, Observation, PaymentFacts, QuoteRow, Source},
    journal::{
        Settle, SettlePayment, Settled, Settlement, Weighed, restore,
        states::{self, is_live},
    },
    policy::{
        evidence::{Amount, Missing},
        observe,
        reconcile_schedule::Look,
    },
};
use wire::OfferId;

use super::{ChargeError, Charging};
use crate::{
    gateway::ListingError,
    service::gate::Closed,
    store::{Execute, StoreError},
};

/// A look at Dodo that gave no answer.
#[derive(Debug, thiserror::Error)]
pub(in crate::service) enum LookError {
    /// Dodo did not answer.
    #[error(transparent)]
    Dodo(#[from] dodo_client::Error),
    /// The listing is not complete.
    #[error(transparent)]
    Listing(#[from] ListingError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Charging {
    /// A webhook's payment.
    ///
    /// # Errors
    /// When the store fails, or something that its meaning depends on cannot be fetched; Dodo will send it again.
    pub async fn observe_payment(&self, payment: &Payment) -> Result<(), ChargeError> {
        let facts = self.gateway.facts(payment);
        match self.attempt_of(&facts).await? {
            Some(row) => {
                self.settle_payment(&row, &facts, self.nothing_seen(Source::Webhook)).await?;
            }
            None if self.has_let_go(&facts).await? => {}
            // Before a request leaves, its attempt is on the disk: this store has lost it.
            None if restore::authenticated(&facts, self.store.identity()).is_some() => {
                self.gate.close(Closed::WentBack(facts.created_at));
                // Dodo may not list it yet: then its report has to come again.
                if facts.created_at.is_some_and(|at| self.clock.now() < later(at, restore::MARGIN)) {
                    return Err(ChargeError::Unavailable { retry_after: None });
                }
            }
            None => self.observe_unnamed(&facts).await?,
        }
        Ok(self.observe_flags(payment).await?)
    }

    /// Says whether a payment that names an unknown attempt of this store is one of which the store has let go.
    async fn has_let_go(&self, payment: &PaymentFacts) -> Result<bool, StoreError> {
        let Some(tags) = restore::authenticated(payment, self.store.identity()) else { return Ok(false) };
        let let_go = self.store.let_go(Some(&tags.attempt), &payment.payment_id, &tags.customer).await?;
        Ok(let_go.covers(payment.created_at))
    }

    /// A webhook's subscription.
    ///
    /// # Errors
    /// When the store fails; Dodo will send it again.
    pub async fn observe_subscription(&self, subscription: &Subscription) -> Result<(), ChargeError> {
        let Some((row, quote)) = self.change_under_way(&subscription.subscription_id).await? else {
            return Ok(());
        };
        Ok(hinted(self.look_at_reported_change(&row, &quote, subscription).await.map(drop))?)
    }

    /// A payment of a plan change that names no attempt: a hint to look at the one under way on its subscription. It may be
    /// somebody else's change.
    async fn observe_unnamed(&self, payment: &PaymentFacts) -> Result<(), StoreError> {
        let (Some(ChargeType::PlanChange), Some(subscription), None) =
            (&payment.charge_type, &payment.subscription_id, payment.named.attempt())
        else {
            return Ok(());
        };
        let Some((row, quote)) = self.change_under_way(subscription).await? else { return Ok(()) };
        hinted(self.look_at_change(&row, &quote, Source::Webhook).await.map(drop))
    }

    /// The change of a subscription of which a request may have left, with its quote.
    async fn change_under_way(
        &self,
        subscription: &SubscriptionId,
    ) -> Result<Option<(AttemptRow, QuoteRow)>, StoreError> {
        let live = self.store.live_attempt(subscription).await?;
        let Some(row) = live.filter(|row| row.state != AttemptState::Claimed) else { return Ok(None) };
        let quote = self.store.quote(&row.customer_id, &row.quote_id).await?;
        Ok(quote.map(|quote| (row, quote)))
    }

    /// Whether the hosted page of an offer is paid: its buyer may be back before the webhook has come.
    pub(in crate::service) async fn look_at_hosted(&self, offer: &OfferId) -> Result<(), LookError> {
        if let Some(row) = self.store.latest_attempt(offer).await?
            && row.kind == AttemptKind::Hosted
            && is_live(row.state)
        {
            self.look_at_checkout(&row).await?;
        }
        Ok(())
    }

    /// What the checkout of an attempt has come to, from Dodo itself: the row after that, and what was seen.
    pub(in crate::service) async fn look_at_checkout(
        &self,
        row: &AttemptRow,
    ) -> Result<(AttemptRow, Look), LookError> {
        // On a hosted page one payment may fail and another follow: the page knows the latest.
        let (payment, checkout) = match (&row.payment_id, &row.checkout_session_id) {
            (Some(payment), _) if row.kind == AttemptKind::OneClick => (Some(payment.clone()), None),
            (_, Some(checkout)) => (self.gateway.checkout(checkout).await?.payment_id, Some(checkout)),
            (payment, None) => (payment.clone(), None),
        };
        let Some(payment) = payment else { return Ok((row.clone(), Look::Idle)) };
        let payment = self.gateway.payment(&payment).await?;
        // Our checkout named it, whether or not it names the checkout.
        let payment = PaymentFacts {
            checkout_session_id: payment.checkout_session_id.clone().or_else(|| checkout.cloned()),
            ..payment
        };
        let weighed = self.settle_payment(row, &payment, self.nothing_seen(Source::LookUp)).await?;
        let row = weighed.settled().map_or_else(|| row.clone(), |settled| settled.row);
        let look = if observe::is_under_way(payment.status.as_ref()) { Look::UnderWay } else { Look::Idle };
        Ok((row, look))
    }

    /// The attempt that a payment may belong to: known by its payment or checkout, or named by its metadata.
    async fn attempt_of(&self, payment: &PaymentFacts) -> Result<Option<AttemptRow>, StoreError> {
        let checkout = payment.checkout_session_id.as_ref();
        let known = self.store.attempt_by_upstream(&payment.payment_id, checkout).await?;
        match (known, payment.named.attempt()) {
            (Some(row), _) => Ok(Some(row)),
            (None, Some(id)) => self.store.attempt_by_id(id).await,
            (None, None) => Ok(None),
        }
    }

    /// Settles an attempt by a payment, if that turns out to be its own; fetches what that depends on. `base` is what is
    /// known beside the payment.
    pub(in crate::service) async fn settle_payment(
        &self,
        row: &AttemptRow,
        payment: &PaymentFacts,
        base: Settlement,
    ) -> Result<Weighed, LookError> {
        let mut payment = payment.clone();
        let mut subscription: Option<Subscription> = None;
        // Each of the two things that may be missing is fetched once.
        for _ in 0..2 {
            let missing = match self.weigh(row, &payment, subscription.as_ref(), &base).await? {
                Weighed::Held(missing) => missing,
                weighed => return Ok(weighed),
            };
            match (missing, payment.subscription_id.clone()) {
                (Missing::Subscription, Some(id)) => {
                    subscription = Some(self.gateway.subscription(&id).await?);
                }
                (Missing::Payment | Missing::Subscription, _) => {
                    let whole = self.gateway.payment(&payment.payment_id).await?;
                    let checkout_session_id = whole.checkout_session_id.or(payment.checkout_session_id);
                    payment = PaymentFacts { checkout_session_id, ..whole };
                }
            }
        }
        let weighed = self.weigh(row, &payment, subscription.as_ref(), &base).await?;
        if let Weighed::Held(missing) = weighed
            && payment.status == Some(IntentStatus::Succeeded)
        {
            tracing::warn!(attempt_id = %row.id, payment_id = %payment.payment_id, ?missing, "a payment is held");
        }
        Ok(weighed)
    }

    async fn weigh(
        &self,
        row: &AttemptRow,
        payment: &PaymentFacts,
        subscription: Option<&Subscription>,
        base: &Settlement,
    ) -> Result<Weighed, StoreError> {
        let settle = SettlePayment {
            attempt: &row.id,
            payment,
            subscription,
            base,
            money: self.money,
            store: self.store.identity(),
        };
        let weighed = self.store.execute(&settle).await?;
        match &weighed {
            Weighed::Settled { settled, amount, .. } => {
                self.tell(settled);
                let is_new = settled.before != settled.row.state;
                if is_new && settled.row.state == AttemptState::Underpaid {
                    self.alert("underpaid", &settled.row);
                } else if is_new && *amount != Amount::AsAgreed {
                    tracing::error!(?amount, quote_id = %row.quote_id, "collected another amount than was agreed");
                    self.alert("collected_not_as_quoted", &settled.row);
                }
            }
            Weighed::Foreign { why, is_news: true } => {
                tracing::error!(why = why.as_str(), payment_id = %payment.payment_id, "a payment names an attempt");
                self.alert("payment_not_its_own", row);
            }
            Weighed::Foreign { .. } | Weighed::Held(_) | Weighed::NoAttempt => {}
        }
        Ok(weighed)
    }

    /// A settlement that says nothing yet, now.
    pub(in crate::service) fn nothing_seen(&self, source: Source) -> Settlement {
        Settlement::of(Observation::Unknown, source, self.clock.now())
    }

    /// Writes an observation down, tells who waits, and raises what is not as it should be.
    pub(in crate::service) async fn settle(
        &self,
        row: &AttemptRow,
        quote: Option<&QuoteRow>,
        settlement: &Settlement,
    ) -> Result<Option<Settled>, StoreError> {
        let settled = self.store.execute(&Settle { attempt: &row.id, settlement }).await?;
        if let Some(settled) = &settled {
            self.tell(settled);
            let after = &settled.row;
            if after.state == AttemptState::Succeeded && after.receipt.is_none() && quote.is_some() {
                self.alert("collected_without_receipt", after);
            }
        }
        Ok(settled)
    }

    /// Tells who waits, and raises what is not as it should be.
    fn tell(&self, Settled { before, row: after, surplus }: &Settled) {
        if *before != after.state {
            tracing::info!(attempt_id = %after.id, ?before, after = ?after.state, "an attempt was settled");
            self.signals.moved(&after.id);
            if states::is_watched(*before)
                && after.state == AttemptState::Succeeded
                && *before != AttemptState::Underpaid
            {
                self.alert("collected_after_being_given_up", after);
            }
        }
        if *surplus {
            self.alert("collected_twice", after);
        }
    }

    /// Something that a person has to look at.
    pub(in crate::service) fn alert(&self, kind: &'static str, row: &AttemptRow) {
        tracing::error!(alert = kind, attempt_id = %row.id, "the merchant has to look at this");
        metrics::counter!("upsell_alerts_total", "kind" => kind).increment(1);
    }
}

/// What a webhook hinted at was looked into.
fn hinted(looked: Result<(), LookError>) -> Result<(), StoreError> {
    match looked {
        Ok(()) => Ok(()),
        Err(LookError::Store(error)) => Err(error),
        // The webhook has done its part; the reconciler looks again.
        Err(error) => {
            tracing::warn!(%error, "what a webhook hinted at could not be looked into");
            Ok(())
        }
    }
}

/// What came back of a charging request, without anything of whose it was.
pub(super) fn log<T>(evidence: &ChargeEvidence<T>) {
    match evidence {
        ChargeEvidence::Accepted { status, .. } => tracing::info!(status, "a charge was taken on"),
        ChargeEvidence::Unsent(why) => tracing::warn!(%why, "a charge was not sent"),
        ChargeEvidence::Refused(error) => {
            tracing::warn!(status = error.status, code = error.code(), "a charge was refused");
        }
        ChargeEvidence::Undecodable { status, reason } => {
            tracing::error!(status, %reason, "the answer to a charge could not be read");
        }
        ChargeEvidence::Broken { status, cause } => {
            tracing::error!(status, %cause, "the exchange of a charge broke");
        }
    }
}
