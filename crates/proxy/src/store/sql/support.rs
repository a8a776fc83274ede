//! What people who look after a running proxy ask.

use async_trait::async_trait;
use upsell_core::{
    domain::{AttemptKind, AttemptRow, AttemptWord, PaymentOnRecord},
    journal::states,
};
use wire::AttemptId;

use super::{
    DbRow, SqlStore,
    attempts::attempt,
    codec::{at, at_opt, count, from_table},
    sales::payment_on_record,
};
use crate::store::{AttemptFilter, COUNTED, StateCount, StoreError, Support, Withheld};

fn state_count(row: &DbRow) -> Result<StateCount, StoreError> {
    Ok(StateCount {
        state: from_table(row, "state", AttemptWord::parse)?,
        attempts: count(row, "attempts")?.into(),
        oldest: at(row, "oldest")?,
    })
}

#[async_trait]
impl Support for SqlStore {
    async fn list_attempts(&self, filter: &AttemptFilter) -> Result<Vec<AttemptRow>, StoreError> {
        // An absent filter is an empty text, which no state is: one type on both engines. Of one buyer there are few.
        let state = filter.state.map_or("", AttemptWord::as_str);
        let list = match (&filter.customer, filter.state) {
            (Some(customer), _) => sqlx::query(
                "SELECT * FROM attempts WHERE tenant = $1 AND customer_id = $2 AND ($3 = '' OR state = $3)
                 ORDER BY created_at DESC, id DESC LIMIT $4",
            )
            .bind(self.tenant)
            .bind(customer.as_str())
            .bind(state),
            (None, Some(_)) => sqlx::query(
                "SELECT * FROM attempts WHERE tenant = $1 AND state = $2 ORDER BY created_at DESC, id DESC LIMIT $3",
            )
            .bind(self.tenant)
            .bind(state),
            (None, None) => sqlx::query(
                "SELECT * FROM attempts WHERE tenant = $1 ORDER BY created_at DESC, id DESC LIMIT $2",
            )
            .bind(self.tenant),
        };
        list.bind(i64::from(filter.limit)).fetch_all(&self.readers).await?.iter().map(attempt).collect()
    }

    async fn count_attempts(&self) -> Result<Vec<StateCount>, StoreError> {
        let mut counts = Vec::new();
        for state in AttemptWord::ALL.iter().copied() {
            let row = sqlx::query(
                "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM attempts WHERE tenant = $1 AND state = $2 LIMIT $3) AS found)
                            AS attempts,
                        (SELECT MIN(created_at) FROM attempts WHERE tenant = $1 AND state = $2) AS oldest",
            )
            .bind(self.tenant)
            .bind(state.as_str())
            .bind(i64::from(COUNTED))
            .fetch_one(&self.readers)
            .await?;
            if let Some(oldest) = at_opt(&row, "oldest")? {
                counts.push(StateCount { state, attempts: count(&row, "attempts")?.into(), oldest });
            }
        }
        Ok(counts)
    }

    async fn withheld(&self) -> Result<Withheld, StoreError> {
        let rows = sqlx::query(
            "SELECT latest.state AS state, COUNT(DISTINCT latest.offer_id) AS attempts, MIN(latest.created_at) AS oldest
             FROM (SELECT state, offer_id, quote_id, created_at FROM attempts WHERE tenant = $1 AND kind = $2
                   ORDER BY created_at DESC LIMIT $3) AS latest
             JOIN quotes ON quotes.tenant = $1 AND quotes.id = latest.quote_id
             WHERE quotes.withheld
             GROUP BY latest.state",
        )
        .bind(self.tenant)
        .bind(AttemptKind::Hosted.as_str())
        .bind(i64::from(COUNTED))
        .fetch_all(&self.readers)
        .await?;
        let mut withheld = Withheld::default();
        for row in &rows {
            let StateCount { state, attempts, .. } = state_count(row)?;
            if state != states::TAKEN_BACK {
                withheld.opened = withheld.opened.saturating_add(attempts);
            }
            if states::COLLECTED.contains(&state) {
                withheld.paid = withheld.paid.saturating_add(attempts);
            }
        }
        Ok(withheld)
    }

    async fn payments_of(&self, id: &AttemptId) -> Result<Vec<PaymentOnRecord>, StoreError> {
        sqlx::query(
            "SELECT * FROM payments WHERE tenant = $1 AND attempt_id = $2 ORDER BY seen_at, payment_id",
        )
        .bind(self.tenant)
        .bind(id.as_str())
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(payment_on_record)
        .collect()
    }
}
