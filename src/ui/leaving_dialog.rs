//! Before a buyer leaves their plan: what the merchant proposes instead, and what cancelling means.

use flow::plans::{Act, CancelView, StayView};
use leptos::html::{div, h2, header, p};
use leptos::prelude::*;

use super::button::{Role, press};
use super::confirm_dialog::{TITLE, closes};
use super::notice::{Tone, notice};
use super::offer_card::benefits;
use super::words::Words;
use super::{Locale, price};
use crate::dispatch::Dispatch;
use crate::text::fill;

/// Another plan, with a refusal as easy as the other button, and one press from what was picked.
pub(super) fn stay(locale: &Locale, view: &StayView, dispatch: Dispatch<Act>) -> impl IntoView + use<> {
    let offer = &view.offer;
    // What is proposed has a language of its own, and all words of this dialog are in it.
    let locale =
        &offer.language.as_deref().map_or_else(|| locale.clone(), |merchants| locale.beside(merchants));
    let w = locale.words;
    let go_on = match &view.on_to {
        Some(name) => fill(w.no_thanks_go_on, &[("name", name)]),
        None => w.no_thanks_cancel.to_owned(),
    };
    let take =
        if view.asking { w.working_out.to_owned() } else { fill(w.change_to, &[("name", &offer.plan.name)]) };
    div().class("sheet").attr("lang", locale.lang()).child((
        header().class("head").child((
            h2().attr("id", TITLE)
                .attr("part", "headline")
                .attr("lang", locale.merchants_lang())
                .text(offer.headline.clone()),
            p().attr("part", "product").text(offer.plan.name.clone()),
        )),
        price::plan_figure(locale, &offer.plan),
        benefits(locale, &offer.benefits),
        offer
            .social_proof
            .clone()
            .map(|line| p().class("muted").attr("lang", locale.merchants_lang()).text(line)),
        view.failed.then(|| notice(Tone::Bad, String::new(), vec![w.preview_failed.to_owned()])),
        div().class("actions pair").child((
            press(Role::Accept, take, view.can_take && !view.asking, dispatch, Act::TakeStayOffer),
            press(Role::Decline, go_on, !view.asking, dispatch, Act::GoOn),
        )),
    ))
}

/// Until when the plan goes on, and that it is not charged again.
pub(super) fn cancelling(
    locale: &Locale,
    view: &CancelView,
    dispatch: Dispatch<Act>,
) -> impl IntoView + use<> {
    let w = locale.words;
    let more = fill(w.cancel_more, &[("name", &view.name), ("date", &locale.day(view.ends_at))]);
    let label = if view.sending { w.cancelling } else { w.cancel_plan };
    div().class("sheet").child((
        header().class("head").child((
            h2().attr("id", TITLE)
                .attr("part", "headline")
                .text(fill(w.cancel_title, &[("name", &view.name)])),
            p().text(more),
        )),
        view.failed.then(|| notice(Tone::Bad, String::new(), vec![w.cancel_failed.to_owned()])),
        div().class("actions pair").child((
            press(Role::Accept, label.to_owned(), !view.sending, dispatch, Act::Confirm),
            closes(w.keep_plan, dispatch),
        )),
    ))
}
