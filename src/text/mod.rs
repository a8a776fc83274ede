//! Every word that a buyer reads, apart from the merchant's own.
//!
//! One table a language ([`en`], [`ja`]), each a [`Phrases`] with every field filled: a phrase that is missing in one
//! language does not compile. Views name a field; they never hold a sentence. Templates carry named gaps such as
//! `{amount}`, which [`fill`] closes; both languages have the same gaps, or the tests fail.
//!
//! Not here: amounts and dates (`browser::intl`), which phrase is shown when (`flow`, `ui`).

mod en;
mod ja;
mod page;
mod phrases;

pub use page::PagePhrases;
pub use phrases::Phrases;

use core::fmt::Write as _;

/// A language that the widget speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English; also for every language that has no table.
    English,
    /// Japanese.
    Japanese,
}

/// The tags of all languages, as backends are told of them (`?languages=`).
pub const LANGUAGES: &str = "en,ja";

impl Language {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::English, Self::Japanese];

    /// Returns the language of a tag such as `ja-JP`; `None` where there are no words for it.
    #[must_use]
    pub fn spoken(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }

    /// The language of a tag such as `ja-JP`; unknown ones are English.
    #[must_use]
    pub fn of_tag(tag: &str) -> Self {
        Self::spoken(tag).unwrap_or(Self::English)
    }

    /// Its words.
    #[must_use]
    pub fn phrases(self) -> &'static Phrases {
        match self {
            Self::English => &en::PHRASES,
            Self::Japanese => &ja::PHRASES,
        }
    }

    /// Its tag, for the `lang` attribute.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Japanese => "ja",
        }
    }
}

/// Closes the gaps of a template: `fill("pay {amount}", &[("amount", "$5")])` is `pay $5`. What is put in is never
/// read as a template again, so a merchant's `{amount}` stays text. A gap without a value stays as it is.
#[must_use]
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            rest = after;
            out.push('{');
            break;
        };
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => out.push_str(value),
            None => _ = write!(out, "{{{name}}}"),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A number of times, seats or months, as plain digits.
#[must_use]
pub fn count(n: u32) -> String {
    n.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(template: &str) -> Vec<&str> {
        let mut names: Vec<&str> = template
            .split('{')
            .skip(1)
            .filter_map(|part| part.split_once('}'))
            .map(|(name, _)| name)
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn tags_find_their_language() {
        for (tag, language) in [
            ("ja", Language::Japanese),
            ("ja-JP", Language::Japanese),
            ("JA_jp", Language::Japanese),
            ("en-GB", Language::English),
            ("jav", Language::English),
            ("de", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::of_tag(tag), language, "{tag}");
        }
    }

    /// The loader asks before any of this is fetched, so it has the list once more.
    #[test]
    fn the_loader_knows_every_language() {
        assert_eq!(Language::ALL.map(Language::tag).join(","), LANGUAGES);
        let loader = include_str!("../../embed/upsell.js");
        assert!(loader.contains(&format!("const LANGUAGES = \"{LANGUAGES}\";")));
        let element = include_str!("../../embed/element.js");
        for language in Language::ALL {
            assert!(element.contains(&format!("  {}: {{\n    offer: \"", language.tag())), "{language:?}");
        }
    }

    #[test]
    fn both_languages_leave_the_same_gaps() {
        for ((name, english), (_, japanese)) in en::PHRASES.all().iter().zip(ja::PHRASES.all()) {
            assert_eq!(gaps(english), gaps(japanese), "{name}");
        }
    }

    #[test]
    fn no_phrase_is_empty_and_japanese_is_japanese() {
        for language in [Language::English, Language::Japanese] {
            for (name, words) in language.phrases().all() {
                assert!(!words.trim().is_empty(), "{name} in {language:?}");
            }
        }
        for (name, words) in ja::PHRASES.all() {
            let closed: Vec<(&str, &str)> = gaps(words).into_iter().map(|gap| (gap, "")).collect();
            let own = fill(words, &closed);
            let latin = own.chars().find(char::is_ascii_alphabetic);
            assert_eq!(latin, None, "{name}: {own}");
        }
    }

    #[test]
    fn an_amount_is_in_every_button_that_pays() {
        for language in [Language::English, Language::Japanese] {
            let words = language.phrases();
            for button in [words.buy_and_pay, words.change_and_pay, words.continue_to_checkout] {
                assert_eq!(gaps(button), ["amount"], "{button}");
            }
        }
    }

    /// "Failed, try again" would have the buyer pay twice.
    #[test]
    fn doubt_promises_one_charge() {
        let words = Language::English.phrases();
        for words in [words.in_doubt_more, words.in_review_more, words.still_open, words.pending_more] {
            assert!(
                words.contains("can leave this page") && words.contains("not be charged twice"),
                "{words}"
            );
            assert!(!words.contains("again") && !words.contains("fail"), "{words}");
        }
    }

    /// Every phrase that says of a buyer's money what has become of it, and whether it asks for evidence. A new one has to
    /// be put here, or rather after `only with` in the table of phrases.
    #[test]
    fn every_sentence_about_what_became_of_money_is_known() {
        // What will be charged, or what stands on a quote, a plan or a subscription: not what became of a charge.
        const OF_A_QUOTE_OR_A_PLAN: [&str; 11] = [
            "summary",
            "no_more_than_this",
            "paid_with",
            "paid_with_unnamed",
            "in_all",
            "cancel_more",
            "on_hold",
            "on_hold_due",
            "never_began",
            "order_taken_more",
            "outcome_unknown",
        ];
        // Says what the contract promises, and is reached from a charge at a backend that keeps it only.
        const PROMISES: [&str; 1] = ["not_received"];
        let english = ["charged", "paid", "billed", "go through", "went through", "twice"];
        let japanese = ["請求は", "請求され", "請求が", "支払いが完了", "支払いができません", "二重"];
        for (language, words) in [(Language::English, english), (Language::Japanese, japanese)] {
            let claim = |text: &str| words.iter().any(|word| text.to_lowercase().contains(word));
            for (name, text) in language.phrases().all() {
                let allowed = Phrases::CLAIMS.contains(&name)
                    || PROMISES.contains(&name)
                    || OF_A_QUOTE_OR_A_PLAN.contains(&name);
                assert!(allowed || !claim(text), "{language:?}, {name}: {text}");
            }
        }
        let english = Language::English.phrases();
        for (name, text) in english.all().into_iter().filter(|(name, _)| name.starts_with("order")) {
            let bold = ["charged", "paid", "did not go through", "twice"];
            assert!(
                name == "ordered" || name == "ordered_of" || !bold.iter().any(|word| text.contains(word)),
                "a basic backend knows nothing of money: {text}"
            );
        }
    }

    #[test]
    fn gaps_are_closed_once() {
        assert_eq!(fill("{a} and {b}", &[("b", "2"), ("a", "{b}")]), "{b} and 2");
        assert_eq!(fill("no gaps", &[("a", "1")]), "no gaps");
        assert_eq!(fill("{unknown}", &[]), "{unknown}");
        assert_eq!(fill("open {a", &[("a", "1")]), "open {a");
    }
}
