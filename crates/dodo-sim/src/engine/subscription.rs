//! A subscription's life outside of billing runs: beginning, being patched, its credit and its method.

use super::event::EventType;
use super::world::World;
use crate::billing::calendar;
use crate::error::{ApiError, Outcome};
use crate::model::Metadata;
use crate::model::catalogue::Every;
use crate::model::money::Currency;
use crate::model::payment::{Payment, Purpose, ServicePeriod};
use crate::model::subscription::{NewSubscription, Subscription, SubscriptionStatus};
use crate::policy::{CreditScope, MonthStep};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

/// Begins every subscription that a paid cart holds, and tells the payment of them.
pub(crate) fn begin_all(world: &mut World, payment: &Payment, wanted: &[NewSubscription]) -> Vec<String> {
    let mut ids = Vec::with_capacity(wanted.len());
    let mut periods = Vec::with_capacity(wanted.len());
    for new in wanted {
        let begun = begin(world, payment, new);
        periods.push(ServicePeriod {
            subscription_id: begun.subscription_id.clone(),
            starts_at: begun.previous_billing_date,
            ends_at: begun.next_billing_date,
            proration_factor: "1".to_owned(),
        });
        ids.push(begun.subscription_id.clone());
        world.renew_at(begun.next_billing_date, &begun.subscription_id);
        world.subscriptions.put(begun);
    }
    if let Some(payment) = world.payments.get_mut(&payment.payment_id) {
        payment.subscription_ids.clone_from(&ids);
        payment.service_periods = periods;
    }
    ids
}

fn begin(world: &mut World, payment: &Payment, new: &NewSubscription) -> Subscription {
    let now = world.now;
    let day = now.day();
    let next = if new.trial_days > 0 {
        now + Duration::days(i64::from(new.trial_days))
    } else {
        calendar::step(now, new.plan.frequency, day, world.policy.month_step)
    };
    Subscription {
        subscription_id: world.ids.next("sub"),
        customer_id: payment.customer_id.clone(),
        plan: new.plan.clone(),
        status: SubscriptionStatus::Active,
        billing: payment.billing.clone(),
        metadata: payment.metadata.clone(),
        payment_method_id: payment.payment_method_id.clone(),
        created_at: now,
        previous_billing_date: now,
        next_billing_date: next,
        billing_day: next.day(),
        life: new.life,
        expires_at: calendar::step(now, new.life, day, MonthStep::Calendar),
        trial_period_days: new.trial_days,
        trial_amount: new.trial_amount,
        on_demand: new.on_demand,
        period_paid: new.trial_days == 0,
        cancel_at_next_billing_date: false,
        cancelled_at: None,
        paused_at: None,
        scheduled_change: None,
        pending_change: None,
        credit: 0,
        dues: None,
        renewal_payment_id: Some(payment.payment_id.clone()),
        tax_id: new.tax_id.clone(),
        customer_business_name: new.customer_business_name.clone(),
    }
}

impl Subscription {
    /// The end of a period that starts at `from`.
    pub(crate) fn period_after(
        &self,
        from: OffsetDateTime,
        every: Every,
        months: MonthStep,
    ) -> OffsetDateTime {
        calendar::step(from, every, self.billing_day, months)
    }
}

/// Credit that this subscription's charges may use.
pub(crate) fn credit(world: &World, subscription: &Subscription) -> i64 {
    match world.policy.credit_scope {
        CreditScope::Subscription => subscription.credit,
        CreditScope::Customer => world
            .customers
            .get(&subscription.customer_id)
            .map_or(0, |customer| customer.credit(subscription.plan.currency)),
    }
}

/// Gives to (or takes from) the credit that the payment's subscription uses.
pub(crate) fn add_credit(world: &mut World, payment: &Payment, amount: i64) {
    match &payment.purpose {
        Purpose::PlanChange { subscription_id, .. }
        | Purpose::Renewal { subscription_id }
        | Purpose::Dues { subscription_id } => grant(world, subscription_id, payment.currency, amount),
        Purpose::Checkout { .. } | Purpose::NewMethod { .. } => {}
    }
}

