//! What the modules of the two elements export. Each element has a module of its own, so that an offer does not wait for
//! the code of the plans.

/// The program of a module: one function, one handle. `$mount` is [`crate::mount_offer`] or [`crate::mount_plans`]. See
/// `embed/element.js` for its caller.
#[macro_export]
macro_rules! embed {
    ($mount:path) => {
        use wasm_bindgen::prelude::*;

        /// A mounted widget.
        #[wasm_bindgen]
        pub struct Handle($crate::Handle);

        #[wasm_bindgen]
        impl Handle {
            /// Takes the widget out again. More than once does no harm.
            pub fn unmount(&mut self) {
                self.0.unmount();
            }
        }

        /// Puts the widget into the shadow root of an element.
        ///
        /// `kind` is the element's own, `endpoint` the absolute base address of the backend, `browser` the secret that goes with
        /// the token, `first_answer` the body of
        /// `GET {endpoint}` where the loader has asked already. Wrong settings leave a warning on the console, and nothing
        /// is mounted.
        #[wasm_bindgen]
        #[allow(clippy::too_many_arguments, reason = "each crosses from JavaScript by itself")]
        pub fn mount(
            host: web_sys::HtmlElement,
            root: &web_sys::ShadowRoot,
            kind: &str,
            endpoint: &str,
            token: &str,
            browser: &str,
            locale: &str,
            first_answer: Option<String>,
        ) -> Option<Handle> {
            match $crate::config::Config::parse(kind, endpoint, token, locale) {
                Ok(config) => {
                    let config = $crate::config::Config { browser: browser.to_owned(), ..config };
                    Some(Handle($mount(host, root, config, first_answer)))
                }
                Err(error) => {
                    $crate::browser::page::warn(error.message());
                    None
                }
            }
        }

        fn main() {
            // A panic ends the module for the whole page. It is a bug, and the console says at least whose.
            std::panic::set_hook(Box::new(|_| $crate::browser::page::warn("upsell-widget: internal error")));
        }
    };
}
