//! A buyer leaves their plan: what is proposed before, once, and cancelling.

use dodo_sim::Source;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Buyer, MERCHANT_KEY, Options, TestApp};

/// The example, with one line otherwise.
async fn with_rules(from: &str, to: &str) -> TestApp {
    let example = include_str!("../../upsell.toml");
    assert!(example.contains(from), "{from}");
    TestApp::spawn_with(Options { rules: Some(example.replacen(from, to, 1)), ..Options::default() }).await
}

async fn ask(app: &TestApp, token: &str, intent: &str, picked: Option<&str>) -> Value {
    let body = match picked {
        Some(id) => json!({"intent": intent, "product_id": id}),
        None => json!({"intent": intent}),
    };
    app.post(token, "/v1/plans/stay-offer", body).await.ok()
}

async fn on_max(app: &TestApp) -> (Buyer, String) {
    let buyer = app.sim.subscriber_of("prod_max_plan").unwrap();
    let token = app.plans_token(&buyer).await;
    (buyer, token)
}

async fn change_to(app: &TestApp, token: &str, product: &str) -> Value {
    let preview = app.post(token, "/v1/plans/preview", json!({"product_id": product})).await.ok();
    let body = json!({"quote_id": preview["quote"]["id"]});
    let key = format!("key-{product}");
    let attempt = app.post_once(token, "/v1/plans/change", &key, body).await.ok();
    app.settled(token, "/v1/plans", attempt).await
}

/// What Dodo was asked to change.
async fn changes(app: &TestApp, buyer: &Buyer) -> Vec<Value> {
    let path = format!("/subscriptions/{}/change-plan", buyer.subscription.as_ref().unwrap());
    let mut requests = app.sim.get("/_sim/ledger").await.unwrap()["requests"].as_array().unwrap().clone();
    requests.retain(|request| request["path"] == path.as_str());
    requests
}

async fn cancellation(app: &TestApp, token: &str, method: Method) -> Answer {
    app.send(app.request(method, "/v1/plans/cancellation").bearer_auth(token)).await
}

#[tokio::test]
async fn before_a_cheaper_plan_the_one_in_between_is_proposed_once() {
    let app = TestApp::spawn().await;
    let (_, token) = on_max(&app).await;
    let page = app.get(&token, "/v1/plans").await.ok();
    assert_eq!(page["stay_offers"], json!(["downgrade_intent", "cancel_intent"]));
    let asked = ask(&app, &token, "downgrade_intent", Some("prod_basic_plan")).await;
    let offer = &asked["offer"];
    assert_eq!(offer["headline"], "There is a step in between", "{asked}");
    let plan = &offer["plan"];
    assert_eq!(
        (&plan["product_id"], &plan["difference"]["amount"]),
        (&json!("prod_pro_plan"), &json!(-12_000))
    );
    assert_eq!(plan["lost"], json!(["A mentor of your own"]));
    // On any page, and on any device.
    assert_eq!(ask(&app, &token, "downgrade_intent", Some("prod_basic_plan")).await, json!({}));
    let page = app.get(&token, "/v1/plans").await.ok();
    assert_eq!(page["stay_offers"], json!(["cancel_intent"]));
    let words =
        app.post(&token, "/v1/plans/stay-offer?locale=ja", json!({"intent": "cancel_intent"})).await.ok();
    assert_eq!(words["offer"]["headline"], "基礎プランで続けませんか");
}

#[tokio::test]
async fn what_is_picked_or_dearer_is_not_held_up_by_something_cheaper() {
    let app = TestApp::spawn().await;
    let (_, token) = on_max(&app).await;
    // Pro itself is picked; and a subscriber of Basic has nothing to be proposed.
    assert_eq!(ask(&app, &token, "downgrade_intent", Some("prod_pro_plan")).await, json!({}));
    let asked = ask(&app, &token, "downgrade_intent", Some("prod_basic_plan")).await;
    assert!(asked["offer"].is_object(), "what was not shown is not used up");
    let other = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let token = app.plans_token(&other).await;
    assert_eq!(app.get(&token, "/v1/plans").await.ok().get("stay_offers"), None);
    assert_eq!(ask(&app, &token, "cancel_intent", None).await, json!({}));
    let unknown = app.post(&token, "/v1/plans/stay-offer", json!({"intent": "purchase"})).await.ok();
    assert_eq!(unknown, json!({}), "that is none, and nothing is proposed");
    let wrong = app.post(&token, "/v1/plans/stay-offer", json!({"intent": "boredom"})).await;
    assert_eq!(wrong.code(), "invalid_request");
}

