//! A buyer leaves their plan: what is proposed before, and cancelling.

use flow::ApiError;
use flow::announce::Announcement;
use flow::plans::{Act, Dialog, Effect, Notice, StayView};
use wire::{ErrorCode, Trigger};

use crate::build::*;
use crate::plans_stage::Stage;

fn proposing() -> Stage {
    let mut stage = Stage::opened(plans_with_stay_offers());
    stage.choose("mini").stay_offered(Ok(Some(stay_offer())));
    stage
}

fn stay(stage: &Stage) -> StayView {
    match stage.view().dialog {
        Some(Dialog::Stay(view)) => *view,
        other => panic!("nothing is proposed but {other:?}"),
    }
}

fn cancelling(stage: &Stage) -> (bool, bool) {
    match stage.view().dialog {
        Some(Dialog::Cancel(view)) => (view.sending, view.failed),
        other => panic!("no cancelling in the dialog but {other:?}"),
    }
}

fn declines(stage: &Stage) -> usize {
    stage.count(|effect| matches!(effect, Effect::Decline(_)))
}

#[test]
fn before_a_cheaper_plan_another_is_proposed_and_going_on_is_one_press() {
    let mut stage = Stage::opened(plans_with_stay_offers());
    stage.choose("mini");
    assert_eq!(stage.page().previewing, Some(product_id("mini")));
    assert_eq!(stage.previews(), Vec::<&str>::new());
    let Some(Effect::StayOffer(_, request)) = stage.effects.last() else { panic!() };
    assert_eq!(
        (request.intent, request.product_id.clone()),
        (Trigger::DowngradeIntent, Some(product_id("mini")))
    );
    stage.stay_offered(Ok(Some(stay_offer())));
    assert_eq!((stay(&stage).on_to.as_deref(), stay(&stage).can_take), (Some("Mini"), true));
    stage.act(Act::GoOn);
    assert_eq!((declines(&stage), stage.previews()), (1, vec!["mini"]));
    stage.previewed(Ok(preview("mini", quote("q1", 0))));
    assert_eq!(stage.review().name, "mini");
    assert!(matches!(stage.announced()[..], [_, Announcement::Shown(_), Announcement::Declined(_)]));
}

#[test]
fn what_is_proposed_is_previewed_and_confirmed_like_any_plan() {
    let mut stage = proposing();
    stage.act(Act::TakeStayOffer);
    assert_eq!((declines(&stage), stage.previews()), (0, vec!["lite"]));
    assert!(stay(&stage).asking);
    stage.act(Act::GoOn).act(Act::TakeStayOffer);
    assert_eq!((declines(&stage), stage.previews()), (0, vec!["lite"]), "one thing at a time");
    stage.previewed(Ok(preview("lite", quote("q1", 700)))).arm().act(Act::Confirm);
    assert_eq!(stage.sent().len(), 1);
}

#[test]
fn a_price_that_cannot_be_had_leaves_both_ways_open_and_a_refusal_stays_one() {
    let mut stage = proposing();
    stage.act(Act::TakeStayOffer).previewed(Err(ApiError::Timeout));
    let view = stay(&stage);
    assert!(view.failed && view.can_take && !view.asking);
    stage.act(Act::GoOn).previewed(Err(ApiError::Timeout));
    assert!(stay(&stage).failed && !stay(&stage).can_take);
    stage.act(Act::TakeStayOffer).act(Act::GoOn);
    assert_eq!((declines(&stage), stage.previews()), (1, vec!["lite", "mini", "mini"]));
}

#[test]
fn nothing_is_proposed_twice_and_no_answer_holds_nobody_up() {
    for reply in [Ok(None), Err(ApiError::Timeout), Err(problem(500, ErrorCode::Internal))] {
        let mut stage = Stage::opened(plans_with_stay_offers());
        stage.choose("mini").stay_offered(reply);
        assert_eq!(stage.previews(), vec!["mini"]);
        stage.act(Act::CloseDialog).choose("mini");
        assert_eq!(stage.count(|effect| matches!(effect, Effect::StayOffer(..))), 1);
        assert_eq!(stage.previews(), vec!["mini", "mini"]);
    }
    let mut stage = proposing();
    stage.act(Act::CloseDialog);
    assert_eq!((stage.view().dialog, declines(&stage)), (None, 0), "closing it refuses nothing");
    stage.choose("mini");
    assert_eq!(stage.previews(), vec!["mini"]);
}

