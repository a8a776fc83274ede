//! Changing plans: what is refused, what waits, what fails. The preview is what the change does, to the minor unit.

use crate::harness::{FAILS_LATER, GOOD, World};
use crate::plan_change_numbers::{change, later, to, wallet};
use serde_json::{Value, json};

#[tokio::test]
async fn addons_that_are_not_sent_again_vanish() {
    let world = World::start().await;
    let (customer, _) = world.buyer(GOOD).await;
    let seats = json!([{"addon_id": "adn_seats", "quantity": 2}]);
    let id = world.subscribe(&customer, json!({"product_id": "prod_pro_plan", "addons": seats})).await;
    assert_eq!(world.subscription(&id).await["addons"], seats);
    let preview = change(&world, &id, &to("prod_pro_plan", "difference_immediately")).await;
    assert_eq!(preview["new_plan"]["addons"], json!([]));
    assert_eq!(preview["immediate_charge"]["summary"]["customer_credits"], 2000);
}

#[tokio::test]
async fn credit_pays_a_part_of_the_next_change() {
    let world = World::start().await;
    let (customer, id) = world.subscriber("prod_pro_plan", GOOD).await;
    change(&world, &id, &to("prod_basic_plan", "difference_immediately")).await;
    let preview = change(&world, &id, &to("prod_max_plan", "difference_immediately")).await;
    let summary = &preview["immediate_charge"]["summary"];
    assert_eq!((&summary["customer_credits"], &summary["settlement_amount"]), (&json!(-5000), &json!(12000)));
    assert_eq!(wallet(&world, &customer).await, 0);
}

#[tokio::test]
async fn a_failed_charge_prevents_the_change_or_puts_the_subscription_on_hold() {
    let world = World::start().await;
    let (customer, id) = world.subscriber("prod_basic_plan", FAILS_LATER).await;
    let mut body = to("prod_pro_plan", "difference_immediately");
    body["on_payment_failure"] = json!("prevent_change");
    let path = format!("/subscriptions/{id}/change-plan");
    let told = world.told().len();
    world.post(&path, body.clone()).await.ok();
    let kept = world.subscription(&id).await;
    assert_eq!((&kept["product_id"], &kept["status"]), (&json!("prod_basic_plan"), &json!("active")));
    assert_eq!(world.told()[told..], ["payment.failed"]);

    body["on_payment_failure"] = json!("apply_change");
    world.post(&path, body).await.ok();
    let held = world.subscription(&id).await;
    assert_eq!((&held["product_id"], &held["status"]), (&json!("prod_pro_plan"), &json!("on_hold")));
    assert_eq!(
        world.told()[told + 1..],
        ["payment.failed", "subscription.plan_changed", "subscription.on_hold"]
    );
    let refused = world.post(&path, to("prod_max_plan", "difference_immediately")).await;
    assert_eq!(refused.refusal(), (422, "INACTIVE_SUBSCRIPTION_PLAN_CHANGE_NOT_SUPPORTED".to_owned()));

    // A good card on the hosted page pays what is owed and brings it back.
    let link =
        world.post(&format!("/subscriptions/{id}/update-payment-method"), json!({"type": "new"})).await.ok();
    let form = [
        ("number", GOOD),
        ("expiry", "12/34"),
        ("cvc", "123"),
        ("country", "US"),
        ("email", "a@example.com"),
    ];
    world.send(world.http.post(link["payment_link"].as_str().unwrap()).form(&form)).await;
    let back = world.subscription(&id).await;
    assert_eq!(back["status"], "active");
    assert_eq!(world.collected().last().unwrap(), &(5000, "dues".to_owned()));
    let methods = world.get(&format!("/customers/{customer}/payment-methods")).await.ok();
    assert_eq!(back["payment_method_id"], methods["items"][1]["payment_method_id"]);
}

#[tokio::test]
async fn a_change_under_way_blocks_another() {
    let world = World::start().await;
    world.switch(json!({"plan_change_outcome": "processing", "processing_seconds": 60})).await;
    let (_, id) = world.subscriber("prod_basic_plan", GOOD).await;
    let mut body = to("prod_pro_plan", "difference_immediately");
    body["on_payment_failure"] = json!("prevent_change");
    let path = format!("/subscriptions/{id}/change-plan");
    world.post(&path, body.clone()).await.ok();
    assert_eq!(world.subscription(&id).await["product_id"], "prod_basic_plan");
    assert_eq!(
        world.post(&path, body.clone()).await.refusal(),
        (409, "PENDING_PLAN_CHANGE_EXISTS".to_owned())
    );
    world.post("/_sim/clock", json!({"advance_seconds": 60})).await.ok();
    assert_eq!(world.subscription(&id).await["product_id"], "prod_pro_plan");
    assert_eq!(later(&world), [5000]);
    world.post(&path, to("prod_max_plan", "difference_immediately")).await.ok();
}

