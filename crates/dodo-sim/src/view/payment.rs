//! Payments, their line items, refunds.

use super::{customer_limited, optional_time};
use crate::engine::world::World;
use crate::model::customer::MethodKind;
use crate::model::payment::{Payment, Purpose, Refund, Source};
use crate::model::rfc3339;
use serde_json::{Map, Value, json};

/// `GET /payments/{id}`, and the body of `payment.*` webhooks.
pub(crate) fn payment(world: &World, payment: &Payment) -> Value {
    let mut fields = shared(world, payment);
    let refunds: Vec<Value> = world
        .refunds
        .iter()
        .filter(|refund| refund.payment_id == payment.payment_id)
        .map(|refund| refund_item(world, refund))
        .collect();
    let codes = &payment.discount_codes;
    let discounts: Vec<Value> = codes
        .iter()
        .enumerate()
        .filter_map(|(position, code)| super::catalogue::discount_detail(world, code, position))
        .collect();
    let method = method(world, payment);
    let own = json!({
        "business_id": world.business_id,
        "billing": payment.billing,
        "settlement_amount": payment.total_amount,
        "settlement_currency": payment.currency,
        "settlement_tax": payment.tax,
        "tax": payment.tax,
        "disputes": [],
        "refunds": refunds,
        "is_update_payment_method": matches!(payment.purpose, Purpose::NewMethod { .. }),
        "error_code": payment.error_code,
        "error_message": payment.error_code.as_deref().map(error_message),
        "product_cart": if payment.product_cart.is_empty() { Value::Null } else { json!(payment.product_cart) },
        "payment_link": payment.payment_link,
        "payment_method_id": payment.payment_method_id,
        "card_holder_name": method.holder,
        "card_issuing_country": method.country,
        "discounts": if discounts.is_empty() { Value::Null } else { json!(discounts) },
        "discount_id": codes.first().and_then(|code| world.discounts.get(code)).map(|code| &code.discount_id),
        "custom_field_responses": null,
        "updated_at": optional_time(payment.updated_at),
    });
    if let Value::Object(own) = own {
        fields.extend(own);
    }
    show(payment, &mut fields);
    Value::Object(fields)
}

/// An item of `GET /payments`: less than the payment itself.
pub(crate) fn payment_item(world: &World, payment: &Payment) -> Value {
    let mut fields = shared(world, payment);
    fields.insert("has_license_key".to_owned(), Value::Bool(false));
    fields.insert("dispute_status".to_owned(), Value::Null);
    show(payment, &mut fields);
    Value::Object(fields)
}

/// Replaces the values of those fields that a test wants to be given otherwise. No field is added.
fn show(payment: &Payment, fields: &mut Map<String, Value>) {
    for (name, value) in &payment.shown {
        if let Some(field) = fields.get_mut(name) {
            field.clone_from(value);
        }
    }
}

/// What the payment and its list item have in common.
fn shared(world: &World, payment: &Payment) -> Map<String, Value> {
    let method = method(world, payment);
    let refund_status = match payment.refunded() {
        0 => Value::Null,
        refunded if refunded < payment.total_amount => json!("partial"),
        _ => json!("full"),
    };
    let periods: Vec<Value> = if payment.status == crate::model::payment::IntentStatus::Succeeded {
        payment
            .service_periods
            .iter()
            .map(|period| {
                json!({
                    "subscription_id": period.subscription_id,
                    "starts_at": rfc3339(period.starts_at),
                    "ends_at": rfc3339(period.ends_at),
                    "proration_factor": period.proration_factor,
                })
            })
            .collect()
    } else {
        Vec::new()
    };
    let charge_type = match (payment.source, payment.subscription_ids.is_empty()) {
        (Source::Renewal | Source::Dues, _) => json!("renewal"),
        (Source::PlanChange, _) => json!("plan_change"),
        (Source::Hosted | Source::OneClick, false) => json!("new"),
        (Source::Hosted | Source::OneClick, true) => Value::Null,
    };
    let value = json!({
        "payment_id": payment.payment_id,
        "brand_id": world.business_id,
        "created_at": rfc3339(payment.created_at),
        "currency": payment.currency,
        "total_amount": payment.total_amount,
        "customer": customer_limited(world, &payment.customer_id),
        "digital_products_delivered": false,
        "includes_usage": false,
        "is_multi_subscription": payment.subscription_ids.len() > 1,
        "metadata": payment.metadata,
        "payment_provider": "dodo",
        "retry_attempt": 0,
        "service_periods": periods,
        "subscription_ids": payment.subscription_ids,
        "subscription_id": payment.subscription_ids.first(),
        "status": payment.status,
        "charge_type": charge_type,
        "checkout_session_id": payment.checkout_session_id,
        "invoice_id": payment.invoice_id,
        "invoice_url": format!("{}/invoices/payments/{}", world.base_url, payment.payment_id),
        "payment_method": method.family,
        "payment_method_type": method.kind,
        "card_last_four": method.last4,
        "card_network": method.network,
        "card_type": method.card_type,
        "card_exp_month": method.month,
        "card_exp_year": method.year,
        "refund_status": refund_status,
        "three_ds_flow": payment.challenged.then_some("challenge"),
        "three_ds_status": three_ds_status(payment),
        "three_ds_version": payment.challenged.then_some("2.2.0"),
    });
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn three_ds_status(payment: &Payment) -> Option<&'static str> {
    use crate::model::payment::IntentStatus;
    match payment.status {
        _ if !payment.challenged => None,
        IntentStatus::Succeeded => Some("authenticated"),
        IntentStatus::Failed | IntentStatus::Cancelled => Some("failed"),
        IntentStatus::Processing
        | IntentStatus::RequiresCustomerAction
        | IntentStatus::RequiresPaymentMethod => None,
    }
}

