//! Lists and counts for the people who look after a proxy.

use upsell_core::domain::AttemptWord;

use super::*;
use crate::store::{AttemptFilter, Support};

async fn ids(store: &SqlStore, filter: AttemptFilter) -> Vec<String> {
    store.list_attempts(&filter).await.unwrap().iter().map(|row| row.id.to_string()).collect()
}

#[tokio::test]
async fn attempts_are_listed_by_state_and_buyer_and_counted() {
    let (place, store) = fresh().await;
    for (offer_id, attempt) in [("of_1", "at_1"), ("of_2", "at_2")] {
        let row = offered(&store, offer_id).await;
        sent(&store, &claim_of(&row, attempt, attempt)).await;
    }
    store.settle(&AttemptId::parse("at_1").unwrap(), &paid("pay_1")).await.unwrap();
    let all = AttemptFilter { limit: 10, ..AttemptFilter::default() };
    assert_eq!(ids(&store, all.clone()).await, ["at_2", "at_1"], "the newest first");
    assert_eq!(ids(&store, AttemptFilter { limit: 1, ..all.clone() }).await, ["at_2"]);
    let state = |state| AttemptFilter { state: Some(state), ..all.clone() };
    assert_eq!(ids(&store, state(AttemptWord::Succeeded)).await, ["at_1"]);
    assert!(ids(&store, state(AttemptWord::Failed)).await.is_empty());
    let of = |buyer| AttemptFilter { customer: Some(customer(buyer)), ..all.clone() };
    assert_eq!(ids(&store, of("cus_1")).await.len(), 2);
    assert!(ids(&store, of("cus_2")).await.is_empty());
    let counts = store.count_attempts().await.unwrap();
    let counts: Vec<_> = counts.iter().map(|count| (count.state, count.attempts, count.oldest)).collect();
    assert_eq!(counts, [(AttemptWord::Sent, 1, NOW), (AttemptWord::Succeeded, 1, NOW)]);
    let seen = store.payments_of(&AttemptId::parse("at_1").unwrap()).await.unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].payment.id.as_str(), seen[0].surplus), ("pay_1", false));
    // Nothing of it is another merchant's.
    let stranger = Tenant { merchant: format!("{}-other", place.tenant.merchant), ..place.tenant.clone() };
    drop(store);
    let other = opened(&place, &stranger).await;
    assert!(ids(&other, all).await.is_empty());
    assert!(other.count_attempts().await.unwrap().is_empty());
}
