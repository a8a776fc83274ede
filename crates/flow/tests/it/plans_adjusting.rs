//! Seats and add-ons, chosen before what they cost is asked for, told as stories.

use flow::ApiError;
use flow::plans::{Act, AdjustView, Dialog, Effect, Event, Field, Notice};
use wire::{Addon, EffectiveAt, ErrorCode, PlansResponse};

use crate::build::*;
use crate::plans_stage::Stage;

/// Basic may be had with seats and with storage, two of which it has; Pro with storage.
fn adjustable_plans() -> PlansResponse {
    let mut plans = plans();
    let storage = |quantity| Addon { addon_id: addon_id("storage"), name: "Storage".to_owned(), quantity };
    plans.current.addons = vec![storage(2)];
    for plan in &mut plans.plans {
        plan.seats = plan.product_id == product_id("basic");
        plan.addons = if plan.product_id == product_id("mini") { vec![] } else { vec![storage(2)] };
    }
    plans
}

fn adjusting(stage: &Stage) -> AdjustView {
    match stage.view().dialog {
        Some(Dialog::Adjust(view)) => *view,
        other => panic!("{other:?}"),
    }
}

#[test]
fn seats_and_add_ons_of_the_same_plan_are_chosen_then_priced_then_confirmed() {
    let mut stage = Stage::opened(adjustable_plans());
    stage.act(Act::Adjust(product_id("basic")));
    let form = adjusting(&stage);
    assert_eq!((form.seats, form.addons[0].quantity, form.can_ask), (Some(1), 2, false), "as it is today");
    stage.act(Act::ShowPrice);
    assert_eq!(stage.count(|effect| matches!(effect, Effect::Preview(..))), 0, "nothing differs yet");
    stage.act(Act::Seats(0)).act(Act::Seats(10_001)).act(Act::AddonCount(addon_id("other"), 1));
    assert_eq!(adjusting(&stage), form, "what cannot be had changes nothing");
    stage.act(Act::Seats(5)).act(Act::AddonCount(addon_id("storage"), 0)).act(Act::ShowPrice);
    let Some(Effect::Preview(_, request)) = stage.effects.last().cloned() else { panic!() };
    assert_eq!(
        (request.product_id, request.quantity, request.addons),
        (product_id("basic"), Some(5), Some(vec![]))
    );
    assert!(adjusting(&stage).asking);
    stage.previewed(Ok(preview("basic", quote("q1", 900)))).arm();
    let review = stage.review();
    assert_eq!((review.due, review.adjustable), (dollars(900), Some(product_id("basic"))));
    // Back to the form, which knows what was chosen.
    stage.act(Act::Adjust(product_id("basic")));
    assert_eq!((adjusting(&stage).seats, adjusting(&stage).addons[0].quantity), (Some(5), 0));
    stage.act(Act::ShowPrice).previewed(Ok(preview("basic", quote("q2", 900)))).arm();
    stage.act(Act::Timing(EffectiveAt::NextBillingDate));
    let Some(Effect::Preview(_, request)) = stage.effects.last().cloned() else { panic!() };
    assert_eq!((request.quantity, request.addons), (Some(5), Some(vec![])), "kept when the time changes");
    stage.previewed(Ok(preview("basic", quote("q3", 0)))).arm().act(Act::Confirm);
    assert_eq!(stage.sent().len(), 1);
}