#[tokio::test]
async fn a_refusal_is_for_good_and_does_not_stand_in_the_way() {
    let app = with_rules("after_decline = \"until_plan_changes\"", "").await;
    let (buyer, token) = on_max(&app).await;
    let offer = ask(&app, &token, "downgrade_intent", Some("prod_basic_plan")).await["offer"]["id"].clone();
    for _ in 0..2 {
        let refused = app.post(&token, "/v1/plans/decline", json!({"offer_id": offer})).await;
        assert_eq!(refused.status, 204);
    }
    let done = change_to(&app, &token, "prod_basic_plan").await;
    assert_eq!(done["status"], "succeeded", "{done}");
    // The same thing is not proposed by any other campaign: here the one that offers Pro to whoever has Basic.
    let event = json!({"customer_id": buyer.customer, "trigger": "near_plan_limit", "subscription_id": buyer.subscription});
    assert_eq!(app.post(MERCHANT_KEY, "/v1/events", event).await.status, 202);
    let token = app
        .mint(json!({"customer_id": buyer.customer, "purpose": "offer", "trigger": "near_plan_limit", "signed_in": true,
                     "subscription_id": buyer.subscription}))
        .await;
    let shown = app.look(&token).await;
    assert_eq!((&shown["eligible"], &shown["reason"]), (&json!(false), &json!("declined")), "{shown}");
}

#[tokio::test]
async fn what_is_proposed_is_taken_as_the_campaign_bills_it_and_counts_as_its_own() {
    let app =
        with_rules("name = \"pro-before-basic\"", "name = \"pro-before-basic\"\nproration = \"do_not_bill\"")
            .await;
    let (_, token) = on_max(&app).await;
    let offer = ask(&app, &token, "downgrade_intent", Some("prod_basic_plan")).await["offer"]["id"].clone();
    let preview = app.post(&token, "/v1/plans/preview", json!({"product_id": "prod_pro_plan"})).await.ok();
    assert_eq!(
        (&preview["quote"]["total"], &preview["quote"]["credit"]),
        (&json!(0), &json!(0)),
        "{preview}"
    );
    let done = change_to(&app, &token, "prod_pro_plan").await;
    assert_eq!(done["status"], "succeeded", "{done}");
    let id = done["attempt_id"].as_str().unwrap();
    assert_eq!(app.get(&token, &format!("/v1/plans/attempts/{id}")).await.ok()["status"], "succeeded");
    let page = app.get(&token, "/v1/plans").await.ok();
    assert_eq!(page["current"]["product_id"], "prod_pro_plan");
    // It was the offer that was taken: it cannot be refused any more.
    let refused = app.post(&token, "/v1/plans/decline", json!({"offer_id": offer})).await;
    assert_eq!(refused.code(), "offer_gone");
    // Whoever is on another plan may be asked again when they leave that one.
    assert_eq!(page["stay_offers"], json!(["cancel_intent"]));
}

#[tokio::test]
async fn a_plan_that_the_page_does_not_list_is_had_by_its_stay_offer_only() {
    let app = with_rules(
        "[[plan]]\nproduct_id = \"prod_basic_plan\"",
        "[[plan]]\nproduct_id = \"prod_other_plan\"",
    )
    .await;
    let (_, token) = on_max(&app).await;
    let preview = || app.post(&token, "/v1/plans/preview", json!({"product_id": "prod_basic_plan"}));
    assert_eq!(preview().await.code(), "not_found");
    let asked = ask(&app, &token, "cancel_intent", None).await;
    let plan = &asked["offer"]["plan"];
    assert_eq!((&plan["product_id"], &plan["lost"]), (&json!("prod_basic_plan"), &json!([])), "{asked}");
    assert_eq!(change_to(&app, &token, "prod_basic_plan").await["status"], "succeeded");
}

