//! The merchant's words in several languages, and which of them a buyer reads.

use std::collections::{BTreeMap, BTreeSet};

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

/// The language that a reader wants, and those that the page around the merchant's words can be in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reader<'a> {
    /// Language tag of the page, such as `de-AT`.
    pub locale: Option<&'a str>,
    /// Languages of the client's own words, such as `en`; empty where the client does not say.
    pub spoken: &'a [String],
}

impl<'a> Reader<'a> {
    /// Returns the same reader with another locale where the page named none.
    #[must_use]
    pub fn or_locale(self, locale: Option<&'a str>) -> Self {
        Self { locale: self.locale.or(locale), ..self }
    }
}

/// Languages in which all of several texts are written; the merchant's default is always one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Languages<'a> {
    default: &'a str,
    all: BTreeSet<&'a str>,
}

impl<'a> Languages<'a> {
    /// Returns the languages that both have.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.all.retain(|tag| other.all.contains(tag));
        self
    }

    /// Returns the one language for everything that this reader sees: the closest to their locale, then the merchant's
    /// default, each only if the client has words in it. Where merchant and client have no language in common, the
    /// merchant's words are in the language that is closest to the reader.
    #[must_use]
    pub fn for_reader(&self, reader: Reader<'_>) -> &'a str {
        let common: BTreeSet<&str> =
            self.all.iter().copied().filter(|tag| is_spoken(reader.spoken, tag)).collect();
        let choice = if common.is_empty() { &self.all } else { &common };
        closest(reader.locale, |tag| choice.get(tag).copied())
            .or_else(|| choice.get(self.default).copied())
            .or_else(|| {
                reader
                    .spoken
                    .iter()
                    .find_map(|spoken| choice.iter().copied().find(|tag| extends(tag, spoken)))
            })
            .unwrap_or(self.default)
    }
}

/// Says whether a client that speaks these languages has words to go with this one.
fn is_spoken(spoken: &[String], tag: &str) -> bool {
    spoken.iter().any(|language| extends(tag, language))
}

/// Whether `tag` is the language, or a narrower one such as `en-gb` of `en`.
fn extends(tag: &str, language: &str) -> bool {
    let head = tag.get(..language.len()).is_some_and(|head| head.eq_ignore_ascii_case(language));
    head && matches!(tag.as_bytes().get(language.len()), None | Some(b'-'))
}

/// What is there for a language tag, or else for ever shorter beginnings of it.
fn closest<T>(locale: Option<&str>, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    let mut tag = locale.unwrap_or_default().replace('_', "-").to_ascii_lowercase();
    while !tag.is_empty() {
        if let Some(found) = find(&tag) {
            return Some(found);
        }
        tag.truncate(tag.rfind('-').unwrap_or(0));
    }
    None
}

/// One thing in several languages, of which one is always there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Localized<T> {
    default: String,
    fallback: T,
    others: BTreeMap<String, T>,
}

impl<T> Localized<T> {
    /// Takes what the file says, by lower-case language tag; `None` when `default` is not among it.
    #[must_use]
    pub fn new(all: BTreeMap<String, T>, default: &str) -> Option<Self> {
        let default = default.to_ascii_lowercase();
        let mut others: BTreeMap<String, T> =
            all.into_iter().map(|(tag, value)| (tag.to_ascii_lowercase(), value)).collect();
        let fallback = others.remove(&default)?;
        Some(Self { default, fallback, others })
    }

