//! Plan changes, counted.

use async_trait::async_trait;
use sqlx::AssertSqlSafe;
use upsell_core::{
    domain::{AttemptKind, PlanChanges},
    journal::states,
};
use wire::UnixSeconds;

use super::{
    DbRow, SqlStore,
    codec::{among, count, parsed},
};
use crate::store::{Changes, StoreError};

fn plan_changes(row: &DbRow) -> Result<PlanChanges, StoreError> {
    Ok(PlanChanges {
        from: parsed(row, "from_plan")?,
        to: parsed(row, "to_plan")?,
        subscriptions: count(row, "subscriptions")?,
    })
}

#[async_trait]
impl Changes for SqlStore {
    async fn plan_changes(&self, since: UnixSeconds, most: u32) -> Result<Vec<PlanChanges>, StoreError> {
        sqlx::query(AssertSqlSafe(format!(
            "WITH made AS (
                 SELECT id, subscription_id, quote_id, created_at FROM attempts
                 WHERE tenant = $1 AND created_at >= $2 AND kind = '{}'
                   AND state IN {} AND NOT surplus
                 ORDER BY created_at DESC, id DESC LIMIT $3
             ), counted AS (
                 SELECT quotes.from_plan, quotes.to_plan,
                        ROW_NUMBER() OVER (PARTITION BY made.subscription_id
                                           ORDER BY made.created_at DESC, made.id DESC) AS nth
                 FROM made JOIN quotes ON quotes.tenant = $1 AND quotes.id = made.quote_id
                 WHERE quotes.from_plan <> quotes.to_plan
             )
             SELECT from_plan, to_plan, COUNT(*) AS subscriptions FROM counted WHERE nth = 1
             GROUP BY from_plan, to_plan ORDER BY from_plan, to_plan",
            AttemptKind::PlanChange.as_str(),
            among(&states::COLLECTED),
        )))
        .bind(self.tenant)
        .bind(since.0)
        .bind(i64::from(most))
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(plan_changes)
        .collect()
    }
}
