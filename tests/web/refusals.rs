//! A no is remembered at once, and for good.

use upsell_widget::declines;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::answers::*;
use crate::support::*;

#[wasm_bindgen_test]
async fn a_refusal_is_stored_sent_and_final() {
    fresh_browser();
    let backend = Backend::new().reply("POST /decline", 200, r#"{"next":null}"#);
    let widget = Widget::mount("offer", &backend, Some(&offer("r1", "q1", 5000)));
    widget.click("[part=decline]").await;
    widget.sees_nothing().await;
    backend.has_received("POST /decline", 1).await;
    let sent = &backend.received("POST /decline")[0];
    assert_eq!(sent.body, r#"{"offer_id":"r1"}"#);
    assert_eq!(sent.options[4], "true", "sent even if the page goes away");
    let stored =
        web_sys::window().unwrap().local_storage().unwrap().unwrap().get_item(declines::ITEM).unwrap();
    let stored: serde_json::Value = serde_json::from_str(&stored.unwrap()).unwrap();
    let entry = stored.as_array().unwrap().iter().find(|entry| entry["key"] == "dk_r1").unwrap();
    assert!(entry["at"].as_i64().unwrap() > 1_700_000_000);
    widget.hears("upsell-declined").await;
}

#[wasm_bindgen_test]
async fn what_this_browser_refused_is_hidden_and_told_again() {
    fresh_browser();
    let offline = Backend::new().reply("POST /decline", LOST, "");
    let widget = Widget::mount("offer", &offline, Some(&offer("r2", "q1", 5000)));
    widget.click("[part=decline]").await;
    offline.has_received("POST /decline", 1).await;
    drop(widget);
    let online = Backend::new().reply("GET ", 200, offer("r2", "q2", 5000)).reply(
        "POST /decline",
        200,
        r#"{"next":null}"#,
    );
    let widget = Widget::mount("offer", &online, None);
    online.has_received("POST /decline", 1).await;
    widget.sees_nothing().await;
    assert_eq!(widget.heard(), Vec::<String>::new());
}

#[wasm_bindgen_test]
async fn a_downsell_comes_once() {
    fresh_browser();
    let next = |id: &str, total| format!(r#"{{"next":{}}}"#, offer(id, "q2", total));
    let backend = Backend::new().reply("POST /decline", 200, next("r4", 1900)).reply(
        "POST /decline",
        200,
        next("r5", 900),
    );
    let widget = Widget::mount("offer", &backend, Some(&offer("r3", "q1", 5000)));
    widget.click("[part=decline]").await;
    widget.sees("$19.00").await;
    widget.click("[part=decline]").await;
    backend.has_received("POST /decline", 2).await;
    widget.sees_nothing().await;
}

#[wasm_bindgen_test]
async fn storage_that_throws_does_not_bring_an_offer_back() {
    fresh_browser();
    break_storage(true);
    let backend = Backend::new().reply("POST /decline", 200, r#"{"next":null}"#);
    let widget = Widget::mount("offer", &backend, Some(&offer("r6", "q1", 5000)));
    widget.click("[part=decline]").await;
    widget.sees_nothing().await;
    drop(widget);
    let widget = Widget::mount("offer", &backend, Some(&offer("r6", "q2", 5000)));
    backend.has_received("POST /decline", 2).await;
    widget.sees_nothing().await;
    break_storage(false);
}
