//! What SQLite's planner is told of the tables.
//!
//! Without statistics it takes the rows of a tenant for about ten, and reads all of them rather than those of a payment
//! by another index. A store has one tenant, and grows: the planner is told so from the first day on, so that a plan does
//! not depend on whether somebody has analysed the store, nor when.

use sqlx::{Row, SqlitePool};

/// Rows of every table, and of its one tenant.
const ROWS: u64 = 1_000_000;
/// Rows that have one state or one kind in common.
const ROWS_OF_A_WORD: u64 = 100_000;
/// Rows that have the tenant and one more column of an index in common, and two, and so on.
const ROWS_IN_COMMON: [u64; 3] = [20, 5, 2];

/// Returns the statistics of an index over these columns, as `ANALYZE` writes them: the rows in it, then the rows that have
/// the first column in common, the first two, and so on.
fn statistics(columns: &[&str], is_unique: bool) -> String {
    let mut numbers = vec![ROWS];
    for (at, column) in columns.iter().enumerate() {
        let in_common = match at.checked_sub(1) {
            None => ROWS,
            Some(_) if is_unique && at.saturating_add(1) == columns.len() => 1,
            Some(0) if ["state", "kind"].contains(column) => ROWS_OF_A_WORD,
            Some(further) => ROWS_IN_COMMON.get(further).copied().unwrap_or(1),
        };
        numbers.push(in_common);
    }
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
}

/// Writes the statistics of every index and has this connection use them; connections that are opened later do so by
/// themselves.
pub(super) async fn write(writer: &SqlitePool) -> Result<(), sqlx::Error> {
    // The table of statistics is made by this command alone.
    sqlx::query("ANALYZE sqlite_schema").execute(writer).await?;
    let indexes = sqlx::query(
        "SELECT tables.name AS tbl, indexes.name AS idx, indexes.\"unique\" AS is_unique,
                (SELECT GROUP_CONCAT(COALESCE(name, ''), ',') FROM pragma_index_info(indexes.name)) AS columns
         FROM sqlite_schema AS tables JOIN pragma_index_list(tables.name) AS indexes
         WHERE tables.type = 'table' AND tables.name NOT GLOB '_sqlx*' AND tables.name NOT GLOB 'sqlite_*'",
    )
    .fetch_all(writer)
    .await?;
    let mut tx = writer.begin().await?;
    sqlx::query("DELETE FROM sqlite_stat1").execute(&mut *tx).await?;
    for index in &indexes {
        let columns: String = index.try_get("columns")?;
        let columns: Vec<&str> = columns.split(',').collect();
        sqlx::query("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ($1, $2, $3)")
            .bind(index.try_get::<String, _>("tbl")?)
            .bind(index.try_get::<String, _>("idx")?)
            .bind(statistics(&columns, index.try_get("is_unique")?))
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    sqlx::query("ANALYZE sqlite_schema").execute(writer).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_has_every_row_and_a_key_has_one() {
        assert_eq!(statistics(&["tenant", "id"], true), "1000000 1000000 1");
        assert_eq!(statistics(&["tenant", "payment_id"], false), "1000000 1000000 20");
        assert_eq!(statistics(&["tenant", "state", "created_at", "id"], false), "1000000 1000000 100000 5 2");
    }
}
