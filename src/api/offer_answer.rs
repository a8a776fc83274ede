//! Reading the answer to `GET {endpoint}` of an offer. A backend that keeps the contract is read to the letter. A basic
//! backend, written after Dodo's guide, passes on what it has: what is unambiguous there is read, and for the rest the
//! field at fault is named, so that its author hears of it on the console.
//!
//! | field | read | not read |
//! |---|---|---|
//! | `eligible` | `true`, `"true"` | anything else than these and `false`, `"false"` |
//! | `product.id`, `product.name` | text, a whole number of at most 15 digits; Dodo's `product_id` for `id` | |
//! | `product.price` | `12900`, `12900.0`, `"12900"`, Dodo's price object of a one-time price | `"129.00"`, `129.5`, a price object with a discount, of a subscription, or of what the buyer likes |
//! | `product.currency` | three letters in either case, or that of the price object | none, two that differ |
//!
//! An amount is read from its text, digit by digit: it is never a floating-point number in between.

use core::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use wire::{Currency, IneligibleReason, Product, ProductId, UpsellResponse};

/// Longest number that is taken for text: one that JavaScript too reads without loss.
const MAX_DIGITS: usize = 15;

/// Reads an answer. Also the first one, which the loader hands over as text.
///
/// # Errors
/// The path of the field that cannot be used, such as `product.price`; `body` where it is no JSON object, or as a whole.
pub fn decode_offer(text: &str) -> Result<Box<UpsellResponse>, &'static str> {
    if let Ok(response) = serde_json::from_str(text) {
        return Ok(response);
    }
    let fields: Fields<'_> = serde_json::from_str(text).map_err(|_| "body")?;
    // What keeps the contract was read to the letter, in vain.
    if ["offer", "quote", "attempt"].iter().any(|name| fields.get(name).is_some()) {
        return Err("body");
    }
    let nothing = UpsellResponse::ineligible(IneligibleReason::Other);
    if !flag(&fields, "eligible").ok_or("eligible")? {
        return Ok(Box::new(nothing));
    }
    let product = basic_product(fields.get("product").ok_or("product")?)?;
    Ok(Box::new(UpsellResponse { eligible: true, reason: None, product: Some(product), ..nothing }))
}

/// The fields of an object, each as its own text.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Vec<(String, &'de RawValue)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Collect).map(Self)
    }
}

impl<'a> Fields<'a> {
    /// A field; absent and `null` are the same. Of two with one name the last counts, as in JavaScript.
    fn get(&self, name: &str) -> Option<&'a RawValue> {
        let (_, raw) = self.0.iter().rev().find(|(known, _)| known == name)?;
        (raw.get() != "null").then_some(*raw)
    }
}

/// A product as a basic backend has it.
fn basic_product(raw: &RawValue) -> Result<Product, &'static str> {
    let fields: Fields<'_> = read(raw).ok_or("product")?;
    let id = fields.get("id").or_else(|| fields.get("product_id"));
    let id = id.and_then(text).and_then(|id| ProductId::parse(id).ok()).ok_or("product.id")?;
    let name = fields.get("name").and_then(text).filter(|name| !name.is_empty());
    let said = match fields.get("currency") {
        Some(raw) => Some(currency(raw).ok_or("product.currency")?),
        None => None,
    };
    let (price, currency) = price(fields.get("price").ok_or("product.price")?, said)?;
    let words = |name| fields.get(name).and_then(read);
    Ok(Product {
        id,
        name: name.ok_or("product.name")?,
        price,
        currency,
        period: None,
        description: words("description"),
        image: words("image"),
    })
}

/// Minor units and their currency: a number, or Dodo's object, which has both.
fn price(raw: &RawValue, said: Option<Currency>) -> Result<(i64, Currency), &'static str> {
    if !raw.get().starts_with('{') {
        return Ok((minor_units(raw).ok_or("product.price")?, said.ok_or("product.currency")?));
    }
    let fields: Fields<'_> = read(raw).ok_or("product.price")?;
    let kind = match fields.get("type") {
        Some(raw) => text(raw),
        None => Some("one_time_price".to_owned()),
    };
    // What a subscription goes on to cost cannot be said without a quote.
    if kind.as_deref() != Some("one_time_price") {
        return Err("product.price.type");
    }
    // With any of these the buyer pays something else than this price.
    for (name, path) in [
        ("discount", "product.price.discount"),
        ("discount_bps", "product.price.discount_bps"),
        ("pay_what_you_want", "product.price.pay_what_you_want"),
        ("purchasing_power_parity", "product.price.purchasing_power_parity"),
    ] {
        if fields.get(name).is_some_and(|raw| !matches!(raw.get(), "0" | "0.0" | "false")) {
            return Err(path);
        }
    }
    let amount = fields.get("price").and_then(minor_units).ok_or("product.price.price")?;
    let own = fields.get("currency").and_then(currency).ok_or("product.price.currency")?;
    if said.is_some_and(|said| said != own) {
        return Err("product.currency");
    }
    Ok((amount, own))
}

