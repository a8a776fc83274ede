//! Every field of every object that Dodo sends, changed in every way: what an object says of money stays, or reading fails
//! at the very field that says it. Generated, since nobody knows which field changes next.

use dodo_client::{
    error::DecodeError,
    types::payments::{ChargeType, Payment},
};
use serde_json::{Value, json};

use crate::recorded::{Recorded, bytes, full_payment, recorded, refunded};

/// A key or an index.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Index(usize),
}

/// Every field of a value, at every depth.
fn fields(value: &Value, at: &[Step], found: &mut Vec<Vec<Step>>) {
    let children: Vec<(Step, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, child)| (Step::Key(key.clone()), child)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(no, child)| (Step::Index(no), child)).collect(),
        _ => Vec::new(),
    };
    for (step, child) in children {
        let path: Vec<Step> = at.iter().cloned().chain([step]).collect();
        found.push(path.clone());
        fields(child, &path, found);
    }
}

/// `addons[].quantity`.
fn pattern(path: &[Step]) -> String {
    path.iter().fold(String::new(), |text, step| match step {
        Step::Key(key) if text.is_empty() => key.clone(),
        Step::Key(key) => format!("{text}.{key}"),
        Step::Index(_) => format!("{text}[]"),
    })
}

/// Says whether a change at `path` is one of a strict field, of a part of it or of something that holds it.
fn touches(strict: &[&str], path: &str) -> bool {
    let within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    strict.iter().any(|strict| within(path, strict) || within(strict, path))
}

fn parent<'a>(object: &'a mut Value, path: &[Step]) -> &'a mut Value {
    path.iter().fold(object, |value, step| match step {
        Step::Key(key) => &mut value[key.as_str()],
        Step::Index(no) => &mut value[*no],
    })
}

/// The object with the field at `path` changed in each way.
fn changed(object: &Value, path: &[Step]) -> Vec<(&'static str, Value)> {
    let (last, above) = path.split_last().unwrap();
    let mut all = Vec::new();
    let mut gone = object.clone();
    match (last, parent(&mut gone, above)) {
        (Step::Key(key), Value::Object(map)) => drop(map.remove(key)),
        (Step::Index(no), Value::Array(list)) => drop(list.remove(*no)),
        _ => unreachable!("a path leads through what holds something"),
    }
    all.push(("gone", gone));
    for (way, value) in [
        ("null", Value::Null),
        ("a number", json!(7)),
        ("a fraction", json!(7.5)),
        ("a huge number", json!(18_446_744_073_709_551_615_u64)),
        ("an unknown word", json!("no such word")),
        ("empty text", json!("")),
        ("lower case", json!("usd")),
        ("a time without a zone", json!("2026-01-01T00:00:00")),
        ("a truth value", json!(true)),
        ("a list", json!([])),
        ("a list of something else", json!([[7]])),
        ("an object", json!({})),
        ("an object of something else", json!({"a": {"b": 7}})),
    ] {
        let mut other = object.clone();
        *parent(&mut other, path) = value;
        all.push((way, other));
    }
    all
}

/// What does not settle anything may change in any way; what does is never read as anything else than it says.
#[test]
fn only_what_settles_money_makes_an_object_unreadable() {
    let (mut tried, mut broken) = (0_u32, Vec::new());
    for Recorded { name, object, strict, read } in recorded() {
        let says = read(&object).unwrap();
        let mut all = Vec::new();
        fields(&object, &[], &mut all);
        for path in all {
            let field = pattern(&path);
            let mut ways = Vec::new();
            for (way, value) in changed(&object, &path) {
                tried += 1;
                let read = read(&value);
                if !touches(strict, &field) && read.as_ref() != Ok(&says) {
                    ways.push(way);
                }
            }
            if !ways.is_empty() {
                broken.push(format!("{name}: {field}: {}", ways.join(", ")));
            }
        }
    }
    assert!(tried > 3000, "{tried}");
    assert!(broken.is_empty(), "{} fields, of {tried} changes:\n{}", broken.len(), broken.join("\n"));
}

/// A strict field of another type is an error that names it: it is never left out, and never read as something else.
#[test]
fn what_settles_money_is_never_left_out() {
    let mut tried = 0_u32;
    for Recorded { name, object, strict, read } in recorded() {
        if !name.ends_with("webhook") {
            continue;
        }
        let mut all = Vec::new();
        fields(&object, &[], &mut all);
        for path in all.into_iter().filter(|path| strict.contains(&pattern(path).as_str())) {
            let field = pattern(&path);
            let mut other = object.clone();
            *parent(&mut other, &path) = json!([[7]]);
            let DecodeError::Shape { path } = read(&other).unwrap_err() else { panic!("{name}: {field}") };
            assert!(path.starts_with(&format!("data.{field}")), "{name}: {field} named as {path}");
            tried += 1;
        }
    }
    assert_eq!(tried, 33);
}

/// A cart and refunds that are there and cannot be read are told from none; of refunds, those that can be read are kept.
#[test]
fn a_part_that_cannot_be_read_is_not_taken_for_absent() {
    let read = |field: &str, value: Value| {
        let mut object = full_payment();
        object[field] = value;
        DecodeError::read::<Payment>(&bytes(&object)).unwrap()
    };
    for cart in [json!(7), json!([{"product_id": "pdt_course", "quantity": "2"}]), json!([null])] {
        let payment = read("product_cart", cart);
        assert!(payment.product_cart.is_empty() && payment.unread.product_cart);
    }
    for absent in [json!([]), Value::Null] {
        assert!(!read("product_cart", absent).unread.product_cart);
    }
    let mut odd = refunded();
    odd["amount"] = json!("500");
    let payment = read("refunds", json!([odd, refunded()]));
    assert_eq!((payment.refunds.len(), payment.unread.refunds), (1, true));
    assert!(read("refunds", json!("many")).unread.refunds);
    assert!(!read("refunds", json!([refunded()])).unread.refunds);
    // Without a type a renewal would pass for a new purchase.
    assert_eq!(read("charge_type", json!(7)).charge_type, Some(ChargeType::Unknown(String::new())));
}

/// An object made to be read again and again is given up.
#[test]
fn an_object_with_too_much_that_cannot_be_read_is_given_up() {
    let mut object = full_payment();
    object["disputes"] = Value::Array(vec![json!(7); 63]);
    assert!(DecodeError::read::<Payment>(&bytes(&object)).is_ok());
    object["disputes"] = Value::Array(vec![json!(7); 65]);
    let error = DecodeError::read::<Payment>(&bytes(&object)).unwrap_err();
    assert_eq!(error, DecodeError::Shape { path: "disputes[0]".into() });
}
