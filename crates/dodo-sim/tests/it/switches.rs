//! Switches that are not met elsewhere: each one changes what a caller sees.

use crate::harness::{FAILS_LATER, GOOD, World, config, one_click};
use dodo_sim::SimConfig;
use serde_json::{Value, json};

fn up(mode: &str) -> Value {
    json!({"product_id": "prod_pro_plan", "quantity": 1, "proration_billing_mode": mode})
}

async fn preview(world: &World, id: &str, body: &Value) -> Value {
    world.post(&format!("/subscriptions/{id}/change-plan/preview"), body.clone()).await.ok()
}

#[tokio::test]
async fn are_listed_with_defaults_and_meanings() {
    let world = World::start().await;
    world.switch(json!({"rounding": "down"})).await;
    let switches = world.get("/_sim/policy").await.ok();
    let rounding = &switches["rounding"];
    assert_eq!((&rounding["value"], &rounding["default"]), (&json!("down"), &json!("half_up")));
    assert!(rounding["meaning"].as_str().unwrap().contains("Rounding"));
    let wrong = world.post("/_sim/policy", json!({"rounding": "up"})).await;
    assert!(wrong.text.contains("rounding") && !wrong.status.is_success());
}

#[tokio::test]
async fn rounding_and_granularity() {
    let world = World::start().await;
    let (_, id) = world.subscriber("prod_basic_plan", GOOD).await;
    // Twenty days and an hour of thirty.
    world.post("/_sim/clock", json!({"advance_seconds": 20 * 86_400 + 3600})).await.ok();
    let due = |answer: &Value| answer["immediate_charge"]["summary"]["settlement_amount"].as_i64().unwrap();
    let body = up("prorated_immediately");
    assert_eq!(due(&preview(&world, &id, &body).await), 2667 - 1000);
    world.switch(json!({"rounding": "down"})).await;
    assert_eq!(due(&preview(&world, &id, &body).await), 2666 - 1000);
    world.switch(json!({"rounding": "half_up", "proration_granularity": "second"})).await;
    assert_eq!(due(&preview(&world, &id, &body).await), 2656 - 996);
}

#[tokio::test]
async fn what_the_preview_shows() {
    let world = World::start().await;
    let (customer, _) = world.buyer_in("DE", GOOD).await;
    let id = world.subscribe(&customer, json!({"product_id": "prod_pro_plan"})).await;
    let down = json!({
        "product_id": "prod_basic_plan", "quantity": 1, "proration_billing_mode": "difference_immediately"
    });
    let usual = preview(&world, &id, &down).await;
    let summary = &usual["immediate_charge"]["summary"];
    assert_eq!((&summary["total_amount"], &summary["customer_credits"]), (&json!(0), &json!(5950)));
    assert_eq!(usual["immediate_charge"]["line_items"][0]["tax_rate"], json!(19));
    world
        .switch(json!({
            "summary_total": "pre_credit", "preview_lines": "new_plan_only", "credit_includes_tax": false,
            "tax_rate_unit": "basis_points"
        }))
        .await;
    let changed = preview(&world, &id, &down).await;
    let summary = &changed["immediate_charge"]["summary"];
    assert_eq!((&summary["total_amount"], &summary["customer_credits"]), (&json!(-5000), &json!(5000)));
    let lines = changed["immediate_charge"]["line_items"].as_array().unwrap();
    assert_eq!((lines.len(), &lines[0]["tax_rate"]), (1, &json!(1900)));
}

