//! The plan-change flow, told as stories.

use flow::ApiError;
use flow::announce::{Announcement, Trouble};
use flow::charge::{Failure, Next, Standing};
use flow::plans::{Act, ConfirmState, Dialog, Effect, Event, Notice, Page};
use wire::{AttemptStatus, EffectiveAt, ErrorCode, PlansResponse};

use crate::build::*;
use crate::plans_stage::Stage;

#[test]
fn compares_previews_confirms_and_has_the_new_plan() {
    let mut stage = Stage::opened(plans());
    stage.choose("pro");
    assert_eq!(stage.page().previewing, Some(product_id("pro")));
    stage.previewed(Ok(preview("pro", quote("q1", 5000))));
    let review = stage.review();
    assert_eq!(
        (review.due, review.from.as_str(), review.confirm),
        (dollars(5000), "Basic", ConfirmState::Arming)
    );
    stage.act(Act::Confirm);
    assert_eq!(stage.sent(), vec![], "the second half of a double click confirms nothing");
    stage.arm().act(Act::Confirm);
    assert_eq!(stage.review().confirm, ConfirmState::Sending);
    assert_eq!(stage.sent(), vec![(key(3), "q1".to_owned())]);
    stage.changed(Ok(attempt(AttemptStatus::Succeeded)));
    let Some(Dialog::Done(done)) = stage.view().dialog else { panic!() };
    assert_eq!((done.scheduled, done.receipt), (false, Some(receipt(5000))));
    stage.loaded(Ok(plans_on("pro")));
    assert_eq!(stage.page().current.product_id, product_id("pro"));
    assert!(matches!(
        stage.announced()[..],
        [Announcement::Shown(_), Announcement::PlanChanged { scheduled: false, .. }]
    ));
    stage.act(Act::CloseDialog);
    assert!(stage.view().dialog.is_none());
    assert!(matches!(stage.page().notice, Some(Notice::Done(_))));
    assert!(stage.page().can_choose);
}

#[test]
fn plans_that_cannot_be_had_are_said_so_and_can_be_asked_for_again() {
    let mut stage = Stage::empty();
    stage.happen(Event::Start(None));
    assert_eq!(stage.view().page, Page::Loading);
    stage.loaded(Err(ApiError::Timeout));
    assert_eq!(stage.view().page, Page::Unavailable { can_retry: true });
    assert!(matches!(stage.announced()[..], [Announcement::Failed(_, Trouble::Load)]));
    stage.act(Act::Reload).loaded(Ok(plans()));
    assert!(stage.page().can_choose);

    let mut stage = Stage::empty();
    stage.happen(Event::Start(None)).loaded(Err(problem(401, ErrorCode::Unauthorized)));
    assert!(matches!(stage.announced()[..], [Announcement::Failed(_, Trouble::Unauthorized)]));
    assert_eq!(stage.view().page, Page::Unavailable { can_retry: false });
    stage.act(Act::Reload);
    assert_eq!(stage.count(|effect| matches!(effect, Effect::Load(_))), 1);
}

#[test]
fn a_loader_that_asked_in_vain_is_not_followed_by_a_second_wait() {
    let mut stage = Stage::empty();
    stage.happen(Event::StartUnanswered);
    assert_eq!(stage.view().page, Page::Unavailable { can_retry: true });
    assert!(!stage.effects.iter().any(|effect| matches!(effect, Effect::Load(_))));
    stage.act(Act::Reload);
    assert_eq!(stage.view().page, Page::Loading);
}

#[test]
fn only_other_plans_can_be_picked_and_only_when_a_change_is_possible() {
    let mut stage = Stage::opened(plans());
    stage.choose("basic").choose("nowhere");
    let mut fixed = plans();
    fixed.current.can_change = false;
    let mut frozen = Stage::opened(fixed);
    frozen.choose("pro");
    for stage in [stage, frozen] {
        assert_eq!(stage.count(|effect| matches!(effect, Effect::Preview(..))), 0);
    }
}

