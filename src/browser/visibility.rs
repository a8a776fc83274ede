//! How long something has been really visible: at least half of it, or filling half of the window, without a break.

use std::cell::RefCell;
use std::rc::Rc;

use flow::Dwell;
use gloo_timers::callback::Timeout;
use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{Element, IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit};

const ARMED_AFTER: u32 = 500;
const SEEN_AFTER: u32 = 1_000;

/// A watch over one element; dropping it ends the watch.
pub struct Visibility {
    observer: IntersectionObserver,
    _on_change: Closure<dyn FnMut(Array)>,
}

impl Visibility {
    /// Watches the element and tells each mark as it is reached, every time anew that it comes into view. `None` in a
    /// browser that cannot watch.
    pub fn watch(element: &Element, on_dwell: impl Fn(Dwell) + 'static) -> Option<Self> {
        let on_dwell = Rc::new(on_dwell);
        let timers = RefCell::new(Vec::new());
        let on_change = Closure::<dyn FnMut(Array)>::new(move |entries: Array| {
            // The last entry is the newest.
            let Some(entry) =
                entries.iter().last().and_then(|e| e.dyn_into::<IntersectionObserverEntry>().ok())
            else {
                return;
            };
            let mut timers = timers.borrow_mut();
            if !is_visible(&entry) {
                timers.clear();
            } else if timers.is_empty() {
                for (after, dwell) in [(ARMED_AFTER, Dwell::Armed), (SEEN_AFTER, Dwell::Seen)] {
                    let on_dwell = on_dwell.clone();
                    timers.push(Timeout::new(after, move || on_dwell(dwell)));
                }
            }
        });
        let options = IntersectionObserverInit::new();
        let thresholds: Array = [0.0, 0.1, 0.25, 0.5, 0.75, 1.0].into_iter().map(JsValue::from_f64).collect();
        options.set_threshold(&thresholds);
        let callback = on_change.as_ref().unchecked_ref();
        let observer = IntersectionObserver::new_with_options(callback, &options).ok()?;
        observer.observe(element);
        Some(Self { observer, _on_change: on_change })
    }
}

impl Drop for Visibility {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

fn is_visible(entry: &IntersectionObserverEntry) -> bool {
    if !entry.is_intersecting() {
        return false;
    }
    // Whole pixels are fine enough.
    let shown = entry.intersection_rect().height() as i64;
    let fills_half =
        entry.root_bounds().is_some_and(|window| shown.saturating_mul(2) >= window.height() as i64);
    entry.intersection_ratio() >= 0.5 || fills_half
}
