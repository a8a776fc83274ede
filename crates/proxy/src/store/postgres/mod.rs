//! The store in a PostgreSQL database: for several proxies behind a balancer.
//!
//! What SQLite's one writer gives for nothing is made here by a row lock: every transaction that changes an offer or an
//! attempt first locks the row of its buyer in `buyers`, so that transactions about one buyer come one after the other.
//! Under it the partial unique indexes hold whatever the code does. A server that answers before a commit is on the disk
//! is refused.
//!
//! The statements are those of [`sql`], shared with the other engine; [`clock`] is the time that all proxies go by.

mod clock;
#[cfg(test)]
#[allow(clippy::duplicate_mod)]
#[path = "../contract/mod.rs"]
mod contract;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod opening_tests;

// The statements' text is the same for both engines; compiled against this one's types.
#[allow(clippy::duplicate_mod)]
#[path = "../sql/mod.rs"]
mod sql;

use std::{str::FromStr, time::Duration};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    PgPool, Postgres, Transaction,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use wire::{AttemptId, UnixSeconds};

use self::PostgresStore as SqlStore;
pub use self::clock::DatabaseClock;
use upsell_core::domain::{EMAIL_LOCK, StoreIdentity, Tenant};

use super::{DatabaseError, Life, StoreError, restore::Memory};
use crate::ids;

type Db = Postgres;
type DbRow = sqlx::postgres::PgRow;

/// Other processes may work on this store.
const SHARED: bool = true;

/// Rows that another proxy is taking right now are left to it.
macro_rules! skip_locked {
    () => {
        " FOR UPDATE SKIP LOCKED"
    };
}
use skip_locked;

/// The schema's history, inside the binary.
static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Connections of one proxy.
const CONNECTIONS: u32 = 16;

/// How long a request waits for a free connection before it is told that the store is busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Of every session: no statement, lock or forgotten transaction holds others up for longer. Milliseconds.
const SESSION_LIMITS: [(&str, &str); 3] = [
    ("statement_timeout", "10000"),
    ("lock_timeout", "5000"),
    ("idle_in_transaction_session_timeout", "15000"),
];

/// Why a store did not open. No variant holds the address, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not an address.
    #[error("DATABASE_URL {0}")]
    Address(#[from] DatabaseError),
    /// No server, no such database, no right to it.
    #[error("the PostgreSQL database cannot be opened: {0}")]
    Engine(#[from] sqlx::Error),
    /// The schema could not be brought up to date, or is of a newer version.
    #[error("the PostgreSQL database cannot be migrated: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The server answers before a commit is on the disk.
    #[error(
        "the PostgreSQL server runs with {setting} = {found}; it must not, or a power cut forgets charges"
    )]
    NotDurable {
        /// Which setting.
        setting: &'static str,
        /// As it is.
        found: String,
    },
    /// The server follows another.
    #[error("the PostgreSQL server is a standby and cannot be written")]
    Standby,
}

/// The store of one tenant in one database.
#[derive(Debug)]
pub struct PostgresStore {
    writer: PgPool,
    /// The same pool: any connection may write.
    readers: PgPool,
    tenant: i64,
    /// Names this opening of the store in leases and histories.
    instance: String,
    /// What the store is known by in the metadata of charges. Without a name where the store is only read.
    identity: StoreIdentity,
    /// Key of the hashes of e-mail addresses. Empty where the store is only read.
    email_key: SecretString,
    /// What this process knows to be in the store.
    memory: Memory,
}

/// Whether `url` is an address at all; connects to nothing.
///
/// # Errors
/// [`DatabaseError::Malformed`].
pub(super) fn check_url(url: &str) -> Result<(), DatabaseError> {
    PgConnectOptions::from_str(url).map(drop).map_err(|_| DatabaseError::Malformed)
}

