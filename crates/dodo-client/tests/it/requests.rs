//! What each call sends: method, path, query and body, to the letter.

use dodo_client::{
    http::pages::PageRequest,
    types::{
        checkouts::{AddonQuantity, Buyer, CartItem, Checkout, FeatureFlags},
        payments::{BillingAddress, IntentStatus, PaymentFilter},
        plan_changes::{EffectiveAt, OnPaymentFailure, PlanChange, ProrationMode},
        refunds::{RefundItem, RefundRequest},
        subscriptions::{SubscriptionFilter, SubscriptionStatus},
    },
    values::Metadata,
};
use money::UnixSeconds;
use serde_json::{Value, json};
use time::macros::datetime;

use crate::stub::{Stub, answer};

/// Performs one call against a server that knows nothing, and compares what arrived.
macro_rules! sends {
    ($call:expr => $line:expr, $body:expr) => {{
        let stub = Stub::start([answer(404, "{}")]).await;
        let client = stub.client();
        let _ = ($call)(client).await;
        let seen = stub.only();
        assert_eq!(seen.line, concat!($line, " HTTP/1.1"));
        let expected: Value = $body;
        assert_eq!(seen.body, expected, $line);
        let json = seen.header("content-type") == Some("application/json");
        assert_eq!(json, !expected.is_null(), "{} says what its body is", $line);
    }};
}

fn addons() -> Vec<AddonQuantity> {
    vec![AddonQuantity { addon_id: "adn_1".parse().unwrap(), quantity: 2 }]
}

fn checkout() -> Checkout {
    Checkout {
        product_cart: vec![CartItem {
            product_id: "pdt_1".parse().unwrap(),
            quantity: 1,
            addons: Vec::new(),
        }],
        billing_address: Some(BillingAddress {
            country: "US".into(),
            state: Some("CA".into()),
            city: None,
            street: None,
            zipcode: Some("94105".into()),
        }),
        metadata: Metadata::from_iter([("offer", "of_1"), ("attempt", "at_1")]),
        return_url: Some("https://shop.example/thanks".into()),
        ..Checkout::default()
    }
}

#[tokio::test]
async fn lookups() {
    sends!(async |c: dodo_client::Client| c.get_customer(&"cus_1".parse().unwrap()).await
        => "GET /customers/cus_1", Value::Null);
    sends!(async |c: dodo_client::Client| c.list_payment_methods(&"cus_1".parse().unwrap()).await
        => "GET /customers/cus_1/payment-methods", Value::Null);
    sends!(async |c: dodo_client::Client| c.get_product(&"pdt_1".parse().unwrap()).await
        => "GET /products/pdt_1", Value::Null);
    sends!(async |c: dodo_client::Client| c.get_addon(&"adn_1".parse().unwrap()).await
        => "GET /addons/adn_1", Value::Null);
    sends!(async |c: dodo_client::Client| c.get_checkout(&"cks_1".parse().unwrap()).await
        => "GET /checkouts/cks_1", Value::Null);
    sends!(async |c: dodo_client::Client| c.get_payment(&"pay_1".parse().unwrap()).await
        => "GET /payments/pay_1", Value::Null);
    sends!(async |c: dodo_client::Client| c.get_subscription(&"sub_1".parse().unwrap()).await
        => "GET /subscriptions/sub_1", Value::Null);
}

#[tokio::test]
async fn lists() {
    let first = PageRequest::first(100);
    sends!(async |c: dodo_client::Client| c.list_payments(&PaymentFilter::default(), first).await
        => "GET /payments?page_number=0&page_size=100", Value::Null);
    let filter = PaymentFilter {
        customer_id: Some("cus_1".parse().unwrap()),
        subscription_id: Some("sub_1".parse().unwrap()),
        status: Some(IntentStatus::RequiresCustomerAction),
        created_at_gte: Some(UnixSeconds(datetime!(2026-01-16 00:00:00 UTC).unix_timestamp())),
        created_at_lte: Some(UnixSeconds(datetime!(2026-01-17 00:00:00 UTC).unix_timestamp())),
    };
    sends!(async |c: dodo_client::Client| c.list_payments(&filter, first).await
        => "GET /payments?customer_id=cus_1&subscription_id=sub_1&status=requires_customer_action\
            &created_at_gte=2026-01-16T00%3A00%3A00Z&created_at_lte=2026-01-17T00%3A00%3A00Z\
            &page_number=0&page_size=100", Value::Null);
    let filter = SubscriptionFilter {
        customer_id: Some("cus_1".parse().unwrap()),
        product_id: Some("pdt_1".parse().unwrap()),
        status: Some(SubscriptionStatus::Active),
    };
    sends!(async |c: dodo_client::Client| c.list_subscriptions(&filter, first).await
        => "GET /subscriptions?customer_id=cus_1&product_id=pdt_1&status=active&page_number=0&page_size=100",
        Value::Null);
}

