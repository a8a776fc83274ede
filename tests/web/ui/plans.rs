//! The plan comparison and its confirm dialog.

use std::cell::RefCell;
use std::rc::Rc;

use flow::plans::{Act, ConfirmState, Dialog, Notice, Page, View};
use upsell_widget::ui::{self, Locale};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{HtmlDialogElement, HtmlElement, KeyboardEvent, KeyboardEventInit};
use wire::{
    EffectiveAt, Interval, Period, PlanShare, ProductId, ScheduledChange, SpanComparison, SubscriptionStatus,
};

use super::stage::{Stage, drawn};
use super::views::{DAY, comparison, done, failed, plans, proof, review, usd};

pub(super) async fn stage(view: View) -> Stage<View, Act> {
    let locale = Locale::of_tag("en");
    Stage::new(1_000, view, true, move |view, dispatch| ui::plans(view, dispatch, locale)).await
}

fn reviewing(confirm: ConfirmState) -> View {
    plans(comparison(), Some(Dialog::Review(Box::new(review(confirm)))))
}

pub(super) fn dialog(stage: &Stage<View, Act>) -> HtmlDialogElement {
    stage.part("dialog").unchecked_into()
}

pub(super) fn within(dialog: &HtmlDialogElement, part: &str) -> HtmlElement {
    dialog.query_selector(&format!("[part={part}]")).unwrap().unwrap().unchecked_into()
}

pub(super) fn words(element: &HtmlElement) -> String {
    element.text_content().unwrap().replace('\u{a0}', " ")
}

#[wasm_bindgen_test]
async fn each_plan_says_its_difference_and_the_current_one_is_marked() {
    let stage = stage(plans(comparison(), None)).await;
    let cards: Vec<_> = stage.parts("plan").iter().map(words).collect();
    assert_eq!(cards.len(), 4);
    for (card, figure) in
        cards.iter().zip(["−$20.00 per month", "$80.00 per month", "+$50.00 per month", "$80.00 per month"])
    {
        assert!(card.contains(figure), "{figure} in {card}");
    }
    assert!(cards[1].contains("Your plan") && !cards[1].contains("Change to"), "{}", cards[1]);
    assert!(cards[2].contains("Recommended"), "{}", cards[2]);
    assert!(cards[0].contains("What you would losePriority"), "{}", cards[0]);
    assert!(cards[0].contains("would end: Extra storage"), "{}", cards[0]);
    assert!(cards[3].contains("billed differently"), "no difference is made up: {}", cards[3]);
}

#[wasm_bindgen_test]
async fn a_plan_that_others_chose_says_how_many_and_since_when() {
    let mut view = comparison();
    for (days, since) in [(90, "90 days"), (1, "24 hours")] {
        view.plans[2].share = Some(PlanShare { percent: 62, days });
        let stage = stage(plans(view.clone(), None)).await;
        let card = words(&stage.parts("plan")[2]);
        assert!(card.contains("Chosen most often") && !card.contains("Recommended"), "{card}");
        let line = format!("62 % of those who changed from Basic in the last {since} chose this plan.");
        let told: Vec<_> = stage.parts("share").iter().map(words).collect();
        assert_eq!(told, [line], "on this plan, and on no other");
    }
}

#[wasm_bindgen_test]
async fn other_periods_are_held_against_today_over_the_same_time() {
    let mut view = comparison();
    let year = Period { interval: Interval::Year, count: 1 };
    let over = |plan, break_even_months| SpanComparison {
        span: year,
        current: 96_000,
        plan,
        currency: usd(0).currency,
        break_even_months,
    };
    let figures = [
        (
            over(80_000, Some(10)),
            "$160.00 less in a year than today's $960.00. Pays for itself after 10 months.",
        ),
        (over(100_000, None), "$40.00 more in a year than today's $960.00"),
        (over(96_000, None), "as today in a year: $960.00"),
    ];
    for (over, words_of_it) in figures {
        view.plans[3].over_span = Some(over);
        let stage = stage(plans(view.clone(), None)).await;
        assert!(words(&stage.parts("plan")[3]).contains(words_of_it), "{words_of_it}");
    }
}

