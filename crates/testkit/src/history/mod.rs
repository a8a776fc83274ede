//! Years of a shop in a store, written as SQL: rows of every table in the proportions of a merchant whose buyers look,
//! refuse, buy, change plans and come back. All of it is over: nothing is pending, due or live.
//!
//! A fill of `charges` holds so many charged offers, as many refused and as many that nobody answered; what happens to one
//! charge in ten, such as a refund, has a tenth of the rows.

mod rows;

use std::str::FromStr as _;

use ::proxy::{
    clock::{Clock as _, SystemClock},
    store,
};
use anyhow::Context as _;
use dodo_client::Mode;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};
use upsell_core::domain::Tenant;

use crate::{Database, MERCHANT};

/// Which words an engine has for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Engine {
    /// Returns the engine of a database.
    #[must_use]
    pub fn of(database: &Database) -> Self {
        if database.url().starts_with("sqlite:") { Self::Sqlite } else { Self::Postgres }
    }

    /// Returns an expression of 32 bytes that differ from row to row.
    fn hash(self, number: &str) -> String {
        match self {
            Self::Sqlite => format!("unhex(printf('%064x', {number}))"),
            Self::Postgres => format!("decode(lpad(to_hex({number}), 64, '0'), 'hex')"),
        }
    }
}

/// Has the next purge look at every old quote again, as at the first start after an update. No proxy may run on the database.
///
/// # Errors
/// When the database cannot be written.
pub async fn age_quotes(database: &Database) -> anyhow::Result<()> {
    let statement = "UPDATE quotes SET kept = FALSE";
    match Engine::of(database) {
        Engine::Sqlite => {
            let mut connection = sqlx::SqliteConnection::connect(database.url()).await?;
            connection.execute(statement).await?;
            connection.close().await?;
        }
        Engine::Postgres => {
            let mut connection = sqlx::PgConnection::connect(database.url()).await?;
            connection.execute(statement).await?;
            connection.close().await?;
        }
    }
    Ok(())
}

/// Fills the store of a database, which is made where there is none. No proxy may run on it.
///
/// # Errors
/// When the store cannot be opened or written.
pub async fn fill(database: &Database, charges: u64) -> anyhow::Result<()> {
    let tenant = Tenant { merchant: MERCHANT.to_owned(), mode: Mode::Test };
    let opened = store::open(&database.parsed()?, &tenant).await?;
    opened.store.close().await;
    drop(opened);
    let engine = Engine::of(database);
    // They are full of what a log must not say.
    let statements = rows::statements(engine, charges, SystemClock.now());
    match engine {
        Engine::Sqlite => {
            let options = SqliteConnectOptions::from_str(database.url())?;
            let mut connection = options.disable_statement_logging().connect().await?;
            for pragma in
                ["journal_mode = OFF", "synchronous = OFF", "foreign_keys = OFF", "cache_size = -262144"]
            {
                connection.execute(AssertSqlSafe(format!("PRAGMA {pragma}"))).await?;
            }
            let indexes = sqlx::query_as(
                "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
            )
            .fetch_all(&mut connection)
            .await?;
            // Statistics go with their index, and the store writes them once.
            connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM sqlite_stat1").await?;
            connection.execute("BEGIN").await?;
            for statement in before_indexes(statements, &indexes) {
                let context = format!("filling: {statement}");
                connection.execute(AssertSqlSafe(statement)).await.context(context)?;
            }
            connection.execute("DELETE FROM sqlite_stat1").await?;
            connection.execute("INSERT INTO sqlite_stat1 SELECT * FROM kept").await?;
            connection.execute("COMMIT").await?;
            connection.close().await?;
        }
        Engine::Postgres => {
            let options = PgConnectOptions::from_str(database.url())?;
            let mut connection = options.disable_statement_logging().connect().await?;
            // Rows that are written with all that they refer to.
            connection.execute("SET session_replication_role = replica").await?;
            connection.execute("SET maintenance_work_mem = '256MB'").await?;
            let indexes = sqlx::query_as(
                "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
                 FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
                 WHERE relnamespace = current_schema()::regnamespace
                   AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)",
            )
            .fetch_all(&mut connection)
            .await?;
            for statement in before_indexes(statements, &indexes) {
                let context = format!("filling: {statement}");
                connection.execute(AssertSqlSafe(statement)).await.context(context)?;
            }
            // As autovacuum does in a database that has stood for a day.
            connection.execute("VACUUM ANALYZE").await?;
            connection.close().await?;
        }
    }
    Ok(())
}

/// Returns these statements between those that drop and those that build the indexes, given as names and definitions: a
/// million rows are written several times as fast without them.
fn before_indexes(statements: Vec<String>, indexes: &[(String, String)]) -> Vec<String> {
    let dropped = indexes.iter().map(|(name, _)| format!("DROP INDEX {name}"));
    let built = indexes.iter().map(|(_, definition)| definition.clone());
    dropped.chain(statements).chain(built).collect()
}
