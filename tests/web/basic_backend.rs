//! The merchant's own basic backend, after Dodo's guide.

use upsell_widget::config::Config;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::answers::basic;
use crate::support::*;

fn without_token(backend: &Backend) -> Config {
    Config { token: String::new(), trust_all_clicks: true, ..config("offer", backend) }
}

async fn accept(backend: &Backend, product: &str) -> Widget {
    fresh_browser();
    let widget = Widget::mount_with(without_token(backend), Some(&basic(product)));
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

/// What no basic backend can know.
fn claims_nothing(text: &str) {
    for claim in ["Paid", "paid", "charged", "did not go through", "your bank"] {
        assert!(!text.contains(claim), "{claim} in {text}");
    }
}

#[wasm_bindgen_test]
async fn orders_at_the_list_price() {
    let backend = Backend::new().reply("POST /accept", 200, r#"{"success":true,"sessionId":"cks_1"}"#);
    let widget = accept(&backend, "prod_taken").await;
    let accepted = widget.hears("upsell-accepted").await;
    assert_eq!(accepted.detail["status"], "unconfirmed");
    widget.sees("The shop has your order").await;
    claims_nothing(&widget.text());
    let sent = &backend.received("POST /accept")[0];
    assert_eq!(sent.body, "{}");
    for header in ["authorization", "idempotency-key", "upsell-browser"] {
        assert_eq!(sent.header(header), None, "{header}");
    }
    assert_eq!(
        sent.options[1], "same-origin",
        "a cookie of the page's own origin, where that is the backend's"
    );
    assert_eq!(backend.calls().len(), 1, "no call that it does not know");
}

/// Whatever it answers, it is asked once, and nothing is said about money.
#[wasm_bindgen_test]
async fn an_order_is_never_sent_again() {
    let replies = [
        (LOST, "", "unknown"),
        (500, r#"{"error":"boom"}"#, "unknown"),
        (504, "", "unknown"),
        (409, r#"{"error":"busy"}"#, "unknown"),
        (200, "not json", "unknown"),
        (200, r#"{"success":false}"#, "not_taken"),
        // In the guide, what a buyer hears who has paid in another tab.
        (400, r#"{"error":"No eligible upsell"}"#, "not_taken"),
        (401, "<html>sign in</html>", "not_taken"),
        (403, "", "not_taken"),
        (404, r#"{"status":404,"code":"not_found","title":""}"#, "not_taken"),
        (429, r#"{"status":429,"code":"rate_limited","title":""}"#, "not_taken"),
    ];
    for (nth, (status, body, code)) in replies.into_iter().enumerate() {
        let product = format!("prod_once_{nth}");
        let backend = Backend::new().reply("POST /accept", status, body);
        let widget = accept(&backend, &product).await;
        let failed = widget.hears("upsell-failed").await;
        assert_eq!(failed.detail["code"], code, "{status} {body}");
        claims_nothing(&widget.text());
        drop(widget);
        // The page is loaded again, and the backend offers it again.
        let again = Widget::mount_with(without_token(&backend), Some(&basic(&product)));
        again.sees_nothing().await;
        assert_eq!(backend.received("POST /accept").len(), 1, "{status} {body}");
    }
}

#[wasm_bindgen_test]
async fn a_refusal_is_remembered_by_the_browser_alone() {
    fresh_browser();
    let backend = Backend::new();
    let answer = basic("prod_refused");
    let widget = Widget::mount_with(without_token(&backend), Some(&answer));
    widget.click("[part=decline]").await;
    widget.sees_nothing().await;
    drop(widget);
    let again = Widget::mount_with(without_token(&backend), Some(&answer));
    again.sees_nothing().await;
    assert_eq!(backend.calls().len(), 0);
}
