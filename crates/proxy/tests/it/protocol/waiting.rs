//! Everything that is waited for has an end of its own and a state after it, and waits for nobody else (I13, I19).

use std::time::Duration;

use dodo_client::ids::PaymentId;
use dodo_sim::{IntentStatus, SimConfig};
use proxy::{
    clock::Clock as _,
    service::{gate::Closed, resolving::ResolveError},
};
use serde_json::{Value, json};
use upsell_core::{
    domain::{AttemptRow, AttemptState, OfferState},
    rules::{LateSuccess, MoneyRules},
};
use wire::{AttemptStatus, Resolution};

use super::{
    recovery::{marked, send},
    rig::{GOOD, Rig, Shown, change_to},
};

/// Late money goes back.
async fn refunding() -> Rig {
    let money = MoneyRules { late_success: LateSuccess::Refund, ..MoneyRules::default() };
    Rig::start_under(SimConfig::default(), money).await
}

async fn row(rig: &Rig, row: &AttemptRow) -> AttemptRow {
    rig.store.attempt_by_id(&row.id).await.unwrap().unwrap()
}

async fn latest(rig: &Rig, shown: &Shown) -> AttemptRow {
    rig.store.latest_attempt(&shown.offer.id).await.unwrap().unwrap()
}

/// The only payment of a buyer, in whatever state.
fn payment_of(rig: &Rig, shown: &Shown) -> PaymentId {
    let ids = rig.dodo.control().payments_of(shown.offer.customer_id.as_str());
    PaymentId::parse(ids.first().unwrap()).unwrap()
}

fn show(rig: &Rig, payment: &PaymentId, fields: &Value) {
    rig.dodo.control().show_payment(payment.as_str(), fields.as_object().unwrap().clone()).unwrap();
}

/// A charge whose reply was lost, executed at Dodo.
async fn lost(rig: &Rig) -> (Shown, AttemptRow) {
    let shown = rig.shown(Some(GOOD)).await;
    let row = marked(rig, &shown).await;
    send(rig, &shown, &row).await;
    (shown, row)
}

/// I19: a payment that cannot be read costs its own buyer's attempt the wait, and nobody else's.
#[tokio::test]
async fn an_unreadable_payment_holds_up_its_own_attempt_only() {
    let rig = Rig::start().await;
    rig.dodo.switch(json!({"rate_limit": "off"})).unwrap();
    let (poisoned, poisoned_row) = lost(&rig).await;
    show(&rig, &payment_of(&rig, &poisoned), &json!({"currency": null}));
    let mut others = Vec::new();
    for _ in 0..6 {
        others.push(lost(&rig).await);
    }
    rig.workers.reconciler.catch_up().await;
    for (shown, _) in &others {
        assert_eq!(rig.offer_state(shown).await, OfferState::Charged);
    }
    assert_eq!(row(&rig, &poisoned_row).await.state, AttemptState::Unknown);
    rig.pass(30 * 60).await;
    assert_eq!(row(&rig, &poisoned_row).await.state, AttemptState::Unknown, "not found is not known here");
    rig.pass_hours(49).await;
    let end = row(&rig, &poisoned_row).await;
    assert_eq!((end.state, end.next_check_at), (AttemptState::NeedsReview, None));
    // It becomes readable, and a webhook tells of it.
    show(&rig, &payment_of(&rig, &poisoned), &json!({"currency": "USD"}));
    rig.report(&rig.dodo, payment_of(&rig, &poisoned).as_str()).await.unwrap();
    assert_eq!(rig.offer_state(&poisoned).await, OfferState::Charged, "still settled by evidence");
}

/// Dodo fails to list this buyer, whoever else it lists.
fn fail_to_list(rig: &Rig, shown: &Shown) {
    let path = format!("/payments?customer_id={}", shown.offer.customer_id);
    rig.dodo.fault("GET", &path, json!("status_500"), u32::MAX).unwrap();
}

/// I19: buyers whom Dodo fails to list keep nobody else from being found, when they are all that is due and when they come
/// first.
#[tokio::test]
async fn buyers_who_cannot_be_listed_hold_up_nobody_else() {
    let rig = Rig::start().await;
    rig.dodo.switch(json!({"rate_limit": "off"})).unwrap();
    let mut unlisted = Vec::new();
    for _ in 0..3 {
        let (shown, _) = lost(&rig).await;
        fail_to_list(&rig, &shown);
        unlisted.push(shown);
        rig.pass_hours(2).await;
    }
    for shown in [lost(&rig).await.0, lost(&rig).await.0] {
        fail_to_list(&rig, &shown);
    }
    rig.pass(15 * 60).await;
    let (fresh, _) = lost(&rig).await;
    rig.pass(2 * 60).await;
    assert_eq!(rig.offer_state(&fresh).await, OfferState::Charged);

    let (old, _) = lost(&rig).await;
    fail_to_list(&rig, &old);
    rig.pass_hours(2).await;
    assert_eq!(rig.offer_state(&old).await, OfferState::Unknown);
    rig.dodo.control().clear_faults();
    for shown in &unlisted {
        fail_to_list(&rig, shown);
    }
    // All at once, as at a start.
    rig.store.make_live_due(rig.clock.now()).await.unwrap();
    rig.workers.reconciler.round().await.unwrap();
    assert_eq!(rig.offer_state(&old).await, OfferState::Charged);
}

