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
/// from the top of the page. Takes it away from nobody: what is hidden, such as a part of a dialog that was closed, has it
/// only until the browser notices.
pub fn reclaim_focus(region: &HtmlElement) {
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
        _ = region.focus();
    }
}
