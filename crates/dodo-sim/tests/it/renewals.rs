//! Time passes: renewals, holds, cancellations.

use crate::harness::{FAILS_LATER, GOOD, World};
use serde_json::json;

#[tokio::test]
async fn every_period_is_charged_once_at_its_own_moment() {
    let world = World::start().await;
    let (_, id) = world.subscriber("prod_basic_plan", GOOD).await;
    world.advance_days(92).await;
    let charges = world.sim.control().ledger().charges;
    let days: Vec<String> = charges.iter().map(|charge| charge.at.date().to_string()).collect();
    assert_eq!(days, ["2026-04-01", "2026-05-01", "2026-06-01", "2026-07-01"]);
    let subscription = world.subscription(&id).await;
    assert_eq!(subscription["previous_billing_date"], "2026-07-01T00:00:00Z");
    assert_eq!(world.told()[3..5], ["payment.succeeded", "subscription.renewed"]);
}

#[tokio::test]
async fn a_started_subscription_has_lived_since_then() {
    let world = World::start().await;
    let (customer, _) = world.buyer(GOOD).await;
    let wanted = json!({"product_id": "prod_basic_plan", "started_days_ago": 40});
    let id = world.subscribe(&customer, wanted).await;
    assert_eq!(world.collected(), [(3000, "hosted".to_owned()), (3000, "renewal".to_owned())]);
    let subscription = world.subscription(&id).await;
    assert_eq!(subscription["created_at"], "2026-02-20T00:00:00Z");
    assert_eq!(subscription["next_billing_date"], "2026-04-20T00:00:00Z");
}

#[tokio::test]
async fn a_failed_renewal_holds_and_an_existing_card_brings_it_back() {
    let world = World::start().await;
    let customer = world
        .post(
            "/_sim/customers",
            json!({"email": "h@example.com", "name": "H", "payment_methods": [
                {"payment_method_id": "pm_bad", "number": FAILS_LATER},
                {"payment_method_id": "pm_good", "number": GOOD},
            ]}),
        )
        .await
        .ok();
    let id = world
        .subscribe(customer["customer_id"].as_str().unwrap(), json!({"product_id": "prod_basic_plan"}))
        .await;
    world.advance_days(30).await;
    assert_eq!(world.subscription(&id).await["status"], "on_hold");
    assert_eq!(world.told()[3..], ["payment.failed", "subscription.on_hold"]);

    let path = format!("/subscriptions/{id}/update-payment-method");
    let unknown = world.post(&path, json!({"type": "existing", "payment_method_id": "pm_0"})).await;
    assert_eq!(unknown.refusal().1, "NO_ELIGIBLE_PAYMENT_METHODS");
    world.post(&path, json!({"type": "existing", "payment_method_id": "pm_bad"})).await.ok();
    assert_eq!(world.subscription(&id).await["status"], "on_hold");
    let paid = world.post(&path, json!({"type": "existing", "payment_method_id": "pm_good"})).await.ok();
    assert!(paid["payment_id"].is_string());
    let back = world.subscription(&id).await;
    assert_eq!(
        (&back["status"], &back["next_billing_date"]),
        (&json!("active"), &json!("2026-06-01T00:00:00Z"))
    );
    assert_eq!(world.told().last().unwrap(), "subscription.active");
    assert_eq!(world.collected(), [(3000, "hosted".to_owned()), (3000, "dues".to_owned())]);
}

