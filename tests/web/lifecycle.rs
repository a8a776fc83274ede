//! On the page and off it again, many times, without a trace.

use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::answers::*;
use crate::support::*;

fn memory_pages() -> u32 {
    let memory = wasm_bindgen::memory().unchecked_into::<js_sys::WebAssembly::Memory>();
    memory.buffer().unchecked_into::<js_sys::ArrayBuffer>().byte_length() / 65_536
}

#[wasm_bindgen_test]
async fn many_times_on_and_off_leaves_nothing() {
    fresh_browser();
    let before = document().query_selector_all("upsell-test").unwrap().length();
    let backend = Backend::new().reply("GET ", HANGS, "");
    let mut pages = 0;
    for round in 0..150 {
        let kind = if round % 2 == 0 { "offer" } else { "plans" };
        let waiting = Widget::mount(kind, &backend, None);
        let full = Widget::mount(kind, &backend, Some(if round % 2 == 0 { SHOWN } else { PLANS }));
        full.finds("button").await;
        until("the load to be under way", || backend.count() == round + 1).await;
        drop(full);
        drop(waiting);
        settled().await;
        if round == 50 {
            pages = memory_pages();
        }
    }
    assert_eq!(document().query_selector_all("upsell-test").unwrap().length(), before);
    assert_eq!(memory_pages(), pages, "memory grows");
    let calls = backend.calls();
    assert_eq!(calls.len(), 150);
    assert!(calls.iter().all(|call| call.aborted), "loads end with their widget");
}

const SHOWN: &str = r#"{"eligible":true,"product":{"id":"prod_l","name":"L","price":100,"currency":"USD"}}"#;

#[wasm_bindgen_test]
async fn two_widgets_do_not_mind_each_other() {
    fresh_browser();
    let backend = Backend::new().reply("POST /accept", 200, SUCCEEDED).reply("POST /seen", 204, "");
    let first = Widget::mount("offer", &backend, Some(&offer("l1", "q1", 1100)));
    let second = Widget::mount("offer", &backend, Some(&offer("l2", "q2", 2200)));
    first.sees("$11.00").await;
    second.sees("$22.00").await;
    drop(first);
    backend.has_received("POST /seen", 1).await;
    until("both to have been visible", || !backend.received("POST /seen").is_empty()).await;
    let button = second.finds("[part=accept]").await;
    until("the second to work", || {
        button.click();
        !backend.received("POST /accept").is_empty()
    })
    .await;
    second.sees("pay_77").await;
}

#[wasm_bindgen_test]
async fn the_page_may_take_the_widget_off_in_the_middle_of_anything() {
    fresh_browser();
    for event in ["upsell-accept", "upsell-accepted", "upsell-shown", "upsell-declined"] {
        let backend = Backend::new()
            .reply("POST /accept", 200, SUCCEEDED)
            .reply("POST /decline", 200, r#"{"next":null}"#)
            .reply("POST /seen", 204, "");
        let answer = offer(&format!("l3{}", event.len()), "q1", 5000);
        let mut widget = Widget::mount("offer", &backend, Some(&answer));
        let handle = std::rc::Rc::new(std::cell::RefCell::new(widget.handle.take()));
        let inner = handle.clone();
        widget.on(event, move |_| drop(inner.borrow_mut().take()));
        if event == "upsell-declined" {
            widget.click("[part=decline]").await;
        } else if event != "upsell-shown" {
            widget.is_looked_at(&backend).await;
            widget.click("[part=accept]").await;
        }
        widget.hears(event).await;
        until("the widget to be gone", || handle.borrow().is_none()).await;
        settled().await;
        assert!(widget.find("button").is_none(), "{event}");
    }
}

#[wasm_bindgen_test]
async fn a_charge_goes_on_after_the_widget_is_off_the_page() {
    fresh_browser();
    let backend = Backend::new().reply("POST /accept", HANGS, "").reply("POST /seen", 204, "");
    let widget = Widget::mount("offer", &backend, Some(&offer("l4", "q1", 5000)));
    widget.is_looked_at(&backend).await;
    widget.click("[part=accept]").await;
    backend.has_received("POST /accept", 1).await;
    drop(widget);
    settled().await;
    assert!(!backend.received("POST /accept")[0].aborted);
}

#[wasm_bindgen_test]
async fn unmounting_twice_does_no_harm() {
    let backend = Backend::new();
    let mut widget = Widget::mount("offer", &backend, Some(SHOWN));
    let mut handle = widget.handle.take().unwrap();
    handle.unmount();
    handle.unmount();
    drop(handle);
    assert!(widget.find("button").is_none());
}

#[wasm_bindgen_test]
async fn one_stylesheet_serves_all() {
    let backend = Backend::new();
    let (a, b) =
        (Widget::mount("offer", &backend, Some(SHOWN)), Widget::mount("plans", &backend, Some(PLANS)));
    let (a, b) = (a.root.adopted_style_sheets(), b.root.adopted_style_sheets());
    assert_eq!((a.length(), b.length()), (1, 1));
    assert!(js_sys::Object::is(&a.get(0), &b.get(0)));
    assert!(document().query_selector("head style[data-upsell]").unwrap().is_none());
}
