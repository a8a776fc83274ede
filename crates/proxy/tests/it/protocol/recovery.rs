//! Crashes at every step, and outages of many at once. A crash is played by doing by hand what the process had done
//! before it died.

use proxy::{clock::Clock, ids, store::Execute};
use serde_json::json;
use upsell_core::{
    domain::{
        AttemptKind, AttemptRow, AttemptState, ConsentRecord, Fingerprint, OfferState, OfferTags, Tags,
    },
    journal::{Claim, ClaimOutcome, MarkSent},
};
use wire::{AttemptStatus, IdempotencyKey, UnixSeconds};

use super::rig::{GOOD, Rig, Shown};

/// A claim as the process wrote it before it died.
async fn claimed(rig: &Rig, shown: &Shown) -> AttemptRow {
    let now = rig.clock.now();
    let attempt = AttemptRow {
        id: ids::attempt_id().unwrap(),
        offer_id: Some(shown.offer.id.clone()),
        subscription_id: None,
        no: 1,
        customer_id: shown.offer.customer_id.clone(),
        quote_id: shown.quote.quote.id.clone(),
        kind: AttemptKind::OneClick,
        key: Some(IdempotencyKey::parse("key-of-the-dead").unwrap()),
        fingerprint: Fingerprint([1; 32]),
        state: AttemptState::Claimed,
        replacement: None,
        checkout_session_id: None,
        checkout_url: None,
        payment_id: None,
        receipt: None,
        consent: ConsentRecord {
            amount: shown.quote.quote.total,
            currency: shown.quote.quote.currency,
            at: now,
            shown: None,
        },
        agreed: None,
        created_at: now,
        lease_until: UnixSeconds(now.0 + 90),
        next_check_at: Some(UnixSeconds(now.0 + 90)),
        checks: 0,
        clean_looks: 0,
    };
    match rig.store.execute(&Claim::of(attempt)).await.unwrap() {
        ClaimOutcome::Claimed(row) => row,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn marked(rig: &Rig, shown: &Shown) -> AttemptRow {
    let row = claimed(rig, shown).await;
    let now = rig.clock.now();
    let (next_check_at, agreed) = (UnixSeconds(now.0 + 45), shown.quote.quote.total);
    let mark = MarkSent { attempt: row.id.clone(), now, next_check_at, agreed };
    assert!(rig.store.execute(&mark).await.unwrap());
    row
}

/// What the process wrote into the metadata of its request.
pub(super) fn tags(rig: &Rig, shown: &Shown, row: &AttemptRow) -> Tags {
    Tags {
        store: rig.store.identity().name.clone(),
        mode: rig.store.identity().mode,
        attempt: row.id.clone(),
        kind: row.kind,
        quote: row.quote_id.clone(),
        items: vec![(shown.offer.plan.product_id().clone(), shown.offer.plan.quantity())],
        addons: Vec::new(),
        subscription: None,
        customer: row.customer_id.clone(),
        agreed: shown.quote.quote.total_money(),
        offer: Some(OfferTags {
            id: shown.offer.id.clone(),
            campaign: shown.offer.campaign.clone(),
            kind: shown.offer.kind,
            trigger_ref: shown.offer.trigger_ref.clone(),
            original: shown.offer.purchase.clone(),
        }),
    }
}

/// The request that the process sent before it died.
pub(super) async fn send(rig: &Rig, shown: &Shown, row: &AttemptRow) {
    let tags = tags(rig, shown, row);
    let method = rig.stored_quote(shown).await.payment_method_id.unwrap();
    let evidence =
        rig.gateway.charge(&shown.offer.plan, &shown.offer.customer_id, &method, &tags).await.unwrap();
    assert!(matches!(evidence, dodo_client::ChargeEvidence::Accepted { .. }), "{evidence:?}");
}

#[tokio::test]
async fn died_before_the_mark_nothing_was_sent_and_the_offer_opens_again() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let row = claimed(&rig, &shown).await;
    rig.workers.reconciler.catch_up().await;
    let row = rig.store.attempt_by_id(&row.id).await.unwrap().unwrap();
    assert_eq!((row.state, row.key), (AttemptState::Released, None));
    assert_eq!(rig.offer_state(&shown).await, OfferState::Presented);
    // The browser repeats its request with the key that it had stored.
    let attempt = rig.accept(&shown, "key-of-the-dead").await.unwrap();
    assert_eq!(attempt.status, Some(AttemptStatus::Succeeded));
    assert_eq!(rig.dodo.posts_to("/checkouts"), 1);
}

/// I4, I5.
#[tokio::test]
async fn died_after_sending_the_charge_is_found_by_its_metadata() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let row = marked(&rig, &shown).await;
    send(&rig, &shown, &row).await;
    rig.workers.reconciler.catch_up().await;
    let found = rig.store.attempt_by_id(&row.id).await.unwrap().unwrap();
    assert_eq!(found.state, AttemptState::Succeeded);
    assert_eq!(found.receipt.unwrap().amount, shown.quote.quote.total);
    assert_eq!(rig.offer_state(&shown).await, OfferState::Charged);
    assert_eq!(rig.dodo.posts_to("/checkouts"), 1);
}

