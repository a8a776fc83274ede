//! Amounts and dates as the buyer's language writes them, through the browser's `Intl`.
//!
//! Amounts go in as decimal *strings*: `Intl` formats a string digit by digit and a number only as far as a double
//! reaches. The decimals are the wire's exponent, because `Intl` rounds some currencies that are charged to the cent.

use js_sys::{Date, Object, Reflect};
use wasm_bindgen::prelude::*;
use wire::{Money, UnixSeconds};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Intl)]
    type NumberFormat;
    #[wasm_bindgen(constructor, js_namespace = Intl, catch)]
    fn new(locale: &str, options: &Object) -> Result<NumberFormat, JsValue>;
    #[wasm_bindgen(method)]
    fn format(this: &NumberFormat, decimal: &str) -> String;

    #[wasm_bindgen(js_namespace = Intl)]
    type DateTimeFormat;
    #[wasm_bindgen(constructor, js_namespace = Intl, catch)]
    fn new(locale: &str, options: &Object) -> Result<DateTimeFormat, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn format(this: &DateTimeFormat, date: &Date) -> Result<String, JsValue>;
}

/// Whether a plus sign is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Only a minus, where there is one.
    Auto,
    /// Plus and minus, for differences.
    Always,
}

/// Tries the tag, then its language alone: `Intl` refuses tags such as `en-u` that end too early.
fn with_locale<T>(tag: &str, make: impl Fn(&str) -> Option<T>) -> Option<T> {
    make(tag).or_else(|| make(tag.split(['-', '_']).next()?))
}

/// The hyphen that `Intl` writes before amounts below zero, as a minus.
fn minus(text: &str) -> String {
    text.replace('-', "\u{2212}")
}

/// An amount with its currency. Where `Intl` refuses the locale and its language, the plain decimal and the code.
#[must_use]
pub fn money(locale: &str, amount: Money, sign: Sign) -> String {
    let decimal = amount.to_decimal_string();
    let currency = amount.currency.as_str();
    let digits = match amount.currency.exponent() {
        0 => "0",
        3 => "3",
        _ => "2",
    };
    let display = match sign {
        Sign::Auto => "auto",
        Sign::Always => "exceptZero",
    };
    let options = options(&[
        ("style", "currency"),
        ("currency", currency),
        ("minimumFractionDigits", digits),
        ("maximumFractionDigits", digits),
        ("signDisplay", display),
    ]);
    let format = with_locale(locale, |tag| NumberFormat::new(tag, &options).ok());
    minus(&match format {
        Some(format) => format.format(&decimal),
        None => [decimal.as_str(), " ", currency].concat(),
    })
}

/// A whole number with the separators of the language. Where `Intl` refuses the locale and its language, plain digits.
#[must_use]
pub fn number(locale: &str, n: u64) -> String {
    let digits = n.to_string();
    match with_locale(locale, |tag| NumberFormat::new(tag, &Object::new()).ok()) {
        Some(format) => format.format(&digits),
        None => digits,
    }
}

/// A day, in the buyer's time zone, in full. Where `Intl` refuses the locale and its language, as in ISO 8601: a sentence
/// about money never lacks its date.
#[must_use]
pub fn day(locale: &str, at: UnixSeconds) -> String {
    // The only way into a `Date` is a double; it holds every millisecond of the next quarter of a million years.
    let date = Date::new(&JsValue::from_f64(at.0.saturating_mul(1000) as f64));
    let options = options(&[("dateStyle", "long")]);
    with_locale(locale, |tag| DateTimeFormat::new(tag, &options).ok()?.format(&date).ok())
        .filter(|text| !text.trim().is_empty())
        .unwrap_or_else(|| {
            // Minutes west of Greenwich; not a number for a date that no `Date` holds, which becomes 0.
            let west = date.get_timezone_offset() as i64;
            iso_day(UnixSeconds(at.0.saturating_sub(west.saturating_mul(60))))
        })
}

/// The day of the proleptic Gregorian calendar in Greenwich, such as `2026-12-23`.
fn iso_day(at: UnixSeconds) -> String {
    // Days from the first of March of the year 0, so that a leap day is the last of its year.
    let days = at.0.div_euclid(86_400).saturating_add(719_468);
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `Intl` reads numbers from strings as well.
fn options(pairs: &[(&str, &str)]) -> Object {
    let object = Object::new();
    for (key, value) in pairs {
        // Setting a property of a fresh plain object cannot fail.
        _ = Reflect::set(&object, &JsValue::from_str(key), &JsValue::from_str(value));
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_days_over_leap_years_and_centuries() {
        for (at, day) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_761_599, "2026-12-31"),
            (1_798_761_600, "2027-01-01"),
            (4_107_542_400, "2100-03-01"),
            (4_107_456_000, "2100-02-28"),
            (i64::MAX, "292277026596-12-04"),
        ] {
            assert_eq!(iso_day(UnixSeconds(at)), day);
        }
    }

    #[test]
    fn amounts_below_zero_have_a_minus() {
        assert_eq!(minus("-$30.00"), "\u{2212}$30.00");
        assert_eq!(minus("30,00\u{a0}€"), "30,00\u{a0}€");
    }
}
