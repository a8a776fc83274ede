//! What the widget tells the page around it: facts, after they happened. No personal data.

use wire::{FailureReason, Money, OfferId, OfferKind, ProductId};

use crate::charge::Standing;

/// What was proposed or changed to; as much of it as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The offer; absent for plan changes and basic backends.
    pub offer_id: Option<OfferId>,
    /// What it proposes; absent for plan changes and basic backends.
    pub kind: Option<OfferKind>,
    /// The product; absent when an earlier page began the charge.
    pub product_id: Option<ProductId>,
    /// What the click agreed to pay.
    pub due: Option<Money>,
}

/// Why something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There was nothing to show because the backend could not be reached, or refused.
    Load,
    /// There was nothing to show because this part of the backend's answer could not be used: a path such as
    /// `product.price`, or `body` for all of it.
    Unreadable(&'static str),
    /// The charge was definitely not collected.
    Charge(FailureReason),
    /// The token is not good, or not any more.
    Unauthorized,
    /// The offer has ended.
    Ended,
    /// A basic backend has not taken the order.
    NotTaken,
    /// A basic backend did not say whether it has taken the order.
    Unknown,
    /// Something else writes on the page: the amounts on the screen were not those that would have been charged. Nothing
    /// was sent.
    Altered,
}

/// One outbound event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// An offer, or the plans, are on the page.
    Shown(About),
    /// An offer was accepted and collected.
    Accepted(About),
    /// A basic backend has taken the order. Whether it is paid is not known.
    Ordered(About),
    /// An offer was refused.
    Declined(About),
    /// A charge is under way and not decided yet.
    Pending(About, Standing),
    /// Something failed.
    Failed(About, Trouble),
    /// The plan was changed, or the change is booked.
    PlanChanged {
        /// To what.
        about: About,
        /// Whether it is booked for the next billing date.
        scheduled: bool,
    },
    /// The subscription was cancelled for the next billing date, or that was taken back.
    CancellationChanged {
        /// Whether it is cancelled.
        cancelled: bool,
    },
}
