//! Connections to the server that can be written, for the time that it is the one.
//!
//! Nothing waits for a server that does not answer: a frozen machine, a network that swallows packets and a commit whose
//! standby is gone all look the same from here. What takes too long ends with an error and costs its connection, since
//! nobody knows what the server makes of it. Where several servers are named, the one that is not recovering and is on the
//! newest timeline is looked for whenever something has failed.
//!
//! Statements reach a connection as [`Conn`] in a transaction ([`Tx`](super::Tx)), or through [`Connections`] alone.
//! Behind a pooler in transaction mode each of the latter is a transaction of its own, and no statement is prepared.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt as _, StreamExt as _, TryStreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Connection as _, Describe, Either, Error, Execute, Executor, PgConnection, PgPool, Postgres, SqlStr,
    pool::{PoolConnection, PoolConnectionMetadata},
    postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use tokio::{
    runtime::Handle,
    sync::Notify,
    time::{Instant, error::Elapsed, timeout, timeout_at},
};

use super::{Tx, address::Servers, server::find};

/// Connections of one proxy.
const CONNECTIONS: u32 = 16;
/// How long a request waits for a free connection before it is told that the store is busy.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a transaction may take, its commit included. Longer than the server's own limit for a statement, which says
/// more about what happened; the server has none for a commit that waits for a standby.
pub(super) const PATIENCE: Duration = Duration::from_secs(12);
/// An idle connection is tried before it is used, after so long.
const IDLE: Duration = Duration::from_secs(1);
/// How long trying a connection, or a server, may take.
pub(super) const TRIAL: Duration = Duration::from_secs(2);
/// How often the server that can be written is looked for, while there is none.
const SEARCH_PACE: Duration = Duration::from_millis(250);

/// SQLSTATEs of a server that cannot be written, or is going away.
const GONE: [&str; 5] = ["25006", "55000", "57P01", "57P02", "57P03"];

/// A pool of connections to one server at a time. Clones are the same pool.
#[derive(Clone, Debug)]
pub(super) struct Connections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: PgPool,
    pooled: bool,
    suspicion: Arc<Suspicion>,
    /// Looks for the server that can be written, where there are several.
    search: Option<tokio::task::JoinHandle<()>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(search) = &self.search {
            search.abort();
        }
    }
}

/// Whether the server may have been replaced.
#[derive(Debug, Default)]
struct Suspicion {
    /// Connections from before are not used any more.
    since: Mutex<Option<Instant>>,
    raised: Notify,
}

impl Suspicion {
    fn raise(&self) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.raised.notify_one();
    }

    fn covers(&self, age: Duration) -> bool {
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| since.elapsed() < age)
    }
}

impl Connections {
    /// Makes a pool; connects to nothing yet. `current` is the server that was found, by its place in `servers`.
    pub(super) fn to(servers: Servers, current: usize) -> Self {
        let Servers { direct, pooler } = servers;
        let suspicion = Arc::new(Suspicion::default());
        let pooled = pooler.is_some();
        let options = pooler.or_else(|| direct.get(current).cloned()).unwrap_or_default();
        let trusted = Arc::clone(&suspicion);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(move |connection, about| {
                Box::pin(is_usable(connection, about, Arc::clone(&trusted)))
            })
            .connect_lazy_with(options);
        let search = (!pooled && direct.len() > 1)
            .then(|| tokio::spawn(search(direct, current, pool.clone(), Arc::clone(&suspicion))));
        Self(Arc::new(Inner { pool, pooled, suspicion, search }))
    }

    /// Makes a pool over one connection that can change nothing.
    pub(super) fn onlooking(options: PgConnectOptions) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(options.options([("default_transaction_read_only", "on")]));
        Self(Arc::new(Inner { pool, pooled: false, suspicion: Arc::default(), search: None }))
    }

    /// Uses none of the connections any more that there are.
    pub(super) fn suspect(&self) {
        self.0.suspicion.raise();
    }

    /// Begins a transaction: read committed, with limits.
    pub(super) async fn begin(&self) -> Result<Tx, Error> {
        Tx::begin(self.conn().await?, self.0.pooled).await
    }

    pub(super) async fn close(&self) {
        // A server that is gone answers no farewell.
        drop(timeout(TRIAL, self.0.pool.close()).await);
    }

    async fn conn(&self) -> Result<Conn, Error> {
        let deadline = Instant::now() + ACQUIRE_TIMEOUT + PATIENCE;
        match self.0.pool.acquire().await {
            Ok(connection) => {
                let (connection, deadline) = (Some(connection), deadline.min(Instant::now() + PATIENCE));
                let home = self.clone();
                Ok(Conn { connection, home, deadline, is_busy: false, is_in_transaction: false })
            }
            Err(error) => {
                // All may be in use, which is no reason to give them up; or there is no server.
                match error {
                    Error::PoolTimedOut | Error::PoolClosed => self.0.suspicion.raised.notify_one(),
                    _ => self.suspect(),
                }
                Err(error)
            }
        }
    }

    /// One statement by itself.
    async fn run<'q, E>(&self, query: E) -> Result<Vec<Step>, Error>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        if !self.0.pooled {
            return self.conn().await?.all(query).await;
        }
        let mut tx = self.begin().await?;
        let steps = tx.all(query).await?;
        tx.commit().await?;
        Ok(steps)
    }
}

