//! The dialogs beside the review of a plan change: seats and add-ons, what is proposed before a buyer leaves, cancelling.

use flow::plans::{Act, AdjustView, CancelView, Dialog, Field, Notice, StayView, View};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Event, HtmlElement, HtmlInputElement};

use super::plans::{dialog, stage, within, words};
use super::stage::Stage;
use super::views::{DAY, adjusting, cancelling, comparison, plans, staying};

fn counts(stage: &Stage<View, Act>) -> Vec<HtmlInputElement> {
    stage.all("dialog input[inputmode=numeric]").into_iter().map(JsCast::unchecked_into).collect()
}

/// What typing and leaving the field does.
fn enter(field: &HtmlInputElement, text: &str) {
    field.set_value(text);
    field.dispatch_event(&Event::new("change").unwrap()).unwrap();
}

fn is_live(button: &HtmlElement) -> bool {
    button.get_attribute("aria-disabled").is_none()
}

fn adjust(change: impl Fn(&mut AdjustView)) -> View {
    let mut view = adjusting();
    change(&mut view);
    plans(comparison(), Some(Dialog::Adjust(Box::new(view))))
}

fn stay(change: impl Fn(&mut StayView)) -> View {
    let mut view = staying();
    change(&mut view);
    plans(comparison(), Some(Dialog::Stay(Box::new(view))))
}

fn cancel(change: impl Fn(&mut CancelView)) -> View {
    let mut view = cancelling();
    change(&mut view);
    plans(comparison(), Some(Dialog::Cancel(view)))
}

#[wasm_bindgen_test]
async fn seats_and_addons_are_numbers_to_choose() {
    let stage = stage(adjust(|_| {})).await;
    let fields = counts(&stage);
    assert_eq!(fields.iter().map(HtmlInputElement::value).collect::<Vec<_>>(), ["5", "0"]);
    enter(&fields[0], "8");
    enter(&fields[1], "2");
    let storage = wire::AddonId::parse("storage").unwrap();
    assert_eq!(stage.acts(), [Act::Seats(8), Act::AddonCount(storage, 2)]);
    within(&dialog(&stage), "accept").click();
    within(&dialog(&stage), "decline").click();
    assert_eq!(stage.acts(), [Act::ShowPrice, Act::CloseDialog]);
}

/// Nothing is corrected behind the buyer's back.
#[wasm_bindgen_test]
async fn what_is_no_number_stays_as_typed_and_is_told() {
    let stage = stage(adjust(|_| {})).await;
    let [seats, storage]: [HtmlInputElement; 2] = counts(&stage).try_into().unwrap();
    for typed in ["0", "-3", "", "4.5", "5,5", "1e9", "99999999999", "20000"] {
        enter(&seats, typed);
        assert_eq!(
            (seats.value().as_str(), stage.acts()),
            (typed, vec![Act::Unreadable(Field::Seats, typed.to_owned())])
        );
    }
    stage
        .show(adjust(|view| {
            (view.unreadable, view.can_ask) = (vec![(Field::Seats, "20000".to_owned())], false)
        }))
        .await;
    assert_eq!(seats.value(), "20000");
    assert_eq!(
        (seats.get_attribute("aria-invalid"), storage.get_attribute("aria-invalid")),
        (Some("true".into()), None)
    );
    let told = stage.all(&format!("#{}", seats.get_attribute("aria-describedby").unwrap())).remove(0);
    assert_eq!(words(&told), "Please enter a whole number from 1 to 10,000, in digits only.");
    assert!(
        stage.all("dialog [role=status]").iter().any(|spoken| words(spoken) == words(&told)),
        "also heard"
    );
    assert!(!is_live(&within(&dialog(&stage), "accept")));
    enter(&seats, " １２ ");
    assert_eq!((seats.value().as_str(), stage.acts()), ("12", vec![Act::Seats(12)]));
    stage.show(adjust(|view| view.seats = Some(12))).await;
    assert_eq!((stage.all(".wrong").len(), seats.value().as_str()), (0, "12"));
}

