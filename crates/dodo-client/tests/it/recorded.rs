//! The objects that every call and every webhook reads, with something in every field, and what settles something in each.

use std::fmt::Debug;

use dodo_client::{
    error::DecodeError,
    types::{
        catalogue::{Addon, Product},
        checkouts::{CheckoutPreview, CheckoutSession, CheckoutStatus},
        customers::{Customer, PaymentMethod},
        payments::{LineItems, Payment, PaymentSummary},
        plan_preview::PlanChangePreview,
        refunds::Refund,
        subscriptions::{PaymentLink, Subscription, SubscriptionSummary},
    },
    webhook::{Event, EventObject},
};
use serde_json::{Value, json};

use crate::answers::{payment, subscription};

/// One object, the fields that settle something, and what it says of those.
pub(crate) struct Recorded {
    pub(crate) name: &'static str,
    pub(crate) object: Value,
    /// Paths such as `addons[].quantity`. What lies below one is as strict.
    pub(crate) strict: &'static [&'static str],
    pub(crate) read: fn(&Value) -> Result<String, DecodeError>,
}

fn text(said: impl Debug) -> String {
    format!("{said:?}")
}

pub(crate) fn bytes(object: &Value) -> Vec<u8> {
    object.to_string().into_bytes()
}

fn event(kind: &str, object: &Value) -> Result<EventObject, DecodeError> {
    let body =
        json!({"business_id": "bus_1", "type": kind, "timestamp": "2026-01-01T00:00:05Z", "data": object});
    Event::read(body.to_string().as_bytes()).map(|event| event.object)
}

const PAYMENT: &[&str] = &[
    "payment_id",
    "customer.customer_id",
    "status",
    "currency",
    "total_amount",
    "metadata",
    "subscription_id",
    "subscription_ids",
    "checkout_session_id",
];
const SUBSCRIPTION: &[&str] = &[
    "subscription_id",
    "product_id",
    "quantity",
    "status",
    "currency",
    "recurring_pre_tax_amount",
    "tax_inclusive",
    "customer.customer_id",
    "addons",
    "metadata",
    "next_billing_date",
    "payment_frequency_count",
    "payment_frequency_interval",
    "on_demand",
    "cancel_at_next_billing_date",
    "scheduled_change",
];
const REFUND: &[&str] = &["refund_id", "payment_id", "status", "amount", "currency"];
const DISPUTE: &[&str] = &["dispute_id", "payment_id", "dispute_status"];

fn payment_says(payment: &Payment) -> String {
    text((
        (&payment.payment_id, &payment.customer.customer_id, &payment.status),
        (payment.currency, payment.total_amount, &payment.metadata),
        (&payment.subscription_id, &payment.subscription_ids, &payment.checkout_session_id),
    ))
}

fn subscription_says(subscription: &Subscription) -> String {
    let Subscription { subscription_id, product_id, quantity, status, addons, metadata, .. } = subscription;
    text((
        (subscription_id, product_id, quantity, status, addons, metadata),
        (&subscription.customer.customer_id, subscription.currency, subscription.recurring_pre_tax_amount),
        (subscription.tax_inclusive, subscription.next_billing_date, subscription.payment_frequency_count),
        (&subscription.payment_frequency_interval, &subscription.scheduled_change),
        (subscription.on_demand, subscription.cancel_at_next_billing_date),
    ))
}

fn refund_says(refund: &Refund) -> String {
    text((&refund.refund_id, &refund.payment_id, &refund.status, refund.amount, refund.currency))
}

fn disputed() -> Value {
    json!({
        "dispute_id": "dsp_1", "payment_id": "pay_1", "dispute_status": "dispute_opened", "amount": "1900",
        "dispute_stage": "dispute", "currency": "USD", "created_at": "2026-01-03T00:00:00Z"
    })
}

pub(crate) fn refunded() -> Value {
    json!({
        "refund_id": "ref_1", "payment_id": "pay_1", "status": "pending", "amount": 500, "currency": "USD",
        "is_partial": true, "reason": "late", "created_at": "2026-01-01T00:00:00Z",
        "customer": {"customer_id": "cus_1", "email": "a@example.com", "name": "A"}
    })
}

/// A payment with something in every field.
pub(crate) fn full_payment() -> Value {
    let mut full = payment();
    full["subscription_id"] = "sub_1".into();
    full["subscription_ids"] = json!(["sub_1"]);
    full["charge_type"] = "new".into();
    full["payment_link"] = "https://pay.example/1".into();
    full["error_code"] = "NONE".into();
    full["error_message"] = "none".into();
    full["refund_status"] = "partial".into();
    full["refunds"] = json!([refunded()]);
    full["disputes"] = json!([disputed()]);
    full["updated_at"] = "2026-01-01T00:00:05Z".into();
    full
}

fn full_subscription() -> Value {
    let mut full = subscription();
    full["billing"] = json!({"country": "US", "state": "CA", "zipcode": "94105"});
    full["discounts"] = json!([{
        "type": "percentage", "amount": 1000, "cycles_remaining": 3, "preserve_on_plan_change": true,
        "restricted_to": ["pdt_basic"], "code": "TEN"
    }]);
    full["scheduled_change"] = json!({
        "product_id": "pdt_pro", "product_name": "Pro", "quantity": 2,
        "addons": [{"addon_id": "adn_1", "quantity": 1}], "effective_at": "2026-02-01T00:00:00Z"
    });
    full
}

