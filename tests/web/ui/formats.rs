//! Amounts and days through the browser's own `Intl`.

use upsell_widget::browser::intl::{Sign, day, money, number};
use wasm_bindgen_test::wasm_bindgen_test;
use wire::{Currency, Money, UnixSeconds};

use super::views::DAY;

fn formatted(locale: &str, amount: i64, currency: &str, sign: Sign) -> String {
    money(locale, Money::new(amount, Currency::parse(currency).unwrap()), sign).replace('\u{a0}', " ")
}

#[wasm_bindgen_test]
fn amounts_are_exact_in_every_exponent() {
    for (locale, amount, currency, text) in [
        ("en", 1_050, "USD", "$10.50"),
        ("en", -5, "USD", "−$0.05"),
        ("en", 4_900, "JPY", "¥4,900"),
        ("ja", 4_900, "JPY", "￥4,900"),
        ("de", 1_050, "EUR", "10,50 €"),
        // Intl alone would round these to whole units.
        ("en", 1_050, "HUF", "HUF 10.50"),
        ("en", 1_234, "KWD", "KWD 1.234"),
        // A double would lose the last digits.
        ("en", 9_007_199_254_740_993, "USD", "$90,071,992,547,409.93"),
        ("en", i64::MAX, "USD", "$92,233,720,368,547,758.07"),
    ] {
        assert_eq!(formatted(locale, amount, currency, Sign::Auto), text);
    }
}

#[wasm_bindgen_test]
fn differences_carry_their_sign() {
    assert_eq!(formatted("en", 2_000, "USD", Sign::Always), "+$20.00");
    assert_eq!(formatted("en", -2_000, "USD", Sign::Always), "−$20.00");
}

#[wasm_bindgen_test]
fn a_locale_that_intl_refuses_does_no_harm() {
    assert_eq!(formatted("not a locale", -1_050, "USD", Sign::Auto), "−10.50 USD");
    assert_eq!(day("not a locale", DAY), "2026-12-23");
    // First the tag, then its language.
    assert_eq!((day("en-u", DAY).as_str(), number("de-u", 12_345).as_str()), ("December 23, 2026", "12.345"));
    assert_eq!(formatted("de-u", 1_050, "EUR", Sign::Auto), "10,50 €");
    // No `Date` of a browser holds this one.
    assert_eq!(day("en", UnixSeconds(i64::MAX)), "292277026596-12-04");
}

/// Tags that pass for language tags by their letters: many are none, and many are known to no browser.
pub(super) fn odd_tags() -> Vec<String> {
    let languages = ["en", "ja", "de", "ar", "fa", "th", "xx", "und", "abcdefgh"];
    let endings = [
        "",
        "-u",
        "-x",
        "-US-u",
        "-u-nu",
        "-u-nu-latn",
        "-u-ca-buddhist",
        "-u-ca-islamic",
        "-a",
        "-1",
        "-12345678",
        "-US-US",
        "-Latn-Latn",
        "-t-en",
        "-1996-1996",
        "_US",
    ];
    languages.iter().flat_map(|language| endings.map(|ending| [language, ending].concat())).collect()
}

#[wasm_bindgen_test]
fn no_odd_tag_leaves_an_amount_or_a_day_out() {
    for tag in odd_tags() {
        for text in [day(&tag, DAY), number(&tag, 7), formatted(&tag, -1_050, "USD", Sign::Always)] {
            assert!(text.chars().any(char::is_numeric), "{tag}: {text:?}");
        }
    }
}

#[wasm_bindgen_test]
fn days_are_written_out() {
    assert_eq!(day("en-US", DAY), "December 23, 2026");
    assert_eq!(day("ja-JP", DAY), "2026年12月23日");
}
