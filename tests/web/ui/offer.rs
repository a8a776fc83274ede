//! The offer and how it went.

use flow::offer::{AcceptState, Act, OfferView, PayBy, PriceView, View};
use upsell_widget::ui::{self, Locale};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{HtmlElement, KeyboardEvent, KeyboardEventInit};

use super::stage::{Stage, drawn};
use super::views::{done, failed, offer, proof, shown, usd};

async fn stage_as(width: u32, view: View, locale: &str, trust_all: bool) -> Stage<View, Act> {
    let locale = Locale::of_tag(locale);
    Stage::new(width, view, trust_all, move |view, dispatch| ui::offer(view, dispatch, locale)).await
}

async fn stage(view: View) -> Stage<View, Act> {
    stage_as(600, view, "en", true).await
}

fn changed(change: impl FnOnce(&mut OfferView)) -> View {
    let mut view = offer();
    change(&mut view);
    shown(view)
}

/// Non-breaking spaces keep "pay $5" together; to a reader they are spaces.
fn words(text: Option<String>) -> String {
    text.unwrap().replace('\u{a0}', " ")
}

#[wasm_bindgen_test]
async fn the_accept_button_says_what_it_does_and_what_it_costs() {
    let stage = stage(View::Nothing).await;
    for (view, label, live) in [
        (shown(offer()), "Buy now – pay $54.00", true),
        (changed(|o| o.accept = AcceptState::Arming), "Buy now – pay $54.00", true),
        (changed(|o| o.pay_by = PayBy::HostedCheckout), "Continue to checkout – $54.00", true),
        (changed(|o| o.due = usd(0)), "Get it – nothing to pay now", true),
        (changed(|o| o.accept = AcceptState::Refreshing), "Updating the amount…", false),
        (changed(|o| o.accept = AcceptState::Sending), "Paying…", false),
        (changed(|o| o.accept = AcceptState::Stale), "Show the current amount", true),
    ] {
        stage.show(view).await;
        let button = stage.part("accept");
        assert_eq!(words(button.text_content()), label);
        assert_eq!(button.has_attribute("aria-disabled"), !live, "{label}");
    }
    assert_eq!(stage.acts(), []);
    stage.part("accept").click();
    assert_eq!(stage.acts(), [Act::Refresh], "a stale amount is not accepted");
}

#[wasm_bindgen_test]
async fn presses_are_told_apart() {
    let stage = stage(shown(offer())).await;
    stage.part("accept").click();
    stage.part("decline").click();
    assert_eq!(stage.acts(), [Act::Accept, Act::Decline(None)]);
}

#[wasm_bindgen_test]
async fn a_click_made_up_by_a_script_presses_nothing() {
    let stage = stage_as(600, shown(offer()), "en", false).await;
    stage.part("accept").click();
    stage.part("decline").click();
    assert_eq!(stage.acts(), []);
}

#[wasm_bindgen_test]
async fn a_held_key_presses_once() {
    let stage = stage(shown(offer())).await;
    let button = stage.part("accept");
    let pressed = |repeat| {
        let init = KeyboardEventInit::new();
        init.set_key("Enter");
        init.set_repeat(repeat);
        init.set_cancelable(true);
        let event = KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &init).unwrap();
        button.dispatch_event(&event).unwrap()
    };
    assert!(pressed(false), "the first one becomes a click");
    assert!(!pressed(true), "a repeat does not");
}

#[wasm_bindgen_test]
async fn the_two_answers_have_one_size() {
    for width in [320, 390, 600] {
        for locale in ["en", "ja"] {
            let stage = stage_as(width, shown(offer()), locale, true).await;
            let size = |part| {
                let element = stage.part(part);
                (element.offset_width(), element.offset_height())
            };
            assert_eq!(size("accept"), size("decline"), "{locale} at {width}");
            assert!(size("decline").1 >= 44, "large enough for a thumb");
        }
    }
}

#[wasm_bindgen_test]
async fn amounts_end_on_one_line() {
    let stage = stage(shown(offer())).await;
    let ends: Vec<_> = stage
        .all("[part=summary] .money")
        .iter()
        .map(|amount| amount.get_bounding_client_rect().right().to_string())
        .collect();
    assert_eq!(ends.len(), 4, "two lines, tax, total");
    assert!(ends.windows(2).all(|pair| pair[0] == pair[1]), "{ends:?}");
}

