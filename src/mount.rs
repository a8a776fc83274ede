//! Puts a widget into a shadow root and takes it out again.

use leptos::mount::mount_to;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, ShadowRoot};

use crate::browser::stylesheet;
use crate::config::{Config, Kind};
use crate::driver::{Driver, Offer, Plans};
use crate::ui::{self, Locale};

/// A mounted widget. Dropping it unmounts it.
#[must_use = "dropping the handle unmounts the widget"]
pub struct Handle {
    unmount: Option<Box<dyn FnOnce()>>,
}

impl Handle {
    /// Ends the widget: its elements, listeners, timers and loads. A charge or a refusal under way still reaches the
    /// backend.
    pub fn unmount(&mut self) {
        if let Some(unmount) = self.unmount.take() {
            unmount();
        }
    }

    /// Leaves the widget mounted for as long as the page lives.
    pub fn forget(mut self) {
        // The closure owns everything; forgetting it on purpose is what keeps the widget alive.
        core::mem::forget(self.unmount.take());
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.unmount();
    }
}

/// Mounts a widget into `root`, the shadow root of `host`. Events are dispatched on `host`. `first_answer` is the body
/// of `GET {endpoint}` where the caller has already asked.
pub fn mount(host: HtmlElement, root: &ShadowRoot, config: Config, first_answer: Option<String>) -> Handle {
    let Some(screen) = screen(&host, root) else { return Handle { unmount: None } };
    stylesheet::adopt(root, &host);
    let locale = Locale::of_tag(&config.locale);
    let inside = screen.clone();
    let unmount: Box<dyn FnOnce()> = match config.kind {
        Kind::Offer => {
            let handle = mount_to(screen.clone(), move || {
                let (view, dispatch) = Driver::<Offer>::start(config, host, inside, first_answer);
                ui::offer(view, dispatch, locale)
            });
            Box::new(move || drop(handle))
        }
        Kind::Plans => {
            let handle = mount_to(screen.clone(), move || {
                let (view, dispatch) = Driver::<Plans>::start(config, host, inside, first_answer);
                ui::plans(view, dispatch, locale)
            });
            Box::new(move || drop(handle))
        }
    };
    Handle {
        unmount: Some(Box::new(move || {
            unmount();
            screen.remove();
        })),
    }
}

/// The element that everything is drawn into.
fn screen(host: &HtmlElement, root: &ShadowRoot) -> Option<HtmlElement> {
    let element = host.owner_document()?.create_element("div").ok()?;
    let element = element.dyn_into::<HtmlElement>().ok()?;
    root.append_child(&element).ok()?;
    Some(element)
}