/// Nothing is corrected behind the buyer's back, and nothing is asked for that they did not type.
#[test]
fn a_number_that_cannot_be_read_is_told_and_nothing_is_asked_for() {
    let storage = Field::Addon(addon_id("storage"));
    for (field, good) in
        [(Field::Seats, Act::Seats(6)), (storage.clone(), Act::AddonCount(addon_id("storage"), 3))]
    {
        let mut stage = Stage::opened(adjustable_plans());
        stage.act(Act::Adjust(product_id("basic"))).act(Act::Seats(5)).act(Act::ShowPrice);
        let Some(Effect::Preview(asked, _)) = stage.effects.last().cloned() else { panic!() };
        let typed = |text: &str| Act::Unreadable(field.clone(), text.to_owned());
        stage.act(typed("5,")).act(typed("5,5"));
        let form = adjusting(&stage);
        assert_eq!(form.unreadable, [(field.clone(), "5,5".to_owned())]);
        assert_eq!((form.can_ask, form.asking), (false, false));
        // The price that was on its way is of another number than the one in the field.
        stage.happen(Event::Previewed(asked, Ok(preview("basic", quote("q1", 900)))));
        assert_eq!(adjusting(&stage), form);
        stage.act(Act::ShowPrice);
        assert_eq!(stage.count(|effect| matches!(effect, Effect::Preview(..))), 1, "only the first");
        stage.act(good);
        assert_eq!((adjusting(&stage).unreadable, adjusting(&stage).can_ask), (vec![], true));
    }
    // One that is mended leaves the other.
    let mut stage = Stage::opened(adjustable_plans());
    let odd = || "x".to_owned();
    stage.act(Act::Adjust(product_id("basic"))).act(Act::Unreadable(Field::Seats, odd()));
    stage.act(Act::Unreadable(storage.clone(), odd())).act(Act::Seats(5)).act(Act::ShowPrice);
    assert_eq!((adjusting(&stage).unreadable, adjusting(&stage).asking), (vec![(storage, odd())], false));
}

#[test]
fn a_preview_of_other_seats_than_are_wanted_now_is_not_shown() {
    let mut stage = Stage::opened(adjustable_plans());
    stage.act(Act::Adjust(product_id("basic"))).act(Act::Seats(5)).act(Act::ShowPrice);
    let Some(Effect::Preview(first, _)) = stage.effects.last().cloned() else { panic!() };
    stage.act(Act::Seats(6));
    stage.happen(Event::Previewed(first, Ok(preview("basic", quote("q1", 900)))));
    assert_eq!((adjusting(&stage).seats, adjusting(&stage).can_ask), (Some(6), true));
}

#[test]
fn a_price_that_cannot_be_had_leaves_the_form_as_it_is() {
    let mut stage = Stage::opened(adjustable_plans());
    stage.act(Act::Adjust(product_id("basic"))).act(Act::Seats(5)).act(Act::ShowPrice);
    stage.previewed(Err(ApiError::Network));
    let form = adjusting(&stage);
    assert_eq!((form.failed, form.seats, form.can_ask), (true, Some(5), true));
    stage.act(Act::ShowPrice).previewed(Err(problem(422, ErrorCode::ChangeNotPossible)));
    assert_eq!((stage.view().dialog, stage.page().notice), (None, Some(Notice::ChangeNotPossible)));
}

#[test]
fn only_what_can_be_chosen_opens_the_form() {
    let mut fixed = adjustable_plans();
    fixed.current.can_change = false;
    let mut frozen = Stage::opened(fixed);
    frozen.act(Act::Adjust(product_id("basic")));
    let mut stage = Stage::opened(adjustable_plans());
    stage.act(Act::Adjust(product_id("mini"))).act(Act::Adjust(product_id("nowhere"))).act(Act::ShowPrice);
    for stage in [&frozen, &stage] {
        assert_eq!(stage.view().dialog, None);
    }
    // Another plan's seats cannot be chosen, its add-ons can.
    stage.choose("pro").previewed(Ok(preview("pro", quote("q1", 5000)))).act(Act::Adjust(product_id("pro")));
    stage.act(Act::Seats(3));
    let form = adjusting(&stage);
    assert_eq!((form.seats, form.addons[0].quantity, form.can_ask), (None, 2, true));
    stage.act(Act::CloseDialog);
    assert_eq!(stage.view().dialog, None);
    assert!(stage.page().can_choose);
}

/// The answer is lost: the subscription tells whether the seats were changed.
#[test]
fn other_seats_are_recognised_on_the_subscription() {
    for (seats, done) in [(5, true), (1, false)] {
        let mut stage = Stage::opened(adjustable_plans());
        stage.act(Act::Adjust(product_id("basic"))).act(Act::Seats(5)).act(Act::ShowPrice);
        stage.previewed(Ok(preview("basic", quote("q1", 900)))).arm().act(Act::Confirm);
        stage.changed(Err(ApiError::BadBody));
        let mut now = adjustable_plans();
        now.current.quantity = seats;
        stage.wait().loaded(Ok(now));
        assert_eq!(matches!(stage.view().dialog, Some(Dialog::Done(_))), done, "{:?}", stage.view().dialog);
    }
}
