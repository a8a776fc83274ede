//! The confirm step of a plan change: everything that will be charged, in a native modal dialog. The dialog itself is
//! opened and closed in `widget`; here is what is inside.

use flow::plans::{Act, AdjustView, ConfirmState, Dialog, Field, MAX_COUNT, ReviewView};
use leptos::ev;
use leptos::html::{button, div, fieldset, h2, header, input, label, legend, p, span};
use leptos::prelude::*;
use web_sys::HtmlInputElement;
use wire::{ChangeKind, EffectiveAt};

use super::button::{Role, press};
use super::notice::{Tone, notice};
use super::outcome::{self, Deed, Way, ways};
use super::plan_comparison::{addons_end, losses, lost};
use super::words::Words;
use super::{Locale, leaving_dialog, quote_lines};
use crate::browser::screen::Meant;
use crate::dispatch::Dispatch;
use crate::text::{count, fill};

/// The `id` of the title, for `aria-labelledby`; ids are private to the shadow root.
pub(super) const TITLE: &str = "confirm-title";

/// What is in the dialog.
///
/// Parts: `headline`, `summary`, `line`, `total`, `facts`, `notice`, `warning`, `accept`, `decline`, `link`.
pub(super) fn dialog_content(locale: &Locale, dialog: &Dialog, dispatch: Dispatch<Act>) -> AnyView {
    let w = locale.words;
    let close = |label| Way { role: Role::Decline, label, act: Act::CloseDialog };
    match dialog {
        Dialog::Adjust(view) => adjust(locale, view, dispatch).into_any(),
        Dialog::Review(view) => review(locale, view, dispatch).into_any(),
        Dialog::Stay(view) => leaving_dialog::stay(locale, view, dispatch).into_any(),
        Dialog::Cancel(view) => leaving_dialog::cancelling(locale, view, dispatch).into_any(),
        Dialog::Waiting(view) => {
            let mut on = outcome::waiting_ways(locale, view, Act::Continue, Act::CheckAgain);
            on.push(close(w.close));
            titled(w.plans_label, outcome::waiting(locale, view), on, dispatch).into_any()
        }
        Dialog::Done(view) => {
            let body = outcome::done(locale, Deed::PlanChange, view);
            titled(w.plans_label, body, vec![close(w.close)], dispatch).into_any()
        }
        Dialog::Altered(own_page) => {
            let body = outcome::altered(locale, *own_page);
            let on = outcome::altered_ways(locale, *own_page, Act::Continue, close(w.back));
            titled(w.plans_label, body, on, dispatch).into_any()
        }
        Dialog::Failed(view) => {
            let other = Way { role: Role::Accept, label: w.use_another_card, act: Act::UseAnotherCard };
            let on = view.another_way.then_some(other).into_iter().chain([close(w.back)]).collect();
            titled(w.plans_label, outcome::failed(locale, Deed::PlanChange, view), on, dispatch).into_any()
        }
    }
}

/// A sheet whose message is its title.
fn titled<V: IntoView + 'static>(
    label: &'static str,
    body: V,
    on: Vec<Way<Act>>,
    dispatch: Dispatch<Act>,
) -> impl IntoView + use<V> {
    div().class("sheet").child((h2().class("unseen").attr("id", TITLE).text(label), body, ways(on, dispatch)))
}

fn review(locale: &Locale, view: &ReviewView, dispatch: Dispatch<Act>) -> impl IntoView + use<> {
    let w = locale.words;
    let sending = view.confirm == ConfirmState::Sending;
    let stale = view.confirm == ConfirmState::Stale;
    let title = if view.kind == ChangeKind::Current { w.adjust_title } else { w.confirm_change };
    let live = matches!(view.confirm, ConfirmState::Arming | ConfirmState::Ready | ConfirmState::Stale);
    div().class("sheet").child((
        header().class("head").child((
            h2().attr("id", TITLE).attr("part", "headline").text(fill(title, &[("name", &view.name)])),
            p().class("muted").text(w.confirm_change_intro),
        )),
        losses(locale, &lost(locale, &view.limits, &view.lost)),
        addons_end(locale, &view.lost_addons),
        timing(locale, view, dispatch),
        quote_lines::quote_lines(locale, &view.quote),
        div().child((
            quote_lines::facts(facts(locale, view)),
            view.adjustable.clone().map(|plan| {
                p().child(press(Role::Link, w.adjust.to_owned(), !sending, dispatch, Act::Adjust(plan)))
            }),
            press(
                Role::Link,
                w.use_another_card.to_owned(),
                !view.fetching_card_link && !sending,
                dispatch,
                Act::UseAnotherCard,
            ),
        )),
        view.card_link_failed.then(|| notice(Tone::Bad, String::new(), vec![w.card_link_failed.to_owned()])),
        view.changed_from.map(|from| quote_lines::changed(locale, from, view.due, view.not_charged)),
        view.altered.then(|| notice(Tone::Bad, String::new(), vec![w.altered.to_owned()])),
        div().class("actions pair").child((
            press(
                Role::Pay,
                confirm_label(locale, view),
                live,
                dispatch,
                if stale { Act::Refresh } else { Act::Confirm },
            ),
            closes(w.back, dispatch),
        )),
    ))
}

