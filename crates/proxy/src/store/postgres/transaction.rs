//! A transaction that ends in time, one way or the other.

use std::ops::{Deref, DerefMut};

use sqlx::{Error, Executor as _};

use super::connections::Conn;

/// Read committed, the server's default notwithstanding.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
/// [`BEGIN`] in a session that is somebody else's in between, with [`LIMITS`](super::address::LIMITS) for this transaction.
const BEGIN_POOLED: &str = "BEGIN ISOLATION LEVEL READ COMMITTED;
     SET LOCAL statement_timeout = 10000; SET LOCAL lock_timeout = 5000;
     SET LOCAL idle_in_transaction_session_timeout = 15000";

/// A transaction. Dropped without [`Tx::commit`], it changes nothing.
#[derive(Debug)]
pub(super) struct Tx(Conn);

impl Tx {
    pub(super) async fn begin(mut conn: Conn, pooled: bool) -> Result<Self, Error> {
        conn.is_in_transaction = true;
        conn.execute(if pooled { BEGIN_POOLED } else { BEGIN }).await?;
        Ok(Self(conn))
    }

    /// Makes everything permanent, on the server and on its synchronous standbys. After an error nobody knows whether it
    /// is: the answer may have been lost, or the standby may have been slow.
    ///
    /// # Errors
    /// When the server says so, or nothing in time.
    pub(super) async fn commit(self) -> Result<(), Error> {
        self.end("COMMIT").await
    }

    /// Undoes everything.
    ///
    /// # Errors
    /// When the server does not answer, which undoes everything as well.
    pub(super) async fn rollback(self) -> Result<(), Error> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, how: &'static str) -> Result<(), Error> {
        self.0.execute(how).await?;
        self.0.is_in_transaction = false;
        Ok(())
    }
}

impl Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.0
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{super::address::LIMITS, BEGIN_POOLED};

    #[test]
    fn a_pooled_transaction_has_the_limits_of_a_session() {
        for (name, value) in LIMITS {
            assert!(BEGIN_POOLED.contains(&format!("SET LOCAL {name} = {value}")), "{name}");
        }
        assert_eq!(BEGIN_POOLED.matches("SET LOCAL").count(), LIMITS.len());
    }
}
