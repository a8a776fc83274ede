//! An intention to pay survives a reload. Key and consent are stored, as well as the browser can, before the request leaves;
//! should the page be loaded again before the answer came and show the same quote, confirming it is the same intention, and
//! the request has the same bytes. Once there is an answer the intention is over.

use flow::Intent;
use wire::{Consent, IdempotencyKey, QuoteId};

use super::storage::{self, Area};

const ITEM: &str = "upsell-widget:intent";

/// The intention to send for this quote: that of an unanswered request, or else `fresh`.
#[must_use]
pub fn begin(quote: &QuoteId, fresh: Intent) -> Intent {
    let stored = storage::get(Area::Session, ITEM);
    if let Some(intent) = stored.as_deref().and_then(|text| unanswered(text, quote)) {
        return intent;
    }
    // None of them has a blank in it.
    let Consent { locale, version, text_hash } = &fresh.consent;
    let parts = [quote.as_str(), fresh.key.as_str(), locale, version, text_hash];
    storage::set(Area::Session, ITEM, &parts.join(" "));
    fresh
}

/// The backend has answered.
pub fn end() {
    storage::remove(Area::Session, ITEM);
}

fn unanswered(text: &str, quote: &QuoteId) -> Option<Intent> {
    let mut parts = text.split(' ');
    if parts.next()? != quote.as_str() {
        return None;
    }
    let key = IdempotencyKey::parse(parts.next()?).ok()?;
    let mut part = || parts.next().map(str::to_owned);
    let consent = Consent { locale: part()?, version: part()?, text_hash: part()? };
    Some(Intent { key, consent })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intention_belongs_to_its_quote() {
        let text = "q1 k1 en 0.1.0 0f";
        let quote = QuoteId::parse("q1").unwrap();
        let intent = unanswered(text, &quote).unwrap();
        assert_eq!((intent.key.as_str(), intent.consent.text_hash.as_str()), ("k1", "0f"));
        for other in ["q2 k1 en 0.1.0 0f", "q1 k1", "q1 k1 en 0.1.0", "", "{}"] {
            assert_eq!(unanswered(other, &quote), None, "{other}");
        }
    }
}
