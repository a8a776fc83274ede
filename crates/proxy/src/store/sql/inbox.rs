//! Webhooks, each once.

use async_trait::async_trait;
use sqlx::Row;
use wire::UnixSeconds;

use super::SqlStore;
use crate::store::{Inbox, InboxInsert, StoreError, UNREADABLE};

#[async_trait]
impl Inbox for SqlStore {
    async fn inbox_insert(
        &self,
        webhook_id: &str,
        kind: &str,
        raw: &[u8],
        at: UnixSeconds,
    ) -> Result<InboxInsert, StoreError> {
        let mut tx = self.write().await?;
        let inserted = sqlx::query(
            "INSERT INTO inbox (tenant, webhook_id, kind, raw, received_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant, webhook_id) DO NOTHING",
        )
        .bind(self.tenant)
        .bind(webhook_id)
        .bind(kind)
        .bind(raw)
        .bind(at.0)
        .execute(&mut *tx)
        .await?;
        if inserted.rows_affected() == 1 {
            crate::failpoint!("inbox_insert.before_commit");
            tx.commit().await?;
            crate::failpoint!("inbox_insert.after_commit");
            return Ok(InboxInsert::New);
        }
        let applied: Option<i64> =
            sqlx::query_scalar("SELECT applied_at FROM inbox WHERE tenant = $1 AND webhook_id = $2")
                .bind(self.tenant)
                .bind(webhook_id)
                .fetch_one(&mut *tx)
                .await?;
        Ok(if applied.is_some() { InboxInsert::Duplicate } else { InboxInsert::Unapplied })
    }

    async fn inbox_applied(&self, webhook_id: &str, at: UnixSeconds) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE inbox SET applied_at = COALESCE(applied_at, $1), raw = $4 WHERE tenant = $2 AND webhook_id = $3",
        )
        .bind(at.0)
        .bind(self.tenant)
        .bind(webhook_id)
        // Names and addresses stand in it. From here on it is known by its id.
        .bind(b"".as_slice())
        .execute(&self.writer)
        .await?;
        crate::failpoint!("inbox_applied.after_commit");
        Ok(())
    }

    async fn inbox_unapplied(
        &self,
        before: UnixSeconds,
        limit: u32,
    ) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let rows = sqlx::query(
            "SELECT webhook_id, raw FROM inbox
             WHERE tenant = $1 AND applied_at IS NULL AND received_at < $2
             ORDER BY CASE WHEN kind = $4 THEN 1 ELSE 0 END, received_at LIMIT $3",
        )
        .bind(self.tenant)
        .bind(before.0)
        .bind(i64::from(limit))
        .bind(UNREADABLE)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((row.try_get("webhook_id")?, row.try_get("raw")?))).collect()
    }

    async fn purge_inbox(&self, before: UnixSeconds) -> Result<u64, StoreError> {
        let purged = sqlx::query(
            "DELETE FROM inbox
             WHERE tenant = $1 AND (applied_at IS NOT NULL OR kind = $3) AND received_at < $2",
        )
        .bind(self.tenant)
        .bind(before.0)
        .bind(UNREADABLE)
        .execute(&self.writer)
        .await?;
        Ok(purged.rows_affected())
    }
}
