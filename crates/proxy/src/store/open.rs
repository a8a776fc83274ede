//! Which engine, and opening it.

use std::{path::PathBuf, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use upsell_core::domain::Tenant;
use wire::UnixSeconds;

use super::{
    Store,
    postgres::{self, Address, DatabaseClock, PostgresStore},
    sqlite::{self, SqliteStore},
};
use crate::clock::Clock;

/// Where the rows are.
#[derive(Clone, Debug)]
pub enum Database {
    /// One file, for one proxy.
    Sqlite(PathBuf),
    /// A server, or several of which one at a time can be written, for several proxies.
    Postgres(Address),
}

/// An address that names no database of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// Another scheme.
    #[error("must begin with postgres://, postgresql:// or sqlite:")]
    Scheme,
    /// `sqlite:` and nothing behind it.
    #[error("names no file")]
    NoFile,
    /// A pooler before no servers, or several poolers.
    #[error("goes with the address of one pooler of a PostgreSQL database in DATABASE_URL")]
    ManyPoolers,
    /// Not an address that PostgreSQL's drivers read.
    #[error("is no address of a PostgreSQL database")]
    Malformed,
}

impl Database {
    /// Reads `DATABASE_URL`.
    ///
    /// # Errors
    /// See [`DatabaseError`]; no variant repeats the address, which may hold a password.
    pub fn parse(url: &SecretString) -> Result<Self, DatabaseError> {
        let text = url.expose_secret();
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(DatabaseError::NoFile) } else { Ok(Self::Sqlite(path.into())) };
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let address = Address::from(url);
            address.parse()?;
            return Ok(Self::Postgres(address));
        }
        Err(DatabaseError::Scheme)
    }

    /// Reads `DATABASE_URL` where it is the address of a pooler in transaction mode, and `DATABASE_DIRECT_URL`, the
    /// servers behind it.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub fn behind_pooler(pooler: &SecretString, direct: &SecretString) -> Result<Self, DatabaseError> {
        for url in [pooler, direct] {
            if !matches!(Self::parse(url)?, Self::Postgres(_)) {
                return Err(DatabaseError::ManyPoolers);
            }
        }
        let address = Address::behind_pooler(pooler, direct);
        address.parse()?;
        Ok(Self::Postgres(address))
    }
}

/// Why no store was opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file.
    #[error(transparent)]
    Sqlite(#[from] sqlite::OpenError),
    /// The server.
    #[error(transparent)]
    Postgres(#[from] postgres::OpenError),
}

/// An open store.
pub struct Opened {
    /// It.
    pub store: Arc<dyn Store>,
    /// The clock that everybody on this store goes by, where that is not the machine's.
    pub clock: Option<Arc<dyn Clock>>,
}

/// Opens the store of one tenant.
///
/// # Errors
/// See [`OpenError`].
pub async fn open(database: &Database, tenant: &Tenant) -> Result<Opened, OpenError> {
    match database {
        Database::Sqlite(path) => {
            let store = SqliteStore::open(path, tenant).await?;
            Ok(Opened { store: Arc::new(store), clock: None })
        }
        Database::Postgres(url) => {
            let store = PostgresStore::open(url, tenant).await?;
            let clock = DatabaseClock::start(&store).await.map_err(postgres::OpenError::from)?;
            Ok(Opened { store: Arc::new(store), clock: Some(Arc::new(clock)) })
        }
    }
}

/// How a store that nobody opened was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Whether it holds rows of the tenant.
    pub known: bool,
    /// The time that everybody on it goes by, where that is not the machine's.
    pub now: Option<UnixSeconds>,
}

/// Looks whether the store could be opened and would keep what is written, beside proxies that may be running on it.
/// Changes nothing in it.
///
/// # Errors
/// See [`OpenError`].
pub async fn examine(database: &Database, tenant: &Tenant) -> Result<Condition, OpenError> {
    Ok(match database {
        Database::Sqlite(path) => Condition { known: SqliteStore::examine(path, tenant).await?, now: None },
        Database::Postgres(url) => {
            let (known, now) = PostgresStore::examine(url, tenant).await?;
            Condition { known, now: Some(now) }
        }
    })
}

/// Opens the store to look only, beside proxies that may be running on it. `None`: this tenant has nothing in there.
///
/// # Errors
/// See [`OpenError`].
pub async fn open_read_only(
    database: &Database,
    tenant: &Tenant,
) -> Result<Option<Arc<dyn Store>>, OpenError> {
    Ok(match database {
        Database::Sqlite(path) => {
            SqliteStore::open_read_only(path, tenant).await?.map(|store| Arc::new(store) as Arc<dyn Store>)
        }
        Database::Postgres(url) => {
            PostgresStore::open_read_only(url, tenant).await?.map(|store| Arc::new(store) as Arc<dyn Store>)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_chooses_the_engine() {
        let parse = |text: &str| Database::parse(&SecretString::from(text.to_owned()));
        assert!(matches!(parse("postgres://u:p@db/x"), Ok(Database::Postgres(_))));
        assert!(matches!(parse("postgresql:///x?host=/run"), Ok(Database::Postgres(_))));
        for url in ["sqlite:/var/lib/x.db", "sqlite:///var/lib/x.db"] {
            assert!(
                matches!(parse(url), Ok(Database::Sqlite(path)) if path.to_str() == Some("/var/lib/x.db"))
            );
        }
        assert_eq!(parse("sqlite:").unwrap_err(), DatabaseError::NoFile);
        assert_eq!(parse("mysql://db/x").unwrap_err(), DatabaseError::Scheme);
        assert_eq!(parse("postgres://db:port/x").unwrap_err(), DatabaseError::Malformed);
    }

    #[test]
    fn a_password_is_not_shown() {
        let database = Database::parse(&SecretString::from("postgres://u:hunter2@db/x".to_owned())).unwrap();
        assert!(!format!("{database:?}").contains("hunter2"));
    }
}
