//! Bringing the schema up to date: on a connection to the server itself, in one transaction, under a lock that ends with
//! it. A lock of the session would stay behind where a pooler hands the session to somebody else.

use sqlx::{Connection as _, Executor as _, PgConnection, migrate::Migrator};

use super::{MIGRATIONS, OpenError};

/// Key of the advisory lock, the same in every version.
const LOCK: i64 = 0x7570_7365_6C6C;

/// Runs the migrations that are missing: all of them, or none.
///
/// # Errors
/// When one fails, or the schema is of a newer version.
pub(super) async fn migrate(connection: &mut PgConnection) -> Result<(), OpenError> {
    let mut migrations = Migrator { migrations: MIGRATIONS.migrations.clone(), ..Migrator::DEFAULT };
    migrations.set_locking(false);
    let mut tx = connection.begin().await?;
    // Others may take their time with it, and so may this: nobody is served before.
    tx.execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *tx).await?;
    tx.execute("SET LOCAL lock_timeout = 5000").await?;
    // Not `run`: the compiler cannot tell that its future may be sent between threads.
    migrations.run_direct(None, &mut *tx, false).await?;
    tx.commit().await?;
    Ok(())
}
