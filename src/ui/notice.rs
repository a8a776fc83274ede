//! A message: what happened, in one line of title and one or two of text.

use leptos::html::{div, h2, p};
use leptos::prelude::*;

use super::words::Words;

/// How a message looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Something good or neutral.
    Good,
    /// Something is under way or over.
    Calm,
    /// Something did not work.
    Bad,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "notice",
            Self::Calm => "notice calm",
            Self::Bad => "notice bad",
        }
    }
}

/// A message. Empty lines are left out. It may stand alone in the element, so its title is of the level that follows the
/// page's own.
///
/// Part: `notice`.
pub(super) fn notice(tone: Tone, title: String, lines: Vec<String>) -> impl IntoView + use<> {
    let text: Vec<_> = lines.into_iter().filter(|line| !line.is_empty()).map(|line| p().text(line)).collect();
    let title = (!title.is_empty()).then(|| h2().text(title));
    div().class(tone.class()).attr("part", "notice").child((title, text))
}
