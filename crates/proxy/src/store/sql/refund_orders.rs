//! Orders to refund: written by settling, sent at most once.

use async_trait::async_trait;
use dodo_client::ids::{PaymentId, RefundId};
use sqlx::{Row, Transaction};
use wire::UnixSeconds;

use super::{
    Db, DbRow, SqlStore,
    codec::{at, at_opt, from_word, parsed, parsed_opt, word},
    history::Line,
    skip_locked,
};
use crate::{
    domain::{AttemptRow, OrderState, RefundCause, RefundOrder, RefundStatus, SeenPayment, SeenRefund},
    policy::notices,
    store::{Conclusion, RefundOrders, StoreError},
};

fn order(row: &DbRow) -> Result<RefundOrder, StoreError> {
    Ok(RefundOrder {
        payment_id: parsed(row, "payment_id")?,
        cause: from_word(row.try_get("cause")?, "refund_orders.cause")?,
        amount: row.try_get("amount")?,
        state: from_word(row.try_get("state")?, "refund_orders.state")?,
        refund_id: parsed_opt(row, "refund_id")?,
        created_at: at(row, "created_at")?,
        sent_at: at_opt(row, "sent_at")?,
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
            "SELECT EXISTS (SELECT 1 FROM refund_orders WHERE tenant = $1 AND next_check_at <= $2 AND lease_until <= $2)",
        )
        .bind(self.tenant)
        .bind(now.0)
        .fetch_one(&self.readers)
        .await?;
        if !due {
            return Ok(Vec::new());
        }
        sqlx::query(concat!(
            "UPDATE refund_orders SET lease_until = $1, lease_owner = $5
             WHERE tenant = $2 AND (payment_id, cause) IN
                   (SELECT payment_id, cause FROM refund_orders
                    WHERE tenant = $2 AND next_check_at <= $3 AND lease_until <= $3
                    ORDER BY next_check_at LIMIT $4",
            skip_locked!(),
            ") RETURNING *"
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

    async fn mark_refund_sent(
        &self,
        order: &RefundOrder,
        now: UnixSeconds,
        next_check_at: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let marked = sqlx::query(
            "UPDATE refund_orders SET state = 'sent', sent_at = $1, lease_until = $2, next_check_at = $2
             WHERE tenant = $3 AND payment_id = $4 AND cause = $5
               AND state = 'due' AND lease_until > $1 AND lease_owner = $6",
        )
        .bind(now.0)
        .bind(next_check_at.0)
        .bind(self.tenant)
        .bind(order.payment_id.as_str())
        .bind(word(&order.cause, "refund_orders.cause")?)
        .bind(&self.instance)
        .execute(&mut *tx)
        .await?;
        crate::failpoint!("mark_refund_sent.before_commit");
        tx.commit().await?;
        crate::failpoint!("mark_refund_sent.after_commit");
        Ok(marked.rows_affected() == 1)
    }

    async fn conclude_refund(
        &self,
        order: &RefundOrder,
        conclusion: &Conclusion,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let (state, refund, next_check_at) = match conclusion {
            Conclusion::Done(id) => (OrderState::Done, Some(id), None),
            Conclusion::Underway(id, at) => (OrderState::Done, Some(id), Some(*at)),
            Conclusion::Refused(id) => (OrderState::Refused, id.as_ref(), None),
            Conclusion::Due(at) => (OrderState::Due, None, Some(*at)),
            Conclusion::Later(at) => (order.state, None, *at),
        };
        let mut tx = self.write_for(order.payment_id.as_str()).await?;
        let concluded = sqlx::query(
            "UPDATE refund_orders SET state = $1, refund_id = COALESCE($2, refund_id), next_check_at = $3,
                                      lease_until = 0, checks = checks + 1
             WHERE tenant = $4 AND payment_id = $5 AND cause = $6 AND state = $7",
        )
        .bind(word(&state, "refund_orders.state")?)
        .bind(refund.map(RefundId::as_str))
        .bind(next_check_at.map(|at| at.0))
        .bind(self.tenant)
        .bind(order.payment_id.as_str())
        .bind(word(&order.cause, "refund_orders.cause")?)
        .bind(word(&order.state, "refund_orders.state")?)
        .execute(&mut *tx)
        .await?;
        let concluded = concluded.rows_affected() == 1;
        if concluded && state == OrderState::Refused {
            self.tell_not_given_back(&mut tx, order, now).await?;
        }
        // What was reported of the refund until now did not find the order.
        if concluded
            && let Some(id) = refund
            && let Some(known) = self.known_refund(&mut tx, id).await?
        {
            self.order_follows(&mut tx, &known, now).await?;
        }
        crate::failpoint!("conclude_refund.before_commit");
        tx.commit().await?;
        crate::failpoint!("conclude_refund.after_commit");
        Ok(concluded)
    }
}

impl SqlStore {
    /// Orders a refund, in the transaction that found out that it is due.
    pub(super) async fn order_refund(
        &self,
        tx: &mut Transaction<'static, Db>,
        row: &AttemptRow,
        seen: &SeenPayment,
        (cause, amount): (RefundCause, Option<i64>),
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO refund_orders (tenant, payment_id, cause, amount, state, created_at, next_check_at)
             VALUES ($1, $2, $3, $4, 'due', $5, $5) ON CONFLICT (tenant, payment_id, cause) DO NOTHING",
        )
        .bind(self.tenant)
        .bind(seen.id.as_str())
        .bind(word(&cause, "refund_orders.cause")?)
        .bind(amount)
        .bind(now.0)
        .execute(&mut **tx)
        .await?;
        self.write_line(tx, &row.id, now, Line::RefundOrdered(cause, &seen.id)).await?;
        let (offer, quote) = self.context_of(tx, row).await?;
        let notice = notices::of_refund_order((cause, amount), seen, row, &quote, offer.as_ref(), now);
        self.put_notice(tx, &notice, now).await
    }

    /// An order stands as its refund stands: on its way is done, and what comes to nothing later is not. What has changed
    /// is not looked at any more.
    pub(super) async fn order_follows(
        &self,
        tx: &mut Transaction<'static, Db>,
        refund: &SeenRefund,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let state = match refund.status {
            RefundStatus::Pending => return Ok(()),
            RefundStatus::Failed => OrderState::Refused,
            RefundStatus::Succeeded => OrderState::Done,
        };
        let moved = sqlx::query(
            "UPDATE refund_orders SET state = $1, next_check_at = NULL
             WHERE tenant = $2 AND refund_id = $3 AND state IN ('done', 'refused') AND state <> $1 RETURNING *",
        )
        .bind(word(&state, "refund_orders.state")?)
        .bind(self.tenant)
        .bind(refund.id.as_str())
        .fetch_all(&mut **tx)
        .await?;
        for row in &moved {
            let order = order(row)?;
            if order.state == OrderState::Refused {
                self.tell_not_given_back(tx, &order, now).await?;
            }
        }
        Ok(())
    }

    async fn tell_not_given_back(
        &self,
        tx: &mut Transaction<'static, Db>,
        order: &RefundOrder,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let Some(row) = self.sold_by(tx, &order.payment_id).await? else { return Ok(()) };
        let (offer, quote) = self.context_of(tx, &row).await?;
        self.put_notice(tx, &notices::of_refund_refusal(order, &row, &quote, offer.as_ref(), now), now).await
    }
}
