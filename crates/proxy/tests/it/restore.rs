//! A backup put in the database's place: what was charged since is known again before anything is accepted.

use dodo_sim::Source;
use serde_json::json;

use crate::harness::{GOOD_CARD, TestApp};

const COURSE: &str = "prod_starter_course";

#[tokio::test]
async fn charges_since_the_backup_are_known_again_and_not_made_twice() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of(COURSE, Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    let app = app.backed_up().await;
    let token = app.offer_token(&buyer).await;
    let taken = app.accept(&token, &shown, "key-1").await.ok();
    assert_eq!(taken["status"], "succeeded", "{taken}");
    let other = app.sim.buyer_of(COURSE, Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&other).await;
    let refused = app.look(&token).await;
    app.decline(&token, &refused).await.ok();
    let app = app.restored().await;
    let token = app.offer_token(&buyer).await;
    let after = app.look(&token).await;
    assert_eq!((&after["eligible"], &after["reason"]), (&json!(false), &json!("accepted")), "{after}");
    let again = app.accept(&token, &shown, "key-2").await.ok();
    assert_eq!(again["attempt_id"], taken["attempt_id"], "what became of it is known");
    assert_eq!(again["receipt"]["amount"], taken["receipt"]["amount"]);
    assert_eq!(app.sim.collected_by(&buyer.customer, Source::OneClick).len(), 1);
    // The refusal is lost. What was set off before is not offered any more.
    let token = app.offer_token(&other).await;
    assert_eq!(app.look(&token).await["eligible"], false);
    // Who buys from now on is asked, clocks that differ allowed for.
    app.sim.post("/_sim/clock", json!({"advance_seconds": 120})).await.unwrap();
    let app = app.restart().await;
    let next = app.sim.buyer_of(COURSE, Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&next).await;
    let offered = app.look(&token).await;
    assert_eq!(offered["eligible"], true, "an ordinary restart withdraws nothing: {offered}");
}

/// Dodo lists a payment late, and reports it.
#[tokio::test]
async fn a_payment_that_should_be_known_has_the_store_compared_again() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of(COURSE, Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    app.quiet().await;
    let app = app.backed_up().await;
    app.sim.switch(json!({"payments_list_lag_seconds": 30})).unwrap();
    app.sim.post("/_sim/webhooks/policy", json!({"paused": true})).await.unwrap();
    let taken = app.accept(&token, &shown, "key-1").await.ok();
    let app = app.restored().await;
    let attempt = format!("/v1/upsell/attempts/{}", taken["attempt_id"].as_str().unwrap());
    assert_eq!(app.get(&token, &attempt).await.code(), "not_found", "nobody knows it yet");
    app.sim.post("/_sim/webhooks/flush", json!({})).await.unwrap();
    assert_eq!(app.get(&token, &attempt).await.code(), "not_found", "reported, and still not listed");
    app.sim.post("/_sim/clock", json!({"advance_seconds": 60})).await.unwrap();
    // The webhook is tried again after some seconds.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let told = app.get(&token, &attempt).await;
        if told.body["status"] == "succeeded" {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{told:?}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(app.accept(&token, &shown, "key-2").await.ok()["attempt_id"], taken["attempt_id"]);
    assert_eq!(app.sim.collected_by(&buyer.customer, Source::OneClick).len(), 1);
}

/// Until Dodo has answered, nothing is accepted and nothing shown.
#[tokio::test]
async fn nothing_is_accepted_before_dodo_has_answered() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of(COURSE, Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    app.sim.post(
            "/_sim/faults",
            json!({"method": "GET", "path": "/payments", "kind": {"status": 503, "before": true}, "times": 1000}),
        ).await.unwrap();
    let app = app.restart().await;
    assert_eq!(app.accept(&token, &shown, "key-1").await.code(), "unavailable");
    assert_eq!(app.get(&token, "/v1/upsell").await.code(), "unavailable");
    assert_eq!(reqwest::get(format!("{}/readyz", app.ops_url)).await.unwrap().status().as_u16(), 503);
    app.sim.control().clear_faults();
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    while reqwest::get(format!("{}/readyz", app.ops_url)).await.unwrap().status().as_u16() != 200 {
        assert!(tokio::time::Instant::now() < deadline, "never ready");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(app.accept(&token, &shown, "key-1").await.ok()["status"], "succeeded");
}