#[tokio::test]
async fn a_charge_that_settles_after_a_renewal_leaves_the_new_period_alone() {
    let world = World::start().await;
    world.switch(json!({"plan_change_outcome": "processing", "processing_seconds": 0})).await;
    let (_, id) = world.subscriber("prod_basic_plan", GOOD).await;
    world.advance_days(29).await;
    let mut body = to("prod_pro_plan", "difference_immediately");
    body["on_payment_failure"] = json!("prevent_change");
    world.post(&format!("/subscriptions/{id}/change-plan"), body).await.ok();
    world.advance_days(2).await;
    assert_eq!(later(&world), [3000], "the old plan renewed meanwhile");
    let processing = world.get("/payments?status=processing").await.ok();
    let payment = processing["items"][0]["payment_id"].as_str().unwrap();
    world.post(&format!("/_sim/payments/{payment}/resolve"), json!({"status": "succeeded"})).await.ok();
    let changed = world.subscription(&id).await;
    assert_eq!(changed["product_id"], "prod_pro_plan");
    assert_eq!(changed["next_billing_date"], "2026-06-01T00:00:00Z");
    world.advance_days(1).await;
    assert_eq!(later(&world), [3000, 5000]);
}

#[tokio::test]
async fn a_scheduled_change_waits_blocks_and_can_be_taken_back() {
    let world = World::start().await;
    let (_, id) = world.subscriber("prod_pro_plan", GOOD).await;
    let path = format!("/subscriptions/{id}/change-plan");
    let mut body = to("prod_basic_plan", "prorated_immediately");
    body["effective_at"] = json!("next_billing_date");
    let refused = world.post(&path, body.clone()).await.refusal();
    assert_eq!(refused, (422, "INVALID_PRORATION_MODE_WITH_NEXT_BILLING_DATE".to_owned()));
    body["proration_billing_mode"] = json!("full_immediately");
    let preview = world.post(&format!("{path}/preview"), body.clone()).await.ok();
    assert_eq!(preview["immediate_charge"]["summary"]["settlement_amount"], 0);
    assert_eq!(preview["immediate_charge"]["effective_at"], "2026-05-01T00:00:00Z");
    assert_eq!(preview["new_plan"]["product_id"], "prod_basic_plan");

    world.post(&path, body.clone()).await.ok();
    let waiting = world.subscription(&id).await;
    assert_eq!(waiting["product_id"], "prod_pro_plan");
    assert_eq!(waiting["scheduled_change"]["product_id"], "prod_basic_plan");
    let exists = (409, "SCHEDULED_PLAN_CHANGE_EXISTS".to_owned());
    assert_eq!(world.post(&path, body.clone()).await.refusal(), exists);
    assert_eq!(world.post(&format!("{path}/preview"), body.clone()).await.refusal(), exists);

    assert_eq!(world.delete(&format!("{path}/scheduled")).await.status, 204);
    let gone = world.delete(&format!("{path}/scheduled")).await.refusal();
    assert_eq!(gone, (404, "SCHEDULED_PLAN_CHANGE_NOT_FOUND".to_owned()));
    assert_eq!(world.delete("/subscriptions/sub_0/change-plan/scheduled").await.refusal().0, 422);

    world.post(&path, body.clone()).await.ok();
    body["product_id"] = json!("prod_max_plan");
    body["cancel_scheduled_change_plan"] = json!(true);
    world.post(&path, body).await.ok();
    world.advance_days(30).await;
    let changed = world.subscription(&id).await;
    assert_eq!(
        (&changed["product_id"], &changed["scheduled_change"]),
        (&json!("prod_max_plan"), &json!(null))
    );
    assert_eq!(later(&world), [20000]);
}

#[tokio::test]
async fn a_scheduled_change_that_may_not_fail_gives_way_to_the_old_plan() {
    let world = World::start().await;
    let (customer, id) = world.subscriber("prod_basic_plan", FAILS_LATER).await;
    let mut body = to("prod_pro_plan", "full_immediately");
    body["effective_at"] = json!("next_billing_date");
    body["on_payment_failure"] = json!("prevent_change");
    world.post(&format!("/subscriptions/{id}/change-plan"), body).await.ok();
    world.advance_days(30).await;
    let kept = world.subscription(&id).await;
    assert_eq!((&kept["product_id"], &kept["scheduled_change"]), (&json!("prod_basic_plan"), &json!(null)));
    let charges = world.sim.control().ledger().charges;
    assert_eq!(
        (charges.last().unwrap().amount, charges.last().unwrap().customer_id.as_str()),
        (3000, &*customer)
    );
}

