//! What Dodo sends, read: every field in its place, older and newer servers, values nobody knows yet.

use dodo_client::{
    ChargeEvidence, Error,
    error::DecodeError,
    types::{
        catalogue::{Price, TimeInterval},
        checkouts::Checkout,
        customers::PaymentMethodKind,
        payments::{ChargeType, IntentStatus, RefundExtent},
        plan_preview::LineItem,
        refunds::{RefundRequest, RefundStatus},
        subscriptions::{PaymentLink, SubscriptionFilter, SubscriptionStatus},
    },
    values::{Currency, ExpiryMonth},
};
use money::UnixSeconds;
use serde_json::{Value, json};
use time::macros::datetime;

use crate::{
    charges::plan_change,
    stub::{Stub, answer},
};

/// A client whose server answers everything with this.
async fn answering(body: &Value) -> (Stub, dodo_client::Client) {
    let stub = Stub::start([answer(200, &body.to_string())]).await;
    let client = stub.client();
    (stub, client)
}

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

/// With everything that Dodo documents as always present, and more.
pub(crate) fn payment() -> Value {
    json!({
        "payment_id": "pay_1", "business_id": "bus_1", "brand_id": "bus_1", "status": "succeeded",
        "currency": "USD", "total_amount": 3270, "tax": 270, "settlement_amount": 3100,
        "settlement_currency": "EUR", "settlement_tax": 250,
        "customer": {"customer_id": "cus_1", "email": "a@example.com", "name": "A", "metadata": {}, "phone_number": null},
        "billing": {"country": "US", "state": "CA", "city": "SF", "street": "1 Market St", "zipcode": "94105"},
        "product_cart": [{"product_id": "pdt_course", "quantity": 2}],
        "subscription_id": null, "subscription_ids": [], "charge_type": null, "service_periods": [],
        "checkout_session_id": "cks_1", "payment_method": "card", "payment_method_type": "credit",
        "payment_method_id": "pm_1", "card_network": "visa", "card_last_four": "4242", "payment_link": null,
        "error_code": null, "error_message": null, "refund_status": null, "refunds": [], "disputes": [],
        "invoice_url": "https://example.com/i", "metadata": {"attempt": "at_1", "seats": 3},
        "created_at": "2026-01-01T00:00:00.123456Z", "updated_at": null
    })
}

pub(crate) fn subscription() -> Value {
    json!({
        "subscription_id": "sub_1", "product_id": "pdt_basic", "quantity": 1, "status": "active",
        "currency": "USD", "recurring_pre_tax_amount": 3000, "tax_inclusive": false,
        "customer": {"customer_id": "cus_1", "email": "a@example.com", "name": "A"},
        "billing": {"country": "US"}, "addons": [{"addon_id": "adn_1", "quantity": 3}], "meters": [],
        "metadata": {}, "created_at": "2026-01-01T00:00:00Z",
        "previous_billing_date": "2026-01-01T00:00:00Z", "next_billing_date": "2026-02-01T00:00:00Z",
        "payment_frequency_count": 1, "payment_frequency_interval": "Month",
        "subscription_period_count": 20, "subscription_period_interval": "Year", "trial_period_days": 0,
        "on_demand": false, "cancel_at_next_billing_date": false, "payment_method_id": "pm_1",
        "scheduled_change": null
    })
}

#[tokio::test]
async fn a_payment() {
    let (_stub, client) = answering(&payment()).await;
    let payment = client.get_payment(&"pay_1".parse().unwrap()).await.unwrap();
    assert_eq!(payment.status, Some(IntentStatus::Succeeded));
    assert_eq!((payment.total_amount, payment.tax, payment.currency), (3270, Some(270), currency("USD")));
    assert_eq!((payment.settlement_amount, payment.settlement_currency), (Some(3100), Some(currency("EUR"))));
    assert_eq!(payment.customer.customer_id.as_str(), "cus_1");
    assert_eq!(payment.metadata.text("attempt"), Some("at_1"));
    assert_eq!(payment.product_cart[0].quantity, 2);
    assert_eq!(
        payment.created_at,
        Some(UnixSeconds(datetime!(2026-01-01 00:00:00.123456 UTC).unix_timestamp()))
    );
    assert_eq!(payment.billing.unwrap().zipcode.as_deref(), Some("94105"));
    assert_eq!(payment.card_last_four.as_deref(), Some("4242"));
}

