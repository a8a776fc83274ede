//! Checkout sessions: created, looked at, previewed.

use super::tax_rate;
use crate::billing::calendar;
use crate::billing::checkout::{Breakup, PricedLine, PricedProduct};
use crate::engine::cart::PricedCart;
use crate::engine::checkout::Created;
use crate::engine::world::World;
use crate::model::rfc3339;
use crate::model::session::{CheckoutRequest, Session};
use crate::model::subscription::NewSubscription;
use serde_json::{Value, json};
use time::Duration;

/// Given to browsers by the real service; nothing here reads it.
const PUBLISHABLE_KEY: &str = "pk_simulated";

/// `POST /checkouts`.
pub(crate) fn created(world: &World, created: &Created) -> Value {
    let payment = created.payment_id.as_deref().and_then(|id| world.payments.get(id));
    json!({
        "session_id": created.session_id,
        "checkout_url": created.checkout_url,
        "payment_id": created.payment_id,
        "client_secret": payment.map(|payment| &payment.client_secret),
        "publishable_key": payment.map(|_| PUBLISHABLE_KEY),
    })
}

/// `GET /checkouts/{id}`.
pub(crate) fn status(world: &World, session: &Session) -> Value {
    let payment = session.payment_id.as_deref().and_then(|id| world.payments.get(id));
    json!({
        "id": session.id,
        "created_at": rfc3339(session.created_at),
        "customer_email": session.customer_email,
        "customer_name": session.customer_name,
        "payment_id": session.payment_id,
        "payment_status": payment.map(|payment| payment.status),
    })
}

/// `POST /checkouts/preview`.
pub(crate) fn preview(world: &World, request: &CheckoutRequest, cart: &PricedCart, country: &str) -> Value {
    let price = &cart.price;
    let bps = world.tax_bps(country);
    let items: Vec<Value> = price.products.iter().map(|product| item(world, product, bps)).collect();
    let plans: Vec<&PricedProduct> =
        price.products.iter().filter(|product| product.is_subscription).collect();
    let subscriptions: Vec<Value> = plans
        .iter()
        .zip(&cart.subscriptions)
        .map(|(product, new)| subscription(world, product, new))
        .collect();
    let first = cart.subscriptions.first();
    json!({
        "billing_country": country,
        "currency": price.currency,
        "total_price": price.now.total,
        "total_tax": price.now.tax,
        "current_breakup": breakup(&price.now),
        "recurring_breakup": price.recurring.as_ref().map(breakup),
        "product_cart": items,
        "payment_method_required": price.now.total > 0 || !plans.is_empty(),
        "is_byop": false,
        "next_billing_date": first.map(|new| rfc3339(next_billing(world, new))),
        "trial_amount": first.and_then(|new| new.trial_amount),
        "trial_period_days": first.map(|new| new.trial_days),
        "subscriptions": if subscriptions.is_empty() { Value::Null } else { json!(subscriptions) },
        "tax_id_business_name": request.customer_business_name,
        "tax_id_err_msg": null,
        "tax_id_format_name": null,
    })
}

fn breakup(sums: &Breakup) -> Value {
    json!({"subtotal": sums.subtotal, "discount": sums.discount, "total_amount": sums.total, "tax": sums.tax})
}

fn next_billing(world: &World, new: &NewSubscription) -> time::OffsetDateTime {
    if new.trial_days > 0 {
        world.now + Duration::days(i64::from(new.trial_days))
    } else {
        calendar::step(world.now, new.plan.frequency, world.now.day(), world.policy.month_step)
    }
}

fn subscription(world: &World, product: &PricedProduct, new: &NewSubscription) -> Value {
    let all = |part: fn(&PricedLine) -> i64| product.lines().map(part).fold(0i64, i64::saturating_add);
    json!({
        "product_id": product.product.id,
        "amount_due_now": all(|line| line.now.net.saturating_add(line.now.tax)),
        "tax_due_now": all(|line| line.now.tax),
        "recurring_amount": all(|line| line.recurring.net.saturating_add(line.recurring.tax)),
        "recurring_tax": all(|line| line.recurring.tax),
        "next_billing_date": rfc3339(next_billing(world, new)),
        "trial_period_days": new.trial_days,
    })
}

fn item(world: &World, priced: &PricedProduct, bps: i64) -> Value {
    let line = &priced.product;
    let product = world.products.get(&line.id);
    let currency = product.map(|product| product.price.currency());
    let addons: Vec<Value> = priced.addons.iter().map(|addon| addon_item(world, addon, bps)).collect();
    json!({
        "product_id": line.id,
        "name": line.name,
        "description": product.and_then(|product| product.description.as_ref()),
        "quantity": line.quantity,
        "currency": currency,
        "og_currency": currency,
        "og_price": line.list_price,
        "discounted_price": line.unit_price,
        "discount_amount": (line.discount > 0).then_some(line.discount),
        "discount_cycle": null,
        "tax_category": product.map(|product| &product.tax_category),
        "tax_inclusive": line.inclusive,
        "tax_rate": tax_rate(world, bps),
        "tax": line.now.tax,
        "is_subscription": priced.is_subscription,
        "is_usage_based": product.is_some_and(|product| product.price.is_usage_based()),
        "meters": [],
        "credit_entitlements": [],
        "addons": if addons.is_empty() { Value::Null } else { json!(addons) },
        "monthly_equivalent": null,
    })
}

fn addon_item(world: &World, line: &PricedLine, bps: i64) -> Value {
    let addon = world.addons.get(&line.id);
    let currency = addon.map(|addon| addon.currency);
    json!({
        "addon_id": line.id,
        "name": line.name,
        "description": addon.and_then(|addon| addon.description.as_ref()),
        "quantity": line.quantity,
        "currency": currency,
        "og_currency": currency,
        "og_price": line.list_price.saturating_mul(line.quantity),
        "discounted_price": line.unit_price.saturating_mul(line.quantity),
        "single_quantity_price": line.list_price,
        "discount_amount": (line.discount > 0).then_some(line.discount),
        "tax_category": addon.map(|addon| &addon.tax_category),
        "tax_inclusive": line.inclusive,
        "tax_rate": tax_rate(world, bps),
        "tax": line.now.tax,
    })
}
