//! The browser's copy of the decline ledger: hides a refused offer at once, offline and before any answer. The server's
//! ledger is the truth; a refusal that it missed is sent again when it next offers the same thing.
//!
//! The loader reads the same storage item, so its form is a contract: `localStorage["upsell-widget:declined"]` is a
//! JSON list of `{"key": …, "at": …}`, `at` in Unix seconds. Where storage throws or is full, a copy in memory holds
//! for as long as the page lives.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};

use crate::browser::storage::{self, Area};

/// The storage item.
pub const ITEM: &str = "upsell-widget:declined";

/// So many refusals are kept; the oldest give way. The server keeps them all.
const MAX_ENTRIES: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    key: String,
    at: i64,
}

thread_local! {
    static MEMORY: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// Whether this browser has refused the thing with this key.
#[must_use]
pub fn contains(key: &str) -> bool {
    load().iter().any(|entry| entry.key == key)
}

/// Keeps a refusal. `now` in Unix seconds.
pub fn remember(key: &str, now: i64) {
    store(with(load(), key, now));
}

/// What is stored and what is remembered in memory, together.
fn load() -> Vec<Entry> {
    let stored = storage::get(Area::Local, ITEM).map(|text| parse(&text)).unwrap_or_default();
    MEMORY.with_borrow(|memory| {
        memory.iter().fold(stored, |all, entry| {
            if all.iter().any(|known| known.key == entry.key) { all } else { with(all, &entry.key, entry.at) }
        })
    })
}

fn store(entries: Vec<Entry>) {
    if let Ok(text) = serde_json::to_string(&entries) {
        storage::set(Area::Local, ITEM, &text);
    }
    MEMORY.replace(entries);
}

/// What somebody else broke counts as empty.
fn parse(text: &str) -> Vec<Entry> {
    serde_json::from_str(text).unwrap_or_default()
}

fn with(entries: Vec<Entry>, key: &str, at: i64) -> Vec<Entry> {
    let mut entries = without(entries, key);
    entries.push(Entry { key: key.to_owned(), at });
    let surplus = entries.len().saturating_sub(MAX_ENTRIES);
    entries.split_off(surplus)
}

fn without(mut entries: Vec<Entry>, key: &str) -> Vec<Entry> {
    entries.retain(|entry| entry.key != key);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_kept_once_with_its_latest_time() {
        let entries = with(with(with(vec![], "a", 1), "b", 2), "a", 3);
        assert_eq!(serde_json::to_string(&entries).unwrap(), r#"[{"key":"b","at":2},{"key":"a","at":3}]"#);
        assert_eq!(parse(r#"[{"key":"b","at":2},{"key":"a","at":3}]"#), entries);
        assert_eq!(without(entries, "a"), vec![Entry { key: "b".to_owned(), at: 2 }]);
    }

    #[test]
    fn the_oldest_give_way() {
        let all = (0..500).fold(vec![], |all, n| with(all, &n.to_string(), n));
        assert_eq!(all.len(), MAX_ENTRIES);
        assert_eq!((all.first().unwrap().at, all.last().unwrap().at), (300, 499));
    }

    #[test]
    fn broken_storage_counts_as_empty() {
        for text in ["", "null", "{}", "[1]", r#"[{"key":5}]"#, "[[[["] {
            assert_eq!(parse(text), vec![], "{text}");
        }
    }
}
