//! Finding the server that can be written, and what is asked of it before it is used.

use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _, Error, PgConnection, postgres::PgConnectOptions};
use tokio::time::timeout;
use upsell_core::journal::Timeline;

use super::{
    OpenError,
    connections::{ACQUIRE_TIMEOUT, TRIAL, late},
    timeline_of,
};

/// How long connecting to the server that was found may take.
const CONNECT: Duration = ACQUIRE_TIMEOUT;

/// A connection to the server that can be written.
pub(super) struct Server {
    pub(super) connection: PgConnection,
    /// Its place among those that were named.
    pub(super) no: usize,
    pub(super) timeline: Timeline,
}

/// Asks all servers at once. Returns the one that can be written, on the newest timeline of those that say so, with that.
///
/// # Errors
/// `None`: all that answer follow another. Else why one does not answer.
pub(super) async fn find(servers: &[PgConnectOptions]) -> Result<(usize, Timeline), Option<Error>> {
    let answers = servers.iter().map(|server| async {
        let ask = async {
            let mut connection = server.connect().await?;
            let timeline = timeline_of(&mut connection).await?;
            connection.close().await?;
            Ok(timeline)
        };
        timeout(TRIAL, ask).await.unwrap_or_else(|_| Err(late()))
    });
    let (mut best, mut failed) = (None::<(usize, Timeline)>, None);
    for (no, answer) in futures_util::future::join_all(answers).await.into_iter().enumerate() {
        match answer {
            Ok(Some(timeline)) if best.is_none_or(|(_, known)| known.number < timeline.number) => {
                best = Some((no, timeline));
            }
            Ok(_) => {}
            Err(error) => failed = Some(error),
        }
    }
    best.ok_or(failed)
}

/// Connects to the server that can be written.
///
/// # Errors
/// See [`OpenError`].
pub(super) async fn connect(servers: &[PgConnectOptions]) -> Result<Server, OpenError> {
    let (no, timeline) = find(servers).await.map_err(|why| why.map_or(OpenError::Standby, Into::into))?;
    let options = servers.get(no).cloned().unwrap_or_default();
    let connection = timeout(CONNECT, options.connect()).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
    Ok(Server { connection, no, timeline })
}

/// Asks whether a commit that is answered stays, as far as can be seen from outside. `may_fail_over`: several servers are
/// named, so that it has to be on more than one of them.
///
/// # Errors
/// See [`OpenError`].
pub(super) async fn check(connection: &mut PgConnection, may_fail_over: bool) -> Result<(), OpenError> {
    let fsync: String = sqlx::query_scalar("SHOW fsync").fetch_one(&mut *connection).await?;
    let commit: String = sqlx::query_scalar("SHOW synchronous_commit").fetch_one(&mut *connection).await?;
    for (setting, found, is_safe) in [
        ("fsync", &fsync, fsync == "on"),
        ("synchronous_commit", &commit, commit == "on" || commit == "remote_apply"),
    ] {
        if !is_safe {
            return Err(OpenError::NotDurable { setting, found: found.clone() });
        }
    }
    let names: String =
        sqlx::query_scalar("SHOW synchronous_standby_names").fetch_one(&mut *connection).await?;
    if names.trim().is_empty() {
        return if may_fail_over { Err(OpenError::Asynchronous) } else { Ok(()) };
    }
    // Without the role pg_monitor the states are not shown: then the first commit tells.
    let (visible, synchronous): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(sync_state), COUNT(*) FILTER (WHERE sync_state IN ('sync', 'quorum')) FROM pg_stat_replication",
    )
    .fetch_one(&mut *connection)
    .await?;
    let hidden: bool =
        sqlx::query_scalar("SELECT NOT pg_has_role('pg_monitor', 'USAGE')").fetch_one(connection).await?;
    if synchronous == 0 && (visible > 0 || !hidden) { Err(OpenError::NoStandby) } else { Ok(()) }
}
