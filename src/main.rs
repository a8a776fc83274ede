//! The standalone upgrade page: the same widget, filling a page of the proxy's own.
//!
//! The session token comes in the fragment of the address (`#token=…`), which is never sent to a server, and is taken
//! out of it at once so that it is neither shared nor kept in the history. `?view=offer` or `?view=plans` (the default)
//! says which widget, `?locale=ja` which language; without one that is a language the browser's own is taken, else English.

use upsell_widget::browser::page;
use upsell_widget::config::{Config, ConfigError, first_language};
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
    let fragment = location.hash().ok()?;
    let secret = UrlSearchParams::new_with_str(fragment.trim_start_matches('#')).ok()?;
    let params = UrlSearchParams::new_with_str(&location.search().ok()?).ok()?;
    let token = secret.get("token").unwrap_or_default();
    if !fragment.is_empty() {
        let clean = [location.pathname().ok()?, location.search().ok()?].concat();
        _ = window.history().ok()?.replace_state_with_url(&JsValue::NULL, "", Some(&clean));
    }

    let document = window.document()?;
    let (asked, browsers) = (params.get("locale"), window.navigator().language());
    let locale = first_language([asked.as_deref(), browsers.as_deref()].into_iter().flatten());
    if asked.is_some_and(|asked| first_language([asked.as_str(), "und"]) == "und") {
        page::warn("upsell-widget: locale is not a language tag");
    }
    let is_offer = params.get("view").is_some_and(|view| view == "offer");
    let (view, path) = if is_offer { ("offer", "/v1/upsell") } else { ("plans", "/v1/plans") };
    let endpoint = [location.origin().ok()?.as_str(), path].concat();
    let config = match Config::parse(view, &endpoint, &token, &locale) {
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
