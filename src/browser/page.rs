//! The page around: where it can be sent, its clock, its console.

use wasm_bindgen::JsValue;
use web_sys::{Url, UrlSearchParams};

use crate::config::Config;

/// Where the proxy serves it.
const OWN_PAGE: &str = "/upgrade/";

/// Goes to an address that has been checked (`flow::may_go_to`).
pub fn go_to(url: &str) {
    if let Some(window) = web_sys::window() {
        // Fails only where the page forbids navigation; the notice on the screen then still offers the way.
        _ = window.location().assign(url);
    }
}

/// Address of the proxy's own page with the same widget, as the loader makes it for pages that forbid WebAssembly. The token
/// travels in the fragment, which is never sent. `None` where there is none: for a merchant's smaller backend, and on that
/// page itself.
#[must_use]
pub fn own_page(config: &Config) -> Option<String> {
    let here = web_sys::window()?.location();
    let page = Url::new_with_base(OWN_PAGE, &config.endpoint).ok()?;
    let is_here = here.origin().ok()? == page.origin() && here.pathname().ok()?.starts_with(OWN_PAGE);
    if config.token.is_empty() || is_here {
        return None;
    }
    page.set_search(&params(&[("view", config.kind.as_str()), ("locale", &config.locale)])?);
    page.set_hash(&params(&[("token", &config.token)])?);
    Some(page.href())
}

fn params(pairs: &[(&str, &str)]) -> Option<String> {
    let params = UrlSearchParams::new().ok()?;
    for (name, value) in pairs {
        params.append(name, value);
    }
    Some(params.to_string().into())
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
