//! The two roots. Each is a region that stays, with the view of the moment inside: so the keyboard has a place to come
//! back to, and assistive technology a place to listen to.

use core::mem::{Discriminant, discriminant};

use flow::{Tag, offer as offer_flow, plans as plans_flow};
use leptos::either::Either;
use leptos::ev;
use leptos::html::{Dialog, Section, dialog, div, p, section, span};
use leptos::prelude::*;

use super::button::Role;
use super::confirm_dialog::{self, dialog_content};
use super::focus::{follow_focus, keep_escape_down, keep_escape_up};
use super::notice::{Tone, notice};
use super::outcome::{self, Deed, Way, ways};
use super::words::{TEXT_CONTENT, Text};
use super::{Locale, offer_card, plan_comparison};
use crate::browser::dialog::{focused_in, reclaim_focus, reconcile};
use crate::browser::room;
use crate::browser::screen::Meant;
use crate::dispatch::Dispatch;

/// The offer widget: the offer, then how it went, or nothing at all.
///
/// - `view`: what the flow wants shown.
/// - `dispatch`: takes what the buyer does.
/// - `locale`: words and formats.
pub fn offer(
    view: Signal<offer_flow::View>,
    dispatch: Dispatch<offer_flow::Act>,
    locale: impl Into<Signal<Locale>>,
) -> impl IntoView {
    let locale: Signal<Locale> = locale.into();
    let region = NodeRef::<Section>::new();
    let touched = follow_focus(region, move || {
        view.try_with(|view| *view != offer_flow::View::Nothing).unwrap_or(false)
    });
    keep_room(region, view);
    let label = move || {
        let shown = view.with(|view| *view != offer_flow::View::Nothing);
        shown.then(|| locale.read().words.offer_label)
    };
    div().class("root").attr("lang", move || locale.read().lang()).child((
        live_region(move || view.with(|view| offer_spoken(&locale.read(), view))),
        section()
            .node_ref(region)
            .attr("tabindex", "-1")
            .attr("aria-label", label)
            .on(ev::focusin, move |event| touched.note(&event))
            .on(ev::click, move |event| touched.note(&event))
            .child(drawn(region, move || {
                view.with(|view| (offer_drawing(view), offer_view(&locale.read(), view, dispatch)))
            })),
    ))
}

/// What has to stand on the screen when this is done in this view, if it pays.
pub fn offer_meant(locale: &Locale, view: &offer_flow::View, act: &offer_flow::Act) -> Option<Meant> {
    match (view, act) {
        (offer_flow::View::Offer(offer), offer_flow::Act::Accept) => Some(offer_card::meant(locale, offer)),
        _ => None,
    }
}

fn offer_drawing(view: &offer_flow::View) -> Drawing<offer_flow::View> {
    match view {
        offer_flow::View::Nothing => None,
        offer_flow::View::Offer(offer) => Some((discriminant(view), Some(offer.drawing))),
        shown => Some((discriminant(shown), None)),
    }
}

