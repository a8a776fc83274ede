//! What falls due on a billing date, and how a subscription on hold comes back.

use super::charge::{self, Draft};
use super::event::EventType;
use super::subscription;
use super::world::World;
use crate::billing::{proration, sum};
use crate::error::{ApiError, Outcome};
use crate::model::card::Moment;
use crate::model::payment::{IntentStatus, Payment, Purpose, ServicePeriod, Source};
use crate::model::subscription::{Dues, OnPaymentFailure, Plan, Subscription, SubscriptionStatus};
use crate::policy::RenewalFailure;

/// The billing date comes at once.
pub(crate) fn due_now(world: &mut World, id: &str) -> Outcome<()> {
    let now = world.now;
    world.subscription(id)?;
    if let Some(current) = world.subscriptions.get_mut(id) {
        current.next_billing_date = now;
    }
    due(world, id);
    Ok(())
}

/// A billing date has come, unless it was moved since the timer was set.
pub(crate) fn due(world: &mut World, id: &str) {
    let now = world.now;
    let Some(current) = world.subscriptions.get_mut(id) else { return };
    if current.status != SubscriptionStatus::Active || current.next_billing_date > now || current.on_demand {
        return;
    }
    if current.cancel_at_next_billing_date || current.expires_at <= now {
        let (status, event) = if current.cancel_at_next_billing_date {
            (SubscriptionStatus::Cancelled, EventType::SubscriptionCancelled)
        } else {
            (SubscriptionStatus::Expired, EventType::SubscriptionExpired)
        };
        current.status = status;
        current.cancelled_at = (status == SubscriptionStatus::Cancelled).then_some(now);
        return world.tell_subscription(&[event], id);
    }
    match current.scheduled_change.take() {
        None => {
            let plan = current.plan.clone();
            charge_period(world, id, plan);
        }
        Some(scheduled) => {
            let old = std::mem::replace(&mut current.plan, scheduled.plan.clone());
            let prevent = scheduled.on_failure == OnPaymentFailure::PreventChange;
            if prevent && !would_succeed(world, id) {
                // The change is dropped and the old plan renews.
                if let Some(current) = world.subscriptions.get_mut(id) {
                    current.plan = old.clone();
                }
                charge_period(world, id, old);
            } else {
                world.tell_subscription(&[EventType::SubscriptionPlanChanged], id);
                charge_period(world, id, scheduled.plan);
            }
        }
    }
}

/// Tries the charge of the plan that is set, on paper: a scheduled change that may not fail is only made when its
/// charge will go through.
fn would_succeed(world: &World, id: &str) -> bool {
    let Some(current) = world.subscriptions.get(id) else { return false };
    world.policy.decline_off_session_with.is_none() && charge::would_approve(world, current)
}

fn charge_period(world: &mut World, id: &str, plan: Plan) {
    let Some(current) = world.subscriptions.get(id).cloned() else { return };
    let Ok((total, tax, lines)) = period_price(world, &current, &plan) else {
        // A plan that overflows 64 bits cannot be billed; it was refused when it was bought.
        return;
    };
    let starts_at = current.next_billing_date;
    let period = ServicePeriod {
        subscription_id: id.to_owned(),
        starts_at,
        ends_at: current.period_after(starts_at, plan.frequency, world.policy.month_step),
        proration_factor: "1".to_owned(),
    };
    let purpose = Purpose::Renewal { subscription_id: id.to_owned() };
    let draft = draft(world, &current, (total, tax), lines, Source::Renewal, purpose, vec![period]);
    let payment_id = charge::open(world, draft);
    charge::off_session(world, &payment_id, Moment::Subscription);
}

/// Name, amount with tax, tax.
type Lines = Vec<(String, i64, i64)>;

fn period_price(world: &World, current: &Subscription, plan: &Plan) -> Outcome<(i64, i64, Lines)> {
    let bps = world.tax_bps(&current.billing.country);
    let lines = proration::full_period(plan, bps, world.policy.rounding)?;
    let tax = sum(lines.iter().map(|line| line.tax))?;
    let total = sum([sum(lines.iter().map(|line| line.net))?, tax])?;
    let lines = lines
        .into_iter()
        .map(|line| match line.kind {
            proration::LineKind::Subscription { product_id } => {
                (product_id, line.net.saturating_add(line.tax), line.tax)
            }
            proration::LineKind::Addon { name, .. } => (name, line.net.saturating_add(line.tax), line.tax),
        })
        .collect();
    Ok((total, tax, lines))
}

