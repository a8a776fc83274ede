//! `POST /checkouts` with `confirm` and a saved method.

use crate::harness::{CHALLENGES, DECLINED, FAILS_LATER, GOOD, World, one_click};
use serde_json::json;

#[tokio::test]
async fn charges_what_the_preview_said_and_tells_no_status() {
    let world = World::start().await;
    let (customer, method) = world.buyer(GOOD).await;
    let mut body = one_click(&customer, &method, "prod_toolkit");
    body["billing_address"]["country"] = json!("DE");
    let preview = world.post("/checkouts/preview", body.clone()).await.ok();
    assert_eq!((preview["total_price"].clone(), preview["total_tax"].clone()), (json!(2261), json!(361)));

    let created = world.post("/checkouts", body).await.ok();
    assert!(created["checkout_url"].is_null() && created.get("status").is_none());
    let id = created["payment_id"].as_str().unwrap();
    let payment = world.get(&format!("/payments/{id}")).await.ok();
    assert_eq!(payment["status"], "succeeded");
    assert_eq!(payment["total_amount"], preview["total_price"]);
    assert_eq!(payment["metadata"], json!({"attempt": "at_1"}));
    assert_eq!(payment["payment_method_id"], method.as_str());
    let session = world.get(&format!("/checkouts/{}", created["session_id"].as_str().unwrap())).await.ok();
    assert_eq!((&session["payment_id"], &session["payment_status"]), (&json!(id), &json!("succeeded")));
    assert_eq!(world.collected(), [(2261, "one_click".to_owned())]);
    assert_eq!(world.told(), ["payment.succeeded"]);
}

#[tokio::test]
async fn two_posts_are_two_charges() {
    let world = World::start().await;
    let (customer, method) = world.buyer(GOOD).await;
    for _ in 0..2 {
        let request = world.request(reqwest::Method::POST, "/checkouts").header("idempotency-key", "same");
        world.send(request.json(&one_click(&customer, &method, "prod_toolkit"))).await.ok();
    }
    assert_eq!(world.collected().len(), 2);
}

#[tokio::test]
async fn declines_surface_as_a_failed_payment_or_as_an_error() {
    let world = World::start().await;
    for (card, code) in [(DECLINED, "GENERIC_DECLINE"), (FAILS_LATER, "GENERIC_DECLINE")] {
        let (customer, method) = world.buyer(card).await;
        let created = world.post("/checkouts", one_click(&customer, &method, "prod_toolkit")).await.ok();
        let payment = world.get(&format!("/payments/{}", created["payment_id"].as_str().unwrap())).await.ok();
        assert_eq!((&payment["status"], &payment["error_code"]), (&json!("failed"), &json!(code)));
    }
    world.switch(json!({"decline_surface": "http_error", "decline_off_session_with": "LOST_CARD"})).await;
    let (customer, method) = world.buyer(GOOD).await;
    let refused = world.post("/checkouts", one_click(&customer, &method, "prod_toolkit")).await;
    assert_eq!(refused.refusal(), (422, "LOST_CARD".to_owned()));
    assert_eq!(world.told(), ["payment.failed"; 3]);
    let charges = world.sim.control().ledger().charges;
    assert!(charges.len() == 3 && world.collected().is_empty(), "{charges:?}");
}

#[tokio::test]
async fn a_challenge_waits_for_the_buyer() {
    let world = World::start().await;
    world.switch(json!({"challenge_payment_link": true})).await;
    for (status, answer, told) in
        [("succeeded", "approve", "payment.succeeded"), ("failed", "refuse", "payment.failed")]
    {
        let (customer, method) = world.buyer(CHALLENGES).await;
        let created = world.post("/checkouts", one_click(&customer, &method, "prod_toolkit")).await.ok();
        let path = format!("/payments/{}", created["payment_id"].as_str().unwrap());
        let payment = world.get(&path).await.ok();
        assert_eq!(payment["status"], "requires_customer_action");
        let link = payment["payment_link"].as_str().unwrap();
        assert!(world.send(world.http.get(link)).await.text.contains("USD 19.00"));
        world.send(world.http.post(link).form(&[("answer", answer)])).await;
        assert_eq!(world.get(&path).await.ok()["status"], status);
        assert_eq!(world.told().last().unwrap(), told);
        let again = world.send(world.http.post(link).form(&[("answer", "approve")])).await;
        assert!(!again.status.is_success());
    }
    assert_eq!(world.collected().len(), 1);
}

#[tokio::test]
async fn a_waiting_payment_can_be_resolved_by_the_test() {
    let world = World::start().await;
    let (customer, method) = world.buyer(CHALLENGES).await;
    let created = world.post("/checkouts", one_click(&customer, &method, "prod_toolkit")).await.ok();
    let id = created["payment_id"].as_str().unwrap().to_owned();
    let path = format!("/_sim/payments/{id}/resolve");
    assert!(!world.post(&path, json!({"status": "processing"})).await.status.is_success());
    let resolved = world.post(&path, json!({"status": "failed", "error_code": "DO_NOT_HONOR"})).await.ok();
    assert_eq!((&resolved["status"], &resolved["error_code"]), (&json!("failed"), &json!("DO_NOT_HONOR")));
    assert!(!world.post(&path, json!({"status": "succeeded"})).await.status.is_success());
}