fn offer_view(
    locale: &Locale,
    view: &offer_flow::View,
    dispatch: Dispatch<offer_flow::Act>,
) -> Option<AnyView> {
    use offer_flow::{Act, Ordered, View};
    let w = locale.words;
    let close = || Way { role: Role::Decline, label: w.close, act: Act::Dismiss };
    Some(match view {
        View::Nothing => return None,
        View::Offer(offer) => offer_card::offer_card(locale, offer, dispatch).into_any(),
        View::Waiting(charge) => {
            let on = outcome::waiting_ways(locale, charge, Act::Continue, Act::CheckAgain);
            sheet(outcome::waiting(locale, charge), on, dispatch).into_any()
        }
        View::Leaving { due } => {
            let on = vec![Way { role: Role::Accept, label: w.open_checkout, act: Act::Continue }];
            sheet(
                notice(Tone::Calm, w.to_checkout.to_owned(), vec![outcome::amount_of(locale, *due)]),
                on,
                dispatch,
            )
            .into_any()
        }
        View::Done(charge) => {
            sheet(outcome::done(locale, Deed::Purchase, charge), Vec::new(), dispatch).into_any()
        }
        View::Failed(charge) => {
            let mut on = Vec::new();
            if charge.another_way {
                on.push(Way { role: Role::Accept, label: w.pay_another_way, act: Act::PayAnotherWay });
            }
            on.push(close());
            sheet(outcome::failed(locale, Deed::Purchase, charge), on, dispatch).into_any()
        }
        View::Altered(own_page) => {
            let on = outcome::altered_ways(locale, *own_page, Act::Continue, close());
            sheet(outcome::altered(locale, *own_page), on, dispatch).into_any()
        }
        View::Closed(why) => {
            let (title, line) = closed(locale, *why);
            sheet(notice(Tone::Calm, title.to_owned(), vec![line.to_owned()]), vec![close()], dispatch)
                .into_any()
        }
        View::Ordering { due } => {
            let lines = vec![outcome::amount_of(locale, Some(*due)), w.ordering_more.to_owned()];
            sheet(notice(Tone::Calm, w.ordering.to_owned(), lines), Vec::new(), dispatch).into_any()
        }
        View::Ordered(order) => {
            let (title, line) = ordered(locale, *order);
            let tone = match order {
                Ordered::Taken => Tone::Good,
                Ordered::NotTaken => Tone::Calm,
                Ordered::Unknown => Tone::Bad,
            };
            sheet(notice(tone, title.to_owned(), vec![line.to_owned()]), vec![close()], dispatch).into_any()
        }
    })
}

fn closed(locale: &Locale, why: offer_flow::Closed) -> (&'static str, &'static str) {
    let w = locale.words;
    match why {
        offer_flow::Closed::Gone => (w.offer_ended, w.offer_ended_more),
        offer_flow::Closed::SessionOver => (w.session_ended, w.session_ended_more),
    }
}

/// What is known of an order at a basic backend: title and sentence, none of it about what became of the money.
fn ordered(locale: &Locale, order: offer_flow::Ordered) -> (&'static str, &'static str) {
    let w = locale.words;
    match order {
        offer_flow::Ordered::Taken => (w.order_taken, w.order_taken_more),
        offer_flow::Ordered::NotTaken => (w.order_not_taken, w.order_not_taken_more),
        offer_flow::Ordered::Unknown => (w.outcome_unknown, w.outcome_unknown_more),
    }
}

fn offer_spoken(locale: &Locale, view: &offer_flow::View) -> String {
    use offer_flow::View;
    match view {
        View::Nothing => String::new(),
        View::Offer(offer) => offer_card::spoken(locale, offer),
        View::Waiting(charge) => outcome::waiting_title(locale, charge).to_owned(),
        View::Leaving { .. } => locale.words.to_checkout.to_owned(),
        View::Done(charge) => outcome::done_title(locale, Deed::Purchase, charge).to_owned(),
        View::Failed(charge) => {
            [outcome::failed_title(locale, Deed::Purchase, charge), " ", outcome::why(locale, charge.failure)]
                .concat()
        }
        View::Altered(_) => locale.words.altered_title.to_owned(),
        View::Closed(why) => closed(locale, *why).0.to_owned(),
        View::Ordering { .. } => locale.words.ordering.to_owned(),
        View::Ordered(order) => ordered(locale, *order).0.to_owned(),
    }
}