/// A charge on the subscription's method, less what its credit pays.
fn draft(
    world: &World,
    current: &Subscription,
    (total, tax): (i64, i64),
    lines: Lines,
    source: Source,
    purpose: Purpose,
    service_periods: Vec<ServicePeriod>,
) -> Draft {
    let credit_spent = subscription::credit(world, current).clamp(0, total);
    Draft {
        customer_id: current.customer_id.clone(),
        billing: current.billing.clone(),
        currency: current.plan.currency,
        total: total - credit_spent,
        tax,
        source,
        purpose,
        checkout_session_id: None,
        subscription_ids: vec![current.subscription_id.clone()],
        product_cart: Vec::new(),
        product_ids: vec![current.plan.product_id.clone()],
        payment_method_id: current.payment_method_id.clone(),
        lines,
        service_periods,
        discount_codes: current.plan.discount_codes.clone(),
        credit_spent,
        metadata: current.metadata.clone(),
    }
}

/// The payment of a renewal has ended.
pub(crate) fn settled(world: &mut World, id: &str, payment: &Payment, succeeded: bool) {
    if succeeded {
        begin_next_period(world, id, payment);
        return world.tell_subscription(&[EventType::SubscriptionRenewed], id);
    }
    let (status, event) = match world.policy.renewal_failure {
        RenewalFailure::OnHold => (SubscriptionStatus::OnHold, EventType::SubscriptionOnHold),
        RenewalFailure::PastDue => (SubscriptionStatus::PastDue, EventType::SubscriptionPastDue),
    };
    if let Some(subscription) = world.subscriptions.get_mut(id) {
        subscription.status = status;
        subscription.dues = Some(Dues {
            amount: payment.total_amount.saturating_add(payment.credit_spent),
            tax: payment.tax,
            begins_period: true,
        });
    }
    world.tell_subscription(&[event], id);
}

fn begin_next_period(world: &mut World, id: &str, payment: &Payment) {
    let months = world.policy.month_step;
    let Some(subscription) = world.subscriptions.get_mut(id) else { return };
    let start = subscription.next_billing_date;
    let end = subscription.period_after(start, subscription.plan.frequency, months);
    subscription.previous_billing_date = start;
    subscription.next_billing_date = end;
    subscription.period_paid = true;
    subscription.renewal_payment_id = Some(payment.payment_id.clone());
    world.renew_at(end, id);
}

/// Opens the payment of what a subscription on hold owes.
pub(crate) fn open_dues(world: &mut World, id: &str) -> Outcome<String> {
    let current = world.subscription(id)?.clone();
    let Some(dues) = current.dues.clone() else {
        return Err(ApiError::invalid("the subscription owes nothing"));
    };
    let lines = vec![("Dues".to_owned(), dues.amount, dues.tax)];
    let purpose = Purpose::Dues { subscription_id: id.to_owned() };
    let draft = draft(world, &current, (dues.amount, dues.tax), lines, Source::Dues, purpose, Vec::new());
    Ok(charge::open(world, draft))
}

/// Charges what is owed to the subscription's method.
pub(crate) fn charge_dues(world: &mut World, id: &str) -> Outcome<(String, IntentStatus)> {
    let payment_id = open_dues(world, id)?;
    let status = charge::off_session(world, &payment_id, Moment::Subscription);
    Ok((payment_id, status))
}

/// The payment of dues has ended; when it failed the subscription stays on hold.
pub(crate) fn dues_settled(world: &mut World, id: &str, payment: &Payment, succeeded: bool) {
    if !succeeded {
        return;
    }
    let Some(subscription) = world.subscriptions.get_mut(id) else { return };
    subscription.status = SubscriptionStatus::Active;
    subscription.payment_method_id.clone_from(&payment.payment_method_id);
    let dues = subscription.dues.take();
    let renewal = subscription.next_billing_date;
    if dues.is_some_and(|dues| dues.begins_period) {
        begin_next_period(world, id, payment);
    } else {
        world.renew_at(renewal, id);
    }
    world.tell_subscription(&[EventType::SubscriptionActive], id);
}