#[tokio::test]
async fn a_payment_of_an_older_server() {
    let bare = json!({
        "payment_id": "pay_1", "currency": "USD", "total_amount": 1, "created_at": "2026-01-01T00:00:00Z",
        "customer": {"customer_id": "cus_1"}, "product_cart": null, "metadata": null, "subscription_ids": null
    });
    let (_stub, client) = answering(&bare).await;
    let payment = client.get_payment(&"pay_1".parse().unwrap()).await.unwrap();
    assert_eq!((payment.status, payment.tax, payment.charge_type), (None, None, None));
    assert!(
        payment.product_cart.is_empty() && payment.metadata.is_empty() && payment.subscription_ids.is_empty()
    );
}

#[tokio::test]
async fn a_payment_of_a_newer_server() {
    let mut newer = payment();
    newer["status"] = "on_the_moon".into();
    newer["charge_type"] = "gift".into();
    newer["refund_status"] = "partial".into();
    newer["added_next_year"] = json!({"deep": [1, 2.5]});
    let (_stub, client) = answering(&newer).await;
    let payment = client.get_payment(&"pay_1".parse().unwrap()).await.unwrap();
    assert_eq!(payment.status, Some(IntentStatus::Unknown("on_the_moon".into())));
    assert_eq!(payment.charge_type, Some(ChargeType::Unknown("gift".into())));
    assert_eq!(payment.refund_status, Some(RefundExtent::Partial));
}

#[tokio::test]
async fn amounts_are_whole_numbers_that_fit() {
    for amount in [json!(32.5), json!("3270"), json!(9_223_372_036_854_775_808_u64), json!(null)] {
        let mut odd = payment();
        odd["total_amount"] = amount.clone();
        let (_stub, client) = answering(&odd).await;
        let error = client.get_payment(&"pay_1".parse().unwrap()).await.unwrap_err();
        let reason = DecodeError::Shape { path: "total_amount".into() };
        assert_eq!(error, Error::Undecodable { status: 200, reason }, "{amount}");
    }
}

#[tokio::test]
async fn payment_methods() {
    let list = json!({"items": [
        {"payment_method_id": "pm_1", "payment_method": "card", "payment_method_type": "credit",
         "card": {"last4_digits": "4242", "card_network": "visa", "card_type": "credit", "expiry_month": "06",
                  "expiry_year": "32", "card_holder_name": null},
         "last_used_at": "2026-11-01T10:00:00Z", "recurring_enabled": true},
        {"payment_method_id": "pm_2", "payment_method": "card", "card": {"expiry_month": "6", "expiry_year": "2032"}},
        {"payment_method_id": "pm_3", "payment_method": "card", "card": {}},
        {"payment_method_id": "pm_4", "payment_method": "telepathy", "card": null, "last_used_at": null}
    ]});
    let (_stub, client) = answering(&list).await;
    let methods = client.list_payment_methods(&"cus_1".parse().unwrap()).await.unwrap();
    let expiries: Vec<_> =
        methods.iter().map(|method| method.card.as_ref().and_then(|card| card.expiry())).collect();
    let june = Some(ExpiryMonth { year: 2032, month: 6 });
    assert_eq!(expiries, [june, june, None, None]);
    assert_eq!(
        methods[0].last_used_at,
        Some(UnixSeconds(datetime!(2026-11-01 10:00:00 UTC).unix_timestamp()))
    );
    assert_eq!((methods[0].recurring_enabled, methods[1].recurring_enabled), (Some(true), None));
    assert_eq!(methods[3].payment_method, PaymentMethodKind::Unknown("telepathy".into()));
}