#[test]
fn only_the_preview_of_the_plan_picked_last_opens_the_dialog() {
    let mut stage = Stage::opened(plans());
    stage.choose("pro");
    let Some(Effect::Preview(first, _)) = stage.effects.last().cloned() else { panic!() };
    stage.choose("mini");
    stage.happen(Event::Previewed(first, Ok(preview("pro", quote("q1", 5000)))));
    assert!(stage.view().dialog.is_none());
    stage.previewed(Ok(preview("mini", quote("q2", 0))));
    assert_eq!(stage.review().name, "mini");
}

/// The preview is the last word before the buyer confirms: the page may be older.
#[test]
fn add_ons_that_end_are_those_that_the_preview_names() {
    let mut stage = Stage::opened(plans());
    let mut reply = preview("pro", quote("q1", 5000));
    reply.lost_addons = vec!["Extra seat".to_owned()];
    stage.choose("pro").previewed(Ok(reply));
    assert_eq!(stage.review().lost_addons, ["Extra seat"]);
}

#[test]
fn a_preview_that_does_not_add_up_or_is_of_something_else_is_not_shown() {
    let mut wrong = quote("q1", 5000);
    wrong.total = 4000;
    for reply in [preview("pro", wrong), preview("mini", quote("q1", 5000))] {
        let mut stage = Stage::opened(plans());
        stage.choose("pro").previewed(Ok(reply));
        assert!(stage.view().dialog.is_none());
        assert_eq!(stage.page().notice, Some(Notice::PreviewFailed));
    }
}

#[test]
fn each_failure_of_a_preview_has_its_message() {
    for (error, notice) in [
        (ApiError::Network, Notice::PreviewFailed),
        (ApiError::Foreign { status: 500 }, Notice::PreviewFailed),
        (ApiError::Foreign { status: 401 }, Notice::SessionOver),
        (ApiError::Foreign { status: 429 }, Notice::Busy(None)),
        (problem(401, ErrorCode::Unauthorized), Notice::SessionOver),
        (problem(422, ErrorCode::ChangeNotPossible), Notice::ChangeNotPossible),
        (problem(429, ErrorCode::RateLimited), Notice::Busy(None)),
    ] {
        let mut stage = Stage::opened(plans());
        stage.choose("pro").previewed(Err(error.clone()));
        assert_eq!(stage.page().notice, Some(notice), "{error:?}");
        let is_over = stage.page().notice == Some(Notice::SessionOver);
        assert_eq!(stage.page().can_choose, !is_over, "{error:?}");
        let told = matches!(stage.announced().last(), Some(Announcement::Failed(_, Trouble::Unauthorized)));
        assert_eq!(told, is_over, "{error:?}");
    }
}

#[test]
fn a_token_that_is_over_is_told_wherever_it_is_found_out_and_leaves_no_button() {
    let over = || problem(401, ErrorCode::Unauthorized);
    let mut booked = Stage::opened(plans_booked("mini"));
    booked.act(Act::TakeBackScheduled).taken_back(Err(over()));
    let mut card = Stage::opened(plans());
    card.act(Act::UseAnotherCard).card_link(Err(over()));
    let mut pressed = Stage::reviewing();
    pressed.act(Act::Confirm).changed(Err(over()));
    for stage in [booked, card, pressed] {
        let page = stage.page();
        assert_eq!(page.notice, Some(Notice::SessionOver));
        assert!(!page.can_choose && !page.can_cancel && !page.can_take_back);
        let told = |said: &&Announcement| matches!(said, Announcement::Failed(_, Trouble::Unauthorized));
        assert_eq!(stage.announced().into_iter().filter(told).count(), 1);
    }
}

#[test]
fn the_dialog_can_be_closed_at_any_time() {
    let mut stage = Stage::reviewing();
    stage.act(Act::CloseDialog);
    assert!(stage.view().dialog.is_none());
    stage.act(Act::Confirm);
    assert_eq!(stage.sent(), vec![], "a closed dialog confirms nothing");

    let mut stage = Stage::reviewing();
    stage.act(Act::Confirm).act(Act::CloseDialog);
    assert!(matches!(stage.page().notice, Some(Notice::Waiting(_))));
    stage.changed(Ok(attempt(AttemptStatus::Succeeded)));
    assert!(matches!(stage.page().notice, Some(Notice::Done(_))), "the outcome is not lost");
    stage.act(Act::OpenDialog);
    assert!(matches!(stage.view().dialog, Some(Dialog::Done(_))));
}

