//! The store's promises again, behind a pooler in transaction mode: each transaction may be on another connection, and none
//! of them knows a prepared statement or a setting.

#[allow(clippy::duplicate_mod)]
#[path = "../contract/mod.rs"]
mod contract;

use super::{SHARED, SqlStore};

/// The same stores, opened through the pooler.
mod fixture {
    use std::sync::Arc;

    use secrecy::ExposeSecret as _;
    use test_postgres::Pooler;
    use upsell_core::domain::Tenant;

    use crate::store::postgres::{
        Address, PostgresStore,
        fixture::{Place, place, place_alone},
    };

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
        let direct = &place.database;
        let pooler = Pooler::shared().unwrap().to(direct.expose_secret()).into();
        Arc::new(PostgresStore::open(Address::behind_pooler(&pooler, direct), tenant).await.unwrap())
    }
}
