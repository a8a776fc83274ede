//! Stores for tests, in folders of their own.

use std::sync::Arc;

use dodo_client::Mode;
use tempfile::TempDir;
use upsell_core::domain::Tenant;

use super::SqliteStore;

/// Where a store is.
pub(super) struct Place {
    folder: TempDir,
    pub(super) tenant: Tenant,
}

pub(super) fn tenant(merchant: &str) -> Tenant {
    Tenant { merchant: merchant.into(), mode: Mode::Test }
}

pub(super) async fn fresh() -> (Place, Arc<SqliteStore>) {
    let place = Place { folder: tempfile::tempdir().unwrap(), tenant: tenant("shop") };
    let store = opened(&place, &place.tenant).await;
    (place, store)
}

/// Returns a fresh store: each has a database of its own.
pub(super) async fn alone() -> (Place, Arc<SqliteStore>) {
    fresh().await
}

pub(super) async fn opened(place: &Place, tenant: &Tenant) -> Arc<SqliteStore> {
    testkit::statements::record().unwrap();
    Arc::new(SqliteStore::open(&place.folder.path().join("proxy.db"), tenant).await.unwrap())
}
