//! One transaction of the journal: lock, load, decide, write.

use async_trait::async_trait;
use upsell_core::journal::{Record, Scope};

use super::SqlStore;
use crate::{
    failpoint,
    store::{
        StoreError,
        journal::{Decide, Journal},
    },
};

/// How often a decision is made over a record that changed between loading and writing. Only the lease of an attempt
/// changes without its buyer's lock, and nobody takes a lease twice within so short a time.
const TRIES: u32 = 3;

#[async_trait]
impl Journal for SqlStore {
    async fn transact(
        &self,
        command: &'static str,
        scope: &Scope,
        decide: Decide<'_>,
    ) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let Some((mut tx, record)) = self.load(scope).await? else {
                // Without anything to lock there is nothing to write to.
                decide(&Record::empty(&self.instance));
                return Ok(());
            };
            failpoint!(command, "loaded");
            let changes = decide(&record);
            if changes.is_empty() {
                return Ok(());
            }
            if !self.apply(&mut tx, &changes).await? {
                tx.rollback().await?;
                continue;
            }
            failpoint!(command, "written");
            tx.commit().await?;
            if let Some(attempt) = changes.marks_sent() {
                self.memory.sent(attempt);
            }
            failpoint!(command, "committed");
            return Ok(());
        }
        Err(StoreError::Contended)
    }
}
