//! A shop without a server: checkout, nonce, token.

use serde_json::{Value, json};

use crate::harness::{Answer, BROWSER, GOOD_CARD, Options, SHOP, TestApp};

async fn post(app: &TestApp, path: &str, body: Value) -> Answer {
    app.send(app.request(reqwest::Method::POST, path).header("origin", SHOP).json(&body)).await
}

/// The secret of another browser than the one in which everything happens.
const ELSEWHERE: &str = "another-browser-keeps-this-instead-";

/// A checkout begun in this browser, and the nonce that its return address carries.
async fn checkout(app: &TestApp, browser: Option<&str>) -> (String, String) {
    let body = json!({"product_id": "prod_starter_course", "browser": browser});
    let started = post(app, "/v1/checkouts", body).await.ok();
    let ledger = app.sim.get("/_sim/ledger").await.unwrap();
    let sent = ledger["posts"]
        .as_array()
        .unwrap()
        .iter()
        .rfind(|post| post["path"] == "/checkouts")
        .unwrap()
        .clone();
    assert_eq!(sent["body"].get("feature_flags"), None, "no new customer unless the merchant says so");
    let return_url = sent["body"]["return_url"].as_str().unwrap().to_owned();
    let (address, nonce) = return_url.split_once("#upsell-return-").unwrap();
    assert_eq!(address, format!("{SHOP}/thanks"));
    (started["checkout_url"].as_str().unwrap().to_owned(), nonce.to_owned())
}

/// Pays under this address. Returns the payment that the return address names.
async fn paid(app: &TestApp, page: &str, email: &str) -> String {
    let (_, location) = app.sim.pay_on_page_as(page, GOOD_CARD, email).await.unwrap();
    let url = url::Url::parse(&location).unwrap();
    url.query_pairs().find(|(name, _)| name == "payment_id").unwrap().1.into_owned()
}

async fn redeem(app: &TestApp, nonce: &str, browser: Option<&str>, payment: Option<&str>) -> Answer {
    let body = json!({"nonce": nonce, "browser": browser, "payment_id": payment});
    post(app, "/v1/upsell/redeem", body).await
}

#[tokio::test]
async fn who_comes_back_from_paying_gets_a_token_once() {
    let app = TestApp::spawn().await;
    let (page, nonce) = checkout(&app, Some(BROWSER)).await;
    // Not before it is paid; and trying does not use it up.
    assert_eq!(redeem(&app, &nonce, Some(BROWSER), Some("pay_1")).await.code(), "not_found");
    let payment = paid(&app, &page, "walk-in@shop.example").await;
    let again = || redeem(&app, &nonce, Some(BROWSER), Some(&payment));
    let (one, two) = tokio::join!(again(), again());
    let (got, refused) = if one.status == 200 { (one, two) } else { (two, one) };
    let token = got.ok()["token"].as_str().unwrap().to_owned();
    assert_eq!(refused.code(), "not_found");
    assert_eq!(again().await.code(), "not_found");
    let shown = app.look(&token).await;
    assert_eq!(shown["product"]["id"], "prod_complete_bundle", "{shown}");
    assert_eq!(shown["payment_method"]["last4"], "4242");
}

/// The secret of the browser, the nonce and the payment have to be of one checkout. Trying uses none of them up.
#[tokio::test]
async fn a_nonce_is_worth_nothing_elsewhere() {
    let app = TestApp::spawn().await;
    let (page, nonce) = checkout(&app, Some(BROWSER)).await;
    let payment = paid(&app, &page, "one@shop.example").await;
    let (other_page, other_nonce) = checkout(&app, Some(BROWSER)).await;
    let other_payment = paid(&app, &other_page, "two@shop.example").await;
    for (nonce, browser, payment) in [
        (&nonce, None, Some(&payment)),
        (&nonce, Some(ELSEWHERE), Some(&payment)),
        (&nonce, Some(BROWSER), None),
        (&nonce, Some(BROWSER), Some(&other_payment)),
        (&other_nonce, Some(BROWSER), Some(&payment)),
    ] {
        let refused = redeem(&app, nonce, browser, payment.map(String::as_str)).await;
        assert_eq!(refused.code(), "not_found", "{browser:?} {payment:?}");
    }
    redeem(&app, &nonce, Some(BROWSER), Some(&payment)).await.ok();
    redeem(&app, &other_nonce, Some(BROWSER), Some(&other_payment)).await.ok();
}

