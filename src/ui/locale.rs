//! One language as the components use it: its words, and the page's way to write amounts and dates.

use std::sync::Arc;

use wire::{Card, Currency, Interval, Money, Period, UnixSeconds};

use crate::browser::intl::{self, Sign};
use crate::text::{Language, Phrases, count, fill};

/// The words of one language, and the formats of the page's. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Locale {
    /// All phrases.
    pub words: &'static Phrases,
    language: Language,
    tag: Arc<str>,
    merchants: Option<Arc<str>>,
}

impl Locale {
    /// The locale of a page: words in its language, or else in English. Amounts and dates follow the page in any case.
    #[must_use]
    pub fn of_tag(tag: &str) -> Self {
        let language = Language::of_tag(tag);
        Self { words: language.phrases(), language, tag: tag.replace('_', "-").into(), merchants: None }
    }

    /// Returns the locale for a page whose merchant's words are in this language: the widget's words are in the same one.
    /// Where it has none in it, they stay as they are, and the merchant's are marked.
    #[must_use]
    pub fn beside(&self, merchants: &str) -> Self {
        match Language::spoken(merchants) {
            Some(language) => {
                Self { words: language.phrases(), language, tag: self.tag.clone(), merchants: None }
            }
            None => Self { merchants: Some(merchants.into()), ..self.clone() },
        }
    }

    /// For the `lang` attribute, and for what is recorded with a consent: the language of the words.
    #[must_use]
    pub fn lang(&self) -> &'static str {
        self.language.tag()
    }

    /// For the `lang` attribute of the merchant's words; `None` where they are in the same language as all others.
    #[must_use]
    pub fn merchants_lang(&self) -> Option<String> {
        self.merchants.as_deref().map(str::to_owned)
    }

    /// An amount.
    #[must_use]
    pub fn money(&self, amount: i64, currency: Currency) -> String {
        intl::money(&self.tag, Money::new(amount, currency), Sign::Auto)
    }

    /// A number of things.
    #[must_use]
    pub fn number(&self, n: u64) -> String {
        intl::number(&self.tag, n)
    }

    /// A difference, with its sign.
    #[must_use]
    pub fn difference(&self, amount: i64, currency: Currency) -> String {
        intl::money(&self.tag, Money::new(amount, currency), Sign::Always)
    }

    /// A day.
    #[must_use]
    pub fn day(&self, at: UnixSeconds) -> String {
        intl::day(&self.tag, at)
    }

    /// What a price is per: "per month", "every 3 months".
    #[must_use]
    pub fn per(&self, period: Period) -> String {
        let w = self.words;
        let (one, several) = match period.interval {
            Interval::Day => (w.per_day, w.every_days),
            Interval::Week => (w.per_week, w.every_weeks),
            Interval::Month => (w.per_month, w.every_months),
            Interval::Year => (w.per_year, w.every_years),
        };
        match period.count {
            0 | 1 => one.to_owned(),
            n => fill(several, &[("count", &count(n))]),
        }
    }

    /// A length of time: "6 months", "a year".
    #[must_use]
    pub fn span(&self, period: Period) -> String {
        let w = self.words;
        match (period.interval, period.count) {
            (Interval::Year, 1) => w.one_year.to_owned(),
            (Interval::Year, n) => fill(w.years, &[("count", &count(n))]),
            // Nothing else is compared over a span.
            (_, n) => fill(w.months, &[("count", &count(n))]),
        }
    }

    /// A price and what it is per, in one phrase.
    #[must_use]
    pub fn price(&self, amount: i64, currency: Currency, period: Option<Period>) -> String {
        let amount = self.money(amount, currency);
        match period {
            Some(period) => fill(self.words.price_per, &[("amount", &amount), ("per", &self.per(period))]),
            None => amount,
        }
    }

    /// A phrase about a card: fills its `{brand}` and `{last4}`.
    #[must_use]
    pub fn card(&self, phrase: &str, card: &Card) -> String {
        fill(phrase, &[("brand", brand(&card.brand)), ("last4", &card.last4)])
    }
}

/// The network's name as it writes itself; an unknown one as it came.
fn brand(network: &str) -> &str {
    const NAMES: [(&str, &str); 10] = [
        ("visa", "Visa"),
        ("mastercard", "Mastercard"),
        ("amex", "American Express"),
        ("american_express", "American Express"),
        ("discover", "Discover"),
        ("diners", "Diners Club"),
        ("diners_club", "Diners Club"),
        ("jcb", "JCB"),
        ("unionpay", "UnionPay"),
        ("union_pay", "UnionPay"),
    ];
    NAMES.iter().find(|(key, _)| key.eq_ignore_ascii_case(network)).map_or(network, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_follow_the_page_and_words_the_language_that_there_are_words_in() {
        for (tag, lang, formats) in
            [("en-GB", "en", "en-GB"), ("ja_JP", "ja", "ja-JP"), ("de-DE", "en", "de-DE"), ("xx", "en", "xx")]
        {
            let locale = Locale::of_tag(tag);
            assert_eq!((locale.lang(), &*locale.tag), (lang, formats), "{tag}");
        }
    }

    #[test]
    fn the_words_go_with_the_merchants() {
        for (page, merchants, lang, marked) in [
            ("de-AT", "en", "en", None),
            ("de-AT", "ja", "ja", None),
            ("en", "ja-JP", "ja", None),
            ("ja", "de", "ja", Some("de")),
            ("de", "de", "en", Some("de")),
        ] {
            let locale = Locale::of_tag(page).beside(merchants);
            assert_eq!(
                (locale.lang(), locale.merchants_lang().as_deref()),
                (lang, marked),
                "{merchants} on {page}"
            );
            assert_eq!((&*locale.tag, locale.words.back), (page, Language::of_tag(lang).phrases().back));
        }
        // What is marked once is not marked for ever.
        assert_eq!(Locale::of_tag("ja").beside("de").beside("ja").merchants_lang(), None);
    }

    #[test]
    fn periods_of_one_and_of_several() {
        let english = Locale::of_tag("en");
        let per = |interval, count| english.per(Period { interval, count });
        assert_eq!(per(Interval::Month, 1), "per month");
        assert_eq!(per(Interval::Month, 3), "every 3 months");
        assert_eq!(per(Interval::Year, 1), "per year");
        assert_eq!(Locale::of_tag("ja").per(Period { interval: Interval::Month, count: 6 }), "／6か月");
    }

    #[test]
    fn networks_are_written_as_they_write_themselves() {
        let card = |brand: &str| Card { brand: brand.to_owned(), last4: "4242".to_owned() };
        let locale = Locale::of_tag("en");
        assert_eq!(locale.card(locale.words.card_ending, &card("VISA")), "Visa ending in 4242");
        assert_eq!(locale.card(locale.words.card_ending, &card("troy")), "troy ending in 4242");
    }
}
