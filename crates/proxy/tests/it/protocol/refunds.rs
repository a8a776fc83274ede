//! Money that should not be there, and giving it back: at most one request for each order, whatever happens to it.

use dodo_client::ids::PaymentId;
use dodo_sim::{ProductPatch, SimConfig};
use proxy::{clock::Clock, store::Execute, support};
use serde_json::json;
use upsell_core::{
    domain::{OfferState, OrderState, RefundCause, RefundOrder, Sale},
    journal::MarkRefundSent,
    rules::{AboveQuote, LateSuccess, MoneyRules, Surplus},
};
use wire::{AttemptStatus, UnixSeconds};

use super::{
    recovery::{marked, send},
    rig::{GOOD, KIT, KIT_PRICE, Rig, Shown, purchase_of},
};

/// The merchant who gives everything back.
const GENEROUS: MoneyRules = MoneyRules {
    late_success: LateSuccess::Refund,
    surplus: Surplus::Refund,
    above_quote: AboveQuote::RefundDifference,
};

async fn rig(money: MoneyRules) -> Rig {
    Rig::start_under(SimConfig::default(), money).await
}

/// A charge that is given up and comes through afterwards.
async fn late(rig: &Rig, shown: &Shown) -> PaymentId {
    // It began with its request, and is listed long afterwards.
    rig.dodo.switch(json!({"payments_list_lag_seconds": 24 * 3600})).unwrap();
    let row = marked(rig, shown).await;
    send(rig, shown, &row).await;
    rig.workers.reconciler.catch_up().await;
    rig.pass(30 * 60).await;
    assert_eq!(rig.offer_state(shown).await, OfferState::Abandoned);
    rig.dodo.switch(json!({"payments_list_lag_seconds": 0})).unwrap();
    let mut payment = None;
    for _ in 0..120 {
        // Without the worker of refunds: what it does is the tests' matter.
        rig.clock.advance(60);
        rig.workers.reconciler.round().await.unwrap();
        payment = rig.store.attempt_by_id(&row.id).await.unwrap().unwrap().payment_id;
        if payment.is_some() {
            break;
        }
    }
    assert_eq!(rig.offer_state(shown).await, OfferState::Charged);
    payment.unwrap()
}

async fn order(rig: &Rig, payment: &PaymentId) -> Option<RefundOrder> {
    rig.store.refund_order(payment).await.unwrap()
}

async fn state(rig: &Rig, payment: &PaymentId) -> OrderState {
    order(rig, payment).await.unwrap().state
}

async fn sale(rig: &Rig, payment: &PaymentId) -> Sale {
    rig.store.sale(payment).await.unwrap().unwrap()
}

/// Given back at Dodo, in all.
async fn given_back(rig: &Rig, payment: &PaymentId) -> i64 {
    let payment = rig.client.get_payment(payment).await.unwrap();
    payment.refunds.iter().map(|refund| refund.amount.unwrap()).sum()
}

#[tokio::test]
async fn by_default_late_money_is_a_sale() {
    let rig = rig(MoneyRules::default()).await;
    let shown = rig.shown(Some(GOOD)).await;
    let payment = late(&rig, &shown).await;
    rig.pass(600).await;
    assert_eq!(order(&rig, &payment).await, None);
    assert_eq!(rig.dodo.posts_to("/refunds"), 0);
    let attempt = rig.accept(&shown, "another-key").await.unwrap();
    assert_eq!(attempt.status, Some(AttemptStatus::Succeeded));
}

