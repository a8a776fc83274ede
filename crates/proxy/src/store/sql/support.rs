//! What people who look after a running proxy ask.

use async_trait::async_trait;
use dodo_client::ids::CustomerId;
use upsell_core::{
    domain::{AttemptKind, AttemptRow, AttemptWord, PaymentOnRecord},
    journal::states,
};
use wire::AttemptId;

use super::{
    DbRow, SqlStore,
    attempts::attempt,
    codec::{at, count, from_table},
    sales::payment_on_record,
};
use crate::store::{AttemptFilter, StateCount, StoreError, Support, Withheld};

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
        sqlx::query(
            "SELECT * FROM attempts WHERE tenant = $1 AND ($2 = '' OR state = $2) AND ($3 = '' OR customer_id = $3)
             ORDER BY created_at DESC, id DESC LIMIT $4",
        )
        .bind(self.tenant)
        // An absent filter is an empty text, which no state and no buyer is: one type on both engines.
        .bind(filter.state.map_or("", AttemptWord::as_str))
        .bind(filter.customer.as_ref().map_or("", CustomerId::as_str))
        .bind(i64::from(filter.limit))
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(attempt)
        .collect()
    }

    async fn count_attempts(&self) -> Result<Vec<StateCount>, StoreError> {
        sqlx::query(
            "SELECT state, COUNT(*) AS attempts, MIN(created_at) AS oldest FROM attempts WHERE tenant = $1
             GROUP BY state ORDER BY state",
        )
        .bind(self.tenant)
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(state_count)
        .collect()
    }

    async fn withheld(&self) -> Result<Withheld, StoreError> {
        let rows = sqlx::query(
            "SELECT attempts.state AS state, COUNT(DISTINCT attempts.offer_id) AS attempts,
                    MIN(attempts.created_at) AS oldest
             FROM attempts JOIN quotes ON quotes.tenant = attempts.tenant AND quotes.id = attempts.quote_id
             WHERE attempts.tenant = $1 AND attempts.kind = $2 AND quotes.withheld
             GROUP BY attempts.state",
        )
        .bind(self.tenant)
        .bind(AttemptKind::Hosted.as_str())
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
