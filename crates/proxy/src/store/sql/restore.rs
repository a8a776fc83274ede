//! Beats, and what is put back after a restore.

use async_trait::async_trait;
use sqlx::{Row, Transaction};
use wire::UnixSeconds;

use super::{Db, SqlStore, codec::at_opt, history::Line, offers::offer};
use crate::{
    domain::{AttemptRow, AttemptState, OfferRow},
    policy::restore,
    store::{LastSign, Rebuilding, Restore, StoreError, Took},
};

impl SqlStore {
    /// Whether the store holds less than this process remembers.
    pub(super) async fn went_back(&self, tx: &mut Transaction<'static, Db>) -> Result<bool, StoreError> {
        let known = self.memory.known();
        let row = sqlx::query(
            "SELECT (SELECT beat_at FROM heartbeats WHERE tenant = $1) AS beat_at,
                    EXISTS (SELECT 1 FROM attempts WHERE tenant = $1 AND id = $2 AND state <> 'claimed') AS has_sent",
        )
        .bind(self.tenant)
        .bind(known.sent.as_ref().map_or("", |id| id.as_str()))
        .fetch_one(&mut **tx)
        .await?;
        let lost_attempt = known.sent.is_some() && !row.try_get::<bool, _>("has_sent")?;
        Ok(lost_attempt || restore::has_gone_back(known.beat, at_opt(&row, "beat_at")?))
    }

    async fn write_beat(
        &self,
        tx: &mut Transaction<'static, Db>,
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

    /// The offer that a lost attempt was for: the very one, or the one made for the same occasion since; else it is
    /// written anew.
    async fn offer_to_rebuild(
        &self,
        tx: &mut Transaction<'static, Db>,
        lost: &OfferRow,
    ) -> Result<OfferRow, StoreError> {
        if let Some(same) = self.offer_in(tx, &lost.customer_id, &lost.id).await? {
            return Ok(same);
        }
        self.insert_offer_in(tx, lost).await?;
        let row = sqlx::query(
            "SELECT * FROM offers WHERE tenant = $1 AND customer_id = $2 AND campaign = $3 AND trigger_ref = $4",
        )
        .bind(self.tenant)
        .bind(lost.customer_id.as_str())
        .bind(&lost.campaign)
        .bind(&lost.trigger_ref)
        .fetch_one(&mut **tx)
        .await?;
        offer(&row)
    }

    /// Writes a lost attempt as sent. Its offer is closed by it, unless it is over already; what the payment makes of both
    /// is settled afterwards, like any other evidence.
    async fn put_back(
        &self,
        tx: &mut Transaction<'static, Db>,
        rebuilding: &Rebuilding,
    ) -> Result<AttemptRow, StoreError> {
        let mut row = rebuilding.attempt.clone();
        let mut rival = match &row.subscription_id {
            Some(subscription) => self.subscription_is_busy(tx, subscription).await?,
            None => false,
        };
        if let Some(lost) = &rebuilding.offer {
            let offer = self.offer_to_rebuild(tx, lost).await?;
            row.offer_id = Some(offer.id.clone());
            row.no = offer.attempt_no.saturating_add(1);
            rival |= self.rival_exists(tx, &row).await?;
            sqlx::query(
                "UPDATE offers SET attempt_no = $1,
                        state = CASE WHEN state IN ('eligible', 'presented', 'failed') THEN 'accepting' ELSE state END
                 WHERE tenant = $2 AND id = $3",
            )
            .bind(i64::from(row.no))
            .bind(self.tenant)
            .bind(offer.id.as_str())
            .execute(&mut **tx)
            .await?;
        }
        self.insert_quote_if_absent(tx, &rebuilding.quote).await?;
        self.insert_attempt(tx, &row, rival).await?;
        Ok(row)
    }

    /// An attempt that was only claimed when the backup was taken, and has a payment, was sent.
    async fn was_sent(
        &self,
        tx: &mut Transaction<'static, Db>,
        row: AttemptRow,
        at: UnixSeconds,
    ) -> Result<AttemptRow, StoreError> {
        sqlx::query(
            "UPDATE attempts SET state = 'sent', lease_until = 0, next_check_at = $1
             WHERE tenant = $2 AND id = $3 AND state = 'claimed'",
        )
        .bind(at.0)
        .bind(self.tenant)
        .bind(row.id.as_str())
        .execute(&mut **tx)
        .await?;
        Ok(AttemptRow {
            state: AttemptState::Sent,
            lease_until: UnixSeconds(0),
            next_check_at: Some(at),
            ..row
        })
    }
}

#[async_trait]
impl Restore for SqlStore {
    fn name(&self) -> &str {
        &self.name
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

    async fn has_gone_back(&self) -> Result<bool, StoreError> {
        let mut tx = self.readers.begin().await?;
        self.went_back(&mut tx).await
    }

    async fn beat(&self, now: UnixSeconds) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        if self.went_back(&mut tx).await? {
            return Ok(false);
        }
        let beat = self.write_beat(&mut tx, now, None).await?;
        tx.commit().await?;
        self.memory.beat(beat);
        self.note_beside(beat);
        Ok(true)
    }

    async fn begin_anew(&self, now: UnixSeconds, restored_at: Option<UnixSeconds>) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let beat = self.write_beat(&mut tx, now, restored_at).await?;
        tx.commit().await?;
        self.memory.begin_anew(beat);
        self.note_beside(beat);
        Ok(())
    }

    async fn rebuild(&self, rebuilding: &Rebuilding, at: UnixSeconds) -> Result<Took, StoreError> {
        let lost = &rebuilding.attempt;
        let mut tx = self.write_for(lost.customer_id.as_str()).await?;
        let took = match self.attempt_in(&mut tx, &lost.id).await? {
            Some(row) if row.state != AttemptState::Claimed => return Ok(Took::Known(row)),
            Some(row) => Took::Known(self.was_sent(&mut tx, row, at).await?),
            None => Took::New(self.put_back(&mut tx, rebuilding).await?),
        };
        self.write_line(&mut tx, &lost.id, at, Line::Rebuilt).await?;
        crate::failpoint!("rebuild.before_commit");
        tx.commit().await?;
        crate::failpoint!("rebuild.after_commit");
        Ok(took)
    }

    async fn hold_until(&self, until: UnixSeconds) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let closed = sqlx::query(
            "UPDATE offers SET state = 'expired'
             WHERE tenant = $1 AND state IN ('eligible', 'presented', 'failed') AND created_at < $2",
        )
        .bind(self.tenant)
        .bind(until.0)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "INSERT INTO heartbeats (tenant, beat_at, held_until) VALUES ($1, 0, $2)
             ON CONFLICT (tenant) DO UPDATE SET
                 held_until = CASE WHEN heartbeats.held_until > excluded.held_until THEN heartbeats.held_until
                                   ELSE excluded.held_until END",
        )
        .bind(self.tenant)
        .bind(until.0)
        .execute(&mut *tx)
        .await?;
        crate::failpoint!("hold.before_commit");
        tx.commit().await?;
        Ok(closed.rows_affected())
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