#[tokio::test]
async fn prices_of_every_kind() {
    let product =
        |price: Value| json!({"product_id": "pdt_1", "name": null, "is_recurring": true, "price": price});
    let read = async |price: Value| {
        let (_stub, client) = answering(&product(price)).await;
        client.get_product(&"pdt_1".parse().unwrap()).await.map(|product| product.price)
    };
    let Price::OneTime(price) =
        read(json!({"type": "one_time_price", "currency": "JPY", "price": 500, "discount": 0, "pay_what_you_want": true}))
            .await
            .unwrap()
    else {
        panic!("one-time expected")
    };
    assert_eq!((price.price, price.currency, price.pay_what_you_want), (500, currency("JPY"), true));
    let Price::Recurring(price) = read(json!({
        "type": "recurring_price", "currency": "USD", "price": 8000, "discount": 0, "discount_bps": 1000,
        "payment_frequency_count": 3, "payment_frequency_interval": "Month", "tax_inclusive": false,
        "trial_period_days": 14
    }))
    .await
    .unwrap() else {
        panic!("recurring expected")
    };
    assert_eq!((price.payment_frequency_count, price.payment_frequency_interval), (3, TimeInterval::Month));
    assert_eq!((price.price, price.discount_bps, price.trial_period_days), (8000, Some(1000), 14));
    let Price::UsageBased(price) = read(json!({
        "type": "usage_based_price", "currency": "USD", "fixed_price": 100, "payment_frequency_count": 1,
        "payment_frequency_interval": "Fortnight", "meters": [{"meter_id": "m", "price_per_unit": "0.001"}]
    }))
    .await
    .unwrap() else {
        panic!("usage-based expected")
    };
    assert_eq!(price.payment_frequency_interval, TimeInterval::Unknown("Fortnight".into()));
    assert_eq!(read(json!({"type": "barter_price", "sheep": 2})).await.unwrap(), Price::Unknown);
    // A known kind that lacks its amount is an error, not an unknown kind.
    assert!(read(json!({"type": "recurring_price", "currency": "USD"})).await.is_err());
}

#[tokio::test]
async fn an_addon() {
    let (_stub, client) = answering(
        &json!({"id": "adn_1", "name": "Seat", "price": 1000, "currency": "USD", "tax_category": "saas"}),
    )
    .await;
    let addon = client.get_addon(&"adn_1".parse().unwrap()).await.unwrap();
    assert_eq!((addon.name.as_str(), addon.price, addon.currency), ("Seat", 1000, currency("USD")));
}

#[tokio::test]
async fn checkout_sessions_before_and_after_payment() {
    let id = "cks_1".parse().unwrap();
    let (_stub, client) =
        answering(&json!({"id": "cks_1", "created_at": "2026-01-01T00:00:00Z", "payment_status": null}))
            .await;
    let status = client.get_checkout(&id).await.unwrap();
    assert_eq!((status.payment_id, status.payment_status), (None, None));
    let (_stub, client) = answering(&json!({
        "id": "cks_1", "created_at": "2026-01-01T00:00:00Z", "payment_id": "pay_1", "payment_status": "processing"
    }))
    .await;
    let status = client.get_checkout(&id).await.unwrap();
    assert_eq!(status.payment_status, Some(IntentStatus::Processing));
}

#[tokio::test]
async fn what_a_charge_began() {
    let charge = async |body: Value| {
        let (_stub, client) = answering(&body).await;
        let method = "pm_1".parse().unwrap();
        client.charge_checkout(&"cus_1".parse().unwrap(), &method, &Checkout::default()).await
    };
    let evidence = charge(json!({
        "session_id": "cks_1", "checkout_url": null, "payment_id": "pay_1", "client_secret": "s3cret",
        "publishable_key": "pk"
    }))
    .await;
    assert!(!format!("{evidence:?}").contains("s3cret"));
    let ChargeEvidence::Accepted { status: 200, reply } = evidence else { panic!("{evidence:?}") };
    assert_eq!(reply.payment_id, Some("pay_1".parse().unwrap()));
    let ChargeEvidence::Accepted { reply, .. } = charge(json!({"session_id": "cks_1"})).await else {
        panic!("the older shape is an answer too")
    };
    assert_eq!(reply.payment_id, None);
}

