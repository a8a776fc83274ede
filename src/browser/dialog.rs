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

/// Gives the focus to `region` if the element that had it is gone, so that the keyboard goes on from there and not
/// from the top of the page. Takes it away from nobody.
pub fn reclaim_focus(region: &HtmlElement) {
    let node: &Node = region.as_ref();
    let nobody_in = |root: Node| match root.dyn_into::<ShadowRoot>() {
        Ok(shadow) => shadow.active_element().is_none(),
        Err(_) => true,
    };
    let nobody_on_page = || {
        let document = node.owner_document();
        let active = document.as_ref().and_then(|document| document.active_element());
        let body = document.as_ref().and_then(|document| document.body());
        active.is_none_or(|active| body.is_some_and(|body| active == *AsRef::<Element>::as_ref(&body)))
    };
    if nobody_in(node.get_root_node()) && nobody_on_page() {
        _ = region.focus();
    }
}