#[tokio::test]
async fn the_second_page_is_asked_for_by_its_number() {
    let item = |id: &str| {
        json!({"payment_id": id, "customer": {"customer_id": "cus_1"}, "currency": "USD", "total_amount": 1,
            "created_at": "2026-01-01T00:00:00Z"})
    };
    let full = json!({"items": [item("pay_1"), item("pay_2")]}).to_string();
    let short = json!({"items": [item("pay_3")]}).to_string();
    let stub = Stub::start([answer(200, &full), answer(200, &short)]).await;
    let client = stub.client();
    let mut ids = Vec::new();
    let mut request = Some(PageRequest::first(2));
    while let Some(page_request) = request {
        let page = client.list_payments(&PaymentFilter::default(), page_request).await.unwrap();
        ids.extend(page.items.into_iter().map(|payment| payment.payment_id.to_string()));
        request = page.next;
    }
    assert_eq!(ids, ["pay_1", "pay_2", "pay_3"]);
    let lines: Vec<_> = stub.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(
        lines,
        [
            "GET /payments?page_number=0&page_size=2 HTTP/1.1",
            "GET /payments?page_number=1&page_size=2 HTTP/1.1"
        ]
    );
}

#[tokio::test]
async fn checkouts() {
    let buyer = Buyer::Known { customer_id: "cus_1".parse().unwrap() };
    let cart = json!([{"product_id": "pdt_1", "quantity": 1}]);
    let address = json!({"country": "US", "state": "CA", "zipcode": "94105"});
    let metadata = json!({"offer": "of_1", "attempt": "at_1"});
    sends!(async |c: dodo_client::Client| {
        c.charge_checkout(&"cus_1".parse().unwrap(), &"pm_1".parse().unwrap(), &checkout()).await
    } => "POST /checkouts", json!({
        "product_cart": cart, "billing_address": address, "metadata": metadata,
        "return_url": "https://shop.example/thanks",
        "customer": {"customer_id": "cus_1"}, "payment_method_id": "pm_1", "confirm": true,
    }));
    sends!(async |c: dodo_client::Client| c.preview_checkout(Some(&buyer), &checkout()).await
    => "POST /checkouts/preview", json!({
        "product_cart": cart, "billing_address": address, "metadata": metadata,
        "return_url": "https://shop.example/thanks",
        "customer": {"customer_id": "cus_1"},
    }));
    let hosted = Checkout {
        product_cart: vec![CartItem { product_id: "pdt_1".parse().unwrap(), quantity: 3, addons: addons() }],
        minimal_address: Some(true),
        billing_currency: Some(dodo_client::values::Currency::parse("EUR").unwrap()),
        discount_codes: vec!["FIRST".into(), "SECOND".into()],
        cancel_url: Some("https://shop.example/cart".into()),
        show_saved_payment_methods: Some(true),
        feature_flags: Some(FeatureFlags { redirect_immediately: Some(true), ..FeatureFlags::default() }),
        ..Checkout::default()
    };
    let buyer = Buyer::ByEmail { email: "a@example.com".into(), name: Some("A".into()) };
    sends!(async |c: dodo_client::Client| c.create_hosted_checkout(Some(&buyer), &hosted).await
    => "POST /checkouts", json!({
        "product_cart": [
            {"product_id": "pdt_1", "quantity": 3, "addons": [{"addon_id": "adn_1", "quantity": 2}]}
        ],
        "minimal_address": true, "billing_currency": "EUR", "discount_codes": ["FIRST", "SECOND"],
        "cancel_url": "https://shop.example/cart", "show_saved_payment_methods": true,
        "feature_flags": {"redirect_immediately": true},
        "customer": {"email": "a@example.com", "name": "A"},
    }));
}

