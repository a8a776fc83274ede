//! The store in one SQLite file: for one proxy process on one machine.
//!
//! One connection writes, several read. The journal is a write-ahead log with `synchronous = FULL`: a commit that
//! returned is on the disk, which is what "committed before the call" means. A lock file beside the database keeps a
//! second process out; two processes would each believe that no other is at work on an attempt.
//!
//! The statements are those of [`sql`], shared with the other engine.

#[cfg(test)]
#[allow(clippy::duplicate_mod)]
#[path = "../contract/mod.rs"]
mod contract;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod opening_tests;
mod statistics;

// The statements' text is the same for both engines; compiled against this one's types.
#[allow(clippy::duplicate_mod)]
#[path = "../sql/mod.rs"]
mod sql;

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use secrecy::SecretString;
use sqlx::{
    Connection as _, Sqlite, SqliteConnection, SqlitePool, Transaction,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use upsell_core::domain::{StoreIdentity, Tenant};
use wire::{AttemptId, UnixSeconds};

use self::SqliteStore as SqlStore;
use super::{Life, StoreError, restore::Memory};
use crate::ids;

type DbRow = sqlx::sqlite::SqliteRow;
type Tx = Transaction<'static, Sqlite>;

/// No other process works on this store.
const SHARED: bool = false;

/// Nothing to skip: there is one writer.
macro_rules! skip_locked {
    () => {
        ""
    };
}
use skip_locked;

/// One process, one file: nothing fails over.
macro_rules! timeline_columns {
    () => {
        ", CAST(NULL AS INTEGER) AS cluster, CAST(NULL AS TEXT) AS timeline"
    };
}
use timeline_columns;

/// The schema's history, inside the binary.
static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Connections that read. Reads are short; more than this wait for each other on two cores anyway.
const READERS: u32 = 4;

/// How long a connection waits for a lock held by a backup tool or a checkpoint.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a request waits for a free connection before it is told that the store is busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a store did not open. The text is for whoever starts the proxy.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file or its folder cannot be written.
    #[error("the database {path} cannot be written: {source}")]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another process has it open.
    #[error("the database {path} is in use by another process")]
    InUse {
        /// Which file.
        path: PathBuf,
    },
    /// SQLite refuses it: not a database, damaged, no space.
    #[error("the database {path} cannot be opened: {source}")]
    Engine {
        /// Which file.
        path: PathBuf,
        /// What SQLite says.
        source: sqlx::Error,
    },
    /// SQLite can read it, and what it reads is not whole.
    #[error("the database {path} is damaged ({found}); restore a backup")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// The first flaw.
        found: String,
    },
    /// The schema could not be brought up to date, or is of a newer version.
    #[error("the database {path} cannot be migrated: {source}")]
    Migration {
        /// Which file.
        path: PathBuf,
        /// What failed.
        source: sqlx::migrate::MigrateError,
    },
    /// The file system or the build does not give the durability that charging needs.
    #[error("the database {path} runs with {pragma} = {found}; it must be {wanted}")]
    NotDurable {
        /// Which file.
        path: PathBuf,
        /// Which setting.
        pragma: &'static str,
        /// As it is.
        found: String,
        /// As it must be.
        wanted: &'static str,
    },
}

/// The store of one tenant in one file.
#[derive(Debug)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    tenant: i64,
    /// Names this opening of the store in leases and histories.
    instance: String,
    /// What the store is known by in the metadata of charges. Without a name where the store is only read.
    identity: StoreIdentity,
    /// Key of the hashes of e-mail addresses. Empty where the store is only read.
    email_key: SecretString,
    /// What this process knows to be in the store.
    memory: Memory,
    /// Held as long as the store lives; the system releases it when the process ends, however it ends. Absent where the
    /// store is only read. The last beat stands in it: a database that says less was put back behind our back.
    lock: Option<File>,
}

