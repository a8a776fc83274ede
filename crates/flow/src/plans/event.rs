//! What can happen to the plan-change flow.

use wire::{
    AddonId, Attempt, EffectiveAt, PaymentMethodLink, PlansResponse, PreviewResponse, ProductId, StayOffer,
};

use crate::{ApiError, Dwell, Press, Tag};

/// A number to choose, in the form for seats and add-ons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// How many seats.
    Seats,
    /// How many of this add-on.
    Addon(AddonId),
}

/// What the buyer does. Any act may come in any state; one that makes no sense there is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Picks a plan: it is previewed and the dialog opens.
    Choose(ProductId),
    /// Wants other seats or add-ons with this plan, or on it: the dialog asks how many.
    Adjust(ProductId),
    /// In that dialog: so many seats.
    Seats(u32),
    /// In that dialog: so many of this add-on.
    AddonCount(AddonId, u32),
    /// In that dialog: what was typed into this field is not a number that can be chosen. It stays there, and nothing is
    /// asked for until it is one.
    Unreadable(Field, String),
    /// In that dialog: what it would cost.
    ShowPrice,
    /// In the dialog: at once, or at the next billing date. Previews again.
    Timing(EffectiveAt),
    /// Presses the confirm button.
    Confirm,
    /// Closes the dialog, by button, Escape or otherwise. A charge under way goes on.
    CloseDialog,
    /// Opens the dialog again on a charge that is under way or has ended.
    OpenDialog,
    /// In the dialog: wants a fresh quote, where the page has stopped fetching one by itself.
    Refresh,
    /// Loads the plans again after a failure.
    Reload,
    /// Wants to pay with another card: leads to a page where it is given.
    UseAnotherCard,
    /// Takes back the change that is booked for the next billing date.
    TakeBackScheduled,
    /// Wants to cancel: the dialog says what that means (`Act::Confirm` does it).
    Cancel,
    /// Takes the cancellation back.
    KeepPlan,
    /// In the dialog with a stay-offer: what it would cost.
    TakeStayOffer,
    /// In the dialog with a stay-offer: refuses it, for good, and goes on.
    GoOn,
    /// Wants to know how an unfinished charge stands.
    CheckAgain,
    /// Goes to the page where the payment is completed, or to the backend's own page.
    Continue,
}

/// Everything that can happen. Replies and timers carry the tag of the effect that caused them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The widget is mounted, with the first answer where the loader already has it.
    Start(Option<Box<PlansResponse>>),
    /// The widget is mounted, and the loader has asked without getting an answer that can be read: asking a second time
    /// at once would only make the buyer wait twice.
    StartUnanswered,
    /// The buyer did something.
    Act {
        /// What.
        act: Act,
        /// Intention and screen, in case the act starts a charge.
        press: Press,
    },
    /// Reply to `Effect::Load`.
    Loaded(Tag, Result<Box<PlansResponse>, ApiError>),
    /// Reply to `Effect::Preview`.
    Previewed(Tag, Result<Box<PreviewResponse>, ApiError>),
    /// Reply to `Effect::Change`.
    Changed(Tag, Result<Attempt, ApiError>),
    /// Reply to `Effect::Ask`.
    Looked(Tag, Result<Attempt, ApiError>),
    /// Reply to `Effect::CardLink`.
    CardLink(Tag, Result<PaymentMethodLink, ApiError>),
    /// Reply to `Effect::TakeBack`.
    TakenBack(Tag, Result<(), ApiError>),
    /// Reply to `Effect::StayOffer`.
    StayOffered(Tag, Result<Option<Box<StayOffer>>, ApiError>),
    /// Reply to `Effect::Cancel`.
    Cancelled(Tag, Result<(), ApiError>),
    /// Reply to `Effect::KeepPlan`.
    Kept(Tag, Result<(), ApiError>),
    /// A timer of `Effect::Schedule` ran out.
    Timer(Tag),
    /// The watch of `Effect::Watch` reached a mark.
    Dwelled(Tag, Dwell),
}