#[tokio::test]
async fn processing_ends_by_itself() {
    let world = World::start().await;
    world.switch(json!({"one_click_outcome": "processing", "processing_seconds": 60})).await;
    let (customer, method) = world.buyer(GOOD).await;
    let created = world.post("/checkouts", one_click(&customer, &method, "prod_toolkit")).await.ok();
    let path = format!("/payments/{}", created["payment_id"].as_str().unwrap());
    assert_eq!(world.get(&path).await.ok()["status"], "processing");
    world.post("/_sim/clock", json!({"advance_seconds": 59})).await.ok();
    assert_eq!(world.get(&path).await.ok()["status"], "processing");
    world.post("/_sim/clock", json!({"advance_seconds": 1})).await.ok();
    assert_eq!(world.get(&path).await.ok()["status"], "succeeded");
    assert_eq!(world.told(), ["payment.processing", "payment.succeeded"]);
}

/// Simulator extensions: outcomes by the buyer's method, so that buyers with different ones can be served side by side.
#[tokio::test]
async fn a_method_may_bring_its_outcome_along() {
    let world = World::start().await;
    let methods =
        json!([{"declines_with": "DO_NOT_HONOR"}, {"number": "4000000000000077"}, {"currencies": ["EUR"]}]);
    let new = json!({"email": "a@example.com", "name": "A", "payment_methods": methods});
    let customer = world.post("/_sim/customers", new).await.ok()["customer_id"].as_str().unwrap().to_owned();
    let listed = world.get(&format!("/customers/{customer}/payment-methods")).await.ok();
    assert!(!listed.to_string().contains("DO_NOT_HONOR"), "Dodo tells nothing of it: {listed}");
    let charge = async |nth: usize| {
        let method = listed["items"][nth]["payment_method_id"].as_str().unwrap();
        world.post("/checkouts", one_click(&customer, method, "prod_toolkit")).await
    };
    let payment = async |created: serde_json::Value| {
        world.get(&format!("/payments/{}", created["payment_id"].as_str().unwrap())).await.ok()
    };
    let declined = payment(charge(0).await.ok()).await;
    assert_eq!((&declined["status"], &declined["error_code"]), (&json!("failed"), &json!("DO_NOT_HONOR")));
    assert_eq!(payment(charge(1).await.ok()).await["status"], "processing");
    assert_eq!(charge(2).await.refusal(), (422, "NO_ELIGIBLE_PAYMENT_METHODS".to_owned()));
}

#[tokio::test]
async fn a_subscription_begins_with_its_payment() {
    let world = World::start().await;
    let (customer, method) = world.buyer(GOOD).await;
    let created = world.post("/checkouts", one_click(&customer, &method, "prod_pro_plan")).await.ok();
    let payment = world.get(&format!("/payments/{}", created["payment_id"].as_str().unwrap())).await.ok();
    assert_eq!((&payment["charge_type"], &payment["product_cart"]), (&json!("new"), &json!(null)));
    assert_eq!(payment["service_periods"][0]["proration_factor"], "1");
    let subscription = world.subscription(payment["subscription_id"].as_str().unwrap()).await;
    assert_eq!(
        (&subscription["status"], &subscription["product_id"]),
        (&json!("active"), &json!("prod_pro_plan"))
    );
    assert_eq!(subscription["next_billing_date"], "2026-05-01T00:00:00Z");
    assert_eq!(world.told(), ["payment.succeeded", "subscription.active", "subscription.renewed"]);
}