impl SqliteStore {
    /// Opens or makes the file, takes its lock, brings the schema up to date and checks durability.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(path: &Path, tenant: &Tenant) -> Result<Self, OpenError> {
        let lock = lock(path)?;
        let engine = |source| OpenError::Engine { path: path.to_owned(), source };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // What is deleted is overwritten, so that nobody reads it in the file afterwards.
            .pragma("secure_delete", "ON")
            .busy_timeout(BUSY_TIMEOUT);
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .min_connections(1)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .idle_timeout(None)
                .max_lifetime(None)
                .before_acquire(|connection, _| {
                    Box::pin(std::future::ready(Ok(is_between_transactions(connection))))
                })
        };
        let writer = pool(1).connect_with(options.clone()).await.map_err(engine)?;
        MIGRATIONS
            .run(&writer)
            .await
            .map_err(|source| OpenError::Migration { path: path.to_owned(), source })?;
        check_durability(path, &writer).await?;
        statistics::write(&writer).await.map_err(engine)?;
        let (tenant, identity, email_key) = tenant_id(&writer, tenant).await.map_err(engine)?;
        let readers = pool(READERS).connect_with(options.pragma("query_only", "ON")).await.map_err(engine)?;
        let memory = Memory::of_beat(beat_beside(&lock));
        let (instance, email_key) = (ids::instance(), email_key.into());
        Ok(Self { writer, readers, tenant, instance, identity, email_key, memory, lock: Some(lock) })
    }

    /// Opens the file beside a proxy that may be running on it: takes no lock, makes nothing, and can change no row.
    /// `None`: this tenant has nothing in there.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open_read_only(path: &Path, tenant: &Tenant) -> Result<Option<Self>, OpenError> {
        let engine = |source| OpenError::Engine { path: path.to_owned(), source };
        // Not SQLite's own read-only mode: that cannot take up the write-ahead log of a proxy that has died.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .pragma("query_only", "ON")
            .busy_timeout(BUSY_TIMEOUT);
        let readers =
            SqlitePoolOptions::new().max_connections(1).connect_with(options).await.map_err(engine)?;
        let mode = tenant.mode;
        let tenant: Option<i64> =
            sqlx::query_scalar("SELECT id FROM tenants WHERE merchant = $1 AND mode = $2")
                .bind(&tenant.merchant)
                .bind(tenant.mode.to_string())
                .fetch_optional(&readers)
                .await
                .map_err(engine)?;
        Ok(tenant.map(|tenant| Self {
            writer: readers.clone(),
            readers,
            tenant,
            instance: ids::instance(),
            identity: StoreIdentity { name: String::new(), mode, signed_since: UnixSeconds(0) },
            email_key: SecretString::default(),
            memory: Memory::default(),
            lock: None,
        }))
    }

    /// Whether the file holds rows of `tenant`, after looking that it could be opened and is whole; one that is not there
    /// yet is made at the first start.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(super) async fn examine(path: &Path, tenant: &Tenant) -> Result<bool, OpenError> {
        let unwritable = |source| OpenError::Unwritable { path: path.to_owned(), source };
        if !path.try_exists().map_err(unwritable)? {
            return open_lock(path).map(|_| false).map_err(unwritable);
        }
        OpenOptions::new().write(true).open(path).map_err(unwritable)?;
        let engine = |source| OpenError::Engine { path: path.to_owned(), source };
        let Some(store) = Self::open_read_only(path, tenant).await? else { return Ok(false) };
        let check: String =
            sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&store.readers).await.map_err(engine)?;
        if check == "ok" { Ok(true) } else { Err(OpenError::Damaged { path: path.to_owned(), found: check }) }
    }

    /// A transaction that only reads.
    async fn read(&self) -> Result<Tx, StoreError> {
        Ok(self.readers.begin().await?)
    }

    /// There is no other server.
    fn leave_server(&self) {}

    /// A transaction that has the write lock from its first statement on, so that what it reads stays true.
    async fn write(&self) -> Result<Tx, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// The same: there is one writer, so nobody else changes anything of this buyer's meanwhile.
    async fn write_for(&self, _names: &[String]) -> Result<Tx, StoreError> {
        self.write().await
    }

    /// The same of an attempt's buyer.
    async fn write_for_attempt(&self, _id: &AttemptId) -> Result<Tx, StoreError> {
        self.write().await
    }

    /// The same for whatever goes by this name.
    #[allow(clippy::unused_async)]
    async fn lock(&self, _tx: &mut Tx, _name: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// There are no locks in rows.
    #[allow(clippy::unused_async)]
    async fn drop_idle_locks(&self, _most: u32) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// Writes the last beat beside the database, where putting a backup in the database's place leaves it alone.
    fn note_beside(&self, beat: UnixSeconds) {
        let Some(mut file) = self.lock.as_ref() else { return };
        let mut write = || -> io::Result<()> {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(format!("{:020}\n", beat.0).as_bytes())
        };
        if let Err(error) = write() {
            tracing::warn!(%error, "the last beat could not be noted beside the database");
        }
    }
}

