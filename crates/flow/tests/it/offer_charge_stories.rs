//! The offer flow from the confirmation on, told as stories.

use flow::ApiError;
use flow::Dwell;
use flow::announce::Announcement;
use flow::charge::{Failure, Next, Standing};
use flow::offer::{AcceptBody, AcceptState, Act, Effect, Event, Notice, Ordered, PayBy, PriceView, View};
use wire::{
    AttemptStatus, ErrorCode, FailureReason, IneligibleReason, OfferId, PayWith, QuoteId, UpsellResponse,
};

use crate::build::*;
use crate::offer_stage::Stage;

fn first() -> UpsellResponse {
    offered("o1", quote("q1", 5000))
}

#[test]
fn accepts_in_one_click_and_gets_the_receipt() {
    let mut stage = Stage::shown(first());
    assert_eq!(stage.card().due, dollars(5000));
    assert_eq!(stage.card().pay_by, PayBy::Card(visa()));
    stage.act(Act::Accept);
    assert_eq!(stage.card().accept, AcceptState::Sending);
    assert!(!stage.card().can_decline);
    let body = stage.effects.iter().find_map(|effect| match effect {
        Effect::Accept { body, .. } => Some(body.clone()),
        _ => None,
    });
    assert_eq!(
        body,
        Some(AcceptBody::Offer {
            offer_id: OfferId::parse("o1").unwrap(),
            quote_id: QuoteId::parse("q1").unwrap(),
            quantity: 1,
            pay_with: None,
        })
    );
    stage.accepted(Ok(attempt(AttemptStatus::Succeeded)));
    let View::Done(done) = stage.view() else { panic!("{:?}", stage.view()) };
    assert_eq!(done.receipt, Some(receipt(5000)));
    assert!(matches!(stage.announced()[..], [Announcement::Shown(_), Announcement::Accepted(_)]));
    stage.act(Act::Dismiss);
    assert_eq!(stage.view(), View::Nothing);
}

#[test]
fn pending_is_polled_until_it_is_known() {
    let mut stage = Stage::shown(first());
    stage.act(Act::Accept).accepted(Ok(attempt(AttemptStatus::Processing)));
    let View::Waiting(waiting) = stage.view() else { panic!() };
    assert_eq!((waiting.standing, waiting.next), (Standing::Processing, Next::Wait));
    stage.wait().looked(Ok(attempt(AttemptStatus::Processing)));
    stage.wait().looked(Err(ApiError::Network));
    stage.wait().looked(Ok(attempt(AttemptStatus::Succeeded)));
    assert!(matches!(stage.view(), View::Done(_)));
    assert_eq!(stage.sent().len(), 1);
}

#[test]
fn the_watch_ends_and_the_buyer_may_ask_once_more() {
    let mut stage = Stage::shown(first());
    stage.act(Act::Accept).accepted(Ok(attempt(AttemptStatus::InDoubt)));
    let mut waited = 0;
    let mut asked = 0;
    while matches!(stage.view(), View::Waiting(waiting) if waiting.next == Next::Wait) {
        waited += stage.timer().1;
        stage.wait().looked(Ok(attempt(AttemptStatus::InDoubt)));
        asked += 1;
        assert!(asked < 100, "the watch must end");
    }
    assert!((60_000..300_000).contains(&waited), "minutes, not hours: {waited}");
    let View::Waiting(waiting) = stage.view() else { panic!() };
    assert_eq!((waiting.standing, waiting.next), (Standing::InDoubt, Next::CheckAgain));
    stage.act(Act::CheckAgain).looked(Ok(attempt(AttemptStatus::Succeeded)));
    assert!(matches!(stage.view(), View::Done(_)));
}

#[test]
fn a_slow_answer_becomes_a_calm_notice() {
    let mut stage = Stage::shown(first());
    stage.act(Act::Accept);
    assert!(matches!(stage.view(), View::Offer(_)));
    stage.wait_for(6_000);
    let View::Waiting(waiting) = stage.view() else { panic!() };
    assert_eq!(waiting.standing, Standing::Confirming);
    stage.accepted(Ok(attempt(AttemptStatus::Succeeded)));
    assert!(matches!(stage.view(), View::Done(_)));
}