#[tokio::test]
async fn another_card_for_an_active_subscription_charges_nothing() {
    let world = World::start().await;
    let (customer, id) = world.subscriber("prod_basic_plan", GOOD).await;
    let path = format!("/subscriptions/{id}/update-payment-method");
    let link = world.post(&path, json!({"type": "new", "return_url": "https://shop.example/a"})).await.ok();
    let page = link["payment_link"].as_str().unwrap();
    assert!(world.send(world.http.get(page)).await.text.contains("Nothing is charged today"));
    let form = [
        ("number", "5555555555554444"),
        ("expiry", "12/34"),
        ("cvc", "123"),
        ("country", "US"),
        ("email", "a@b.c"),
    ];
    assert_eq!(world.send(world.http.post(page).form(&form)).await.status, 303);
    let methods = world.get(&format!("/customers/{customer}/payment-methods")).await.ok();
    assert_eq!(methods["items"][1]["card"]["card_network"], "mastercard");
    let subscription = world.subscription(&id).await;
    assert_eq!(subscription["payment_method_id"], methods["items"][1]["payment_method_id"]);
    assert_eq!(world.collected().len(), 1);
    assert_eq!(world.told().last().unwrap(), "subscription.update_payment_method");
    let payment = world.get(&format!("/payments/{}", link["payment_id"].as_str().unwrap())).await.ok();
    assert_eq!(payment["is_update_payment_method"], true);
}

#[tokio::test]
async fn cancelling_now_later_and_pausing() {
    let world = World::start().await;
    let (_, later) = world.subscriber("prod_basic_plan", GOOD).await;
    let patch = |id: &str, body| {
        let path = format!("/subscriptions/{id}");
        let world = &world;
        async move { world.patch(&path, body).await }
    };
    patch(&later, json!({"cancel_at_next_billing_date": true})).await.ok();
    assert_eq!(world.told().last().unwrap(), "subscription.plan_changed");
    world.advance_days(30).await;
    let cancelled = world.subscription(&later).await;
    assert_eq!(
        (&cancelled["status"], &cancelled["cancelled_by"]["actor_type"]),
        (&json!("cancelled"), &json!("api_key"))
    );

    let (_, paused) = world.subscriber("prod_basic_plan", GOOD).await;
    assert_eq!(patch(&paused, json!({"pause": true})).await.refusal().0, 422);
    patch(&paused, json!({"status": "paused"})).await.ok();
    world.advance_days(45).await;
    assert_eq!(world.collected().len(), 2, "nothing is charged while paused");
    patch(&paused, json!({"status": "active"})).await.ok();
    assert_eq!(world.collected().len(), 3);
    patch(&paused, json!({"status": "cancelled"})).await.ok();
    assert_eq!(patch(&paused, json!({"status": "active"})).await.refusal().0, 422);

    let (_, moved) = world.subscriber("prod_basic_plan", GOOD).await;
    assert_eq!(patch(&moved, json!({"next_billing_date": "2020-01-01T00:00:00Z"})).await.refusal().0, 422);
    let now = world.sim.control().clock().now;
    let soon =
        (now + time::Duration::hours(1)).format(&time::format_description::well_known::Rfc3339).unwrap();
    patch(&moved, json!({"next_billing_date": soon})).await.ok();
    world.post("/_sim/clock", json!({"advance_seconds": 3600})).await.ok();
    assert_eq!(world.collected().len(), 5, "a moved date renews early");
}

#[tokio::test]
async fn an_unpaid_trial_charges_when_it_ends_and_gives_nothing_back() {
    let world = World::start().await;
    let (customer, method) = world.buyer(GOOD).await;
    let mut body = crate::harness::one_click(&customer, &method, "prod_basic_plan");
    body["subscription_data"] = json!({"trial_period_days": 14});
    let preview = world.post("/checkouts/preview", body.clone()).await.ok();
    assert_eq!((&preview["total_price"], &preview["trial_period_days"]), (&json!(0), &json!(14)));
    assert_eq!(preview["next_billing_date"], "2026-04-15T00:00:00Z");
    let created = world.post("/checkouts", body).await.ok();
    let payment = world.get(&format!("/payments/{}", created["payment_id"].as_str().unwrap())).await.ok();
    let id = payment["subscription_id"].as_str().unwrap();
    let up = json!({
        "product_id": "prod_pro_plan", "quantity": 1, "proration_billing_mode": "difference_immediately"
    });
    let preview = world.post(&format!("/subscriptions/{id}/change-plan/preview"), up).await.ok();
    assert_eq!(preview["immediate_charge"]["summary"]["settlement_amount"], 8000);
    world.advance_days(14).await;
    assert_eq!(world.collected(), [(3000, "renewal".to_owned())]);
}
