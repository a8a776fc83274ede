//! Webhooks, each once.

use async_trait::async_trait;
use sqlx::Row;
use upsell_core::policy::inbox_schedule::{AfterFailure, WebhookState};
use wire::UnixSeconds;

use super::{
    DbRow, SqlStore,
    codec::{at_opt, count},
    skip_locked,
};
use crate::store::{COUNTED, DueWebhook, Inbox, InboxBacklog, InboxInsert, StoreError, Tried};

fn due_webhook(row: &DbRow) -> Result<DueWebhook, StoreError> {
    Ok(DueWebhook { id: row.try_get("webhook_id")?, raw: row.try_get("raw")?, tries: count(row, "tries")? })
}

#[async_trait]
impl Inbox for SqlStore {
    async fn inbox_insert(
        &self,
        webhook_id: &str,
        kind: &str,
        raw: &[u8],
        at: UnixSeconds,
        first_try_at: UnixSeconds,
    ) -> Result<InboxInsert, StoreError> {
        let mut tx = self.write().await?;
        let inserted = sqlx::query(
            "INSERT INTO inbox (tenant, webhook_id, kind, raw, received_at, next_try_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (tenant, webhook_id) DO NOTHING",
        )
        .bind(self.tenant)
        .bind(webhook_id)
        .bind(kind)
        .bind(raw)
        .bind(at.0)
        .bind(first_try_at.0)
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
            "UPDATE inbox SET applied_at = COALESCE(applied_at, $1), state = $2, next_try_at = NULL, failed_by = NULL, raw = $5
             WHERE tenant = $3 AND webhook_id = $4",
        )
        .bind(at.0)
        .bind(WebhookState::Applied.as_str())
        .bind(self.tenant)
        .bind(webhook_id)
        // Names and addresses stand in it. From here on it is known by its id.
        .bind(b"".as_slice())
        .execute(&self.writer)
        .await?;
        crate::failpoint!("inbox_applied.after_commit");
        Ok(())
    }

    async fn take_due_webhooks(
        &self,
        tried: Tried,
        now: UnixSeconds,
        until: UnixSeconds,
        limit: u32,
    ) -> Result<Vec<DueWebhook>, StoreError> {
        // Nearly always nothing is due: look before taking the write lock.
        let due: bool = match tried {
            Tried::Never => sqlx::query_scalar(
                "SELECT COUNT(*) > 0 FROM (SELECT 1 FROM inbox WHERE tenant = $1 AND next_try_at <= $2 AND tries = 0
                                           ORDER BY next_try_at LIMIT 1) AS due",
            ),
            Tried::Before => sqlx::query_scalar(
                "SELECT COUNT(*) > 0 FROM (SELECT 1 FROM inbox WHERE tenant = $1 AND next_try_at <= $2 AND tries > 0
                                           ORDER BY next_try_at LIMIT 1) AS due",
            ),
        }
        .bind(self.tenant)
        .bind(now.0)
        .fetch_one(&self.readers)
        .await?;
        if !due {
            return Ok(Vec::new());
        }
        // Read once, as in `attempts`.
        let take = match tried {
            Tried::Never => sqlx::query(concat!(
                "WITH due AS MATERIALIZED (SELECT webhook_id FROM inbox
                                           WHERE tenant = $2 AND next_try_at <= $3 AND tries = 0
                                           ORDER BY next_try_at LIMIT $4",
                skip_locked!(),
                ") UPDATE inbox SET next_try_at = $1
                   WHERE tenant = $2 AND webhook_id IN (SELECT webhook_id FROM due) RETURNING webhook_id, raw, tries"
            )),
            Tried::Before => sqlx::query(concat!(
                "WITH due AS MATERIALIZED (SELECT webhook_id FROM inbox
                                           WHERE tenant = $2 AND next_try_at <= $3 AND tries > 0
                                           ORDER BY next_try_at LIMIT $4",
                skip_locked!(),
                ") UPDATE inbox SET next_try_at = $1
                   WHERE tenant = $2 AND webhook_id IN (SELECT webhook_id FROM due) RETURNING webhook_id, raw, tries"
            )),
        };
        take.bind(until.0)
            .bind(self.tenant)
            .bind(now.0)
            .bind(i64::from(limit))
            .fetch_all(&self.writer)
            .await?
            .iter()
            .map(due_webhook)
            .collect()
    }

    async fn webhook_failed(
        &self,
        webhook_id: &str,
        tries: u32,
        next: AfterFailure,
        version: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE inbox SET tries = tries + 1, state = $1, next_try_at = $2, failed_by = $3
             WHERE tenant = $4 AND webhook_id = $5 AND tries = $6 AND state <> $7",
        )
        .bind(next.state.as_str())
        .bind(next.next_try_at.map(|at| at.0))
        .bind(next.next_try_at.is_none().then_some(version))
        .bind(self.tenant)
        .bind(webhook_id)
        .bind(i64::from(tries))
        .bind(WebhookState::Applied.as_str())
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn retry_after_update(
        &self,
        version: &str,
        now: UnixSeconds,
        limit: u32,
    ) -> Result<u64, StoreError> {
        // Nearly always there is none: look before taking the write lock.
        let any: bool = sqlx::query_scalar(
            "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM inbox WHERE tenant = $1 AND failed_by < $2
                                           ORDER BY failed_by LIMIT 1) AS older)
                  + (SELECT COUNT(*) FROM (SELECT 1 FROM inbox WHERE tenant = $1 AND failed_by > $2
                                           ORDER BY failed_by LIMIT 1) AS newer) > 0",
        )
        .bind(self.tenant)
        .bind(version)
        .fetch_one(&self.readers)
        .await?;
        if !any {
            return Ok(0);
        }
        let due = sqlx::query(
            "UPDATE inbox SET next_try_at = $1, state = $2, failed_by = NULL
             WHERE tenant = $3 AND webhook_id IN (SELECT webhook_id FROM inbox WHERE tenant = $3 AND failed_by < $4
                                                  UNION ALL
                                                  SELECT webhook_id FROM inbox WHERE tenant = $3 AND failed_by > $4
                                                  LIMIT $5)",
        )
        .bind(now.0)
        .bind(WebhookState::Waiting.as_str())
        .bind(self.tenant)
        .bind(version)
        .bind(i64::from(limit))
        .execute(&self.writer)
        .await?;
        Ok(due.rows_affected())
    }

    async fn inbox_backlog(&self) -> Result<Vec<InboxBacklog>, StoreError> {
        let mut backlog = Vec::new();
        for state in WebhookState::NOT_APPLIED {
            let row = sqlx::query(
                "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM inbox WHERE tenant = $1 AND applied_at IS NULL AND state = $2
                                               LIMIT $3) AS found) AS webhooks,
                        (SELECT MIN(received_at) FROM inbox
                         WHERE tenant = $1 AND applied_at IS NULL AND state = $2) AS oldest",
            )
            .bind(self.tenant)
            .bind(state.as_str())
            .bind(i64::from(COUNTED))
            .fetch_one(&self.readers)
            .await?;
            let oldest = at_opt(&row, "oldest")?;
            backlog.push(InboxBacklog { state, webhooks: count(&row, "webhooks")?.into(), oldest });
        }
        Ok(backlog)
    }
}
