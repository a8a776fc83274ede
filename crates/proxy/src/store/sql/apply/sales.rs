//! Writing payments, and what became of them.

use dodo_client::ids::{CustomerId, RefundId, SubscriptionId};
use upsell_core::{
    domain::{OrderState, SeenDispute, SeenRefund},
    journal::{ForeignPayment, StoredOrder, StoredPayment},
};
use wire::UnixSeconds;

use super::super::{SqlStore, Tx};
use crate::store::StoreError;

impl SqlStore {
    pub(super) async fn write_payment(
        &self,
        tx: &mut Tx,
        StoredPayment { attempt_id, record }: &StoredPayment,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO payments (tenant, payment_id, attempt_id, status, amount, currency, surplus, seen_at, proof,
                                   paid_by, subscription_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (tenant, payment_id) DO UPDATE SET
                 status = excluded.status, amount = excluded.amount, currency = excluded.currency,
                 surplus = excluded.surplus, seen_at = excluded.seen_at, proof = excluded.proof,
                 paid_by = excluded.paid_by, subscription_id = excluded.subscription_id",
        )
        .bind(self.tenant)
        .bind(record.payment.id.as_str())
        .bind(attempt_id.as_str())
        .bind(record.payment.status.as_str())
        .bind(record.payment.amount.map(|amount| amount.amount))
        .bind(record.payment.amount.as_ref().map(|amount| amount.currency.as_str()))
        .bind(record.surplus)
        .bind(record.seen_at.0)
        .bind(record.payment.proof.as_str())
        .bind(record.payment.paid_by.as_ref().map(CustomerId::as_str))
        .bind(record.payment.subscription_id.as_ref().map(SubscriptionId::as_str))
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The first report of it stays.
    pub(super) async fn record_foreign(
        &self,
        tx: &mut Tx,
        foreign: &ForeignPayment,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO foreign_payments (tenant, payment_id, attempt_id, why, at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant, payment_id) DO NOTHING",
        )
        .bind(self.tenant)
        .bind(foreign.payment_id.as_str())
        .bind(foreign.attempt.as_str())
        .bind(foreign.why.as_str())
        .bind(foreign.at.0)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    pub(super) async fn write_refund(
        &self,
        tx: &mut Tx,
        refund: &SeenRefund,
        at: UnixSeconds,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO refunds (tenant, refund_id, payment_id, status, amount, currency, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (tenant, refund_id) DO UPDATE SET
                 status = excluded.status, amount = excluded.amount, currency = excluded.currency",
        )
        .bind(self.tenant)
        .bind(refund.id.as_str())
        .bind(refund.payment_id.as_str())
        .bind(refund.status.as_str())
        .bind(refund.amount.map(|amount| amount.amount))
        .bind(refund.amount.as_ref().map(|amount| amount.currency.as_str()))
        .bind(at.0)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    pub(super) async fn write_dispute(
        &self,
        tx: &mut Tx,
        dispute: &SeenDispute,
        at: UnixSeconds,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO disputes (tenant, dispute_id, payment_id, status, at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant, dispute_id) DO UPDATE SET status = excluded.status",
        )
        .bind(self.tenant)
        .bind(dispute.id.as_str())
        .bind(dispute.payment_id.as_str())
        .bind(dispute.status.as_str())
        .bind(at.0)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    pub(super) async fn insert_order(
        &self,
        tx: &mut Tx,
        StoredOrder { row, .. }: &StoredOrder,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO refund_orders (tenant, payment_id, cause, amount, state, created_at, next_check_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant, payment_id, cause) DO NOTHING",
        )
        .bind(self.tenant)
        .bind(row.payment_id.as_str())
        .bind(row.cause.as_str())
        .bind(row.amount)
        .bind(row.state.as_str())
        .bind(row.created_at.0)
        .bind(row.next_check_at.map(|at| at.0))
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Writes everything of a refund order that can change, but for its lease owner.
    pub(super) async fn update_order(
        &self,
        tx: &mut Tx,
        StoredOrder { row, lease_until, checks, .. }: &StoredOrder,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE refund_orders SET state = $1, refund_id = $2, next_check_at = $3, lease_until = $4, checks = $5
             WHERE tenant = $6 AND payment_id = $7 AND cause = $8",
        )
        .bind(row.state.as_str())
        .bind(row.refund_id.as_ref().map(RefundId::as_str))
        .bind(row.next_check_at.map(|at| at.0))
        .bind(lease_until.0)
        .bind(i64::from(*checks))
        .bind(self.tenant)
        .bind(row.payment_id.as_str())
        .bind(row.cause.as_str())
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Guarded like [`Self::mark_attempt_sent`].
    pub(super) async fn mark_order_sent(
        &self,
        tx: &mut Tx,
        StoredOrder { row, lease_until, .. }: &StoredOrder,
        from: OrderState,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let marked = sqlx::query(
            "UPDATE refund_orders SET state = $1, sent_at = $2, lease_until = $3, next_check_at = $4
             WHERE tenant = $5 AND payment_id = $6 AND cause = $7
               AND state = $8 AND lease_until > $9 AND lease_owner = $10",
        )
        .bind(row.state.as_str())
        .bind(row.sent_at.map(|at| at.0))
        .bind(lease_until.0)
        .bind(row.next_check_at.map(|at| at.0))
        .bind(self.tenant)
        .bind(row.payment_id.as_str())
        .bind(row.cause.as_str())
        .bind(from.as_str())
        .bind(now.0)
        .bind(&self.instance)
        .execute(&mut **tx)
        .await?;
        Ok(marked.rows_affected() == 1)
    }
}
