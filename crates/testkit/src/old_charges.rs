//! A store that has been in use for years: copies of one charge, without the work of making each.

use anyhow::Context as _;
use sqlx::{AssertSqlSafe, Connection as _};

use super::Database;

/// Tables that hold a charge, each after those that it refers to.
const TABLES: [&str; 5] = ["offers", "quotes", "attempts", "payments", "attempt_history"];
/// Columns that name something: a copy names its own.
const NAMES: [&str; 8] = [
    "id",
    "offer_id",
    "quote_id",
    "attempt_id",
    "payment_id",
    "customer_id",
    "checkout_session_id",
    "idem_key",
];
/// Columns that hold a time: a copy is a year older.
const TIMES: [&str; 4] = ["created_at", "seen_at", "expires_at", "at"];
const YEAR: i64 = 365 * 86_400;

impl Database {
    /// Copies the only charge of this store so many times, each a year old and of a buyer of its own. A proxy may be
    /// connected, and nothing else may be in the store yet.
    ///
    /// # Errors
    /// When there is no charge, or the copies cannot be written.
    pub async fn fill_with_old_charges(&self, copies: u32) -> anyhow::Result<()> {
        if self.is_postgres() {
            let mut connection = sqlx::PgConnection::connect(self.url()).await?;
            for table in TABLES {
                let columns = sqlx::query_scalar(
                    "SELECT column_name::text FROM information_schema.columns
                     WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position",
                )
                .bind(table)
                .fetch_all(&mut connection)
                .await?;
                let copy = copy(table, &columns, copies).context(table)?;
                sqlx::query(AssertSqlSafe(copy)).execute(&mut connection).await.context(table)?;
            }
            connection.close().await?;
        } else {
            let mut connection = sqlx::SqliteConnection::connect(self.url()).await?;
            for table in TABLES {
                let columns = sqlx::query_scalar("SELECT name FROM pragma_table_info($1) ORDER BY cid")
                    .bind(table)
                    .fetch_all(&mut connection)
                    .await?;
                let copy = copy(table, &columns, copies).context(table)?;
                sqlx::query(AssertSqlSafe(copy)).execute(&mut connection).await.context(table)?;
            }
            connection.close().await?;
        }
        Ok(())
    }
}

/// Returns the statement that copies the rows of a table. The number of a row of history is given by the database.
fn copy(table: &str, columns: &[String], copies: u32) -> anyhow::Result<String> {
    anyhow::ensure!(!columns.is_empty(), "no such table");
    let columns: Vec<&str> = columns
        .iter()
        .map(String::as_str)
        .filter(|name| (table, *name) != ("attempt_history", "no"))
        .collect();
    let values: Vec<String> = columns
        .iter()
        .map(|name| match *name {
            "email" => "NULL".to_owned(),
            name if NAMES.contains(&name) => format!("{name} || '_' || copy"),
            name if TIMES.contains(&name) => format!("{name} - {YEAR} + copy"),
            name => name.to_owned(),
        })
        .collect();
    Ok(format!(
        "INSERT INTO {table} ({}) WITH RECURSIVE copies (copy) AS
             (SELECT 1 UNION ALL SELECT copy + 1 FROM copies WHERE copy < {copies})
         SELECT {} FROM {table} CROSS JOIN copies",
        columns.join(", "),
        values.join(", ")
    ))
}
