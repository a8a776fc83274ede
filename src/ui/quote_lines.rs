//! The ruled block: every line of a quote, tax, credit, and what is paid now; under it what comes next.

use flow::charge::NotCharged;
use leptos::html::{dd, div, dl, dt, p, span};
use leptos::prelude::*;
use wire::{EffectiveAt, LineKind, Quote, QuoteLine};

use super::outcome::with_proof;
use super::words::Words;
use super::{Locale, price};
use crate::text::{count, fill};

/// All lines and the total, in the order in which the quote gives them.
///
/// Parts: `summary`, `line`, `total`.
pub(super) fn quote_lines(locale: &Locale, quote: &Quote) -> impl IntoView + use<> {
    let w = locale.words;
    let mut rows: Vec<(String, i64)> =
        quote.lines.iter().map(|line| (line_name(locale, line), line.amount)).collect();
    // Tax of nothing is worth a line where something is charged: it says that none will be added.
    if !quote.tax_inclusive && (quote.tax != 0 || !rows.is_empty()) {
        rows.push((w.tax.to_owned(), quote.tax));
    }
    if quote.credit != 0 {
        let name = if quote.credit < 0 { w.credit_used } else { w.credit_granted };
        rows.push((name.to_owned(), quote.credit));
    }
    let money = |minor| locale.money(minor, quote.currency);
    let mut all: Vec<_> =
        rows.into_iter().map(|(name, minor)| row("line", name, Value::Money(money(minor)))).collect();
    all.push(row("total", w.to_pay_now.to_owned(), Value::Due(money(quote.total))));
    if quote.tax_inclusive && quote.tax != 0 {
        all.push(row("line muted small", w.tax_inside.to_owned(), Value::Money(money(quote.tax))));
    }
    dl().class("lines").attr("part", "summary").attr("aria-label", w.summary).child(all)
}

/// What stands at the end of a row.
pub(super) enum Value {
    Money(String),
    /// What is paid now.
    Due(String),
    Text(String),
}

/// One name and its value.
pub(super) fn row(class: &'static str, name: String, value: Value) -> impl IntoView + use<> {
    let value = match value {
        Value::Money(figure) => price::amount(figure).into_any(),
        Value::Due(figure) => price::due(figure).into_any(),
        Value::Text(words) => span().class("text").text(words).into_any(),
    };
    let part = if class == "total" { "total" } else { "line" };
    div().class(class).attr("part", part).child((dt().text(name), dd().child(value)))
}

fn line_name(locale: &Locale, line: &QuoteLine) -> String {
    let w = locale.words;
    let name = match line.quantity {
        0 | 1 => line.name.clone(),
        n => fill(w.times, &[("name", &line.name), ("count", &count(n))]),
    };
    match (line.prorated, line.amount) {
        (true, ..0) => fill(w.unused_time, &[("name", &name)]),
        (true, _) => fill(w.rest_of_period, &[("name", &name)]),
        // A discount has a name of its own for what it is.
        (false, ..0) if line.kind != LineKind::Discount => fill(w.credit_for, &[("name", &name)]),
        (false, _) => name,
    }
}

/// What the buyer should know beside the amounts: when it takes effect, what is charged next, how it is paid.
pub(super) fn facts(lines: Vec<String>) -> impl IntoView + use<> {
    div()
        .class("facts")
        .attr("part", "facts")
        .child(lines.into_iter().map(|line| p().text(line)).collect::<Vec<_>>())
}

/// The next charge, in a sentence.
pub(super) fn renewal(locale: &Locale, quote: &Quote) -> Option<String> {
    quote.renewal.map(|next| renewal_sentence(locale, &next, quote.currency))
}

/// The next charge of a quote or a receipt.
pub(super) fn renewal_sentence(locale: &Locale, next: &wire::Renewal, currency: wire::Currency) -> String {
    let phrase = if next.tax_inclusive { locale.words.renews } else { locale.words.renews_plus_tax };
    fill(
        phrase,
        &[
            ("amount", &locale.money(next.amount, currency)),
            ("per", &locale.per(next.period)),
            ("date", &locale.day(next.date)),
        ],
    )
}

/// When a plan change takes effect.
pub(super) fn effect(locale: &Locale, at: EffectiveAt, quote: &Quote) -> String {
    match (at, quote.renewal) {
        (EffectiveAt::NextBillingDate, Some(next)) => {
            fill(locale.words.effective_later_on, &[("date", &locale.day(next.date))])
        }
        (EffectiveAt::NextBillingDate, None) => locale.words.effective_later.to_owned(),
        (EffectiveAt::Immediately | EffectiveAt::Other, _) => locale.words.effective_now.to_owned(),
    }
}

/// Old and new amount, side by side, for a buyer who saw the old one; where they had confirmed it, that it was not charged.
pub(super) fn changed(
    locale: &Locale,
    from: wire::Money,
    to: wire::Money,
    not_charged: Option<NotCharged>,
) -> impl IntoView + use<> {
    let w = locale.words;
    div().class("notice").attr("part", "notice").child((
        leptos::html::h3().text(w.amount_changed),
        p().class("change").child((
            span().class("unseen").text(w.amount_before),
            leptos::html::s().child(price::amount(locale.money(from.amount, from.currency))),
            span().class("unseen").text(w.amount_after),
            leptos::html::strong().child(price::due(locale.money(to.amount, to.currency))),
        )),
        p().text(with_proof(locale, w.amount_changed_more, not_charged)),
    ))
}