#[test]
fn a_dearer_plan_and_a_page_without_stay_offers_are_not_held_up() {
    let mut stage = Stage::opened(plans_with_stay_offers());
    stage.choose("pro");
    assert_eq!(stage.previews(), vec!["pro"]);
    let mut stage = Stage::opened(plans());
    stage.choose("mini");
    assert_eq!(stage.previews(), vec!["mini"]);
}

#[test]
fn cancels_after_reading_what_it_means_and_can_take_it_back() {
    let mut stage = Stage::opened(plans());
    stage.act(Act::Cancel);
    assert_eq!(cancelling(&stage), (false, false));
    stage.act(Act::Confirm).act(Act::Confirm);
    assert_eq!(stage.count(|effect| matches!(effect, Effect::Cancel(_))), 1);
    assert_eq!((cancelling(&stage), stage.page().can_choose), ((true, false), false));
    stage.cancelled(Ok(())).loaded(Ok(plans_cancelled()));
    assert_eq!((stage.view().dialog, stage.page().notice), (None, Some(Notice::Cancelled)));
    stage.act(Act::Cancel);
    assert_eq!(stage.view().dialog, None, "it is cancelled");
    stage.act(Act::KeepPlan);
    assert!(stage.page().taking_back && !stage.page().can_take_back);
    stage.kept(Ok(())).loaded(Ok(plans()));
    assert_eq!((stage.page().notice, stage.page().can_cancel), (Some(Notice::Kept), true));
    assert!(matches!(
        stage.announced()[..],
        [
            _,
            Announcement::CancellationChanged { cancelled: true },
            Announcement::CancellationChanged { cancelled: false }
        ]
    ));
}

#[test]
fn a_cancellation_that_did_not_arrive_is_said_wherever_the_buyer_looks() {
    let mut stage = Stage::opened(plans());
    stage.act(Act::Cancel).act(Act::Confirm).cancelled(Err(ApiError::Timeout));
    assert_eq!(cancelling(&stage), (false, true));
    stage.act(Act::Confirm).act(Act::CloseDialog);
    assert!(stage.page().cancelling);
    stage.cancelled(Err(ApiError::Timeout));
    assert_eq!(stage.page().notice, Some(Notice::CancelFailed));
    stage.act(Act::Cancel).act(Act::Confirm).cancelled(Err(problem(409, ErrorCode::ChangeNotPossible)));
    assert_eq!(stage.page().notice, Some(Notice::ChangeNotPossible));
    let mut stage = Stage::opened(plans_cancelled());
    stage.act(Act::KeepPlan).kept(Err(ApiError::Timeout));
    assert_eq!(stage.page().notice, Some(Notice::KeepFailed));
}

#[test]
fn before_cancelling_something_may_be_proposed_and_going_on_is_one_press() {
    let mut stage = Stage::opened(plans_with_stay_offers());
    stage.act(Act::Cancel);
    assert!(!stage.page().can_cancel);
    stage.stay_offered(Ok(Some(stay_offer())));
    assert_eq!(stay(&stage).on_to, None);
    stage.act(Act::GoOn);
    assert_eq!((declines(&stage), cancelling(&stage)), (1, (false, false)));
}

#[test]
fn where_it_cannot_be_cancelled_nothing_happens() {
    let mut fixed = plans();
    fixed.current.can_cancel = false;
    let mut stage = Stage::opened(fixed);
    let before = stage.effects.len();
    stage.act(Act::Cancel).act(Act::KeepPlan).act(Act::GoOn).act(Act::TakeStayOffer);
    assert_eq!((stage.effects.len(), stage.view().dialog), (before, None));
}
