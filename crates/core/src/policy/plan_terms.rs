//! On what terms a subscription changes its plan: whether Dodo changes it at all, and what of its seats and add-ons goes
//! along. Pure.

use dodo_client::types::{
    checkouts::AddonQuantity,
    subscriptions::{Subscription, SubscriptionStatus},
};
use wire::AddonId;

use super::catalogue::CatalogueProduct;
use crate::domain::ChargePlan;

/// Whether Dodo changes a subscription in this state. From its error catalogue: only active ones, none on demand, none
/// that is about to end, none with another change booked.
#[must_use]
pub fn can_change(subscription: &Subscription) -> bool {
    subscription.status == SubscriptionStatus::Active
        && !subscription.on_demand
        && !subscription.cancel_at_next_billing_date
        && subscription.scheduled_change.is_none()
}

/// Today's add-ons, as far as the plan carries them. What is left out here is removed by Dodo, and shown as lost.
#[must_use]
pub fn carried(addons: &[AddonQuantity], target: &CatalogueProduct) -> Vec<(AddonId, u32)> {
    addons
        .iter()
        .filter(|addon| target.addons.contains(&addon.addon_id))
        .filter_map(|addon| Some((addon.addon_id.clone(), u32::try_from(addon.quantity).ok()?)))
        .collect()
}

/// Returns the add-ons of today that end with a change to `target`, or of seats on it, because the plan does not have them.
/// Dodo refuses a change that asks for them, so that they cannot be carried; the buyer is told before confirming.
pub fn lost<'a>(
    addons: &'a [AddonQuantity],
    target: &'a CatalogueProduct,
) -> impl Iterator<Item = &'a AddonId> + use<'a> {
    addons.iter().map(|addon| &addon.addon_id).filter(|id| !target.addons.contains(id))
}

/// A change that was planned before, with the seats and the add-ons of today.
#[must_use]
pub fn keeping_what_is_there(
    plan: &ChargePlan,
    subscription: &Subscription,
    target: &CatalogueProduct,
) -> ChargePlan {
    let mut plan = plan.clone();
    if let ChargePlan::PlanChange { quantity, addons, .. } = &mut plan {
        *quantity = seats(subscription);
        *addons = carried(&subscription.addons, target);
    }
    plan
}

/// As many as there are, one at least.
#[must_use]
pub fn seats(subscription: &Subscription) -> u32 {
    u32::try_from(subscription.quantity).unwrap_or(1).max(1)
}
