//! Money arithmetic: pure, checked, integer. Nothing here knows of HTTP, of time passing or of who pays.

pub(crate) mod calendar;
pub(crate) mod checkout;
pub(crate) mod proration;
pub(crate) mod ratio;
pub(crate) mod tax;

/// An amount left the range of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the amount is out of range")]
pub(crate) struct Overflow;

/// Checked sum.
pub(crate) fn sum(amounts: impl IntoIterator<Item = i64>) -> Result<i64, Overflow> {
    amounts.into_iter().try_fold(0i64, |total, amount| total.checked_add(amount).ok_or(Overflow))
}

/// Checked `unit × quantity`.
pub(crate) fn times(unit: i64, quantity: i64) -> Result<i64, Overflow> {
    unit.checked_mul(quantity).ok_or(Overflow)
}

impl From<Overflow> for crate::error::ApiError {
    fn from(overflow: Overflow) -> Self {
        Self::invalid(overflow.to_string())
    }
}
