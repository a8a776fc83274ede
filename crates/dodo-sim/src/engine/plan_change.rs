//! Carrying out a plan change, and taking a scheduled one back.

use super::charge::{self, Draft, End};
use super::checkout::open_payment_link;
use super::event::EventType;
use super::plan_target::{ChangeRequest, Intent, Target, target};
use super::subscription;
use super::world::World;
use crate::billing::proration::{ChangePrice, LineKind};
use crate::error::{ApiError, Code, Outcome};
use crate::model::card::Moment;
use crate::model::payment::{Payment, Purpose, ServicePeriod, Source};
use crate::model::subscription::{
    Dues, EffectiveAt, OnPaymentFailure, PlannedChange, ScheduledChange, Subscription, SubscriptionStatus,
};
use time::OffsetDateTime;

/// What change-plan answers: all empty when the charge settles on the stored method.
#[derive(Debug, Default)]
pub(crate) struct Started {
    pub(crate) payment_id: Option<String>,
    pub(crate) payment_link: Option<String>,
}

impl PlannedChange {
    /// The subscription as it is after the change.
    pub(crate) fn apply_to(&self, subscription: &mut Subscription) {
        subscription.plan = self.plan.clone();
        if let Some((start, end)) = self.new_period {
            subscription.previous_billing_date = start;
            subscription.next_billing_date = end;
            subscription.billing_day = start.day();
        }
        subscription.period_paid = self.period_paid;
    }
}

/// `POST /subscriptions/{id}/change-plan`.
pub(crate) fn change(world: &mut World, id: &str, request: &ChangeRequest) -> Outcome<Started> {
    let Target { change, price } = target(world, id, request, Intent::Change)?;
    cancel_pending_link(world, id);
    if let Some(subscription) = world.subscriptions.get_mut(id) {
        subscription.scheduled_change = None;
    }
    match (price, request.effective_at) {
        (Some(price), EffectiveAt::Immediately) => immediately(world, id, request, change, &price),
        (_, EffectiveAt::NextBillingDate) | (None, EffectiveAt::Immediately) => {
            let effective_at = world.subscription(id)?.next_billing_date;
            schedule(world, id, request, change, effective_at);
            Ok(Started::default())
        }
    }
}

fn schedule(
    world: &mut World,
    id: &str,
    request: &ChangeRequest,
    change: PlannedChange,
    effective_at: OffsetDateTime,
) {
    let scheduled = ScheduledChange {
        id: world.ids.next("spc"),
        effective_at,
        plan: change.plan,
        on_failure: change.on_failure,
        metadata: request.metadata.clone(),
        created_at: world.now,
    };
    if let Some(subscription) = world.subscriptions.get_mut(id) {
        subscription.scheduled_change = Some(scheduled);
    }
    world.tell_subscription(&[], id);
}

fn immediately(
    world: &mut World,
    id: &str,
    request: &ChangeRequest,
    change: PlannedChange,
    price: &ChangePrice,
) -> Outcome<Started> {
    let current = world.subscription(id)?.clone();
    if price.due == 0 {
        subscription::grant(world, id, current.plan.currency, -price.credit_spent);
        apply(world, id, &change);
        tell_changed(world, id);
        return Ok(Started::default());
    }
    let payment_id = charge::open(world, draft(&current, request, &change, price));
    if let Some(subscription) = world.subscriptions.get_mut(id) {
        subscription.pending_change = Some(payment_id.clone());
    }
    if request.collect_via_payment_link {
        let link = open_payment_link(world, &payment_id, request.return_url.clone())?;
        return Ok(Started { payment_id: Some(payment_id), payment_link: Some(link) });
    }
    if change.on_failure == OnPaymentFailure::ApplyChange {
        apply(world, id, &change);
    }
    charge::off_session(world, &payment_id, Moment::Subscription);
    Ok(Started {
        payment_id: world.policy.plan_change_returns_payment_id.then_some(payment_id),
        payment_link: None,
    })
}

