//! What the page hears, in which order, and what it may stop.

use serde_json::json;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::answers::*;
use crate::support::*;

#[wasm_bindgen_test]
async fn an_accept_is_asked_then_told() {
    fresh_browser();
    let backend = Backend::new().reply("POST /accept", 200, SUCCEEDED).reply("POST /seen", 204, "");
    let widget = Widget::mount("offer", &backend, Some(&offer("e1", "q1", 5000)));
    widget.is_looked_at(&backend).await;
    widget.click("[part=accept]").await;
    let accepted = widget.hears("upsell-accepted").await;
    assert_eq!(widget.heard(), ["upsell-shown", "upsell-accept", "upsell-accepted"]);
    assert_eq!(
        accepted.detail,
        json!({"kind": "offer", "offer_id": "e1", "offer_kind": "upsell", "product_id": "prod_pro",
               "amount": "50.00", "currency": "USD", "status": "succeeded"})
    );
}

#[wasm_bindgen_test]
async fn the_page_may_stop_an_accept_but_not_a_refusal() {
    fresh_browser();
    let backend = Backend::new()
        .reply("POST /accept", 200, SUCCEEDED)
        .reply("POST /decline", 200, r#"{"next":null}"#)
        .reply("POST /seen", 204, "");
    let mut widget = Widget::mount("offer", &backend, Some(&offer("e2", "q1", 5000)));
    for event in ["upsell-accept", "upsell-declined"] {
        widget.on(event, |event| event.prevent_default());
    }
    widget.is_looked_at(&backend).await;
    widget.click("[part=accept]").await;
    assert_eq!(backend.received("POST /accept").len(), 0);
    widget.sees("$50.00").await;
    widget.click("[part=decline]").await;
    backend.has_received("POST /decline", 1).await;
    widget.sees_nothing().await;
}

#[wasm_bindgen_test]
async fn events_leave_the_shadow_root_and_bubble() {
    fresh_browser();
    let backend = Backend::new();
    let heard = std::rc::Rc::new(std::cell::Cell::new(false));
    let inner = heard.clone();
    let listener =
        wasm_bindgen::closure::Closure::<dyn FnMut(web_sys::Event)>::new(move |event: web_sys::Event| {
            inner.set(event.bubbles() && event.composed() && !event.cancelable());
        });
    let callback = wasm_bindgen::JsCast::unchecked_ref(listener.as_ref());
    document().add_event_listener_with_callback("upsell-shown", callback).unwrap();
    let _widget = Widget::mount("offer", &backend, Some(&offer("e3", "q1", 5000)));
    until("the document to hear", || heard.get()).await;
    document().remove_event_listener_with_callback("upsell-shown", callback).unwrap();
}