/// Without storage a browser buys, and is offered nothing.
#[tokio::test]
async fn a_browser_that_keeps_nothing_is_offered_nothing() {
    let app = TestApp::spawn().await;
    let (page, nonce) = checkout(&app, None).await;
    let payment = paid(&app, &page, "none@shop.example").await;
    for browser in [None, Some(""), Some(BROWSER)] {
        assert_eq!(redeem(&app, &nonce, browser, Some(&payment)).await.code(), "not_found", "{browser:?}");
    }
}

/// Dodo files a checkout under the customer who has its address; the card that paid it is the only one charged.
#[tokio::test]
async fn a_strangers_address_brings_no_strangers_card() {
    let app = TestApp::spawn().await;
    let master = dodo_sim::NewPaymentMethod {
        number: "5555555555554444".into(),
        last_used_at: Some(time::OffsetDateTime::now_utc() + time::Duration::days(1)),
        ..dodo_sim::NewPaymentMethod::default()
    };
    app.sim.customer_as("victim@shop.example", Some(master), "US").unwrap();
    let (page, nonce) = checkout(&app, Some(BROWSER)).await;
    let payment = paid(&app, &page, "Victim@Shop.example").await;
    let token = redeem(&app, &nonce, Some(BROWSER), Some(&payment)).await.ok();
    let shown = app.look(token["token"].as_str().unwrap()).await;
    assert_eq!(shown["payment_method"]["last4"], "4242", "{shown}");
}

#[tokio::test]
async fn a_new_customer_is_made_where_the_merchant_says_so() {
    let rules = include_str!("../../upsell.toml").replace("new_customer = false", "new_customer = true");
    let app = TestApp::spawn_with(Options { rules: Some(rules), ..Options::default() }).await;
    post(&app, "/v1/checkouts", json!({"product_id": "prod_starter_course"})).await.ok();
    let ledger = app.sim.get("/_sim/ledger").await.unwrap();
    let sent = ledger["posts"].as_array().unwrap().iter().rfind(|post| post["path"] == "/checkouts").unwrap();
    assert_eq!(sent["body"]["feature_flags"], json!({"always_create_new_customer": true}));
}

#[tokio::test]
async fn only_listed_products_are_sold_and_only_known_nonces_redeemed() {
    let app = TestApp::spawn().await;
    for (body, code) in [
        (json!({"product_id": "prod_pro_plan"}), "not_found"),
        (json!({"product_id": "prod_that_is_not"}), "not_found"),
        (json!({"product_id": "prod_starter_course", "quantity": 0}), "invalid_request"),
        (json!({"product_id": "prod_starter_course", "quantity": 101}), "invalid_request"),
        (json!({"product_id": "prod_starter_course", "browser": "short"}), "invalid_request"),
        (json!({"product_id": "prod_starter_course", "browser": "x".repeat(129)}), "invalid_request"),
        (
            json!({"product_id": "prod_starter_course", "browser": "with a space and more than 32 characters"}),
            "invalid_request",
        ),
    ] {
        assert_eq!(post(&app, "/v1/checkouts", body.clone()).await.code(), code, "{body}");
    }
    assert_eq!(app.sim.requests_to("POST", "/checkouts"), 0);
    for nonce in ["", "x", &"x".repeat(4000)] {
        assert_eq!(post(&app, "/v1/upsell/redeem", json!({"nonce": nonce})).await.code(), "not_found");
        assert_eq!(redeem(&app, nonce, Some(BROWSER), Some("pay_1")).await.code(), "not_found");
    }
}
