//! Amounts of money: integers in the currency's minor unit, checked arithmetic, never a float.

use serde::{Deserialize, Serialize};

use crate::Currency;

/// What can go wrong with money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyError {
    /// Not three upper-case letters.
    BadCurrency,
    /// Two amounts in different currencies met.
    CurrencyMismatch,
    /// The result does not fit.
    Overflow,
}

impl core::fmt::Display for MoneyError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::BadCurrency => "not a currency code",
            Self::CurrencyMismatch => "amounts in different currencies",
            Self::Overflow => "amount out of range",
        })
    }
}

impl core::error::Error for MoneyError {}

/// An amount in minor units of one currency. Negative amounts are credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Money {
    /// Minor units: cents for USD, yen for JPY.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// An amount.
    #[must_use]
    pub fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// `self + other`.
    ///
    /// # Errors
    /// On different currencies or overflow.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// `self - other`.
    ///
    /// # Errors
    /// On different currencies or overflow.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    fn combine(self, other: Self, op: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let amount = op(self.amount, other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// `self × n`.
    ///
    /// # Errors
    /// On overflow.
    pub fn checked_mul(self, n: u32) -> Result<Self, MoneyError> {
        let amount = self.amount.checked_mul(i64::from(n)).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// The amount as a plain decimal such as `-12.50`, exact, for `Intl.NumberFormat` (which formats a *string*
    /// exactly and a number not).
    #[must_use]
    pub fn to_decimal_string(self) -> String {
        let exponent = self.currency.exponent() as usize;
        let digits = self.amount.unsigned_abs().to_string();
        let mut out = String::with_capacity(digits.len() + exponent + 3);
        if self.amount < 0 {
            out.push('-');
        }
        // Left-pad so that there is always a digit before the point.
        for _ in digits.len()..=exponent {
            out.push('0');
        }
        out.push_str(&digits);
        if exponent > 0 {
            out.insert(out.len() - exponent, '.');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(amount: i64, code: &str) -> Money {
        Money::new(amount, Currency::parse(code).expect("code"))
    }

    #[test]
    fn decimals_follow_the_exponent() {
        for (amount, code, text) in [
            (1050, "USD", "10.50"),
            (5, "USD", "0.05"),
            (0, "USD", "0.00"),
            (-5, "EUR", "-0.05"),
            (4900, "JPY", "4900"),
            (-1, "JPY", "-1"),
            (1234, "KWD", "1.234"),
            (7, "KWD", "0.007"),
            (1050, "HUF", "10.50"),
            (i64::MIN, "USD", "-92233720368547758.08"),
            (i64::MAX, "KRW", "9223372036854775807"),
        ] {
            assert_eq!(money(amount, code).to_decimal_string(), text, "{amount} {code}");
        }
    }

    #[test]
    fn different_currencies_never_mix() {
        assert_eq!(money(1, "USD").checked_add(money(1, "EUR")), Err(MoneyError::CurrencyMismatch));
        assert_eq!(money(i64::MAX, "USD").checked_add(money(1, "USD")), Err(MoneyError::Overflow));
        assert_eq!(money(i64::MAX, "USD").checked_mul(2), Err(MoneyError::Overflow));
    }

    proptest! {
        #[test]
        fn the_decimal_string_holds_every_digit(amount: i64, zero in any::<bool>()) {
            let m = money(amount, if zero { "JPY" } else { "USD" });
            let digits: String = m.to_decimal_string().chars().filter(|c| *c != '.').collect();
            prop_assert_eq!(digits.parse::<i64>(), Ok(amount));
        }

        #[test]
        fn subtraction_undoes_addition(a: i32, b: i32) {
            let (a, b) = (money(a.into(), "USD"), money(b.into(), "USD"));
            prop_assert_eq!(a.checked_add(b).and_then(|s| s.checked_sub(b)), Ok(a));
        }
    }
}
