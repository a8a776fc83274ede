//! What the buyer sees of a charge, in the offer and in the plan-change dialog alike.

use wire::{FailureReason, Money, Receipt};

/// What an unfinished charge waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The request has been under way for longer than a click should take.
    Confirming,
    /// It is being collected.
    Processing,
    /// The bank wants something of the buyer.
    ActionRequired,
    /// It is not known whether it was collected; it will not be charged twice.
    InDoubt,
}

/// An unfinished charge. The buyer may leave the page at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingView {
    /// What it waits for.
    pub standing: Standing,
    /// What was accepted, for "your order of …"; unknown when an earlier page began it.
    pub due: Option<Money>,
    /// Whether the page still asks by itself. When not, [`Self::can_check`] offers to ask once more.
    pub watching: bool,
    /// Whether a "check again" button belongs here.
    pub can_check: bool,
    /// Whether there is a page of the bank or of the checkout to continue on (`Act::Continue`).
    pub can_continue: bool,
}

/// A finished charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoneView {
    /// Whether it is booked for the next billing date instead of collected now.
    pub scheduled: bool,
    /// Name of what was bought or changed to; when unknown here, the receipt has it.
    pub name: Option<String>,
    /// What the buyer agreed to, where it was this page that asked. What was collected stands in the receipt.
    pub due: Option<Money>,
    /// What was collected; a merchant's smaller backend sends none.
    pub receipt: Option<Receipt>,
}

/// A charge that was definitely not collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedView {
    /// Why, in the grain that a buyer may know.
    pub reason: FailureReason,
    /// Name of what was to be bought or changed to, where it is known here.
    pub name: Option<String>,
    /// What would have been charged, where it is known here.
    pub due: Option<Money>,
    /// Whether a hosted checkout is offered as another way to pay (`Act::PayAnotherWay`); at most once per offer.
    pub another_way: bool,
}
