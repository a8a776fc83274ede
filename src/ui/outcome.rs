//! How a charge went or is going: the same for an offer and in the dialog of a plan change.

use flow::OwnPage;
use flow::charge::{DoneView, FailedView, Failure, Next, NotCharged, SoftDecline, Standing, WaitingView};
use leptos::html::{div, dl};
use leptos::prelude::*;
use wire::{Money, Receipt};

use super::Locale;
use super::button::{Role, press};
use super::notice::{Tone, notice};
use super::quote_lines::{Value, facts, renewal_sentence, row};
use crate::dispatch::Dispatch;
use crate::text::fill;

/// What was being done; the words differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Buying something.
    Purchase,
    /// Changing the plan.
    PlanChange,
}

/// A way on: how it looks, what it says, what it does.
pub(super) struct Way<A: 'static> {
    pub(super) role: Role,
    pub(super) label: &'static str,
    pub(super) act: A,
}

/// The ways on as buttons, or nothing.
pub(super) fn ways<A: Clone + 'static>(ways: Vec<Way<A>>, dispatch: Dispatch<A>) -> impl IntoView + use<A> {
    let class = if ways.len() == 2 { "actions pair" } else { "actions" };
    (!ways.is_empty()).then(|| {
        div().class(class).child(
            ways.into_iter()
                .map(|way| press(way.role, way.label.to_owned(), true, dispatch, way.act))
                .collect::<Vec<_>>(),
        )
    })
}

/// Title of an unfinished charge.
pub(super) fn waiting_title(locale: &Locale, view: &WaitingView) -> &'static str {
    match view.standing {
        Standing::Confirming | Standing::Processing => locale.words.pending,
        Standing::ActionRequired => locale.words.needs_bank,
        Standing::InDoubt => locale.words.in_doubt,
        Standing::InReview => locale.words.in_review,
    }
}

/// The sentence under that title: what the buyer has to do, if anything, and that it is safe to leave.
pub(super) fn waiting_more(locale: &Locale, view: &WaitingView) -> &'static str {
    let w = locale.words;
    match (view.standing, view.next) {
        (Standing::ActionRequired, _) => w.needs_bank_more(view),
        (Standing::InReview, _) => w.in_review_more(view),
        (_, Next::CheckAgain) => w.still_open(view),
        (Standing::Confirming | Standing::Processing, _) => w.pending_more(view),
        (Standing::InDoubt, _) => w.in_doubt_more(view),
    }
}

/// An unfinished charge: what it waits for, of which amount, and that it is safe to leave.
pub(super) fn waiting(locale: &Locale, view: &WaitingView) -> impl IntoView + use<> {
    notice(
        Tone::Calm,
        waiting_title(locale, view).to_owned(),
        vec![amount_of(locale, view.due), waiting_more(locale, view).to_owned()],
    )
}

/// What was accepted, where this page knows it; otherwise an empty line, which is not shown.
pub(super) fn amount_of(locale: &Locale, due: Option<Money>) -> String {
    due.map(|due| fill(locale.words.ordered_of, &[("amount", &locale.money(due.amount, due.currency))]))
        .unwrap_or_default()
}

/// The way on from an unfinished charge, if there is one.
pub(super) fn waiting_ways<A>(locale: &Locale, view: &WaitingView, go_on: A, check: A) -> Vec<Way<A>> {
    match view.next {
        Next::Wait => Vec::new(),
        Next::Continue => vec![Way { role: Role::Accept, label: locale.words.go_on_at_bank, act: go_on }],
        Next::CheckAgain => vec![Way { role: Role::Decline, label: locale.words.check_again, act: check }],
    }
}

/// Title of a receipt.
pub(super) fn done_title(locale: &Locale, deed: Deed, view: &DoneView) -> &'static str {
    let w = locale.words;
    match (view.scheduled, deed, &view.receipt) {
        (true, ..) => w.booked,
        (false, Deed::PlanChange, _) => w.plan_changed,
        (false, Deed::Purchase, Some(receipt)) if receipt.amount > 0 => w.paid(receipt),
        (false, Deed::Purchase, _) => w.ordered,
    }
}

/// The receipt. What was collected comes from it alone, never from what was expected.
///
/// Parts: `receipt`, `line`, `facts`, `notice`.
pub(super) fn done(locale: &Locale, deed: Deed, view: &DoneView) -> impl IntoView + use<> {
    let title = done_title(locale, deed, view).to_owned();
    let name = view.name.clone().filter(|_| view.receipt.is_none());
    (
        notice(Tone::Good, title, name.into_iter().collect()),
        view.receipt.as_ref().map(|receipt| {
            let next = receipt.renewal.map(|next| renewal_sentence(locale, &next, receipt.currency));
            (
                dl().class("lines").attr("part", "receipt").child(
                    receipt_rows(locale, receipt)
                        .into_iter()
                        .map(|(name, value)| row("line", name.to_owned(), value))
                        .collect::<Vec<_>>(),
                ),
                next.map(|line| facts(vec![line])),
            )
        }),
    )
}

