//! What a store refuses to open, and what survives a restart.

use super::{
    fixture::{fresh, tenant},
    *,
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

#[tokio::test]
async fn readers_cannot_write() {
    let (_folder, store) = fresh().await;
    assert!(sqlx::query("DELETE FROM sessions").execute(&store.readers).await.is_err());
}
