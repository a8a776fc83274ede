//! Amounts of money: integers in the currency's minor unit, checked arithmetic, never a float.

use serde::{Deserialize, Serialize};

/// An ISO 4217 code: three upper-case ASCII letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, example = "USD"))]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Dodo's currencies without a minor unit.
const ZERO_DECIMAL: [&[u8; 3]; 16] = [
    b"BIF", b"CLP", b"DJF", b"GNF", b"JPY", b"KMF", b"KRW", b"MGA", b"PYG", b"RWF", b"UGX", b"VND", b"VUV",
    b"XAF", b"XOF", b"XPF",
];

/// ISO 4217 currencies with three decimals.
const THREE_DECIMAL: [&[u8; 3]; 7] = [b"BHD", b"IQD", b"JOD", b"KWD", b"LYD", b"OMR", b"TND"];

impl Currency {
    /// Parses a code such as `USD`.
    ///
    /// # Errors
    /// [`MoneyError::BadCurrency`] unless it is exactly three upper-case ASCII letters.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        match code.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(MoneyError::BadCurrency),
        }
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The constructor admits ASCII only.
        core::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many decimals the minor unit has: 0, 2 or 3. The table is ours, because `Intl` rounds some currencies that
    /// Dodo charges to the cent.
    #[must_use]
    pub fn exponent(self) -> u32 {
        if ZERO_DECIMAL.contains(&&self.0) {
            0
        } else if THREE_DECIMAL.contains(&&self.0) {
            3
        } else {
            2
        }
    }
}

impl core::fmt::Debug for Currency {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::fmt::Display for Currency {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(s: String) -> Result<Self, MoneyError> {
        Self::parse(&s)
    }
}

impl From<Currency> for String {
    fn from(c: Currency) -> String {
        c.as_str().to_owned()
    }
}

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
    fn currencies_are_three_upper_case_letters() {
        for bad in ["", "US", "usd", "USDX", "U$D", "ＵＳＤ", "US\u{301}"] {
            assert_eq!(Currency::parse(bad), Err(MoneyError::BadCurrency), "{bad}");
        }
        assert_eq!(Currency::parse("USD").map(|c| c.exponent()), Ok(2));
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
