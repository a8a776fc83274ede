//! Evidence from Dodo, wherever it came from: what it means for an attempt, writing that down, telling who waits, and
//! raising what the merchant has to look at.

use super::{ChargeError, Charging, view};
use crate::service::gate::Closed;
use crate::{
    clock::later,
    domain::{AttemptKind, AttemptRow, AttemptState, QuoteRow, SeenPayment, Source},
    gateway::{ListingError, PaymentFacts},
    policy::{
        observe::{self, Progress},
        quote_lock::{self, Collected},
        reconcile_schedule::{self, Look},
        refunds, restore,
        settle::{Observation, is_live},
    },
    store::{Settled, Settlement, StoreError},
};
use dodo_client::{
    ChargeEvidence,
    calls::{
        payments::{ChargeType, IntentStatus, Payment},
        subscriptions::Subscription,
    },
    ids::PaymentId,
};
use wire::OfferId;

/// Seconds by which Dodo's clock and ours may differ in listings.
pub(in crate::service) const CLOCK_SLACK: i64 = 600;

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
    /// When the store fails; Dodo will send it again.
    pub async fn observe_payment(&self, payment: &Payment) -> Result<(), ChargeError> {
        let facts = PaymentFacts::from(payment);
        match self.attempt_of(&facts).await? {
            Some(row) => {
                self.settle_payment(&row, &facts, Source::Webhook).await?;
            }
            // Before a request leaves, its attempt is on the disk: this store has lost it.
            None if restore::is_ours(&facts, self.store.name(), false).is_some() => {
                self.gate.close(Closed::WentBack(Some(facts.created_at)));
                // Dodo may not list it yet: then its report has to come again.
                if self.clock.now() < later(facts.created_at, restore::MARGIN) {
                    return Err(ChargeError::Unavailable { retry_after: None });
                }
            }
            None => {}
        }
        Ok(self.observe_flags(payment).await?)
    }

    /// A webhook's subscription.
    ///
    /// # Errors
    /// When the store fails; Dodo will send it again.
    pub async fn observe_subscription(&self, subscription: &Subscription) -> Result<(), ChargeError> {
        let Some(row) = self.store.live_attempt(&subscription.subscription_id).await? else { return Ok(()) };
        if row.state == AttemptState::Claimed {
            return Ok(());
        }
        let Some(quote) = self.store.quote(&row.customer_id, &row.quote_id).await? else { return Ok(()) };
        match self.see_subscription(&row, &quote, subscription).await {
            Ok(Some(settlement)) => {
                self.settle(&row, Some(&quote), &settlement).await?;
            }
            Ok(None) => {}
            Err(LookError::Store(error)) => return Err(error.into()),
            // The webhook has done its part; the reconciler looks again.
            Err(error) => tracing::warn!(%error, "a changed subscription could not be looked into"),
        }
        Ok(())
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
        let payment = match (&row.payment_id, &row.checkout_session_id) {
            (Some(payment), _) if row.kind == AttemptKind::OneClick => Some(payment.clone()),
            (_, Some(checkout)) => self.gateway.checkout(checkout).await?.payment_id,
            (payment, None) => payment.clone(),
        };
        let Some(payment) = payment else { return Ok((row.clone(), Look::Idle)) };
        let payment = self.gateway.payment(&payment).await?;
        let settled = self.settle_payment(row, &payment, Source::LookUp).await?;
        let look = if observe::is_under_way(payment.status.as_ref()) { Look::UnderWay } else { Look::Idle };
        Ok((settled.map_or_else(|| row.clone(), |settled| settled.row), look))
    }

    /// The attempt that a payment belongs to: named by its metadata, or known by its payment or checkout, or for a plan
    /// change the one under way on its subscription.
    async fn attempt_of(&self, payment: &PaymentFacts) -> Result<Option<AttemptRow>, StoreError> {
        if let Some(id) = &payment.attempt
            && let Some(row) = self.store.attempt_by_id(id).await?
        {
            return Ok(Some(row));
        }
        let checkout = payment.checkout_session_id.as_ref();
        if let Some(row) = self.store.attempt_by_upstream(&payment.payment_id, checkout).await? {
            return Ok(Some(row));
        }
        match (&payment.charge_type, &payment.subscription_id) {
            (Some(ChargeType::PlanChange), Some(subscription)) if payment.attempt.is_none() => {
                let live = self.store.live_attempt(subscription).await?;
                Ok(live.filter(|row| payment.created_at >= later(row.created_at, -CLOCK_SLACK)))
            }
            _ => Ok(None),
        }
    }

    /// Settles an attempt by a payment that may be its own.
    pub(in crate::service) async fn settle_payment(
        &self,
        row: &AttemptRow,
        payment: &PaymentFacts,
        source: Source,
    ) -> Result<Option<Settled>, StoreError> {
        if payment.customer_id != row.customer_id {
            self.alert("payment_of_another_buyer", row);
            return Ok(None);
        }
        if !observe::may_belong(row.kind, payment.charge_type.as_ref()) {
            return Ok(None);
        }
        let Some(quote) = self.store.quote(&row.customer_id, &row.quote_id).await? else { return Ok(None) };
        let settlement = self.of_payment(row, &quote, payment, self.nothing_seen(source));
        self.settle(row, Some(&quote), &settlement).await
    }

    /// `base` with what the payment says.
    pub(super) fn of_payment(
        &self,
        row: &AttemptRow,
        quote: &QuoteRow,
        payment: &PaymentFacts,
        base: Settlement,
    ) -> Settlement {
        let observation = observe::payment(row.kind, payment.status.as_ref(), payment.error_code.as_deref());
        let receipt = match observation {
            Observation::Succeeded => view::receipt(quote, payment),
            _ => None,
        };
        if observation == Observation::Succeeded {
            self.check_amount(row, quote, payment);
        }
        let seen = SeenPayment {
            id: payment.payment_id.clone(),
            status: observe::payment_status(payment.status.as_ref()),
            amount: payment.amount,
        };
        // The bank wants to see the buyer: that payment's own page leads on, and no other while it is undecided.
        let own_page = payment.payment_link.clone().filter(|_| {
            row.kind != AttemptKind::Hosted && observation == Observation::Pending { customer_action: true }
        });
        let checkout_url = own_page.or(base.checkout_url);
        let refund = refunds::rules(self.money, row.kind, quote, payment.amount);
        Settlement { observation, payment: Some(seen), checkout_url, receipt, refund, ..base }
    }

    /// What was collected has to be what was shown. On a hosted page the buyer may have changed their country, and saw
    /// the total there.
    fn check_amount(&self, row: &AttemptRow, quote: &QuoteRow, payment: &PaymentFacts) {
        if row.state == AttemptState::Succeeded || row.kind == AttemptKind::Hosted {
            return;
        }
        let compared = payment.amount.map(|amount| quote_lock::compare(&quote.quote, amount));
        if compared != Some(Collected::AsQuoted) {
            tracing::error!(?compared, quote_id = %quote.quote.id, "collected another amount than was shown");
            self.alert("collected_not_as_quoted", row);
        }
    }

    /// Looks at what a plan change has come to: at its payment where money is due, then at the subscription. `None`:
    /// nothing is to be seen yet.
    pub(in crate::service) async fn see_change(
        &self,
        row: &AttemptRow,
        quote: &QuoteRow,
    ) -> Result<Option<Settlement>, LookError> {
        let source = Source::LookUp;
        // Where a later change was sent after this one had been given up, the subscription tells of that one.
        if row.state == AttemptState::Abandoned && self.store.is_followed(row).await? {
            let payment = self.payment_of_change(row).await?;
            let ours = payment.filter(|payment| payment.attempt.as_ref() == Some(&row.id));
            let base = self.nothing_seen(source);
            return Ok(ours.map(|payment| self.of_payment(row, quote, &payment, base)));
        }
        let first = self.see_change_once(row, quote, row.payment_id.as_ref(), source).await?;
        match (&row.subscription_id, first) {
            (Some(subscription), None) if quote.quote.total > 0 => {
                let subscription = self.gateway.subscription(subscription).await?;
                Ok(self.by_progress(row, quote, &subscription, source))
            }
            (_, first) => Ok(first),
        }
    }

    /// One look, where the answer is to be expected: at the payment where money is due, else at the subscription.
    pub(super) async fn see_change_once(
        &self,
        row: &AttemptRow,
        quote: &QuoteRow,
        payment: Option<&PaymentId>,
        source: Source,
    ) -> Result<Option<Settlement>, LookError> {
        if quote.quote.total > 0 {
            let payment = match payment {
                Some(id) => Some(self.gateway.payment(id).await?),
                None => self.payment_of_change(row).await?,
            };
            let base = self.nothing_seen(source);
            return Ok(payment.map(|payment| self.of_payment(row, quote, &payment, base)));
        }
        let Some(subscription) = &row.subscription_id else { return Ok(None) };
        let subscription = self.gateway.subscription(subscription).await?;
        Ok(self.by_progress(row, quote, &subscription, source))
    }

    /// The same when the subscription is at hand already.
    async fn see_subscription(
        &self,
        row: &AttemptRow,
        quote: &QuoteRow,
        subscription: &Subscription,
    ) -> Result<Option<Settlement>, LookError> {
        let progress = observe::progress(&quote.plan, subscription);
        if progress == Some(Progress::Applied)
            && quote.quote.total > 0
            && let Some(payment) = self.payment_of_change(row).await?
        {
            let base = self.nothing_seen(Source::Webhook);
            return Ok(Some(self.of_payment(row, quote, &payment, base)));
        }
        Ok(self.by_progress(row, quote, subscription, Source::Webhook))
    }

    fn by_progress(
        &self,
        row: &AttemptRow,
        quote: &QuoteRow,
        subscription: &Subscription,
        source: Source,
    ) -> Option<Settlement> {
        let progress = observe::progress(&quote.plan, subscription)?;
        if progress == Progress::OnHold {
            self.alert("subscription_on_hold", row);
        }
        let money_is_due = quote.quote.total > 0;
        let past_deadline = reconcile_schedule::counts_as_clean(row, self.clock.now());
        let observation = observe::plan_change(progress, money_is_due, past_deadline);
        // Where money was due and its payment is not known, no amount is claimed.
        let receipt = (matches!(observation, Observation::Succeeded | Observation::Scheduled)
            && !money_is_due)
            .then(|| view::receipt_without_payment(quote, row, self.clock.now()));
        (observation != Observation::Unknown).then(|| Settlement {
            receipt,
            observation,
            ..self.nothing_seen(source)
        })
    }

    /// The payment of a plan change, among those of its subscription: the one that names the attempt; where Dodo left the
    /// metadata out, one of a plan change since the claim.
    async fn payment_of_change(&self, row: &AttemptRow) -> Result<Option<PaymentFacts>, LookError> {
        let since = later(row.created_at, -CLOCK_SLACK);
        let payments = self.gateway.payments_since(None, row.subscription_id.as_ref(), since).await?;
        let ours = payments.into_iter().filter(|payment| {
            payment.attempt.as_ref() == Some(&row.id)
                || (payment.attempt.is_none() && payment.charge_type == Some(ChargeType::PlanChange))
        });
        let found =
            ours.max_by_key(|payment| (payment.status == Some(IntentStatus::Succeeded), payment.created_at));
        match found {
            // A listing does not tell why, nor where the buyer goes on.
            Some(payment) if payment.status != Some(IntentStatus::Succeeded) => {
                Ok(Some(self.gateway.payment(&payment.payment_id).await?))
            }
            found => Ok(found),
        }
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
        let settled = self.store.settle(&row.id, settlement).await?;
        if let Some(Settled { before, row: after, surplus }) = &settled {
            if *before != after.state {
                tracing::info!(attempt_id = %after.id, ?before, after = ?after.state, "an attempt was settled");
                self.signals.moved(&after.id);
                if *before == AttemptState::Abandoned && after.state == AttemptState::Succeeded {
                    self.alert("collected_after_being_given_up", after);
                }
            }
            if *surplus {
                self.alert("collected_twice", after);
            }
            if after.state == AttemptState::Succeeded && after.receipt.is_none() && quote.is_some() {
                self.alert("collected_without_receipt", after);
            }
        }
        Ok(settled)
    }

    /// Something that a person has to look at.
    pub(in crate::service) fn alert(&self, kind: &'static str, row: &AttemptRow) {
        tracing::error!(alert = kind, attempt_id = %row.id, "the merchant has to look at this");
        metrics::counter!("upsell_alerts_total", "kind" => kind).increment(1);
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
