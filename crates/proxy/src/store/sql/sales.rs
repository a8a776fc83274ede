//! Payments and what became of them: refunds and disputes. They are written in [`super::apply`].

use async_trait::async_trait;
use dodo_client::ids::PaymentId;
use sqlx::Row;
use upsell_core::{
    domain::{
        DisputeStatus, PaymentOnRecord, PaymentStatus, Proof, RefundStatus, Sale, SeenDispute, SeenPayment,
        SeenRefund,
    },
    journal::states,
};
use wire::{Currency, Money};

use super::{
    DbRow, SqlStore,
    codec::{at, from_table, parsed, parsed_opt},
};
use crate::store::{Sales, StoreError};

fn money(row: &DbRow) -> Result<Option<Money>, StoreError> {
    let amount: Option<i64> = row.try_get("amount")?;
    let currency: Option<String> = row.try_get("currency")?;
    let (Some(amount), Some(currency)) = (amount, currency) else { return Ok(None) };
    let currency = Currency::parse(&currency).map_err(|_| StoreError::Unreadable("currency"))?;
    Ok(Some(Money::new(amount, currency)))
}

pub(super) fn payment_on_record(row: &DbRow) -> Result<PaymentOnRecord, StoreError> {
    Ok(PaymentOnRecord {
        payment: SeenPayment {
            id: parsed(row, "payment_id")?,
            status: from_table(row, "status", PaymentStatus::parse)?,
            amount: money(row)?,
            proof: from_table(row, "proof", Proof::parse)?,
            paid_by: parsed_opt(row, "paid_by")?,
            subscription_id: parsed_opt(row, "subscription_id")?,
        },
        surplus: row.try_get("surplus")?,
        seen_at: at(row, "seen_at")?,
    })
}

pub(super) fn refund(row: &DbRow) -> Result<SeenRefund, StoreError> {
    Ok(SeenRefund {
        id: parsed(row, "refund_id")?,
        payment_id: parsed(row, "payment_id")?,
        status: from_table(row, "status", RefundStatus::parse)?,
        amount: money(row)?,
    })
}

pub(super) fn dispute(row: &DbRow) -> Result<SeenDispute, StoreError> {
    Ok(SeenDispute {
        id: parsed(row, "dispute_id")?,
        payment_id: parsed(row, "payment_id")?,
        status: from_table(row, "status", DisputeStatus::parse)?,
    })
}

#[async_trait]
impl Sales for SqlStore {
    async fn sale(&self, payment: &PaymentId) -> Result<Option<Sale>, StoreError> {
        let found = sqlx::query(
            "SELECT payments.*,
                    (SELECT CAST(COALESCE(SUM(refunds.amount), 0) AS BIGINT) FROM refunds
                     WHERE refunds.tenant = payments.tenant AND refunds.payment_id = payments.payment_id
                       AND refunds.status = $3) AS refunded
             FROM payments WHERE tenant = $1 AND payment_id = $2",
        )
        .bind(self.tenant)
        .bind(payment.as_str())
        .bind(states::GONE_BACK.as_str())
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
            status: from_table(&row, "status", PaymentStatus::parse)?,
            collected: money(&row)?,
            surplus: row.try_get("surplus")?,
            refunded: row.try_get("refunded")?,
            dispute: disputes.into_iter().max(),
        }))
    }
}
