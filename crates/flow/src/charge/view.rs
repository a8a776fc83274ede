//! What the buyer sees of a charge, in the offer and in the plan-change dialog alike.

use wire::{Money, Quote, Receipt};

use super::failure::Failure;
use super::proof::NotCharged;

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
    /// The same after all the time that it may take: the merchant looks into it.
    InReview,
}

/// An unfinished charge at a backend that keeps the contract, so that it may be said that nothing is charged twice. The
/// buyer may leave the page at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingView {
    /// What it waits for.
    pub standing: Standing,
    /// What was accepted, for "your order of …"; unknown when an earlier page began it.
    pub due: Option<Money>,
    /// The one thing that the buyer can do.
    pub next: Next,
}

/// The one thing that the buyer can do about an unfinished charge. None of them pays anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: the page asks by itself.
    Wait,
    /// Go on at the page where this very payment is completed (`Act::Continue`).
    Continue,
    /// Ask once more, now that the page has stopped asking (`Act::CheckAgain`).
    CheckAgain,
}

/// A finished charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoneView {
    /// Whether it is booked for the next billing date instead of collected now.
    pub scheduled: bool,
    /// Name of what was bought or changed to; when unknown here, the receipt has it.
    pub name: Option<String>,
    /// What was collected, by the attempt's own word. Without it nothing is said to be paid.
    pub receipt: Option<Receipt>,
}

/// A charge that was definitely not collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedView {
    /// Why, in the grain that a buyer may know.
    pub failure: Failure,
    /// The proof that nothing was charged.
    pub not_charged: NotCharged,
    /// Name of what was to be bought or changed to, where it is known here.
    pub name: Option<String>,
    /// What would have been charged, where it is known here.
    pub due: Option<Money>,
    /// Whether there is another way to pay, the one way on beside putting the message away. For an offer it is a hosted
    /// checkout, at most once (`offer::Act::PayAnotherWay`); for a plan change another card on the subscription
    /// (`plans::Act::UseAnotherCard`).
    pub another_way: bool,
}

/// Says whether two quotes look alike on the screen: everything is the same but the id and the time for which it holds.
pub(crate) fn says_the_same(one: &Quote, other: &Quote) -> bool {
    let Quote { id, expires_at, expires_in, .. } = one.clone();
    Quote { id, expires_at, expires_in, ..other.clone() } == *one
}