/// I13, and "not listed" proves nothing: the button stays closed.
#[tokio::test]
async fn died_after_the_mark_without_sending_it_is_given_up_and_never_sent() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let row = marked(&rig, &shown).await;
    rig.workers.reconciler.catch_up().await;
    rig.pass(19 * 60).await;
    assert_eq!(rig.offer_state(&shown).await, OfferState::Unknown);
    rig.pass(11 * 60).await;
    assert_eq!(rig.offer_state(&shown).await, OfferState::Abandoned);
    rig.pass(50 * 3600).await;
    let end = rig.store.attempt_by_id(&row.id).await.unwrap().unwrap();
    assert_eq!((end.state, end.next_check_at), (AttemptState::NeedsReview, None), "the watch really ends");
    assert_eq!(rig.offer_state(&shown).await, OfferState::Abandoned, "and opens nothing");
    assert_eq!(rig.dodo.posts_to("/checkouts"), 0);
}

/// I5: money that comes to light after giving up still counts.
#[tokio::test]
async fn what_was_given_up_is_watched_and_late_money_is_believed() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let row = marked(&rig, &shown).await;
    rig.workers.reconciler.catch_up().await;
    rig.pass(30 * 60).await;
    assert_eq!(rig.offer_state(&shown).await, OfferState::Abandoned);
    send(&rig, &shown, &row).await;
    rig.pass(2 * 3600).await;
    assert_eq!(rig.offer_state(&shown).await, OfferState::Charged);
}

/// A recovery must not take an attempt from a process that is alive.
#[tokio::test]
async fn a_live_claim_is_left_alone() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let row = claimed(&rig, &shown).await;
    rig.pass(60).await;
    assert_eq!(rig.store.attempt_by_id(&row.id).await.unwrap().unwrap().state, AttemptState::Claimed);
    rig.pass(60).await;
    assert_eq!(rig.store.attempt_by_id(&row.id).await.unwrap().unwrap().state, AttemptState::Released);
}

/// An outage leaves many behind: they are found by listings, not one by one. A listing leaves out what was bought, so that
/// each match is looked at.
#[tokio::test]
async fn an_outage_is_settled_with_few_calls() {
    let rig = Rig::start().await;
    // Making them takes more requests than Dodo allows in a second.
    rig.dodo.switch(json!({"rate_limit": "off"})).unwrap();
    let mut left_behind = Vec::new();
    for _ in 0..30 {
        let shown = rig.shown(Some(GOOD)).await;
        let row = marked(&rig, &shown).await;
        send(&rig, &shown, &row).await;
        left_behind.push((shown, row));
    }
    let before = rig.dodo.requests_to("GET", "/payments");
    rig.workers.reconciler.catch_up().await;
    assert_eq!(rig.dodo.requests_to("GET", "/payments") - before, 1 + left_behind.len());
    for (shown, row) in left_behind {
        let settled = rig.store.attempt_by_id(&row.id).await.unwrap().unwrap();
        assert_eq!(settled.state, AttemptState::Succeeded);
        assert_eq!(settled.receipt.unwrap().amount, shown.quote.quote.total);
    }
}

/// Dodo is away when the proxy starts: it starts, and finds out later.
#[tokio::test]
async fn recovery_outlasts_an_outage_of_dodo() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let row = marked(&rig, &shown).await;
    send(&rig, &shown, &row).await;
    let fault = dodo_sim::NewFault {
        path: Some("/payments".into()),
        kind: json!("status_503_before"),
        ..dodo_sim::NewFault::default()
    };
    rig.dodo.control().fault(fault).unwrap();
    rig.workers.reconciler.catch_up().await;
    assert_eq!(rig.offer_state(&shown).await, OfferState::Unknown);
    rig.dodo.control().clear_faults();
    rig.pass(120).await;
    assert_eq!(rig.offer_state(&shown).await, OfferState::Charged);
}