impl PostgresStore {
    /// Connects, checks durability and brings the schema up to date; of several proxies that start at once one does the
    /// latter and the others wait.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(url: &SecretString, tenant: &Tenant) -> Result<Self, OpenError> {
        let options = PgConnectOptions::from_str(url.expose_secret())
            .map_err(|_| DatabaseError::Malformed)?
            .application_name("upsell-proxy")
            .options(SESSION_LIMITS);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await?;
        check_server(&pool).await?;
        MIGRATIONS.run(&pool).await?;
        let (tenant, identity, email_key) = tenant_id(&pool, tenant).await?;
        let memory = Memory::default();
        let (instance, email_key) = (ids::instance(), email_key.into());
        Ok(Self { writer: pool.clone(), readers: pool, tenant, instance, identity, email_key, memory })
    }

    /// Connects to look only: changes nothing, neither schema nor rows. `None`: this tenant has nothing in there.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open_read_only(url: &SecretString, tenant: &Tenant) -> Result<Option<Self>, OpenError> {
        let pool = onlooker(url).await?;
        let mode = tenant.mode;
        let tenant: Option<i64> =
            sqlx::query_scalar("SELECT id FROM tenants WHERE merchant = $1 AND mode = $2")
                .bind(&tenant.merchant)
                .bind(tenant.mode.to_string())
                .fetch_optional(&pool)
                .await?;
        Ok(tenant.map(|tenant| Self {
            writer: pool.clone(),
            readers: pool,
            tenant,
            instance: ids::instance(),
            identity: StoreIdentity { name: String::new(), mode, signed_since: UnixSeconds(0) },
            email_key: SecretString::default(),
            memory: Memory::default(),
        }))
    }

    /// Whether the database holds rows of `tenant`, and its time, after looking that a proxy would take the server.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(super) async fn examine(
        url: &SecretString,
        tenant: &Tenant,
    ) -> Result<(bool, UnixSeconds), OpenError> {
        let pool = onlooker(url).await?;
        check_server(&pool).await?;
        let now: i64 = sqlx::query_scalar("SELECT EXTRACT(EPOCH FROM clock_timestamp())::BIGINT")
            .fetch_one(&pool)
            .await?;
        let migrated: bool =
            sqlx::query_scalar("SELECT to_regclass('tenants') IS NOT NULL").fetch_one(&pool).await?;
        let known = migrated && Self::open_read_only(url, tenant).await?.is_some();
        Ok((known, UnixSeconds(now)))
    }

    async fn write(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        Ok(self.writer.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?)
    }

    /// A transaction in which nobody else changes what goes by these names, which are locked in their order: what it reads
    /// of them after that stays true.
    async fn write_for(&self, names: &[String]) -> Result<Transaction<'static, Postgres>, StoreError> {
        let mut tx = self.write().await?;
        for name in names {
            self.lock(&mut tx, name).await?;
        }
        Ok(tx)
    }

    /// The same of an attempt's buyer and the person of its offer, in one statement and in the order of
    /// [`Person::lock_names`](upsell_core::domain::Person::lock_names): who that is never changes. Where there is no such
    /// attempt, nothing is locked.
    async fn write_for_attempt(&self, id: &AttemptId) -> Result<Transaction<'static, Postgres>, StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO buyers (tenant, customer_id)
             SELECT tenant, name FROM (
                 SELECT tenant, customer_id AS name, 0 AS no FROM attempts WHERE tenant = $1 AND id = $2
                 UNION ALL
                 SELECT offers.tenant, $3 || offers.email, 1 FROM attempts
                 JOIN offers ON offers.tenant = attempts.tenant AND offers.id = attempts.offer_id
                 WHERE attempts.tenant = $1 AND attempts.id = $2 AND offers.email IS NOT NULL
             ) AS names ORDER BY no
             ON CONFLICT (tenant, customer_id) DO UPDATE SET changes = buyers.changes + 1",
        )
        .bind(self.tenant)
        .bind(id.as_str())
        .bind(EMAIL_LOCK)
        .execute(&mut *tx)
        .await?;
        Ok(tx)
    }

    /// Holds what goes by this name, a buyer or a payment, until the transaction ends. A buyer is locked before a payment.
    async fn lock(&self, tx: &mut Transaction<'static, Postgres>, name: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO buyers (tenant, customer_id) VALUES ($1, $2)
             ON CONFLICT (tenant, customer_id) DO UPDATE SET changes = buyers.changes + 1",
        )
        .bind(self.tenant)
        .bind(name)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Deletes lock rows that nobody holds. Whoever waits for one makes it again.
    async fn drop_idle_locks(&self, most: u32) -> Result<u64, StoreError> {
        let dropped = sqlx::query(
            "DELETE FROM buyers WHERE tenant = $1 AND customer_id IN
                 (SELECT customer_id FROM buyers WHERE tenant = $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
        )
        .bind(self.tenant)
        .bind(i64::from(most))
        .execute(&self.writer)
        .await?;
        Ok(dropped.rows_affected())
    }

    /// Nothing is beside a database that could outlive it.
    fn note_beside(&self, _beat: UnixSeconds) {}
}

