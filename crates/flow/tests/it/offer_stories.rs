//! The offer flow up to the confirmation, told as stories.

use flow::ApiError;
use flow::announce::{Announcement, Trouble};
use flow::offer::{AcceptBody, AcceptState, Act, Closed, Effect, Event, PayBy, View};
use wire::{AttemptStatus, ErrorCode, IneligibleReason, OfferKind, PayWith, UpsellResponse};

use crate::build::*;
use crate::offer_stage::Stage;

fn first() -> UpsellResponse {
    offered("o1", quote("q1", 5000))
}

fn downsell() -> UpsellResponse {
    offered("o2", quote("q2", 1900))
}

#[test]
fn loads_by_itself_when_nobody_has_asked_before() {
    let mut stage = Stage::empty();
    stage.happen(Event::Start(None));
    assert_eq!(stage.view(), View::Nothing, "no space is taken before there is something to show");
    stage.loaded(Ok(answer(first())));
    assert_eq!(stage.card().due, dollars(5000));
}

/// What the loader could not read is not asked for again.
#[test]
fn an_unreadable_first_answer_shows_nothing() {
    let mut stage = Stage::empty();
    stage.happen(Event::StartUnreadable("product.price"));
    assert_eq!(stage.view(), View::Nothing);
    assert!(matches!(stage.announced()[..], [Announcement::Failed(_, Trouble::Unreadable("product.price"))]));
    assert_eq!(stage.count(|effect| matches!(effect, Effect::Load(_))), 0);
}

#[test]
fn a_backend_that_cannot_be_reached_or_understood_shows_nothing() {
    let mut quote_without_sum = quote("q1", 5000);
    quote_without_sum.total = 1;
    let mut no_quantity = first();
    no_quantity.offer.as_mut().unwrap().quantity = 0;
    let mut negative = basic_backend();
    negative.product.as_mut().unwrap().price = -1;
    let mut nameless = basic_backend();
    nameless.product.as_mut().unwrap().name.clear();
    let replies = [
        (Err(ApiError::Network), Trouble::Load),
        (Err(ApiError::Timeout), Trouble::Load),
        (Err(ApiError::Foreign { status: 500 }), Trouble::Load),
        (Err(problem(401, ErrorCode::Unauthorized)), Trouble::Unauthorized),
        (Err(ApiError::BadBody), Trouble::Unreadable("body")),
        (Err(ApiError::BadField("product.currency")), Trouble::Unreadable("product.currency")),
        (Ok(answer(offered("o1", quote_without_sum))), Trouble::Unreadable("quote")),
        (Ok(answer(no_quantity)), Trouble::Unreadable("offer.quantity")),
        (Ok(answer(UpsellResponse { quote: None, ..first() })), Trouble::Unreadable("quote")),
        (Ok(answer(UpsellResponse { offer: None, ..first() })), Trouble::Unreadable("offer")),
        (Ok(answer(UpsellResponse { product: None, ..first() })), Trouble::Unreadable("product")),
        (Ok(answer(negative)), Trouble::Unreadable("product.price")),
        (Ok(answer(nameless)), Trouble::Unreadable("product.name")),
    ];
    for (reply, trouble) in replies {
        let mut stage = Stage::empty();
        stage.happen(Event::Start(None)).loaded(reply.clone());
        assert_eq!(stage.view(), View::Nothing, "{reply:?}");
        assert!(
            matches!(stage.announced()[..], [Announcement::Failed(_, told)] if *told == trouble),
            "{reply:?}: {:?}",
            stage.announced()
        );
    }
}

#[test]
fn nothing_to_offer_is_no_failure() {
    let stage = Stage::opened(nothing(IneligibleReason::NoCampaign));
    assert_eq!((stage.view(), stage.effects.len()), (View::Nothing, 0));
}

