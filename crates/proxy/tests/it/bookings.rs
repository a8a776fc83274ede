//! Changes booked for the next billing date: the merchant's system hears what they came to.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    harness::{Buyer, FAILS_LATER, GOOD_CARD, Options, TestApp},
    receiver::{Receiver, Script},
};

const DAY: i64 = 86_400;

/// A subscriber of Pro who has booked Basic, and a merchant's system that listens.
async fn booked(card: &str) -> (TestApp, Receiver, Buyer, String) {
    let receiver = Receiver::start(Script::Status(200)).await;
    let options = Options { notify_url: Some(receiver.url.clone()), ..Options::default() };
    let app = TestApp::spawn_with(options).await;
    let customer = app.sim.customer(Some(card)).unwrap();
    let subscriber = app.sim.subscribe(&customer, "prod_pro_plan", 1, &Default::default(), 0).unwrap();
    let buyer = Buyer { customer, payment: None, subscription: Some(subscriber.subscription) };
    let token = app.plans_token(&buyer).await;
    let request = json!({"product_id": "prod_basic_plan", "effective_at": "next_billing_date"});
    let preview = app.post(&token, "/v1/plans/preview", request).await.ok();
    let body = json!({"quote_id": preview["quote"]["id"]});
    let attempt = app.post_once(&token, "/v1/plans/change", "key-1", body).await.ok();
    assert_eq!(app.settled(&token, "/v1/plans", attempt).await["status"], "scheduled");
    app.quiet().await;
    (app, receiver, buyer, token)
}

/// What the merchant's system is told, in the order of its coming.
async fn told(receiver: &mut Receiver, count: usize) -> Vec<Value> {
    let mut told = Vec::new();
    while told.len() < count {
        let arrival = tokio::time::timeout(std::time::Duration::from_secs(15), receiver.next()).await;
        told.push(serde_json::from_slice::<Value>(&arrival.expect("nothing was told").body).unwrap());
    }
    told
}

fn types(told: &[Value]) -> Vec<&str> {
    told.iter().map(|told| told["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_booking_that_the_buyer_takes_back_is_told() {
    let (app, mut receiver, buyer, token) = booked(GOOD_CARD).await;
    let delete = app.request(Method::DELETE, "/v1/plans/scheduled").bearer_auth(&token);
    assert_eq!(app.send(delete).await.status, 204);
    let told = told(&mut receiver, 2).await;
    assert_eq!(types(&told), ["plan.change_scheduled", "plan.change_cancelled"]);
    let data = &told[1]["data"];
    assert_eq!(
        (&data["customer_id"], &data["product_id"]),
        (&json!(buyer.customer), &json!("prod_basic_plan"))
    );
    assert_eq!(data["subscription_id"], json!(buyer.subscription));
    app.quiet().await;
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert!(receiver.rest().is_empty(), "it is told once");
}

#[tokio::test]
async fn a_booking_that_is_taken_back_elsewhere_is_told() {
    let (app, mut receiver, buyer, _) = booked(GOOD_CARD).await;
    let id = buyer.subscription.unwrap();
    let url = format!("{}/subscriptions/{id}/change-plan/scheduled", app.sim.url());
    let request = reqwest::Client::new().delete(url).bearer_auth(dodo_sim::DEFAULT_KEY);
    assert!(request.send().await.unwrap().status().is_success());
    app.quiet().await;
    assert_eq!(types(&told(&mut receiver, 2).await), ["plan.change_scheduled", "plan.change_cancelled"]);
}

#[tokio::test]
async fn a_booking_that_takes_effect_is_told() {
    let (app, mut receiver, buyer, _) = booked(GOOD_CARD).await;
    app.sim.post("/_sim/clock", json!({"advance_seconds": 32 * DAY})).await.unwrap();
    app.quiet().await;
    assert_eq!(app.sim.subscription(&buyer.subscription.unwrap()).unwrap()["product_id"], "prod_basic_plan");
    let told = told(&mut receiver, 2).await;
    assert_eq!(types(&told), ["plan.change_scheduled", "plan.changed"]);
    assert_eq!(told[1]["data"]["product_id"], "prod_basic_plan");
}

/// Dodo drops a change whose payment fails, and tries to renew the old plan.
#[tokio::test]
async fn a_booking_that_is_dropped_is_told() {
    let (app, mut receiver, _, _) = booked(FAILS_LATER).await;
    app.sim.post("/_sim/clock", json!({"advance_seconds": 32 * DAY})).await.unwrap();
    app.quiet().await;
    assert_eq!(types(&told(&mut receiver, 2).await), ["plan.change_scheduled", "plan.change_cancelled"]);
}
