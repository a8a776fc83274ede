//! Where a charge stands.

use wire::{Attempt, AttemptId, FailureReason, Quote, Receipt};

use super::proof::NotCharged;
use super::view::Standing;
use crate::{ApiError, Intent, Tag};

/// A charge that is not decided yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    pub(crate) stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The request is under way, or about to be repeated.
    Sending(Sending),
    /// The backend has it, or may have it: nothing is sent again, the page only asks.
    Waiting(Waiting),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sending {
    /// The buyer's one intention; every repetition of the request carries it.
    pub(crate) intent: Intent,
    /// Reply that is waited for, or the timer before the next repetition.
    pub(crate) awaited: Tag,
    /// Runs out when the buyer should get a calmer picture than a busy button.
    pub(crate) slow_timer: Tag,
    /// Whether it ran out.
    pub(crate) slow: bool,
    /// How many times the request was sent.
    pub(crate) sends: u8,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) awaits: Awaits,
    /// What to ask for; without one the page is loaded anew and tells.
    pub(crate) attempt: Option<AttemptId>,
    pub(crate) watch: Watch,
    /// How many times it was asked.
    pub(crate) asked: u8,
    /// How many times in a row the backend knew of no charge at all.
    pub(crate) untouched: u8,
}

impl Waiting {
    pub(crate) fn new(awaits: Awaits, attempt: Option<AttemptId>) -> Self {
        Self { awaits, attempt, watch: Watch::Ended, asked: 0, untouched: 0 }
    }
}

/// What an unfinished charge waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Awaits {
    /// The bank.
    Bank,
    /// The buyer. While a charge is undecided no other page than its own leads on: a second way to pay could be a second
    /// charge.
    Buyer {
        /// Where this very payment is completed, where there is such a page.
        at: Option<String>,
    },
    /// Word of what became of it.
    Evidence,
    /// A person at the merchant's, who looks into it.
    Review,
}

impl Awaits {
    pub(crate) fn standing(&self) -> Standing {
        match self {
            Self::Bank => Standing::Processing,
            Self::Buyer { .. } => Standing::ActionRequired,
            Self::Evidence => Standing::InDoubt,
            Self::Review => Standing::InReview,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Until the next question.
    Timer(Tag),
    /// A question is under way.
    Asking(Tag),
    /// The schedule has ended; the buyer may ask once more.
    Ended,
}

/// What a look at the backend showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The attempt.
    Attempt(Box<Attempt>),
    /// The backend knows of no charge: the offer can be accepted again, or no change is under way.
    Untouched,
    /// The backend knows of no charge, and what was accepted is not on offer any more.
    Gone,
    /// What was confirmed is in force: the subscription itself says so, without an attempt.
    Reached {
        /// Whether it is booked for the next billing date.
        scheduled: bool,
    },
    /// It says nothing about this charge.
    Unclear,
}

/// What a charge reacts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Reply to [`Command::Send`].
    Replied(Tag, Result<Attempt, ApiError>),
    /// Reply to [`Command::Ask`].
    Looked(Tag, Result<Seen, ApiError>),
    /// A timer ran out.
    Timer(Tag),
    /// The buyer wants to know now.
    CheckAgain,
}

/// What a charge wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Send the charging request, with this intention.
    Send(Tag, Intent),
    /// Ask how it stands: about this attempt, or without one by loading anew.
    Ask(Tag, Option<AttemptId>),
    /// Come back with [`Input::Timer`] after so many milliseconds.
    Schedule(Tag, u32),
}

/// How a charge ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Collected, or nothing was due; or booked for the next billing date.
    Succeeded {
        /// Booked for later instead of collected now.
        scheduled: bool,
        /// What was collected.
        receipt: Option<Box<Receipt>>,
    },
    /// The buyer pays at this address.
    Checkout(String),
    /// Definitely not collected.
    Failed {
        /// Why.
        reason: FailureReason,
        /// Whether the backend offers a hosted checkout instead.
        hosted_offered: bool,
        /// What proves it.
        not_charged: NotCharged,
    },
    /// Not collected: it costs something else now.
    QuoteChanged(Box<Quote>, NotCharged),
    /// Not collected: the quote's time has passed.
    QuoteExpired(NotCharged),
    /// Not collected: too many requests.
    Busy(NotCharged),
    /// The backend knows of no request. Confirming again is safe: the backend charges an offer once.
    NotReceived,
    /// What was accepted is not on offer any more; it may have been paid on another page.
    Gone,
    /// The session has ended. What became of earlier requests is not known here.
    SessionOver,
}

/// What came of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Goes on.
    On(Charge, Vec<Command>),
    /// Decided.
    Settled(Settled),
}