#[tokio::test]
async fn what_a_confirmed_session_must_carry() {
    let world = World::start().await;
    let (customer, method) = world.buyer(GOOD).await;
    let (stranger, _) = world.buyer(GOOD).await;
    let good = one_click(&customer, &method, "prod_toolkit");
    let with = |path: &str, value: serde_json::Value| {
        let mut body = good.clone();
        *body.pointer_mut(path).unwrap() = value;
        body
    };
    let cases = [
        ("no address", with("/billing_address", json!(null)), 422, "INVALID_REQUEST_PARAMETERS"),
        (
            "country only",
            with("/billing_address", json!({"country": "US"})),
            422,
            "INVALID_REQUEST_PARAMETERS",
        ),
        (
            "no such country",
            with("/billing_address/country", json!("usa")),
            422,
            "INVALID_REQUEST_PARAMETERS",
        ),
        ("unconfirmed", with("/confirm", json!(false)), 422, "INVALID_REQUEST_PARAMETERS"),
        (
            "another's card",
            with("/customer/customer_id", json!(stranger)),
            422,
            "NO_ELIGIBLE_PAYMENT_METHODS",
        ),
        ("unknown customer", with("/customer/customer_id", json!("cus_0")), 404, "NOT_FOUND"),
        ("unknown product", with("/product_cart/0/product_id", json!("prod_0")), 404, "NOT_FOUND"),
        ("no quantity", with("/product_cart/0/quantity", json!(0)), 422, "INVALID_QUANTITY"),
        ("empty cart", with("/product_cart", json!([])), 422, "PRODUCT_CART_EMTPY"),
        ("wrong type", with("/confirm", json!("yes")), 422, "INVALID_REQUEST_BODY"),
        ("overflow", with("/product_cart/0/quantity", json!(i64::MAX)), 422, "INVALID_REQUEST_PARAMETERS"),
        ("bad metadata", with("/metadata", json!({"a b": 1})), 422, "INVALID_REQUEST_PARAMETERS"),
        (
            "unknown code",
            {
                let mut body = good.clone();
                body["discount_codes"] = json!(["NOPE"]);
                body
            },
            422,
            "INVALID_DISCOUNT_CODE",
        ),
    ];
    for (name, body, status, code) in cases {
        assert_eq!(world.post("/checkouts", body).await.refusal(), (status, code.to_owned()), "{name}");
    }
    let keys: serde_json::Map<_, _> = (0..51).map(|number| (format!("k{number}"), json!(1))).collect();
    let crowded = world.post("/checkouts", with("/metadata", json!(keys))).await;
    assert_eq!(crowded.refusal(), (422, "MAXIMUM_KEYS_REACHED".to_owned()));
    assert!(world.sim.control().ledger().charges.is_empty());

    let mut minimal = with("/billing_address", json!({"country": "US", "zipcode": "94105"}));
    minimal["minimal_address"] = json!(true);
    world.post("/checkouts", minimal).await.ok();
    assert_eq!(world.collected().len(), 1);
}

#[tokio::test]
async fn which_methods_may_be_charged() {
    let world = World::start().await;
    let customer = world
        .post(
            "/_sim/customers",
            json!({"email": "m@example.com", "name": "M", "payment_methods": [
                {"payment_method_id": "pm_expired", "expiry_month": "03", "expiry_year": "26"},
                {"payment_method_id": "pm_yen", "currencies": ["JPY"]},
                {"payment_method_id": "pm_once", "recurring_enabled": false},
                {"payment_method_id": "pm_upi", "payment_method": "upi", "payment_method_type": "upi_collect"},
            ]}),
        )
        .await
        .ok();
    let customer = customer["customer_id"].as_str().unwrap();
    let refused = (422, "NO_ELIGIBLE_PAYMENT_METHODS".to_owned());
    for (method, product) in
        [("pm_expired", "prod_toolkit"), ("pm_yen", "prod_toolkit"), ("pm_once", "prod_pro_plan")]
    {
        assert_eq!(
            world.post("/checkouts", one_click(customer, method, product)).await.refusal(),
            refused,
            "{method}"
        );
    }
    for (method, product) in
        [("pm_yen", "prod_course_jp"), ("pm_once", "prod_toolkit"), ("pm_upi", "prod_toolkit")]
    {
        world.post("/checkouts", one_click(customer, method, product)).await.ok();
    }
    world.switch(json!({"expired_card": "payment_fails"})).await;
    let created = world.post("/checkouts", one_click(customer, "pm_expired", "prod_toolkit")).await.ok();
    let payment = world.get(&format!("/payments/{}", created["payment_id"].as_str().unwrap())).await.ok();
    assert_eq!(payment["error_code"], "EXPIRED_CARD");

    let path = format!("/customers/{customer}/payment-methods/pm_upi");
    assert_eq!(world.delete(&path).await.status, 204);
    assert_eq!(world.delete(&path).await.status, 204, "removing twice succeeds");
    assert_eq!(
        world.post("/checkouts", one_click(customer, "pm_upi", "prod_toolkit")).await.refusal(),
        refused
    );
}

#[tokio::test]
async fn confirm_without_a_method_leaves_a_payment_waiting_on_the_page() {
    let world = World::start().await;
    let (customer, method) = world.buyer(GOOD).await;
    let mut body = one_click(&customer, &method, "prod_toolkit");
    body["payment_method_id"] = json!(null);
    let created = world.post("/checkouts", body).await.ok();
    let payment = world.get(&format!("/payments/{}", created["payment_id"].as_str().unwrap())).await.ok();
    assert_eq!(payment["status"], "requires_payment_method");
    let form = [("method", method.as_str()), ("country", "US"), ("email", "a@example.com")];
    let page = created["checkout_url"].as_str().unwrap();
    assert!(world.send(world.http.post(page).form(&form)).await.status.is_success());
    let after = world.get(&format!("/payments/{}", created["payment_id"].as_str().unwrap())).await.ok();
    assert_eq!(after["status"], "succeeded");
    world.post("/_sim/clock", json!({"advance_seconds": 16 * 60})).await.ok();
    assert!(world.send(world.http.get(page)).await.text.contains("has been paid"));
}