/// The sale is undone: the offer stays closed, and the buyer is shown neither a receipt nor a failure (I12).
#[tokio::test]
async fn late_money_goes_back_where_the_merchant_says_so() {
    let rig = rig(GENEROUS).await;
    let shown = rig.shown(Some(GOOD)).await;
    let payment = late(&rig, &shown).await;
    let ordered = order(&rig, &payment).await.unwrap();
    assert_eq!((ordered.cause, ordered.amount, ordered.state), (RefundCause::Late, None, OrderState::Due));
    rig.workers.refunds.round().await.unwrap();
    assert_eq!(state(&rig, &payment).await, OrderState::Done);
    assert_eq!((given_back(&rig, &payment).await, rig.dodo.posts_to("/refunds")), (KIT_PRICE, 1));
    assert_eq!(sale(&rig, &payment).await.refunded, KIT_PRICE);
    assert_eq!(rig.offer_state(&shown).await, OfferState::Charged);
    let attempt = rig.accept(&shown, "another-key").await.unwrap();
    assert_eq!((attempt.status, &attempt.receipt), (Some(AttemptStatus::InDoubt), &None));
    let story = support::explain(rig.store.as_ref(), attempt.attempt_id.as_ref().unwrap()).await.unwrap();
    for part in
        ["after it had been given up: Dodo has it", "Given back so far: 1900 USD", "was ordered to go back"]
    {
        assert!(story.as_ref().unwrap().contains(part), "{part:?} is not told:\n{story:?}");
    }
    assert_eq!(rig.dodo.posts_to("/checkouts"), 1);
    rig.pass(3600).await;
    assert_eq!(rig.dodo.posts_to("/refunds"), 1);
}

/// A refund would not end what renews.
#[tokio::test]
async fn late_money_for_something_that_renews_stays() {
    let rig = rig(GENEROUS).await;
    let shown = rig.shown_to(rig.dodo.customer(Some(GOOD)).unwrap(), purchase_of("prod_basic_plan")).await;
    let payment = late(&rig, &shown).await;
    rig.pass(600).await;
    assert_eq!((order(&rig, &payment).await, rig.dodo.posts_to("/refunds")), (None, 0));
}

/// Whatever becomes of the answer, one request was sent, and what it did is found out.
#[tokio::test]
async fn a_lost_reply_is_looked_up_and_never_sent_again() {
    for fault in
        ["reset_after", "status_500_after", "hang_after", "truncated_body", "non_json_body", "empty_200"]
    {
        let rig = rig(GENEROUS).await;
        let shown = rig.shown(Some(GOOD)).await;
        let payment = late(&rig, &shown).await;
        rig.dodo.fault("POST", "/refunds", json!(fault), 1).unwrap();
        rig.workers.refunds.round().await.unwrap();
        assert_eq!(state(&rig, &payment).await, OrderState::Sent, "{fault}");
        rig.pass(60).await;
        assert_eq!(state(&rig, &payment).await, OrderState::Done, "{fault}");
        assert_eq!(
            (given_back(&rig, &payment).await, rig.dodo.posts_to("/refunds")),
            (KIT_PRICE, 1),
            "{fault}"
        );
        assert_eq!(sale(&rig, &payment).await.refunded, KIT_PRICE, "{fault}");
    }
}

/// "Not listed" proves nothing: a person decides, not a second request.
#[tokio::test]
async fn a_request_that_never_arrived_is_not_sent_again_either() {
    let rig = rig(GENEROUS).await;
    let shown = rig.shown(Some(GOOD)).await;
    let payment = late(&rig, &shown).await;
    rig.dodo.fault("POST", "/refunds", json!("reset"), 1).unwrap();
    rig.pass(50 * 3600).await;
    assert_eq!(state(&rig, &payment).await, OrderState::Sent);
    assert_eq!((given_back(&rig, &payment).await, rig.dodo.posts_to("/refunds")), (0, 1));
}

/// A rate limit may act after the execution: a refund that met one is looked for, and not sent again.
#[tokio::test]
async fn a_refund_that_met_a_full_quota_is_not_sent_again() {
    let rig = rig(GENEROUS).await;
    let shown = rig.shown(Some(GOOD)).await;
    let payment = late(&rig, &shown).await;
    rig.dodo.fault("POST", "/refunds", json!("status_429"), 1).unwrap();
    rig.workers.refunds.round().await.unwrap();
    assert_eq!(state(&rig, &payment).await, OrderState::Sent);
    rig.pass(2 * 3600).await;
    assert_eq!(state(&rig, &payment).await, OrderState::Sent);
    assert_eq!((given_back(&rig, &payment).await, rig.dodo.posts_to("/refunds")), (0, 1));
}

