//! `POST /v1/sessions` waits for Dodo no longer than its bound. What Dodo has not confirmed by then is good for nothing
//! until it has.

use std::time::{Duration, Instant};

use dodo_client::ids::PaymentId;
use dodo_sim::{NewFault, WebhookPolicy};
use proxy::settings::Limits;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Database, Dodo, Proxy, Setup};

use crate::{
    harness::{Answer, Buyer, GOOD_CARD, MERCHANT_KEY, Options, TestApp},
    limits::assert_says_when,
};

/// The bound in these tests.
const BOUND: Duration = Duration::from_millis(300);
const BOUNDED: fn(&mut Limits) = |limits| limits.session_wait = BOUND;
/// A machine that is busy with other tests answers later than the bound, and long before Dodo would.
const IN_TIME: Duration = Duration::from_secs(8);

/// A proxy that learns of nothing by webhooks.
async fn app() -> TestApp {
    let app = TestApp::spawn_with(Options { limits: Some(BOUNDED), ..Options::default() }).await;
    app.sim.control().set_webhook_policy(WebhookPolicy { paused: true, ..WebhookPolicy::default() });
    app
}

/// From now on Dodo answers reads of this path `late` later.
fn slow(sim: &Dodo, path: &str, late: Duration) {
    let fault = NewFault {
        method: Some("GET".into()),
        path: Some(path.into()),
        kind: json!("delay"),
        delay_ms: Some(late.as_millis().try_into().unwrap()),
        ..NewFault::default()
    };
    sim.control().fault(fault).unwrap();
}

fn offer(buyer: &Buyer) -> Value {
    json!({"customer_id": buyer.customer, "purpose": "offer", "payment_id": buyer.payment})
}

fn plans(buyer: &Buyer) -> Value {
    json!({
        "customer_id": buyer.customer, "purpose": "plans", "subscription_id": buyer.subscription, "signed_in": true,
    })
}

async fn mint_in_time(app: &TestApp, request: Value) -> String {
    let began = Instant::now();
    let token = app.mint(request).await;
    assert!(began.elapsed() < IN_TIME, "{:?}", began.elapsed());
    token
}

#[track_caller]
fn assert_not_yet(answer: &Answer) {
    assert_eq!((answer.status, answer.code().as_str()), (409, "not_confirmed_yet"));
    assert_says_when(answer);
}

