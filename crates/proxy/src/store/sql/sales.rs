//! Flags on sales: refunds and disputes, merged as they come.
//!
//! A report may come before the payment that it is about. Whichever comes second tells the merchant's system; the lock on
//! the payment's id makes sure that one of them sees the other.

use async_trait::async_trait;
use dodo_client::ids::{PaymentId, RefundId};
use sqlx::{Row, Transaction};
use wire::{Currency, Money, UnixSeconds};

use super::{
    Db, DbRow, SqlStore,
    attempts::attempt,
    codec::{from_word, parsed, word},
};
use crate::{
    domain::{AttemptRow, DisputeStatus, RefundStatus, Sale, SeenDispute, SeenRefund},
    policy::notices,
    store::{Sales, StoreError},
};

fn money(row: &DbRow) -> Result<Option<Money>, StoreError> {
    let amount: Option<i64> = row.try_get("amount")?;
    let currency: Option<String> = row.try_get("currency")?;
    let (Some(amount), Some(currency)) = (amount, currency) else { return Ok(None) };
    let currency = Currency::parse(&currency).map_err(|_| StoreError::Unreadable("currency"))?;
    Ok(Some(Money::new(amount, currency)))
}

fn refund(row: &DbRow) -> Result<SeenRefund, StoreError> {
    Ok(SeenRefund {
        id: parsed(row, "refund_id")?,
        payment_id: parsed(row, "payment_id")?,
        status: from_word(row.try_get("status")?, "refunds.status")?,
        amount: money(row)?,
    })
}

fn dispute(row: &DbRow) -> Result<SeenDispute, StoreError> {
    Ok(SeenDispute {
        id: parsed(row, "dispute_id")?,
        payment_id: parsed(row, "payment_id")?,
        status: from_word(row.try_get("status")?, "disputes.status")?,
    })
}

/// Of two reported amounts the larger: any fixed choice would do, and Dodo's do not differ.
fn larger(a: Option<Money>, b: Option<Money>) -> Option<Money> {
    a.into_iter().chain(b).max_by_key(|money| (money.amount, money.currency.as_str().to_owned()))
}

#[async_trait]
impl Sales for SqlStore {
    async fn record_refund(&self, seen: &SeenRefund, at: UnixSeconds) -> Result<bool, StoreError> {
        let mut tx = self.write_for(seen.payment_id.as_str()).await?;
        let known = self.known_refund(&mut tx, &seen.id).await?;
        let merged = match &known {
            None => seen.clone(),
            Some(known) => SeenRefund {
                status: known.status.max(seen.status),
                amount: larger(known.amount, seen.amount),
                ..known.clone()
            },
        };
        let news = known.as_ref().is_none_or(|known| known.status != merged.status);
        sqlx::query(
            "INSERT INTO refunds (tenant, refund_id, payment_id, status, amount, currency, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (tenant, refund_id) DO UPDATE SET
                 status = excluded.status, amount = excluded.amount, currency = excluded.currency",
        )
        .bind(self.tenant)
        .bind(merged.id.as_str())
        .bind(merged.payment_id.as_str())
        .bind(word(&merged.status, "refunds.status")?)
        .bind(merged.amount.map(|amount| amount.amount))
        .bind(merged.amount.as_ref().map(|amount| amount.currency.as_str()))
        .bind(at.0)
        .execute(&mut *tx)
        .await?;
        self.order_follows(&mut tx, &merged, at).await?;
        if merged.status == RefundStatus::Succeeded
            && let Some(row) = self.sold_by(&mut tx, &merged.payment_id).await?
        {
            self.tell_refund(&mut tx, &row, &merged, at).await?;
        }
        crate::failpoint!("record_refund.before_commit");
        tx.commit().await?;
        crate::failpoint!("record_refund.after_commit");
        Ok(news)
    }

    async fn record_dispute(&self, seen: &SeenDispute, at: UnixSeconds) -> Result<bool, StoreError> {
        let mut tx = self.write_for(seen.payment_id.as_str()).await?;
        let known = sqlx::query("SELECT * FROM disputes WHERE tenant = $1 AND dispute_id = $2")
            .bind(self.tenant)
            .bind(seen.id.as_str())
            .fetch_optional(&mut *tx)
            .await?
            .as_ref()
            .map(dispute)
            .transpose()?;
        let merged = match &known {
            None => seen.clone(),
            Some(known) => SeenDispute { status: known.status.max(seen.status), ..known.clone() },
        };
        let news = known.as_ref().is_none_or(|known| known.status != merged.status);
        sqlx::query(
            "INSERT INTO disputes (tenant, dispute_id, payment_id, status, at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant, dispute_id) DO UPDATE SET status = excluded.status",
        )
        .bind(self.tenant)
        .bind(merged.id.as_str())
        .bind(merged.payment_id.as_str())
        .bind(word(&merged.status, "disputes.status")?)
        .bind(at.0)
        .execute(&mut *tx)
        .await?;
        if let Some(row) = self.sold_by(&mut tx, &merged.payment_id).await? {
            self.tell_dispute(&mut tx, &row, &merged, at).await?;
        }
        crate::failpoint!("record_dispute.before_commit");
        tx.commit().await?;
        crate::failpoint!("record_dispute.after_commit");
        Ok(news)
    }

