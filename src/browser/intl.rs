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

/// An amount with its currency. Where `Intl` refuses the locale, the plain decimal and the code.
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
    match NumberFormat::new(locale, &options) {
        Ok(format) => format.format(&decimal),
        Err(_) => [decimal.as_str(), " ", currency].concat(),
    }
}

/// A whole number with the separators of the language. Where `Intl` refuses the locale, plain digits.
#[must_use]
pub fn number(locale: &str, n: u64) -> String {
    let digits = n.to_string();
    match NumberFormat::new(locale, &Object::new()) {
        Ok(format) => format.format(&digits),
        Err(_) => digits,
    }
}

/// A day, in the buyer's time zone, in full. Empty where the browser cannot tell it.
#[must_use]
pub fn day(locale: &str, at: UnixSeconds) -> String {
    // The only way into a `Date` is a double; it holds every millisecond of the next quarter of a million years.
    let date = Date::new(&JsValue::from_f64(at.0.saturating_mul(1000) as f64));
    DateTimeFormat::new(locale, &options(&[("dateStyle", "long")]))
        .and_then(|format| format.format(&date))
        .unwrap_or_default()
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