/// Asks as a page does, until the answer is another than "not yet".
async fn asked_again(app: &TestApp, token: &str, path: &str) -> Answer {
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        let answer = app.get(token, path).await;
        if answer.status != 409 {
            return answer;
        }
        assert_not_yet(&answer);
        assert!(Instant::now() < deadline, "never confirmed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// All calls of a buyer with a token of this purpose, as the description of the API has them.
fn calls(tag: &str) -> Vec<(Method, String)> {
    let described: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    let mut calls = Vec::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        for (method, call) in item.as_object().unwrap() {
            if call["tags"][0] == tag && call["security"][0].get("session_token").is_some() {
                let method = method.to_uppercase().parse().unwrap();
                calls.push((method, path.replace("{id}", "at_1")));
            }
        }
    }
    calls
}

#[tokio::test]
async fn while_dodo_is_slow_every_call_says_not_yet_and_the_offer_comes_once_it_has_answered() {
    let app = app().await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    slow(&app.sim, "/payments/*", Duration::from_secs(10));
    let token = mint_in_time(&app, offer(&buyer)).await;
    let (calls, key) = (calls("offer"), ("idempotency-key", "key-1"));
    assert!(calls.len() >= 5, "{calls:?}");
    for (method, path) in calls {
        let request = app.request(method, &path).bearer_auth(&token).header(key.0, key.1).json(&json!({}));
        assert_not_yet(&app.send(request).await);
    }
    // A token for offers stays none for plans.
    assert_eq!(app.get(&token, "/v1/plans").await.code(), "unauthorized");
    app.sim.control().clear_faults();
    let shown = asked_again(&app, &token, "/v1/upsell").await.ok();
    assert_eq!(shown["eligible"], true, "{shown}");
    app.accept(&token, &shown, "key-2").await.ok();
}

#[tokio::test]
async fn while_dodo_is_away_plans_are_not_shown_and_come_once_it_is_back() {
    let app = app().await;
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    app.sim.fault("GET", "/subscriptions/*", json!("reset_before"), 1_000).unwrap();
    let token = mint_in_time(&app, plans(&buyer)).await;
    for (method, path) in calls("plans") {
        let request = app
            .request(method, &path)
            .bearer_auth(&token)
            .header("idempotency-key", "key-1")
            .json(&json!({}));
        assert_not_yet(&app.send(request).await);
    }
    app.sim.control().clear_faults();
    let page = asked_again(&app, &token, "/v1/plans").await.ok();
    assert_eq!(page["current"]["product_id"], "prod_basic_plan", "{page}");
}

#[tokio::test]
async fn a_token_for_what_is_found_to_be_somebody_elses_is_worth_nothing() {
    let app = app().await;
    let victim = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let subscriber = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let stranger = app.sim.customer(Some(GOOD_CARD)).unwrap();
    slow(&app.sim, "/payments/*", Duration::from_secs(2));
    slow(&app.sim, "/subscriptions/*", Duration::from_secs(2));
    let named = Buyer { customer: stranger.clone(), ..victim.clone() };
    let of_offer = mint_in_time(&app, offer(&named)).await;
    assert_not_yet(&app.get(&of_offer, "/v1/upsell").await);
    let named = Buyer { customer: stranger, ..subscriber.clone() };
    let of_plans = mint_in_time(&app, plans(&named)).await;
    assert_not_yet(&app.get(&of_plans, "/v1/plans").await);
    let gone = Buyer { payment: Some(PaymentId::parse("pay_never_made").unwrap()), ..victim.clone() };
    let of_nothing = mint_in_time(&app, offer(&gone)).await;
    for (token, path) in [(of_offer, "/v1/upsell"), (of_plans, "/v1/plans"), (of_nothing, "/v1/upsell")] {
        assert_eq!(asked_again(&app, &token, path).await.code(), "unauthorized", "{path}");
    }
    // In time, nothing is minted at all.
    app.sim.control().clear_faults();
    let app = app.restart().await;
    let refused = app.post(MERCHANT_KEY, "/v1/sessions", offer(&gone)).await;
    assert_eq!(refused.code(), "not_found");
}

#[tokio::test]
async fn a_session_that_names_nothing_waits_for_nothing() {
    let app = app().await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    slow(&app.sim, "/customers/**", Duration::from_secs(3));
    slow(&app.sim, "/payments", Duration::from_secs(3));
    let token = mint_in_time(&app, json!({"customer_id": buyer.customer, "purpose": "offer"})).await;
    // What was begun for it goes on, and the page waits for that.
    assert_eq!(app.look(&token).await["eligible"], true);
}

#[tokio::test]
async fn a_restart_forgets_nothing_and_goes_on_with_the_check() {
    let app = app().await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    app.sim.fault("GET", "/payments/*", json!("hang"), 1_000).unwrap();
    let token = mint_in_time(&app, offer(&buyer)).await;
    let app = app.restart().await;
    assert_not_yet(&app.get(&token, "/v1/upsell").await);
    app.sim.control().clear_faults();
    assert_eq!(asked_again(&app, &token, "/v1/upsell").await.ok()["eligible"], true);
}

#[tokio::test]
async fn what_one_proxy_finds_holds_on_the_other() {
    let sim = Dodo::start(1).await.unwrap();
    let setup = Setup { limits: Some(BOUNDED), ..Setup::over(Database::postgres().unwrap()) };
    let (one, other) = (Proxy::start(&sim, &setup).await.unwrap(), Proxy::start(&sim, &setup).await.unwrap());
    let buyer = sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    sim.fault("GET", "/payments/*", json!("hang"), 1_000).unwrap();
    let minted = one.post(MERCHANT_KEY, "/v1/sessions", None, &offer(&buyer)).await.unwrap().ok().unwrap();
    let token = minted["token"].as_str().unwrap().to_owned();
    let status = |proxy: &Proxy| {
        let request = testkit::client().unwrap().get(format!("{}/v1/upsell", proxy.url()));
        let request = request.bearer_auth(&token).header(wire::BROWSER_HEADER, testkit::BROWSER);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!((status(&one).await, status(&other).await), (409, 409));
    // The first stays with its question, which is never answered; the other asks anew.
    sim.control().clear_faults();
    let deadline = Instant::now() + Duration::from_secs(40);
    while status(&other).await != 200 {
        assert!(Instant::now() < deadline, "never confirmed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(status(&one).await, 200);
}
