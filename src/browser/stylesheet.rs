//! The widget's styles: one constructed stylesheet, shared by all its shadow roots. It is not subject to a page's
//! `style-src`.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CssStyleSheet, HtmlElement, ShadowRoot};

const CSS: &str = concat!(include_str!("../../style/tokens.css"), include_str!("../../style/widget.css"));

thread_local! {
    static SHEET: Option<CssStyleSheet> = construct();
}

fn construct() -> Option<CssStyleSheet> {
    let sheet = CssStyleSheet::new().ok()?;
    sheet.replace_sync(CSS).ok()?;
    Some(sheet)
}

/// Gives the root its styles. Safe to call again on the same root.
pub fn adopt(root: &ShadowRoot, host: &HtmlElement) {
    SHEET.with(|sheet| match sheet {
        Some(sheet) => {
            let sheets: js_sys::Array = core::iter::once::<JsValue>(sheet.clone().into()).collect();
            root.set_adopted_style_sheets(&sheets);
        }
        None => inline(root, host),
    });
}

/// For browsers without constructed stylesheets: an element, with the nonce of the host where the page's policy asks for
/// one.
fn inline(root: &ShadowRoot, host: &HtmlElement) {
    let present = root.query_selector("style").ok().flatten().is_some();
    let Some(document) = host.owner_document().filter(|_| !present) else { return };
    if let Ok(style) = document.create_element("style") {
        style.set_text_content(Some(CSS));
        if let Some(style) = style.dyn_ref::<HtmlElement>() {
            style.set_nonce(&host.nonce());
        }
        _ = root.append_child(&style);
    }
}
