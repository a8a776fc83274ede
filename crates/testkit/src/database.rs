//! A database of a test's own.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::Context as _;
use secrecy::SecretString;
use sqlx::Connection as _;
use tempfile::TempDir;
use test_postgres::{Pooler, Server};

const FILE: &str = "upsell.sqlite";

/// A database for proxies. Clones mean the same database.
#[derive(Clone, Debug)]
pub struct Database {
    url: String,
    /// The server itself, where `url` is a pooler.
    direct: Option<String>,
    folder: Arc<TempDir>,
}

impl Database {
    /// Creates an empty SQLite file, removed with the last clone.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn sqlite() -> anyhow::Result<Self> {
        let folder = folder()?;
        let url = format!("sqlite:{}", folder.path().join(FILE).display());
        Ok(Self { url, direct: None, folder: Arc::new(folder) })
    }

    /// Creates an empty database on the PostgreSQL server of this process, which is started when first asked for.
    ///
    /// # Errors
    /// When there is no server; the error says how to get one.
    pub fn postgres() -> anyhow::Result<Self> {
        let server = Server::shared().map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(Self { url: server.fresh_database()?, direct: None, folder: Arc::new(folder()?) })
    }

    /// Returns the empty database at an address that somebody else looks after.
    ///
    /// # Errors
    /// When there is no room for the proxy's files.
    pub fn elsewhere(url: String) -> anyhow::Result<Self> {
        Ok(Self { url, direct: None, folder: Arc::new(folder()?) })
    }

    /// Returns the same database behind a PgBouncer in transaction mode.
    ///
    /// # Errors
    /// When it is none of [`Database::postgres`], or there is no pooler; the error says how to get one.
    pub fn behind_pooler(&self) -> anyhow::Result<Self> {
        anyhow::ensure!(self.url.starts_with("postgres://"), "no PostgreSQL database");
        let pooler = Pooler::shared().map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(Self {
            url: pooler.to(&self.url),
            direct: Some(self.url.clone()),
            folder: Arc::clone(&self.folder),
        })
    }

    /// Returns the value for `DATABASE_DIRECT_URL`, behind a pooler.
    #[must_use]
    pub fn direct_url(&self) -> Option<&str> {
        self.direct.as_deref()
    }

    /// Returns the value for `DATABASE_URL`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the database as the proxy's settings hold it.
    ///
    /// # Errors
    /// Never, for databases made here.
    pub fn parsed(&self) -> anyhow::Result<::proxy::store::Database> {
        let url = SecretString::from(self.url.clone());
        Ok(match &self.direct {
            Some(direct) => ::proxy::store::Database::behind_pooler(&url, &direct.clone().into())?,
            None => ::proxy::store::Database::parse(&url)?,
        })
    }

    /// Takes a backup. Nobody may be connected.
    ///
    /// # Errors
    /// When it cannot be taken.
    pub fn back_up(&self) -> anyhow::Result<()> {
        match self.name() {
            None => {
                std::fs::copy(self.file(), self.backup_file())?;
                Ok(())
            }
            Some(name) => sql(&[&format!("CREATE DATABASE {name}_backup TEMPLATE {name}")]),
        }
    }

    /// Restores the backup. PostgreSQL cuts off whoever is connected, as at a takeover by a standby; of SQLite
    /// nobody may be.
    ///
    /// # Errors
    /// When there is none.
    pub fn restore(&self) -> anyhow::Result<()> {
        match self.name() {
            None => {
                for end in ["-wal", "-shm"] {
                    let mut log = self.file().into_os_string();
                    log.push(end);
                    if Path::new(&log).exists() {
                        std::fs::remove_file(log)?;
                    }
                }
                std::fs::copy(self.backup_file(), self.file())?;
                Ok(())
            }
            Some(name) => sql(&[
                &format!("DROP DATABASE {name} WITH (FORCE)"),
                &format!("CREATE DATABASE {name} TEMPLATE {name}_backup"),
            ]),
        }
    }

    /// Makes the store of this database one from before charges carried a code: none of its attempts has one. Nobody may be
    /// connected, and a proxy has been.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn predate_codes(&self) -> anyhow::Result<()> {
        let statement = "UPDATE tenants SET signed_since = 9223372036854775807";
        if self.name().is_some() {
            let mut connection = sqlx::PgConnection::connect(&self.url).await?;
            sqlx::query(statement).execute(&mut connection).await?;
        } else {
            let mut connection = sqlx::SqliteConnection::connect(&self.url).await?;
            sqlx::query(statement).execute(&mut connection).await?;
            connection.close().await?;
        }
        Ok(())
    }

    /// Returns the bytes that the database takes on the disk.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn bytes(&self) -> anyhow::Result<u64> {
        if self.name().is_none() {
            return Ok(std::fs::metadata(self.file()).map_or(0, |file| file.len()));
        }
        let mut connection = sqlx::PgConnection::connect(&self.url).await?;
        let bytes: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())")
            .fetch_one(&mut connection)
            .await?;
        Ok(u64::try_from(bytes)?)
    }

    /// Returns the path of the SQLite file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder().join(FILE)
    }

    fn backup_file(&self) -> PathBuf {
        self.folder().join("backup.sqlite")
    }

    /// Says which engine it is.
    pub(crate) fn is_postgres(&self) -> bool {
        self.name().is_some()
    }

    /// Returns the name of the database on PostgreSQL.
    fn name(&self) -> Option<&str> {
        let (_, rest) = self.url.strip_prefix("postgres://")?.split_once('/')?;
        rest.split('?').next()
    }

    /// Returns a folder for files that belong to the database; an SQLite file is in it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Executes statements about databases, one after the other.
fn sql(statements: &[&str]) -> anyhow::Result<()> {
    let server = Server::shared().map_err(|error| anyhow::anyhow!("{error}"))?;
    let elsewhere = server.fresh_database()?;
    let mut psql = Command::new(server.programs().join("psql"));
    psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &elsewhere]);
    for statement in statements {
        psql.args(["-c", statement]);
    }
    let done = psql.output().context("psql does not start")?;
    anyhow::ensure!(done.status.success(), "psql: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

fn folder() -> anyhow::Result<TempDir> {
    tempfile::tempdir().context("no folder for a database")
}