/// Closes the dialog. Where the focus starts: a key pressed by habit confirms nothing.
pub(super) fn closes(label: &'static str, dispatch: Dispatch<Act>) -> impl IntoView + use<> {
    button()
        .attr("type", "button")
        .class("button")
        .attr("part", "decline")
        .attr("autofocus", "")
        .on(ev::click, move |event| dispatch.click(&event, Act::CloseDialog))
        .text(label)
}

/// How many seats and add-ons, before what they cost is asked for.
fn adjust(locale: &Locale, view: &AdjustView, dispatch: Dispatch<Act>) -> impl IntoView + use<> {
    let w = locale.words;
    let addons: Vec<_> = view
        .addons
        .iter()
        .map(|addon| {
            let id = addon.addon_id.clone();
            let act = Box::new(move |n| Act::AddonCount(id.clone(), n));
            let field = Field::Addon(addon.addon_id.clone());
            how_many(locale, view, (addon.name.clone(), 0, addon.quantity), field, dispatch, act)
        })
        .collect();
    let label = if view.asking { w.working_out } else { w.show_price };
    div().class("sheet").child((
        header().class("head").child(
            h2().attr("id", TITLE)
                .attr("part", "headline")
                .text(fill(w.adjust_title, &[("name", &view.name)])),
        ),
        view.seats.map(|seats| {
            let named = (w.seats.to_owned(), 1, seats);
            how_many(locale, view, named, Field::Seats, dispatch, Box::new(Act::Seats))
        }),
        (!addons.is_empty()).then(|| fieldset().class("timing").child((legend().text(w.addons), addons))),
        view.failed.then(|| notice(Tone::Bad, String::new(), vec![w.preview_failed.to_owned()])),
        div().class("actions pair").child((
            press(Role::Accept, label.to_owned(), view.can_ask, dispatch, Act::ShowPrice),
            press(Role::Decline, w.back.to_owned(), true, dispatch, Act::CloseDialog),
        )),
    ))
}

/// A number to choose, with its name, the least it can be and what it is now. What cannot be read stays as it was typed, and
/// the buyer is told what can: a field of the type `number` would drop signs by itself, and turn under the mouse wheel.
fn how_many(
    locale: &Locale,
    view: &AdjustView,
    (name, least, now): (String, u32, u32),
    field: Field,
    dispatch: Dispatch<Act>,
    act: Box<dyn Fn(u32) -> Act>,
) -> impl IntoView + use<> {
    let typed = view.unreadable.iter().find(|(other, _)| *other == field).map(|(_, text)| text.clone());
    let wrong = typed.is_some();
    let id = match &field {
        Field::Seats => "wrong-seats".to_owned(),
        Field::Addon(addon) => ["wrong-", addon.as_str()].concat(),
    };
    let chosen = move |event: ev::Event| {
        let input = event_target::<HtmlInputElement>(&event);
        match whole_number(&input.value()).filter(|wanted| (least..=MAX_COUNT).contains(wanted)) {
            Some(wanted) => {
                input.set_value(&count(wanted));
                dispatch.send(act(wanted));
            }
            None => dispatch.send(Act::Unreadable(field.clone(), input.value())),
        }
    };
    let chosen: Box<dyn FnMut(ev::Event)> = Box::new(chosen);
    div().class("field").child((
        label().class("choice count").child((
            span().text(name),
            input()
                .attr("type", "text")
                .attr("inputmode", "numeric")
                .attr("autocomplete", "off")
                .attr("aria-invalid", wrong.then_some("true"))
                .attr("aria-describedby", wrong.then(|| id.clone()))
                .prop("value", typed.unwrap_or_else(|| count(now)))
                .on(ev::change, chosen),
        )),
        wrong.then(|| p().class("small wrong").attr("id", id).text(wanted_number(locale, least))),
    ))
}

/// Which numbers a field takes.
fn wanted_number(locale: &Locale, least: u32) -> String {
    let (least, most) = (locale.number(least.into()), locale.number(MAX_COUNT.into()));
    fill(locale.words.whole_number, &[("least", &least), ("most", &most)])
}

/// Reads digits, also those of full width that Japanese keyboards write, and nothing else: a comma or a point may mean
/// thousands or a fraction.
fn whole_number(typed: &str) -> Option<u32> {
    let digits: Option<String> = typed.trim().chars().map(ascii_digit).collect();
    digits?.parse().ok()
}

fn ascii_digit(typed: char) -> Option<char> {
    let wide = u32::from(typed).checked_sub(u32::from('０')).filter(|value| *value < 10);
    wide.and_then(|value| char::from_digit(value, 10)).or(typed.is_ascii_digit().then_some(typed))
}

