//! From a subscription and the catalogue to the page's words about plans.

use std::sync::Arc;

use dodo_client::{
    calls::subscriptions::{Subscription, SubscriptionStatus as Upstream},
    ids::AddonId,
};
use wire::{Addon, CurrentPlan, Plan, ProductId, ScheduledChange, SubscriptionStatus, UnixSeconds};

use super::PlansError;
use crate::{
    policy::plan_comparison,
    rules::{PlanRule, Rules},
    service::catalogue::{CatalogueProduct, period},
};

/// Whether Dodo changes a subscription in this state. From its error catalogue: only active ones, none on demand, none
/// that is about to end, none with another change booked.
pub(in crate::service) fn can_change(subscription: &Subscription) -> bool {
    subscription.status == Upstream::Active
        && !subscription.on_demand
        && !subscription.cancel_at_next_billing_date
        && subscription.scheduled_change.is_none()
}

/// The subscription as it is today.
pub(super) fn current(
    subscription: &Subscription,
    product: &CatalogueProduct,
    names: &[(AddonId, Arc<str>)],
) -> Result<CurrentPlan, PlansError> {
    let period = period(subscription.payment_frequency_count, &subscription.payment_frequency_interval)
        .ok_or(PlansError::NotPossible)?;
    Ok(CurrentPlan {
        product_id: product.id.clone(),
        name: product.name.clone(),
        status: status(&subscription.status),
        quantity: count(subscription.quantity),
        addons: subscription
            .addons
            .iter()
            .filter_map(|addon| {
                Some(Addon {
                    addon_id: ProductId::parse(addon.addon_id.as_str()).ok()?,
                    name: name(names, &addon.addon_id),
                    quantity: count(addon.quantity),
                })
            })
            .collect(),
        next_billing_date: UnixSeconds(subscription.next_billing_date.unix_timestamp()),
        recurring_amount: subscription.recurring_pre_tax_amount,
        currency: wire::Currency::parse(subscription.currency.as_str())
            .map_err(|_| PlansError::NotPossible)?,
        period,
        scheduled_change: subscription.scheduled_change.as_ref().and_then(|change| {
            Some(ScheduledChange {
                product_id: ProductId::parse(change.product_id.as_str()).ok()?,
                name: change.product_name.clone().unwrap_or_else(|| change.product_id.to_string()),
                effective_at: UnixSeconds(change.effective_at.unix_timestamp()),
            })
        }),
        cancel_at_next_billing_date: subscription.cancel_at_next_billing_date,
        can_change: can_change(subscription) && product.is_plan,
    })
}

/// One plan next to the current one, for as many seats; `None` for a product that is not paid by the period.
pub(super) fn plan(
    rules: &Rules,
    rule: &PlanRule,
    product: &CatalogueProduct,
    current: &CatalogueProduct,
    subscription: &Subscription,
    names: &[(AddonId, Arc<str>)],
    locale: Option<&str>,
) -> Option<Plan> {
    let same = product.id == current.id;
    let seats = count(subscription.quantity).max(1);
    let (today, price) = (current.price.times(seats)?, product.price.times(seats)?);
    let has = rules.plan(&current.id).map(|rule| rule.features.as_slice()).unwrap_or_default();
    Some(Plan {
        product_id: product.id.clone(),
        name: product.name.clone(),
        description: product.description.clone(),
        price: price.amount,
        currency: price.currency,
        period: price.period?,
        kind: plan_comparison::direction(same, today, price),
        recommended: rule.recommended,
        difference: plan_comparison::difference(today, price).filter(|_| !same),
        over_span: plan_comparison::over_span(today, price),
        features: rule.features.iter().map(|feature| feature.words.get(locale).clone()).collect(),
        gained: plan_comparison::gained(has, &rule.features, locale),
        lost: plan_comparison::gained(&rule.features, has, locale),
        lost_addons: subscription
            .addons
            .iter()
            .filter(|addon| !same && !product.addons.contains(&addon.addon_id))
            .map(|addon| name(names, &addon.addon_id))
            .collect(),
    })
}

fn name(names: &[(AddonId, Arc<str>)], id: &AddonId) -> String {
    names.iter().find(|(known, _)| known == id).map_or_else(|| id.to_string(), |(_, name)| name.to_string())
}

fn count(quantity: i64) -> u32 {
    u32::try_from(quantity).unwrap_or(0)
}

fn status(status: &Upstream) -> SubscriptionStatus {
    match status {
        Upstream::Pending => SubscriptionStatus::Pending,
        Upstream::Active => SubscriptionStatus::Active,
        Upstream::OnHold => SubscriptionStatus::OnHold,
        Upstream::Paused => SubscriptionStatus::Paused,
        Upstream::Cancelled => SubscriptionStatus::Cancelled,
        Upstream::Failed => SubscriptionStatus::Failed,
        Upstream::Expired => SubscriptionStatus::Expired,
        Upstream::PastDue => SubscriptionStatus::PastDue,
        Upstream::Unknown(_) => SubscriptionStatus::Other,
    }
}