    async fn sale(&self, payment: &PaymentId) -> Result<Option<Sale>, StoreError> {
        let found = sqlx::query(
            "SELECT payments.*,
                    (SELECT CAST(COALESCE(SUM(refunds.amount), 0) AS BIGINT) FROM refunds
                     WHERE refunds.tenant = payments.tenant AND refunds.payment_id = payments.payment_id
                       AND refunds.status = 'succeeded') AS refunded
             FROM payments WHERE tenant = $1 AND payment_id = $2",
        )
        .bind(self.tenant)
        .bind(payment.as_str())
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = found else { return Ok(None) };
        let disputes = sqlx::query("SELECT * FROM disputes WHERE tenant = $1 AND payment_id = $2")
            .bind(self.tenant)
            .bind(payment.as_str())
            .fetch_all(&self.readers)
            .await?;
        let disputes: Vec<DisputeStatus> =
            disputes.iter().map(|row| Ok(dispute(row)?.status)).collect::<Result<_, StoreError>>()?;
        Ok(Some(Sale {
            payment_id: payment.clone(),
            attempt_id: parsed(&row, "attempt_id")?,
            status: from_word(row.try_get("status")?, "payments.status")?,
            collected: money(&row)?,
            surplus: row.try_get("surplus")?,
            refunded: row.try_get("refunded")?,
            dispute: disputes.into_iter().max(),
        }))
    }
}

impl SqlStore {
    pub(super) async fn known_refund(
        &self,
        tx: &mut Transaction<'static, Db>,
        id: &RefundId,
    ) -> Result<Option<SeenRefund>, StoreError> {
        sqlx::query("SELECT * FROM refunds WHERE tenant = $1 AND refund_id = $2")
            .bind(self.tenant)
            .bind(id.as_str())
            .fetch_optional(&mut **tx)
            .await?
            .as_ref()
            .map(refund)
            .transpose()
    }

    /// The attempt that a payment collected for, if it has.
    pub(super) async fn sold_by(
        &self,
        tx: &mut Transaction<'static, Db>,
        payment: &PaymentId,
    ) -> Result<Option<AttemptRow>, StoreError> {
        sqlx::query(
            "SELECT attempts.* FROM payments
             JOIN attempts ON attempts.tenant = payments.tenant AND attempts.id = payments.attempt_id
             WHERE payments.tenant = $1 AND payments.payment_id = $2 AND payments.status = 'succeeded'",
        )
        .bind(self.tenant)
        .bind(payment.as_str())
        .fetch_optional(&mut **tx)
        .await?
        .as_ref()
        .map(attempt)
        .transpose()
    }

    /// Tells what had been reported of a payment before it was known to be one of ours.
    pub(super) async fn tell_flags(
        &self,
        tx: &mut Transaction<'static, Db>,
        row: &AttemptRow,
        payment: &PaymentId,
        at: UnixSeconds,
    ) -> Result<(), StoreError> {
        let refunds = sqlx::query(
            "SELECT * FROM refunds WHERE tenant = $1 AND payment_id = $2 AND status = 'succeeded'",
        )
        .bind(self.tenant)
        .bind(payment.as_str())
        .fetch_all(&mut **tx)
        .await?;
        for found in &refunds {
            self.tell_refund(tx, row, &refund(found)?, at).await?;
        }
        let disputes = sqlx::query("SELECT * FROM disputes WHERE tenant = $1 AND payment_id = $2")
            .bind(self.tenant)
            .bind(payment.as_str())
            .fetch_all(&mut **tx)
            .await?;
        for found in &disputes {
            self.tell_dispute(tx, row, &dispute(found)?, at).await?;
        }
        Ok(())
    }

    async fn tell_refund(
        &self,
        tx: &mut Transaction<'static, Db>,
        row: &AttemptRow,
        refund: &SeenRefund,
        at: UnixSeconds,
    ) -> Result<(), StoreError> {
        let (offer, quote) = self.context_of(tx, row).await?;
        self.put_notice(tx, &notices::of_refund(refund, row, &quote, offer.as_ref(), at), at).await
    }

    async fn tell_dispute(
        &self,
        tx: &mut Transaction<'static, Db>,
        row: &AttemptRow,
        dispute: &SeenDispute,
        at: UnixSeconds,
    ) -> Result<(), StoreError> {
        let (offer, quote) = self.context_of(tx, row).await?;
        self.put_notice(tx, &notices::of_dispute(dispute, row, &quote, offer.as_ref(), at), at).await
    }
}
