//! Subscriptions.

use super::{customer_limited, optional_time};
use crate::billing::{sum, tax, times};
use crate::engine::world::World;
use crate::model::rfc3339;
use crate::model::subscription::{Plan, ScheduledChange, Subscription, SubscriptionStatus};
use serde_json::{Map, Value, json};

/// `GET /subscriptions/{id}`, `new_plan` of a preview, and the body of `subscription.*` webhooks.
pub(crate) fn subscription(world: &World, subscription: &Subscription) -> Value {
    let mut fields = shared(world, subscription);
    let addons: Vec<Value> = subscription
        .plan
        .addons
        .iter()
        .map(|addon| json!({"addon_id": addon.addon_id, "quantity": addon.quantity}))
        .collect();
    let discounts: Vec<Value> = subscription
        .plan
        .discount_codes
        .iter()
        .enumerate()
        .filter_map(|(position, code)| super::catalogue::discount_detail(world, code, position))
        .collect();
    let own = json!({
        "addons": addons,
        "meters": [],
        "credit_entitlement_cart": [],
        "meter_credit_entitlement_cart": [],
        "discounts": if discounts.is_empty() { Value::Null } else { json!(discounts) },
        "cancelled_by": (subscription.status == SubscriptionStatus::Cancelled)
            .then(|| json!({"actor_type": "api_key", "name": null, "email": null})),
        "cancellation_feedback": null,
        "cancellation_comment": null,
        "expires_at": rfc3339(subscription.expires_at),
        "custom_field_responses": null,
    });
    if let Value::Object(own) = own {
        fields.extend(own);
    }
    Value::Object(fields)
}

/// An item of `GET /subscriptions`.
pub(crate) fn subscription_item(world: &World, subscription: &Subscription) -> Value {
    let mut fields = shared(world, subscription);
    let product = world.products.get(&subscription.plan.product_id);
    let discounts: Vec<Value> = subscription
        .plan
        .discount_codes
        .iter()
        .filter_map(|code| world.discounts.get(code))
        .map(|code| json!({"discount_id": code.discount_id, "discount_cycles_remaining": null}))
        .collect();
    fields.insert("product_name".to_owned(), json!(product.map(|product| &product.name)));
    fields.insert("discounts".to_owned(), json!(discounts));
    Value::Object(fields)
}

/// What the subscription and its list item have in common.
fn shared(world: &World, subscription: &Subscription) -> Map<String, Value> {
    let plan = &subscription.plan;
    let first_code = plan.discount_codes.first().and_then(|code| world.discounts.get(code));
    let value = json!({
        "subscription_id": subscription.subscription_id,
        "brand_id": world.business_id,
        "product_id": plan.product_id,
        "quantity": plan.quantity,
        "status": subscription.status,
        "currency": plan.currency,
        "recurring_pre_tax_amount": recurring_pre_tax(world, subscription),
        "tax_inclusive": plan.tax_inclusive,
        "customer": customer_limited(world, &subscription.customer_id),
        "billing": subscription.billing,
        "metadata": subscription.metadata,
        "created_at": rfc3339(subscription.created_at),
        "previous_billing_date": rfc3339(subscription.previous_billing_date),
        "next_billing_date": rfc3339(subscription.next_billing_date),
        "payment_frequency_count": plan.frequency.count,
        "payment_frequency_interval": plan.frequency.interval,
        "subscription_period_count": subscription.life.count,
        "subscription_period_interval": subscription.life.interval,
        "trial_period_days": subscription.trial_period_days,
        "trial_amount": subscription.trial_amount,
        "on_demand": subscription.on_demand,
        "cancel_at_next_billing_date": subscription.cancel_at_next_billing_date,
        "cancelled_at": optional_time(subscription.cancelled_at),
        "paused_at": optional_time(subscription.paused_at),
        "has_payment_method": has_method(world, subscription),
        "payment_method_id": subscription.payment_method_id.as_ref().filter(|_| world.policy.subscription_names_method),
        "scheduled_change": subscription.scheduled_change.as_ref().map(|change| scheduled(world, change)),
        "discount_id": first_code.map(|code| &code.discount_id),
        "discount_cycles_remaining": null,
        "tax_id": subscription.tax_id,
        "customer_business_name": subscription.customer_business_name,
    });
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn has_method(world: &World, subscription: &Subscription) -> bool {
    subscription
        .payment_method_id
        .as_deref()
        .and_then(|id| world.customers.get(&subscription.customer_id)?.method(id))
        .is_some()
}

/// What a whole period costs without tax; an amount out of range was refused when it was bought.
fn recurring_pre_tax(world: &World, subscription: &Subscription) -> i64 {
    let bps = world.tax_bps(&subscription.billing.country);
    let rounding = world.policy.rounding;
    let net = |plan: &Plan, unit, quantity| {
        tax::tax(times(unit, quantity)?, bps, plan.tax_inclusive, rounding).map(|taxed| taxed.net)
    };
    let plan = &subscription.plan;
    let parts: Result<Vec<i64>, _> = std::iter::once(net(plan, plan.unit_price, plan.quantity))
        .chain(plan.addons.iter().map(|addon| net(plan, addon.unit_price, addon.quantity)))
        .collect();
    parts.and_then(sum).unwrap_or(i64::MAX)
}

fn scheduled(world: &World, change: &ScheduledChange) -> Value {
    let product = world.products.get(&change.plan.product_id);
    let addons: Vec<Value> = change
        .plan
        .addons
        .iter()
        .map(|addon| json!({"addon_id": addon.addon_id, "name": addon.name, "quantity": addon.quantity}))
        .collect();
    json!({
        "id": change.id,
        "product_id": change.plan.product_id,
        "product_name": product.map(|product| &product.name),
        "product_description": product.and_then(|product| product.description.as_ref()),
        "quantity": change.plan.quantity,
        "addons": addons,
        "created_at": rfc3339(change.created_at),
        "effective_at": rfc3339(change.effective_at),
    })
}
