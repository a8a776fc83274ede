//! The module that the custom elements load: one function, one handle. See `embed/element.js` for its caller.

use upsell_widget::browser::page;
use upsell_widget::config::Config;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlElement, ShadowRoot};

/// A mounted widget.
#[wasm_bindgen]
pub struct Handle(upsell_widget::Handle);

#[wasm_bindgen]
impl Handle {
    /// Takes the widget out again. More than once does no harm.
    pub fn unmount(&mut self) {
        self.0.unmount();
    }
}

/// Puts a widget into the shadow root of an element.
///
/// `kind` is `offer` or `plans`, `endpoint` the absolute base address of the backend, `first_answer` the body of
/// `GET {endpoint}` where the loader has asked already. Wrong settings leave a warning on the console, and nothing is
/// mounted.
#[wasm_bindgen]
pub fn mount(
    host: HtmlElement,
    root: &ShadowRoot,
    kind: &str,
    endpoint: &str,
    token: &str,
    locale: &str,
    first_answer: Option<String>,
) -> Option<Handle> {
    match Config::parse(kind, endpoint, token, locale) {
        Ok(config) => Some(Handle(upsell_widget::mount(host, root, config, first_answer))),
        Err(error) => {
            page::warn(error.message());
            None
        }
    }
}

fn main() {
    // A panic ends the module for the whole page. It is a bug, and the console says at least whose.
    std::panic::set_hook(Box::new(|_| page::warn("upsell-widget: internal error")));
}
