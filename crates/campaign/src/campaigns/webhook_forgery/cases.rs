//! Webhooks made by hand, each with what has to become of it: `corpus/webhooks.json`. The file says itself how it is to be
//! read, so that other implementations can be held against it.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Deserialize;

use super::message::{KEY, Message, NOW, OLD_KEY};

/// What has to become of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fate {
    /// It is taken and applied.
    Take,
    /// It is signed and cannot be read: it is kept, and nothing comes of it.
    Keep,
    /// It is refused.
    Refuse,
    /// One or the other, and nothing comes of it.
    Either,
}

/// One webhook.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// Its class and its name.
    pub(super) name: String,
    /// As they are sent.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    /// Whether its signature holds.
    pub(super) verifies: bool,
    pub(super) fate: Fate,
    /// The server may refuse it before the proxy sees it.
    pub(super) transport: bool,
    /// The body is sent in chunks.
    pub(super) chunked: bool,
}

#[derive(Deserialize)]
struct File {
    now: i64,
    keys: Vec<String>,
    parts: BTreeMap<String, String>,
    cases: Vec<Written>,
}

#[derive(Deserialize)]
struct Written {
    class: String,
    name: String,
    headers: Vec<(String, Piece)>,
    body: Piece,
    verifies: bool,
    then: Fate,
    #[serde(default)]
    transport: bool,
    #[serde(default)]
    chunked: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Piece {
    Text(String),
    Hex { hex: String },
    Repeat { repeat: (String, usize) },
    Concat { concat: Vec<Piece> },
    Part { part: String },
}

impl Piece {
    fn bytes(&self, parts: &BTreeMap<String, String>) -> anyhow::Result<Vec<u8>> {
        Ok(match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Hex { hex } => hex
                .as_bytes()
                .chunks(2)
                .map(|digits| Ok(u8::from_str_radix(str::from_utf8(digits)?, 16)?))
                .collect::<anyhow::Result<_>>()?,
            Self::Repeat { repeat: (text, times) } => text.repeat(*times).into_bytes(),
            Self::Concat { concat } => {
                concat.iter().map(|piece| piece.bytes(parts)).collect::<anyhow::Result<Vec<_>>>()?.concat()
            }
            Self::Part { part } => {
                parts.get(part).with_context(|| format!("no part is called {part}"))?.clone().into_bytes()
            }
        })
    }
}

/// Reads the file.
///
/// # Errors
/// When it is not as it says, or for other keys or another time than those of this campaign.
pub(super) fn all() -> anyhow::Result<Vec<Case>> {
    let file: File = serde_json::from_str(include_str!("../../../corpus/webhooks.json"))?;
    anyhow::ensure!(file.now == NOW && file.keys == [KEY, OLD_KEY], "made for other keys, or another time");
    file.cases
        .into_iter()
        .map(|Written { class, name, headers, body, verifies, then, transport, chunked }| {
            let bytes = |piece: &Piece| piece.bytes(&file.parts);
            Ok(Case {
                name: format!("{class}: {name}"),
                headers: headers
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), bytes(value)?)))
                    .collect::<anyhow::Result<_>>()?,
                body: bytes(&body)?,
                verifies,
                fate: then,
                transport,
                chunked,
            })
        })
        .collect()
}

impl Case {
    /// What verification is handed of it: headers that are there once and can be read.
    pub(super) fn message(&self) -> Message {
        let only = |wanted: &str| {
            let mut named = self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
            match (named.next(), named.next()) {
                (Some((_, value)), None) if value.is_ascii() => String::from_utf8(value.clone()).ok(),
                _ => None,
            }
        };
        Message {
            id: only("webhook-id"),
            timestamp: only("webhook-timestamp"),
            signature: only("webhook-signature"),
            body: self.body.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_many_of_every_class_each_under_a_name_of_its_own() {
        let cases = all().unwrap();
        assert!(cases.len() >= 120, "{}", cases.len());
        let names: BTreeSet<_> = cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), cases.len());
        for class in ["genuine", "headers", "signature", "keys", "content", "id", "time", "nonsense"] {
            assert!(names.iter().any(|name| name.starts_with(class)), "{class}");
        }
        for fate in [Fate::Take, Fate::Keep, Fate::Refuse, Fate::Either] {
            assert!(cases.iter().any(|case| case.fate == fate), "{fate:?}");
        }
        assert!(cases.iter().all(|case| case.verifies || case.fate == Fate::Refuse));
    }
}