#[tokio::test]
async fn a_refusal_is_final_and_the_sale_stands() {
    let rig = rig(GENEROUS).await;
    let shown = rig.shown(Some(GOOD)).await;
    let payment = late(&rig, &shown).await;
    rig.dodo.fault("POST", "/refunds", json!("status_422"), 1).unwrap();
    rig.pass(3600).await;
    assert_eq!(state(&rig, &payment).await, OrderState::Refused);
    assert_eq!((given_back(&rig, &payment).await, rig.dodo.posts_to("/refunds")), (0, 1));
    let attempt = rig.accept(&shown, "another-key").await.unwrap();
    assert_eq!(attempt.status, Some(AttemptStatus::Succeeded));
}

/// Dodo takes it on, and the bank refuses it later.
#[tokio::test]
async fn a_refund_that_fails_later_counts_as_refused() {
    let rig = rig(GENEROUS).await;
    rig.dodo.switch(json!({"refunds_pending": true})).unwrap();
    let shown = rig.shown(Some(GOOD)).await;
    let payment = late(&rig, &shown).await;
    rig.workers.refunds.round().await.unwrap();
    assert_eq!(state(&rig, &payment).await, OrderState::Done);
    assert_eq!(sale(&rig, &payment).await.refunded, 0, "it is on its way only");
    let id = order(&rig, &payment).await.unwrap().refund_id.unwrap();
    rig.dodo.control().resolve_refund(id.as_str(), false).unwrap();
    rig.charging.observe_payment(&rig.client.get_payment(&payment).await.unwrap()).await.unwrap();
    assert_eq!(state(&rig, &payment).await, OrderState::Refused);
    assert_eq!(rig.dodo.posts_to("/refunds"), 1);
}

/// The webhook that says how a refund ended may never come.
#[tokio::test]
async fn a_refund_on_its_way_is_looked_at_until_it_has_ended() {
    for (arrives, end, back) in [(true, OrderState::Done, KIT_PRICE), (false, OrderState::Refused, 0)] {
        let rig = rig(GENEROUS).await;
        rig.dodo.switch(json!({"refunds_pending": true})).unwrap();
        let shown = rig.shown(Some(GOOD)).await;
        let payment = late(&rig, &shown).await;
        rig.pass(4 * 3600).await;
        assert_eq!(state(&rig, &payment).await, OrderState::Done);
        assert_eq!(sale(&rig, &payment).await.refunded, 0, "it is on its way only");
        let id = order(&rig, &payment).await.unwrap().refund_id.unwrap();
        rig.dodo.control().resolve_refund(id.as_str(), arrives).unwrap();
        rig.pass(2 * 3600).await;
        assert_eq!((state(&rig, &payment).await, sale(&rig, &payment).await.refunded), (end, back));
        let looked = rig.dodo.requests_to("GET", "/payments/");
        rig.pass(4 * 3600).await;
        assert_eq!(
            (rig.dodo.requests_to("GET", "/payments/"), rig.dodo.posts_to("/refunds")),
            (looked, 1),
            "nobody looks any more"
        );
    }
}

/// A crash is played by doing by hand what the process had done before it died.
#[tokio::test]
async fn a_crash_at_any_step_leaves_one_request_at_most() {
    for (step, posts, end) in
        [("taken", 1, OrderState::Done), ("marked", 0, OrderState::Sent), ("answered", 1, OrderState::Done)]
    {
        let rig = rig(GENEROUS).await;
        let shown = rig.shown(Some(GOOD)).await;
        let payment = late(&rig, &shown).await;
        let now = rig.clock.now();
        let taken = rig.store.take_due_refunds(now, UnixSeconds(now.0 + 120), 10).await.unwrap();
        assert_eq!(taken.len(), 1, "{step}");
        if step != "taken" {
            let mark = MarkRefundSent {
                payment_id: taken[0].payment_id.clone(),
                cause: taken[0].cause,
                now,
                next_check_at: UnixSeconds(now.0 + 45),
            };
            assert!(rig.store.execute(&mark).await.unwrap());
        }
        if step == "answered" {
            let _ = rig.gateway.refund(&payment, None, "by the one that died").await;
        }
        assert_eq!(rig.workers.refunds.round().await.unwrap(), 0, "{step}: its lease lasts");
        rig.pass(2 * 3600).await;
        assert_eq!(state(&rig, &payment).await, end, "{step}");
        assert_eq!(rig.dodo.posts_to("/refunds"), posts, "{step}");
        assert_eq!(given_back(&rig, &payment).await, KIT_PRICE * i64::try_from(posts).unwrap(), "{step}");
    }
}

