//! What a plan change has come to: at its payment where money is due, else at the subscription.

use dodo_client::{
    ids::PaymentId,
    types::{
        payments::{ChargeType, IntentStatus},
        subscriptions::Subscription,
    },
};
use money::later;
use upsell_core::{
    domain::{AttemptRow, AttemptState, Observation, PaymentFacts, QuoteRow, Source},
    journal::Settlement,
    policy::{
        observe::{self, Progress},
        quote_lock::{self, Collected},
        reconcile_schedule,
    },
};

use super::{
    Charging,
    evidence::{CLOCK_SLACK, LookError},
    view,
};

impl Charging {
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
            let payment = self.payment_of_change(row, quote).await?;
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
                None => self.payment_of_change(row, quote).await?,
            };
            let base = self.nothing_seen(source);
            return Ok(payment.map(|payment| self.of_payment(row, quote, &payment, base)));
        }
        let Some(subscription) = &row.subscription_id else { return Ok(None) };
        let subscription = self.gateway.subscription(subscription).await?;
        Ok(self.by_progress(row, quote, &subscription, source))
    }

    /// The same when the subscription is at hand already.
    pub(super) async fn see_subscription(
        &self,
        row: &AttemptRow,
        quote: &QuoteRow,
        subscription: &Subscription,
    ) -> Result<Option<Settlement>, LookError> {
        let progress = observe::progress(&quote.plan, subscription);
        if progress == Some(Progress::Applied)
            && quote.quote.total > 0
            && let Some(payment) = self.payment_of_change(row, quote).await?
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

    /// The payment of a plan change, among those of its subscription: the one that names the attempt. Should Dodo leave the
    /// metadata out, one that was collected since the claim, of exactly the amount that was quoted, and only if the plan is
    /// the one that was asked for: the change may be somebody else's.
    async fn payment_of_change(
        &self,
        row: &AttemptRow,
        quote: &QuoteRow,
    ) -> Result<Option<PaymentFacts>, LookError> {
        let since = later(row.created_at, -CLOCK_SLACK);
        let payments = self.gateway.payments_since(None, row.subscription_id.as_ref(), since).await?;
        let is_collected = |payment: &PaymentFacts| payment.status == Some(IntentStatus::Succeeded);
        let as_quoted =
            |payment: &PaymentFacts| quote_lock::compare(&quote.quote, payment.amount) == Collected::AsQuoted;
        let (named, unnamed): (Vec<_>, Vec<_>) = payments
            .into_iter()
            .filter(|payment| match &payment.attempt {
                Some(attempt) => *attempt == row.id,
                None => {
                    let of_a_change = payment.charge_type == Some(ChargeType::PlanChange);
                    of_a_change && is_collected(payment) && as_quoted(payment)
                }
            })
            .partition(|payment| payment.attempt.is_some());
        let named = named.into_iter().max_by_key(|payment| (is_collected(payment), payment.created_at));
        match (named, unnamed.into_iter().max_by_key(|payment| payment.created_at)) {
            // A listing does not tell why, nor where the buyer goes on.
            (Some(named), _) if !is_collected(&named) => {
                Ok(Some(self.gateway.payment(&named.payment_id).await?))
            }
            (Some(named), _) => Ok(Some(named)),
            (None, Some(unnamed)) if self.is_applied(row, quote).await? => Ok(Some(unnamed)),
            (None, _) => Ok(None),
        }
    }

    async fn is_applied(&self, row: &AttemptRow, quote: &QuoteRow) -> Result<bool, LookError> {
        let Some(subscription) = &row.subscription_id else { return Ok(false) };
        let subscription = self.gateway.subscription(subscription).await?;
        Ok(observe::progress(&quote.plan, &subscription) == Some(Progress::Applied))
    }
}
