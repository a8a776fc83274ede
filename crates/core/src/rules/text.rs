//! The merchant's words in several languages, and which of them a buyer reads.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What an offer says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// One line.
    pub headline: String,
    /// What one gets over today, a line each.
    #[serde(default)]
    pub benefits: Vec<String>,
    /// One line that is true.
    #[serde(default)]
    pub social_proof: Option<String>,
}

/// One thing in several languages, of which one is always there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Localized<T> {
    fallback: T,
    others: BTreeMap<String, T>,
}

impl<T> Localized<T> {
    /// Takes what the file says, by lower-case language tag; `None` when `default` is not among it.
    #[must_use]
    pub fn new(all: BTreeMap<String, T>, default: &str) -> Option<Self> {
        let mut others: BTreeMap<String, T> =
            all.into_iter().map(|(tag, value)| (tag.to_ascii_lowercase(), value)).collect();
        let fallback = others.remove(&default.to_ascii_lowercase())?;
        Some(Self { fallback, others })
    }

    /// The best match for a language tag such as `ja-JP`: the tag itself, then ever shorter beginnings of it, then the
    /// merchant's default.
    #[must_use]
    pub fn get(&self, locale: Option<&str>) -> &T {
        let mut tag = locale.unwrap_or_default().replace('_', "-").to_ascii_lowercase();
        while !tag.is_empty() {
            if let Some(value) = self.others.get(&tag) {
                return value;
            }
            tag.truncate(tag.rfind('-').unwrap_or(0));
        }
        &self.fallback
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_language_wins() {
        let all = [("en", 1), ("ja", 2), ("pt-BR", 3)].map(|(tag, n)| (tag.to_owned(), n)).into();
        let words = Localized::new(all, "en").unwrap();
        for (locale, expected) in [
            (Some("ja"), 2),
            (Some("ja-JP"), 2),
            (Some("JA_jp"), 2),
            (Some("pt-br"), 3),
            (Some("pt-BR-x-shop"), 3),
            (Some("pt"), 1),
            (Some("en-GB"), 1),
            (Some("xx"), 1),
            (Some(""), 1),
            (Some("-"), 1),
            (None, 1),
        ] {
            assert_eq!(words.get(locale), &expected, "{locale:?}");
        }
    }

    #[test]
    fn the_default_language_must_be_there() {
        assert!(Localized::new([("ja".to_owned(), 1)].into(), "en").is_none());
        assert!(Localized::new([("EN".to_owned(), 1)].into(), "en").is_some());
    }
}
