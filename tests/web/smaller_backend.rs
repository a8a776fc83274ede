//! The merchant's own smaller backend, after Dodo's guide.

use upsell_widget::config::Config;
use upsell_widget::declines;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::answers::SMALLER;
use crate::support::*;

fn without_token(backend: &Backend) -> Config {
    Config { token: String::new(), trust_all_clicks: true, ..config("offer", backend) }
}

/// Its one product, which the browser remembers from test to test.
fn fresh() {
    fresh_browser();
    declines::forget("product:prod_bundle");
}

async fn accept(backend: &Backend) -> Widget {
    fresh();
    let widget = Widget::mount_with(without_token(backend), Some(SMALLER));
    widget.sees("$49.00").await;
    // It has no `seen` to wait for, so the button is pressed until it counts.
    let button = widget.finds("[part=accept]").await;
    until("the button to count", || {
        button.click();
        !backend.received("POST /accept").is_empty()
    })
    .await;
    widget
}

#[wasm_bindgen_test]
async fn buys_at_the_list_price() {
    let backend = Backend::new().reply("POST /accept", 200, r#"{"success":true,"sessionId":"cks_1"}"#);
    let widget = accept(&backend).await;
    widget.hears("upsell-accepted").await;
    let sent = &backend.received("POST /accept")[0];
    assert_eq!(sent.body, "{}");
    for header in ["authorization", "idempotency-key", "upsell-browser"] {
        assert_eq!(sent.header(header), None, "{header}");
    }
    assert_eq!(backend.calls().len(), 1, "no call that it does not know");
}

#[wasm_bindgen_test]
async fn an_unknown_outcome_is_never_tried_again() {
    for (status, body) in [(LOST, ""), (500, r#"{"error":"boom"}"#), (504, ""), (200, "not json")] {
        let backend = Backend::new().reply("POST /accept", status, body);
        let widget = accept(&backend).await;
        let failed = widget.hears("upsell-failed").await;
        assert_eq!(failed.detail["code"], "unknown", "{status}");
        drop(widget);
        // The page is loaded again, and the backend offers it again.
        let again = Widget::mount_with(without_token(&backend), Some(SMALLER));
        again.sees_nothing().await;
        assert_eq!(backend.received("POST /accept").len(), 1, "{status}");
    }
}

#[wasm_bindgen_test]
async fn a_definite_refusal_is_told_and_the_offer_may_come_back() {
    let backend = Backend::new().reply("POST /accept", 400, r#"{"error":"No eligible upsell"}"#);
    let widget = accept(&backend).await;
    widget.hears("upsell-failed").await;
    assert!(!declines::contains("product:prod_bundle"));
}

#[wasm_bindgen_test]
async fn a_refusal_is_remembered_by_the_browser_alone() {
    fresh();
    let backend = Backend::new();
    let widget = Widget::mount_with(without_token(&backend), Some(SMALLER));
    widget.click("[part=decline]").await;
    widget.sees_nothing().await;
    drop(widget);
    let again = Widget::mount_with(without_token(&backend), Some(SMALLER));
    again.sees_nothing().await;
    assert_eq!(backend.calls().len(), 0);
}
