//! The standalone upgrade page: the same widget, filling a page of the proxy's own.
//!
//! The session token comes in the fragment of the address (`#token=…`), which is never sent to a server.
//! `embed/upgrade.js` takes it out before it loads this program, so that it is neither shared nor kept in the history.
//! `?view=offer` or `?view=plans` (the default) says which widget, `?locale=ja` which language; without one the browser's
//! own is taken.

use upsell_widget::browser::page;
use upsell_widget::config::{Config, ConfigError};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlElement, ShadowRootInit, ShadowRootMode, UrlSearchParams, Window};

fn main() {
    if let Some(window) = web_sys::window()
        && let Some(Err(error)) = open(&window)
    {
        page::warn(error.message());
    }
}

/// `None` where the page is not the one that this program was written for.
fn open(window: &Window) -> Option<Result<(), ConfigError>> {
    let location = window.location();
    let params = UrlSearchParams::new_with_str(&location.search().ok()?).ok()?;
    let token = js_sys::Reflect::get(window, &JsValue::from_str("upsellToken")).ok()?;
    let token = token.as_string().unwrap_or_default();

    let document = window.document()?;
    let locale = params.get("locale").or_else(|| window.navigator().language()).unwrap_or_default();
    let view = params.get("view").unwrap_or_else(|| "plans".to_owned());
    let path = if view == "offer" { "/v1/upsell" } else { "/v1/plans" };
    let endpoint = [location.origin().ok()?.as_str(), path].concat();
    let config = match Config::parse(&view, &endpoint, &token, &locale) {
        Ok(config) => config,
        Err(error) => return Some(Err(error)),
    };
    if let Some(page) = document.document_element() {
        _ = page.set_attribute("lang", &config.locale);
    }

    let host = document.get_element_by_id("app")?.dyn_into::<HtmlElement>().ok()?;
    let root = host.attach_shadow(&ShadowRootInit::new(ShadowRootMode::Open)).ok()?;
    upsell_widget::mount(host, &root, config, None).forget();
    Some(Ok(()))
}
