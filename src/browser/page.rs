//! The page around: where it can be sent, its clock, its console.

use wasm_bindgen::JsValue;

/// Goes to an address that has been checked (`flow::may_go_to`).
pub fn go_to(url: &str) {
    if let Some(window) = web_sys::window() {
        // Fails only where the page forbids navigation; the notice on the screen then still offers the way.
        _ = window.location().assign(url);
    }
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