#[tokio::test]
async fn paying_for_a_change_on_a_link() {
    let world = World::start().await;
    let (_, id) = world.subscriber("prod_basic_plan", FAILS_LATER).await;
    let path = format!("/subscriptions/{id}/change-plan");
    let mut body = to("prod_pro_plan", "difference_immediately");
    body["return_url"] = json!("https://shop.example/plans");
    assert_eq!(world.post(&path, body.clone()).await.refusal().0, 422, "return_url needs the link");
    body["collect_via_payment_link"] = json!(true);
    assert_eq!(world.post(&path, body.clone()).await.refusal().0, 422, "the link needs prevent_change");
    body["on_payment_failure"] = json!("prevent_change");
    let started = world.post(&path, body.clone()).await.ok();
    for field in ["payment_id", "payment_link", "client_secret", "expires_on"] {
        assert!(started[field].is_string(), "{field}");
    }
    assert_eq!(world.post(&path, body.clone()).await.refusal().1, "PENDING_PLAN_CHANGE_EXISTS");
    body["cancel_older_payment_link"] = json!(true);
    let second = world.post(&path, body).await.ok();
    let first = world.get(&format!("/payments/{}", started["payment_id"].as_str().unwrap())).await.ok();
    assert_eq!(first["status"], "cancelled");

    let form = [
        ("number", GOOD),
        ("expiry", "12/34"),
        ("cvc", "123"),
        ("country", "US"),
        ("email", "a@example.com"),
    ];
    let stale = world.send(world.http.post(started["payment_link"].as_str().unwrap()).form(&form)).await;
    assert!(!stale.status.is_success() && world.collected().len() == 1);
    let paid = world.send(world.http.post(second["payment_link"].as_str().unwrap()).form(&form)).await;
    assert!(
        paid.headers["location"].to_str().unwrap().starts_with("https://shop.example/plans?payment_id=pay_")
    );
    assert_eq!(world.subscription(&id).await["product_id"], "prod_pro_plan");
    assert_eq!(later(&world), [5000]);
}

#[tokio::test]
async fn what_cannot_be_changed_to() {
    let world = World::start().await;
    let (_, id) = world.subscriber("prod_basic_plan", GOOD).await;
    let path = format!("/subscriptions/{id}/change-plan");
    let with = |changes: Value| {
        let mut body = to("prod_pro_plan", "difference_immediately");
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body
    };
    let seat = json!({"addon_id": "adn_seats", "quantity": 1});
    for (changes, status, code) in [
        (json!({"product_id": "prod_0"}), 404, "NOT_FOUND"),
        (json!({"product_id": "prod_toolkit"}), 422, "UNSUPPORTED_ACTION"),
        (json!({"quantity": 0}), 422, "INVALID_QUANTITY"),
        (json!({"quantity": "1"}), 422, "INVALID_REQUEST_BODY"),
        (json!({"proration_billing_mode": "gently"}), 422, "INVALID_REQUEST_BODY"),
        (json!({"addons": [{"addon_id": "adn_0", "quantity": 1}]}), 422, "MISSING_ADDON_IDS"),
        (json!({"addons": [seat, seat]}), 422, "DUPLICATE_ADDON_IDS_IN_REQUEST"),
        (json!({"product_id": "prod_basic_plan", "addons": [seat]}), 422, "MISSING_ADDON_IDS"),
        (json!({"discount_codes": ["NOPE"]}), 422, "INVALID_DISCOUNT_CODE"),
    ] {
        for path in [path.clone(), format!("{path}/preview")] {
            let refusal = world.post(&path, with(changes.clone())).await.refusal();
            assert_eq!(refusal, (status, code.to_owned()), "{changes}");
        }
    }
    world.patch(&format!("/subscriptions/{id}"), json!({"cancel_at_next_billing_date": true})).await.ok();
    let refusal = world.post(&path, with(json!({}))).await.refusal();
    assert_eq!(refusal, (422, "PLAN_CHANGE_NOT_ALLOWED_FOR_SCHEDULED_CANCELLATION".to_owned()));
    assert!(later(&world).is_empty());
}

#[tokio::test]
async fn discounts_follow_the_plan_only_when_they_are_kept() {
    let world = World::start().await;
    let (customer, method) = world.buyer(GOOD).await;
    let mut body = crate::harness::one_click(&customer, &method, "prod_basic_plan");
    body["discount_codes"] = json!(["tenoff"]);
    let created = world.post("/checkouts", body).await.ok();
    let payment = world.get(&format!("/payments/{}", created["payment_id"].as_str().unwrap())).await.ok();
    assert_eq!(
        (&payment["total_amount"], &payment["discounts"][0]["code"]),
        (&json!(2700), &json!("TENOFF"))
    );
    let id = payment["subscription_id"].as_str().unwrap();
    // What is left of the old plan counts at what was paid for it; the code does not survive by itself.
    let preview = change(&world, id, &to("prod_pro_plan", "difference_immediately")).await;
    assert_eq!(preview["immediate_charge"]["summary"]["settlement_amount"], 8000 - 2700);
    let mut again = to("prod_max_plan", "difference_immediately");
    again["discount_codes"] = json!(["TENOFF"]);
    world.post(&format!("/subscriptions/{id}/change-plan"), again).await.ok();
    assert_eq!(later(&world), [8000 - 2700, 18000 - 8000]);
    assert_eq!(world.subscription(id).await["discounts"][0]["times_used"], 2);
}
