//! The page around: where it can be sent, its clock, its console.

use wasm_bindgen::JsValue;
use web_sys::Window;

/// Goes to an address that has been checked (`flow::may_go_to`), with the whole tab: pages to pay at refuse frames. A browser lets a
/// frame leave the page around it only while a press is fresh, and an answer may come later than that. Then nothing happens, and the
/// button on the screen, which comes here within the press, is the way.
pub fn go_to(url: &str) {
    let Some(window) = web_sys::window() else { return };
    // Either fails only where the page forbids navigation; the notice on the screen then still offers the way.
    if is_framed(&window) {
        _ = window.open_with_url_and_target(url, "_top");
    } else {
        _ = window.location().assign(url);
    }
}

/// Says whether the page stands in a frame.
fn is_framed(window: &Window) -> bool {
    window.top().is_ok_and(|top| top.is_none_or(|top| JsValue::from(top) != JsValue::from(window)))
}

/// Unix seconds by the browser's clock. For records only: nothing that matters depends on it.
#[must_use]
pub fn now() -> i64 {
    let milliseconds = js_sys::Date::now() as i64;
    milliseconds.div_euclid(1000)
}

/// Tells the developer. Fixed words only.
pub fn warn(message: &str) {
    web_sys::console::warn_1(&JsValue::from_str(message));
}