#[wasm_bindgen_test]
async fn each_state_of_a_subscription_has_its_words_and_what_is_owed_comes_first() {
    use SubscriptionStatus::{Active, Cancelled, Expired, Failed, OnHold, Other, PastDue, Paused, Pending};
    for (status, said, owes) in [
        (Pending, "begins when its first payment is confirmed", false),
        (OnHold, "Basic did not go through, so the plan is on hold", true),
        (PastDue, "payment for Basic is overdue", true),
        (Paused, "Basic is paused", false),
        (Cancelled, "has ended", false),
        (Failed, "has not begun", false),
        (Expired, "has ended", false),
        (Other, "cannot be changed at the moment", false),
        // On demand, for example.
        (Active, "cannot be changed at the moment", false),
    ] {
        let mut view = comparison();
        (view.current.status, view.current.can_change, view.can_choose) = (status, false, false);
        let stage = stage(plans(view, None)).await;
        let page = words(&stage.part("plans"));
        assert!(page.contains(said), "{status:?}: {page}");
        assert_eq!(page.contains("Update payment method"), owes, "{status:?}: {page}");
        if owes {
            stage.part("accept").click();
            assert_eq!(stage.acts(), [Act::UseAnotherCard]);
        }
    }
}

#[wasm_bindgen_test]
async fn a_plan_that_ends_says_when() {
    let mut view = comparison();
    view.current.cancel_at_next_billing_date = true;
    view.current.can_change = false;
    let stage = stage(plans(view, None)).await;
    assert!(words(&stage.part("plans")).contains("Your plan ends on"));
}

#[wasm_bindgen_test]
async fn prices_for_several_seats_say_so() {
    let mut view = comparison();
    view.current.quantity = 5;
    let stage = stage(plans(view, None)).await;
    assert!(words(&stage.part("plans")).contains("Prices are for your 5 seats."));
}

#[wasm_bindgen_test]
async fn a_plan_is_chosen_by_its_own_button() {
    let stage = stage(plans(comparison(), None)).await;
    stage.parts("plan")[2].query_selector("button").unwrap().unwrap().unchecked_into::<HtmlElement>().click();
    assert_eq!(stage.acts(), [Act::Choose(ProductId::parse("pro").unwrap())]);
}

#[wasm_bindgen_test]
async fn plans_stand_side_by_side_where_there_is_room() {
    for (width, side_by_side) in [(1_000, true), (390, false)] {
        let locale = Locale::of_tag("en");
        let view = plans(comparison(), None);
        let stage: Stage<View, Act> =
            Stage::new(width, view, true, move |view, dispatch| ui::plans(view, dispatch, locale)).await;
        let tops: Vec<_> = stage.parts("plan").iter().map(HtmlElement::offset_top).collect();
        assert_eq!(tops[0] == tops[3], side_by_side, "{tops:?} at {width}");
    }
}

#[wasm_bindgen_test]
async fn the_dialog_is_modal_and_starts_on_the_way_back() {
    let stage = stage(plans(comparison(), None)).await;
    assert!(!dialog(&stage).open());
    let opener: HtmlElement =
        stage.parts("plan")[2].query_selector("button").unwrap().unwrap().unchecked_into();
    opener.focus().unwrap();
    stage.show(reviewing(ConfirmState::Ready)).await;
    let open = dialog(&stage);
    assert!(open.matches(":modal").unwrap());
    assert_eq!(words(&stage.focused().unwrap().unchecked_into()), "Back");

    stage.show(plans(comparison(), None)).await;
    assert!(!open.open());
    assert_eq!(stage.focused().as_ref(), Some(opener.as_ref()), "the focus goes back to what opened it");
}

