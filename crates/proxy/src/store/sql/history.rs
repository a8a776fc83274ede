//! What happened to each attempt. It is written in [`super::apply`].

use sqlx::Row;
use upsell_core::domain::{HistoryEntry, Source};
use wire::AttemptId;

use super::{DbRow, SqlStore, codec::at};
use crate::store::StoreError;

fn entry(row: &DbRow) -> Result<HistoryEntry, StoreError> {
    Ok(HistoryEntry {
        at: at(row, "at")?,
        event: row.try_get("event")?,
        source: row
            .try_get::<Option<String>, _>("source")?
            .map(|source| Source::parse(&source).ok_or(StoreError::Unreadable("attempt_history.source")))
            .transpose()?,
        detail: row.try_get("detail")?,
        instance: row.try_get("instance")?,
    })
}

impl SqlStore {
    pub(super) async fn read_history(&self, attempt: &AttemptId) -> Result<Vec<HistoryEntry>, StoreError> {
        sqlx::query("SELECT * FROM attempt_history WHERE tenant = $1 AND attempt_id = $2 ORDER BY no")
            .bind(self.tenant)
            .bind(attempt.as_str())
            .fetch_all(&self.readers)
            .await?
            .iter()
            .map(entry)
            .collect()
    }
}
