//! The store in a PostgreSQL database: for several proxies behind a balancer.
//!
//! What SQLite's one writer gives for nothing is made here by a row lock: every transaction that changes an offer or an
//! attempt first locks the row of its buyer in `buyers`, so that transactions about one buyer come one after the other.
//! Under it the partial unique indexes hold whatever the code does. A server that answers before a commit is on the disk
//! is refused.
//!
//! The statements are those of [`sql`], shared with the other engine; [`clock`] is the time that all proxies go by.
//! [`connections`] and [`transaction`] are the way to a server that may fail over or stand behind a pooler, [`server`] is
//! what is asked of one before it is used, [`migrating`] brings its schema up to date.

mod address;
mod clock;
mod connections;
#[cfg(test)]
#[allow(clippy::duplicate_mod)]
#[path = "../contract/mod.rs"]
mod contract;
#[cfg(test)]
mod failover_tests;
#[cfg(test)]
mod fixture;
mod migrating;
#[cfg(test)]
mod opening_tests;
#[cfg(test)]
mod pooled_tests;
mod server;
mod transaction;

// The statements' text is the same for both engines; compiled against this one's types.
#[allow(clippy::duplicate_mod)]
#[path = "../sql/mod.rs"]
mod sql;

use async_trait::async_trait;
use secrecy::SecretString;
use sqlx::{PgConnection, Row as _, migrate::Migrator};
use upsell_core::{
    domain::{EMAIL_LOCK, StoreIdentity, Tenant},
    journal::Timeline,
};
use wire::{AttemptId, UnixSeconds};

use self::PostgresStore as SqlStore;
pub use self::{address::Address, clock::DatabaseClock};
use self::{connections::Connections, transaction::Tx};
use super::{DatabaseError, Life, StoreError, restore::Memory};
use crate::ids;

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

/// Which server of a cluster answers: the timeline that it writes on, none while it follows another. Immediately after a
/// promotion the control file names the old timeline still; the position at which it writes does not.
macro_rules! timeline_columns {
    () => {
        ", (SELECT system_identifier FROM pg_control_system()) AS cluster,
           CASE WHEN NOT pg_is_in_recovery() THEN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS timeline"
    };
}
use timeline_columns;

/// The schema's history, inside the binary.
static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

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
    /// Several servers are named, and a commit may be answered before any but one has it.
    #[error(
        "several PostgreSQL servers are named and synchronous_standby_names is empty; it must not be, or a failover \
         forgets charges"
    )]
    Asynchronous,
    /// Every commit would wait for a standby that is not there.
    #[error("no synchronous standby is connected to the PostgreSQL server, so that no commit ends")]
    NoStandby,
}

/// The store of one tenant in one database.
#[derive(Debug)]
pub struct PostgresStore {
    writer: Connections,
    /// The same: any connection may write.
    readers: Connections,
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

impl PostgresStore {
    /// Connects, checks durability and brings the schema up to date; of several proxies that start at once one does the
    /// latter and the others wait.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(address: impl Into<Address>, tenant: &Tenant) -> Result<Self, OpenError> {
        let servers = address.into().parse()?;
        let mut server = server::connect(&servers.direct).await?;
        server::check(&mut server.connection, servers.direct.len() > 1).await?;
        migrating::migrate(&mut server.connection).await?;
        let (tenant, identity, email_key) = tenant_id(&mut server.connection, tenant).await?;
        let connections = Connections::to(servers, server.no);
        Ok(Self {
            writer: connections.clone(),
            readers: connections,
            tenant,
            instance: ids::instance(),
            identity,
            email_key: email_key.into(),
            memory: Memory::of_timeline(Some(server.timeline)),
        })
    }

