//! Buttons. All of them are made here, so that a press means the same everywhere: a click by the buyer, once; a key
//! that is held down does not press again.

use leptos::ev::{self, KeyboardEvent, MouseEvent};
use leptos::html::button;
use leptos::prelude::*;

use crate::browser::screen;
use crate::dispatch::Dispatch;

use super::words::Words;

/// What a button looks like, and its `part`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Goes on.
    Accept,
    /// Takes the offer or confirms, at the amount that its label names. Not offered to translators, and read back when it is
    /// pressed (`browser::screen`).
    Pay,
    /// Refuses or goes back: as large as the other.
    Decline,
    /// A lesser way, as a link in the text.
    Link,
}

impl Role {
    fn class(self) -> &'static str {
        match self {
            Self::Accept => "button accept",
            Self::Pay => "button accept notranslate",
            Self::Decline => "button",
            Self::Link => "link",
        }
    }

    fn part(self) -> &'static str {
        match self {
            Self::Accept | Self::Pay => "accept",
            Self::Decline => "decline",
            Self::Link => "link",
        }
    }
}

/// A button that says `label` and does `act`. While not `live` it keeps the focus and its place, and assistive
/// technology hears that it does nothing at the moment; the flow ignores what comes from it.
pub(super) fn press<A: Clone + 'static>(
    role: Role,
    label: String,
    live: bool,
    dispatch: Dispatch<A>,
    act: A,
) -> impl IntoView + use<A> {
    let on_click: Box<dyn FnMut(MouseEvent)> = Box::new(move |event| dispatch.click(&event, act.clone()));
    button()
        .attr("type", "button")
        .class(role.class())
        .attr("part", role.part())
        .attr("translate", (role == Role::Pay).then_some("no"))
        .attr(screen::PAYS, (role == Role::Pay).then_some(""))
        .attr("aria-disabled", (!live).then_some("true"))
        .on(ev::keydown, ignore_repeats as fn(KeyboardEvent))
        .on(ev::click, on_click)
        .text(label)
}

/// A browser turns every repeat of a held Enter key into another click.
fn ignore_repeats(event: KeyboardEvent) {
    if event.repeat() {
        event.prevent_default();
    }
}