#[test]
fn nothing_else_can_be_picked_while_a_charge_is_undecided() {
    let mut stage = Stage::reviewing();
    stage.act(Act::Confirm).act(Act::CloseDialog).choose("mini").act(Act::Confirm).act(Act::UseAnotherCard);
    assert_eq!(stage.sent().len(), 1);
    assert_eq!(stage.count(|effect| matches!(effect, Effect::Preview(..))), 1);
    assert_eq!(stage.count(|effect| matches!(effect, Effect::CardLink(_))), 0);
}

#[test]
fn a_changed_price_is_shown_and_confirmed_again() {
    let mut stage = Stage::reviewing();
    stage.act(Act::Confirm).changed(Err(quote_changed(quote("q2", 5500))));
    let review = stage.review();
    assert_eq!(
        (review.due, review.changed_from, review.confirm),
        (dollars(5500), Some(dollars(5000)), ConfirmState::Arming)
    );
    stage.arm().act(Act::Confirm);
    let quotes: Vec<_> = stage.sent().into_iter().map(|(_, quote)| quote).collect();
    assert_eq!(quotes, ["q1", "q2"]);

    let mut stage = Stage::reviewing();
    stage.act(Act::Confirm).act(Act::CloseDialog).changed(Err(quote_changed(quote("q2", 5500))));
    assert!(stage.view().dialog.is_none(), "a dialog that was closed does not come back by itself");
    assert!(matches!(stage.page().notice, Some(Notice::PriceLapsed(_))));
}

#[test]
fn an_expired_quote_is_previewed_again() {
    let mut stage = Stage::reviewing();
    stage.wait_for(290_000);
    assert_eq!(stage.review().confirm, ConfirmState::Refreshing);
    stage.act(Act::Confirm);
    assert_eq!(stage.sent(), vec![]);
    stage.previewed(Ok(preview("pro", quote("q2", 5100))));
    assert_eq!(stage.review().changed_from, Some(dollars(5000)));

    let mut stage = Stage::reviewing();
    stage.act(Act::Confirm).changed(Err(problem(410, ErrorCode::QuoteExpired)));
    assert_eq!(stage.review().confirm, ConfirmState::Refreshing);
    stage.previewed(Err(ApiError::Network));
    assert_eq!(stage.review().confirm, ConfirmState::Stale);
    stage.act(Act::Refresh).previewed(Ok(preview("pro", quote("q3", 5000)))).arm().act(Act::Confirm);
    assert_eq!(stage.sent().last().unwrap().1, "q3");
}

#[test]
fn the_change_can_be_put_off_to_the_next_billing_date() {
    let mut stage = Stage::reviewing();
    stage.act(Act::Timing(EffectiveAt::NextBillingDate));
    let Some(Effect::Preview(_, request)) = stage.effects.last() else { panic!() };
    assert_eq!(request.effective_at, Some(EffectiveAt::NextBillingDate));
    assert_eq!(
        stage.review().confirm,
        ConfirmState::Refreshing,
        "the old terms cannot be confirmed any more"
    );
    stage.previewed(Ok(preview("pro", quote("q2", 0))));
    let review = stage.review();
    assert_eq!((review.due, review.changed_from), (dollars(0), None), "asked for, so no alarm");
    stage.arm().act(Act::Confirm).changed(Ok(attempt(AttemptStatus::Scheduled)));
    assert!(matches!(stage.view().dialog, Some(Dialog::Done(done)) if done.scheduled));
    assert!(matches!(stage.announced()[..], [_, Announcement::PlanChanged { scheduled: true, .. }]));
}

#[test]
fn a_card_that_is_refused_leads_to_another_card() {
    let mut stage = Stage::reviewing();
    stage.act(Act::Confirm).changed(Ok(attempt(AttemptStatus::Failed)));
    let Some(Dialog::Failed(failed)) = stage.view().dialog else { panic!() };
    assert_eq!((failed.failure, failed.another_way), (Failure::HardDecline, true));
    stage.act(Act::Confirm);
    assert_eq!(stage.sent().len(), 1, "no second try");
    stage.act(Act::UseAnotherCard).card_link(Ok("https://card.test/form"));
    assert!(stage.effects.contains(&Effect::Navigate("https://card.test/form".to_owned())));
}