#[tokio::test]
async fn what_a_change_tells() {
    let world = World::start().await;
    world
        .switch(json!({
            "plan_change_returns_payment_id": true, "plan_change_emits_active": true,
            "plan_change_emits_processing": true, "emit_subscription_updated": false
        }))
        .await;
    let (_, id) = world.subscriber("prod_basic_plan", GOOD).await;
    let before = world.sim.control().ledger().webhooks.len();
    let changed =
        world.post(&format!("/subscriptions/{id}/change-plan"), up("difference_immediately")).await.ok();
    assert!(changed["payment_id"].is_string());
    let told: Vec<String> =
        world.sim.control().ledger().webhooks.into_iter().skip(before).map(|webhook| webhook.kind).collect();
    let expected =
        ["payment.processing", "payment.succeeded", "subscription.plan_changed", "subscription.active"];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn failure_without_a_word_about_failure() {
    let world = World::start().await;
    world.switch(json!({"prevent_change_by_default": true, "renewal_failure": "past_due"})).await;
    let (_, id) = world.subscriber("prod_basic_plan", FAILS_LATER).await;
    world.post(&format!("/subscriptions/{id}/change-plan"), up("difference_immediately")).await.ok();
    assert_eq!(world.subscription(&id).await["product_id"], "prod_basic_plan");
    world.advance_days(30).await;
    assert_eq!(world.subscription(&id).await["status"], "past_due");
    assert_eq!(world.told().last().unwrap(), "subscription.past_due");
}

#[tokio::test]
async fn whose_credit_it_is() {
    for (scope, second_charge) in [("customer", 0), ("subscription", 5000)] {
        let world = World::start().await;
        world.switch(json!({"credit_scope": scope})).await;
        let (customer, first) = world.subscriber("prod_pro_plan", GOOD).await;
        let second = world.subscribe(&customer, json!({"product_id": "prod_basic_plan"})).await;
        let down = json!({
            "product_id": "prod_basic_plan", "quantity": 1, "proration_billing_mode": "difference_immediately"
        });
        world.post(&format!("/subscriptions/{first}/change-plan"), down).await.ok();
        let preview = preview(&world, &second, &up("difference_immediately")).await;
        assert_eq!(preview["immediate_charge"]["summary"]["settlement_amount"], second_charge, "{scope}");
    }
}

#[tokio::test]
async fn charges_below_the_minimum() {
    let world = World::start().await;
    world.patch("/_sim/products/prod_pro_plan", json!({"price": 3020})).await.ok();
    let (customer, id) = world.subscriber("prod_basic_plan", GOOD).await;
    let path = format!("/subscriptions/{id}/change-plan");
    let refused = world.post(&path, up("difference_immediately")).await.refusal();
    assert_eq!(refused.1, "TOTAL_PAYMENT_AMOUNT_BELOW_MINIMUM_AMOUNT");
    world.switch(json!({"below_minimum": "top_up"})).await;
    world.post(&path, up("difference_immediately")).await.ok();
    assert_eq!(world.collected().last().unwrap().0, 50);
    assert_eq!(world.get(&format!("/customers/{customer}/wallets")).await.ok()["total_balance_usd"], 30);
}

#[tokio::test]
async fn customers_and_their_methods() {
    let world = World::start().await;
    assert_eq!(world.get("/customers/cus_0/payment-methods").await.refusal().0, 404);
    let (customer, _) = world.buyer(GOOD).await;
    let path = format!("/customers/{customer}/payment-methods");
    assert_eq!(world.get(&path).await.ok()["items"][0]["card"]["expiry_year"], "34");
    world
        .switch(json!({
            "unknown_customer": "empty", "expiry_year_width": "four", "recurring_enabled": "omitted"
        }))
        .await;
    assert_eq!(world.get("/customers/cus_0/payment-methods").await.ok()["items"], json!([]));
    let method = &world.get(&path).await.ok()["items"][0];
    assert_eq!((&method["card"]["expiry_year"], method.get("recurring_enabled")), (&json!("2034"), None));

    world.switch(json!({"multiple_subscriptions": "reject"})).await;
    let id = world.subscribe(&customer, json!({"product_id": "prod_basic_plan"})).await;
    let second = json!({"customer_id": customer, "product_id": "prod_pro_plan"});
    let refused = world.post("/_sim/subscriptions", second).await;
    assert!(refused.text.contains("already has a subscription"), "{id} {}", refused.text);
}

#[tokio::test]
async fn one_click_without_an_address() {
    let world = World::start().await;
    world.switch(json!({"one_click_billing": "reuse_customer", "card_0341_fails_one_click": false})).await;
    let (customer, method) = world.buyer_in("DE", FAILS_LATER).await;
    let mut body = one_click(&customer, &method, "prod_toolkit");
    body.as_object_mut().unwrap().remove("billing_address");
    world.post("/checkouts", body).await.ok();
    assert_eq!(world.collected(), [(2261, "one_click".to_owned())], "German tax by the stored address");
}

#[tokio::test]
async fn usage_based_plans_and_own_fixtures() {
    let path = std::env::temp_dir().join(format!("dodo-sim-fixtures-{}.json", std::process::id()));
    let fixtures = json!({
        "business_id": "bus_own", "tax_bps": {},
        "products": [
            {"product_id": "metered", "name": "Metered", "tax_category": "saas", "price": {
                "type": "usage_based_price", "currency": "USD", "fixed_price": 1000,
                "payment_frequency_count": 1, "payment_frequency_interval": "Month"}},
            {"product_id": "flat", "name": "Flat", "tax_category": "saas", "price": {
                "type": "recurring_price", "currency": "USD", "price": 5000,
                "payment_frequency_count": 1, "payment_frequency_interval": "Month"}},
        ],
        "customers": [{"customer_id": "cus_own", "email": "o@example.com", "name": "O", "payment_methods": [{}]}],
    });
    std::fs::write(&path, fixtures.to_string()).unwrap();
    let world = World::with(SimConfig { fixtures: Some(path.clone()), ..config() }).await;
    std::fs::remove_file(&path).unwrap();
    let id = world.subscribe("cus_own", json!({"product_id": "metered"})).await;
    let body =
        json!({"product_id": "flat", "quantity": 1, "proration_billing_mode": "difference_immediately"});
    let refused = world.post(&format!("/subscriptions/{id}/change-plan"), body.clone()).await.refusal();
    assert_eq!(refused, (422, "UNSUPPORTED_ACTION".to_owned()));
    world.switch(json!({"usage_based_plan_change": "allow"})).await;
    assert_eq!(preview(&world, &id, &body).await["immediate_charge"]["summary"]["settlement_amount"], 4000);
}