/// The button that opened the dialog is gone after the change: the comparison has the focus, not the page's top.
#[wasm_bindgen_test]
async fn the_focus_stays_in_the_comparison_when_a_receipt_is_closed() {
    let stage = stage(plans(comparison(), None)).await;
    let opener: HtmlElement =
        stage.parts("plan")[2].query_selector("button").unwrap().unwrap().unchecked_into();
    opener.focus().unwrap();
    opener.click();
    stage.show(reviewing(ConfirmState::Ready)).await;
    let mut changed = comparison();
    changed.plans.truncate(2);
    stage.show(plans(changed.clone(), Some(Dialog::Done(Box::new(super::views::done()))))).await;
    assert!(!opener.is_connected());
    // As it stands in the browser: the part of the dialog that took the focus over from the button that confirmed.
    stage.all("dialog section").remove(0).focus().unwrap();
    stage.show(plans(changed, None)).await;
    drawn().await;
    let focused = stage.focused().unwrap();
    assert_eq!((focused.local_name().as_str(), focused.closest("dialog").unwrap()), ("section", None));
}

#[wasm_bindgen_test]
async fn escape_closes_the_dialog_and_nothing_of_the_page() {
    let stage = stage(reviewing(ConfirmState::Ready)).await;
    let heard = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&heard);
    let listener = Closure::<dyn FnMut(KeyboardEvent)>::new(move |event: KeyboardEvent| {
        log.borrow_mut().push(event.type_())
    });
    let document = crate::support::document();
    for name in ["keydown", "keyup"] {
        document.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref()).unwrap();
    }
    let key = |target: &HtmlElement, name: &str, key: &str| {
        let init = KeyboardEventInit::new();
        init.set_key(key);
        init.set_bubbles(true);
        init.set_composed(true);
        target
            .dispatch_event(&KeyboardEvent::new_with_keyboard_event_init_dict(name, &init).unwrap())
            .unwrap();
    };
    let inside = within(&dialog(&stage), "decline");
    let behind: HtmlElement =
        stage.parts("plan")[2].query_selector("button").unwrap().unwrap().unchecked_into();
    key(&inside, "keydown", "Escape");
    key(&behind, "keyup", "Escape");
    assert!(heard.borrow().is_empty(), "{heard:?}");
    // Other keys, and Escape where no dialog takes it, are the page's as before.
    key(&inside, "keydown", "a");
    key(&behind, "keydown", "Escape");
    key(&behind, "keyup", "Escape");
    assert_eq!(*heard.borrow(), ["keydown", "keydown", "keyup"]);
    for name in ["keydown", "keyup"] {
        document.remove_event_listener_with_callback(name, listener.as_ref().unchecked_ref()).unwrap();
    }
}

#[wasm_bindgen_test]
async fn a_dialog_closed_by_the_browser_is_told_to_the_flow() {
    let stage = stage(reviewing(ConfirmState::Ready)).await;
    let open = dialog(&stage);
    let closed = wasm_bindgen_futures::JsFuture::from(js_sys::Promise::new(&mut |resolve, _| {
        open.add_event_listener_with_callback("close", &resolve).unwrap();
    }));
    open.close();
    closed.await.unwrap();
    assert_eq!(stage.acts(), [Act::CloseDialog]);
}