#[async_trait]
impl Life for PostgresStore {
    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        Ok(())
    }

    async fn close(&self) {
        self.writer.close().await;
    }
}

/// One connection that can change nothing.
async fn onlooker(url: &SecretString) -> Result<PgPool, OpenError> {
    let options = PgConnectOptions::from_str(url.expose_secret())
        .map_err(|_| DatabaseError::Malformed)?
        .application_name("upsell-proxy")
        .options(SESSION_LIMITS)
        .options([("default_transaction_read_only", "on")]);
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE_TIMEOUT);
    Ok(pool.connect_with(options).await?)
}

async fn check_server(pool: &PgPool) -> Result<(), OpenError> {
    let standby: bool = sqlx::query_scalar("SELECT pg_is_in_recovery()").fetch_one(pool).await?;
    if standby {
        return Err(OpenError::Standby);
    }
    let fsync: String = sqlx::query_scalar("SHOW fsync").fetch_one(pool).await?;
    let commit: String = sqlx::query_scalar("SHOW synchronous_commit").fetch_one(pool).await?;
    for (setting, found) in [("fsync", fsync), ("synchronous_commit", commit)] {
        if found == "off" {
            return Err(OpenError::NotDurable { setting, found });
        }
    }
    Ok(())
}

/// The tenant's number, what its store is known by, and the key of its hashes: a name and a key that are made once and kept by
/// every copy, and since when its charges carry codes.
async fn tenant_id(pool: &PgPool, tenant: &Tenant) -> Result<(i64, StoreIdentity, String), sqlx::Error> {
    let mode = tenant.mode.to_string();
    sqlx::query("INSERT INTO tenants (merchant, mode) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(&tenant.merchant)
        .bind(&mode)
        .execute(pool)
        .await?;
    sqlx::query("UPDATE tenants SET store = $1 WHERE merchant = $2 AND mode = $3 AND store IS NULL")
        .bind(ids::store_name())
        .bind(&tenant.merchant)
        .bind(&mode)
        .execute(pool)
        .await?;
    sqlx::query("UPDATE tenants SET email_key = $1 WHERE merchant = $2 AND mode = $3 AND email_key IS NULL")
        .bind(ids::token())
        .bind(&tenant.merchant)
        .bind(&mode)
        .execute(pool)
        .await?;
    let (id, name, since, email_key): (i64, String, i64, String) = sqlx::query_as(
        "SELECT id, store, signed_since, email_key FROM tenants WHERE merchant = $1 AND mode = $2",
    )
    .bind(&tenant.merchant)
    .bind(&mode)
    .fetch_one(pool)
    .await?;
    Ok((id, StoreIdentity { name, mode: tenant.mode, signed_since: UnixSeconds(since) }, email_key))
}
