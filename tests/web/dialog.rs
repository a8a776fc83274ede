//! The plan change in its native dialog.

use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{HtmlDialogElement, KeyboardEvent, KeyboardEventInit};

use crate::support::answers::*;
use crate::support::*;

fn backend() -> Backend {
    Backend::new().reply("POST /preview", 200, preview("q1", 5000)).reply("GET ", 200, PLANS)
}

/// The button that picks the other plan: the only one on the page that is no link.
const PICK: &str = "section .button";

fn dialog(widget: &Widget) -> HtmlDialogElement {
    widget.find("dialog").unwrap().unchecked_into()
}

async fn opened(backend: &Backend) -> Widget {
    fresh_browser();
    let widget = Widget::mount("plans", backend, Some(PLANS));
    let pick = widget.finds(PICK).await;
    pick.focus().unwrap();
    pick.click();
    until("the dialog to open", || dialog(&widget).open()).await;
    widget
}

/// Presses confirm until it counts: it does after the quote has been in view for half a second.
async fn confirm(widget: &Widget, backend: &Backend) {
    let button = widget.finds("dialog [part=accept]").await;
    until("the button to count", || {
        button.click();
        !backend.received("POST /change").is_empty()
    })
    .await;
}

#[wasm_bindgen_test]
async fn a_change_is_previewed_confirmed_and_told() {
    let backend = backend().reply("POST /change", 200, SUCCEEDED);
    let widget = opened(&backend).await;
    let button = widget.finds("dialog [part=accept]").await;
    assert!(button.text_content().unwrap().contains("$50.00"));
    confirm(&widget, &backend).await;
    widget.sees("pay_77").await;
    let changed = widget.hears("upsell-plan-changed").await;
    assert_eq!(
        (changed.detail["scheduled"].as_bool(), changed.detail["product_id"].as_str()),
        (Some(false), Some("prod_pro"))
    );
    assert_eq!(backend.received("POST /change").len(), 1);
    backend.has_received("GET ", 1).await;
}

#[wasm_bindgen_test]
async fn the_focus_starts_on_the_safe_side_and_goes_back_to_where_it_came_from() {
    let backend = backend();
    let widget = opened(&backend).await;
    until("the focus to be in the dialog", || {
        widget.root.active_element().is_some_and(|element| dialog(&widget).contains(Some(&element)))
    })
    .await;
    let focused = widget.root.active_element().unwrap();
    assert_ne!(focused.get_attribute("part").as_deref(), Some("accept"));
    widget.click("dialog [part=decline]").await;
    until("the dialog to close", || !dialog(&widget).open()).await;
    until("the focus to be back", || {
        widget.root.active_element().is_some_and(|element| element.matches(PICK).unwrap_or(false))
    })
    .await;
}

/// Escape, the back gesture and others close a dialog without asking anybody.
#[wasm_bindgen_test]
async fn a_dialog_that_the_browser_closed_stays_closed() {
    let backend = backend();
    let widget = opened(&backend).await;
    dialog(&widget).close();
    settled().await;
    until("the flow to know", || widget.find("dialog [part=accept]").is_none()).await;
    assert!(!dialog(&widget).open());
    widget.click(PICK).await;
    until("the dialog to open again", || dialog(&widget).open()).await;
}

#[wasm_bindgen_test]
async fn closing_while_it_is_confirmed_does_not_lose_the_outcome() {
    let backend =
        backend().reply("POST /change", 200, PROCESSING).reply("GET /attempts/att_1", 200, SUCCEEDED);
    let widget = opened(&backend).await;
    confirm(&widget, &backend).await;
    dialog(&widget).close();
    widget.hears("upsell-plan-changed").await;
    settled().await;
    assert!(!dialog(&widget).open());
    assert!(widget.find("[part=notice]").is_some(), "{}", widget.text());
}

#[wasm_bindgen_test]
async fn a_key_that_is_held_down_does_not_press_again() {
    let backend = backend();
    let widget = opened(&backend).await;
    let button = widget.finds("dialog [part=accept]").await;
    for (repeat, stopped) in [(false, false), (true, true)] {
        let init = KeyboardEventInit::new();
        init.set_key("Enter");
        init.set_repeat(repeat);
        init.set_cancelable(true);
        init.set_bubbles(true);
        let event = KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &init).unwrap();
        button.dispatch_event(&event).unwrap();
        assert_eq!(event.default_prevented(), stopped);
    }
}

#[wasm_bindgen_test]
async fn plans_that_cannot_be_had_offer_to_try_again() {
    fresh_browser();
    let backend = Backend::new().reply("GET ", 500, "oops").reply("GET ", 200, PLANS);
    let widget = Widget::mount("plans", &backend, None);
    widget.hears("upsell-failed").await;
    widget.click("[part=message] button").await;
    widget.finds(PICK).await;
}
