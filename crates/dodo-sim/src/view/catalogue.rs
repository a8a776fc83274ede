//! Products, add-ons, discount codes.

use crate::engine::world::World;
use crate::model::catalogue::{Addon, Discount, DiscountValue, Product};
use crate::model::rfc3339;
use serde_json::{Value, json};

/// `GET /products/{id}`.
pub(crate) fn product(world: &World, product: &Product) -> Value {
    json!({
        "product_id": product.product_id,
        "business_id": world.business_id,
        "brand_id": world.business_id,
        "name": product.name,
        "description": product.description,
        "image": product.image,
        "is_recurring": product.price.cycle().is_some(),
        "price": product.price,
        "tax_category": product.tax_category,
        "metadata": product.metadata,
        "created_at": rfc3339(product.created_at),
        "updated_at": rfc3339(product.updated_at),
        "addons": product.addons,
        "license_key_enabled": false,
        "license_key_activation_message": null,
        "license_key_activations_limit": null,
        "license_key_duration": null,
        "credit_entitlements": [],
        "entitlements": [],
        "digital_product_delivery": null,
        "pricing_mode": null,
        "product_collection_id": product.product_collection_id,
    })
}

/// An item of `GET /products`.
pub(crate) fn product_item(world: &World, product: &Product) -> Value {
    json!({
        "product_id": product.product_id,
        "business_id": world.business_id,
        "name": product.name,
        "description": product.description,
        "image": product.image,
        "is_recurring": product.price.cycle().is_some(),
        "price": product.price.list(),
        "currency": product.price.currency(),
        "tax_inclusive": product.price.tax_inclusive(),
        "price_detail": product.price,
        "tax_category": product.tax_category,
        "metadata": product.metadata,
        "entitlements": [],
        "pricing_mode": null,
        "created_at": rfc3339(product.created_at),
        "updated_at": rfc3339(product.updated_at),
    })
}

/// `GET /addons/{id}` and an item of `GET /addons`.
pub(crate) fn addon(world: &World, addon: &Addon) -> Value {
    json!({
        "id": addon.id,
        "business_id": world.business_id,
        "name": addon.name,
        "description": addon.description,
        "price": addon.price,
        "currency": addon.currency,
        "tax_category": addon.tax_category,
        "image": null,
        "created_at": rfc3339(addon.created_at),
        "updated_at": rfc3339(addon.created_at),
    })
}

/// `GET /discounts/code/{code}`.
pub(crate) fn discount(world: &World, discount: &Discount) -> Value {
    let (kind, amount, options) = match discount.value {
        DiscountValue::Percentage { amount } => ("percentage", amount, json!([])),
        DiscountValue::Flat { amount, currency } => (
            "flat",
            0,
            json!([{"currency": currency, "is_default": true, "minimum_subtotal": 0, "max_amount_possible": amount}]),
        ),
    };
    json!({
        "discount_id": discount.discount_id,
        "business_id": world.business_id,
        "code": discount.code,
        "type": kind,
        "amount": amount,
        "currency_options": options,
        "customer_eligibility": "any",
        "restricted_to": discount.restricted_to,
        "times_used": times_used(world, &discount.code),
        "usage_limit": null,
        "per_customer_usage_limit": null,
        "starts_at": null,
        "expires_at": super::optional_time(discount.expires_at),
        "subscription_cycles": null,
        "preserve_on_plan_change": discount.preserve_on_plan_change,
        "name": discount.name,
        "metadata": {},
        "created_at": rfc3339(time::macros::datetime!(2025-01-01 0:00 UTC)),
    })
}

/// How a discount looks on the payment or subscription that it reduced.
pub(crate) fn discount_detail(world: &World, code: &str, position: usize) -> Option<Value> {
    let found = world.discounts.get(code)?;
    let mut detail = discount(world, found);
    let fields = detail.as_object_mut()?;
    for absent in ["currency_options", "customer_eligibility", "per_customer_usage_limit", "starts_at"] {
        fields.remove(absent);
    }
    fields.insert("position".to_owned(), json!(position));
    fields.insert("cycles_remaining".to_owned(), Value::Null);
    Some(detail)
}

fn times_used(world: &World, code: &str) -> usize {
    use crate::model::payment::IntentStatus::Succeeded;
    world
        .payments
        .iter()
        .filter(|payment| {
            payment.status == Succeeded && payment.discount_codes.iter().any(|used| used == code)
        })
        .count()
}