/// I19: the gate opens although a payment of ours cannot be read, and what was only claimed in the backup stays closed.
#[tokio::test]
async fn an_unreadable_payment_does_not_keep_the_gate_shut() {
    let rig = Rig::start().await;
    let (poisoned, _) = lost(&rig).await;
    show(&rig, &payment_of(&rig, &poisoned), &json!({"currency": null}));
    let (good, _) = lost(&rig).await;
    let comparing = rig.workers.restoring.until_done(Closed::WentBack(None));
    tokio::time::timeout(Duration::from_secs(30), comparing).await.expect("it ends");
    rig.workers.reconciler.catch_up().await;
    assert_eq!(rig.offer_state(&good).await, OfferState::Charged);
    assert_eq!(rig.offer_state(&poisoned).await, OfferState::Unknown);
}

/// A one-click charge whose payment was named by the reply and cannot be read any more.
#[tokio::test]
async fn a_charge_that_cannot_be_read_is_not_pending_for_ever() {
    let rig = Rig::start().await;
    rig.dodo.switch(json!({"one_click_outcome": "processing", "processing_seconds": 0})).unwrap();
    let shown = rig.shown(Some(GOOD)).await;
    assert_eq!(rig.accept(&shown, "key-1").await.unwrap().status, Some(AttemptStatus::Processing));
    show(&rig, &payment_of(&rig, &shown), &json!({"currency": null}));
    rig.pass_hours(47).await;
    assert_eq!(latest(&rig, &shown).await.state, AttemptState::Pending { customer_action: false });
    rig.pass_hours(2).await;
    assert_eq!(latest(&rig, &shown).await.state, AttemptState::NeedsReview);
    let told = rig.accept(&shown, "key-1").await.unwrap();
    assert_eq!(told.status, Some(AttemptStatus::NeedsReview));
    let again = rig.accept(&shown, "key-2").await;
    assert!(again.is_err(), "{again:?}");
    assert_eq!(rig.dodo.posts_to("/checkouts"), 1);
}

/// I13: what Dodo calls pending is pending, with its link, and never late money, whether the bank waits for the buyer or the
/// method takes its time.
#[tokio::test]
async fn an_approval_that_takes_a_day_is_charged_and_not_given_back() {
    for (outcome, status) in
        [("challenge", AttemptStatus::RequiresCustomerAction), ("processing", AttemptStatus::Processing)]
    {
        let rig = refunding().await;
        rig.dodo
            .switch(json!({"one_click_outcome": outcome, "processing_seconds": 0, "challenge_payment_link": true}))
            .unwrap();
        let shown = rig.shown(Some(GOOD)).await;
        let waits = rig.accept(&shown, "key-1").await.unwrap();
        assert_eq!(waits.status, Some(status));
        rig.pass_hours(24).await;
        let still = rig.poll(&shown.session, &waits).await;
        assert_eq!((still.status, &still.checkout_url), (waits.status, &waits.checkout_url), "{outcome}");
        assert_eq!(waits.checkout_url.is_some(), outcome == "challenge");
        let payment = payment_of(&rig, &shown);
        rig.dodo.control().resolve_payment(payment.as_str(), IntentStatus::Succeeded, None).unwrap();
        rig.pass_hours(2).await;
        assert_eq!(rig.offer_state(&shown).await, OfferState::Charged, "{outcome}");
        rig.pass(60).await;
        assert_eq!(rig.dodo.refund_requests_of(payment.as_str()), 0, "{outcome}: it is no late money");
        rig.check(&shown).await;
    }
}

/// The same of a charge whose reply was lost: it is found by listing, and pending.
#[tokio::test]
async fn an_approval_of_a_lost_charge_is_waited_for_as_well() {
    let rig = refunding().await;
    rig.dodo.switch(json!({"one_click_outcome": "processing", "processing_seconds": 86_400})).unwrap();
    let (shown, _) = lost(&rig).await;
    rig.workers.reconciler.catch_up().await;
    assert_eq!(latest(&rig, &shown).await.state, AttemptState::Pending { customer_action: false });
    rig.pass(40 * 60).await;
    assert_eq!(rig.offer_state(&shown).await, OfferState::Pending);
    rig.pass_hours(26).await;
    assert_eq!(rig.offer_state(&shown).await, OfferState::Charged);
    assert_eq!(rig.dodo.refund_requests_of(payment_of(&rig, &shown).as_str()), 0);
}

