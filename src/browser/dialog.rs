//! The native modal dialog and the focus around it. The browser does the rest: it keeps the focus inside, makes the
//! page behind inert, closes on Escape and gives the focus back to what opened it.

use leptos::web_sys::{Element, HtmlDialogElement, HtmlElement, Node, ShadowRoot};
use wasm_bindgen::JsCast;

/// Makes the element's open state what it should be.
pub fn reconcile(dialog: &HtmlDialogElement, open: bool) {
    if open && !dialog.open() {
        // Throws when the element is not connected; then there is nobody to show it to.
        _ = dialog.show_modal();
    } else if !open && dialog.open() {
        dialog.close();
    }
}

/// A control, by what is the same in each drawing of it.
pub struct Control {
    selector: String,
    /// Which of those that fit the selector.
    nth: u32,
}

/// The control in `region` that has the focus.
#[must_use]
pub fn focused_in(region: &HtmlElement) -> Option<Control> {
    let root = AsRef::<Node>::as_ref(region).get_root_node().dyn_into::<ShadowRoot>().ok()?;
    let focused = root.active_element()?;
    let attribute = |name: &str| {
        let value = focused.get_attribute(name).filter(|value| !value.contains(['"', '\\']))?;
        Some(["[", name, "=\"", &value, "\"]"].concat())
    };
    let of = |name| attribute(name).unwrap_or_default();
    let selector = [focused.local_name(), of("part"), of("name"), of("value")].concat();
    let all = region.query_selector_all(&selector).ok()?;
    let nth =
        (0..all.length()).find(|at| all.get(*at).is_some_and(|node| node.is_same_node(Some(&focused))))?;
    Some(Control { selector, nth })
}

/// Gives the focus to this control of `region`, or else to `region` itself, if the element that had it is gone, so that the
/// keyboard goes on from there and not from the top of the page. Takes it away from nobody: what is hidden, such as a part of a dialog that
/// was closed, has it only until the browser notices.
pub fn reclaim_focus(region: &HtmlElement, control: Option<&Control>) {
    let node: &Node = region.as_ref();
    let root = node.get_root_node().dyn_into::<ShadowRoot>().ok();
    let is_hidden = |element: Element| {
        element.dyn_into::<HtmlElement>().is_ok_and(|element| element.offset_height() == 0)
    };
    let nobody_in = root.as_ref().and_then(|shadow| shadow.active_element()).is_none_or(is_hidden);
    let nobody_on_page = || {
        let document = node.owner_document();
        let active = document.as_ref().and_then(|document| document.active_element());
        let body = document.as_ref().and_then(|document| document.body()).map(Element::from);
        let host = root.as_ref().map(ShadowRoot::host);
        active.is_none_or(|active| [body, host].into_iter().flatten().any(|nobody| nobody == active))
    };
    if nobody_in && nobody_on_page() {
        let control = control.and_then(|Control { selector, nth }| {
            region.query_selector_all(selector).ok()?.get(*nth)?.dyn_into::<HtmlElement>().ok()
        });
        _ = control.as_ref().unwrap_or(region).focus();
    }
}
