//! News on its way out. What is put in is written by [`super::notices`].

use async_trait::async_trait;
use sqlx::Row;
use wire::UnixSeconds;

use super::{
    DbRow, SqlStore,
    codec::{at_opt, count},
    skip_locked,
};
use crate::store::{Backlog, COUNTED, DueNotice, Outbox, StoreError};

fn due(row: &DbRow) -> Result<DueNotice, StoreError> {
    Ok(DueNotice { id: row.try_get("id")?, body: row.try_get("body")?, tries: count(row, "tries")? })
}

#[async_trait]
impl Outbox for SqlStore {
    async fn take_due_notices(
        &self,
        now: UnixSeconds,
        lease_until: UnixSeconds,
        limit: u32,
    ) -> Result<Vec<DueNotice>, StoreError> {
        // Nearly every second nothing is due: look before taking the write lock.
        let any: bool = sqlx::query_scalar(
            "SELECT COUNT(*) > 0 FROM (SELECT 1 FROM outbox WHERE tenant = $1 AND next_try_at <= $2 AND lease_until <= $2
                                       ORDER BY next_try_at LIMIT 1) AS due",
        )
        .bind(self.tenant)
        .bind(now.0)
        .fetch_one(&self.readers)
        .await?;
        if !any {
            return Ok(Vec::new());
        }
        // Read once, as in `attempts`.
        sqlx::query(concat!(
            "WITH due AS MATERIALIZED (SELECT id FROM outbox
                                       WHERE tenant = $2 AND next_try_at <= $3 AND lease_until <= $3
                                       ORDER BY next_try_at, created_at LIMIT $4",
            skip_locked!(),
            ") UPDATE outbox SET lease_until = $1
               WHERE tenant = $2 AND id IN (SELECT id FROM due) RETURNING id, body, tries"
        ))
        .bind(lease_until.0)
        .bind(self.tenant)
        .bind(now.0)
        .bind(i64::from(limit))
        .fetch_all(&self.writer)
        .await?
        .iter()
        .map(due)
        .collect()
    }

    async fn notice_told(&self, id: &str, at: UnixSeconds) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE outbox SET sent_at = COALESCE(sent_at, $1), next_try_at = NULL, lease_until = 0, body = ''
             WHERE tenant = $2 AND id = $3",
        )
        .bind(at.0)
        .bind(self.tenant)
        .bind(id)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn notice_failed(
        &self,
        notice: &DueNotice,
        next_try_at: Option<UnixSeconds>,
    ) -> Result<(), StoreError> {
        // Written so that no index of what waits goes with it: the row is found by its id, however many wait.
        sqlx::query(
            "UPDATE outbox SET tries = tries + 1, next_try_at = $1, lease_until = 0
             WHERE tenant = $2 AND id = $3 AND tries = $4 AND COALESCE(next_try_at, -1) >= 0",
        )
        .bind(next_try_at.map(|at| at.0))
        .bind(self.tenant)
        .bind(&notice.id)
        .bind(i64::from(notice.tries))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM outbox WHERE tenant = $1 AND next_try_at IS NOT NULL LIMIT $2)
                         AS found) AS waiting,
                    (SELECT MIN(created_at) FROM outbox WHERE tenant = $1 AND next_try_at IS NOT NULL) AS oldest",
        )
        .bind(self.tenant)
        .bind(i64::from(COUNTED))
        .fetch_one(&self.readers)
        .await?;
        Ok(Backlog {
            waiting: u64::try_from(row.try_get::<i64, _>("waiting")?)
                .map_err(|_| StoreError::Unreadable("outbox.waiting"))?,
            oldest: at_opt(&row, "oldest")?,
        })
    }
}
