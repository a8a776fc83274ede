//! Beats, and what is put back after a restore.

use async_trait::async_trait;
use sqlx::Row;
use upsell_core::{
    domain::{Fingerprinted, KnownKey, StoreIdentity},
    journal::{LastSign, Stale, Timeline, Watermark, states},
};
use wire::UnixSeconds;

use super::{
    SqlStore, Tx,
    codec::{at, at_opt},
};
use crate::store::{Restore, StoreError};

impl SqlStore {
    async fn write_beat(
        &self,
        tx: &mut Tx,
        now: UnixSeconds,
        restored_at: Option<UnixSeconds>,
    ) -> Result<UnixSeconds, StoreError> {
        let beat: i64 = sqlx::query_scalar(
            "INSERT INTO heartbeats (tenant, beat_at, restored_at) VALUES ($1, $2, $3)
             ON CONFLICT (tenant) DO UPDATE SET
                 beat_at = CASE WHEN heartbeats.beat_at > excluded.beat_at THEN heartbeats.beat_at
                                ELSE excluded.beat_at END,
                 restored_at = COALESCE(excluded.restored_at, heartbeats.restored_at)
             RETURNING beat_at",
        )
        .bind(self.tenant)
        .bind(now.0)
        .bind(restored_at.map(|at| at.0))
        .fetch_one(&mut **tx)
        .await?;
        Ok(UnixSeconds(beat))
    }
}

#[async_trait]
impl Restore for SqlStore {
    fn identity(&self) -> &StoreIdentity {
        &self.identity
    }

    async fn known_keys(&self) -> Result<Vec<KnownKey>, StoreError> {
        let rows = sqlx::query("SELECT * FROM tag_keys WHERE tenant = $1 ORDER BY seen_at, id")
            .bind(self.tenant)
            .fetch_all(&self.readers)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(KnownKey {
                    key: Fingerprinted { id: row.try_get("id")?, fingerprint: row.try_get("fingerprint")? },
                    seen_at: at(row, "seen_at")?,
                    retired_at: at_opt(row, "retired_at")?,
                })
            })
            .collect()
    }

    async fn remember_keys(&self, keys: &[Fingerprinted], at: UnixSeconds) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        for key in keys {
            sqlx::query(
                "INSERT INTO tag_keys (tenant, id, fingerprint, seen_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (tenant, id) DO NOTHING",
            )
            .bind(self.tenant)
            .bind(&key.id)
            .bind(&key.fingerprint)
            .bind(at.0)
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }

    async fn retire_key(&self, id: &str, at: UnixSeconds) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let retired = sqlx::query(
            "UPDATE tag_keys SET retired_at = $1 WHERE tenant = $2 AND id = $3 AND retired_at IS NULL",
        )
        .bind(at.0)
        .bind(self.tenant)
        .bind(id)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(retired.rows_affected() == 1)
    }

    async fn last_sign(&self) -> Result<LastSign, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT beat_at FROM heartbeats WHERE tenant = $1) AS beat_at,
                    (SELECT restored_at FROM heartbeats WHERE tenant = $1) AS restored_at,
                    (SELECT MAX(created_at) FROM attempts WHERE tenant = $1) AS attempt_at",
        )
        .bind(self.tenant)
        .fetch_one(&self.readers)
        .await?;
        Ok(LastSign {
            beat: at_opt(&row, "beat_at")?,
            attempt: at_opt(&row, "attempt_at")?,
            restored_at: at_opt(&row, "restored_at")?,
        })
    }

    async fn inspect(&self) -> Result<Watermark, StoreError> {
        let mut tx = self.read().await?;
        self.watermark(&mut tx).await
    }

    async fn beat(&self, now: UnixSeconds) -> Result<Option<Stale>, StoreError> {
        let mut tx = self.write().await?;
        if let Some(stale) = self.watermark(&mut tx).await?.staleness() {
            return Ok(Some(stale));
        }
        let beat = self.write_beat(&mut tx, now, None).await?;
        tx.commit().await?;
        self.memory.beat(beat);
        self.note_beside(beat);
        Ok(None)
    }

    async fn begin_anew(
        &self,
        now: UnixSeconds,
        restored_at: Option<UnixSeconds>,
        compared: Option<Timeline>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        if self.watermark(&mut tx).await?.writes != compared {
            return Err(StoreError::AnotherServer);
        }
        let beat = self.write_beat(&mut tx, now, restored_at).await?;
        tx.commit().await?;
        self.memory.begin_anew(beat, compared);
        self.note_beside(beat);
        Ok(())
    }

    async fn hold_until(&self, until: UnixSeconds) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO heartbeats (tenant, beat_at, held_until) VALUES ($1, 0, $2)
             ON CONFLICT (tenant) DO UPDATE SET
                 held_until = CASE WHEN heartbeats.held_until > excluded.held_until THEN heartbeats.held_until
                                   ELSE excluded.held_until END",
        )
        .bind(self.tenant)
        .bind(until.0)
        .execute(&self.writer)
        .await?;
        crate::failpoint!("hold.after_commit");
        Ok(())
    }

    async fn withdraw_offers(&self, before: UnixSeconds, most: u32) -> Result<u64, StoreError> {
        let (mut withdrawn, most) = (0, u64::from(most));
        for state in states::OPEN_OFFERS {
            let left = i64::try_from(most.saturating_sub(withdrawn)).unwrap_or(i64::MAX);
            let step = sqlx::query(
                "UPDATE offers SET state = $1
                 WHERE tenant = $2 AND id IN (SELECT id FROM offers WHERE tenant = $2 AND state = $3 AND created_at < $4
                                              ORDER BY created_at LIMIT $5)",
            )
            .bind(states::WITHDRAWN.as_str())
            .bind(self.tenant)
            .bind(state.as_str())
            .bind(before.0)
            .bind(left)
            .execute(&self.writer)
            .await?;
            withdrawn = step.rows_affected().saturating_add(withdrawn);
            crate::failpoint!("withdraw.after_commit");
        }
        Ok(withdrawn)
    }

    async fn held_until(&self) -> Result<Option<UnixSeconds>, StoreError> {
        let held: Option<Option<i64>> =
            sqlx::query_scalar("SELECT held_until FROM heartbeats WHERE tenant = $1")
                .bind(self.tenant)
                .fetch_optional(&self.readers)
                .await?;
        Ok(held.flatten().map(UnixSeconds))
    }
}
