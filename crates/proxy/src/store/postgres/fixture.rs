//! Stores for tests: one database of a real server, a tenant for each test.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU32, Ordering},
};

use dodo_client::Mode;
use secrecy::SecretString;
use test_postgres::Server;
use upsell_core::domain::Tenant;

use super::PostgresStore;

/// Where a store is.
pub(super) struct Place {
    pub(super) tenant: Tenant,
    pub(super) database: SecretString,
}

/// The database that the tests share, each as another tenant.
pub(super) fn database() -> SecretString {
    static DATABASE: OnceLock<String> = OnceLock::new();
    DATABASE.get_or_init(|| Server::shared().unwrap().fresh_database().unwrap()).clone().into()
}

/// A shop that has nothing yet.
pub(super) fn place() -> Place {
    static SHOPS: AtomicU32 = AtomicU32::new(0);
    let merchant = format!("shop-{}", SHOPS.fetch_add(1, Ordering::Relaxed));
    Place { tenant: Tenant { merchant, mode: Mode::Test }, database: database() }
}

/// A shop that shares its database with no other.
pub(super) fn place_alone() -> Place {
    let database = Server::shared().unwrap().fresh_database().unwrap().into();
    Place { database, ..place() }
}

pub(super) async fn fresh() -> (Place, Arc<PostgresStore>) {
    let place = place();
    let store = opened(&place, &place.tenant).await;
    (place, store)
}

pub(super) async fn alone() -> (Place, Arc<PostgresStore>) {
    let place = place_alone();
    let store = opened(&place, &place.tenant).await;
    (place, store)
}

pub(super) async fn opened(place: &Place, tenant: &Tenant) -> Arc<PostgresStore> {
    testkit::statements::record().unwrap();
    Arc::new(PostgresStore::open(&place.database, tenant).await.unwrap())
}
