//! The plans side by side, what each would cost more or less than today, and what it brings and takes away.

use flow::charge::Standing;
use flow::plans::{Act, ComparisonView, Notice, is_adjustable};
use leptos::html::{article, div, h2, h3, header, li, p, span, ul};
use leptos::prelude::*;
use wire::{ChangeKind, LimitChange, Plan, PlanLimit, PlanShare, SubscriptionStatus, Usage};

use super::button::{Role, press};
use super::notice::{Tone, notice};
use super::outcome::{self, Deed};
use super::words::Words;
use super::{Locale, price, quote_lines};
use crate::dispatch::Dispatch;
use crate::text::{count, fill};

/// The comparison.
///
/// Parts: `plans`, `headline`, `usage`, `plan`, `plan-name`, `badge`, `share`, `figure`, `benefits`, `warning`, `facts`,
/// `notice`, `accept`, `link`.
pub(super) fn comparison(
    locale: &Locale,
    view: &ComparisonView,
    dispatch: Dispatch<Act>,
) -> impl IntoView + use<> {
    let w = locale.words;
    let plans: Vec<_> = view.plans.iter().map(|plan| plan_card(locale, view, plan, dispatch)).collect();
    let card = goes_on(view).then(|| match &view.payment_method {
        Some(card) => locale.card(w.paid_with, card),
        None => w.paid_with_unnamed.to_owned(),
    });
    div().class("plans").attr("part", "plans").child((
        header().child((
            p().class("muted small").text(fill(w.from_seller, &[("name", &view.merchant.name)])),
            h2().attr("part", "headline").text(w.choose_plan),
            p().class("muted").text(today(locale, view)),
            discount(locale, view).map(|line| p().class("muted").text(line)),
            seats(locale, view.current.quantity),
            usage(locale, view),
        )),
        view.notice.as_ref().map(|message| message_of(locale, message, dispatch)),
        booked(locale, view, dispatch),
        ending(locale, view, dispatch),
        owing(locale, view, dispatch),
        div().class("columns").child(plans),
        card.map(|line| {
            div().child((
                quote_lines::facts(vec![line]),
                press(
                    Role::Link,
                    w.use_another_card.to_owned(),
                    !view.fetching_card_link,
                    dispatch,
                    Act::UseAnotherCard,
                ),
            ))
        }),
        view.current.can_cancel.then(|| {
            let words = if view.cancelling { w.cancelling } else { w.cancel_plan };
            div().child(press(Role::Link, words.to_owned(), view.can_cancel, dispatch, Act::Cancel))
        }),
    ))
}

fn today(locale: &Locale, view: &ComparisonView) -> String {
    let (w, current) = (locale.words, &view.current);
    let date = locale.day(current.next_billing_date);
    let named = |words| fill(words, &[("name", &current.name)]);
    let owing = |unknown, known| match current.due {
        Some(due) => {
            let amount = locale.money(due.amount, due.currency);
            fill(known, &[("amount", &amount), ("name", &current.name)])
        }
        None => named(unknown),
    };
    match current.status {
        SubscriptionStatus::Active => {}
        SubscriptionStatus::Pending => return w.not_begun.to_owned(),
        SubscriptionStatus::OnHold => return owing(w.on_hold, w.on_hold_due),
        SubscriptionStatus::PastDue => return owing(w.past_due, w.past_due_due),
        SubscriptionStatus::Paused => return named(w.paused),
        SubscriptionStatus::Failed => return w.never_began.to_owned(),
        SubscriptionStatus::Cancelled | SubscriptionStatus::Expired => return w.ended.to_owned(),
        SubscriptionStatus::Other => return w.cannot_change.to_owned(),
    }
    if current.cancel_at_next_billing_date {
        return fill(w.ends_on, &[("date", &date)]);
    }
    // A booked change has words of its own, and a way to take it back.
    if !current.can_change && current.scheduled_change.is_none() {
        return w.cannot_change.to_owned();
    }
    let (phrase, date) = match current.trial_ends_at {
        Some(end) => (w.trial_is, locale.day(end)),
        None => (w.current_plan_is, date),
    };
    fill(
        phrase,
        &[
            ("name", &current.name),
            ("amount", &locale.money(current.recurring_amount, current.currency)),
            ("per", &locale.per(current.period)),
            ("date", &date),
        ],
    )
}

