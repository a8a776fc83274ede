//! Payments of attempts, as they were seen.

use dodo_client::ids::PaymentId;
use sqlx::{Row, Transaction};
use wire::{AttemptId, Money, UnixSeconds};

use super::{
    Db, SqlStore,
    codec::{from_word, word},
};
use crate::{
    domain::{PaymentStatus, SeenPayment},
    store::StoreError,
};

impl SqlStore {
    /// Writes a payment down; what is known of it only grows. `beside`: should it have collected, it did so beside
    /// another one. Returns whether it is now known to have collected and was not before.
    pub(super) async fn note_payment(
        &self,
        tx: &mut Transaction<'static, Db>,
        attempt: &AttemptId,
        seen: &SeenPayment,
        beside: bool,
        at: UnixSeconds,
    ) -> Result<bool, StoreError> {
        self.lock(tx, seen.id.as_str()).await?;
        let known = self.known_status(tx, &seen.id).await?;
        let status = known.map_or(seen.status, |known| known.max(seen.status));
        let newly_paid = status == PaymentStatus::Succeeded && known != Some(PaymentStatus::Succeeded);
        sqlx::query(
            "INSERT INTO payments (tenant, payment_id, attempt_id, status, amount, currency, surplus, seen_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (tenant, payment_id) DO UPDATE SET
                 status = excluded.status,
                 amount = COALESCE(excluded.amount, payments.amount),
                 currency = COALESCE(excluded.currency, payments.currency),
                 surplus = payments.surplus OR excluded.surplus,
                 seen_at = excluded.seen_at",
        )
        .bind(self.tenant)
        .bind(seen.id.as_str())
        .bind(attempt.as_str())
        .bind(word(&status, "payments.status")?)
        .bind(seen.amount.map(|amount| amount.amount))
        .bind(seen.amount.as_ref().map(|amount: &Money| amount.currency.as_str()))
        .bind(newly_paid && beside)
        .bind(at.0)
        .execute(&mut **tx)
        .await?;
        Ok(newly_paid)
    }

    async fn known_status(
        &self,
        tx: &mut Transaction<'static, Db>,
        payment: &PaymentId,
    ) -> Result<Option<PaymentStatus>, StoreError> {
        sqlx::query("SELECT status FROM payments WHERE tenant = $1 AND payment_id = $2")
            .bind(self.tenant)
            .bind(payment.as_str())
            .fetch_optional(&mut **tx)
            .await?
            .map(|row| from_word(row.try_get("status")?, "payments.status"))
            .transpose()
    }
}
