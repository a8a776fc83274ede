//! What leaves the page, and what does not.

use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::answers::*;
use crate::support::*;

#[wasm_bindgen_test]
async fn every_request_is_private_and_carries_the_token() {
    fresh_browser();
    let backend = Backend::new()
        .reply("GET ", 200, offer("h1", "q1", 5000))
        .reply("POST /seen", 204, "")
        .reply("POST /decline", 200, r#"{"next":null}"#);
    let widget = Widget::mount("offer", &backend, None);
    widget.is_looked_at(&backend).await;
    widget.click("[part=decline]").await;
    backend.has_received("POST /decline", 1).await;
    let calls = backend.calls();
    assert_eq!(calls.len(), 3);
    assert_eq!((calls[0].method.as_str(), calls[0].path.as_str()), ("GET", "?locale=en&languages=en,ja"));
    for call in calls {
        assert_eq!(call.header("authorization"), Some("Bearer tok_secret"), "{call:?}");
        assert_eq!(call.header("upsell-browser"), Some("a-browser-keeps-this-in-its-storage"), "{call:?}");
        assert_eq!(call.header("accept"), Some("application/json"));
        assert_eq!(call.options[..3], ["no-store", "omit", "no-referrer"]);
        assert_eq!(call.header("content-type"), (call.method == "POST").then_some("application/json"));
        assert_eq!(call.options[3], if call.method == "POST" { "error" } else { "follow" });
        assert!(!call.path.contains("tok_secret"));
    }
}

#[wasm_bindgen_test]
async fn a_backend_that_answers_rubbish_shows_nothing() {
    fresh_browser();
    for (status, body) in [
        (LOST, ""),
        (500, "<html>oops</html>"),
        (200, "<html>hello</html>"),
        (200, "[]"),
        (200, r#"{"eligible":"yes"}"#),
        (200, r#"{"eligible":true,"product":{"id":"../x","name":"x","price":1,"currency":"USD"}}"#),
        (200, r#"{"eligible":true,"product":{"id":"x","name":"x","price":1.5,"currency":"USD"}}"#),
        (200, r#"{"eligible":true,"product":{"id":"x","name":"x","price":1,"currency":"us"}}"#),
        (401, r#"{"status":401,"code":"unauthorized","title":""}"#),
    ] {
        let backend = Backend::new().reply("GET ", status, body);
        let widget = Widget::mount("offer", &backend, None);
        let failed = widget.hears("upsell-failed").await;
        let code = match status {
            200 => "unreadable",
            401 => "unauthorized",
            _ => "unavailable",
        };
        assert_eq!(failed.detail, serde_json::json!({"kind": "offer", "code": code}), "{status} {body}");
        widget.sees_nothing().await;
    }
}

#[wasm_bindgen_test]
async fn a_first_answer_that_cannot_be_read_is_asked_for_again() {
    fresh_browser();
    let backend = Backend::new().reply("GET ", 200, offer("h2", "q1", 5000));
    let widget = Widget::mount("offer", &backend, Some("<html>"));
    widget.sees("$50.00").await;
    assert_eq!(backend.received("GET ").len(), 1);
}

#[wasm_bindgen_test]
async fn merchants_markup_stays_text() {
    fresh_browser();
    let backend = Backend::new();
    let answer = offer("h3", "q1", 5000).replace("Get more", "<img src=x onerror=alert(1)>");
    let widget = Widget::mount("offer", &backend, Some(&answer));
    widget.sees("<img src=x onerror=alert(1)>").await;
    assert!(widget.find("img").is_none());
}
