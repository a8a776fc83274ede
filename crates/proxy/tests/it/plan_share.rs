//! The plan that those chose most often who changed from the buyer's.

use serde_json::{Value, json};

use crate::{
    harness::{Options, TestApp},
    plans::plan,
};

/// The example, with plans marked by count.
fn rules() -> String {
    let example = include_str!("../../upsell.toml");
    assert_eq!(example.matches("\nrecommended = true\n").count(), 1);
    example.replace("\nrecommended = true\n", "\n") + "\n[recommendation]\nwindow_days = 30\nat_least = 11\n"
}

/// Somebody with Basic changes to this plan.
async fn changes_to(app: &TestApp, product: &str) {
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let token = app.plans_token(&buyer).await;
    let preview = app.post(&token, "/v1/plans/preview", json!({"product_id": product})).await.ok();
    let body = json!({"quote_id": preview["quote"]["id"]});
    let attempt = app.post_once(&token, "/v1/plans/change", "key-1", body).await.ok();
    assert_eq!(app.settled(&token, "/v1/plans", attempt).await["status"], "succeeded");
}

/// What a subscriber of this plan sees, who has used so many downloads.
async fn page(app: &TestApp, product: &str, used: u32) -> Value {
    let buyer = app.sim.subscriber_of(product).unwrap();
    let request = json!({
        "customer_id": buyer.customer, "purpose": "plans", "signed_in": true, "subscription_id": buyer.subscription,
        "usage": [{"feature": "downloads", "used": used}],
    });
    let token = app.mint(request).await;
    app.get(&token, "/v1/plans").await.ok()
}

/// The plans that are marked, each with its share.
fn marked(page: &Value) -> Vec<(&str, &Value)> {
    let plans = page["plans"].as_array().unwrap();
    let with_share: Vec<_> = plans
        .iter()
        .filter(|plan| plan.get("share").is_some())
        .map(|plan| (plan["product_id"].as_str().unwrap(), &plan["share"]))
        .collect();
    for plan in plans {
        assert_eq!(plan["recommended"], plan.get("share").is_some(), "{plan}");
    }
    with_share
}

#[tokio::test]
async fn the_twelfth_sees_what_most_of_eleven_chose_and_the_eleventh_saw_nothing_of_ten() {
    let app = TestApp::spawn_with(Options { rules: Some(rules()), ..Options::default() }).await;
    for product in ["prod_pro_plan", "prod_pro_plan", "prod_max_plan", "prod_pro_yearly", "prod_pro_plan"] {
        changes_to(&app, product).await;
        changes_to(&app, product).await;
    }
    assert!(marked(&page(&app, "prod_basic_plan", 50).await).is_empty(), "ten are too few");
    changes_to(&app, "prod_max_plan").await;
    assert!(marked(&page(&app, "prod_basic_plan", 50).await).is_empty(), "one count serves for some minutes");
    let app = app.restart_with(&rules()).await;
    let seen = page(&app, "prod_basic_plan", 50).await;
    assert_eq!(marked(&seen), [("prod_pro_plan", &json!({"percent": 54, "days": 30}))], "6 of 11");
    assert_eq!(plan(&seen, "prod_max_plan")["recommended"], false);
    // Their plan is enough for them: no other is held up to them.
    let enough = page(&app, "prod_basic_plan", 1).await;
    assert_eq!((&enough["current"]["fits"], marked(&enough)), (&json!(true), vec![]));
    // Nobody has changed from Pro.
    assert!(marked(&page(&app, "prod_pro_plan", 500).await).is_empty());
}

#[tokio::test]
async fn an_upgrade_that_was_offered_counts_like_one_that_was_looked_for() {
    let rules = rules().replace("at_least = 11", "at_least = 10");
    let app = TestApp::spawn_with(Options { rules: Some(rules), ..Options::default() }).await;
    for _ in 0..10 {
        let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
        let token = app.offer_token(&buyer).await;
        let shown = app.look(&token).await;
        assert_eq!(shown["product"]["id"], "prod_pro_plan", "{shown}");
        let attempt = app.accept(&token, &shown, "key-1").await.ok();
        assert_eq!(app.settled(&token, "/v1/upsell", attempt).await["status"], "succeeded");
    }
    let seen = page(&app, "prod_basic_plan", 50).await;
    assert_eq!(marked(&seen), [("prod_pro_plan", &json!({"percent": 100, "days": 30}))]);
}