#[test]
fn a_link_that_leads_nowhere_good_is_not_followed() {
    for reply in [Ok("http://card.test/"), Ok("javascript:alert(1)"), Err(ApiError::Network)] {
        let mut stage = Stage::reviewing();
        stage.act(Act::UseAnotherCard);
        assert!(stage.review().fetching_card_link);
        stage.card_link(reply);
        assert!(stage.review().card_link_failed);
        assert_eq!(stage.count(|effect| matches!(effect, Effect::Navigate(_))), 0);
    }
}

#[test]
fn a_booked_change_can_be_taken_back() {
    let mut stage = Stage::opened(plans_booked("mini"));
    stage.act(Act::TakeBackScheduled).act(Act::TakeBackScheduled);
    assert_eq!(stage.count(|effect| matches!(effect, Effect::TakeBack(_))), 1);
    assert!(stage.page().taking_back && !stage.page().can_choose);
    stage.taken_back(Ok(())).loaded(Ok(plans()));
    let page = stage.page();
    assert_eq!((page.notice, page.current.scheduled_change), (Some(Notice::TakenBack), None));

    let mut stage = Stage::opened(plans_booked("mini"));
    stage.act(Act::TakeBackScheduled).taken_back(Err(ApiError::Network));
    assert_eq!(stage.page().notice, Some(Notice::TakeBackFailed));
    let mut stage = Stage::opened(plans());
    stage.act(Act::TakeBackScheduled);
    assert_eq!(stage.count(|effect| matches!(effect, Effect::TakeBack(_))), 0, "nothing is booked");
}

#[test]
fn a_lost_answer_is_settled_by_looking_at_the_plans() {
    type Told = fn(&Dialog) -> bool;
    let stories: [(PlansResponse, Told); 3] = [
        (plans_on("pro"), |dialog| matches!(dialog, Dialog::Done(done) if !done.scheduled)),
        (plans_booked("pro"), |dialog| matches!(dialog, Dialog::Done(done) if done.scheduled)),
        (PlansResponse { attempt: Some(attempt(AttemptStatus::Failed)), ..plans() }, |dialog| {
            matches!(dialog, Dialog::Failed(_))
        }),
    ];
    for (seen, expected) in stories {
        let mut stage = Stage::reviewing();
        stage.act(Act::Confirm).changed(Err(ApiError::BadBody));
        assert!(matches!(stage.view().dialog, Some(Dialog::Waiting(w)) if w.standing == Standing::InDoubt));
        stage.wait().loaded(Ok(seen));
        assert!(stage.view().dialog.as_ref().is_some_and(expected), "{:?}", stage.view().dialog);
        assert_eq!(stage.sent().len(), 1);
    }
}

#[test]
fn a_change_that_never_arrived_is_said_so_after_several_looks() {
    let mut stage = Stage::reviewing();
    stage.act(Act::Confirm).changed(Err(ApiError::BadBody));
    for _ in 0..2 {
        stage.wait().loaded(Ok(plans()));
        assert!(matches!(stage.view().dialog, Some(Dialog::Waiting(_))));
    }
    stage.wait().loaded(Ok(plans()));
    assert_eq!(stage.page().notice, Some(Notice::NotReceived));
}

#[test]
fn what_an_earlier_page_began_is_taken_up() {
    let mut stage =
        Stage::opened(PlansResponse { attempt: Some(attempt(AttemptStatus::Processing)), ..plans() });
    assert!(matches!(stage.page().notice, Some(Notice::Waiting(_))));
    assert!(!stage.page().can_choose);
    stage.wait().looked(Ok(attempt(AttemptStatus::Succeeded)));
    assert!(matches!(stage.page().notice, Some(Notice::Done(_))));
    assert_eq!(stage.sent(), vec![]);
}

#[test]
fn a_bank_page_can_be_gone_to_again() {
    let mut stage = Stage::reviewing();
    stage.act(Act::Confirm).changed(Ok(attempt(AttemptStatus::CheckoutRequired))).act(Act::Continue);
    assert_eq!(stage.count(|effect| *effect == Effect::Navigate(CHECKOUT.to_owned())), 2);
    assert!(matches!(stage.view().dialog, Some(Dialog::Waiting(waiting)) if waiting.next == Next::Continue));
}
