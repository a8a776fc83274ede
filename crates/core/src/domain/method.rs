//! Saved payment methods.

use dodo_client::{ids::PaymentMethodId, values::ExpiryMonth};
use wire::{Card, UnixSeconds};

/// A saved way to pay, as far as choosing one needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedMethod {
    /// Dodo's id. Never leaves the proxy.
    pub id: PaymentMethodId,
    /// Whether it is a card; other kinds cannot be charged in one click with certainty.
    pub is_card: bool,
    /// What a page may know of the card.
    pub card: Option<Card>,
    /// The last month in which the card is good, when readable.
    pub expiry: Option<ExpiryMonth>,
    /// When it last paid.
    pub last_used_at: Option<UnixSeconds>,
    /// Whether subscriptions may charge it; `None` is "not known".
    pub recurring_enabled: Option<bool>,
}

/// Returns what a page may know of a card: its network and four digits, or nothing.
#[must_use]
pub fn shown_card(network: Option<&str>, last4: Option<&str>) -> Option<Card> {
    let last4 =
        last4.filter(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let brand = network.unwrap_or("card").to_ascii_lowercase();
    Some(Card { brand, last4: last4.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_four_digits_are_shown_of_a_card() {
        assert_eq!(shown_card(Some("VISA"), Some("4242")).map(|card| card.brand), Some("visa".into()));
        for digits in [None, Some(""), Some("424"), Some("42424"), Some("<b>4"), Some("４２")] {
            assert_eq!(shown_card(Some("visa"), digits), None, "{digits:?}");
        }
    }
}
