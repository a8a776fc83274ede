//! Currencies. Amounts are `i64` in the currency's minor unit everywhere.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Three capital letters of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Not three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three capital letters")]
pub struct NotACurrency;

impl Currency {
    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// Digits behind the point; Dodo's portal lists the currencies without any and knows none with three.
    pub(crate) fn exponent(self) -> usize {
        const NO_MINOR_UNIT: [&str; 15] = [
            "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF",
            "XOF",
        ];
        if NO_MINOR_UNIT.contains(&self.as_str()) || self.as_str() == "XPF" { 0 } else { 2 }
    }

    /// The least that a gateway takes, as far as it is listed.
    pub(crate) fn minimum_charge(self) -> i64 {
        match self.as_str() {
            "USD" | "EUR" | "AUD" | "CAD" | "CHF" => 50,
            "GBP" => 30,
            "INR" => 500,
            "MXN" => 1000,
            _ => 1,
        }
    }

    /// An amount as people read it, without a sign for the currency: `49.00`, `4900`.
    pub(crate) fn display(self, minor: i64) -> String {
        let sign = if minor < 0 { "-" } else { "" };
        let digits = minor.unsigned_abs().to_string();
        match self.exponent() {
            0 => format!("{sign}{digits}"),
            places => {
                let digits = format!("{digits:0>width$}", width = places + 1);
                let (whole, fraction) = digits.split_at(digits.len() - places);
                format!("{sign}{whole}.{fraction}")
            }
        }
    }
}

impl std::str::FromStr for Currency {
    type Err = NotACurrency;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            Ok(_) | Err(_) => Err(NotACurrency),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = NotACurrency;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_follow_the_currency() {
        let shown = |code: &str, minor| code.parse::<Currency>().unwrap().display(minor);
        assert_eq!(shown("USD", 4900), "49.00");
        assert_eq!(shown("USD", 5), "0.05");
        assert_eq!(shown("USD", -1250), "-12.50");
        assert_eq!(shown("JPY", 4900), "4900");
        assert_eq!("usd".parse::<Currency>(), Err(NotACurrency));
    }
}
