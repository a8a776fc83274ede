//! What a plan change has come to: at its payment where money is due, else at the subscription.

use dodo_client::types::{
    payments::{ChargeType, IntentStatus},
    subscriptions::Subscription,
};
use money::later;
use upsell_core::{
    domain::{AttemptRow, Named, Observation, PaymentFacts, QuoteRow, Source},
    journal::{Settled, Settlement, Weighed, states::is_watched},
    policy::{
        listing_plan::CLOCK_SLACK,
        observe::{self, Progress},
        receipt,
        reconcile_schedule::{self, Look},
    },
};

use super::{Charging, evidence::LookError};

impl Charging {
    /// Looks at what a plan change has come to, and settles by what is seen: at its payment where money is due, then at the
    /// subscription. `None`: nothing is to be seen yet.
    pub(in crate::service) async fn look_at_change(
        &self,
        row: &AttemptRow,
        quote: &QuoteRow,
        source: Source,
    ) -> Result<(Option<Settled>, Look), LookError> {
        // Where a later change was sent after this one had been given up, the subscription tells of that one.
        let is_followed = is_watched(row.state) && self.store.is_followed(row).await?;
        let mut look = Look::Idle;
        if quote.quote.total > 0 {
            let seen = self.settle_by_payment_of_change(row, self.nothing_seen(source), is_followed).await?;
            if seen.settled.is_some() {
                return Ok((seen.settled, seen.look));
            }
            look = seen.look;
        }
        let Some(subscription) = row.subscription_id.as_ref().filter(|_| !is_followed) else {
            return Ok((None, look));
        };
        let subscription = self.gateway.subscription(subscription).await?;
        Ok((self.settle_by_progress(row, quote, &subscription, source).await?, look))
    }

    /// One look right after the request: at the payment that the reply named where money is due, else at the subscription.
    /// `taken_on` is what the reply said.
    pub(super) async fn look_after_change(
        &self,
        row: &AttemptRow,
        quote: &QuoteRow,
        taken_on: Settlement,
    ) -> Result<Option<Settled>, LookError> {
        if quote.quote.total > 0 {
            return Ok(self.settle_by_payment_of_change(row, taken_on, false).await?.settled);
        }
        let Some(subscription) = &row.subscription_id else { return Ok(None) };
        let subscription = self.gateway.subscription(subscription).await?;
        self.settle_by_progress(row, quote, &subscription, Source::Reply).await
    }

    /// The same when a webhook has brought the subscription.
    pub(super) async fn look_at_reported_change(
        &self,
        row: &AttemptRow,
        quote: &QuoteRow,
        subscription: &Subscription,
    ) -> Result<Option<Settled>, LookError> {
        let source = Source::Webhook;
        let is_applied = observe::progress(&quote.plan, subscription) == Some(Progress::Applied);
        if is_applied
            && quote.quote.total > 0
            && let Some(settled) =
                self.settle_by_payment_of_change(row, self.nothing_seen(source), false).await?.settled
        {
            return Ok(Some(settled));
        }
        self.settle_by_progress(row, quote, subscription, source).await
    }

    async fn settle_by_progress(
        &self,
        row: &AttemptRow,
        quote: &QuoteRow,
        subscription: &Subscription,
        source: Source,
    ) -> Result<Option<Settled>, LookError> {
        let Some(settlement) = self.by_progress(row, quote, subscription, source) else { return Ok(None) };
        Ok(self.settle(row, Some(quote), &settlement).await?)
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
        let past_deadline = reconcile_schedule::is_past_deadline(row, self.clock.now());
        let observation = observe::plan_change(progress, money_is_due, past_deadline);
        // Where money was due and its payment is not known, no amount is claimed.
        let receipt = (matches!(observation, Observation::Succeeded | Observation::Scheduled)
            && !money_is_due)
            .then(|| receipt::without_payment(quote, row, self.clock.now()));
        (observation != Observation::Unknown).then(|| Settlement {
            receipt,
            observation,
            ..self.nothing_seen(source)
        })
    }

    /// Settles by the payment of a plan change: the one that Dodo's reply named, or among those of its subscription the
    /// first that turns out to be its own. Those that name it come first; one that names nothing counts only while no other
    /// change followed.
    async fn settle_by_payment_of_change(
        &self,
        row: &AttemptRow,
        base: Settlement,
        is_followed: bool,
    ) -> Result<Seen, LookError> {
        let replied = base.payment.as_ref().map(|payment| &payment.id);
        if let Some(id) = replied.or(row.payment_id.as_ref()) {
            let payment = self.gateway.payment(id).await?;
            let look = look_of(&payment);
            return Ok(Seen { settled: self.settle_payment(row, &payment, base).await?.settled(), look });
        }
        let (payments, is_complete) = self.payments_of_change(row, is_followed).await?;
        for payment in payments {
            // A listing does not tell why a payment failed, nor where the buyer goes on.
            let payment = if is_collected(&payment) {
                payment
            } else {
                self.gateway.payment(&payment.payment_id).await?
            };
            if let Weighed::Settled { settled, .. } = self.settle_payment(row, &payment, base.clone()).await?
            {
                return Ok(Seen { settled: Some(*settled), look: look_of(&payment) });
            }
        }
        Ok(Seen { settled: None, look: if is_complete { Look::Idle } else { Look::Incomplete } })
    }

    /// Returns the payments that may be those of a plan change, the most promising first, and whether those are all.
    async fn payments_of_change(
        &self,
        row: &AttemptRow,
        is_followed: bool,
    ) -> Result<(Vec<PaymentFacts>, bool), LookError> {
        let Some(subscription) = &row.subscription_id else { return Ok((Vec::new(), true)) };
        let since = later(row.created_at, -CLOCK_SLACK);
        let listed = self.gateway.payments_of(subscription, since).await?;
        let mut candidates: Vec<_> = listed
            .payments
            .into_iter()
            .filter(|payment| match payment.named.attempt() {
                Some(attempt) => *attempt == row.id,
                None => {
                    let of_a_change = payment.charge_type == Some(ChargeType::PlanChange);
                    of_a_change && is_collected(payment) && !is_followed
                }
            })
            .collect();
        candidates.sort_by_key(|payment| {
            let is_named = payment.named != Named::Nobody;
            std::cmp::Reverse((is_named, is_collected(payment), payment.created_at))
        });
        Ok((candidates, listed.unreadable.is_empty()))
    }
}

/// What a look at the payment of a plan change came to.
struct Seen {
    settled: Option<Settled>,
    look: Look,
}

fn look_of(payment: &PaymentFacts) -> Look {
    if observe::is_under_way(payment.status.as_ref()) { Look::UnderWay } else { Look::Idle }
}

fn is_collected(payment: &PaymentFacts) -> bool {
    payment.status == Some(IntentStatus::Succeeded)
}
