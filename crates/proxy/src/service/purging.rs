//! Purging beside charging: small steps with a pause after each, in which whoever waits for the store's writer gets it.

use std::time::Duration;

use wire::UnixSeconds;

use crate::store::{Cursor, Purge, Store, StoreError};

/// Most rows that one transaction looks at. A few milliseconds of work.
pub const STEP: u32 = 200;
/// Pause between two steps. Purging takes a small part of the writer's time, however much there is to purge.
const PAUSE: Duration = Duration::from_millis(25);

/// Deletes or reduces all rows of one kind that are older than `before`, step by step. Returns the number of rows changed. May
/// be dropped between any two steps; the next call goes on where it ended.
///
/// # Errors
/// When the store fails. What earlier steps changed stays changed.
pub async fn purge(store: &dyn Store, what: Purge, before: UnixSeconds) -> Result<u64, StoreError> {
    let (mut changed, mut place) = (0_u64, Cursor::start());
    loop {
        let step = store.purge_step(what, before, &place, STEP).await?;
        changed = changed.saturating_add(step.changed);
        let Some(next) = step.next else { return Ok(changed) };
        place = next;
        pause().await;
    }
}

/// Waits between two steps.
pub(super) async fn pause() {
    tokio::time::sleep(PAUSE).await;
}
