//! Evidence from Dodo, wherever it came from: what it means for an attempt, writing that down, telling who waits, and
//! raising what the merchant has to look at.

use dodo_client::{
    ChargeEvidence,
    ids::SubscriptionId,
    types::{
        payments::{ChargeType, Payment},
        subscriptions::Subscription,
    },
};
use money::later;
use upsell_core::{
    domain::{
        AttemptKind, AttemptRow, AttemptState, Observation, PaymentFacts, QuoteRow, SeenPayment, Source,
    },
    journal::{Settle, Settled, Settlement, restore, states::is_live},
    policy::{
        observe,
        quote_lock::{self, Collected},
        reconcile_schedule::Look,
        refunds,
    },
};
use wire::OfferId;

use super::{ChargeError, Charging, view};
use crate::{
    gateway::ListingError,
    service::gate::Closed,
    store::{Execute, StoreError},
};

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
            None => self.observe_unnamed(&facts).await?,
        }
        Ok(self.observe_flags(payment).await?)
    }

    /// A webhook's subscription.
    ///
    /// # Errors
    /// When the store fails; Dodo will send it again.
    pub async fn observe_subscription(&self, subscription: &Subscription) -> Result<(), ChargeError> {
        let Some((row, quote)) = self.change_under_way(&subscription.subscription_id).await? else {
            return Ok(());
        };
        let seen = self.see_subscription(&row, &quote, subscription).await;
        Ok(self.settle_as_seen(&row, &quote, seen).await?)
    }

    /// A payment of a plan change that names no attempt: a hint to look at the one under way on its subscription. It may be
    /// somebody else's change.
    async fn observe_unnamed(&self, payment: &PaymentFacts) -> Result<(), StoreError> {
        let (Some(ChargeType::PlanChange), Some(subscription), None) =
            (&payment.charge_type, &payment.subscription_id, &payment.attempt)
        else {
            return Ok(());
        };
        let Some((row, quote)) = self.change_under_way(subscription).await? else { return Ok(()) };
        let seen = self.see_change(&row, &quote).await;
        self.settle_as_seen(&row, &quote, seen).await
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

    async fn settle_as_seen(
        &self,
        row: &AttemptRow,
        quote: &QuoteRow,
        seen: Result<Option<Settlement>, LookError>,
    ) -> Result<(), StoreError> {
        match seen {
            Ok(Some(settlement)) => {
                self.settle(row, Some(quote), &settlement).await?;
            }
            Ok(None) => {}
            Err(LookError::Store(error)) => return Err(error),
            // The webhook has done its part; the reconciler looks again.
            Err(error) => tracing::warn!(%error, "what a webhook hinted at could not be looked into"),
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

    /// The attempt that a payment belongs to: named by its metadata, or known by its payment or checkout.
    async fn attempt_of(&self, payment: &PaymentFacts) -> Result<Option<AttemptRow>, StoreError> {
        if let Some(id) = &payment.attempt
            && let Some(row) = self.store.attempt_by_id(id).await?
        {
            return Ok(Some(row));
        }
        let checkout = payment.checkout_session_id.as_ref();
        self.store.attempt_by_upstream(&payment.payment_id, checkout).await
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
            Observation::Succeeded => Some(view::receipt(quote, payment)),
            _ => None,
        };
        if observation == Observation::Succeeded {
            self.check_amount(row, quote, payment);
        }
        let seen = SeenPayment {
            id: payment.payment_id.clone(),
            status: observe::payment_status(payment.status.as_ref()),
            amount: Some(payment.amount),
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
        let compared = quote_lock::compare(&quote.quote, payment.amount);
        if compared != Collected::AsQuoted {
            tracing::error!(?compared, quote_id = %quote.quote.id, "collected another amount than was shown");
            self.alert("collected_not_as_quoted", row);
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
        let settled = self.store.execute(&Settle { attempt: &row.id, settlement }).await?;
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
