//! The figure that the eye finds first, and amounts within other text.

use core::cmp::Ordering;

use leptos::html::{p, span};
use leptos::prelude::*;

use wire::{CompareTo, Money, PriceDifference, SpanComparison};

use super::Locale;
use super::words::Words;
use crate::browser::screen;
use crate::text::{count, fill};

/// An amount that stays on one line, keeps its own direction and is not offered to translators.
pub(super) fn amount(figure: String) -> impl IntoView + use<> {
    span().class("money notranslate").attr("translate", "no").text(figure)
}

/// The amount that is due. It is read back when the button is pressed.
pub(super) fn due(figure: String) -> impl IntoView + use<> {
    span().class("money notranslate").attr("translate", "no").attr(screen::DUE, "").text(figure)
}

/// The large figure with what it is per, and the line under it.
fn hero<V: IntoView + 'static>(figure: V, per: String, caption: String) -> impl IntoView + use<V> {
    leptos::html::div().class("hero").child((
        p().class("figure").attr("part", "figure").child((figure, " ", span().class("per").text(per))),
        p().class("muted").attr("part", "figure-note").text(caption),
    ))
}

/// The price of an offer: the difference to what the buyer has, where the two can be compared; otherwise what is paid
/// now, with the words for that.
pub(super) fn offer_figure(
    locale: &Locale,
    compare: Option<&CompareTo>,
    due: Money,
    due_words: &str,
) -> AnyView {
    match compare.and_then(|today| Some((today, today.difference?))) {
        Some((today, difference)) => {
            let (figure, per) = difference_figure(locale, difference);
            let caption = match difference.amount {
                0 => String::new(),
                more => fill(
                    if more > 0 { locale.words.more_than } else { locale.words.less_than },
                    &[
                        ("name", &today.name),
                        ("price", &locale.price(today.price, today.currency, today.period)),
                    ],
                ),
            };
            hero(amount(figure), per, caption).into_any()
        }
        None => {
            let figure = locale.money(due.amount, due.currency);
            hero(self::due(figure), String::new(), due_words.to_owned()).into_any()
        }
    }
}

/// The price of a plan in the comparison: the difference to today per the same period; its whole price where periods or
/// currencies differ, held against today's over the same time where that can be, and for the current plan.
pub(super) fn plan_figure(locale: &Locale, plan: &wire::Plan) -> impl IntoView + use<> {
    let whole = locale.price(plan.price, plan.currency, Some(plan.period));
    let current = plan.kind == wire::ChangeKind::Current;
    match plan.difference.filter(|_| !current) {
        Some(difference) => {
            let (figure, per) = difference_figure(locale, difference);
            hero(amount(figure), per, fill(locale.words.than_today, &[("price", &whole)]))
        }
        None => {
            let caption = match plan.over_span {
                _ if current => String::new(),
                Some(over) => over_span(locale, over),
                None => locale.words.in_all.to_owned(),
            };
            hero(amount(locale.money(plan.price, plan.currency)), locale.per(plan.period), caption)
        }
    }
}

/// Both prices over the same time, and when the other one has paid for itself.
fn over_span(locale: &Locale, over: SpanComparison) -> String {
    let w = locale.words;
    let money = |amount| locale.money(amount, over.currency);
    let (span, today) = (locale.span(over.span), money(over.current));
    let difference = money(over.plan.abs_diff(over.current).try_into().unwrap_or(i64::MAX));
    let compared = match over.plan.cmp(&over.current) {
        Ordering::Less => {
            fill(w.over_span_less, &[("span", &span), ("today", &today), ("less", &difference)])
        }
        Ordering::Greater => {
            fill(w.over_span_more, &[("span", &span), ("today", &today), ("more", &difference)])
        }
        Ordering::Equal => fill(w.over_span_same, &[("span", &span), ("today", &today)]),
    };
    match over.break_even_months {
        Some(months) => fill(w.break_even, &[("compared", &compared), ("count", &count(months))]),
        None => compared,
    }
}

/// A signed difference and its period, or the words for none.
fn difference_figure(locale: &Locale, difference: PriceDifference) -> (String, String) {
    if difference.amount == 0 {
        return (locale.words.same_price.to_owned(), String::new());
    }
    let per = difference.period.map(|period| locale.per(period)).unwrap_or_default();
    (locale.difference(difference.amount, difference.currency), per)
}
