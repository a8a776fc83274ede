//! The two roots. Each is a region that stays, with the view of the moment inside: so the keyboard has a place to come
//! back to, and assistive technology a place to listen to.

use core::mem::{Discriminant, discriminant};

use flow::{offer as offer_flow, plans as plans_flow};
use leptos::ev;
use leptos::html::{Dialog, Section, dialog, div, p, section, span};
use leptos::prelude::*;

use super::button::Role;
use super::confirm_dialog::{self, dialog_content};
use super::notice::{Tone, notice};
use super::outcome::{self, Deed, Way, ways};
use super::{Locale, offer_card, plan_comparison};
use crate::browser::dialog::{reclaim_focus, reconcile};
use crate::browser::room;
use crate::dispatch::Dispatch;

/// The offer widget: the offer, then how it went, or nothing at all.
///
/// - `view`: what the flow wants shown.
/// - `dispatch`: takes what the buyer does.
/// - `locale`: words and formats.
pub fn offer(
    view: Signal<offer_flow::View>,
    dispatch: Dispatch<offer_flow::Act>,
    locale: Locale,
) -> impl IntoView {
    let region = NodeRef::<Section>::new();
    follow_focus(region, move || match &*view.read() {
        offer_flow::View::Nothing => None,
        shown => Some(discriminant(shown)),
    });
    keep_room(region, view);
    let words = locale.words;
    let label = move || view.with(|view| *view != offer_flow::View::Nothing).then_some(words.offer_label);
    let (speaker, lang) = (locale.clone(), locale.lang());
    div().class("root").attr("lang", lang).child((
        live_region(move || view.with(|view| offer_spoken(&speaker, view))),
        section()
            .node_ref(region)
            .attr("tabindex", "-1")
            .attr("aria-label", label)
            .child(move || view.with(|view| offer_view(&locale, view, dispatch))),
    ))
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
    locale: Locale,
) -> impl IntoView {
    let page = NodeRef::<Section>::new();
    follow_focus(page, move || Some(discriminant(&view.read().page)));
    let (box_ref, inside) = (NodeRef::<Dialog>::new(), NodeRef::<Section>::new());
    follow_focus(inside, move || view.read().dialog.as_ref().map(discriminant));
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
    let words = locale.words;
    let lang = locale.lang();
    let (speaker, in_dialog, dialog_speaker) = (locale.clone(), locale.clone(), locale.clone());
    div().class("root").attr("lang", lang).child((
        live_region(move || {
            view.with(|view| match &view.page {
                plans_flow::Page::Comparison(page) => plan_comparison::spoken(&speaker, page),
                plans_flow::Page::Loading => speaker.words.loading_plans.to_owned(),
                plans_flow::Page::Unavailable { .. } => speaker.words.plans_unavailable.to_owned(),
            })
        }),
        section()
            .node_ref(page)
            .attr("tabindex", "-1")
            .attr("aria-label", words.plans_label)
            .child(move || view.with(|view| page_view(&locale, &view.page, dispatch))),
        dialog()
            .node_ref(box_ref)
            .attr("part", "dialog")
            .attr("aria-labelledby", confirm_dialog::TITLE)
            .on(ev::close, on_close)
            .child((
                // A modal dialog silences what is outside of it, so it has a voice of its own.
                live_region(move || {
                    view.with(|view| {
                        view.dialog.as_ref().map(|shown| confirm_dialog::spoken(&dialog_speaker, shown))
                    })
                    .unwrap_or_default()
                }),
                section().node_ref(inside).attr("tabindex", "-1").child(move || {
                    view.with(|view| {
                        view.dialog.as_ref().map(|shown| dialog_content(&in_dialog, shown, dispatch))
                    })
                }),
            )),
    ))
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
    p().class("unseen").attr("role", "status").attr("aria-live", "polite").child(text)
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

/// When what is shown changes in kind, the element that had the focus is gone; the region takes it. Not on the first
/// view, which must not take the focus from the page, and not when nothing is left to stand on.
fn follow_focus<T>(region: NodeRef<Section>, kind: impl Fn() -> Option<Discriminant<T>> + 'static)
where
    T: 'static,
{
    Effect::new(move |before: Option<Option<Discriminant<T>>>| {
        let now = kind();
        if now.is_some() && before.flatten().is_some_and(|before| Some(before) != now) {
            // After the frame in which the new view is drawn.
            request_animation_frame(move || {
                if let Some(element) = region.try_get_untracked().flatten() {
                    reclaim_focus(&element);
                }
            });
        }
        now
    });
}