fn receipt_rows(locale: &Locale, receipt: &Receipt) -> Vec<(&'static str, Value)> {
    let w = locale.words;
    let money = |name, minor| (name, Value::Money(locale.money(minor, receipt.currency)));
    let words = |name, text| (name, Value::Text(text));
    let mut rows =
        vec![words(w.receipt_item, receipt.name.clone()), money(w.receipt_paid(receipt), receipt.amount)];
    if receipt.tax != 0 {
        rows.push(money(w.receipt_tax, receipt.tax));
    }
    if receipt.credit != 0 {
        rows.push(money(if receipt.credit < 0 { w.credit_used } else { w.credit_granted }, receipt.credit));
    }
    if let Some(card) = &receipt.payment_method {
        rows.push(words(w.receipt_card, locale.card(w.card_ending, card)));
    }
    rows.push(words(w.receipt_date, locale.day(receipt.at)));
    rows.push(words(w.receipt_reference, receipt.reference.clone()));
    rows
}

/// Title of a failure.
pub(super) fn failed_title(locale: &Locale, deed: Deed, view: &FailedView) -> &'static str {
    match deed {
        Deed::Purchase => locale.words.not_paid(view.not_charged),
        Deed::PlanChange => locale.words.not_changed,
    }
}

/// A charge that was not collected: why, that nothing was charged, and what would help where there is a way to it.
pub(super) fn failed(locale: &Locale, deed: Deed, view: &FailedView) -> impl IntoView + use<> {
    let w = locale.words;
    let help = if view.another_way { advice(locale, view.failure) } else { "" };
    let lines = [why(locale, view.failure), w.nothing_charged(view.not_charged), help].map(str::to_owned);
    notice(Tone::Bad, failed_title(locale, deed, view).to_owned(), lines.into())
}

/// Something else writes on the page, so that nothing can be paid on it.
pub(super) fn altered(locale: &Locale, own_page: OwnPage) -> impl IntoView + use<> {
    let w = locale.words;
    let help = match own_page {
        OwnPage::Elsewhere => w.altered_elsewhere,
        OwnPage::None => w.altered_reload,
    };
    let lines = [w.altered_more, help].map(str::to_owned);
    notice(Tone::Bad, w.altered_title.to_owned(), lines.into())
}

/// The way on from there: the backend's own page, where there is one.
pub(super) fn altered_ways<A>(locale: &Locale, own_page: OwnPage, go_on: A, close: Way<A>) -> Vec<Way<A>> {
    let label = locale.words.open_own_page;
    let there = (own_page == OwnPage::Elsewhere).then_some(Way { role: Role::Accept, label, act: go_on });
    there.into_iter().chain([close]).collect()
}

/// The cause in plain words. What this version does not know says nothing rather than something wrong.
pub(super) fn why(locale: &Locale, failure: Failure) -> &'static str {
    let w = locale.words;
    match failure {
        Failure::SoftDecline(SoftDecline::InsufficientFunds) => w.why_funds,
        Failure::SoftDecline(SoftDecline::LimitExceeded) => w.why_limit,
        Failure::SoftDecline(SoftDecline::NotReached) => w.why_processing,
        Failure::HardDecline => w.why_declined,
        Failure::ExpiredCard => w.why_expired_card,
        Failure::NotAuthenticated => w.why_authentication,
        Failure::WrongCurrency => w.why_currency,
        Failure::NotReusable => w.why_not_reusable,
        Failure::NotUsable => w.why_method,
        Failure::CalledOff => w.why_cancelled,
        Failure::NotPossible => w.why_not_possible,
        Failure::Unexplained => "",
    }
}

/// What helps, where the button beneath leads to it.
fn advice(locale: &Locale, failure: Failure) -> &'static str {
    let w = locale.words;
    match failure {
        Failure::SoftDecline(_) => w.later_or_other_card,
        Failure::HardDecline
        | Failure::ExpiredCard
        | Failure::WrongCurrency
        | Failure::NotReusable
        | Failure::NotUsable => w.other_card_needed,
        Failure::NotAuthenticated | Failure::CalledOff | Failure::NotPossible | Failure::Unexplained => "",
    }
}

/// A sentence, and where there is proof of it that nothing was charged.
pub(super) fn with_proof(locale: &Locale, text: &str, not_charged: Option<NotCharged>) -> String {
    match not_charged {
        Some(proof) => [locale.words.nothing_charged(proof), " ", text].concat(),
        None => text.to_owned(),
    }
}
