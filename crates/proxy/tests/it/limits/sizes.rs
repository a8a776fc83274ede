//! Sizes and depths, at their very edge.

use serde_json::json;

use crate::{
    harness::{Answer, MERCHANT_KEY, TestApp, WEBHOOK_SECRET},
    webhooks::{deliver, now, signature},
};

async fn report(app: &TestApp, body: String) -> Answer {
    let request = app.request(reqwest::Method::POST, "/v1/events").bearer_auth(MERCHANT_KEY);
    app.send(request.header("content-type", "application/json").body(body)).await
}

/// An event whose body has so many bytes.
fn event_of(bytes: usize) -> String {
    let event = |padding: &str| json!({"customer_id": "cus_1", "trigger": "near_plan_limit", "x": padding});
    let empty = event("").to_string().len();
    event(&"x".repeat(bytes - empty)).to_string()
}

/// An event with arrays in it, the whole so many levels deep.
fn event_deep(levels: usize) -> String {
    let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
    format!(r#"{{"customer_id":"cus_1","trigger":"near_plan_limit","x":{open}{close}}}"#)
}

#[tokio::test]
async fn a_call_has_16_kib_and_not_a_byte_more() {
    let app = TestApp::spawn().await;
    report(&app, event_of(16 * 1024)).await.ok();
    assert_eq!(report(&app, event_of(16 * 1024 + 1)).await.code(), "payload_too_large");
    // Whoever is refused anyway is not read to the end either.
    let nobody = app.request(reqwest::Method::POST, "/v1/events").body(event_of(16 * 1024 + 1));
    assert_eq!(app.send(nobody).await.code(), "payload_too_large");
}

#[tokio::test]
async fn a_call_is_32_levels_deep_and_no_deeper() {
    let app = TestApp::spawn().await;
    report(&app, event_deep(32)).await.ok();
    for levels in [33, 5_000, 8_000] {
        assert_eq!(report(&app, event_deep(levels)).await.code(), "invalid_request", "{levels}");
    }
    assert_eq!(report(&app, "[".repeat(10_000)).await.code(), "invalid_request");
    assert_eq!(report(&app, r#"{"x":"#.repeat(3_000)).await.code(), "invalid_request");
}

#[tokio::test]
async fn a_webhook_has_256_kib_and_not_a_byte_more() {
    let app = TestApp::spawn().await;
    let webhook = |bytes: usize| {
        let event = |padding: &str| {
            json!({"business_id": "bus_sim", "type": "payout.success", "timestamp": "2026-01-01T00:00:00Z",
                   "data": {"payload_type": "Payout", "x": padding}})
        };
        event(&"x".repeat(bytes - event("").to_string().len())).to_string().into_bytes()
    };
    for (bytes, code) in [(256 * 1024, None), (256 * 1024 + 1, Some("payload_too_large"))] {
        let body = webhook(bytes);
        assert_eq!(body.len(), bytes);
        let at = now();
        let signed = signature(WEBHOOK_SECRET, "msg_1", at, &body);
        let answer = deliver(&app, "msg_1", at, &signed, body).await;
        match code {
            None => assert_eq!(answer.status, 204, "{}", answer.body),
            Some(code) => assert_eq!(answer.code(), code),
        }
    }
}

#[tokio::test]
async fn a_deep_webhook_is_kept_and_brings_nothing_down() {
    let app = TestApp::spawn().await;
    for levels in [10_000, 120_000] {
        let nested = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for body in [nested.clone(), format!(r#"{{"type":"payment.succeeded","data":{nested}}}"#)] {
            let body = body.into_bytes();
            let at = now();
            let signed = signature(WEBHOOK_SECRET, "msg_1", at, &body);
            let answer = deliver(&app, "msg_1", at, &signed, body).await;
            assert_eq!(answer.status, 204, "{levels}");
        }
    }
    assert_eq!(app.request(reqwest::Method::GET, "/").send().await.unwrap().status(), 404, "still there");
}
