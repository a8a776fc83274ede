//! Attempts: reading them, and taking those that are due. They are written in [`super::apply`].

use async_trait::async_trait;
use dodo_client::ids::{CheckoutSessionId, CustomerId, PaymentId, SubscriptionId};
use sqlx::{AssertSqlSafe, Row};
use upsell_core::{
    domain::{AttemptKind, AttemptRow, HistoryEntry},
    journal::states,
    policy::reconcile_schedule::AgeGroup,
};
use wire::{AttemptId, IdempotencyKey, OfferId, UnixSeconds};

use super::{
    DbRow, SHARED, SqlStore,
    codec::{
        among, at, at_opt, attempt_state, count, fingerprint, from_json, from_json_opt, from_table, parsed,
        parsed_opt,
    },
    skip_locked,
};
use crate::store::{Attempts, StoreError};

pub(super) fn attempt(row: &DbRow) -> Result<AttemptRow, StoreError> {
    Ok(AttemptRow {
        id: parsed(row, "id")?,
        offer_id: parsed_opt(row, "offer_id")?,
        subscription_id: parsed_opt(row, "subscription_id")?,
        no: count(row, "no")?,
        customer_id: parsed(row, "customer_id")?,
        quote_id: parsed(row, "quote_id")?,
        kind: from_table(row, "kind", AttemptKind::parse)?,
        key: parsed_opt(row, "idem_key")?,
        fingerprint: fingerprint(row, "fingerprint")?,
        state: attempt_state(row)?,
        replacement: parsed_opt(row, "replacement")?,
        checkout_session_id: parsed_opt(row, "checkout_session_id")?,
        checkout_url: row.try_get("checkout_url")?,
        payment_id: parsed_opt(row, "payment_id")?,
        receipt: from_json_opt(row, "receipt")?,
        consent: from_json(row, "consent")?,
        agreed: row.try_get("agreed")?,
        created_at: at(row, "created_at")?,
        lease_until: at(row, "lease_until")?,
        next_check_at: at_opt(row, "next_check_at")?,
        checks: count(row, "checks")?,
        clean_looks: count(row, "clean_looks")?,
    })
}

#[async_trait]
impl Attempts for SqlStore {
    async fn history(&self, id: &AttemptId) -> Result<Vec<HistoryEntry>, StoreError> {
        self.read_history(id).await
    }

    async fn attempt(&self, customer: &CustomerId, id: &AttemptId) -> Result<Option<AttemptRow>, StoreError> {
        sqlx::query("SELECT * FROM attempts WHERE tenant = $1 AND id = $2 AND customer_id = $3")
            .bind(self.tenant)
            .bind(id.as_str())
            .bind(customer.as_str())
            .fetch_optional(&self.readers)
            .await?
            .as_ref()
            .map(attempt)
            .transpose()
    }

    async fn attempt_by_key(
        &self,
        customer: &CustomerId,
        key: &IdempotencyKey,
    ) -> Result<Option<AttemptRow>, StoreError> {
        sqlx::query("SELECT * FROM attempts WHERE tenant = $1 AND customer_id = $2 AND idem_key = $3")
            .bind(self.tenant)
            .bind(customer.as_str())
            .bind(key.as_str())
            .fetch_optional(&self.readers)
            .await?
            .as_ref()
            .map(attempt)
            .transpose()
    }

    async fn attempt_by_id(&self, id: &AttemptId) -> Result<Option<AttemptRow>, StoreError> {
        sqlx::query("SELECT * FROM attempts WHERE tenant = $1 AND id = $2")
            .bind(self.tenant)
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?
            .as_ref()
            .map(attempt)
            .transpose()
    }

    async fn attempt_by_upstream(
        &self,
        payment: &PaymentId,
        checkout: Option<&CheckoutSessionId>,
    ) -> Result<Option<AttemptRow>, StoreError> {
        let by_payment = sqlx::query(
            "SELECT * FROM attempts WHERE tenant = $1 AND payment_id = $2 ORDER BY created_at DESC LIMIT 1",
        )
        .bind(self.tenant)
        .bind(payment.as_str())
        .fetch_optional(&self.readers)
        .await?;
        let row = match (by_payment, checkout) {
            (Some(row), _) => Some(row),
            (None, None) => None,
            (None, Some(checkout)) => {
                sqlx::query(
                    "SELECT * FROM attempts WHERE tenant = $1 AND checkout_session_id = $2
                     ORDER BY created_at DESC LIMIT 1",
                )
                .bind(self.tenant)
                .bind(checkout.as_str())
                .fetch_optional(&self.readers)
                .await?
            }
        };
        row.as_ref().map(attempt).transpose()
    }

