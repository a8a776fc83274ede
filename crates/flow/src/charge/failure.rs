//! Why a charge was not collected, by what the buyer can do about it: each of these has its own words.

use wire::FailureReason;

/// Why a charge was not collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Not now: the same card may work later, another one at once.
    SoftDecline(SoftDecline),
    /// The bank refuses this card and no reason may be told. A card that is reported stolen looks the same.
    HardDecline,
    /// The card has expired.
    ExpiredCard,
    /// The bank could not tell that it was the buyer.
    NotAuthenticated,
    /// The saved card cannot pay in this currency.
    WrongCurrency,
    /// The saved card may not be charged again.
    NotReusable,
    /// The saved card cannot pay for this; nobody says why.
    NotUsable,
    /// Called off.
    CalledOff,
    /// It is not possible at the moment, with whatever card.
    NotPossible,
    /// For a reason that this version has no words for.
    Unexplained,
}

/// What stands in the way for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoftDecline {
    /// Not enough money.
    InsufficientFunds,
    /// The card's limit.
    LimitExceeded,
    /// Something on the way to the bank.
    NotReached,
}

impl Failure {
    /// What another card would help against.
    #[must_use]
    pub fn is_of_the_card(self) -> bool {
        !matches!(self, Self::SoftDecline(SoftDecline::NotReached) | Self::CalledOff | Self::NotPossible)
    }
}

impl From<FailureReason> for Failure {
    fn from(reason: FailureReason) -> Self {
        match reason {
            FailureReason::Declined => Self::HardDecline,
            FailureReason::InsufficientFunds => Self::SoftDecline(SoftDecline::InsufficientFunds),
            FailureReason::LimitExceeded => Self::SoftDecline(SoftDecline::LimitExceeded),
            FailureReason::ProcessingError => Self::SoftDecline(SoftDecline::NotReached),
            FailureReason::ExpiredCard => Self::ExpiredCard,
            FailureReason::AuthenticationFailed => Self::NotAuthenticated,
            FailureReason::WrongCurrency => Self::WrongCurrency,
            FailureReason::MethodNotReusable => Self::NotReusable,
            FailureReason::MethodNotUsable => Self::NotUsable,
            FailureReason::Cancelled => Self::CalledOff,
            FailureReason::NotPossible => Self::NotPossible,
            FailureReason::Other => Self::Unexplained,
        }
    }
}