#[test]
fn the_button_wakes_only_after_the_offer_was_visible() {
    let mut stage = Stage::opened(first());
    assert_eq!(stage.card().accept, AcceptState::Arming);
    stage.act(Act::Accept);
    assert_eq!(stage.sent(), vec![]);
    stage.look();
    assert_eq!(stage.card().accept, AcceptState::Ready);
    assert_eq!(stage.count(|effect| matches!(effect, Effect::Seen(_))), 1);
    stage.look();
    assert_eq!(stage.count(|effect| matches!(effect, Effect::Seen(_))), 1, "seen is said once");
}

#[test]
fn a_refusal_is_remembered_at_once_and_sent() {
    let mut stage = Stage::opened(first());
    stage.act(Act::Decline(None));
    assert_eq!(stage.view(), View::Nothing);
    assert!(stage.effects.contains(&Effect::Remember("dk_o1".to_owned())));
    stage.declined(Ok(None));
    assert_eq!(stage.view(), View::Nothing);
    stage.act(Act::Accept).look().act(Act::Accept);
    assert_eq!(stage.sent(), vec![], "nothing can be accepted after a refusal");
    assert!(matches!(stage.announced()[..], [Announcement::Shown(_), Announcement::Declined(_)]));
}

#[test]
fn a_downsell_follows_once_and_nothing_after_it() {
    let mut stage = Stage::shown(first());
    stage.act(Act::Decline(None)).declined(Ok(Some(answer(downsell()))));
    assert_eq!(stage.card().due, dollars(1900));
    assert_eq!(stage.card().accept, AcceptState::Arming, "a second click on the same spot buys nothing");
    stage.look().act(Act::Decline(None)).declined(Ok(Some(answer(offered("o3", quote("q3", 100))))));
    assert_eq!(stage.view(), View::Nothing);
}

#[test]
fn a_downsell_can_be_accepted() {
    let mut stage = Stage::shown(first());
    stage.act(Act::Decline(None)).declined(Ok(Some(answer(downsell()))));
    stage.look().act(Act::Accept).accepted(Ok(attempt(AttemptStatus::Succeeded)));
    assert!(matches!(stage.view(), View::Done(_)));
}

#[test]
fn what_this_browser_refused_is_hidden_and_the_refusal_sent_again() {
    let mut stage = Stage::empty();
    stage.happen(Event::Start(Some(refused_here(first()))));
    assert_eq!(stage.view(), View::Nothing);
    assert_eq!(stage.count(|effect| matches!(effect, Effect::Decline(..))), 1);
    stage.declined(Ok(Some(answer(downsell()))));
    assert_eq!(stage.view(), View::Nothing, "the buyer refused on another day; nothing follows now");

    let mut stage = Stage::shown(first());
    stage.act(Act::Decline(None)).declined(Ok(Some(refused_here(downsell()))));
    assert_eq!(stage.view(), View::Nothing, "a downsell that was refused before stays hidden too");
}

#[test]
fn an_unreachable_backend_does_not_bring_a_refused_offer_back() {
    for reply in [Err(ApiError::Network), Err(ApiError::Timeout), Err(ApiError::Foreign { status: 404 })] {
        let mut stage = Stage::shown(first());
        stage.act(Act::Decline(None)).declined(reply);
        assert_eq!(stage.view(), View::Nothing);
    }
}

#[test]
fn a_quote_is_refreshed_before_it_expires() {
    let mut stage = Stage::shown(first());
    stage.wait_for(290_000);
    assert_eq!(stage.card().accept, AcceptState::Refreshing);
    stage.act(Act::Accept);
    assert_eq!(stage.sent(), vec![], "the old quote cannot be accepted any more");
    stage.loaded(Ok(answer(offered("o1", quote("q2", 5000)))));
    assert_eq!(
        (stage.card().accept, stage.card().changed_from),
        (AcceptState::Ready, None),
        "nothing new to read"
    );
    stage.wait_for(290_000).loaded(Ok(answer(offered("o1", quote("q3", 5200)))));
    assert_eq!((stage.card().accept, stage.card().changed_from), (AcceptState::Arming, Some(dollars(5000))));
}