/// For how long today's price holds, where a discount on it ends.
fn discount(locale: &Locale, view: &ComparisonView) -> Option<String> {
    let left = view.current.discounted_renewals.filter(|_| goes_on(view))?;
    let words = if left == 1 { locale.words.discount_ends_next } else { locale.words.discount_ends };
    Some(fill(words, &[("count", &count(left))]))
}

/// Where something is owed, the one thing that helps comes first.
fn owing(locale: &Locale, view: &ComparisonView, dispatch: Dispatch<Act>) -> Option<impl IntoView + use<>> {
    owes(view).then(|| {
        let words = locale.words.update_payment.to_owned();
        div().class("message").child(press(
            Role::Accept,
            words,
            !view.fetching_card_link,
            dispatch,
            Act::UseAnotherCard,
        ))
    })
}

/// Whether there will be another charge.
fn goes_on(view: &ComparisonView) -> bool {
    is_active(view) && !view.current.cancel_at_next_billing_date
}

fn is_active(view: &ComparisonView) -> bool {
    view.current.status == SubscriptionStatus::Active
}

fn owes(view: &ComparisonView) -> bool {
    matches!(view.current.status, SubscriptionStatus::OnHold | SubscriptionStatus::PastDue)
}

/// What the prices are for, where that is not one.
fn seats(locale: &Locale, quantity: u32) -> Option<impl IntoView + use<>> {
    (quantity > 1)
        .then(|| p().class("muted").text(fill(locale.words.for_seats, &[("count", &count(quantity))])))
}

/// What was used of today's plan, and that it is enough where it is.
fn usage(locale: &Locale, view: &ComparisonView) -> Option<impl IntoView + use<>> {
    let w = locale.words;
    let line = |usage: &Usage| {
        let (name, used) = (&usage.name, &locale.number(usage.used));
        match (usage.limit, usage.percent) {
            (Some(limit), Some(percent)) => fill(
                w.used_of,
                &[
                    ("name", name),
                    ("used", used),
                    ("limit", &locale.number(limit)),
                    ("percent", &count(percent)),
                ],
            ),
            _ => fill(w.used, &[("name", name), ("used", used)]),
        }
    };
    let mut lines: Vec<String> = view.current.usage.iter().map(line).collect();
    if view.current.fits {
        lines.push(w.plan_fits.to_owned());
    }
    let lines: Vec<_> = lines.into_iter().map(|line| p().text(line)).collect();
    (!lines.is_empty()).then(|| div().class("muted").attr("part", "usage").child(lines))
}

/// A change that is booked, with the way to take it back.
fn booked(locale: &Locale, view: &ComparisonView, dispatch: Dispatch<Act>) -> impl IntoView + use<> {
    let w = locale.words;
    view.current.scheduled_change.as_ref().map(|change| {
        let line =
            fill(w.change_booked, &[("name", &change.name), ("date", &locale.day(change.effective_at))]);
        let label = if view.taking_back { w.one_moment } else { w.take_back };
        div().class("message").child((
            notice(Tone::Good, line, Vec::new()),
            press(Role::Link, label.to_owned(), view.can_take_back, dispatch, Act::TakeBackScheduled),
        ))
    })
}

/// Where it is cancelled, the way back.
fn ending(locale: &Locale, view: &ComparisonView, dispatch: Dispatch<Act>) -> Option<impl IntoView + use<>> {
    let ends = is_active(view) && view.current.cancel_at_next_billing_date;
    ends.then(|| {
        let label = if view.taking_back { locale.words.one_moment } else { locale.words.keep_plan };
        let words = label.to_owned();
        div().class("message").child(press(Role::Accept, words, view.can_take_back, dispatch, Act::KeepPlan))
    })
}