#[test]
fn a_lost_answer_is_asked_for_with_the_same_key_three_times_then_looked_up() {
    let mut stage = Stage::shown(first());
    stage.act(Act::Accept).accepted(Err(ApiError::Network));
    stage.wait_for(600).accepted(Err(ApiError::Timeout));
    stage.wait_for(2_000).accepted(Err(ApiError::Foreign { status: 502 }));
    let sent = stage.sent();
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|key| *key == sent[0]));
    let View::Waiting(waiting) = stage.view() else { panic!() };
    assert_eq!(waiting.standing, Standing::InDoubt);
    // There is no attempt to ask about, so the offer itself is looked at.
    stage.wait().loaded(Ok(answer(taken(attempt(AttemptStatus::Processing)))));
    stage.wait().looked(Ok(attempt(AttemptStatus::Succeeded)));
    assert!(matches!(stage.view(), View::Done(_)));
}

#[test]
fn a_request_that_never_arrived_brings_the_offer_back_only_after_several_looks() {
    let mut stage = Stage::shown(first());
    stage.act(Act::Accept).accepted(Err(ApiError::BadBody));
    for _ in 0..2 {
        stage.wait().loaded(Ok(answer(first())));
        assert!(matches!(stage.view(), View::Waiting(_)), "one look may have overtaken the request");
    }
    stage.wait().loaded(Ok(answer(offered("o1", quote("q9", 5500)))));
    let card = stage.card();
    assert_eq!(
        (card.notice, card.due, card.changed_from),
        (Some(Notice::NotReceived), dollars(5500), Some(dollars(5000)))
    );
    assert_eq!(card.accept, AcceptState::Arming);
}

#[test]
fn looks_in_between_start_the_count_anew() {
    let mut stage = Stage::shown(first());
    stage.act(Act::Accept).accepted(Err(ApiError::BadBody));
    stage.wait().loaded(Ok(answer(first())));
    stage.wait().loaded(Ok(answer(first())));
    stage.wait().loaded(Ok(answer(nothing(IneligibleReason::Unavailable))));
    stage.wait().loaded(Ok(answer(first())));
    assert!(matches!(stage.view(), View::Waiting(_)));
}

#[test]
fn an_ended_session_while_in_doubt_stays_in_doubt() {
    let mut stage = Stage::shown(first());
    stage.act(Act::Accept).accepted(Ok(attempt(AttemptStatus::InDoubt)));
    stage.wait().looked(Err(problem(401, ErrorCode::Unauthorized)));
    let View::Waiting(waiting) = stage.view() else { panic!() };
    assert_eq!((waiting.standing, waiting.next), (Standing::InDoubt, Next::CheckAgain));
}

