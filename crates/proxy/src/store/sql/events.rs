//! How far Dodo's events are known.

use async_trait::async_trait;
use upsell_core::policy::{catching_up::EventProgress, listing_plan::Window};
use wire::UnixSeconds;

use super::{
    DbRow, SqlStore,
    codec::{at, at_opt},
};
use crate::store::{Advance, Events, StoreError};

fn progress(row: &DbRow) -> Result<EventProgress, StoreError> {
    let (from, to) = (at_opt(row, "catch_from")?, at_opt(row, "catch_to")?);
    let missed = from.zip(to).map(|(from, to)| Window { from, to });
    Ok(EventProgress { last_event_at: at(row, "last_event_at")?, missed })
}

#[async_trait]
impl Events for SqlStore {
    async fn advance_events(
        &self,
        now: UnixSeconds,
        advance: Advance<'_>,
    ) -> Result<EventProgress, StoreError> {
        let mut tx = self.write().await?;
        // Writing the row as it is locks it: what is decided holds until the commit.
        let row = sqlx::query(
            "INSERT INTO event_progress (tenant, last_event_at) VALUES ($1, $2)
             ON CONFLICT (tenant) DO UPDATE SET last_event_at = event_progress.last_event_at
             RETURNING last_event_at, catch_from, catch_to",
        )
        .bind(self.tenant)
        .bind(now.0)
        .fetch_one(&mut *tx)
        .await?;
        let before = progress(&row)?;
        let after = match advance(before) {
            None => before,
            Some(after) => {
                sqlx::query(
                    "UPDATE event_progress SET last_event_at = $1, catch_from = $2, catch_to = $3 WHERE tenant = $4",
                )
                .bind(after.last_event_at.0)
                .bind(after.missed.map(|missed| missed.from.0))
                .bind(after.missed.map(|missed| missed.to.0))
                .bind(self.tenant)
                .execute(&mut *tx)
                .await?;
                after
            }
        };
        tx.commit().await?;
        Ok(after)
    }
}