fn draft(
    current: &Subscription,
    request: &ChangeRequest,
    change: &PlannedChange,
    price: &ChangePrice,
) -> Draft {
    let (starts_at, ends_at) =
        change.new_period.unwrap_or((current.previous_billing_date, current.next_billing_date));
    let new_plan_factor = price.lines.first().map_or_else(|| "1".to_owned(), |line| line.factor.decimal());
    let lines = price
        .lines
        .iter()
        .map(|line| {
            let name = match &line.kind {
                LineKind::Subscription { product_id } => product_id.clone(),
                LineKind::Addon { name, .. } => name.clone(),
            };
            (name, line.net.saturating_add(line.tax), line.tax)
        })
        .collect();
    Draft {
        customer_id: current.customer_id.clone(),
        billing: current.billing.clone(),
        currency: change.plan.currency,
        total: price.due,
        tax: price.tax,
        source: Source::PlanChange,
        purpose: Purpose::PlanChange {
            subscription_id: current.subscription_id.clone(),
            change: Box::new(change.clone()),
        },
        checkout_session_id: None,
        subscription_ids: vec![current.subscription_id.clone()],
        product_cart: Vec::new(),
        product_ids: vec![change.plan.product_id.clone()],
        payment_method_id: current.payment_method_id.clone(),
        lines,
        service_periods: vec![ServicePeriod {
            subscription_id: current.subscription_id.clone(),
            starts_at,
            ends_at,
            proration_factor: new_plan_factor,
        }],
        discount_codes: change.plan.discount_codes.clone(),
        credit_spent: price.credit_spent,
        metadata: request.metadata.clone().unwrap_or_else(|| current.metadata.clone()),
    }
}

fn apply(world: &mut World, id: &str, change: &PlannedChange) {
    if let Some(subscription) = world.subscriptions.get_mut(id) {
        change.apply_to(subscription);
        let renewal = subscription.next_billing_date;
        world.renew_at(renewal, id);
    }
    subscription::grant(world, id, change.plan.currency, change.credit_granted);
}

fn tell_changed(world: &mut World, id: &str) {
    if world.policy.plan_change_emits_active {
        world.tell_subscription(&[EventType::SubscriptionPlanChanged, EventType::SubscriptionActive], id);
    } else {
        world.tell_subscription(&[EventType::SubscriptionPlanChanged], id);
    }
}

/// The payment of a change has ended.
pub(crate) fn settled(
    world: &mut World,
    id: &str,
    change: &PlannedChange,
    payment: &Payment,
    succeeded: bool,
) {
    if let Some(subscription) = world.subscriptions.get_mut(id) {
        subscription.pending_change = None;
    }
    match (succeeded, change.on_failure) {
        (true, OnPaymentFailure::PreventChange) => {
            apply(world, id, change);
            tell_changed(world, id);
        }
        (true, OnPaymentFailure::ApplyChange) => tell_changed(world, id),
        (false, OnPaymentFailure::PreventChange) => {}
        (false, OnPaymentFailure::ApplyChange) => {
            subscription::grant(world, id, change.plan.currency, -change.credit_granted);
            if let Some(subscription) = world.subscriptions.get_mut(id) {
                subscription.status = SubscriptionStatus::OnHold;
                subscription.dues = Some(Dues {
                    amount: payment.total_amount.saturating_add(payment.credit_spent),
                    tax: payment.tax,
                    begins_period: false,
                });
            }
            world.tell_subscription(&[EventType::SubscriptionPlanChanged, EventType::SubscriptionOnHold], id);
        }
    }
}

/// `DELETE /subscriptions/{id}/change-plan/scheduled`.
pub(crate) fn cancel_scheduled(world: &mut World, id: &str) -> Outcome<()> {
    // For this one call the API describes an unknown subscription as 422, not 404.
    let Some(subscription) = world.subscriptions.get_mut(id) else {
        return Err(ApiError::invalid(format!("subscription {id} does not exist")));
    };
    if subscription.scheduled_change.take().is_none() {
        return Err(ApiError::new(Code::ScheduledPlanChangeNotFound, "no plan change is scheduled"));
    }
    world.tell_subscription(&[], id);
    Ok(())
}

/// A payment link that is still unpaid when another change is accepted was either replaced or ran out.
fn cancel_pending_link(world: &mut World, id: &str) {
    let pending = world.subscriptions.get(id).and_then(|subscription| subscription.pending_change.clone());
    if let Some(payment_id) = pending {
        charge::settle(world, &payment_id, End::Cancelled);
    }
}
