//! A shop without a server: checkout, nonce, token.

use serde_json::{Value, json};

use crate::harness::{Answer, GOOD_CARD, SHOP, TestApp};

async fn post(app: &TestApp, path: &str, body: Value) -> Answer {
    app.send(app.request(reqwest::Method::POST, path).header("origin", SHOP).json(&body)).await
}

/// A checkout, and the nonce that its return address carries.
async fn checkout(app: &TestApp) -> (String, String) {
    let started = post(app, "/v1/checkouts", json!({"product_id": "prod_starter_course"})).await.ok();
    let ledger = app.sim.get("/_sim/ledger").await.unwrap();
    let sent = ledger["posts"]
        .as_array()
        .unwrap()
        .iter()
        .rfind(|post| post["path"] == "/checkouts")
        .unwrap()
        .clone();
    let return_url = sent["body"]["return_url"].as_str().unwrap().to_owned();
    let (address, nonce) = return_url.split_once("#os=").unwrap();
    assert_eq!(address, format!("{SHOP}/thanks"));
    (started["checkout_url"].as_str().unwrap().to_owned(), nonce.to_owned())
}

#[tokio::test]
async fn who_comes_back_from_paying_gets_a_token_once() {
    let app = TestApp::spawn().await;
    let (page, nonce) = checkout(&app).await;
    // Not before it is paid; and trying does not use it up.
    assert_eq!(post(&app, "/v1/upsell/redeem", json!({"nonce": nonce})).await.code(), "not_found");
    app.pay_on_page(&page, GOOD_CARD).await;
    let redeem = || post(&app, "/v1/upsell/redeem", json!({"nonce": nonce}));
    let (one, two) = tokio::join!(redeem(), redeem());
    let (got, refused) = if one.status == 200 { (one, two) } else { (two, one) };
    let token = got.ok()["token"].as_str().unwrap().to_owned();
    assert_eq!(refused.code(), "not_found");
    assert_eq!(redeem().await.code(), "not_found");
    let shown = app.look(&token).await;
    assert_eq!(shown["product"]["id"], "prod_complete_bundle", "{shown}");
    assert_eq!(shown["payment_method"]["last4"], "4242");
}

#[tokio::test]
async fn only_listed_products_are_sold_and_only_known_nonces_redeemed() {
    let app = TestApp::spawn().await;
    for (body, code) in [
        (json!({"product_id": "prod_pro_plan"}), "not_found"),
        (json!({"product_id": "prod_that_is_not"}), "not_found"),
        (json!({"product_id": "prod_starter_course", "quantity": 0}), "invalid_request"),
        (json!({"product_id": "prod_starter_course", "quantity": 101}), "invalid_request"),
    ] {
        assert_eq!(post(&app, "/v1/checkouts", body.clone()).await.code(), code, "{body}");
    }
    assert_eq!(app.sim.requests_to("POST", "/checkouts"), 0);
    for nonce in ["", "x", &"x".repeat(4000)] {
        assert_eq!(post(&app, "/v1/upsell/redeem", json!({"nonce": nonce})).await.code(), "not_found");
    }
}