fn plan_card(
    locale: &Locale,
    view: &ComparisonView,
    plan: &Plan,
    dispatch: Dispatch<Act>,
) -> impl IntoView + use<> {
    let w = locale.words;
    let current = plan.kind == ChangeKind::Current;
    let badge = |class, words| span().class(class).attr("part", "badge").text(words);
    let scheduled = view.current.scheduled_change.as_ref().filter(|to| to.product_id == plan.product_id);
    let previewing = view.previewing.as_ref() == Some(&plan.product_id);
    let label = match previewing {
        true => w.working_out.to_owned(),
        false => fill(w.change_to, &[("name", &plan.name)]),
    };
    let class = match (current, plan.recommended) {
        (true, _) => "plan current",
        (false, true) => "plan recommended",
        (false, false) => "plan",
    };
    let marked = if plan.share.is_some() { w.chosen_most } else { w.recommended };
    article().class(class).attr("part", "plan").attr("aria-label", plan.name.clone()).child((
        div().class("head").child((
            div().class("title").child((
                h3().attr("part", "plan-name").text(plan.name.clone()),
                current.then(|| badge("badge", w.your_plan)),
                scheduled.map(|change| {
                    let words = fill(w.booked_from, &[("date", &locale.day(change.effective_at))]);
                    span().class("badge").attr("part", "badge").text(words)
                }),
                (plan.recommended && !current).then(|| badge("badge recommended", marked)),
            )),
            plan.share
                .filter(|_| !current)
                .map(|of| p().class("muted small").attr("part", "share").text(share(locale, view, of))),
            plan.description.clone().map(|line| p().class("muted").text(line)),
        )),
        price::plan_figure(locale, plan),
        features(locale, plan),
        div().class("actions").child((
            (!current).then(|| {
                let accept = plan.recommended && view.current.can_change;
                let role = if accept { Role::Accept } else { Role::Decline };
                let act = Act::Choose(plan.product_id.clone());
                press(role, label, view.can_choose && !previewing, dispatch, act)
            }),
            // For other plans it is in the dialog, next to what they cost.
            (current && view.current.can_change && is_adjustable(plan)).then(|| {
                let act = Act::Adjust(plan.product_id.clone());
                press(Role::Decline, w.adjust.to_owned(), view.can_choose, dispatch, act)
            }),
        )),
    ))
}

/// Why the plan is marked that others chose: how many of them, and since when.
fn share(locale: &Locale, view: &ComparisonView, of: PlanShare) -> String {
    let words = if of.days == 1 { locale.words.share_of_a_day } else { locale.words.share };
    let (percent, days) = (count(of.percent), count(of.days));
    fill(words, &[("percent", &percent), ("name", &view.current.name), ("days", &days)])
}

/// What the plan brings beyond today first, then what it has as today, then what it lacks.
fn features(locale: &Locale, plan: &Plan) -> impl IntoView + use<> {
    let w = locale.words;
    let same = plan.features.iter().filter(|feature| !plan.gained.contains(feature));
    let has: Vec<_> = plan
        .limits
        .iter()
        .filter(|limit| limit.change != LimitChange::Less)
        .map(|limit| (if limit.change == LimitChange::More { "gained" } else { "" }, limit_of(locale, limit)))
        .chain(plan.gained.iter().map(|feature| ("gained", feature.clone())))
        .chain(same.map(|feature| ("", feature.clone())))
        .map(|(class, feature)| li().class(class).attr("lang", locale.merchants_lang()).text(feature))
        .collect();
    let too_little: Vec<&str> =
        plan.limits.iter().filter(|limit| limit.exceeded).map(|limit| limit.name.as_str()).collect();
    let warning = (!too_little.is_empty()).then(|| fill(w.not_enough, &[("names", &too_little.join(", "))]));
    let list =
        |part, label, items| ul().class("ticks").attr("part", part).attr("aria-label", label).child(items);
    div().class("features").child((
        (!has.is_empty()).then(|| list("benefits", w.features, has)),
        losses(locale, &lost(locale, &plan.limits, &plan.lost)),
        addons_end(locale, &plan.lost_addons),
        warning.map(|line| p().class("warning").attr("part", "warning").text(line)),
    ))
}

fn limit_of(locale: &Locale, of: &PlanLimit) -> String {
    let w = locale.words;
    match of.limit {
        Some(limit) => fill(w.limit, &[("name", &of.name), ("limit", &locale.number(limit))]),
        None => fill(w.no_limit, &[("name", &of.name)]),
    }
}

