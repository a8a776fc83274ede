//! An intention to pay survives a reload. The key is stored, as well as the browser can, before the request leaves;
//! should the page be loaded again before the answer came and show the same quote, confirming it is the same intention
//! and carries the same key. Once there is an answer the intention is over.

use wire::{IdempotencyKey, QuoteId};

use super::storage::{self, Area};

const ITEM: &str = "upsell-widget:intent";

/// The key to send for this quote: that of an unanswered request, or else `fresh`.
#[must_use]
pub fn begin(quote: &QuoteId, fresh: IdempotencyKey) -> IdempotencyKey {
    let stored = storage::get(Area::Session, ITEM);
    if let Some(key) = stored.as_deref().and_then(|text| unanswered(text, quote)) {
        return key;
    }
    storage::set(Area::Session, ITEM, &[quote.as_str(), " ", fresh.as_str()].concat());
    fresh
}

/// The backend has answered.
pub fn end() {
    storage::remove(Area::Session, ITEM);
}

fn unanswered(text: &str, quote: &QuoteId) -> Option<IdempotencyKey> {
    let (stored, key) = text.split_once(' ')?;
    (stored == quote.as_str()).then(|| IdempotencyKey::parse(key).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_belongs_to_its_quote() {
        let quote = QuoteId::parse("q1").unwrap();
        assert_eq!(unanswered("q1 k1", &quote), IdempotencyKey::parse("k1").ok());
        for other in ["q2 k1", "q1", "q1 k 1", "", "k1 q1"] {
            assert_eq!(unanswered(other, &quote), None, "{other}");
        }
    }
}
