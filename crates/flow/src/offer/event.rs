//! What can happen to the offer flow.

use wire::{Attempt, DeclineReason, UpsellResponse};

use crate::{ApiError, Dwell, Press, Tag};

/// What the buyer does. Any act may come in any state; one that makes no sense there is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Presses the accept button.
    Accept,
    /// After a failure: wants the hosted checkout that is offered.
    PayAnotherWay,
    /// Presses the decline button.
    Decline(Option<DeclineReason>),
    /// Wants a fresh quote, where the page has stopped fetching one by itself.
    Refresh,
    /// Wants to know how an unfinished charge stands.
    CheckAgain,
    /// Goes to the page where the payment is completed, or to the backend's own page.
    Continue,
    /// Puts a closing notice away.
    Dismiss,
}

/// An answer of the backend, with what this browser remembers about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The answer.
    pub response: Box<UpsellResponse>,
    /// Whether this browser's copy of the decline ledger holds a refusal of what is offered
    /// (see [`crate::offer::decline_key`]).
    pub refused_here: bool,
}

/// Everything that can happen. Replies and timers carry the tag of the effect that caused them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The widget is mounted, with the first answer where the loader already has it.
    Start(Option<Answer>),
    /// The widget is mounted, and this field of the loader's answer cannot be read: asking a second time would not help.
    StartUnreadable(&'static str),
    /// The buyer did something.
    Act {
        /// What.
        act: Act,
        /// Intention and screen, in case the act starts a charge.
        press: Press,
    },
    /// Reply to `Effect::Load`.
    Loaded(Tag, Result<Answer, ApiError>),
    /// Reply to `Effect::Accept`.
    Accepted(Tag, Result<Attempt, ApiError>),
    /// Reply to `Effect::Ask`.
    Looked(Tag, Result<Attempt, ApiError>),
    /// Reply to `Effect::Decline`, with what is offered next.
    Declined(Tag, Result<Option<Answer>, ApiError>),
    /// A timer of `Effect::Schedule` ran out.
    Timer(Tag),
    /// The watch of `Effect::Watch` reached a mark.
    Dwelled(Tag, Dwell),
}