/// A whole number, as such, with `.0`, or as text without it: `"129.00"` is likely to mean something else.
fn minor_units(raw: &RawValue) -> Option<i64> {
    let digits = match raw.get().strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"')?,
        None => raw.get().strip_suffix(".0").unwrap_or(raw.get()),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

fn currency(raw: &RawValue) -> Option<Currency> {
    let mut code: String = read(raw)?;
    code.make_ascii_uppercase();
    Currency::parse(&code).ok()
}

/// Text, or a whole number as its own text.
fn text(raw: &RawValue) -> Option<String> {
    let number = raw.get();
    if !number.is_empty() && number.len() <= MAX_DIGITS && number.bytes().all(|b| b.is_ascii_digit()) {
        return Some(number.to_owned());
    }
    read(raw)
}

fn flag(fields: &Fields<'_>, name: &str) -> Option<bool> {
    match fields.get(name)?.get() {
        "true" | "\"true\"" => Some(true),
        "false" | "\"false\"" => Some(false),
        _ => None,
    }
}

fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 4] =
        [("id", r#""prod_1""#), ("name", r#""Bundle""#), ("price", "12900"), ("currency", r#""USD""#)];

    /// What a form of a field comes to.
    #[derive(Clone, Copy, Debug)]
    enum Comes {
        /// The product is as it always is, with this id or name.
        Read(&'static str),
        /// Named.
        Bad(&'static str),
    }
    use Comes::{Bad, Read};

    /// Each form in which somebody may write a value.
    const FORMS: [&str; 20] = [
        r#""prod_1""#,
        r#""Bundle""#,
        r#""USD""#,
        r#""usd""#,
        r#""Usd""#,
        r#""US""#,
        "12900",
        "12900.0",
        r#""12900""#,
        r#""12900.0""#,
        r#""129.00""#,
        "12900.00",
        "12900.5",
        "1.29e4",
        "9223372036854775808",
        "null",
        "true",
        "[]",
        "{}",
        r#"{"type":"one_time_price","currency":"USD","price":12900,"discount":0,"tax_inclusive":false}"#,
    ];

    fn comes(field: &str, form: &'static str) -> Comes {
        let is_price = matches!(form, "12900" | "12900.0" | "\"12900\"") || form.contains("one_time_price");
        match (field, form) {
            // An id has letters, digits, `-` and `_` only.
            ("id", "\"Bundle\"") => Read("Bundle"),
            ("id", "\"USD\"") => Read("USD"),
            ("id", "\"usd\"") => Read("usd"),
            ("id", "\"Usd\"") => Read("Usd"),
            ("id", "\"US\"") => Read("US"),
            ("id" | "name", "\"prod_1\"") => Read("prod_1"),
            ("id" | "name", "12900" | "\"12900\"") => Read("12900"),
            ("id", _) => Bad("product.id"),
            ("name", text) => match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
                Some(text) => Read(text),
                None => Bad("product.name"),
            },
            ("price", "{}") => Bad("product.price.price"),
            ("price", _) if is_price => Read("prod_1"),
            ("price", _) => Bad("product.price"),
            ("currency", "\"USD\"" | "\"usd\"" | "\"Usd\"") => Read("prod_1"),
            _ => Bad("product.currency"),
        }
    }

    fn product_with(changes: &[(&str, Option<&str>)]) -> String {
        let fields = GOOD.iter().filter_map(|(name, good)| {
            let value = match changes.iter().find(|(changed, _)| changed == name) {
                Some((_, value)) => (*value)?,
                None => good,
            };
            Some(format!("\"{name}\":{value}"))
        });
        let fields: Vec<String> = fields.collect();
        format!("{{\"eligible\":true,\"paymentMethodId\":\"pm_1\",\"product\":{{{}}}}}", fields.join(","))
    }

    #[test]
    fn each_field_in_each_form_is_read_or_named() {
        for (field, _) in GOOD {
            for form in FORMS {
                let answer = product_with(&[(field, Some(form))]);
                match (decode_offer(&answer), comes(field, form)) {
                    (Ok(response), Read(word)) => {
                        let product = response.product.expect("a product");
                        assert_eq!((product.price, product.currency.as_str()), (12_900, "USD"), "{answer}");
                        match field {
                            "name" => assert_eq!(product.name, word, "{answer}"),
                            _ => assert_eq!(product.id.as_str(), word, "{answer}"),
                        }
                        assert!(response.eligible && response.offer.is_none() && response.quote.is_none());
                    }
                    (Err(field), Bad(expected)) => assert_eq!(field, expected, "{answer}"),
                    (came, expected) => panic!("{answer}: {came:?}, not {expected:?}"),
                }
            }
            let path = ["product.", field].concat();
            assert_eq!(
                decode_offer(&product_with(&[(field, None)])).err(),
                Some(&*path),
                "{field} is absent"
            );
        }
    }

    /// Two fields at once: what one form does to one field does not depend on the form of another.
    #[test]
    fn forms_do_not_hide_each_other() {
        for (field, _) in GOOD {
            for (other, _) in GOOD.into_iter().filter(|(other, _)| *other != field) {
                for form in FORMS {
                    for second in FORMS {
                        let answer = product_with(&[(field, Some(form)), (other, Some(second))]);
                        // Dodo's object brings its currency along.
                        let of = |wanted| if field == wanted { form } else { second };
                        let brought = [field, other].contains(&"price")
                            && [field, other].contains(&"currency")
                            && of("price").contains("one_time_price")
                            && of("currency") == "null";
                        let both = brought
                            || matches!((comes(field, form), comes(other, second)), (Read(_), Read(_)));
                        assert_eq!(decode_offer(&answer).is_ok(), both, "{answer}");
                    }
                }
            }
        }
    }

    #[test]
    fn dodo_s_own_price_is_read_where_it_is_what_the_buyer_pays() {
        let price = |more: &str| format!(r#"{{"currency":"USD","price":12900{more}}}"#);
        let read = |price: &str, currency: Option<&str>| {
            decode_offer(&product_with(&[("price", Some(price)), ("currency", currency)]))
                .map(|response| response.product.map(|product| (product.price, product.currency.to_string())))
        };
        let good = Ok(Some((12_900, "USD".to_owned())));
        for more in [
            "",
            r#","type":"one_time_price""#,
            r#","discount":0,"discount_bps":0"#,
            r#","pay_what_you_want":false,"suggested_price":null"#,
            r#","tax_inclusive":true"#,
        ] {
            assert_eq!(read(&price(more), None), good, "{more}");
            assert_eq!(read(&price(more), Some("\"usd\"")), good, "{more}");
        }
        for (more, field) in [
            (r#","type":"recurring_price""#, "product.price.type"),
            (r#","type":"usage_based_price""#, "product.price.type"),
            (r#","discount":10"#, "product.price.discount"),
            (r#","discount_bps":100"#, "product.price.discount_bps"),
            (r#","pay_what_you_want":true"#, "product.price.pay_what_you_want"),
            (r#","purchasing_power_parity":true"#, "product.price.purchasing_power_parity"),
        ] {
            assert_eq!(read(&price(more), None), Err(field), "{more}");
        }
        assert_eq!(read(&price(""), Some("\"EUR\"")), Err("product.currency"));
        assert_eq!(read(r#"{"price":12900}"#, Some("\"USD\"")), Err("product.price.currency"));
        assert_eq!(read(r#"{"currency":"USD","price":129.5}"#, None), Err("product.price.price"));
        assert_eq!(read("12900", None), Err("product.currency"));
    }

    #[test]
    fn the_rest_of_an_answer() {
        let product = r#""product":{"product_id":7,"name":"B","price":"500","currency":"eur","image":1,"description":"D"}"#;
        let full = decode_offer(&format!(r#"{{"eligible":"true",{product},"payment_method":"pm_1"}}"#));
        let response = full.expect("a basic offer");
        assert!(response.payment_method.is_none(), "an id is no card");
        let product = response.product.expect("a product");
        assert_eq!((product.id.as_str(), product.price, product.currency.as_str()), ("7", 500, "EUR"));
        assert_eq!((product.description.as_deref(), product.image), (Some("D"), None));
        for (answer, expected) in [
            ("", Err("body")),
            ("[]", Err("body")),
            ("null", Err("body")),
            ("<html>", Err("body")),
            ("{}", Err("eligible")),
            (r#"{"eligible":1}"#, Err("eligible")),
            (r#"{"eligible":"yes"}"#, Err("eligible")),
            (r#"{"eligible":"true"}"#, Err("product")),
            (r#"{"eligible":true,"product":[]}"#, Err("product")),
            (r#"{"eligible":true,"product":{}}"#, Err("product.id")),
            (r#"{"eligible":true,"offer":{"id":1},"product":{}}"#, Err("body")),
            (r#"{"eligible":true,"quote":[],"product":{}}"#, Err("body")),
            (r#"{"eligible":"false"}"#, Ok(false)),
            (r#"{"eligible":false,"reason":{"code":7}}"#, Ok(false)),
            (r#"{"eligible":false,"reason":"accepted","attempt":{"success":3}}"#, Err("body")),
        ] {
            assert_eq!(decode_offer(answer).map(|response| response.eligible), expected, "{answer}");
        }
    }

    /// What keeps the contract is read to the letter, whatever a basic backend may do.
    #[test]
    fn a_contract_s_answer_is_not_read_kindly() {
        let good = include_str!("../../crates/wire/tests/golden/upsell_offered.json");
        assert!(decode_offer(good).is_ok_and(|response| response.quote.is_some()));
        for (what, with) in [
            ("\"price\": 8000", "\"price\": \"8000\""),
            ("\"expires_in\": 300", "\"expires_in\": \"300\""),
            ("\"quantity\": 1", "\"quantity\": -1"),
        ] {
            assert!(good.contains(what), "{what} is not in the file");
            assert_eq!(decode_offer(&good.replace(what, with)).err(), Some("body"), "{with}");
        }
    }
}