#[tokio::test]
async fn a_checkout_preview() {
    let (_stub, client) = answering(&json!({
        "billing_country": "US", "currency": "USD", "total_price": 3270, "total_tax": 270,
        "current_breakup": {"subtotal": 3500, "discount": 500, "total_amount": 3270, "tax": 270},
        "recurring_breakup": null, "payment_method_required": true, "is_byop": false,
        "product_cart": [{
            "product_id": "pdt_1", "quantity": 1, "name": "Course", "currency": "USD", "og_currency": "EUR",
            "og_price": 3000, "discounted_price": 3000, "tax_category": "e_book", "tax_inclusive": false,
            "tax_rate": 9, "tax": 270, "is_subscription": false, "is_usage_based": false, "meters": [],
            "credit_entitlements": []
        }]
    }))
    .await;
    let preview = client.preview_checkout(None, &Checkout::default()).await.unwrap();
    assert_eq!((preview.total_price, preview.total_tax), (3270, Some(270)));
    assert_eq!((preview.current_breakup.subtotal, preview.current_breakup.discount), (3500, 500));
    let line = &preview.product_cart[0];
    assert_eq!(
        (line.og_price, line.og_currency, line.discounted_price),
        (Some(3000), Some(currency("EUR")), Some(3000))
    );
    assert_eq!(line.tax_rate.as_ref().unwrap().as_str(), "9");
}

#[tokio::test]
async fn a_subscription_and_its_list_form() {
    let mut scheduled = subscription();
    scheduled["scheduled_change"] = json!({
        "id": "sch_1", "product_id": "pdt_pro", "product_name": "Pro", "quantity": 2, "addons": [],
        "created_at": "2026-01-02T00:00:00Z", "effective_at": "2026-02-01T00:00:00Z"
    });
    scheduled["status"] = "napping".into();
    let (_stub, client) = answering(&scheduled).await;
    let read = client.get_subscription(&"sub_1".parse().unwrap()).await.unwrap();
    assert_eq!(read.addons[0].quantity, 3);
    assert_eq!(read.next_billing_date, UnixSeconds(datetime!(2026-02-01 00:00:00 UTC).unix_timestamp()));
    assert_eq!(read.scheduled_change.unwrap().product_id.as_str(), "pdt_pro");
    assert_eq!(read.status, SubscriptionStatus::Unknown("napping".into()));

    let mut item = subscription();
    item.as_object_mut().unwrap().retain(|key, _| key != "addons" && key != "meters");
    item["product_name"] = "Basic".into();
    let (_stub, client) = answering(&json!({"items": [item]})).await;
    let page = dodo_client::http::pages::PageRequest::first(10);
    let (list, unreadable) = client.list_subscriptions(&SubscriptionFilter::default(), page).await.unwrap();
    assert_eq!(unreadable, 0);
    assert_eq!(list.items[0].product_name.as_deref(), Some("Basic"));
    assert_eq!(list.next, None);
}