/// Whether an idle connection can be used: it is none of a server that may have been replaced, and it answers.
async fn is_usable(
    connection: &mut PgConnection,
    about: PoolConnectionMetadata,
    suspicion: Arc<Suspicion>,
) -> Result<bool, Error> {
    if suspicion.covers(about.age) {
        return Ok(false);
    }
    if about.idle_for < IDLE {
        return Ok(true);
    }
    let answers = matches!(timeout(TRIAL, connection.ping()).await, Ok(Ok(())));
    if !answers {
        suspicion.raise();
    }
    Ok(answers)
}

/// Whenever something has failed: finds the server that can be written, and turns to it.
async fn search(servers: Vec<PgConnectOptions>, mut current: usize, pool: PgPool, suspicion: Arc<Suspicion>) {
    loop {
        suspicion.raised.notified().await;
        let mut pace = tokio::time::interval(SEARCH_PACE);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            pace.tick().await;
            let Ok((found, timeline)) = find(&servers).await else { continue };
            if found != current
                && let Some(options) = servers.get(found)
            {
                tracing::warn!(
                    host = options.get_host(),
                    port = options.get_port(),
                    timeline = timeline.number,
                    "another database server can be written"
                );
                pool.set_connect_options(options.clone());
                suspicion.raise();
                current = found;
            }
            break;
        }
    }
}

/// An answer that did not come in time.
pub(super) fn late() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the database server did not answer in time"))
}

/// What one statement brings.
type Step = Either<PgQueryResult, PgRow>;

/// A connection on which nothing takes longer than it may.
#[derive(Debug)]
pub(super) struct Conn {
    /// Gone once it cannot be relied on.
    connection: Option<PoolConnection<Postgres>>,
    home: Connections,
    deadline: Instant,
    /// Something was begun on it and has not come back.
    is_busy: bool,
    /// A transaction is open on it.
    pub(super) is_in_transaction: bool,
}

impl Conn {
    fn judge<T>(&mut self, answer: Result<Result<T, Error>, Elapsed>) -> Result<T, Error> {
        let answer = answer.unwrap_or_else(|_| Err(late()));
        if answer.as_ref().is_err_and(says_gone) {
            self.give_up();
            self.home.suspect();
        }
        answer
    }

    /// Closes the connection without a word.
    fn give_up(&mut self) {
        drop(self.connection.take().map(PoolConnection::detach));
    }

    async fn all<'q, E>(&mut self, query: E) -> Result<Vec<Step>, Error>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        let is_prepared = !self.home.0.pooled;
        let Some(connection) = &mut self.connection else { return Err(late()) };
        self.is_busy = true;
        let connection: &mut PgConnection = &mut *connection;
        let answer = if is_prepared {
            timeout_at(self.deadline, connection.fetch_many(query).try_collect()).await
        } else {
            timeout_at(self.deadline, connection.fetch_many(Unprepared(query)).try_collect()).await
        };
        self.is_busy = false;
        self.judge(answer)
    }
}

fn says_gone(error: &Error) -> bool {
    match error {
        Error::Database(error) => error.code().is_some_and(|code| GONE.contains(&code.as_ref())),
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed => true,
        _ => false,
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        let runtime = Handle::try_current();
        // Whoever waited for an answer may have gone; the server may go on for as long as it likes.
        let (Ok(runtime), false) = (runtime, self.is_busy) else { return self.give_up() };
        let Some(mut connection) = self.connection.take() else { return };
        let undo = self.is_in_transaction;
        runtime.spawn(async move {
            let undone = async { if undo { connection.execute("ROLLBACK").await.map(drop) } else { Ok(()) } };
            match timeout(TRIAL, undone).await {
                Ok(Ok(())) => drop(timeout(TRIAL, connection.return_to_pool()).await),
                _ => drop(connection.detach()),
            }
        });
    }
}

/// A statement that is not prepared: the next transaction may run in another session.
struct Unprepared<E>(E);

impl<'q, E: Execute<'q, Postgres>> Execute<'q, Postgres> for Unprepared<E> {
    fn sql(self) -> SqlStr {
        self.0.sql()
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.0.statement()
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, sqlx::error::BoxDynError> {
        self.0.take_arguments()
    }

    fn persistent(&self) -> bool {
        false
    }
}

fn first_row(steps: Vec<Step>) -> Option<PgRow> {
    steps.into_iter().find_map(Either::right)
}

fn prepares_nothing() -> Error {
    Error::Protocol("statements are not prepared ahead".to_owned())
}

/// What [`Connections`] and [`Conn`] have in common as executors: everything is read before anything is handed on.
macro_rules! executes {
    ($on:ty, $run:ident) => {
        impl<'c> Executor<'c> for $on {
            type Database = Postgres;

            fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Step, Error>>
            where
                'c: 'e,
                E: 'q + Execute<'q, Postgres>,
            {
                let steps = async move { self.$run(query).await };
                stream::once(steps)
                    .map_ok(|steps| stream::iter(steps.into_iter().map(Ok)))
                    .try_flatten()
                    .boxed()
            }

            fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
            where
                'c: 'e,
                E: 'q + Execute<'q, Postgres>,
            {
                async move { self.$run(query).await.map(first_row) }.boxed()
            }

            fn prepare_with<'e>(
                self,
                _sql: SqlStr,
                _parameters: &'e [PgTypeInfo],
            ) -> BoxFuture<'e, Result<PgStatement, Error>>
            where
                'c: 'e,
            {
                futures_util::future::ready(Err(prepares_nothing())).boxed()
            }

            fn describe<'e>(self, _sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
            where
                'c: 'e,
            {
                futures_util::future::ready(Err(prepares_nothing())).boxed()
            }
        }
    };
}

executes!(&'c Connections, run);
executes!(&'c mut Conn, all);
