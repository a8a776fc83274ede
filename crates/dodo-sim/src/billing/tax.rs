//! Tax on one line, for prices with and without tax inside.

use super::Overflow;
use super::ratio::{basis_points, divide};
use crate::policy::Rounding;

/// A line's amount without tax, and the tax on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taxed {
    pub(crate) net: i64,
    pub(crate) tax: i64,
}

impl Taxed {
    pub(crate) fn gross(self) -> Result<i64, Overflow> {
        self.net.checked_add(self.tax).ok_or(Overflow)
    }
}

/// `amount` as priced: with tax inside when `inclusive`, else without. `bps`: the rate, 1900 for 19 %.
pub(crate) fn tax(amount: i64, bps: i64, inclusive: bool, rounding: Rounding) -> Result<Taxed, Overflow> {
    if inclusive {
        let net = divide(i128::from(amount) * 10_000, 10_000 + i128::from(bps.max(0)), rounding)?;
        Ok(Taxed { net, tax: amount - net })
    } else {
        Ok(Taxed { net: amount, tax: basis_points(amount, bps, rounding)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tax_is_added_or_taken_out() {
        let taxed = |amount, bps, inclusive| tax(amount, bps, inclusive, Rounding::HalfUp).unwrap();
        assert_eq!(taxed(4900, 1900, false), Taxed { net: 4900, tax: 931 });
        assert_eq!(taxed(4900, 1900, true), Taxed { net: 4118, tax: 782 });
        assert_eq!(taxed(4900, 0, true), Taxed { net: 4900, tax: 0 });
        assert_eq!(taxed(-4900, 1900, false).gross(), Ok(-5831));
    }
}