/// The plans widget: the comparison, with the confirm dialog over it.
///
/// - `view`: what the flow wants shown.
/// - `dispatch`: takes what the buyer does.
/// - `locale`: words and formats.
pub fn plans(
    view: Signal<plans_flow::View>,
    dispatch: Dispatch<plans_flow::Act>,
    locale: impl Into<Signal<Locale>>,
) -> impl IntoView {
    let locale: Signal<Locale> = locale.into();
    let page = NodeRef::<Section>::new();
    // Also when the dialog is closed: what opened it may be gone by then.
    let on_page = follow_focus(page, move || view.try_with(|_| true).unwrap_or(false));
    let (box_ref, inside) = (NodeRef::<Dialog>::new(), NodeRef::<Section>::new());
    let in_dialog =
        follow_focus(inside, move || view.try_with(|view| view.dialog.is_some()).unwrap_or(false));
    Effect::new(move |_| {
        let open = view.with(|view| view.dialog.is_some());
        if let Some(element) = box_ref.get() {
            reconcile(&element, open);
        }
    });
    // Also after Escape, and after the system's own ways of closing. The event comes late: by then the dialog may be
    // open again, for something else.
    let on_close = move |_: ev::Event| {
        if box_ref.try_get_untracked().flatten().is_some_and(|element| !element.open()) {
            dispatch.send(plans_flow::Act::CloseDialog);
        }
    };
    let escaping = StoredValue::new_local(false);
    let lang = move || locale.read().lang();
    div().class("root").attr("lang", lang).on(ev::keyup, move |event| keep_escape_up(&event, escaping)).child(
        (
            live_region(move || {
                let speaker = locale.read();
                view.with(|view| match &view.page {
                    plans_flow::Page::Comparison(page) => plan_comparison::spoken(&speaker, page),
                    plans_flow::Page::Loading => speaker.words.loading_plans.to_owned(),
                    plans_flow::Page::Unavailable { .. } => speaker.words.plans_unavailable.to_owned(),
                })
            }),
            section()
                .node_ref(page)
                .attr("tabindex", "-1")
                .attr("aria-label", move || locale.read().words.plans_label)
                .on(ev::focusin, move |event| on_page.note(&event))
                .on(ev::click, move |event| on_page.note(&event))
                .child(drawn(page, move || {
                    view.with(|view| {
                        let drawing = Some((discriminant(&view.page), None));
                        (drawing, Some(page_view(&locale.read(), &view.page, dispatch)))
                    })
                })),
            dialog()
                .node_ref(box_ref)
                .attr("part", "dialog")
                .attr("aria-labelledby", confirm_dialog::TITLE)
                .on(ev::close, on_close)
                .on(ev::keydown, move |event| keep_escape_down(&event, escaping))
                .child((
                    // A modal dialog silences what is outside of it, so it has a voice of its own.
                    live_region(move || {
                        view.with(|view| {
                            view.dialog.as_ref().map(|shown| confirm_dialog::spoken(&locale.read(), shown))
                        })
                        .unwrap_or_default()
                    }),
                    section()
                        .node_ref(inside)
                        .attr("tabindex", "-1")
                        .on(ev::focusin, move |event| in_dialog.note(&event))
                        .on(ev::click, move |event| in_dialog.note(&event))
                        .child(drawn(inside, move || {
                            view.with(|view| {
                                let content = |shown| dialog_content(&locale.read(), shown, dispatch);
                                (view.dialog.as_ref().map(dialog_drawing), view.dialog.as_ref().map(content))
                            })
                        })),
                )),
        ),
    )
}

/// What has to stand on the screen when this is done in this view, if it pays.
pub fn plans_meant(locale: &Locale, view: &plans_flow::View, act: &plans_flow::Act) -> Option<Meant> {
    match (&view.dialog, act) {
        (Some(plans_flow::Dialog::Review(review)), plans_flow::Act::Confirm) => {
            Some(confirm_dialog::meant(locale, review))
        }
        _ => None,
    }
}

fn dialog_drawing(dialog: &plans_flow::Dialog) -> (Discriminant<plans_flow::Dialog>, Option<Tag>) {
    let drawing = match dialog {
        plans_flow::Dialog::Review(review) => Some(review.drawing),
        _ => None,
    };
    (discriminant(dialog), drawing)
}

