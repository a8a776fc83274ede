//! Puts a widget into a shadow root and takes it out again.

use flow::offer::View;
use leptos::mount::mount_to;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, ShadowRoot};

use crate::browser::screen::Meant;
use crate::browser::stylesheet;
use crate::config::{Config, Kind};
use crate::dispatch::Dispatch;
use crate::driver::{Driver, Machine, Offer, Plans};
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

/// Mounts the widget that `config` names: for pages that may show either. See [`mount_offer`].
pub fn mount(host: HtmlElement, root: &ShadowRoot, config: Config, first_answer: Option<String>) -> Handle {
    match config.kind {
        Kind::Offer => mount_offer(host, root, config, first_answer),
        Kind::Plans => mount_plans(host, root, config, first_answer),
    }
}

/// Mounts the offer into `root`, the shadow root of `host`. Events are dispatched on `host`. `first_answer` is the body of
/// `GET {endpoint}` where the caller has already asked.
pub fn mount_offer(
    host: HtmlElement,
    root: &ShadowRoot,
    config: Config,
    first_answer: Option<String>,
) -> Handle {
    mount_into::<Offer, _>(host, root, config, first_answer, ui::offer, ui::offer_meant)
}

/// The same for the plans.
pub fn mount_plans(
    host: HtmlElement,
    root: &ShadowRoot,
    config: Config,
    first_answer: Option<String>,
) -> Handle {
    mount_into::<Plans, _>(host, root, config, first_answer, ui::plans, ui::plans_meant)
}

/// Mounts the offer into a page that has nothing else to show: `nothing` stands there while there is no offer on it.
pub fn mount_offer_page(
    host: HtmlElement,
    root: &ShadowRoot,
    config: Config,
    first_answer: String,
    nothing: &'static str,
) -> Handle {
    let draw = move |view: Signal<View>, dispatch, locale| {
        let is_empty = move || view.with(|view| *view == View::Nothing);
        (ui::offer(view, dispatch, locale), ui::sentence(nothing, is_empty))
    };
    mount_into::<Offer, _>(host, root, config, Some(first_answer), draw, ui::offer_meant)
}

/// Says one sentence in place of a widget.
pub fn say(root: &ShadowRoot, words: &'static str) {
    if let Some(host) = root.host().dyn_into::<HtmlElement>().ok()
        && let Some(screen) = screen(&host, root)
    {
        stylesheet::adopt(root, &host);
        mount_to(screen, move || ui::sentence(words, || true)).forget();
    }
}

fn mount_into<M: Machine, U: IntoView + 'static>(
    host: HtmlElement,
    root: &ShadowRoot,
    config: Config,
    first_answer: Option<String>,
    draw: impl FnOnce(Signal<M::View>, Dispatch<M::Act>, Signal<Locale>) -> U + 'static,
    meant: impl Fn(&Locale, &M::View, &M::Act) -> Option<Meant> + 'static,
) -> Handle {
    let Some(screen) = screen(&host, root) else { return Handle { unmount: None } };
    stylesheet::adopt(root, &host);
    let inside = screen.clone();
    let handle = mount_to(screen.clone(), move || {
        let (view, dispatch, locale) = Driver::<M>::start(config, host, inside, first_answer, meant);
        draw(view, dispatch, locale)
    });
    Handle {
        unmount: Some(Box::new(move || {
            drop(handle);
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