    async fn latest_attempt(&self, offer: &OfferId) -> Result<Option<AttemptRow>, StoreError> {
        sqlx::query(
            "SELECT * FROM attempts WHERE tenant = $1 AND offer_id = $2 AND state <> $3
             ORDER BY state = $4 DESC, no DESC LIMIT 1",
        )
        .bind(self.tenant)
        .bind(offer.as_str())
        .bind(states::TAKEN_BACK.as_str())
        .bind(states::PAID.as_str())
        .fetch_optional(&self.readers)
        .await?
        .as_ref()
        .map(attempt)
        .transpose()
    }

    async fn live_attempt(&self, subscription: &SubscriptionId) -> Result<Option<AttemptRow>, StoreError> {
        sqlx::query(AssertSqlSafe(format!(
            "SELECT * FROM attempts WHERE tenant = $1 AND subscription_id = $2 AND state IN {}
             ORDER BY created_at DESC LIMIT 1",
            among(&states::LIVE)
        )))
        .bind(self.tenant)
        .bind(subscription.as_str())
        .fetch_optional(&self.readers)
        .await?
        .as_ref()
        .map(attempt)
        .transpose()
    }

    async fn is_followed(&self, row: &AttemptRow) -> Result<bool, StoreError> {
        let Some(subscription) = &row.subscription_id else { return Ok(false) };
        Ok(sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT EXISTS (SELECT 1 FROM attempts WHERE tenant = $1 AND subscription_id = $2 AND created_at > $3
                            AND state IN {})",
            among(&states::ACTED)
        )))
        .bind(self.tenant)
        .bind(subscription.as_str())
        .bind(row.created_at.0)
        .fetch_one(&self.readers)
        .await?)
    }

    async fn take_due(
        &self,
        group: AgeGroup,
        now: UnixSeconds,
        lease_until: UnixSeconds,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, StoreError> {
        let old_until = AgeGroup::old_until(now);
        // Nearly every second nothing is due: look before taking the write lock. Each group is found by the index that is
        // short for it: fresh attempts by their age, old ones by when they are due.
        let is_due: bool = match group {
            AgeGroup::Fresh => sqlx::query_scalar(
                "SELECT COUNT(*) > 0 FROM (SELECT 1 FROM attempts
                                           WHERE tenant = $1 AND next_check_at <= $2 AND lease_until <= $2
                                             AND created_at > $3
                                           ORDER BY created_at LIMIT 1) AS due",
            ),
            AgeGroup::Old => sqlx::query_scalar(
                "SELECT COUNT(*) > 0 FROM (SELECT 1 FROM attempts
                                           WHERE tenant = $1 AND next_check_at <= $2 AND lease_until <= $2
                                             AND created_at <= $3
                                           ORDER BY next_check_at LIMIT 1) AS due",
            ),
        }
        .bind(self.tenant)
        .bind(now.0)
        .bind(old_until.0)
        .fetch_one(&self.readers)
        .await?;
        if !is_due {
            return Ok(Vec::new());
        }
        // Read once: PostgreSQL may run a subquery again for each row, and take more than the limit.
        let take = match group {
            AgeGroup::Fresh => sqlx::query(concat!(
                "WITH due AS MATERIALIZED (SELECT id FROM attempts
                                           WHERE tenant = $2 AND next_check_at <= $3 AND lease_until <= $3
                                             AND created_at > $6
                                           ORDER BY created_at LIMIT $4",
                skip_locked!(),
                ") UPDATE attempts SET lease_until = $1, lease_owner = $5
                   WHERE tenant = $2 AND id IN (SELECT id FROM due) RETURNING *"
            )),
            AgeGroup::Old => sqlx::query(concat!(
                "WITH due AS MATERIALIZED (SELECT id FROM attempts
                                           WHERE tenant = $2 AND next_check_at <= $3 AND lease_until <= $3
                                             AND created_at <= $6
                                           ORDER BY next_check_at LIMIT $4",
                skip_locked!(),
                ") UPDATE attempts SET lease_until = $1, lease_owner = $5
                   WHERE tenant = $2 AND id IN (SELECT id FROM due) RETURNING *"
            )),
        };
        take.bind(lease_until.0)
            .bind(self.tenant)
            .bind(now.0)
            .bind(i64::from(limit))
            .bind(&self.instance)
            .bind(old_until.0)
            .fetch_all(&self.writer)
            .await?
            .iter()
            .map(attempt)
            .collect()
    }

    async fn make_live_due(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        // Where other proxies may be at work, a lease that has not ended is theirs.
        let due = sqlx::query(AssertSqlSafe(format!(
            "UPDATE attempts SET lease_until = 0, next_check_at = $1
             WHERE tenant = $2 AND state IN {} AND (NOT $3 OR lease_until <= $1)",
            among(&states::LIVE)
        )))
        .bind(now.0)
        .bind(self.tenant)
        .bind(SHARED)
        .execute(&self.writer)
        .await?;
        crate::failpoint!("make_live_due.after_commit");
        Ok(due.rows_affected())
    }
}