    /// Connects to look only: changes nothing, neither schema nor rows. `None`: this tenant has nothing in there.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open_read_only(
        address: impl Into<Address>,
        tenant: &Tenant,
    ) -> Result<Option<Self>, OpenError> {
        let servers = address.into().parse()?.direct;
        let server = server::connect(&servers).await?;
        let pool = Connections::onlooking(servers.get(server.no).cloned().unwrap_or_default());
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
        address: impl Into<Address>,
        tenant: &Tenant,
    ) -> Result<(bool, UnixSeconds), OpenError> {
        let address = address.into();
        let servers = address.parse()?.direct;
        let mut server = server::connect(&servers).await?;
        let connection = &mut server.connection;
        server::check(connection, servers.len() > 1).await?;
        let now: i64 = sqlx::query_scalar("SELECT EXTRACT(EPOCH FROM clock_timestamp())::BIGINT")
            .fetch_one(&mut *connection)
            .await?;
        let migrated: bool =
            sqlx::query_scalar("SELECT to_regclass('tenants') IS NOT NULL").fetch_one(connection).await?;
        let known = migrated && Self::open_read_only(&address, tenant).await?.is_some();
        Ok((known, UnixSeconds(now)))
    }

    /// A transaction that only reads.
    async fn read(&self) -> Result<Tx, StoreError> {
        self.write().await
    }

    /// The server that answered was replaced by another: no connection to it is used any more.
    fn leave_server(&self) {
        self.writer.suspect();
    }

    async fn write(&self) -> Result<Tx, StoreError> {
        Ok(self.writer.begin().await?)
    }

    /// A transaction in which nobody else changes what goes by these names, which are locked in their order: what it reads
    /// of them after that stays true.
    async fn write_for(&self, names: &[String]) -> Result<Tx, StoreError> {
        let mut tx = self.write().await?;
        for name in names {
            self.lock(&mut tx, name).await?;
        }
        Ok(tx)
    }

    /// The same of an attempt's buyer and the person of its offer, in one statement and in the order of
    /// [`Person::lock_names`](upsell_core::domain::Person::lock_names): who that is never changes. Where there is no such
    /// attempt, nothing is locked.
    async fn write_for_attempt(&self, id: &AttemptId) -> Result<Tx, StoreError> {
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
    async fn lock(&self, tx: &mut Tx, name: &str) -> Result<(), StoreError> {
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
                 (SELECT customer_id FROM buyers WHERE tenant = $1 ORDER BY customer_id LIMIT $2
                  FOR UPDATE SKIP LOCKED)",
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

/// The timeline that a server writes on; `None` while it follows another.
async fn timeline_of(connection: &mut PgConnection) -> Result<Option<Timeline>, sqlx::Error> {
    let row = sqlx::query(concat!("SELECT 1", timeline_columns!())).fetch_one(connection).await?;
    let (cluster, number): (Option<i64>, Option<String>) =
        (row.try_get("cluster")?, row.try_get("timeline")?);
    let (Some(cluster), Some(number)) = (cluster, number) else { return Ok(None) };
    let number = u32::from_str_radix(&number, 16).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(Some(Timeline { cluster, number }))
}

/// The tenant's number, what its store is known by, and the key of its hashes: a name and a key that are made once and kept by
/// every copy, and since when its charges carry codes.
async fn tenant_id(
    connection: &mut PgConnection,
    tenant: &Tenant,
) -> Result<(i64, StoreIdentity, String), sqlx::Error> {
    let mode = tenant.mode.to_string();
    sqlx::query("INSERT INTO tenants (merchant, mode) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(&tenant.merchant)
        .bind(&mode)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE tenants SET store = $1 WHERE merchant = $2 AND mode = $3 AND store IS NULL")
        .bind(ids::store_name())
        .bind(&tenant.merchant)
        .bind(&mode)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE tenants SET email_key = $1 WHERE merchant = $2 AND mode = $3 AND email_key IS NULL")
        .bind(ids::token())
        .bind(&tenant.merchant)
        .bind(&mode)
        .execute(&mut *connection)
        .await?;
    let (id, name, since, email_key): (i64, String, i64, String) = sqlx::query_as(
        "SELECT id, store, signed_since, email_key FROM tenants WHERE merchant = $1 AND mode = $2",
    )
    .bind(&tenant.merchant)
    .bind(&mode)
    .fetch_one(&mut *connection)
    .await?;
    Ok((id, StoreIdentity { name, mode: tenant.mode, signed_since: UnixSeconds(since) }, email_key))
}