#[wasm_bindgen_test]
async fn the_difference_comes_first_and_the_total_where_there_is_none() {
    let stage = stage(shown(offer())).await;
    assert_eq!(stage.part("figure").text_content().unwrap(), "+$50.00 per month");
    assert_eq!(stage.part("figure-note").text_content().unwrap(), "more than Basic ($30.00 per month)");
    stage.show(changed(|o| o.compare_to = None)).await;
    assert_eq!(stage.part("figure").text_content().unwrap().trim(), "$54.00");
}

#[wasm_bindgen_test]
async fn every_line_renewal_and_card_stand_above_the_button() {
    let stage = stage(shown(offer())).await;
    let text = stage.text();
    for line in [
        "Pro, rest of this period$80.00",
        "Unused time on Basic−$30.00",
        "Tax$4.00",
        "To pay now$54.00",
        "Then $80.00 plus tax per month, next on December 23, 2026",
        "Charged to Visa ending in 4242",
        "From Acme",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[wasm_bindgen_test]
async fn a_list_price_is_called_one() {
    let stage = stage(changed(|o| {
        o.price = PriceView::ListPrice(usd(8_000));
        o.due = usd(8_000);
        o.compare_to = None;
    }))
    .await;
    let note = stage.part("figure-note").text_content().unwrap();
    assert!(note.starts_with("List price."), "{note}");
    assert!(!stage.text().contains("no more than this amount"), "nobody can promise that");
}

#[wasm_bindgen_test]
async fn the_merchants_words_stay_words() {
    let markup = "<img src=x onerror=alert(1)><b>{amount}</b>";
    let stage = stage(changed(|o| {
        o.headline = Some(markup.to_owned());
        o.benefits = vec![markup.to_owned()];
        o.product.name = markup.to_owned();
    }))
    .await;
    assert_eq!(stage.part("headline").text_content().unwrap(), markup);
    assert_eq!(stage.all("img, b").len(), 0);
}

#[wasm_bindgen_test]
async fn pictures_come_over_https_or_not_at_all() {
    let stage = stage(View::Nothing).await;
    for (address, shown) in [
        ("https://cdn.example.com/pro.png", 1),
        ("http://cdn.example.com/pro.png", 0),
        ("javascript:alert(1)", 0),
        ("data:image/png;base64,AA==", 0),
    ] {
        stage.show(changed(|o| o.product.image = Some(address.to_owned()))).await;
        assert_eq!(stage.parts("picture").len(), shown, "{address}");
    }
}

#[wasm_bindgen_test]
async fn a_changed_amount_shows_old_and_new() {
    let stage = stage(changed(|o| o.changed_from = Some(usd(5_000)))).await;
    let notice = || stage.part("notice").text_content().unwrap();
    assert!(notice().contains("$50.00") && notice().contains("$54.00"), "{}", notice());
    assert!(!notice().contains("charged"), "nobody has pressed anything: {}", notice());
    let refused = |o: &mut OfferView| (o.changed_from, o.not_charged) = (Some(usd(5_000)), Some(proof()));
    stage.show(changed(refused)).await;
    assert!(notice().contains("Nothing was charged. Please check"), "{}", notice());
}

#[wasm_bindgen_test]
async fn focus_stays_while_the_same_offer_changes() {
    let stage = stage(shown(offer())).await;
    let button = stage.part("accept");
    button.focus().unwrap();
    stage.show(changed(|o| o.accept = AcceptState::Sending)).await;
    assert_eq!(stage.focused().as_ref(), Some(button.as_ref()));
}

#[wasm_bindgen_test]
async fn focus_goes_to_what_took_the_offers_place() {
    let stage = stage(shown(offer())).await;
    stage.part("accept").focus().unwrap();
    stage.show(View::Done(Box::new(done()))).await;
    drawn().await;
    assert_eq!(stage.focused().unwrap().local_name(), "section");
}

/// A refusal takes the offer away, and the next one comes when the backend has answered.
#[wasm_bindgen_test]
async fn focus_goes_to_the_offer_that_follows_a_refusal() {
    let stage = stage(shown(offer())).await;
    stage.part("decline").focus().unwrap();
    stage.part("decline").click();
    stage.show(View::Nothing).await;
    drawn().await;
    assert_eq!(stage.focused(), None, "there is nothing to stand on");
    stage.show(changed(|o| o.product.name = "Mini".to_owned())).await;
    drawn().await;
    assert_eq!(stage.focused().unwrap().local_name(), "section");
}

#[wasm_bindgen_test]
async fn a_buyer_who_is_elsewhere_keeps_the_focus_there() {
    let stage = stage(shown(offer())).await;
    stage.part("decline").focus().unwrap();
    let elsewhere = crate::support::document().create_element("button").unwrap();
    crate::support::document().body().unwrap().append_child(&elsewhere).unwrap();
    elsewhere.unchecked_ref::<HtmlElement>().focus().unwrap();
    stage.show(View::Done(Box::new(done()))).await;
    drawn().await;
    assert_eq!(stage.focused(), None);
    elsewhere.remove();
}

/// No gap of a sentence is empty, whatever the page calls its language.
#[wasm_bindgen_test]
async fn no_odd_tag_leaves_a_gap_in_a_sentence() {
    for tag in super::formats::odd_tags() {
        let stage = stage_as(600, shown(offer()), &tag, true).await;
        let facts = words(stage.part("facts").text_content());
        for gap in ["  ", " ,", " .", "{", "on ,", "undefined", "NaN"] {
            assert!(!facts.contains(gap), "{tag}: {facts}");
        }
        assert!(facts.contains("until you cancel") || facts.contains("解約されるまで"), "{tag}: {facts}");
    }
}

#[wasm_bindgen_test]
async fn the_first_view_leaves_the_focus_alone() {
    let stage = stage(View::Done(Box::new(done()))).await;
    drawn().await;
    assert_eq!(stage.focused(), None);
}

#[wasm_bindgen_test]
async fn nothing_takes_no_room() {
    let stage = stage(shown(offer())).await;
    assert!(stage.height() > 100);
    stage.show(View::Nothing).await;
    assert_eq!(stage.height(), 0);
    assert_eq!(stage.text(), "");
}

#[wasm_bindgen_test]
async fn what_stands_below_does_not_move_while_an_offer_turns_into_a_receipt() {
    let stage = stage(shown(offer())).await;
    let height = stage.height();
    stage.show(View::Done(Box::new(done()))).await;
    assert_eq!(stage.height(), height);
    // The receipt's own sheet has that height: there is no hole below it.
    assert_eq!(stage.part("message").offset_height(), height);
    stage.show(changed(|o| o.benefits.clear())).await;
    assert!(stage.height() < height, "another offer has a height of its own");
}

#[wasm_bindgen_test]
async fn a_receipt_says_what_was_collected_and_not_what_was_expected() {
    let stage = stage(View::Done(Box::new(done()))).await;
    let receipt = stage.part("receipt").text_content().unwrap();
    assert!(receipt.contains("$53.12") && receipt.contains("pay_1"), "{receipt}");
    assert!(!stage.text().contains("$54.00"), "{}", stage.text());
}

#[wasm_bindgen_test]
async fn assistive_technology_hears_what_happens() {
    let stage = stage(shown(offer())).await;
    let region = stage.all("[aria-live=polite]").remove(0);
    let said = || region.text_content().unwrap();
    stage.show(changed(|o| o.accept = AcceptState::Sending)).await;
    assert_eq!(said(), "Paying…");
    stage.show(View::Failed(failed(true))).await;
    assert!(said().contains("did not go through") && said().contains("not enough money"), "{}", said());
    stage.show(View::Done(Box::new(done()))).await;
    assert_eq!(said(), "Paid. Thank you.");
}

#[wasm_bindgen_test]
async fn japanese_is_spoken() {
    let stage = stage_as(600, shown(offer()), "ja-JP", true).await;
    assert_eq!(words(stage.part("accept").text_content()), "購入を確定して $54.00 を支払う");
    assert_eq!(words(stage.part("decline").text_content()), "いいえ、結構です");
    assert_eq!(stage.all("[lang=ja]").len(), 1);
}