/// What there is less of, then what is gone.
pub(super) fn lost(locale: &Locale, limits: &[PlanLimit], lost: &[String]) -> Vec<String> {
    let less = limits.iter().filter(|limit| limit.change == LimitChange::Less);
    let only = |limit: &PlanLimit| fill(locale.words.only, &[("what", &limit_of(locale, limit))]);
    less.map(only).chain(lost.iter().cloned()).collect()
}

/// What would be lost, under a heading that says so.
pub(super) fn losses(locale: &Locale, lost: &[String]) -> impl IntoView + use<> {
    let item = |words: &String| li().class("lost").attr("lang", locale.merchants_lang()).text(words.clone());
    let items: Vec<_> = lost.iter().map(item).collect();
    let w = locale.words;
    (!items.is_empty()).then(|| {
        div()
            .class("group")
            .attr("part", "losses")
            .child((h3().text(w.you_lose), ul().class("ticks").child(items)))
    })
}

/// Add-ons that would end with the change.
pub(super) fn addons_end(locale: &Locale, names: &[String]) -> impl IntoView + use<> {
    (!names.is_empty()).then(|| {
        let line = fill(locale.words.addons_end, &[("names", &names.join(", "))]);
        p().class("warning").attr("part", "warning").text(line)
    })
}

/// Words of a message on the page: how it looks, its title and its text.
fn message(locale: &Locale, message: &Notice) -> (Tone, String, String) {
    let w = locale.words;
    let line = |tone, text: &str| (tone, String::new(), text.to_owned());
    match message {
        Notice::PreviewFailed => line(Tone::Bad, w.preview_failed),
        Notice::ChangeNotPossible => line(Tone::Bad, w.why_not_possible),
        Notice::Busy(proof) => line(Tone::Bad, &outcome::with_proof(locale, w.busy, *proof)),
        Notice::NotReceived => line(Tone::Bad, w.not_received),
        Notice::PriceLapsed(proof) => {
            line(Tone::Bad, &outcome::with_proof(locale, w.price_lapsed, Some(*proof)))
        }
        Notice::SessionOver => (Tone::Bad, w.session_ended.to_owned(), w.session_ended_more.to_owned()),
        Notice::TakeBackFailed => line(Tone::Bad, w.take_back_failed),
        Notice::TakenBack => line(Tone::Good, w.taken_back),
        Notice::CardLinkFailed => line(Tone::Bad, w.card_link_failed),
        Notice::Cancelled => line(Tone::Good, w.cancelled),
        Notice::CancelFailed => line(Tone::Bad, w.cancel_failed),
        Notice::Kept => line(Tone::Good, w.taken_back),
        Notice::KeepFailed => line(Tone::Bad, w.keep_failed),
        Notice::Waiting(charge) => {
            let calm = if charge.standing == Standing::ActionRequired { Tone::Bad } else { Tone::Calm };
            let more = outcome::waiting_more(locale, charge);
            (calm, outcome::waiting_title(locale, charge).to_owned(), more.to_owned())
        }
        Notice::Done(charge) => (
            Tone::Good,
            outcome::done_title(locale, Deed::PlanChange, charge).to_owned(),
            charge.name.clone().unwrap_or_default(),
        ),
        Notice::Failed(charge) => (
            Tone::Bad,
            outcome::failed_title(locale, Deed::PlanChange, charge).to_owned(),
            [outcome::why(locale, charge.failure), " ", w.nothing_charged(charge.not_charged)].concat(),
        ),
    }
}

fn message_of(locale: &Locale, shown: &Notice, dispatch: Dispatch<Act>) -> impl IntoView + use<> {
    let (tone, title, line) = message(locale, shown);
    let charge = matches!(shown, Notice::Waiting(_) | Notice::Done(_) | Notice::Failed(_));
    let open = charge
        .then(|| press(Role::Link, locale.words.show_progress.to_owned(), true, dispatch, Act::OpenDialog));
    div().class("message").child((notice(tone, title, vec![line]), open))
}

/// What assistive technology hears when the message changes.
pub(super) fn spoken(locale: &Locale, view: &ComparisonView) -> String {
    match &view.notice {
        Some(shown) => {
            let (_, title, line) = message(locale, shown);
            [title.as_str(), " ", &line].concat()
        }
        None if view.previewing.is_some() => locale.words.working_out.to_owned(),
        None => String::new(),
    }
}
