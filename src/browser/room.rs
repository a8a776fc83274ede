//! The room that an element keeps on the page.

use leptos::web_sys::HtmlElement;

/// Makes the element at least as high as `pixels`; 0 lets it go. Set through the object model: a page's policy may forbid
/// the `style` attribute.
pub fn keep(element: &HtmlElement, pixels: i32) {
    let height = [pixels.to_string().as_str(), "px"].concat();
    // Refused only for a property that does not exist.
    _ = element.style().set_property("min-block-size", &height);
}
