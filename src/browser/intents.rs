//! An intention to pay survives a reload. Key and consent are stored, as well as the browser can, before the request leaves;
//! should the page be loaded again before the answer came and show the same quote, confirming it is the same intention, and
//! the request has the same bytes. Once there is an answer the intention is over.

use flow::Intent;
use serde::{Deserialize, Serialize};
use wire::{Consent, IdempotencyKey, QuoteId};

use super::storage::{self, Area};

const ITEM: &str = "upsell-widget:intent";

/// What is stored, as JSON.
#[derive(Serialize, Deserialize)]
struct Stored {
    quote: QuoteId,
    key: IdempotencyKey,
    consent: Consent,
}

/// The intention to send for this quote: that of an unanswered request, or else `fresh`.
#[must_use]
pub fn begin(quote: &QuoteId, fresh: Intent) -> Intent {
    let stored = storage::get(Area::Session, ITEM);
    if let Some(intent) = stored.as_deref().and_then(|text| unanswered(text, quote)) {
        return intent;
    }
    let stored = Stored { quote: quote.clone(), key: fresh.key.clone(), consent: fresh.consent.clone() };
    if let Ok(text) = serde_json::to_string(&stored) {
        storage::set(Area::Session, ITEM, &text);
    }
    fresh
}

/// The backend has answered.
pub fn end() {
    storage::remove(Area::Session, ITEM);
}

fn unanswered(text: &str, quote: &QuoteId) -> Option<Intent> {
    let Stored { quote: stored, key, consent } = serde_json::from_str(text).ok()?;
    (stored == *quote).then_some(Intent { key, consent })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intention_belongs_to_its_quote() {
        let text = r#"{"quote":"q1","key":"k1","consent":{"locale":"en","version":"1","text_hash":"0f"}}"#;
        let quote = QuoteId::parse("q1").unwrap();
        let intent = unanswered(text, &quote).unwrap();
        assert_eq!((intent.key.as_str(), intent.consent.text_hash.as_str()), ("k1", "0f"));
        for other in [&text.replace("q1", "q2"), "q1 k1", "", "{}", "null"] {
            assert_eq!(unanswered(other, &quote), None, "{other}");
        }
    }
}
