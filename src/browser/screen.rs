//! Reads back what stands on the screen. Translators and other extensions write on the same page, and whoever presses a
//! button agrees to what they read.

use web_sys::HtmlElement;

/// Attribute of the button that pays.
pub const PAYS: &str = "data-pays";

/// Attribute of each amount that is due.
pub const DUE: &str = "data-due";

/// The words that have to stand on the screen for a press to count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meant {
    /// Label of the one button that pays.
    pub button: String,
    /// Amount that is due, wherever it is written.
    pub due: String,
}

/// Says whether the screen says it: one button that pays with exactly this label, and at least one amount that is due, each of
/// them exactly this one.
#[must_use]
pub fn says(screen: &HtmlElement, meant: &Meant) -> bool {
    let (buttons, amounts) = (texts(screen, PAYS), texts(screen, DUE));
    buttons == [meant.button.as_str()] && !amounts.is_empty() && amounts.iter().all(|text| *text == meant.due)
}

/// Language of the words on the screen.
#[must_use]
pub fn language(screen: &HtmlElement) -> Option<String> {
    screen.query_selector("[lang]").ok()??.get_attribute("lang")
}

fn texts(screen: &HtmlElement, attribute: &str) -> Vec<String> {
    let Ok(found) = screen.query_selector_all(&["[", attribute, "]"].concat()) else { return Vec::new() };
    (0..found.length()).filter_map(|at| found.get(at)).filter_map(|node| node.text_content()).collect()
}
