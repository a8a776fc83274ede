//! Values that several answers share: currency, exact decimals, metadata, a card's last month, points in time.

use std::{collections::BTreeMap, fmt};

pub use money::Currency;
use serde::{Deserialize, Deserializer, Serialize};

/// A decimal number that Dodo sends as a JSON number or as a string (a proration factor, a tax rate, a price
/// per unit), kept as text: it is shown or multiplied exactly, never turned into a float.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DecimalText(String);

impl DecimalText {
    /// As it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is below zero. In a plan change's preview that marks what is given back for the old plan.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.0.starts_with('-') && self.0.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
    }

    /// `minor × self`, rounded half away from zero to a whole minor unit, computed in integers.
    ///
    /// `None` when the text is not a plain decimal or the result does not fit.
    #[must_use]
    pub fn times(&self, minor: i64) -> Option<i64> {
        let (mantissa, scale) = self.mantissa_and_scale()?;
        let product = mantissa.checked_mul(i128::from(minor))?;
        let divisor = 10_i128.checked_pow(scale)?;
        let (whole, rest) = (product / divisor, product % divisor);
        let rounded = if rest.checked_abs()?.checked_mul(2)? >= divisor {
            whole.checked_add(rest.signum())?
        } else {
            whole
        };
        i64::try_from(rounded).ok()
    }

    /// `-0.125` is `(-125, 3)`.
    fn mantissa_and_scale(&self) -> Option<(i128, u32)> {
        let (sign, digits) = match self.0.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, self.0.as_str()),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
        Some((mantissa.checked_mul(sign)?, u32::try_from(fraction.len()).ok()?))
    }
}

impl fmt::Display for DecimalText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DecimalText {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(serde_json::Number),
            Text(String),
        }
        Ok(match Form::deserialize(input)? {
            Form::Number(number) => Self(number.to_string()),
            Form::Text(text) => Self(text),
        })
    }
}

/// The pairs that a merchant attaches to a payment or a subscription. Values are usually text, but Dodo also
/// takes numbers and booleans.
///
/// Dodo's limits (50 pairs, keys of 40 characters, values of 500) are checked by Dodo.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(BTreeMap<String, serde_json::Value>);

impl Metadata {
    /// The value of `key`, when it is text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    /// Sets a pair.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.insert(key.into(), serde_json::Value::String(value.into()));
    }

    /// Whether there is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of pairs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The pairs whose key is not `dropped`.
    #[must_use]
    pub fn without(&self, dropped: impl Fn(&str) -> bool) -> Self {
        let kept = self.0.iter().filter(|(key, _)| !dropped(key));
        Self(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut metadata = Self::default();
        for (key, value) in pairs {
            metadata.insert(key, value);
        }
        metadata
    }
}

/// The last month in which a card is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpiryMonth {
    /// Four digits.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
}

impl ExpiryMonth {
    /// Reads the two texts of a card. The year's width is not documented: `32` and `2032` are the same.
    /// `None` when either is not a plausible number.
    #[must_use]
    pub fn parse(month: &str, year: &str) -> Option<Self> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(month) || !digits(year) {
            return None;
        }
        let month: u8 = month.parse().ok().filter(|month| (1..=12).contains(month))?;
        let year: u16 = match year.len() {
            2 => 2000_u16.checked_add(year.parse().ok()?)?,
            4 => year.parse().ok()?,
            _ => return None,
        };
        Some(Self { year, month })
    }
}

/// Points in time as Dodo writes them (RFC 3339). Fractions of a second are cut off.
pub(crate) mod rfc3339 {
    use money::UnixSeconds;
    use serde::{Deserializer, Serializer, de, ser};
    use time::{OffsetDateTime, format_description::well_known::Rfc3339};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<UnixSeconds, D::Error> {
        let text: std::borrow::Cow<'_, str> = serde::Deserialize::deserialize(input)?;
        let at = OffsetDateTime::parse(&text, &Rfc3339)
            .map_err(|_| de::Error::invalid_value(de::Unexpected::Other("a text"), &"a time in RFC 3339"))?;
        Ok(UnixSeconds(at.unix_timestamp()))
    }

    fn text<E: ser::Error>(at: UnixSeconds) -> Result<String, E> {
        let at = OffsetDateTime::from_unix_timestamp(at.0).ok().and_then(|at| at.format(&Rfc3339).ok());
        at.ok_or_else(|| E::custom("a time beyond the year 9999"))
    }