/// The same of a change of plan.
#[tokio::test]
async fn a_plan_change_whose_approval_takes_a_day_is_made() {
    let rig = refunding().await;
    rig.dodo.switch(json!({"plan_change_outcome": "processing", "processing_seconds": 86_400})).unwrap();
    let (session, subscription) = rig.subscriber("prod_basic_plan", Vec::new());
    let quote = rig.previewed(&session, &change_to(&subscription, "prod_pro_plan")).await;
    let waits = rig.change(&session, &quote, "key-1").await.unwrap();
    rig.pass_hours(20).await;
    let still = rig.poll(&session, &waits).await;
    assert!(
        matches!(still.status, Some(AttemptStatus::Processing | AttemptStatus::InDoubt)),
        "not given up: {still:?}"
    );
    let id = waits.attempt_id.clone().unwrap();
    let state = rig.store.attempt_by_id(&id).await.unwrap().unwrap().state;
    assert!(matches!(state, AttemptState::Pending { .. } | AttemptState::Unknown), "{state:?}");
    rig.pass_hours(6).await;
    assert_eq!(rig.poll(&session, &waits).await.status, Some(AttemptStatus::Succeeded));
}

/// I13: after its limit it needs a person, is charged by nobody, and still counts when the bank approves after all.
#[tokio::test]
async fn after_the_limit_it_needs_review_and_still_counts() {
    let rig = refunding().await;
    rig.dodo.switch(json!({"one_click_outcome": "challenge", "challenge_payment_link": true})).unwrap();
    let shown = rig.shown(Some(GOOD)).await;
    let waits = rig.accept(&shown, "key-1").await.unwrap();
    rig.pass_hours(7 * 24 - 1).await;
    assert_eq!(rig.poll(&shown.session, &waits).await.status, Some(AttemptStatus::RequiresCustomerAction));
    rig.pass_hours(2).await;
    let told = rig.poll(&shown.session, &waits).await;
    assert_eq!((told.status, told.checkout_url), (Some(AttemptStatus::NeedsReview), None));
    assert!(rig.accept(&shown, "key-2").await.is_err());
    let payment = payment_of(&rig, &shown);
    rig.dodo.control().resolve_payment(payment.as_str(), IntentStatus::Succeeded, None).unwrap();
    rig.pass_hours(26).await;
    assert_eq!(rig.offer_state(&shown).await, OfferState::Charged);
    assert_eq!(rig.dodo.refund_requests_of(payment.as_str()), 0, "Dodo had called it pending all the time");
    assert_eq!(rig.dodo.posts_to("/checkouts"), 1);
}

/// A person decides: what Dodo calls pending may be fulfilled and not opened again; what was never found the other way
/// round.
#[tokio::test]
async fn what_needs_review_is_resolved_by_a_person_once() {
    let rig = Rig::start().await;
    rig.dodo.switch(json!({"one_click_outcome": "processing", "processing_seconds": 0})).unwrap();
    let pending = rig.shown(Some(GOOD)).await;
    rig.accept(&pending, "key-1").await.unwrap();
    rig.pass_hours(7 * 24 + 1).await;
    let never = rig.shown(Some(GOOD)).await;
    let never_row = marked(&rig, &never).await;
    rig.pass(30 * 60).await;
    rig.pass_hours(50).await;
    assert_eq!(row(&rig, &never_row).await.state, AttemptState::NeedsReview);
    let pending_row = latest(&rig, &pending).await;
    assert_eq!(pending_row.state, AttemptState::NeedsReview);

    for (id, refused) in [
        (&pending_row.id, Resolution::Reopen),
        (&pending_row.id, Resolution::Refund),
        (&never_row.id, Resolution::Fulfil),
        (&never_row.id, Resolution::Refund),
    ] {
        let refused = rig.resolving.resolve(id, refused).await;
        assert!(matches!(refused, Err(ResolveError::NotOpen(AttemptState::NeedsReview))), "{refused:?}");
    }
    rig.resolving.resolve(&pending_row.id, Resolution::Fulfil).await.unwrap();
    assert_eq!(rig.offer_state(&pending).await, OfferState::Charged);
    rig.resolving.resolve(&never_row.id, Resolution::Reopen).await.unwrap();
    assert_eq!(rig.offer_state(&never).await, OfferState::Presented);
    let twice = rig.resolving.resolve(&never_row.id, Resolution::Reopen).await;
    assert!(matches!(twice, Err(ResolveError::NotOpen(AttemptState::Dismissed))), "{twice:?}");
}
