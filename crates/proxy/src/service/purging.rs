//! Purging beside charging: small steps with a pause after each, in which whoever waits for the store's writer gets it.

use std::time::Duration;

use wire::UnixSeconds;

use crate::store::{Purge, Store, StoreError};

/// Most rows that one transaction looks at. A few milliseconds of work.
pub const STEP: u32 = 200;
/// Pause between two steps. Purging takes a small part of the writer's time, however much there is to purge.
pub const PAUSE: Duration = Duration::from_millis(25);

/// Deletes all rows of one kind that are older than `before`, step by step. Returns the number of rows deleted. May be
/// dropped between any two steps; the next call goes on where it ended.
///
/// # Errors
/// When the store fails. What earlier steps deleted stays deleted.
pub async fn purge(store: &dyn Store, what: Purge, before: UnixSeconds) -> Result<u64, StoreError> {
    let mut deleted: u64 = 0;
    loop {
        let step = store.purge_step(what, before, STEP).await?;
        deleted = deleted.saturating_add(step.deleted);
        if !step.more {
            return Ok(deleted);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
