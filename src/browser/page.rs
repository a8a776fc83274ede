//! The page around: where it can be sent, its clock, its console.

use wasm_bindgen::JsValue;
use web_sys::{Url, UrlSearchParams, Window};

use crate::config::Config;

/// Where the proxy serves it.
const OWN_PAGE: &str = "/upgrade/";

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

/// Address of the proxy's own page with the same widget, as the loader makes it for pages that forbid WebAssembly, without
/// what opens it. `None` where there is none: for a merchant's basic backend, and on that page itself.
fn own_page(config: &Config) -> Option<Url> {
    let here = web_sys::window()?.location();
    let page = Url::new_with_base(OWN_PAGE, &config.endpoint).ok()?;
    let is_here = here.origin().ok()? == page.origin() && here.pathname().ok()?.starts_with(OWN_PAGE);
    if config.token.is_empty() || is_here {
        return None;
    }
    page.set_search(&params(&[("view", config.kind.as_str()), ("locale", &config.locale)])?);
    Some(page)
}

/// Says whether the proxy has a page of its own to go to.
#[must_use]
pub fn has_own_page(config: &Config) -> bool {
    own_page(config).is_some()
}

/// Goes to the proxy's own page, which this one-time code opens. It travels in the fragment, which is never sent.
pub fn go_to_own_page(config: &Config, code: &str) {
    if let (Some(page), Some(fragment)) = (own_page(config), params(&[("code", code)])) {
        page.set_hash(&fragment);
        go_to(&page.href());
    }
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