/// Gives credit to a subscription or its customer, as the scope says.
pub(crate) fn grant(world: &mut World, subscription_id: &str, currency: Currency, amount: i64) {
    let (now, scope) = (world.now, world.policy.credit_scope);
    let Some(subscription) = world.subscriptions.get_mut(subscription_id) else { return };
    match scope {
        CreditScope::Subscription => subscription.credit = subscription.credit.saturating_add(amount),
        CreditScope::Customer => {
            let customer_id = subscription.customer_id.clone();
            if let Some(customer) = world.customers.get_mut(&customer_id) {
                customer.add_credit(currency, amount, now);
            }
        }
    }
}

/// Puts another payment method on a subscription and tells of it.
pub(crate) fn set_method(world: &mut World, subscription_id: &str, method_id: Option<String>) {
    if let Some(subscription) = world.subscriptions.get_mut(subscription_id) {
        subscription.payment_method_id = method_id;
    }
    world.tell_subscription(&[EventType::SubscriptionUpdatePaymentMethod], subscription_id);
}

/// Body of `PATCH /subscriptions/{id}`, as far as it is simulated.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Patch {
    status: Option<SubscriptionStatus>,
    cancel_at_next_billing_date: Option<bool>,
    #[serde(with = "time::serde::rfc3339::option")]
    next_billing_date: Option<OffsetDateTime>,
    metadata: Option<Metadata>,
    pause: Option<bool>,
}

/// `PATCH /subscriptions/{id}`.
pub(crate) fn patch(world: &mut World, id: &str, patch: Patch) -> Outcome<()> {
    use SubscriptionStatus::{Active, Cancelled, Paused};
    let now = world.now;
    let current = world.subscription(id)?;
    if patch.pause.is_some() {
        return Err(ApiError::invalid("pause is no longer accepted; send status"));
    }
    let ended =
        !matches!(current.status, Active | Paused | SubscriptionStatus::OnHold | SubscriptionStatus::PastDue);
    if ended {
        return Err(ApiError::invalid("the subscription has ended"));
    }
    if patch.next_billing_date.is_some_and(|at| at <= now) {
        return Err(ApiError::invalid("next_billing_date must be in the future"));
    }
    let alone = patch.cancel_at_next_billing_date.is_none()
        && patch.next_billing_date.is_none()
        && patch.metadata.is_none();
    let told = match (patch.status, current.status) {
        (None, _) => None,
        (Some(Cancelled), _) => Some(EventType::SubscriptionCancelled),
        (Some(Paused), Active) if alone => Some(EventType::SubscriptionPaused),
        (Some(Active), Paused) if alone => Some(EventType::SubscriptionUnpaused),
        (Some(_), _) => {
            return Err(ApiError::invalid("only cancelled, or paused and active sent alone, can be set"));
        }
    };
    if let Some(metadata) = &patch.metadata {
        super::cart::check_metadata(metadata)?;
    }
    let Some(subscription) = world.subscriptions.get_mut(id) else { return Ok(()) };
    let mut events: Vec<EventType> = told.into_iter().collect();
    if let Some(status) = patch.status {
        subscription.status = status;
        subscription.cancelled_at = (status == Cancelled).then_some(now);
        subscription.paused_at = (status == Paused).then_some(now);
    }
    if let Some(cancel) = patch.cancel_at_next_billing_date {
        if cancel != subscription.cancel_at_next_billing_date {
            // Dodo tells of this toggle as a change of plan.
            events.push(EventType::SubscriptionPlanChanged);
        }
        subscription.cancel_at_next_billing_date = cancel;
    }
    if let Some(metadata) = patch.metadata {
        subscription.metadata = metadata;
    }
    let resumed = told == Some(EventType::SubscriptionUnpaused);
    let renewal = patch.next_billing_date.or((resumed).then_some(subscription.next_billing_date.max(now)));
    if let Some(at) = renewal {
        subscription.next_billing_date = at;
        subscription.billing_day = at.day();
        if let Some(scheduled) = subscription.scheduled_change.as_mut() {
            scheduled.effective_at = at;
        }
        world.renew_at(at, id);
    }
    world.tell_subscription(&events, id);
    Ok(())
}
