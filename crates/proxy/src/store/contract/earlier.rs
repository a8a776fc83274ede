//! A store of an earlier version, once it is brought up to date.

use upsell_core::domain::{Billing, Person};

use super::*;
use crate::store::{People, Retention};

/// What was kept beyond need is gone, and everything else is as it was.
#[allow(
    dead_code,
    reason = "for the opening tests of each engine, and none opens an old store behind a pooler"
)]
pub(in super::super) async fn keeps_no_more_than_is_needed(store: &SqlStore) {
    let buyer = customer("cus_1");
    let billing = Billing { country: "US".into(), state: Some("CA".into()), zipcode: Some("94105".into()) };
    let purchase = store.purchase(&buyer, &payment("pay_0")).await.unwrap().unwrap();
    assert_eq!(purchase.billing.as_ref(), Some(&billing));
    for (table, column) in [("purchases", "billing"), ("offers", "plan"), ("quotes", "plan")] {
        let statement = format!("SELECT {column} FROM {table} WHERE tenant = {}", store.tenant);
        let text: String =
            sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_one(&store.readers).await.unwrap();
        assert!(
            text.contains("94105") && !text.contains("Market") && !text.contains("SF"),
            "{table}: {text}"
        );
    }
    let raw: Vec<u8> =
        sqlx::query_scalar("SELECT raw FROM inbox WHERE tenant = $1 AND applied_at IS NOT NULL")
            .bind(store.tenant)
            .fetch_one(&store.readers)
            .await
            .unwrap();
    assert!(raw.is_empty());
    // Refusals stand under the id until they are hashed, and under the hash afterwards.
    let person = Person { customer_id: buyer, email: None };
    let ledger = store.decline_ledger(&person).await.unwrap();
    assert_eq!(ledger.len(), 1);
    store.hash_refusals(9).await.unwrap();
    assert_eq!(store.decline_ledger(&person).await.unwrap(), ledger);
    // The plans as the migration wrote them are found by their postal codes.
    let late = UnixSeconds(i64::MAX);
    for what in [Purge::OfferAddresses, Purge::QuoteAddresses] {
        assert!(purge(store, what, late).await <= 1, "{what:?}");
        assert_eq!(purge(store, what, late).await, 0, "{what:?}");
    }
    let plan =
        store.offer(&person.customer_id, &OfferId::parse("of_1").unwrap()).await.unwrap().unwrap().plan;
    assert_eq!(plan, plan.clone().without_address());
}