#[tokio::test]
async fn a_plan_preview_keeps_factors_as_text() {
    let plan_line = |product: &str, price: i64, factor: f64| {
        json!({"id": "li", "type": "subscription", "product_id": product, "name": null, "description": null,
            "quantity": 1, "unit_price": price, "proration_factor": factor, "currency": "USD",
            "tax_inclusive": false, "tax": 0, "tax_rate": 0.0})
    };
    let (_stub, client) = answering(&json!({
        "immediate_charge": {
            "effective_at": "2026-01-16T00:00:00Z",
            "line_items": [
                plan_line("pdt_pro", 8000, 0.5), plan_line("pdt_basic", 3000, -0.5),
                {"id": "adn_1", "type": "addon", "name": "Seat", "quantity": 2, "unit_price": 1000,
                 "proration_factor": 0.333_333_333, "currency": "USD", "tax_inclusive": false,
                 "tax_category": "saas", "tax_rate": 8.25},
                {"id": "m", "type": "meter", "name": "Calls", "currency": "USD", "subtotal": 12,
                 "units_consumed": "1200", "tax_inclusive": true, "tax_rate": 0.0},
                {"type": "blessing", "value": "much"}
            ],
            "summary": {"currency": "USD", "total_amount": 2500, "tax": 0, "customer_credits": -100,
                "settlement_amount": 2400, "settlement_currency": "USD", "settlement_tax": 0}
        },
        "new_plan": subscription()
    }))
    .await;
    let preview = client.preview_plan_change(&"sub_1".parse().unwrap(), &plan_change()).await.unwrap();
    let charge = preview.immediate_charge;
    let summary = charge.summary;
    assert_eq!((summary.settlement_amount, summary.customer_credits), (2400, -100));
    assert_eq!(summary.customer_credits_currency, None);
    assert_eq!(preview.new_plan.recurring_pre_tax_amount, 3000);
    let [
        LineItem::Subscription(new),
        LineItem::Subscription(old),
        LineItem::Addon(addon),
        LineItem::Meter(meter),
        LineItem::Unknown,
    ] = charge.line_items.as_slice()
    else {
        panic!("{:?}", charge.line_items)
    };
    assert_eq!(new.terms.proration_factor.times(new.terms.unit_price), Some(4000));
    assert_eq!(old.terms.proration_factor.times(old.terms.unit_price), Some(-1500));
    assert!(old.terms.proration_factor.is_negative() && !new.terms.proration_factor.is_negative());
    assert_eq!(addon.terms.proration_factor.as_str(), "0.333333333");
    assert_eq!(addon.terms.tax_rate.as_ref().unwrap().as_str(), "8.25");
    assert_eq!((meter.subtotal, meter.units_consumed.as_ref().unwrap().as_str()), (12, "1200"));
}

#[tokio::test]
async fn links_of_plan_changes_and_method_updates() {
    let nothing =
        json!({"payment_id": null, "payment_link": null, "client_secret": null, "expires_on": null});
    let (_stub, client) = answering(&nothing).await;
    let id = "sub_1".parse().unwrap();
    let expected = ChargeEvidence::Accepted { status: 200, reply: PaymentLink::default() };
    assert_eq!(client.change_plan(&id, &plan_change()).await, expected);

    let (_stub, client) = answering(&json!({
        "payment_id": "pay_1", "payment_link": "https://pay.example/secret", "expires_on": "2026-01-02T00:00:00Z"
    }))
    .await;
    let link = client.collect_payment_method(&id, None).await.unwrap();
    assert_eq!(link.payment_link.as_deref(), Some("https://pay.example/secret"));
    assert_eq!(link.expires_on, Some(UnixSeconds(datetime!(2026-01-02 00:00:00 UTC).unix_timestamp())));
    assert!(!format!("{link:?}").contains("secret"));

    let (_stub, client) = answering(&json!({"link": "https://portal.example/secret"})).await;
    let session = client.create_portal_session(&"cus_1".parse().unwrap(), None).await.unwrap();
    assert_eq!(session.link, "https://portal.example/secret");
    assert!(!format!("{session:?}").contains("secret"));
}

#[tokio::test]
async fn taking_a_scheduled_change_back() {
    let id = "sub_1".parse().unwrap();
    let stub = Stub::start([answer(204, "")]).await;
    assert_eq!(stub.client().cancel_scheduled_change(&id).await, Ok(()));
    let stub =
        Stub::start([answer(404, r#"{"code":"SCHEDULED_PLAN_CHANGE_NOT_FOUND","message":"m"}"#)]).await;
    assert!(stub.client().cancel_scheduled_change(&id).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_refund() {
    let (_stub, client) = answering(&json!({
        "refund_id": "ref_1", "payment_id": "pay_1", "status": "pending", "amount": 500, "currency": "USD",
        "is_partial": true, "reason": null, "created_at": "2026-01-01T00:00:00Z"
    }))
    .await;
    let request = RefundRequest { payment_id: "pay_1".parse().unwrap(), items: Vec::new(), reason: None };
    let evidence = client.refund(&request).await;
    let ChargeEvidence::Accepted { reply, .. } = evidence else { panic!("{evidence:?}") };
    assert_eq!((reply.status, reply.amount), (RefundStatus::Pending, Some(500)));
}