#[test]
fn a_page_that_lies_open_stops_asking_and_the_buyer_may() {
    let mut stage = Stage::shown(first());
    for _ in 0..100 {
        if stage.card().accept == AcceptState::Stale {
            break;
        }
        stage.wait_for(290_000).loaded(Ok(answer(first())));
        stage.wait_for(290_000);
    }
    assert_eq!(stage.card().accept, AcceptState::Stale);
    stage.act(Act::Refresh).loaded(Ok(answer(first())));
    assert_eq!(stage.card().accept, AcceptState::Ready);
}

#[test]
fn a_refresh_that_fails_leaves_the_offer_and_asks_the_buyer() {
    let mut stage = Stage::shown(first());
    stage.wait_for(290_000).loaded(Err(ApiError::Network));
    assert_eq!(stage.card().accept, AcceptState::Stale);
    stage.act(Act::Accept);
    assert_eq!(stage.sent(), vec![]);
}

#[test]
fn an_offer_that_ended_meanwhile_says_so() {
    for (reply, why) in [
        (Ok(answer(nothing(IneligibleReason::Expired))), Closed::Gone),
        (Err(problem(410, ErrorCode::OfferGone)), Closed::Gone),
        (Err(problem(401, ErrorCode::Unauthorized)), Closed::SessionOver),
    ] {
        let mut stage = Stage::shown(first());
        stage.wait_for(290_000).loaded(reply);
        assert_eq!(stage.view(), View::Closed(why));
        let told = stage.announced().last().cloned();
        let trouble = if why == Closed::SessionOver { Trouble::Unauthorized } else { Trouble::Ended };
        assert!(matches!(told, Some(Announcement::Failed(_, said)) if *said == trouble), "{told:?}");
    }
}

#[test]
fn a_token_that_is_not_good_is_told_and_shows_nothing() {
    for error in [problem(401, ErrorCode::Unauthorized), ApiError::Foreign { status: 401 }] {
        let mut stage = Stage::empty();
        stage.happen(Event::Start(None)).loaded(Err(error));
        assert_eq!(stage.view(), View::Nothing);
        assert!(matches!(stage.announced()[..], [Announcement::Failed(_, Trouble::Unauthorized)]));
    }
    let mut stage = Stage::shown(first());
    stage.act(Act::Accept).accepted(Err(problem(401, ErrorCode::Unauthorized)));
    assert!(matches!(stage.announced().last(), Some(Announcement::Failed(_, Trouble::Unauthorized))));
}

#[test]
fn a_refusal_in_another_tab_hides_the_offer_here_too() {
    let mut stage = Stage::shown(first());
    stage.wait_for(290_000).loaded(Ok(refused_here(first())));
    assert_eq!(stage.view(), View::Nothing);
}

#[test]
fn a_basic_backend_is_told_of_no_refusal_and_the_browser_remembers() {
    let mut stage = Stage::shown(basic_backend());
    stage.act(Act::Decline(None));
    assert_eq!(stage.view(), View::Nothing);
    assert!(stage.effects.contains(&Effect::Remember("product:prod_small".to_owned())));
    assert_eq!(stage.count(|effect| matches!(effect, Effect::Decline(..))), 0);
}

/// A plan is charged to the subscription's own method, which need not be known.
#[test]
fn a_change_of_plan_without_a_named_card_is_not_sent_to_a_checkout() {
    for (kind, pay_by, pay_with) in [
        (OfferKind::Upgrade, PayBy::Unnamed, None),
        (OfferKind::Downgrade, PayBy::Unnamed, None),
        (OfferKind::Upsell, PayBy::HostedCheckout, Some(PayWith::HostedCheckout)),
    ] {
        let mut response = offered("o1", quote("q1", 5000));
        response.payment_method = None;
        response.offer.as_mut().unwrap().kind = kind;
        let mut stage = Stage::shown(response);
        assert_eq!(stage.card().pay_by, pay_by);
        stage.act(Act::Accept);
        let sent = stage.effects.iter().find_map(|effect| match effect {
            Effect::Accept { body: AcceptBody::Offer { pay_with, .. }, .. } => Some(*pay_with),
            _ => None,
        });
        assert_eq!(sent, Some(pay_with), "{kind:?}");
    }
}
