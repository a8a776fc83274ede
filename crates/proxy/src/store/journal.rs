//! The journal's way to the disk: what a decision depends on is loaded, and what follows from it is written, in one
//! transaction under one lock. The store holds no rule; [`upsell_core::journal`] decides.

use async_trait::async_trait;
use upsell_core::journal::{Changes, Command, Record, Scope, decide};

use super::StoreError;

/// Decides over what it loads. May be asked more than once, each time over a record that was loaded anew; the last answer
/// counts.
pub type Decide<'a> = &'a mut (dyn FnMut(&Record) -> Changes + Send);

/// A store in which decisions are made.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Takes the lock of `scope`, loads what it names, asks `decide`, and writes the changes: all of them are on disk when
    /// this returns, or none. `command` names what is decided.
    async fn transact(
        &self,
        command: &'static str,
        scope: &Scope,
        decide: Decide<'_>,
    ) -> Result<(), StoreError>;
}

/// Carrying out commands.
pub trait Execute: Journal {
    /// Decides `command` over what the store holds, writes what follows from it, and returns the outcome.
    ///
    /// # Errors
    /// When the store fails. After a failed commit it is not known whether the changes are there.
    fn execute<C>(&self, command: &C) -> impl Future<Output = Result<C::Outcome, StoreError>> + Send
    where
        C: Command + Sync,
        C::Outcome: Send,
    {
        async move {
            let mut outcome = None;
            self.transact(C::NAME, &command.scope(), &mut |record| {
                let (decided, changes) = decide(record, command);
                outcome = Some(decided);
                changes
            })
            .await?;
            outcome.ok_or(StoreError::Contended)
        }
    }
}

impl<T: Journal + ?Sized> Execute for T {}