fn page_view(locale: &Locale, page: &plans_flow::Page, dispatch: Dispatch<plans_flow::Act>) -> AnyView {
    let w = locale.words;
    match page {
        plans_flow::Page::Loading => ghost().into_any(),
        plans_flow::Page::Unavailable { can_retry: true } => {
            let again = Way { role: Role::Decline, label: w.try_again, act: plans_flow::Act::Reload };
            let text =
                notice(Tone::Bad, w.plans_unavailable.to_owned(), vec![w.plans_unavailable_more.to_owned()]);
            sheet(text, vec![again], dispatch).into_any()
        }
        plans_flow::Page::Unavailable { can_retry: false } => {
            let text = notice(Tone::Calm, w.session_ended.to_owned(), vec![w.session_ended_more.to_owned()]);
            sheet(text, Vec::new(), dispatch).into_any()
        }
        plans_flow::Page::Comparison(view) => plan_comparison::comparison(locale, view, dispatch).into_any(),
    }
}

/// A sentence by itself, as long as `stands` says so.
///
/// Part: `message`.
pub fn sentence(words: &'static str, stands: impl Fn() -> bool + Send + 'static) -> impl IntoView {
    div().class("root").child(move || {
        let text = || p().attr("role", "status").child(words);
        stands().then(|| div().class("sheet message").attr("part", "message").child(text()))
    })
}

/// A message with its ways on, on a sheet of its own.
fn sheet<A: Clone + 'static, V: IntoView + 'static>(
    body: V,
    on: Vec<Way<A>>,
    dispatch: Dispatch<A>,
) -> impl IntoView + use<A, V> {
    div().class("sheet message").attr("part", "message").child((body, ways(on, dispatch)))
}

/// What stands there while the plans are awaited: as high as a comparison usually is.
fn ghost() -> impl IntoView + use<> {
    div().class("sheet ghost").attr("aria-hidden", "true").child((span(), span(), span(), span()))
}

/// Says changes to assistive technology without taking the focus.
fn live_region(text: impl Fn() -> String + Send + 'static) -> impl IntoView {
    p().class("unseen")
        .attr("role", "status")
        .attr("aria-live", "polite")
        .prop(TEXT_CONTENT, move || Text(text()))
}

/// What takes an offer's place is lower than the offer, and may come long after the click: the region keeps the height
/// that it had, so that nothing below it moves.
fn keep_room(region: NodeRef<Section>, view: Signal<offer_flow::View>) {
    Effect::new(move |offered: Option<i32>| {
        let (nothing, offer) = view
            .with(|view| (*view == offer_flow::View::Nothing, matches!(view, offer_flow::View::Offer(_))));
        let Some(element) = region.get() else { return 0 };
        if nothing || offer {
            room::keep(&element, 0);
            return if offer { element.offset_height() } else { 0 };
        }
        let height = offered.unwrap_or_default();
        room::keep(&element, height);
        height
    });
}

/// What is drawn, by its kind and by the name that the flow gave it; `None` where there is nothing.
type Drawing<T> = Option<(Discriminant<T>, Option<Tag>)>;

/// Shows a view. The same drawing is put over the one before in place; another one is made from nothing, whatever had become
/// of the elements of the one before.
///
/// What had the focus is gone then. Where the kind is the same, the same control of the new drawing takes it; otherwise, and
/// where there is none, the region does. Not on the first view, which must not take the focus from the page, and not when
/// nothing is left to stand on.
fn drawn<T: 'static>(
    region: NodeRef<Section>,
    show: impl Fn() -> (Drawing<T>, Option<AnyView>) + Send + 'static,
) -> impl FnMut() -> Either<Option<AnyView>, Option<AnyView>> + Send + 'static {
    let mut before: Drawing<T> = None;
    let mut other_side = false;
    move || {
        let (now, view) = show();
        if now != before {
            other_side = !other_side;
            if let (Some((kind, _)), Some((old_kind, _))) = (now, before) {
                let element = region.try_get_untracked().flatten();
                let control = element.filter(|_| kind == old_kind).and_then(|element| focused_in(&element));
                // After the frame in which the new view is drawn.
                request_animation_frame(move || {
                    if let Some(element) = region.try_get_untracked().flatten() {
                        reclaim_focus(&element, control.as_ref());
                    }
                });
            }
            before = now;
        }
        // Two sides of different types: what was on the one is never patched into what is on the other.
        if other_side { Either::Right(view) } else { Either::Left(view) }
    }
}
