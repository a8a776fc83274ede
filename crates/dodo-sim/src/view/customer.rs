//! Customers, payment methods, wallets.

use crate::engine::world::World;
use crate::model::customer::{Customer, MethodKind, PaymentMethod};
use crate::model::rfc3339;
use crate::policy::{ListOrder, RecurringEnabled, YearWidth};
use serde_json::{Value, json};

/// `GET /customers/{id}` and an item of `GET /customers`.
pub(crate) fn customer(world: &World, customer: &Customer) -> Value {
    json!({
        "customer_id": customer.customer_id,
        "business_id": world.business_id,
        "email": customer.email,
        "name": customer.name,
        "created_at": rfc3339(customer.created_at),
        "phone_number": customer.phone_number,
        "metadata": customer.metadata,
        "blocked_at": null,
        "blocklist_entry_id": null,
        "preferred_locale": null,
    })
}

/// `GET /customers/{id}/payment-methods`.
pub(crate) fn payment_methods(world: &World, customer: &Customer) -> Value {
    let mut items: Vec<Value> = customer
        .payment_methods
        .iter()
        .filter(|method| !method.removed)
        .map(|method| payment_method(world, method))
        .collect();
    if world.policy.payment_method_order == ListOrder::NewestFirst {
        items.reverse();
    }
    json!({ "items": items })
}

fn payment_method(world: &World, method: &PaymentMethod) -> Value {
    let (family, kind, card) = match &method.kind {
        MethodKind::Card(card) => {
            let year = match world.policy.expiry_year_width {
                YearWidth::Two => format!("{:02}", card.expiry_year % 100),
                YearWidth::Four => card.expiry_year.to_string(),
            };
            let shown = json!({
                "last4_digits": card.last4(),
                "card_network": card.network(),
                "card_type": "credit",
                "card_issuing_country": card.issuing_country(),
                "card_holder_name": card.holder,
                "expiry_month": format!("{:02}", card.expiry_month),
                "expiry_year": year,
            });
            ("card", json!("credit"), shown)
        }
        MethodKind::Other { payment_method, payment_method_type } => {
            (payment_method.as_str(), json!(payment_method_type), Value::Null)
        }
    };
    let mut item = json!({
        "payment_method_id": method.payment_method_id,
        "payment_method": family,
        "payment_method_type": kind,
        "card": card,
        "last_used_at": super::optional_time(method.last_used_at),
    });
    let recurring = match world.policy.recurring_enabled {
        RecurringEnabled::AsStored => Some(json!(method.recurring_enabled)),
        RecurringEnabled::Null => Some(Value::Null),
        RecurringEnabled::Omitted => None,
    };
    if let (Some(recurring), Some(item)) = (recurring, item.as_object_mut()) {
        item.insert("recurring_enabled".to_owned(), recurring);
    }
    item
}

/// `GET /customers/{id}/wallets`.
pub(crate) fn wallets(customer: &Customer) -> Value {
    let items: Vec<Value> = customer
        .wallets
        .iter()
        .map(|(currency, wallet)| {
            json!({
                "customer_id": customer.customer_id,
                "currency": currency,
                "balance": wallet.balance,
                "created_at": rfc3339(wallet.created_at),
                "updated_at": rfc3339(wallet.updated_at),
            })
        })
        .collect();
    let dollars = customer.wallets.iter().filter(|(currency, _)| currency.as_str() == "USD");
    let total: i64 = dollars.map(|(_, wallet)| wallet.balance).sum();
    json!({"items": items, "total_balance_usd": total})
}