#[test]
fn a_card_that_is_refused_leads_to_the_hosted_checkout_once() {
    let mut stage = Stage::shown(first());
    stage.act(Act::Accept).accepted(Ok(attempt(AttemptStatus::Failed)));
    let View::Failed(failed) = stage.view() else { panic!() };
    assert!(failed.another_way);
    stage.act(Act::Accept);
    assert_eq!(stage.sent().len(), 1, "no second try on the same card");
    stage.act(Act::PayAnotherWay);
    let bodies: Vec<_> = stage
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Accept { body: AcceptBody::Offer { pay_with, .. }, intent, .. } => {
                Some((*pay_with, intent.key.clone()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(bodies[1].0, Some(PayWith::HostedCheckout));
    assert_ne!(bodies[0].1, bodies[1].1, "a new intention has a new key");
    stage.accepted(Ok(attempt(AttemptStatus::CheckoutRequired)));
    assert_eq!(stage.view(), View::Leaving { due: Some(dollars(5000)) });
    assert_eq!(stage.count(|effect| *effect == Effect::Navigate(CHECKOUT.to_owned())), 1);
    stage.act(Act::Continue);
    assert_eq!(stage.count(|effect| *effect == Effect::Navigate(CHECKOUT.to_owned())), 2);

    let mut stage = Stage::shown(first());
    stage.act(Act::Accept).accepted(Ok(attempt(AttemptStatus::Failed)));
    stage.act(Act::PayAnotherWay).accepted(Ok(attempt(AttemptStatus::Failed)));
    let View::Failed(failed) = stage.view() else { panic!() };
    assert!(!failed.another_way, "offered once");
}

#[test]
fn after_a_failure_the_buyer_may_still_refuse() {
    let mut stage = Stage::shown(first());
    stage.act(Act::Accept).accepted(Ok(attempt(AttemptStatus::Failed))).act(Act::Decline(None));
    assert!(stage.effects.contains(&Effect::Remember("dk_o1".to_owned())));
    assert_eq!(stage.view(), View::Nothing);
}

#[test]
fn without_a_saved_card_the_click_asks_for_the_hosted_checkout() {
    let mut stage = Stage::shown(UpsellResponse { payment_method: None, ..first() });
    assert_eq!(stage.card().pay_by, PayBy::HostedCheckout);
    stage.act(Act::Accept);
    assert!(stage.effects.iter().any(|effect| matches!(
        effect,
        Effect::Accept { body: AcceptBody::Offer { pay_with: Some(PayWith::HostedCheckout), .. }, .. }
    )));
}

#[test]
fn a_changed_price_is_shown_and_confirmed_again() {
    let mut stage = Stage::shown(first());
    stage.act(Act::Accept).accepted(Err(quote_changed(quote("q2", 6000))));
    let card = stage.card();
    assert_eq!(
        (card.due, card.changed_from, card.accept),
        (dollars(6000), Some(dollars(5000)), AcceptState::Arming)
    );
    stage.look().act(Act::Accept);
    let quotes: Vec<_> = stage
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Accept { body: AcceptBody::Offer { quote_id, .. }, .. } => {
                Some(quote_id.as_str().to_owned())
            }
            _ => None,
        })
        .collect();
    assert_eq!(quotes, ["q1", "q2"]);
}

#[test]
fn what_an_earlier_page_began_is_taken_up() {
    let mut stage = Stage::opened(taken(attempt(AttemptStatus::Processing)));
    assert!(matches!(stage.view(), View::Waiting(_)));
    stage.wait().looked(Ok(attempt(AttemptStatus::Succeeded)));
    assert!(matches!(stage.view(), View::Done(_)));
    assert_eq!(stage.sent(), vec![], "only asked about");

    let response = UpsellResponse {
        attempt: Some(attempt(AttemptStatus::Succeeded)),
        ..nothing(IneligibleReason::Accepted)
    };
    let stage = Stage::opened(response);
    assert!(matches!(stage.view(), View::Done(_)));
    assert_eq!(stage.announced().len(), 0, "old news is not announced");
}

#[test]
fn a_bank_that_wants_something_can_be_gone_to() {
    let mut stage = Stage::shown(first());
    stage.act(Act::Accept).accepted(Ok(at_a_page(AttemptStatus::RequiresCustomerAction)));
    let View::Waiting(waiting) = stage.view() else { panic!() };
    assert_eq!((waiting.standing, waiting.next), (Standing::ActionRequired, Next::Continue));
    stage.act(Act::Continue);
    assert!(stage.effects.contains(&Effect::Navigate(CHECKOUT.to_owned())));
    // Nothing else is begun meanwhile, and what the bank says is what is told.
    stage.act(Act::PayAnotherWay).act(Act::Accept).act(Act::Decline(None));
    assert_eq!(stage.sent().len(), 1);
    stage.wait().looked(Ok(failed_by(FailureReason::AuthenticationFailed)));
    let View::Failed(failed) = stage.view() else { panic!() };
    assert_eq!((failed.failure, failed.another_way), (Failure::NotAuthenticated, true));
}

#[test]
fn a_basic_backend_sells_at_the_list_price() {
    let mut stage = Stage::shown(basic_backend());
    let card = stage.card();
    assert_eq!((card.price, card.pay_by), (PriceView::ListPrice(dollars(5000)), PayBy::Unnamed));
    stage.act(Act::Accept).accepted(Ok(bare(true)));
    assert_eq!(stage.view(), View::Ordered(Ordered::Taken));
    let told = |announcement: &&Announcement| matches!(announcement, Announcement::Ordered(_));
    assert_eq!(stage.announced().into_iter().filter(told).count(), 1);
    stage.act(Act::Dismiss);
    assert_eq!(stage.view(), View::Nothing);
}

#[test]
fn stale_replies_change_nothing() {
    let mut stage = Stage::shown(first());
    stage.act(Act::Accept);
    let stale: Vec<Event> = stage
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Watch(tag) => Some(Event::Dwelled(*tag, Dwell::Seen)),
            Effect::Accept { tag, .. } => Some(Event::Accepted(*tag, Ok(attempt(AttemptStatus::Failed)))),
            _ => None,
        })
        .collect();
    stage.accepted(Ok(attempt(AttemptStatus::Succeeded)));
    let (before, effects) = (stage.view(), stage.effects.len());
    for event in stale {
        stage.happen(event);
    }
    assert_eq!((stage.view(), stage.effects.len()), (before, effects));
}