    /// The same for a time that may be absent.
    pub(crate) mod option {
        use super::{Deserializer, Serializer, UnixSeconds};

        #[derive(serde::Deserialize)]
        struct At(#[serde(deserialize_with = "super::deserialize")] UnixSeconds);

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            input: D,
        ) -> Result<Option<UnixSeconds>, D::Error> {
            let at: Option<At> = serde::Deserialize::deserialize(input)?;
            Ok(at.map(|at| at.0))
        }

        #[expect(clippy::ref_option, reason = "serde's signature")]
        pub(crate) fn serialize<S: Serializer>(at: &Option<UnixSeconds>, to: S) -> Result<S::Ok, S::Error> {
            match at {
                Some(at) => to.serialize_some(&super::text::<S::Error>(*at)?),
                None => to.serialize_none(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn decimal(json: &str) -> DecimalText {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn decimals_come_as_numbers_or_text_and_stay_exact() {
        assert_eq!(decimal("0.5").as_str(), "0.5");
        assert_eq!(decimal("\"0.50\"").as_str(), "0.50");
        assert_eq!(decimal("-1").as_str(), "-1");
        assert!(decimal("-0.5").is_negative());
        assert!(!decimal("-0.0").is_negative());
        assert!(!decimal("0.5").is_negative());
    }

    #[test]
    fn decimal_products_round_half_away_from_zero() {
        assert_eq!(decimal("0.5").times(8000), Some(4000));
        assert_eq!(decimal("-0.5").times(3000), Some(-1500));
        assert_eq!(decimal("0.5").times(3), Some(2));
        assert_eq!(decimal("-0.5").times(3), Some(-2));
        assert_eq!(decimal("0.33333333").times(8000), Some(2667));
        assert_eq!(decimal("0.4999").times(1), Some(0));
        assert_eq!(decimal("1").times(i64::MAX), Some(i64::MAX));
    }

    #[test]
    fn decimal_products_that_cannot_be_are_none() {
        assert_eq!(decimal("2").times(i64::MAX), None);
        assert_eq!(decimal("\"1e-7\"").times(1), None);
        assert_eq!(decimal("\"\"").times(1), None);
        assert_eq!(decimal("\".5\"").times(1), None);
        assert_eq!(decimal("\"--1\"").times(1), None);
        assert_eq!(decimal(&format!("\"0.{}\"", "1".repeat(60))).times(1), None);
    }

    proptest! {
        /// The product lies within half a minor unit of the exact one, and mirrors with its sign.
        #[test]
        fn decimal_products_are_the_nearest_whole_unit(
            minor in -1_000_000_000_i64..1_000_000_000,
            mantissa in 0_i64..10_000_000_000,
            scale in 1_u32..=10,
        ) {
            let unit = 10_i64.pow(scale);
            let text = format!("{}.{:0width$}", mantissa / unit, mantissa % unit, width = scale as usize);
            let product = i128::from(DecimalText(text.clone()).times(minor).unwrap());
            let exact = i128::from(mantissa) * i128::from(minor);
            prop_assert!((product * i128::from(unit) - exact).abs() * 2 <= i128::from(unit));
            let mirrored = DecimalText(format!("-{text}")).times(minor).unwrap();
            prop_assert_eq!(i128::from(mirrored), -product);
        }

        #[test]
        fn any_text_makes_a_decimal_that_does_not_panic(text in ".*", minor: i64) {
            let _ = DecimalText(text).times(minor);
        }
    }

    #[test]
    fn metadata_takes_values_of_every_kind() {
        let metadata: Metadata =
            serde_json::from_str(r#"{"attempt":"at_1","n":1,"flag":true,"none":null}"#).unwrap();
        assert_eq!(metadata.text("attempt"), Some("at_1"));
        assert_eq!(metadata.text("n"), None);
        assert_eq!(metadata.text("absent"), None);
    }

    #[test]
    fn expiry_year_in_both_widths() {
        let expected = Some(ExpiryMonth { year: 2032, month: 6 });
        assert_eq!(ExpiryMonth::parse("06", "32"), expected);
        assert_eq!(ExpiryMonth::parse("6", "2032"), expected);
        for (month, year) in
            [("13", "32"), ("0", "32"), ("06", "032"), ("06", ""), ("", "32"), ("+6", "32"), ("06", "+32")]
        {
            assert_eq!(ExpiryMonth::parse(month, year), None, "{month:?} {year:?}");
        }
    }
}
