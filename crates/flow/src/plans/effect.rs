//! What the plan-change flow wants done.

use wire::{AttemptId, OfferId, PreviewRequest, QuoteId, StayOfferRequest};

use crate::{Intent, Tag, announce::Announcement};

/// One thing to do. The shell carries them out in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Load the plans → `Event::Loaded`.
    Load(Tag),
    /// Ask what a change would charge → `Event::Previewed`.
    Preview(Tag, PreviewRequest),
    /// Change the plan → `Event::Changed`.
    Change {
        /// For the reply.
        tag: Tag,
        /// The buyer's one intention.
        intent: Intent,
        /// The quote that was on the screen.
        quote_id: QuoteId,
    },
    /// Ask how an attempt stands → `Event::Looked`.
    Ask(Tag, AttemptId),
    /// Get a link on which another card is given → `Event::CardLink`.
    CardLink(Tag),
    /// Take the booked change back → `Event::TakenBack`.
    TakeBack(Tag),
    /// Ask what is proposed before the buyer leaves the plan → `Event::StayOffered`.
    StayOffer(Tag, StayOfferRequest),
    /// Refuse that. Nobody waits for the answer.
    Decline(OfferId),
    /// Cancel for the next billing date → `Event::Cancelled`.
    Cancel(Tag),
    /// Take the cancellation back → `Event::Kept`.
    KeepPlan(Tag),
    /// Watch how long the page is really visible → `Event::Dwelled`.
    Watch(Tag),
    /// Come back after so many milliseconds → `Event::Timer`.
    Schedule(Tag, u32),
    /// Go to this address; it has been checked.
    Navigate(String),
    /// Go to the backend's own page, which shows the same plans.
    OwnPage,
    /// Tell the page.
    Announce(Announcement),
}
