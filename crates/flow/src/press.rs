//! The buyer's press of a button: their intention, and whether the screen said what it should.

use wire::{Consent, IdempotencyKey};

/// The buyer's one intention, made when the press arrives. Every repetition of the request carries both unchanged, so that
/// all of them have the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Key under which the request is sent.
    pub key: IdempotencyKey,
    /// Record of the words that were on the screen.
    pub consent: Consent,
}

/// The words on the screen when a button was pressed, compared with what the view means. Translators and other extensions
/// write on the same page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// The button and the total said what the view means; or the button does not pay.
    AsDrawn,
    /// The button or the total said something else.
    Altered(OwnPage),
}

/// Says whether the backend has a page of its own, on which the buyer can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnPage {
    /// It has one, and the widget is not on it.
    Elsewhere,
    /// It has none, or the widget is on it already.
    None,
}

/// One press of a button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Press {
    /// Intention, in case the press starts a charge.
    pub intent: Intent,
    /// The words on the screen.
    pub screen: Screen,
}

/// The number of times in a row that the screen said something else at a press that would have paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Never.
    #[default]
    None,
    /// Once: everything was drawn anew.
    Once,
}