#[wasm_bindgen_test]
async fn a_price_is_asked_for_where_something_differs_and_its_failure_is_heard() {
    let stage = stage(adjust(|view| view.can_ask = false)).await;
    assert!(!is_live(&within(&dialog(&stage), "accept")));
    stage.show(adjust(|view| (view.can_ask, view.asking) = (false, true))).await;
    assert_eq!(words(&within(&dialog(&stage), "accept")), "Working out the exact amount…");
    stage.show(adjust(|view| view.failed = true)).await;
    assert!(words(&within(&dialog(&stage), "notice")).contains("could not be worked out. Please try again."));
    stage.show(adjust(|view| view.seats = None)).await;
    assert_eq!(counts(&stage).len(), 1);
}

#[wasm_bindgen_test]
async fn what_is_proposed_has_two_ways_as_large_as_each_other() {
    let stage = stage(stay(|_| {})).await;
    let text = words(&stage.part("dialog"));
    for line in ["Before you go", "Starter", "−$20.00 per month", "All your projects stay"] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let (take, go_on) = (within(&dialog(&stage), "accept"), within(&dialog(&stage), "decline"));
    assert_eq!(
        (words(&take), words(&go_on)),
        ("Change to Starter".to_owned(), "No thanks, go on to Mini".to_owned())
    );
    assert_eq!(take.offset_height(), go_on.offset_height());
    take.click();
    go_on.click();
    assert_eq!(stage.acts(), [Act::TakeStayOffer, Act::GoOn]);
    stage.show(stay(|view| (view.on_to, view.can_take) = (None, false))).await;
    assert_eq!(words(&within(&dialog(&stage), "decline")), "No thanks, go on cancelling");
    assert!(!is_live(&within(&dialog(&stage), "accept")));
}

#[wasm_bindgen_test]
async fn cancelling_says_until_when_the_plan_goes_on_and_starts_on_keeping_it() {
    let stage = stage(plans(comparison(), None)).await;
    let links = stage.parts("link");
    let link = links.iter().find(|link| words(link) == "Cancel subscription").unwrap();
    link.focus().unwrap();
    link.click();
    assert_eq!(stage.acts(), [Act::Cancel]);
    stage.show(cancel(|_| {})).await;
    let text = words(&stage.part("dialog"));
    assert!(text.contains("Cancel Basic?") && text.contains("goes on until December 23, 2026"), "{text}");
    assert_eq!(words(&stage.focused().unwrap().unchecked_into()), "Keep my plan");
    within(&dialog(&stage), "accept").click();
    within(&dialog(&stage), "decline").click();
    assert_eq!(stage.acts(), [Act::Confirm, Act::CloseDialog]);
    stage.show(cancel(|view| view.sending = true)).await;
    assert_eq!(words(&within(&dialog(&stage), "accept")), "Cancelling…");
    stage.show(cancel(|view| view.failed = true)).await;
    assert!(words(&within(&dialog(&stage), "notice")).contains("could not be cancelled"));
}

#[wasm_bindgen_test]
async fn a_plan_that_is_cancelled_says_so_and_can_be_kept() {
    let mut page = comparison();
    let current = &mut page.current;
    (current.cancel_at_next_billing_date, current.can_change, current.can_cancel) = (true, false, false);
    page.notice = Some(Notice::Cancelled);
    let stage = stage(plans(page, None)).await;
    assert!(words(&stage.part("notice")).contains("Your subscription is cancelled."));
    assert!(!stage.text().contains("Cancel subscription"));
    stage.part("accept").click();
    assert_eq!(stage.acts(), [Act::KeepPlan]);
}

#[wasm_bindgen_test]
async fn a_trial_is_called_one() {
    let mut page = comparison();
    page.current.trial_ends_at = Some(DAY);
    let stage = stage(plans(page, None)).await;
    let text = stage.text().replace('\u{a0}', " ");
    assert!(
        text.contains("You are trying Basic until December 23, 2026; after that it is $30.00 per month."),
        "{text}"
    );
}
