//! Refund orders: reading them, and taking those that are due. They are written in [`super::apply`].

use async_trait::async_trait;
use dodo_client::ids::PaymentId;
use sqlx::Row;
use upsell_core::{
    domain::{OrderState, RefundCause, RefundOrder},
    journal::StoredOrder,
};
use wire::UnixSeconds;

use super::{
    DbRow, SqlStore,
    codec::{at, at_opt, count, from_table, parsed, parsed_opt},
    skip_locked,
};
use crate::store::{RefundOrders, StoreError};

fn order(row: &DbRow) -> Result<RefundOrder, StoreError> {
    Ok(RefundOrder {
        payment_id: parsed(row, "payment_id")?,
        cause: from_table(row, "cause", RefundCause::parse)?,
        amount: row.try_get("amount")?,
        state: from_table(row, "state", OrderState::parse)?,
        refund_id: parsed_opt(row, "refund_id")?,
        created_at: at(row, "created_at")?,
        sent_at: at_opt(row, "sent_at")?,
        next_check_at: at_opt(row, "next_check_at")?,
    })
}

pub(super) fn stored_order(row: &DbRow) -> Result<StoredOrder, StoreError> {
    Ok(StoredOrder {
        row: order(row)?,
        lease_until: at(row, "lease_until")?,
        lease_owner: row.try_get("lease_owner")?,
        checks: count(row, "checks")?,
    })
}

#[async_trait]
impl RefundOrders for SqlStore {
    async fn refund_order(&self, payment: &PaymentId) -> Result<Option<RefundOrder>, StoreError> {
        sqlx::query(
            "SELECT * FROM refund_orders WHERE tenant = $1 AND payment_id = $2 ORDER BY created_at LIMIT 1",
        )
        .bind(self.tenant)
        .bind(payment.as_str())
        .fetch_optional(&self.readers)
        .await?
        .as_ref()
        .map(order)
        .transpose()
    }

    async fn take_due_refunds(
        &self,
        now: UnixSeconds,
        lease_until: UnixSeconds,
        limit: u32,
    ) -> Result<Vec<RefundOrder>, StoreError> {
        // Nearly always nothing is due: look before taking the write lock.
        let due: bool = sqlx::query_scalar(
            "SELECT COUNT(*) > 0 FROM (SELECT 1 FROM refund_orders
                                       WHERE tenant = $1 AND next_check_at <= $2 AND lease_until <= $2
                                       ORDER BY next_check_at LIMIT 1) AS due",
        )
        .bind(self.tenant)
        .bind(now.0)
        .fetch_one(&self.readers)
        .await?;
        if !due {
            return Ok(Vec::new());
        }
        // Read once, as in `attempts`.
        sqlx::query(concat!(
            "WITH due AS MATERIALIZED (SELECT payment_id, cause FROM refund_orders
                                       WHERE tenant = $2 AND next_check_at <= $3 AND lease_until <= $3
                                       ORDER BY next_check_at LIMIT $4",
            skip_locked!(),
            ") UPDATE refund_orders SET lease_until = $1, lease_owner = $5
               WHERE tenant = $2 AND (payment_id, cause) IN (SELECT payment_id, cause FROM due) RETURNING *"
        ))
        .bind(lease_until.0)
        .bind(self.tenant)
        .bind(now.0)
        .bind(i64::from(limit))
        .bind(&self.instance)
        .fetch_all(&self.writer)
        .await?
        .iter()
        .map(order)
        .collect()
    }
}