#[tokio::test]
async fn plan_changes_say_everything_that_matters() {
    let change = PlanChange {
        product_id: "pdt_pro".parse().unwrap(),
        quantity: 1,
        proration_billing_mode: ProrationMode::ProratedImmediatelyKeepCycle,
        addons: addons(),
        effective_at: EffectiveAt::Immediately,
        on_payment_failure: OnPaymentFailure::PreventChange,
        discount_codes: None,
        metadata: Some(Metadata::from_iter([("attempt", "at_1")])),
    };
    let body = json!({
        "product_id": "pdt_pro", "quantity": 1, "proration_billing_mode": "prorated_immediately_keep_cycle",
        "addons": [{"addon_id": "adn_1", "quantity": 2}], "effective_at": "immediately",
        "on_payment_failure": "prevent_change", "metadata": {"attempt": "at_1"},
    });
    let id = "sub_1".parse().unwrap();
    sends!(async |c: dodo_client::Client| c.preview_plan_change(&id, &change).await
        => "POST /subscriptions/sub_1/change-plan/preview", body.clone());
    sends!(async |c: dodo_client::Client| c.change_plan(&id, &change).await
        => "POST /subscriptions/sub_1/change-plan", body);
    let bare = PlanChange {
        proration_billing_mode: ProrationMode::FullImmediately,
        addons: Vec::new(),
        effective_at: EffectiveAt::NextBillingDate,
        discount_codes: Some(Vec::new()),
        metadata: None,
        ..change
    };
    sends!(async |c: dodo_client::Client| c.change_plan(&id, &bare).await
    => "POST /subscriptions/sub_1/change-plan", json!({
        "product_id": "pdt_pro", "quantity": 1, "proration_billing_mode": "full_immediately", "addons": [],
        "effective_at": "next_billing_date", "on_payment_failure": "prevent_change", "discount_codes": [],
    }));
    sends!(async |c: dodo_client::Client| c.cancel_scheduled_change(&id).await
        => "DELETE /subscriptions/sub_1/change-plan/scheduled", Value::Null);
}

#[tokio::test]
async fn payment_methods_portal_and_refunds() {
    let id = "sub_1".parse().unwrap();
    sends!(async |c: dodo_client::Client| c.collect_payment_method(&id, Some("https://shop.example/plans")).await
        => "POST /subscriptions/sub_1/update-payment-method",
        json!({"type": "new", "return_url": "https://shop.example/plans"}));
    sends!(async |c: dodo_client::Client| c.switch_payment_method(&id, &"pm_1".parse().unwrap()).await
        => "POST /subscriptions/sub_1/update-payment-method",
        json!({"type": "existing", "payment_method_id": "pm_1"}));
    let customer = "cus_1".parse().unwrap();
    sends!(async |c: dodo_client::Client| c.create_portal_session(&customer, Some("https://shop.example/a?b=c")).await
        => "POST /customers/cus_1/customer-portal/session?return_url=https%3A%2F%2Fshop.example%2Fa%3Fb%3Dc",
        Value::Null);
    let whole = RefundRequest { payment_id: "pay_1".parse().unwrap(), items: Vec::new(), reason: None };
    sends!(async |c: dodo_client::Client| c.refund(&whole).await
        => "POST /refunds", json!({"payment_id": "pay_1"}));
    let part = RefundRequest {
        items: vec![RefundItem { item_id: "pdt_1".into(), amount: Some(500), tax_inclusive: Some(true) }],
        reason: Some("paid twice".into()),
        ..whole
    };
    sends!(async |c: dodo_client::Client| c.refund(&part).await
    => "POST /refunds", json!({
        "payment_id": "pay_1", "items": [{"item_id": "pdt_1", "amount": 500, "tax_inclusive": true}],
        "reason": "paid twice",
    }));
}

#[tokio::test]
async fn a_base_url_may_have_a_path() {
    let stub = Stub::start([answer(404, "{}")]).await;
    for base in ["/dodo", "/dodo/"] {
        let client =
            crate::stub::client(&format!("{}{base}", stub.address), dodo_client::TimeLimits::default());
        client.get_product(&"pdt_1".parse().unwrap()).await.unwrap_err();
    }
    let lines: Vec<_> = stub.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(lines, ["GET /dodo/products/pdt_1 HTTP/1.1", "GET /dodo/products/pdt_1 HTTP/1.1"]);
}
