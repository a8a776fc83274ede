//! The offer: one sheet with the merchant's words, the difference in price, what will be charged line by line, and two
//! answers of one size.

use flow::offer::{AcceptState, Act, Notice, OfferView, PayBy, PriceView};
use leptos::html::{div, h2, header, img, li, p, ul};
use leptos::prelude::*;

use super::button::{Role, press};
use super::notice::{Tone, notice};
use super::outcome::with_proof;
use super::plan_comparison::addons_end;
use super::words::Words;
use super::{Locale, price, quote_lines};
use crate::browser::screen::Meant;
use crate::dispatch::Dispatch;
use crate::text::{count, fill};

/// The offer.
///
/// Parts: `offer`, `seller`, `headline`, `picture`, `product`, `figure`, `benefits`, `summary`, `line`, `total`,
/// `facts`, `warning`, `notice`, `accept`, `decline`.
pub(super) fn offer_card(
    locale: &Locale,
    view: &OfferView,
    dispatch: Dispatch<Act>,
) -> impl IntoView + use<> {
    let w = locale.words;
    let (quote, due_words) = match &view.price {
        PriceView::Quoted(quote) => (Some(quote), w.to_pay_now),
        PriceView::ListPrice(_) => (None, w.list_price),
    };
    let sending = view.accept == AcceptState::Sending;
    div().class("sheet").attr("part", "offer").child((
        heading(locale, view),
        price::offer_figure(locale, view.compare_to.as_ref(), view.due, due_words),
        benefits(locale, &view.benefits),
        view.social_proof
            .clone()
            .map(|line| p().class("muted").attr("lang", locale.merchants_lang()).text(line)),
        view.compare_to.as_ref().map(|today| addons_end(locale, &today.lost_addons)),
        quote.map(|quote| quote_lines::quote_lines(locale, quote)),
        quote_lines::facts(facts(locale, view)),
        view.changed_from.map(|from| quote_lines::changed(locale, from, view.due, view.not_charged)),
        view.notice.map(|message| {
            let line = match message {
                Notice::Busy => w.busy,
                Notice::NotReceived => w.not_received,
                Notice::Altered => w.altered,
            };
            notice(Tone::Bad, String::new(), vec![with_proof(locale, line, view.not_charged)])
        }),
        div().class("actions pair").child((
            press(
                Role::Pay,
                accept_label(locale, view),
                matches!(view.accept, AcceptState::Arming | AcceptState::Ready | AcceptState::Stale),
                dispatch,
                if view.accept == AcceptState::Stale { Act::Refresh } else { Act::Accept },
            ),
            press(
                Role::Decline,
                w.no_thanks.to_owned(),
                view.can_decline && !sending,
                dispatch,
                Act::Decline(None),
            ),
        )),
    ))
}

/// What one gets.
pub(super) fn benefits(locale: &Locale, lines: &[String]) -> Option<impl IntoView + use<>> {
    let items: Vec<_> = lines.iter().map(|line| li().text(line.clone())).collect();
    let label = locale.words.benefits;
    (!items.is_empty()).then(|| {
        ul().class("ticks")
            .attr("part", "benefits")
            .attr("aria-label", label)
            .attr("lang", locale.merchants_lang())
            .child(items)
    })
}

/// Who offers what. The product's name stands under the merchant's headline, or in its place.
fn heading(locale: &Locale, view: &OfferView) -> impl IntoView + use<> {
    let product = match view.quantity {
        0 | 1 => view.product.name.clone(),
        n => fill(locale.words.times, &[("name", &view.product.name), ("count", &count(n))]),
    };
    let (headline, lang, product) = match &view.headline {
        Some(headline) => (headline.clone(), locale.merchants_lang(), Some(product)),
        None => (product, None, None),
    };
    let picture = view.product.image.clone().filter(|address| address.starts_with("https://"));
    header().class("head").child((
        picture.map(|address| {
            img()
                .class("picture")
                .attr("part", "picture")
                .attr("src", address)
                .attr("alt", "")
                .attr("referrerpolicy", "no-referrer")
        }),
        view.merchant.as_ref().map(|seller| {
            let line = fill(locale.words.from_seller, &[("name", &seller.name)]);
            p().class("muted small").attr("part", "seller").text(line)
        }),
        h2().attr("part", "headline").attr("lang", lang).text(headline),
        product.map(|name| p().attr("part", "product").text(name)),
        view.product.description.clone().map(|line| p().class("muted").text(line)),
    ))
}

fn facts(locale: &Locale, view: &OfferView) -> Vec<String> {
    let w = locale.words;
    let mut lines = Vec::new();
    if let PriceView::Quoted(quote) = &view.price {
        lines.extend(quote_lines::renewal(locale, quote));
    }
    lines.push(match &view.pay_by {
        PayBy::Card(card) => locale.card(w.paid_with, card),
        PayBy::Unnamed => w.paid_with_unnamed.to_owned(),
        PayBy::HostedCheckout => w.choose_payment_next.to_owned(),
    });
    // Where somebody else makes the charge, the promise is theirs to make.
    if matches!(view.price, PriceView::Quoted(_)) && view.pay_by != PayBy::HostedCheckout {
        lines.push(w.no_more_than_this.to_owned());
    }
    lines
}

/// What has to stand on the screen when the accept button is pressed.
pub(super) fn meant(locale: &Locale, view: &OfferView) -> Meant {
    Meant { button: accept_label(locale, view), due: locale.money(view.due.amount, view.due.currency) }
}

/// The accept button says what it does and what it costs; nothing else obliges anybody to pay.
fn accept_label(locale: &Locale, view: &OfferView) -> String {
    let w = locale.words;
    let hosted = view.pay_by == PayBy::HostedCheckout;
    match view.accept {
        AcceptState::Sending if hosted => w.one_moment.to_owned(),
        AcceptState::Sending => w.paying.to_owned(),
        AcceptState::Refreshing => w.updating.to_owned(),
        AcceptState::Stale => w.show_current_price.to_owned(),
        AcceptState::Arming | AcceptState::Ready => {
            let phrase = match (hosted, view.due.amount) {
                (true, _) => w.continue_to_checkout,
                (false, 0) => return w.buy_for_nothing.to_owned(),
                (false, _) => w.buy_and_pay,
            };
            fill(phrase, &[("amount", &locale.money(view.due.amount, view.due.currency))])
        }
    }
}

/// What assistive technology hears when the offer comes or changes.
pub(super) fn spoken(locale: &Locale, view: &OfferView) -> String {
    match (view.accept, view.notice, view.changed_from) {
        (AcceptState::Sending, ..) => accept_label(locale, view),
        (_, Some(Notice::Busy), _) => locale.words.busy.to_owned(),
        (_, Some(Notice::NotReceived), _) => locale.words.not_received.to_owned(),
        (_, Some(Notice::Altered), _) => locale.words.altered.to_owned(),
        (_, None, Some(_)) => {
            [locale.words.amount_changed, " ", &locale.money(view.due.amount, view.due.currency)].concat()
        }
        (_, None, None) => view.headline.clone().unwrap_or_else(|| view.product.name.clone()),
    }
}
