//! What is wrong at the end of a story, by the simulator's ledger and the store.

use std::collections::BTreeMap;

use anyhow::Context as _;
use dodo_client::ids::PaymentId;
use dodo_sim::Charge;
use testkit::{Dodo, InProcessServices, attempt_in, attempt_of, standing_clock};
use upsell_core::{
    domain::{AttemptKind, AttemptRow, AttemptState, OfferState, OrderState},
    journal::states::is_live,
};
use wire::{AttemptId, IdempotencyKey};

use super::story::{Story, Told};
use crate::{
    lives::World,
    report::{Broken, Report},
};

pub(super) async fn judge(
    world: &World,
    story: &Story,
    seed: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let shown = story.shown.as_ref().context("no page was shown")?;
    let customer = shown.offer.customer_id.as_str();
    let posts = world.dodo.charging_requests_of(customer);
    let collected = world.dodo.collected_from(customer);
    report.runs = report.runs.saturating_add(1);
    report.posts = report.posts.saturating_add(u64::try_from(posts.len())?);
    let mut broken =
        |promise, what: String| report.broken(promise, seed, format!("{:?}: {what}", story.scenario));

    // I1, I8.
    if collected.len() > 1 {
        broken(Broken::Double, format!("{} payments", collected.len()));
    }
    if collected.iter().any(|charge| charge.amount > shown.quote.quote.total) {
        broken(Broken::Double, "more was collected than was shown".to_owned());
    }
    // I3.
    let mut by_attempt: BTreeMap<String, u32> = BTreeMap::new();
    for post in &posts {
        let sent = by_attempt.entry(attempt_in(post).unwrap_or_default()).or_default();
        *sent = sent.saturating_add(1);
    }
    for (attempt, sent) in by_attempt.iter().filter(|(_, sent)| **sent > 1) {
        broken(Broken::Double, format!("{attempt} was sent {sent} times"));
    }
    // I7.
    if story.declined && posts.len() > story.posts_when_declined {
        broken(Broken::Double, "something was sent after a refusal".to_owned());
    }

    let services = InProcessServices::start(&world.dodo, &world.database, &standing_clock()).await?;
    let offer = services.offer(shown).await?;
    let latest = services.store.latest_attempt(&shown.offer.id).await?;
    // I4: whatever was sent is on record as such.
    for attempt in by_attempt.keys() {
        let history = services.store.history(&AttemptId::parse(attempt.as_str())?).await?;
        if !history.iter().any(|line| line.event == "sent") {
            broken(Broken::Double, format!("{attempt} was sent without its mark"));
        }
    }
    // I5, I9, and that nothing is claimed to be paid which is not.
    let recorded = latest.as_ref().filter(|row| row.state == AttemptState::Succeeded);
    match (collected.first(), recorded) {
        (None, None) if offer.state == OfferState::Charged => {
            broken(Broken::Lie, "charged without a payment".to_owned());
        }
        (None, Some(_)) => broken(Broken::Lie, "succeeded without a payment".to_owned()),
        (Some(_), None) => broken(Broken::Lost, format!("paid, and the offer is {:?}", offer.state)),
        (Some(charge), Some(row)) => {
            let on_record = row.payment_id.as_ref().is_some_and(|id| id.as_str() == charge.payment_id)
                && row.receipt.as_ref().is_some_and(|receipt| receipt.amount == charge.amount)
                && row.consent.amount == shown.quote.quote.total
                && offer.state == OfferState::Charged;
            if !on_record {
                broken(Broken::Lost, format!("paid, and not on record as it is: {:?}", offer.state));
            }
        }
        (None, None) => {}
    }
    // Refunds go by the same rules.
    for charge in &collected {
        for (promise, what) in refunds(&world.dodo, &services, charge, latest.as_ref()).await? {
            broken(promise, what.to_owned());
        }
    }
    // I13, I6.
    if let Some(row) = &latest
        && is_live(row.state)
        && row.kind != AttemptKind::Hosted
    {
        broken(Broken::Stuck, format!("{:?} after half an hour", row.state));
    }
    if matches!(offer.state, OfferState::Accepting | OfferState::Unknown) {
        broken(Broken::Stuck, format!("the offer is {:?} after half an hour", offer.state));
    }
    // I12.
    for (key, told) in &story.told {
        let paid = |id: &str| collected.iter().any(|charge| attempt_of(charge).as_deref() == Some(id));
        match told {
            Told::Failed(id) if paid(id.as_str()) => {
                broken(Broken::Lie, format!("{id} was said to have failed and was paid"));
            }
            Told::Refused if is_last_word(story, *key) => {
                let key = IdempotencyKey::parse(format!("key-{seed}-{key}"))?;
                let row = services.store.attempt_by_key(&shown.offer.customer_id, &key).await?;
                if row.is_some_and(|row| paid(row.id.as_str())) {
                    broken(Broken::Lie, "a click was refused and was paid".to_owned());
                }
            }
            _ => {}
        }
    }
    services.store.close().await;
    Ok(())
}

/// What is wrong about the refunds of a payment.
async fn refunds(
    dodo: &Dodo,
    services: &InProcessServices,
    charge: &Charge,
    row: Option<&AttemptRow>,
) -> anyhow::Result<Vec<(Broken, &'static str)>> {
    let payment = PaymentId::parse(charge.payment_id.as_str())?;
    let (requests, back) =
        (dodo.refund_requests_of(payment.as_str()), dodo.given_back(payment.as_str()).await?);
    let order = services.store.refund_order(&payment).await?;
    let sale = services.store.sale(&payment).await?;
    let given_up = match row {
        Some(row) => services.store.history(&row.id).await?.iter().any(|line| line.event == "abandoned"),
        None => false,
    };
    let state = order.as_ref().map(|order| order.state);
    let mut wrong = Vec::new();
    let mut check = |is_wrong: bool, promise, what| {
        if is_wrong {
            wrong.push((promise, what));
        }
    };
    check(requests > 1, Broken::Double, "a refund was requested twice");
    check(back > charge.amount, Broken::Double, "more went back than was collected");
    let marked = order.as_ref().is_some_and(|order| order.sent_at.is_some());
    check(requests > 0 && !marked, Broken::Double, "a refund was requested without its mark");
    check(
        given_up != order.is_some(),
        Broken::Lost,
        "late money, and no order to give it back, or the reverse",
    );
    check(state == Some(OrderState::Due), Broken::Stuck, "a refund is due after half an hour");
    check(state == Some(OrderState::Refused), Broken::Lie, "a refund was called refused and was not");
    check(state == Some(OrderState::Done) && back == 0, Broken::Lie, "a refund was called done and was not");
    check(
        back > 0 && state != Some(OrderState::Done),
        Broken::Lost,
        "money went back, and that is not on record",
    );
    check(
        sale.is_some_and(|sale| sale.refunded != back),
        Broken::Lost,
        "the sale does not know what went back",
    );
    Ok(wrong)
}

/// Whether nothing was said about this key that says otherwise.
fn is_last_word(story: &Story, key: u32) -> bool {
    story.told.iter().filter(|(about, _)| *about == key).all(|(_, told)| *told == Told::Refused)
}