/// At once, or at the next billing date.
fn timing(locale: &Locale, view: &ReviewView, dispatch: Dispatch<Act>) -> impl IntoView + use<> {
    let w = locale.words;
    let sending = view.confirm == ConfirmState::Sending;
    let later = view.effective_at == EffectiveAt::NextBillingDate;
    let choice = move |words: &'static str, value: &'static str, checked: bool, at: EffectiveAt| {
        label().class("choice").child((
            input()
                .attr("type", "radio")
                .attr("name", "timing")
                .attr("value", value)
                .prop("checked", checked)
                .prop("disabled", sending)
                .on(ev::change, move |_| dispatch.send(Act::Timing(at))),
            span().text(words),
        ))
    };
    fieldset().class("timing").attr("part", "timing").child((
        legend().text(w.when),
        choice(w.when_now, "now", !later, EffectiveAt::Immediately),
        choice(w.when_later, "later", later, EffectiveAt::NextBillingDate),
    ))
}

fn facts(locale: &Locale, view: &ReviewView) -> Vec<String> {
    let w = locale.words;
    let so_far = [
        ("amount", &*locale.money(view.today.amount, view.today.currency)),
        ("per", &*locale.per(view.period)),
    ];
    let mut lines =
        vec![quote_lines::effect(locale, view.effective_at, &view.quote), fill(w.so_far, &so_far)];
    lines.extend(
        view.quote.settlement.map(|settled| {
            fill(w.settled_as, &[("amount", &locale.money(settled.amount, settled.currency))])
        }),
    );
    lines.extend(view.ends_trial.then(|| w.ends_trial.to_owned()));
    lines.extend(quote_lines::renewal(locale, &view.quote));
    lines.push(match &view.payment_method {
        Some(card) => locale.card(w.paid_with, card),
        None => w.paid_with_unnamed.to_owned(),
    });
    if view.due.amount > 0 {
        lines.push(w.no_more_than_this.to_owned());
    }
    lines
}

/// What has to stand on the screen when the confirm button is pressed.
pub(super) fn meant(locale: &Locale, view: &ReviewView) -> Meant {
    Meant { button: confirm_label(locale, view), due: locale.money(view.due.amount, view.due.currency) }
}

/// The confirm button says what it does and what it costs.
fn confirm_label(locale: &Locale, view: &ReviewView) -> String {
    let w = locale.words;
    match view.confirm {
        ConfirmState::Sending => w.changing.to_owned(),
        ConfirmState::Refreshing => w.updating.to_owned(),
        ConfirmState::Stale => w.show_current_price.to_owned(),
        ConfirmState::Arming | ConfirmState::Ready => {
            let later = view.effective_at == EffectiveAt::NextBillingDate;
            match (view.due.amount, later) {
                (0, true) => w.change_later.to_owned(),
                (0, false) => w.change_for_nothing.to_owned(),
                (amount, _) => {
                    fill(w.change_and_pay, &[("amount", &locale.money(amount, view.due.currency))])
                }
            }
        }
    }
}

/// What assistive technology hears when the dialog's content changes.
pub(super) fn spoken(locale: &Locale, dialog: &Dialog) -> String {
    match dialog {
        Dialog::Review(view) if view.altered && view.confirm == ConfirmState::Arming => {
            locale.words.altered.to_owned()
        }
        Dialog::Review(view) => match (view.confirm, view.changed_from) {
            (ConfirmState::Sending | ConfirmState::Refreshing, _) => confirm_label(locale, view),
            (_, Some(_)) => {
                [locale.words.amount_changed, " ", &locale.money(view.due.amount, view.due.currency)].concat()
            }
            (_, None) => String::new(),
        },
        Dialog::Adjust(view) if view.asking => locale.words.working_out.to_owned(),
        Dialog::Adjust(view) if !view.unreadable.is_empty() => {
            wanted_number(locale, u32::from(view.unreadable.iter().any(|(field, _)| *field == Field::Seats)))
        }
        Dialog::Adjust(view) if view.failed => locale.words.preview_failed.to_owned(),
        Dialog::Stay(view) if view.asking => locale.words.working_out.to_owned(),
        Dialog::Stay(view) if view.failed => locale.words.preview_failed.to_owned(),
        Dialog::Cancel(view) if view.sending => locale.words.cancelling.to_owned(),
        Dialog::Cancel(view) if view.failed => locale.words.cancel_failed.to_owned(),
        Dialog::Adjust(_) | Dialog::Stay(_) | Dialog::Cancel(_) => String::new(),
        Dialog::Waiting(view) => outcome::waiting_title(locale, view).to_owned(),
        Dialog::Done(view) => outcome::done_title(locale, Deed::PlanChange, view).to_owned(),
        Dialog::Altered(_) => locale.words.altered_title.to_owned(),
        Dialog::Failed(view) => {
            [outcome::failed_title(locale, Deed::PlanChange, view), " ", outcome::why(locale, view.failure)]
                .concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::whole_number;

    #[test]
    fn only_digits_are_a_number() {
        for (typed, number) in [("5", 5), (" 12 ", 12), ("１０", 10), ("007", 7), ("4294967295", u32::MAX)]
        {
            assert_eq!(whole_number(typed), Some(number), "{typed}");
        }
        for typed in ["", " ", "5,5", "5.5", "1 000", "1,000", "-3", "+3", "1e3", "99999999999", "five", "٣"]
        {
            assert_eq!(whole_number(typed), None, "{typed}");
        }
    }
}
