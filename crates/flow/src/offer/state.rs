//! Where the offer flow stands: mutually exclusive phases, and the little that outlives them.

use wire::Money;

use super::basic::{Ordered, Ordering};
use super::proposal::Proposal;
use super::view::{Closed, Notice};
use crate::charge::{Charge, DoneView, Failure, NotCharged};
use crate::press::Doubt;
use crate::{OwnPage, Tag, Tags};

/// The state of the offer flow. Opaque: `step` moves it, `view` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub(crate) memory: Memory,
    pub(crate) phase: Phase,
}

/// What outlives a phase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) tags: Tags,
    /// Decline keys of what was refused on this page: none of it is shown again, whatever the backend says.
    pub(crate) refused: Vec<String>,
    /// What is offered now follows a refusal: after its own refusal nothing follows.
    pub(crate) last_in_chain: bool,
    /// The hosted checkout was taken as another way to pay for this offer; it is not offered again.
    pub(crate) another_way_taken: bool,
    /// Whether the page was told that this offer was seen.
    pub(crate) told_shown: bool,
    pub(crate) doubt: Doubt,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not started.
    #[default]
    Idle,
    /// Waiting for the first answer; nothing is on the screen.
    Loading(Tag),
    /// Nothing to show, for good.
    Nothing,
    /// The offer is on the screen.
    Offered(Box<Offered>),
    /// The buyer has confirmed, here or on an earlier page.
    Charging(Box<Charging>),
    /// The buyer has confirmed, and the order is on its way to a basic backend.
    Ordering(Box<Ordering>),
    /// What a basic backend has made of the order.
    Ordered(Ordered),
    /// On the way to a hosted checkout.
    Leaving { due: Option<Money>, url: String },
    /// Definitely not collected.
    Failed(Box<Failed>),
    /// Refused; waiting for what may follow. Nothing is on the screen.
    Declining(Tag),
    /// Collected.
    Done(Box<DoneView>),
    /// Over, and the buyer is told why.
    Closed(Closed),
    /// Something else writes on the page: the offer cannot be accepted here. Nothing was sent.
    Altered(OwnPage),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offered {
    pub(crate) proposal: Box<Proposal>,
    /// Names what is drawn. Other amounts are another drawing.
    pub(crate) drawing: Tag,
    /// The watch over how long this very content has been visible.
    pub(crate) watch: Tag,
    pub(crate) armed: bool,
    pub(crate) seen: bool,
    pub(crate) freshness: Freshness,
    /// How many times a fresh quote was fetched without the buyer asking.
    pub(crate) refreshes: u8,
    pub(crate) changed_from: Option<Money>,
    pub(crate) notice: Option<Notice>,
    /// The proof that the last confirmation was not charged, until a quote is fetched for another reason.
    pub(crate) not_charged: Option<NotCharged>,
}

impl Offered {
    /// Whether a press on the accept button counts: seen long enough, and at a price that still stands.
    pub(crate) fn can_accept(&self) -> bool {
        self.armed && matches!(self.freshness, Freshness::Lasting | Freshness::Until(_))
    }
}

/// Whether the price on the screen can still be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// List prices do not expire.
    Lasting,
    /// Until this timer runs out.
    Until(Tag),
    /// A fresh one is on its way.
    Refreshing(Tag),
    /// It expired and the page waits for the buyer to ask.
    Stale,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Charging {
    pub(crate) charge: Charge,
    /// What was confirmed; absent when an earlier page began it.
    pub(crate) proposal: Option<Box<Proposal>>,
    /// The drawing on which it was confirmed.
    pub(crate) drawing: Tag,
    /// Whether the hosted checkout was asked for instead of the card.
    pub(crate) another_way: bool,
    /// What the backend offered when it was last looked at.
    pub(crate) latest: Option<Box<Proposal>>,
    /// Whether the page was told that it is pending.
    pub(crate) announced: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    /// What was confirmed; absent when an earlier page began it.
    pub(crate) proposal: Option<Box<Proposal>>,
    pub(crate) failure: Failure,
    pub(crate) not_charged: NotCharged,
    pub(crate) another_way: bool,
}
