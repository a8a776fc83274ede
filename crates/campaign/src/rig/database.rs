//! A database of a campaign's own.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use secrecy::SecretString;
use tempfile::TempDir;
use test_postgres::Server;

/// Where proxies keep their rows. Clones mean the same database.
#[derive(Clone, Debug)]
pub struct Database {
    url: String,
    folder: Arc<TempDir>,
}

impl Database {
    /// An empty SQLite file, removed with the last clone.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn sqlite() -> anyhow::Result<Self> {
        let folder = folder()?;
        let url = format!("sqlite:{}", folder.path().join("upsell.sqlite").display());
        Ok(Self { url, folder: Arc::new(folder) })
    }

    /// An empty database on the PostgreSQL server of this process, which is started when first asked for.
    ///
    /// # Errors
    /// When there is no server; the error says how to get one.
    pub fn postgres() -> anyhow::Result<Self> {
        let server = Server::shared().map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(Self { url: server.fresh_database()?, folder: Arc::new(folder()?) })
    }

    /// As `DATABASE_URL` says it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// As the proxy reads it.
    ///
    /// # Errors
    /// Never, for databases made here.
    pub fn parsed(&self) -> anyhow::Result<proxy::store::Database> {
        Ok(proxy::store::Database::parse(&SecretString::from(self.url.clone()))?)
    }

    /// A folder for what belongs beside it; an SQLite file is in it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn folder() -> anyhow::Result<TempDir> {
    tempfile::tempdir().context("no folder for a database")
}
