//! Which saved payment method to charge: a card whose last four digits can be shown, not past its last month, usable
//! for the purpose, and the most recently used of those. No such card means an ordinary hosted checkout.
//!
//! Pure. Dodo lists methods without an order and without currencies: whether one can pay in a currency is only known
//! by trying.

use dodo_client::values::ExpiryMonth;
use time::OffsetDateTime;
use wire::{Card, FailureReason, UnixSeconds};

use crate::domain::SavedMethod;

/// What the method has to be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Use {
    /// One charge now.
    Once,
    /// A subscription, which charges again.
    Recurring,
}

/// The method to charge, together with what the buyer is shown of it; `None` when none is usable.
#[must_use]
pub fn choose(methods: &[SavedMethod], purpose: Use, now: UnixSeconds) -> Option<(&SavedMethod, &Card)> {
    methods
        .iter()
        .filter(|method| is_usable(method, purpose, now))
        // A buyer must be able to tell which card it is: what cannot be shown is not charged.
        .filter_map(|method| Some((method, method.card.as_ref()?)))
        // The id decides between methods used at the same time, so that every look chooses the same one.
        .max_by(|(a, _), (b, _)| (a.last_used_at, &b.id).cmp(&(b.last_used_at, &a.id)))
}

fn is_usable(method: &SavedMethod, purpose: Use, now: UnixSeconds) -> bool {
    let reusable = purpose == Use::Once || method.recurring_enabled != Some(false);
    method.is_card && reusable && !method.expiry.is_some_and(|last| is_past(last, now))
}

/// Why Dodo found a method that was [chosen](choose) not eligible, as far as it can be told.
///
/// Dodo documents four conditions and answers one code: the method is the buyer's, has not expired, can pay in the currency
/// and, for a subscription, may be charged again. It was the buyer's a moment ago. Where the card's last month and, for a
/// subscription, its being reusable are known to be good, the currency is what is left; else nothing is claimed.
#[must_use]
pub fn why_not(method: &SavedMethod, purpose: Use, now: UnixSeconds) -> FailureReason {
    const EASTERNMOST: i64 = 14 * 3600;
    let Some(last) = method.expiry else { return FailureReason::MethodNotUsable };
    if is_over(last, now.0.saturating_add(EASTERNMOST)) {
        return FailureReason::ExpiredCard;
    }
    match (purpose, method.recurring_enabled) {
        (Use::Once, _) | (Use::Recurring, Some(true)) => FailureReason::WrongCurrency,
        (Use::Recurring, Some(false)) => FailureReason::MethodNotReusable,
        (Use::Recurring, None) => FailureReason::MethodNotUsable,
    }
}

/// A card is good to the end of its month, everywhere on earth: it counts as past when the month is over in UTC-12.
fn is_past(last: ExpiryMonth, now: UnixSeconds) -> bool {
    const WESTERNMOST: i64 = 12 * 3600;
    is_over(last, now.0.saturating_sub(WESTERNMOST))
}

/// Whether a month is over at a moment, in UTC.
fn is_over(last: ExpiryMonth, moment: i64) -> bool {
    let Ok(there) = OffsetDateTime::from_unix_timestamp(moment) else { return true };
    (i64::from(there.year()), u8::from(there.month())) > (i64::from(last.year), last.month)
}

#[cfg(test)]
#[path = "payment_method_tests.rs"]
mod tests;