fn checkout_preview() -> Value {
    json!({
        "billing_country": "US", "currency": "USD", "total_price": 3270, "total_tax": 270,
        "current_breakup": {"subtotal": 3500, "discount": 500, "total_amount": 3270, "tax": 270},
        "recurring_breakup": {"subtotal": 3500, "discount": 0, "total_amount": 3770, "tax": 270},
        "payment_method_required": true, "is_byop": false, "next_billing_date": "2026-02-01T00:00:00Z",
        "product_cart": [{
            "product_id": "pdt_1", "quantity": 1, "name": "Course", "currency": "USD", "og_currency": "EUR",
            "og_price": 3000, "discounted_price": 3000, "tax_category": "e_book", "tax_inclusive": false,
            "tax_rate": 9, "tax": 270, "is_subscription": true, "meters": []
        }]
    })
}

fn plan_preview() -> Value {
    json!({
        "immediate_charge": {
            "effective_at": "2026-01-16T00:00:00Z",
            "line_items": [
                {"id": "li", "type": "subscription", "product_id": "pdt_pro", "name": "Pro", "quantity": 1,
                 "unit_price": 8000, "proration_factor": 0.5, "currency": "USD", "tax_inclusive": false,
                 "tax": 0, "tax_rate": 0.0},
                {"id": "adn_1", "type": "addon", "name": "Seat", "quantity": 2, "unit_price": 1000,
                 "proration_factor": 0.25, "currency": "USD", "tax_inclusive": false, "tax_rate": 8.25},
                {"id": "m", "type": "meter", "name": "Calls", "currency": "USD", "subtotal": 12,
                 "units_consumed": "1200", "tax_inclusive": true, "tax_rate": 0.0}
            ],
            "summary": {"currency": "USD", "total_amount": 2500, "tax": 0, "customer_credits": -100,
                "customer_credits_currency": "USD", "settlement_amount": 2400, "settlement_currency": "USD",
                "settlement_tax": 0}
        },
        "new_plan": full_subscription()
    })
}

fn product() -> Value {
    json!({
        "product_id": "pdt_1", "name": "Course", "description": "All of it", "image": "https://example.com/i",
        "is_recurring": true, "addons": ["adn_1"], "metadata": {"a": "b"}, "tax_category": "e_book",
        "price": {"type": "recurring_price", "currency": "USD", "price": 3000, "discount_bps": 100,
            "tax_inclusive": true, "payment_frequency_count": 1, "payment_frequency_interval": "Month",
            "trial_period_days": 7, "purchasing_power_parity": false}
    })
}