/// The method as a payment shows it; all null before one is known.
#[derive(Default)]
struct Method {
    family: Option<String>,
    kind: Option<String>,
    last4: Option<String>,
    network: Option<&'static str>,
    card_type: Option<&'static str>,
    month: Option<String>,
    year: Option<String>,
    holder: Option<String>,
    country: Option<&'static str>,
}

fn method(world: &World, payment: &Payment) -> Method {
    let known = payment.payment_method_id.as_deref().and_then(|id| {
        let customer = world.customers.get(&payment.customer_id)?;
        customer.payment_methods.iter().find(|method| method.payment_method_id == id)
    });
    match known.map(|method| &method.kind) {
        None => Method::default(),
        Some(MethodKind::Card(card)) => Method {
            family: Some("card".to_owned()),
            kind: Some("credit".to_owned()),
            last4: Some(card.last4().to_owned()),
            network: Some(card.network()),
            card_type: Some("credit"),
            month: Some(format!("{:02}", card.expiry_month)),
            year: Some(card.expiry_year.to_string()),
            holder: Some(card.holder.clone()),
            country: Some(card.issuing_country()),
        },
        Some(MethodKind::Other { payment_method, payment_method_type }) => Method {
            family: Some(payment_method.clone()),
            kind: payment_method_type.clone(),
            ..Method::default()
        },
    }
}

fn error_message(error_code: &str) -> String {
    format!("The payment was refused ({error_code}).")
}

/// `GET /payments/{id}/line-items`.
pub(crate) fn line_items(payment: &Payment) -> Value {
    let items: Vec<Value> = payment
        .lines
        .iter()
        .map(|line| {
            json!({
                "items_id": line.items_id,
                "name": line.name,
                "description": null,
                "amount": line.amount,
                "tax": line.tax,
                "refundable_amount": line.amount - line.refunded,
            })
        })
        .collect();
    json!({"currency": payment.currency, "items": items, "partial_refund_allowed": true})
}

/// An item of a payment's refunds and of `GET /refunds`.
pub(crate) fn refund_item(world: &World, refund: &Refund) -> Value {
    json!({
        "refund_id": refund.refund_id,
        "business_id": world.business_id,
        "payment_id": refund.payment_id,
        "amount": refund.amount,
        "currency": refund.currency,
        "is_partial": refund.is_partial,
        "reason": refund.reason,
        "status": refund.status,
        "created_at": rfc3339(refund.created_at),
        // Card networks tell these days later, if at all.
        "network_reference": null,
        "network_reference_type": null,
        "network_reference_updated_at": null,
    })
}

/// `GET /refunds/{id}`, and the body of `refund.*` webhooks.
pub(crate) fn refund(world: &World, refund: &Refund) -> Value {
    let mut whole = refund_item(world, refund);
    if let Some(fields) = whole.as_object_mut() {
        fields.insert("brand_id".to_owned(), json!(world.business_id));
        fields.insert("customer".to_owned(), customer_limited(world, &refund.customer_id));
        fields.insert("metadata".to_owned(), json!(refund.metadata));
    }
    whole
}
