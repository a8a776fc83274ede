//! What a server is refused for, and what only several proxies on one database show.

use secrecy::ExposeSecret as _;
use sqlx::PgPool;
use test_postgres::Server;
use wire::UnixSeconds;

use super::{
    fixture::{database, fresh, opened},
    *,
};
use crate::{
    clock::{Clock, SystemClock},
    store::{
        Attempts, Database, Inbox, RefundOrders, Sales,
        earlier::{check_earlier_webhooks, earlier_rows},
    },
};

async fn opening(server: &Server) -> Result<PostgresStore, OpenError> {
    let tenant = Tenant { merchant: "shop".into(), mode: dodo_client::Mode::Test };
    PostgresStore::open(&SecretString::from(server.fresh_database().unwrap()), &tenant).await
}

#[tokio::test]
async fn a_server_that_forgets_commits_is_refused() {
    for setting in ["fsync=off", "synchronous_commit=off", "synchronous_commit=remote_write"] {
        let server = Server::start(&[setting]).unwrap();
        let refused = opening(&server).await.unwrap_err();
        let (name, _) = setting.split_once('=').unwrap();
        assert!(matches!(&refused, OpenError::NotDurable { setting, .. } if *setting == name), "{refused}");
        let url = SecretString::from(server.fresh_database().unwrap());
        let examined = PostgresStore::examine(&url, &shop()).await.unwrap_err();
        assert_eq!(examined.to_string(), refused.to_string());
    }
}

#[tokio::test]
async fn a_server_is_examined_without_changing_it() {
    let url = SecretString::from(Server::shared().unwrap().fresh_database().unwrap());
    let (known, now) = PostgresStore::examine(&url, &shop()).await.unwrap();
    assert!(!known && now.0 > 1_700_000_000, "{now:?}");
    assert!(!PostgresStore::examine(&url, &shop()).await.unwrap().0, "looking made something");
    let _store = PostgresStore::open(&url, &shop()).await.unwrap();
    assert!(PostgresStore::examine(&url, &shop()).await.unwrap().0);
}

fn shop() -> Tenant {
    Tenant { merchant: "shop".into(), mode: dodo_client::Mode::Test }
}

#[tokio::test]
async fn a_missing_database_is_refused_without_showing_the_address() {
    let url = SecretString::from("postgres://tests:hunter2@127.0.0.1:1/none".to_owned());
    let tenant = Tenant { merchant: "shop".into(), mode: dodo_client::Mode::Test };
    let refused = PostgresStore::open(&url, &tenant).await.unwrap_err();
    assert!(matches!(refused, OpenError::Engine(_)), "{refused}");
    assert!(!format!("{refused} {refused:?}").contains("hunter2"));
}

#[tokio::test]
async fn several_proxies_may_start_on_an_empty_database_at_once() {
    let url = SecretString::from(Server::shared().unwrap().fresh_database().unwrap());
    let starts = (0..4).map(|_| {
        let url = url.clone();
        async move {
            let tenant = Tenant { merchant: "shop".into(), mode: dodo_client::Mode::Test };
            PostgresStore::open(&url, &tenant).await.unwrap().tenant
        }
    });
    let tenants: std::collections::BTreeSet<_> =
        futures_util::future::join_all(starts).await.into_iter().collect();
    assert_eq!(tenants.len(), 1);
}

#[tokio::test]
async fn the_database_tells_the_time() {
    let (_place, store) = fresh().await;
    let clock = DatabaseClock::start(&store).await.unwrap();
    // The server is on this machine: its clock is ours, give or take the second that is passing.
    let apart = clock.now().0.abs_diff(SystemClock.now().0);
    assert!(apart <= 1, "{apart}");
}

#[tokio::test]
async fn what_one_proxy_keeps_the_other_finds() {
    let (place, first) = fresh().await;
    let second = opened(&place, &place.tenant).await;
    first.inbox_insert("msg_1", "payment.succeeded", b"{}", UnixSeconds(1), UnixSeconds(61)).await.unwrap();
    let again = second
        .inbox_insert("msg_1", "payment.succeeded", b"{}", UnixSeconds(1), UnixSeconds(61))
        .await
        .unwrap();
    assert_eq!(again, crate::store::InboxInsert::Unapplied);
}

#[tokio::test]
async fn the_address_in_the_environment_is_enough() {
    let database = Database::parse(&database()).unwrap();
    let tenant = Tenant { merchant: "by-url".into(), mode: dodo_client::Mode::Test };
    let opened = crate::store::open(&database, &tenant).await.unwrap();
    opened.store.ping().await.unwrap();
    assert!(opened.clock.is_some());
}

/// A store from before there were codes keeps everything, and says since when its charges are signed.
#[tokio::test]
async fn a_store_of_an_earlier_version_is_brought_up_to_date() {
    let url = SecretString::from(Server::shared().unwrap().fresh_database().unwrap());
    let pool = PgPool::connect(url.expose_secret()).await.unwrap();
    let migrations = MIGRATIONS.iter().filter(|migration| migration.version <= 3).cloned().collect();
    sqlx::migrate::Migrator { migrations, ..sqlx::migrate::Migrator::DEFAULT }.run(&pool).await.unwrap();
    for statement in earlier_rows("decode(repeat('07', 32), 'hex')") {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&pool).await.unwrap();
    }
    pool.close().await;

    let store = PostgresStore::open(&url, &shop()).await.unwrap();
    assert_eq!(store.identity.name, "st_old");
    assert!(store.identity.signed_since.0 > 1_700_000_000);
    let attempt = store.attempt_by_id(&wire::AttemptId::parse("at_1").unwrap()).await.unwrap().unwrap();
    assert_eq!((attempt.agreed, attempt.consent.amount), (None, 1900));
    let payment = dodo_client::ids::PaymentId::parse("pay_1").unwrap();
    assert_eq!(store.sale(&payment).await.unwrap().unwrap().collected.unwrap().amount, 1900);
    assert_eq!(store.refund_order(&payment).await.unwrap().unwrap().amount, Some(5));
    super::contract::earlier::keeps_no_more_than_is_needed(&store).await;
    check_earlier_webhooks(&store).await;
}