#[wasm_bindgen_test]
async fn the_dialog_shows_everything_that_will_be_charged() {
    let stage = stage(reviewing(ConfirmState::Ready)).await;
    let text = words(&stage.part("dialog"));
    for line in [
        "Change to Pro",
        "Pro, rest of this period$80.00",
        "Unused time on Basic−$30.00",
        "Tax$4.00",
        "To pay now$54.00",
        "The change takes effect at once.",
        "Then $80.00 plus tax per month, next on December 23, 2026",
        "Charged to Visa ending in 4242",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[wasm_bindgen_test]
async fn the_confirm_button_says_what_it_does_and_what_it_costs() {
    let stage = stage(reviewing(ConfirmState::Ready)).await;
    let with = |change: &dyn Fn(&mut flow::plans::ReviewView)| {
        let mut view = review(ConfirmState::Ready);
        change(&mut view);
        plans(comparison(), Some(Dialog::Review(Box::new(view))))
    };
    for (view, label) in [
        (reviewing(ConfirmState::Ready), "Change plan – pay $54.00"),
        (with(&|v| v.due = usd(0)), "Change plan – nothing to pay now"),
        (
            with(&|v| {
                v.due = usd(0);
                v.effective_at = EffectiveAt::NextBillingDate;
            }),
            "Book the change – nothing to pay now",
        ),
        (reviewing(ConfirmState::Sending), "Changing…"),
        (reviewing(ConfirmState::Refreshing), "Updating the amount…"),
        (reviewing(ConfirmState::Stale), "Show the current amount"),
    ] {
        stage.show(view).await;
        assert_eq!(words(&within(&dialog(&stage), "accept")), label);
    }
    within(&dialog(&stage), "accept").click();
    assert_eq!(stage.acts(), [Act::Refresh], "a stale amount is not confirmed");
    stage.show(reviewing(ConfirmState::Ready)).await;
    within(&dialog(&stage), "accept").click();
    within(&dialog(&stage), "decline").click();
    assert_eq!(stage.acts(), [Act::Confirm, Act::CloseDialog]);
}

#[wasm_bindgen_test]
async fn the_time_of_the_change_is_a_choice() {
    let stage = stage(reviewing(ConfirmState::Ready)).await;
    let choices = stage.all("input[type=radio]");
    choices[1].click();
    assert_eq!(stage.acts(), [Act::Timing(EffectiveAt::NextBillingDate)]);
}

#[wasm_bindgen_test]
async fn the_outcome_takes_the_dialog_over() {
    let stage = stage(reviewing(ConfirmState::Sending)).await;
    stage.show(plans(comparison(), Some(Dialog::Done(Box::new(done()))))).await;
    assert!(words(&stage.part("receipt")).contains("$53.12"));
    stage.show(plans(comparison(), Some(Dialog::Failed(failed(true))))).await;
    let open = dialog(&stage);
    assert!(words(&stage.part("dialog")).contains("Your plan was not changed"));
    within(&open, "accept").click();
    within(&open, "decline").click();
    assert_eq!(stage.acts(), [Act::UseAnotherCard, Act::CloseDialog]);
    assert!(open.open());
}

#[wasm_bindgen_test]
async fn a_booked_change_can_be_taken_back() {
    let mut page = comparison();
    page.current.scheduled_change = Some(ScheduledChange {
        product_id: ProductId::parse("starter").unwrap(),
        name: "Starter".to_owned(),
        effective_at: DAY,
    });
    let stage = stage(plans(page, None)).await;
    assert!(stage.text().contains("Your plan changes to Starter on December 23, 2026."));
    assert!(words(&stage.parts("plan")[0]).contains("From December 23, 2026"), "its card is marked");
    stage.parts("link")[0].click();
    assert_eq!(stage.acts(), [Act::TakeBackScheduled]);
}

#[wasm_bindgen_test]
async fn plans_that_do_not_come_are_explained() {
    let stage = stage(View { page: Page::Unavailable { can_retry: true }, dialog: None }).await;
    stage.part("decline").click();
    assert_eq!(stage.acts(), [Act::Reload]);
    stage.show(View { page: Page::Unavailable { can_retry: false }, dialog: None }).await;
    assert_eq!(stage.parts("decline").len(), 0);
    assert!(stage.text().contains("open for too long"));
}

#[wasm_bindgen_test]
async fn messages_are_heard() {
    let stage = stage(plans(comparison(), None)).await;
    let region = stage.all("[aria-live=polite]").remove(0);
    let mut page = comparison();
    page.notice = Some(Notice::PreviewFailed);
    stage.show(plans(page, None)).await;
    assert!(region.text_content().unwrap().contains("could not be worked out"));
    assert!(!words(&stage.part("notice")).contains("charged"), "a preview proves nothing about money");
    let mut page = comparison();
    page.notice = Some(Notice::PriceLapsed(proof()));
    stage.show(plans(page, None)).await;
    assert!(words(&stage.part("notice")).contains("Nothing was charged."));
}