#[tokio::test]
async fn a_refused_stay_offer_can_be_taken_no_more() {
    let app = TestApp::spawn().await;
    let (buyer, token) = on_max(&app).await;
    let offer = ask(&app, &token, "downgrade_intent", Some("prod_basic_plan")).await["offer"]["id"].clone();
    let preview = app.post(&token, "/v1/plans/preview", json!({"product_id": "prod_pro_plan"})).await.ok();
    app.post(&token, "/v1/plans/decline", json!({"offer_id": offer})).await;
    let body = json!({"quote_id": preview["quote"]["id"]});
    let late = app.post_once(&token, "/v1/plans/change", "key-1", body).await;
    assert_eq!(late.code(), "offer_gone");
    assert!(changes(&app, &buyer).await.is_empty());
    // The plan itself is on the page, for whoever picks it.
    assert_eq!(change_to(&app, &token, "prod_pro_plan").await["status"], "succeeded");
}

#[tokio::test]
async fn of_two_pages_that_ask_at_once_one_is_told() {
    let app = TestApp::spawn().await;
    let (_, token) = on_max(&app).await;
    let one = || ask(&app, &token, "cancel_intent", None);
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    assert_eq!([a, b, c, d].iter().filter(|asked| asked["offer"].is_object()).count(), 1);
}

#[tokio::test]
async fn what_was_refused_meanwhile_through_another_offer_is_not_taken() {
    let app = with_rules(
        "product_id = \"prod_basic_plan\"\nproration",
        "product_id = \"prod_pro_plan\"\nproration",
    )
    .await;
    let (buyer, token) = on_max(&app).await;
    ask(&app, &token, "downgrade_intent", Some("prod_basic_plan")).await;
    let preview = app.post(&token, "/v1/plans/preview", json!({"product_id": "prod_pro_plan"})).await.ok();
    let same = ask(&app, &token, "cancel_intent", None).await["offer"]["id"].clone();
    app.post(&token, "/v1/plans/decline", json!({"offer_id": same})).await;
    let body = json!({"quote_id": preview["quote"]["id"]});
    assert_eq!(app.post_once(&token, "/v1/plans/change", "key-1", body).await.code(), "offer_gone");
    assert!(changes(&app, &buyer).await.is_empty());
}

#[tokio::test]
async fn cancelling_is_for_the_next_billing_date_and_can_be_taken_back() {
    let app = TestApp::spawn().await;
    let (buyer, token) = on_max(&app).await;
    assert_eq!(app.get(&token, "/v1/plans").await.ok()["current"]["can_cancel"], true);
    for _ in 0..2 {
        assert_eq!(cancellation(&app, &token, Method::POST).await.status, 204);
        let current = app.get(&token, "/v1/plans").await.ok()["current"].clone();
        assert_eq!(
            (&current["status"], &current["cancel_at_next_billing_date"]),
            (&json!("active"), &json!(true))
        );
        assert_eq!((&current["can_change"], current.get("can_cancel")), (&json!(false), None));
    }
    let preview = app.post(&token, "/v1/plans/preview", json!({"product_id": "prod_pro_plan"})).await;
    assert_eq!(preview.code(), "change_not_possible");
    for _ in 0..2 {
        assert_eq!(cancellation(&app, &token, Method::DELETE).await.status, 204);
        let current = app.get(&token, "/v1/plans").await.ok()["current"].clone();
        assert_eq!(
            (&current["cancel_at_next_billing_date"], &current["can_cancel"]),
            (&json!(false), &json!(true))
        );
    }
    assert!(app.sim.collected_by(&buyer.customer, Source::PlanChange).is_empty());
}

#[tokio::test]
async fn who_has_a_way_of_their_own_to_cancel_turns_this_one_off() {
    let app = with_rules("on_upgrade_page = true", "on_upgrade_page = false").await;
    let (_, token) = on_max(&app).await;
    assert_eq!(app.get(&token, "/v1/plans").await.ok()["current"].get("can_cancel"), None);
    assert_eq!(cancellation(&app, &token, Method::POST).await.code(), "change_not_possible");
    assert_eq!(cancellation(&app, &token, Method::DELETE).await.status, 204, "there is nothing to take back");
}
