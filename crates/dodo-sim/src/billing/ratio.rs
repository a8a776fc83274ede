//! Exact fractions of an amount, and the only place that rounds.

use super::Overflow;
use crate::policy::Rounding;

/// A signed fraction with a positive denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ratio {
    numerator: i64,
    denominator: i64,
}

impl Ratio {
    pub(crate) const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// A denominator below one counts as one: an empty period has nothing left of it.
    pub(crate) fn new(numerator: i64, denominator: i64) -> Self {
        Self { numerator, denominator: denominator.max(1) }
    }

    pub(crate) fn negative(self) -> Self {
        Self { numerator: -self.numerator, denominator: self.denominator }
    }

    pub(crate) fn is_negative(self) -> bool {
        self.numerator < 0
    }

    /// This fraction of an amount.
    pub(crate) fn of(self, amount: i64, rounding: Rounding) -> Result<i64, Overflow> {
        divide(i128::from(amount) * i128::from(self.numerator), i128::from(self.denominator), rounding)
    }

    /// Six decimals, trailing zeros cut: `0.5`, `-0.333333`, `1`.
    pub(crate) fn decimal(self) -> String {
        const SCALE: i128 = 1_000_000;
        let scaled =
            round(i128::from(self.numerator) * SCALE, i128::from(self.denominator), Rounding::HalfUp);
        let sign = if scaled < 0 { "-" } else { "" };
        let (whole, fraction) = (scaled.abs() / SCALE, scaled.abs() % SCALE);
        let text = format!("{sign}{whole}.{fraction:06}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// `amount × basis points`, rounded.
pub(crate) fn basis_points(amount: i64, bps: i64, rounding: Rounding) -> Result<i64, Overflow> {
    divide(i128::from(amount) * i128::from(bps), 10_000, rounding)
}

/// A checked quotient. `divisor` must be positive.
pub(crate) fn divide(dividend: i128, divisor: i128, rounding: Rounding) -> Result<i64, Overflow> {
    i64::try_from(round(dividend, divisor, rounding)).map_err(|_| Overflow)
}

fn round(dividend: i128, divisor: i128, rounding: Rounding) -> i128 {
    match rounding {
        Rounding::Down => dividend / divisor,
        Rounding::HalfUp => {
            let magnitude = (dividend.abs() * 2 + divisor) / (divisor * 2);
            if dividend < 0 { -magnitude } else { magnitude }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_go_away_from_zero_on_both_sides() {
        let half = Ratio::new(1, 2);
        assert_eq!(half.of(5, Rounding::HalfUp), Ok(3));
        assert_eq!(half.negative().of(5, Rounding::HalfUp), Ok(-3));
        assert_eq!(half.of(5, Rounding::Down), Ok(2));
        assert_eq!(Ratio::new(3, 1).of(i64::MAX, Rounding::HalfUp), Err(Overflow));
    }

    #[test]
    fn decimals_are_short() {
        assert_eq!(Ratio::new(15, 30).decimal(), "0.5");
        assert_eq!(Ratio::new(-1, 3).decimal(), "-0.333333");
        assert_eq!(Ratio::ONE.decimal(), "1");
        assert_eq!(Ratio::new(0, 30).decimal(), "0");
    }

    proptest! {
        #[test]
        fn rounding_is_symmetric_and_within_half_a_unit(amount in -1_000_000_000i64..1_000_000_000, used in 0i64..366, total in 1i64..366) {
            let ratio = Ratio::new(used, total);
            let rounded = ratio.of(amount, Rounding::HalfUp).unwrap();
            prop_assert_eq!(ratio.of(-amount, Rounding::HalfUp).unwrap(), -rounded);
            let distance = (i128::from(amount) * i128::from(used) - i128::from(rounded) * i128::from(total)).abs();
            prop_assert!(distance * 2 <= i128::from(total));
        }
    }
}
