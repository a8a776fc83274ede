//! Everything that the backend said and the buyer saw, to hold pictures and requests against.

use std::{collections::BTreeMap, fmt::Debug};

use flow::{ApiError, Intent, Press, Screen, charge::DoneView, may_go_to};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use wire::{Consent, Currency, IdempotencyKey, Money, Problem, Quote};

use crate::{Reached, round_trip};

/// A charging request is sent at most so many times with one key (F3).
const MOST_SENDS: u8 = 3;

#[derive(Default)]
pub(super) struct Witness {
    /// As JSON, so that nothing which the widget's own types do to it goes unnoticed.
    said: Vec<Value>,
    /// Amounts that a button bore.
    shown: Vec<Money>,
    /// How often a charging request was sent, by its key.
    sends: BTreeMap<String, u8>,
    /// How many keys were made.
    keys: u32,
    /// What was seen.
    pub(super) reached: Reached,
}

impl Witness {
    /// A press with a fresh intention, as the shell makes one.
    pub(super) fn press(&mut self, screen: Screen) -> Option<Press> {
        self.keys += 1;
        let key = IdempotencyKey::parse(format!("key-{}", self.keys)).ok()?;
        let consent =
            Consent { locale: "en".to_owned(), version: "1".to_owned(), text_hash: self.keys.to_string() };
        Some(Press { intent: Intent { key, consent }, screen })
    }

    /// What a line says of a request; `None` when it says something else.
    pub(super) fn reply<T>(&mut self, word: &str, rest: &str) -> Option<Result<T, ApiError>>
    where
        T: DeserializeOwned + Serialize + PartialEq + Debug,
    {
        Some(match word {
            "ok" => self.read(rest),
            "network" => Err(ApiError::Network),
            "timeout" => Err(ApiError::Timeout),
            "error" => {
                let (status, body) = rest.split_once(' ').unwrap_or((rest, ""));
                Err(match self.read::<Problem>(body) {
                    Ok(problem) => ApiError::Problem(Box::new(problem)),
                    Err(_) => ApiError::Foreign { status: status.parse().unwrap_or(500) },
                })
            }
            _ => return None,
        })
    }

    /// The same where the answer has no body.
    pub(super) fn nothing(&mut self, word: &str, rest: &str) -> Option<Result<(), ApiError>> {
        if word == "ok" { Some(Ok(())) } else { self.reply(word, rest) }
    }

    /// Reads a body as the widget does.
    pub(super) fn read<T>(&mut self, body: &str) -> Result<T, ApiError>
    where
        T: DeserializeOwned + Serialize + PartialEq + Debug,
    {
        // Numbers beyond every range can stand where nothing is read; what they stand in cannot be witnessed.
        let json = serde_json::from_str(body).map_err(|_| ApiError::BadBody)?;
        let value = serde_json::from_str(body).map_err(|_| ApiError::BadBody)?;
        round_trip(&value);
        // The decoder takes a list of an object's values for the object, which nobody sends and cannot be witnessed either.
        let read = serde_json::to_value(&value).map_err(|_| ApiError::BadBody)?;
        if !is_like(&json, &read) {
            return Err(ApiError::BadBody);
        }
        self.said.push(json);
        Ok(value)
    }

    fn said(&self, holds: impl Fn(&Map<String, Value>) -> bool) -> bool {
        self.said.iter().any(|answer| within(answer, &holds))
    }

    /// A price on the screen is one that the backend said.
    pub(super) fn price(&self, field: &str, amount: i64, currency: Currency) {
        let said =
            self.said(|object| is(object, field, amount) && names(object, "currency", currency.as_str()));
        assert!(said, "{amount} {currency} is no {field} that was said");
    }

    /// A quote on the screen is the backend's to the last amount, adds up, and is what the button bears.
    pub(super) fn quote(&mut self, quote: &Quote, due: Money, changed_from: Option<Money>) {
        assert!(quote.adds_up(), "shown without adding up: {quote:?}");
        assert_eq!(due, quote.total_money());
        let said = self.said(|object| {
            let lines = object.get("lines").and_then(Value::as_array);
            let amounts = lines.into_iter().flatten().filter_map(|line| line["amount"].as_i64());
            names(object, "id", quote.id.as_str())
                && names(object, "currency", quote.currency.as_str())
                && is(object, "total", quote.total)
                && is(object, "tax", quote.tax)
                && is(object, "credit", quote.credit)
                && amounts.eq(quote.lines.iter().map(|line| line.amount))
                && object.get("renewal").and_then(|renewal| renewal["amount"].as_i64())
                    == quote.renewal.map(|renewal| renewal.amount)
        });
        assert!(said, "nobody said {quote:?}");
        self.bears(due, changed_from);
    }

    /// What a button bears, and what it bore before.
    pub(super) fn bears(&mut self, due: Money, changed_from: Option<Money>) {
        assert_ne!(changed_from, Some(due), "nothing has changed");
        assert!(changed_from.is_none_or(|before| self.shown.contains(&before)));
        self.shown.push(due);
    }

    /// An amount that is told after a press was on the button.
    pub(super) fn told(&self, due: Option<Money>) {
        assert!(due.is_none_or(|due| self.shown.contains(&due)), "{due:?} was never shown");
    }

    /// Nobody is told "paid" without the backend's word, and what was collected is what it said.
    pub(super) fn done(&mut self, done: &DoneView) {
        self.reached.insert("done");
        if let Some(receipt) = &done.receipt {
            let said = self.said(|object| {
                names(object, "reference", &receipt.reference)
                    && names(object, "currency", receipt.currency.as_str())
                    && is(object, "amount", receipt.amount)
            });
            assert!(said, "nobody said {receipt:?}");
        }
    }

    /// The widget goes to addresses only that are safe and came from the backend.
    pub(super) fn goes_to(&mut self, address: &str) {
        self.reached.insert("led away");
        assert!(may_go_to(address), "{address}");
        assert!(self.said(|object| object.values().any(|value| value == address)), "{address} was not said");
    }

    /// One press is one key, sent a few times at most, and once where keys mean nothing.
    pub(super) fn sends(&mut self, key: &IdempotencyKey, most: Option<u8>, pressed: bool) {
        self.reached.insert("charging");
        let sends = self.sends.entry(key.as_str().to_owned()).or_default();
        *sends += 1;
        assert!(*sends <= most.unwrap_or(MOST_SENDS), "sent {sends} times");
        assert_eq!(*sends == 1, pressed, "sent without a press");
    }
}

fn is(object: &Map<String, Value>, field: &str, amount: i64) -> bool {
    object.get(field).and_then(Value::as_i64) == Some(amount)
}

/// Whether what was read is an object wherever something was said.
fn is_like(said: &Value, read: &Value) -> bool {
    match (said, read) {
        (Value::Object(said), Value::Object(read)) => {
            read.iter().all(|(name, read)| said.get(name).is_none_or(|said| is_like(said, read)))
        }
        (Value::Array(said), Value::Array(read)) => {
            said.iter().zip(read).all(|(said, read)| is_like(said, read))
        }
        (_, Value::Object(_)) => false,
        _ => true,
    }
}

fn names(object: &Map<String, Value>, field: &str, text: &str) -> bool {
    object.get(field).is_some_and(|value| value == text)
}

fn within(value: &Value, holds: &dyn Fn(&Map<String, Value>) -> bool) -> bool {
    match value {
        Value::Object(object) => holds(object) || object.values().any(|value| within(value, holds)),
        Value::Array(values) => values.iter().any(|value| within(value, holds)),
        _ => false,
    }
}