    /// Returns the languages that it is written in.
    #[must_use]
    pub fn languages(&self) -> Languages<'_> {
        let default = self.default.as_str();
        let all = self.others.keys().map(String::as_str).chain([default]).collect();
        Languages { default, all }
    }

    /// The best match for a language tag such as `ja-JP`: the tag itself, then ever shorter beginnings of it, then the
    /// merchant's default.
    #[must_use]
    pub fn get(&self, locale: Option<&str>) -> &T {
        closest(locale, |tag| self.others.get(tag)).unwrap_or(&self.fallback)
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

    fn written_in(tags: &[&str], default: &str) -> Localized<String> {
        Localized::new(tags.iter().map(|tag| ((*tag).to_owned(), (*tag).to_owned())).collect(), default)
            .unwrap()
    }

    #[test]
    fn one_language_is_chosen_from_what_merchant_and_client_have() {
        for (has, default, locale, spoken, expected) in [
            // The page's language is one that the client lacks.
            (&["en", "de"][..], "en", Some("de"), &["en", "ja"][..], "en"),
            (&["en", "de"], "de", Some("de-AT"), &["en", "ja"], "en"),
            (&["de", "ja"], "de", Some("de"), &["en", "ja"], "ja"),
            (&["en", "ja", "fr"], "ja", Some("fr"), &["en", "ja"], "ja"),
            (&["en", "ja"], "en", Some("ja-JP"), &["en", "ja"], "ja"),
            (&["en", "ja"], "en", Some("ja"), &["ja"], "ja"),
            (&["en", "en-GB"], "en", Some("en-gb-x-shop"), &["en"], "en-gb"),
            (&["en-GB", "de"], "de", Some("de"), &["en"], "en-gb"),
            // A language that only begins alike is another one.
            (&["jam", "en"], "en", Some("jam"), &["ja", "en"], "en"),
            // Nothing in common, or a client that does not say.
            (&["de", "fr"], "de", Some("fr-CH"), &["en", "ja"], "fr"),
            (&["de", "fr"], "de", Some("it"), &["en", "ja"], "de"),
            (&["en", "de"], "en", Some("de"), &[], "de"),
            (&["en", "de"], "en", None, &[], "en"),
        ] {
            let spoken: Vec<String> = spoken.iter().map(|tag| (*tag).to_owned()).collect();
            let reader = Reader { locale, spoken: &spoken };
            let words = written_in(has, default);
            assert_eq!(words.languages().for_reader(reader), expected, "{has:?} for {reader:?}");
            assert!(words.get(Some(expected)).eq_ignore_ascii_case(expected));
        }
    }

    #[test]
    fn several_texts_have_one_language() {
        let (both, english) = (written_in(&["en", "ja"], "en"), written_in(&["en"], "en"));
        let reader = Reader { locale: Some("ja"), spoken: &[] };
        assert_eq!(both.languages().and(&both.languages()).for_reader(reader), "ja");
        assert_eq!(both.languages().and(&english.languages()).for_reader(reader), "en");
    }

    /// Over all small merchants, clients and pages: it is a language that the merchant has, and one that the client has
    /// whenever there is one that both have.
    #[test]
    fn no_choice_mixes_what_need_not_be_mixed() {
        let tags = ["en", "ja", "de", "en-gb", "de-at"];
        for has in 1_u32..32 {
            for speaks in 0_u32..8 {
                let chosen = |bits: u32| tags.iter().enumerate().filter(move |(n, _)| bits >> n & 1 == 1);
                let all: Vec<&str> = chosen(has).map(|(_, tag)| *tag).collect();
                let spoken: Vec<String> = chosen(speaks).map(|(_, tag)| (*tag).to_owned()).collect();
                let words = written_in(&all, all[0]);
                for locale in tags.iter().copied().map(Some).chain([None, Some("xx"), Some("")]) {
                    let language = words.languages().for_reader(Reader { locale, spoken: &spoken });
                    assert!(all.contains(&language), "{all:?} {spoken:?} {locale:?}: {language}");
                    let common = all.iter().any(|tag| is_spoken(&spoken, tag));
                    assert!(
                        !common || is_spoken(&spoken, language),
                        "{all:?} {spoken:?} {locale:?}: {language}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_default_language_must_be_there() {
        assert!(Localized::new([("ja".to_owned(), 1)].into(), "en").is_none());
        assert!(Localized::new([("EN".to_owned(), 1)].into(), "en").is_some());
    }
}