#[tokio::test]
async fn what_somebody_gave_back_by_hand_is_not_given_back_again() {
    let rig = rig(GENEROUS).await;
    let shown = rig.shown(Some(GOOD)).await;
    let payment = late(&rig, &shown).await;
    let _ = rig.gateway.refund(&payment, None, "in the dashboard").await;
    rig.pass(600).await;
    assert_eq!(state(&rig, &payment).await, OrderState::Done);
    assert_eq!((given_back(&rig, &payment).await, rig.dodo.posts_to("/refunds")), (KIT_PRICE, 1));
}

/// I1: of two payments the later one goes back, and the sale stands.
#[tokio::test]
async fn a_second_payment_goes_back_whole() {
    for (money, refunds) in [(GENEROUS, 1), (MoneyRules::default(), 0)] {
        let rig = rig(money).await;
        let shown = rig.shown(Some(GOOD)).await;
        let row = marked(&rig, &shown).await;
        // What must never happen, played by hand: the same charge executed twice.
        send(&rig, &shown, &row).await;
        send(&rig, &shown, &row).await;
        rig.workers.reconciler.catch_up().await;
        rig.pass(600).await;
        let sold = rig.store.attempt_by_id(&row.id).await.unwrap().unwrap().payment_id.unwrap();
        let charges = rig.dodo.payments_of(shown.offer.customer_id.as_str());
        assert_eq!(charges.len(), 2);
        let ids: Vec<_> =
            charges.iter().map(|charge| PaymentId::parse(charge.payment_id.as_str()).unwrap()).collect();
        let beside = ids.iter().find(|id| **id != sold).unwrap();
        assert_eq!(rig.dodo.posts_to("/refunds"), refunds);
        assert!(sale(&rig, beside).await.surplus);
        assert_eq!(sale(&rig, beside).await.refunded, KIT_PRICE * i64::try_from(refunds).unwrap());
        assert_eq!((sale(&rig, &sold).await.refunded, order(&rig, &sold).await), (0, None));
        assert_eq!(rig.offer_state(&shown).await, OfferState::Charged);
        let attempt = rig.accept(&shown, "another-key").await.unwrap();
        assert_eq!(attempt.status, Some(AttemptStatus::Succeeded));
    }
}

/// I8 afterwards: the price moves between the look right before the charge and the charge itself.
#[tokio::test]
async fn what_was_collected_above_the_quote_goes_back() {
    for (money, change, back) in [(GENEROUS, 100, 100), (GENEROUS, 0, 0), (MoneyRules::default(), 100, 0)] {
        let rig = rig(money).await;
        let shown = rig.shown(Some(GOOD)).await;
        let row = marked(&rig, &shown).await;
        let dearer = ProductPatch { price: Some(KIT_PRICE + change), ..ProductPatch::default() };
        rig.dodo.control().product(KIT, dearer).unwrap();
        send(&rig, &shown, &row).await;
        rig.workers.reconciler.catch_up().await;
        rig.pass(600).await;
        let row = rig.store.attempt_by_id(&row.id).await.unwrap().unwrap();
        let payment = row.payment_id.unwrap();
        assert_eq!(sale(&rig, &payment).await.collected.unwrap().amount, KIT_PRICE + change, "{change}");
        let ordered = order(&rig, &payment).await.map(|order| (order.cause, order.amount, order.state));
        let expected = (back > 0).then_some((RefundCause::AboveQuote, Some(back), OrderState::Done));
        assert_eq!(ordered, expected, "{change}");
        assert_eq!(given_back(&rig, &payment).await, back, "{change}");
        assert_eq!(sale(&rig, &payment).await.refunded, back, "{change}");
        // The receipt says what was collected.
        assert_eq!(row.receipt.unwrap().amount, KIT_PRICE + change, "{change}");
    }
}