/// The beat noted beside the database, if any is.
fn beat_beside(lock: &File) -> Option<UnixSeconds> {
    let mut text = String::new();
    lock.take(64).read_to_string(&mut text).ok()?;
    text.trim().parse().ok().map(UnixSeconds)
}

#[async_trait]
impl Life for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        let _: i64 = sqlx::query_scalar("SELECT 1").fetch_one(&self.readers).await?;
        Ok(())
    }

    async fn close(&self) {
        self.readers.close().await;
        // A checkpoint that does not come about costs a replay of the log at the next start, nothing else.
        if let Err(error) = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.writer).await {
            tracing::warn!(%error, "the last checkpoint failed");
        }
        self.writer.close().await;
    }
}

/// Whether a connection can be used again. Where a statement finds the disk full, or cannot read it, SQLite itself takes the
/// whole transaction back, and the driver goes on counting it: no other could begin on that connection.
fn is_between_transactions(connection: &SqliteConnection) -> bool {
    !connection.is_in_transaction()
}

fn open_lock(path: &Path) -> std::io::Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&name)
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let unwritable = |source| OpenError::Unwritable { path: path.to_owned(), source };
    let file = open_lock(path).map_err(unwritable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => return Err(unwritable(source)),
    }
    // SQLite would open a file that it cannot write, and fail at the first write only.
    OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(unwritable)?;
    Ok(file)
}

async fn check_durability(path: &Path, writer: &SqlitePool) -> Result<(), OpenError> {
    let engine = |source| OpenError::Engine { path: path.to_owned(), source };
    let journal: String =
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(writer).await.map_err(engine)?;
    let synchronous: i64 =
        sqlx::query_scalar("PRAGMA synchronous").fetch_one(writer).await.map_err(engine)?;
    let not_durable =
        |pragma, found, wanted| Err(OpenError::NotDurable { path: path.to_owned(), pragma, found, wanted });
    if journal != "wal" {
        return not_durable("journal_mode", journal, "wal");
    }
    if synchronous < 2 {
        return not_durable("synchronous", synchronous.to_string(), "2 (FULL)");
    }
    Ok(())
}

/// The tenant's number, what its store is known by, and the key of its hashes: a name and a key that are made once and kept by
/// every copy, and since when its charges carry codes.
async fn tenant_id(
    writer: &SqlitePool,
    tenant: &Tenant,
) -> Result<(i64, StoreIdentity, String), sqlx::Error> {
    let mode = tenant.mode.to_string();
    sqlx::query("INSERT INTO tenants (merchant, mode) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(&tenant.merchant)
        .bind(&mode)
        .execute(writer)
        .await?;
    sqlx::query("UPDATE tenants SET store = $1 WHERE merchant = $2 AND mode = $3 AND store IS NULL")
        .bind(ids::store_name())
        .bind(&tenant.merchant)
        .bind(&mode)
        .execute(writer)
        .await?;
    sqlx::query("UPDATE tenants SET email_key = $1 WHERE merchant = $2 AND mode = $3 AND email_key IS NULL")
        .bind(ids::token())
        .bind(&tenant.merchant)
        .bind(&mode)
        .execute(writer)
        .await?;
    let (id, name, since, email_key): (i64, String, i64, String) = sqlx::query_as(
        "SELECT id, store, signed_since, email_key FROM tenants WHERE merchant = $1 AND mode = $2",
    )
    .bind(&tenant.merchant)
    .bind(&mode)
    .fetch_one(writer)
    .await?;
    Ok((id, StoreIdentity { name, mode: tenant.mode, signed_since: UnixSeconds(since) }, email_key))
}
