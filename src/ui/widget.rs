//! The two roots. Each is a region that stays, with the view of the moment inside: so the keyboard has a place to come
//! back to, and assistive technology a place to listen to.

use flow::{offer as offer_flow, plans as plans_flow};
use leptos::ev;
use leptos::html::{Dialog, Section, dialog, div, p, section, span};
use leptos::prelude::*;
use leptos::web_sys::Node;
use wasm_bindgen::JsCast;

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
            .child(move || view.with(|view| offer_view(&locale.read(), view, dispatch))),
    ))
}

fn offer_view(
    locale: &Locale,
    view: &offer_flow::View,
    dispatch: Dispatch<offer_flow::Act>,
) -> Option<AnyView> {
    use offer_flow::{Act, Closed, View};
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
            let tone = if *why == Closed::Unknown { Tone::Bad } else { Tone::Calm };
            sheet(notice(tone, title.to_owned(), vec![line.to_owned()]), vec![close()], dispatch).into_any()
        }
    })
}

fn closed(locale: &Locale, why: offer_flow::Closed) -> (&'static str, &'static str) {
    let w = locale.words;
    match why {
        offer_flow::Closed::Gone => (w.offer_ended, w.nothing_charged),
        offer_flow::Closed::SessionOver => (w.session_ended, w.session_ended_more),
        offer_flow::Closed::Unknown => (w.outcome_unknown, w.outcome_unknown_more),
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
            [outcome::failed_title(locale, Deed::Purchase), " ", outcome::why(locale, charge.failure)]
                .concat()
        }
        View::Closed(why) => closed(locale, *why).0.to_owned(),
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
                .child(move || view.with(|view| page_view(&locale.read(), &view.page, dispatch))),
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
                        .child(move || {
                            view.with(|view| {
                                let shown = view.dialog.as_ref()?;
                                Some(dialog_content(&locale.read(), shown, dispatch))
                            })
                        }),
                )),
        ),
    )
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

/// Escape closes the dialog and nothing else: the page may listen for it, to close a dialog of its own. The key comes up
/// after the dialog has closed, outside of it.
fn keep_escape_down(event: &ev::KeyboardEvent, escaping: StoredValue<bool, LocalStorage>) {
    if event.key() == "Escape" {
        event.stop_propagation();
        escaping.set_value(true);
    }
}

fn keep_escape_up(event: &ev::KeyboardEvent, escaping: StoredValue<bool, LocalStorage>) {
    if event.key() == "Escape" && escaping.get_value() {
        event.stop_propagation();
        escaping.set_value(false);
    }
}

/// The element of a region that had the focus, or was pressed, last. (Safari gives no focus to a button that is pressed.)
#[derive(Clone, Copy)]
struct Touched(StoredValue<Option<Node>, LocalStorage>);

impl Touched {
    fn note(self, event: &ev::Event) {
        let node = event.target().and_then(|target| target.dyn_into::<Node>().ok());
        self.0.set_value(node);
    }

    /// Whether it is not on the page any more.
    fn is_gone(self) -> bool {
        self.0.try_with_value(|node| node.as_ref().is_some_and(|node| !node.is_connected())).unwrap_or(false)
    }
}

/// When a new view has taken away the element that the buyer used last, the region takes the focus, so that the keyboard
/// does not go on from the top of the page. Not before the buyer has used it, and only while `stands`: with nothing to stand
/// on, the focus waits for what comes next.
fn follow_focus(region: NodeRef<Section>, stands: impl Fn() -> bool + Copy + 'static) -> Touched {
    let touched = Touched(StoredValue::new_local(None));
    Effect::new(move |_| {
        if !stands() {
            return;
        }
        // After the frame in which the new view is drawn: at its end the browser takes the focus from what is hidden, such as
        // a dialog that was closed.
        let reclaim = move || {
            if touched.is_gone()
                && untrack(stands)
                && let Some(element) = region.try_get_untracked().flatten()
            {
                reclaim_focus(&element);
            }
        };
        request_animation_frame(move || request_animation_frame(reclaim));
    });
    touched
}
