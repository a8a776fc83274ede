//! What is counted as a change of plan.

use upsell_core::domain::{AttemptKind, PlanChanges};
use wire::FailureReason;

use super::*;
use crate::store::Changes;

/// A change as it is to have been made: on which subscription, from which plan to which, so many seconds after [`NOW`].
struct Change {
    subscription: &'static str,
    from: Option<&'static str>,
    to: &'static str,
    after: i64,
}

const fn change(subscription: &'static str, from: &'static str, to: &'static str, after: i64) -> Change {
    Change { subscription, from: Some(from), to, after }
}

/// Makes it, with this end.
async fn made(store: &SqlStore, id: &str, change: &Change, end: Observation) {
    let subscription_id = SubscriptionId::parse(change.subscription).unwrap();
    let plan = ChargePlan::PlanChange {
        subscription_id: subscription_id.clone(),
        product_id: product(change.to),
        quantity: 1,
        addons: Vec::new(),
        proration: dodo_client::types::plan_changes::ProrationMode::DifferenceImmediately,
        effective_at: EffectiveAt::Immediately,
    };
    let quote = QuoteRow { plan, from_plan: change.from.map(product), ..quote(&format!("qt_{id}"), None) };
    store.put_quote(&quote).await.unwrap();
    assert_eq!(store.quote(&quote.customer_id, &quote.quote.id).await.unwrap().unwrap(), quote);
    let attempt = AttemptRow {
        id: AttemptId::parse(format!("at_{id}")).unwrap(),
        subscription_id: Some(subscription_id),
        quote_id: quote.quote.id.clone(),
        kind: AttemptKind::PlanChange,
        key: Some(IdempotencyKey::parse(id).unwrap()),
        created_at: UnixSeconds(NOW.0 + change.after),
        lease_until: UnixSeconds(NOW.0 + 1_000_000),
        ..AttemptRow::example()
    };
    let row = sent(store, &Claim::of(attempt)).await;
    store.settle(&row.id, &seen(end)).await.unwrap();
}

async fn all_made(store: &SqlStore, changes: &[Change]) {
    for (no, change) in changes.iter().enumerate() {
        let end = if no % 2 == 0 { Observation::Succeeded } else { Observation::Scheduled };
        made(store, &no.to_string(), change, end).await;
    }
}

async fn counted(store: &SqlStore, since: i64, most: u32) -> Vec<(String, String, u32)> {
    let counts = store.plan_changes(UnixSeconds(NOW.0 + since), most).await.unwrap();
    let told = |PlanChanges { from, to, subscriptions }| (from.to_string(), to.to_string(), subscriptions);
    counts.into_iter().map(told).collect()
}

fn count(from: &str, to: &str, subscriptions: u32) -> (String, String, u32) {
    (from.into(), to.into(), subscriptions)
}

#[tokio::test]
async fn subscriptions_are_counted_by_their_latest_change_of_plan() {
    let (place, store) = fresh().await;
    all_made(
        &store,
        &[
            change("sub_1", "basic", "pro", 1),
            change("sub_2", "basic", "pro", 2),
            change("sub_3", "basic", "max", 3),
            change("sub_4", "max", "basic", 4),
            // Thought better of it: counts where it ended.
            change("sub_3", "max", "pro", 5),
            // Other seats are no other plan, and take nothing back.
            change("sub_1", "pro", "pro", 6),
            // Written before it was noted from which plan a change goes, or rebuilt from a payment.
            Change { subscription: "sub_5", from: None, to: "pro", after: 7 },
        ],
    )
    .await;
    let all = [count("basic", "pro", 2), count("max", "basic", 1), count("max", "pro", 1)];
    assert_eq!(counted(&store, 0, 100).await, all);
    // Nothing of it is another merchant's.
    let stranger = Tenant { merchant: format!("{}-other", place.tenant.merchant), ..place.tenant.clone() };
    drop(store);
    let other = opened(&place, &stranger).await;
    assert!(counted(&other, 0, 100).await.is_empty());
}

#[tokio::test]
async fn only_the_latest_changes_within_the_time_are_counted() {
    let (_place, store) = fresh().await;
    all_made(
        &store,
        &[
            change("sub_1", "basic", "pro", 100),
            change("sub_2", "basic", "max", 200),
            change("sub_3", "basic", "pro", 300),
        ],
    )
    .await;
    assert_eq!(counted(&store, 100, 9).await, [count("basic", "max", 1), count("basic", "pro", 2)]);
    assert_eq!(counted(&store, 101, 9).await, [count("basic", "max", 1), count("basic", "pro", 1)]);
    assert!(counted(&store, 301, 9).await.is_empty());
    assert_eq!(counted(&store, 0, 1).await, [count("basic", "pro", 1)]);
}

#[tokio::test]
async fn what_was_not_made_is_not_counted() {
    let (_place, store) = fresh().await;
    let ends = [
        Observation::Failed(FailureReason::Declined),
        Observation::Unknown,
        Observation::Pending { customer_action: false },
    ];
    for (no, end) in ends.into_iter().enumerate() {
        let subscription = ["sub_1", "sub_2", "sub_3"][no];
        made(&store, &no.to_string(), &change(subscription, "basic", "pro", 1), end).await;
    }
    // A purchase is none, whatever it is of.
    let row = offered(&store, "of_1").await;
    let bought = sent(&store, &claim_of(&row, "at_bought", "key-bought")).await;
    store.settle(&bought.id, &paid("pay_1")).await.unwrap();
    assert!(counted(&store, 0, 100).await.is_empty());
}

/// Money that came in beside a change that was made is looked at by a person; it is no second choice.
#[tokio::test]
async fn a_surplus_change_is_not_counted() {
    let (_place, store) = fresh().await;
    made(&store, "1", &change("sub_1", "basic", "max", 1), Observation::Succeeded).await;
    made(&store, "2", &change("sub_1", "basic", "pro", 2), Observation::Succeeded).await;
    sqlx::query("UPDATE attempts SET surplus = TRUE WHERE tenant = $1 AND id = 'at_2'")
        .bind(store.tenant)
        .execute(&store.writer)
        .await
        .unwrap();
    assert_eq!(counted(&store, 0, 100).await, [count("basic", "max", 1)]);
}
