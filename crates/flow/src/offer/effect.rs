//! What the offer flow wants done.

use wire::{AttemptId, DeclineRequest, OfferId, PayWith, QuoteId, SeenRequest};

use crate::{Intent, Tag, announce::Announcement};

/// What an accept sends. No amount, no product, no payment method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcceptBody {
    /// An offer at a quote.
    Offer {
        /// Which offer.
        offer_id: OfferId,
        /// Which quote was on the screen.
        quote_id: QuoteId,
        /// How many were on the screen.
        quantity: u32,
        /// Absent means the saved card that was on the screen.
        pay_with: Option<PayWith>,
    },
    /// To a basic backend, which knows itself what it offered.
    ListPrice,
}

/// One thing to do. The shell carries them out in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Load the offer → `Event::Loaded`.
    Load(Tag),
    /// Charge → `Event::Accepted`.
    Accept {
        /// For the reply.
        tag: Tag,
        /// The buyer's one intention.
        intent: Intent,
        /// What is accepted.
        body: AcceptBody,
    },
    /// Ask how an attempt stands → `Event::Looked`.
    Ask(Tag, AttemptId),
    /// Tell the backend of a refusal, even if the page goes away → `Event::Declined`.
    Decline(Tag, DeclineRequest),
    /// Tell the backend that the offer was really visible. No reply is waited for.
    Seen(SeenRequest),
    /// Keep this decline key in the browser.
    Remember(String),
    /// Watch how long what is on the screen now is really visible → `Event::Dwelled`. Ends an earlier watch.
    Watch(Tag),
    /// Come back after so many milliseconds → `Event::Timer`.
    Schedule(Tag, u32),
    /// Go to this address; it has been checked.
    Navigate(String),
    /// Go to the backend's own page, which shows the same offer.
    OwnPage,
    /// Tell the page.
    Announce(Announcement),
}
