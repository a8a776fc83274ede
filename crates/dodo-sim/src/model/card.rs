//! Test cards: what each number does, as Dodo documents it, plus two cards of the simulator's own.

use serde::{Deserialize, Serialize};

/// Who is there when a card is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The buyer pays on a hosted page.
    Present,
    /// One click on a saved method.
    OneClick,
    /// A renewal, a plan change or dues on a saved method.
    Subscription,
}

/// What the issuer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Approved,
    Declined(&'static str),
    /// The buyer has to answer first.
    Challenge,
    /// It takes a while.
    Processing,
}

/// Attaches fine and fails at later charges.
pub(crate) const FAILS_LATER: &str = "4000000000000341";
/// Simulator extension: asks for the buyer when it is charged in their absence. Dodo documents no such card.
pub(crate) const CHALLENGES: &str = "4000002500003155";
/// Simulator extension: takes a while when it is charged in the buyer's absence, and then succeeds.
pub(crate) const TAKES_TIME: &str = "4000000000000077";

const GOOD: [&str; 4] = ["4242424242424242", "5555555555554444", "4576238912771450", "5409162669381034"];
const DECLINED: [&str; 3] = ["4000000000000002", "4706131211212123", "5105105105105100"];

/// How the card with this number answers. Numbers outside the documented list are refused as incorrect.
pub(crate) fn answer(number: &str, moment: Moment, fails_later_at_one_click: bool) -> Answer {
    match number {
        FAILS_LATER => match moment {
            Moment::Present => Answer::Approved,
            Moment::OneClick if !fails_later_at_one_click => Answer::Approved,
            Moment::OneClick | Moment::Subscription => Answer::Declined("GENERIC_DECLINE"),
        },
        CHALLENGES | TAKES_TIME if moment == Moment::Present => Answer::Approved,
        CHALLENGES => Answer::Challenge,
        TAKES_TIME => Answer::Processing,
        "4000000000009995" => Answer::Declined("INSUFFICIENT_FUNDS"),
        number if GOOD.contains(&number) => Answer::Approved,
        number if DECLINED.contains(&number) => Answer::Declined("GENERIC_DECLINE"),
        _ => Answer::Declined("INCORRECT_NUMBER"),
    }
}

/// What is known of a card beside its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    /// Kept whole: these are test numbers and decide the answer.
    pub(crate) number: String,
    pub(crate) holder: String,
    pub(crate) expiry_month: u8,
    /// Four digits.
    pub(crate) expiry_year: u16,
}

impl Card {
    pub(crate) fn last4(&self) -> &str {
        self.number.get(self.number.len().saturating_sub(4)..).unwrap_or(&self.number)
    }

    pub(crate) fn network(&self) -> &'static str {
        match self.number.bytes().next() {
            Some(b'5') => "mastercard",
            _ => "visa",
        }
    }

    pub(crate) fn issuing_country(&self) -> &'static str {
        match self.number.as_str() {
            "4576238912771450" | "5409162669381034" | "4706131211212123" | "5105105105105100" => "IN",
            _ => "US",
        }
    }

    /// A card is good to the end of its month.
    pub(crate) fn expired(&self, now: time::OffsetDateTime) -> bool {
        (i32::from(self.expiry_year), self.expiry_month) < (now.year(), u8::from(now.month()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_cards_do_as_documented() {
        let says = |number, moment| answer(number, moment, true);
        assert_eq!(says("4242424242424242", Moment::OneClick), Answer::Approved);
        assert_eq!(says("4000000000000002", Moment::Present), Answer::Declined("GENERIC_DECLINE"));
        assert_eq!(says("4000000000009995", Moment::OneClick), Answer::Declined("INSUFFICIENT_FUNDS"));
        assert_eq!(says(FAILS_LATER, Moment::Present), Answer::Approved);
        assert_eq!(says(FAILS_LATER, Moment::Subscription), Answer::Declined("GENERIC_DECLINE"));
        assert_eq!(answer(FAILS_LATER, Moment::OneClick, false), Answer::Approved);
        assert_eq!(says(CHALLENGES, Moment::OneClick), Answer::Challenge);
        assert_eq!(says(TAKES_TIME, Moment::Subscription), Answer::Processing);
        assert_eq!(says(TAKES_TIME, Moment::Present), Answer::Approved);
        assert_eq!(says("4111111111111111", Moment::Present), Answer::Declined("INCORRECT_NUMBER"));
    }

    #[test]
    fn a_card_expires_after_its_month() {
        let card = Card {
            number: "4242424242424242".into(),
            holder: "A".into(),
            expiry_month: 6,
            expiry_year: 2026,
        };
        assert!(!card.expired(time::macros::datetime!(2026-06-30 23:59 UTC)));
        assert!(card.expired(time::macros::datetime!(2026-07-01 0:00 UTC)));
    }
}
