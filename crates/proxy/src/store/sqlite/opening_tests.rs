//! What a store refuses to open, and what survives a restart.

use upsell_core::{
    domain::{EquivalenceKey, OfferRow},
    journal::{
        ClaimOutcome,
        fixtures::{claim_of, offer, quote},
    },
};

use super::{
    fixture::{fresh, tenant},
    *,
};
use crate::store::{
    Attempts, Execute, Offers, Quotes, RefundOrders, Sales,
    earlier::{check_earlier_webhooks, earlier_rows},
};

#[tokio::test]
async fn a_second_process_is_kept_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy.db");
    let first = SqliteStore::open(&path, &tenant("shop")).await.unwrap();
    let refused = SqliteStore::open(&path, &tenant("shop")).await.unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    first.close().await;
    drop(first);
    SqliteStore::open(&path, &tenant("shop")).await.unwrap();
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no/such/folder/proxy.db");
    let refused = SqliteStore::open(&missing, &tenant("shop")).await.unwrap_err();
    assert!(matches!(refused, OpenError::Unwritable { .. }), "{refused}");
    assert!(refused.to_string().contains("cannot be written"), "{refused}");
    let taken = folder.path().join("folder.db");
    std::fs::create_dir(&taken).unwrap();
    let refused = SqliteStore::open(&taken, &tenant("shop")).await.unwrap_err();
    assert!(matches!(refused, OpenError::Unwritable { .. }), "{refused}");
}

#[tokio::test]
async fn what_is_not_a_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy.db");
    std::fs::write(&path, "this is a shopping list, and a long one at that").unwrap();
    let refused = SqliteStore::open(&path, &tenant("shop")).await.unwrap_err();
    assert!(matches!(refused, OpenError::Engine { .. }), "{refused}");
}

#[tokio::test]
async fn a_commit_is_on_the_disk_when_it_returns() {
    let (_folder, store) = fresh().await;
    for pool in [&store.writer, &store.readers] {
        let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(pool).await.unwrap();
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(pool).await.unwrap();
        assert_eq!((synchronous, journal.as_str()), (2, "wal"));
    }
}

/// Claims an offer of its own.
async fn claim_one(store: &SqliteStore, no: usize) -> Result<ClaimOutcome, StoreError> {
    let row = OfferRow { equivalence: EquivalenceKey(format!("product:{no}")), ..offer(&format!("of_{no}")) };
    let row = store.insert_offer_if_absent(&row).await?.row();
    store.put_quote(&quote(&format!("qt_of_{no}"), Some(&row))).await?;
    store.execute(&claim_of(&row, &format!("at_{no}"), &format!("key-{no}"))).await
}

/// What cannot be written is refused whole, and what was written is there. With room again it goes on.
#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing() {
    let (_folder, store) = fresh().await;
    // No more pages than there are.
    sqlx::query("PRAGMA max_page_count = 1").execute(&store.writer).await.unwrap();
    let mut kept = 0;
    let refused = loop {
        match claim_one(&store, kept).await {
            Ok(outcome) => assert!(matches!(outcome, ClaimOutcome::Claimed(_)), "{outcome:?}"),
            Err(error) => break error,
        }
        kept += 1;
    };
    assert!(matches!(refused, StoreError::Engine(_)), "{refused}");
    for no in 0..=kept {
        let id = wire::AttemptId::parse(format!("at_{no}")).unwrap();
        assert_eq!(store.attempt_by_id(&id).await.unwrap().is_some(), no < kept, "{no} of {kept}");
    }
    sqlx::query("PRAGMA max_page_count = 1000000").execute(&store.writer).await.unwrap();
    assert!(matches!(claim_one(&store, kept).await.unwrap(), ClaimOutcome::Claimed(_)));
}

#[tokio::test]
async fn readers_cannot_write() {
    let (_folder, store) = fresh().await;
    assert!(sqlx::query("DELETE FROM sessions").execute(&store.readers).await.is_err());
}

/// A store from before there were codes keeps everything, and says since when its charges are signed.
#[tokio::test]
async fn a_store_of_an_earlier_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true).foreign_keys(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let migrations = MIGRATIONS.iter().filter(|migration| migration.version <= 3).cloned().collect();
    Migrator { migrations, ..Migrator::DEFAULT }.run(&pool).await.unwrap();
    for statement in earlier_rows("zeroblob(32)") {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&pool).await.unwrap();
    }
    pool.close().await;

    for opening in ["the first", "a second"] {
        let store = SqliteStore::open(&path, &tenant("shop")).await.unwrap();
        assert_eq!(store.identity.name, "st_old", "{opening}");
        assert!(store.identity.signed_since.0 > 1_700_000_000, "{opening}");
        let attempt = store.attempt_by_id(&wire::AttemptId::parse("at_1").unwrap()).await.unwrap().unwrap();
        assert_eq!((attempt.agreed, attempt.consent.amount), (None, 1900), "{opening}");
        let payment = dodo_client::ids::PaymentId::parse("pay_1").unwrap();
        assert_eq!(store.sale(&payment).await.unwrap().unwrap().collected.unwrap().amount, 1900, "{opening}");
        assert_eq!(store.refund_order(&payment).await.unwrap().unwrap().amount, Some(5), "{opening}");
        if opening == "a second" {
            super::contract::earlier::keeps_no_more_than_is_needed(&store).await;
        }
        let keys: i64 = sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&store.writer).await.unwrap();
        let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(&store.writer).await.unwrap();
        assert_eq!((keys, broken.len()), (1, 0), "{opening}");
        if opening == "a second" {
            check_earlier_webhooks(&store).await;
        }
        store.close().await;
    }
}
