//! Keyboard and focus: nobody who presses a key falls to the top of the page.

use leptos::ev;
use leptos::html::Section;
use leptos::prelude::*;
use leptos::web_sys::Node;
use wasm_bindgen::JsCast;

use crate::browser::dialog::reclaim_focus;

/// Escape closes the dialog and nothing else: the page may listen for it, to close a dialog of its own. The key comes up
/// after the dialog has closed, outside of it.
pub(super) fn keep_escape_down(event: &ev::KeyboardEvent, escaping: StoredValue<bool, LocalStorage>) {
    if event.key() == "Escape" {
        event.stop_propagation();
        escaping.set_value(true);
    }
}

/// The other half of [`keep_escape_down`].
pub(super) fn keep_escape_up(event: &ev::KeyboardEvent, escaping: StoredValue<bool, LocalStorage>) {
    if event.key() == "Escape" && escaping.get_value() {
        event.stop_propagation();
        escaping.set_value(false);
    }
}

/// The element of a region that had the focus, or was pressed, last. (Safari gives no focus to a button that is pressed.)
#[derive(Clone, Copy)]
pub(super) struct Touched(StoredValue<Option<Node>, LocalStorage>);

impl Touched {
    /// Notes what the buyer uses.
    pub(super) fn note(self, event: &ev::Event) {
        let node = event.target().and_then(|target| target.dyn_into::<Node>().ok());
        self.0.set_value(node);
    }

    /// Says whether it is not on the page any more.
    fn is_gone(self) -> bool {
        self.0.try_with_value(|node| node.as_ref().is_some_and(|node| !node.is_connected())).unwrap_or(false)
    }
}

/// Gives the focus to the region after a new view has taken away the element that the buyer used last, so that the keyboard
/// does not go on from the top of the page. Not before the buyer has used it, and only while `stands`: with nothing to stand
/// on, the focus waits for what comes next.
pub(super) fn follow_focus(region: NodeRef<Section>, stands: impl Fn() -> bool + Copy + 'static) -> Touched {
    let touched = Touched(StoredValue::new_local(None));
    Effect::new(move |_| {
        if !stands() {
            return;
        }
        // After the frame in which the new view is drawn: at its end the browser takes the focus from what is hidden, such as
        // a dialog that was closed.
        let reclaim = move || {
            if touched.is_gone()
                && untrack(stands)
                && let Some(element) = region.try_get_untracked().flatten()
            {
                reclaim_focus(&element, None);
            }
        };
        request_animation_frame(move || request_animation_frame(reclaim));
    });
    touched
}