/// What every call and every webhook reads.
pub(crate) fn recorded() -> Vec<Recorded> {
    vec![
        Recorded {
            name: "payment webhook",
            object: full_payment(),
            strict: PAYMENT,
            read: |object| match event("payment.succeeded", object)? {
                EventObject::Payment(payment) => Ok(payment_says(&payment)),
                other => Ok(text(other)),
            },
        },
        Recorded {
            name: "payment",
            object: full_payment(),
            strict: PAYMENT,
            read: |object| DecodeError::read::<Payment>(&bytes(object)).map(|read| payment_says(&read)),
        },
        Recorded {
            name: "listed payment",
            object: full_payment(),
            strict: PAYMENT,
            read: |object| {
                DecodeError::read::<PaymentSummary>(&bytes(object)).map(|read| {
                    text((
                        (&read.payment_id, &read.customer.customer_id, &read.status),
                        (read.currency, read.total_amount, &read.metadata),
                        (&read.subscription_id, &read.checkout_session_id),
                    ))
                })
            },
        },
        Recorded {
            name: "subscription webhook",
            object: full_subscription(),
            strict: SUBSCRIPTION,
            read: |object| match event("subscription.plan_changed", object)? {
                EventObject::Subscription(subscription) => Ok(subscription_says(&subscription)),
                other => Ok(text(other)),
            },
        },
        Recorded {
            name: "listed subscription",
            object: full_subscription(),
            strict: SUBSCRIPTION,
            read: |object| {
                DecodeError::read::<SubscriptionSummary>(&bytes(object))
                    .map(|read| text((&read.subscription_id, &read.product_id, read.quantity, &read.status)))
            },
        },
        Recorded {
            name: "refund webhook",
            object: refunded(),
            strict: REFUND,
            read: |object| match event("refund.succeeded", object)? {
                EventObject::Refund(refund) => Ok(refund_says(&refund)),
                other => Ok(text(other)),
            },
        },
        Recorded {
            name: "dispute webhook",
            object: disputed(),
            strict: DISPUTE,
            read: |object| event("dispute.opened", object).map(text),
        },
        Recorded {
            name: "reply to a charge",
            object: json!({
                "session_id": "cks_1", "checkout_url": "https://pay.example/1", "payment_id": "pay_1",
                "client_secret": "s3cret", "publishable_key": "pk"
            }),
            strict: &["session_id", "payment_id"],
            read: |object| {
                let read = DecodeError::read::<CheckoutSession>(&bytes(object))?;
                Ok(text((&read.session_id, &read.payment_id)))
            },
        },
        Recorded {
            name: "reply to a plan change",
            object: json!({
                "payment_id": "pay_1", "payment_link": "https://pay.example/1", "client_secret": "s3cret",
                "expires_on": "2026-01-02T00:00:00Z"
            }),
            strict: &["payment_id"],
            read: |object| DecodeError::read::<PaymentLink>(&bytes(object)).map(|read| text(read.payment_id)),
        },
        Recorded {
            name: "checkout status",
            object: json!({
                "id": "cks_1", "created_at": "2026-01-01T00:00:00Z", "payment_id": "pay_1",
                "payment_status": "processing", "customer_email": "a@example.com", "customer_name": "A"
            }),
            strict: &["id", "payment_id", "payment_status"],
            read: |object| {
                let read = DecodeError::read::<CheckoutStatus>(&bytes(object))?;
                Ok(text((&read.id, &read.payment_id, &read.payment_status)))
            },
        },
        Recorded {
            name: "checkout preview",
            object: checkout_preview(),
            strict: &[
                "currency",
                "total_price",
                "total_tax",
                "current_breakup",
                "recurring_breakup",
                "next_billing_date",
                "product_cart[].product_id",
                "product_cart[].quantity",
                "product_cart[].tax_inclusive",
                "product_cart[].is_subscription",
                "product_cart",
            ],
            read: |object| {
                let read = DecodeError::read::<CheckoutPreview>(&bytes(object))?;
                Ok(text((
                    (read.currency, read.total_price, read.total_tax, read.next_billing_date),
                    (read.current_breakup, read.recurring_breakup, read.product_cart.len()),
                    read.product_cart.first().map(|line| {
                        (line.product_id.clone(), line.quantity, line.tax_inclusive, line.is_subscription)
                    }),
                )))
            },
        },
        Recorded {
            name: "plan change preview",
            object: plan_preview(),
            strict: &[
                "immediate_charge.summary",
                "immediate_charge.line_items",
                "new_plan.subscription_id",
                "new_plan.product_id",
                "new_plan.quantity",
                "new_plan.status",
                "new_plan.currency",
                "new_plan.recurring_pre_tax_amount",
                "new_plan.tax_inclusive",
                "new_plan.customer.customer_id",
                "new_plan.addons",
                "new_plan.metadata",
                "new_plan.next_billing_date",
                "new_plan.payment_frequency_count",
                "new_plan.payment_frequency_interval",
                "new_plan.on_demand",
                "new_plan.cancel_at_next_billing_date",
                "new_plan.scheduled_change",
            ],
            read: |object| {
                let read = DecodeError::read::<PlanChangePreview>(&bytes(object))?;
                Ok(text((read.immediate_charge.summary, subscription_says(&read.new_plan))))
            },
        },
        Recorded {
            name: "product",
            object: product(),
            strict: &["product_id", "is_recurring", "price", "addons", "metadata"],
            read: |object| {
                let read = DecodeError::read::<Product>(&bytes(object))?;
                Ok(text((&read.product_id, read.is_recurring, &read.price, &read.addons, &read.metadata)))
            },
        },
        Recorded {
            name: "add-on",
            object: json!({"id": "adn_1", "name": "Seat", "price": 1000, "currency": "USD", "description": "One"}),
            strict: &["id", "price", "currency"],
            read: |object| {
                let read = DecodeError::read::<Addon>(&bytes(object))?;
                Ok(text((&read.id, read.price, read.currency)))
            },
        },
        Recorded {
            name: "customer",
            object: json!({
                "customer_id": "cus_1", "email": "a@example.com", "name": "A", "metadata": {"a": "b"},
                "blocked_at": "2026-01-01T00:00:00Z", "preferred_locale": "en", "business_id": "bus_1"
            }),
            strict: &["customer_id", "blocked_at", "metadata"],
            read: |object| {
                let read = DecodeError::read::<Customer>(&bytes(object))?;
                Ok(text((&read.customer_id, read.blocked_at, &read.metadata)))
            },
        },
        Recorded {
            name: "payment method",
            object: json!({
                "payment_method_id": "pm_1", "payment_method": "card", "payment_method_type": "credit",
                "card": {"last4_digits": "4242", "card_network": "visa", "card_type": "credit",
                    "expiry_month": "06", "expiry_year": "32", "card_holder_name": "A"},
                "last_used_at": "2026-11-01T10:00:00Z", "recurring_enabled": true
            }),
            strict: &["payment_method_id"],
            read: |object| {
                DecodeError::read::<PaymentMethod>(&bytes(object)).map(|read| text(read.payment_method_id))
            },
        },
        Recorded {
            name: "lines of a payment",
            object: json!({"items": [{"items_id": "li_1", "refundable_amount": 500, "name": "Course"}]}),
            strict: &["items"],
            read: |object| DecodeError::read::<LineItems>(&bytes(object)).map(text),
        },
    ]
}
