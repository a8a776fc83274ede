//! Writing attempts.

use dodo_client::ids::{CheckoutSessionId, PaymentId, SubscriptionId};
use upsell_core::{domain::AttemptWord, journal::StoredAttempt};
use wire::{IdempotencyKey, OfferId, QuoteId, UnixSeconds};

use super::super::{
    SqlStore, Tx,
    codec::{json, json_opt, word},
};
use crate::store::StoreError;

impl SqlStore {
    /// Writes everything of an attempt: one that is put back comes with its payment and its checkout.
    pub(super) async fn insert_attempt(
        &self,
        tx: &mut Tx,
        StoredAttempt { row: new, surplus, lease_owner }: &StoredAttempt,
    ) -> Result<(), StoreError> {
        let (state, customer_action, failure) = new.state.into_parts();
        sqlx::query(
            "INSERT INTO attempts (tenant, id, offer_id, subscription_id, no, customer_id, quote_id, kind, idem_key,
                                   fingerprint, state, customer_action, failure, consent, created_at, lease_until,
                                   next_check_at, lease_owner, surplus, replacement, payment_id, checkout_session_id,
                                   checkout_url, receipt, checks, clean_looks, agreed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                     $22, $23, $24, $25, $26, $27)",
        )
        .bind(self.tenant)
        .bind(new.id.as_str())
        .bind(new.offer_id.as_ref().map(OfferId::as_str))
        .bind(new.subscription_id.as_ref().map(SubscriptionId::as_str))
        .bind(i64::from(new.no))
        .bind(new.customer_id.as_str())
        .bind(new.quote_id.as_str())
        .bind(new.kind.as_str())
        .bind(new.key.as_ref().map(IdempotencyKey::as_str))
        .bind(new.fingerprint.0.as_slice())
        .bind(state.as_str())
        .bind(customer_action)
        .bind(failure.map(|reason| word(&reason, "attempts.failure")).transpose()?)
        .bind(json(&new.consent, "attempts.consent")?)
        .bind(new.created_at.0)
        .bind(new.lease_until.0)
        .bind(new.next_check_at.map(|at| at.0))
        .bind(lease_owner.as_deref())
        .bind(surplus)
        .bind(new.replacement.as_ref().map(QuoteId::as_str))
        .bind(new.payment_id.as_ref().map(PaymentId::as_str))
        .bind(new.checkout_session_id.as_ref().map(CheckoutSessionId::as_str))
        .bind(new.checkout_url.as_deref())
        .bind(json_opt(new.receipt.as_ref(), "attempts.receipt")?)
        .bind(i64::from(new.checks))
        .bind(i64::from(new.clean_looks))
        .bind(new.agreed)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Writes everything of an attempt that can change, but for its lease owner.
    pub(super) async fn update_attempt(
        &self,
        tx: &mut Tx,
        StoredAttempt { row, surplus, .. }: &StoredAttempt,
    ) -> Result<(), StoreError> {
        let (state, customer_action, failure) = row.state.into_parts();
        sqlx::query(
            "UPDATE attempts SET state = $1, customer_action = $2, failure = $3, replacement = $4, idem_key = $5,
                                 payment_id = $6, checkout_session_id = $7, checkout_url = $8, receipt = $9,
                                 next_check_at = $10, lease_until = $11, checks = $12, clean_looks = $13, surplus = $14,
                                 agreed = $15
             WHERE tenant = $16 AND id = $17",
        )
        .bind(state.as_str())
        .bind(customer_action)
        .bind(failure.map(|reason| word(&reason, "attempts.failure")).transpose()?)
        .bind(row.replacement.as_ref().map(QuoteId::as_str))
        .bind(row.key.as_ref().map(IdempotencyKey::as_str))
        .bind(row.payment_id.as_ref().map(PaymentId::as_str))
        .bind(row.checkout_session_id.as_ref().map(CheckoutSessionId::as_str))
        .bind(row.checkout_url.as_deref())
        .bind(json_opt(row.receipt.as_ref(), "attempts.receipt")?)
        .bind(row.next_check_at.map(|at| at.0))
        .bind(row.lease_until.0)
        .bind(i64::from(row.checks))
        .bind(i64::from(row.clean_looks))
        .bind(surplus)
        .bind(row.agreed)
        .bind(self.tenant)
        .bind(row.id.as_str())
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Guarded: only where the attempt is as it was loaded, and this opening of the store holds its lease.
    pub(super) async fn mark_attempt_sent(
        &self,
        tx: &mut Tx,
        StoredAttempt { row, .. }: &StoredAttempt,
        from: AttemptWord,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let marked = sqlx::query(
            "UPDATE attempts SET state = $1, lease_until = $2, next_check_at = $3, agreed = $4
             WHERE tenant = $5 AND id = $6 AND state = $7 AND lease_until > $8 AND lease_owner = $9",
        )
        .bind(row.state.word().as_str())
        .bind(row.lease_until.0)
        .bind(row.next_check_at.map(|at| at.0))
        .bind(row.agreed)
        .bind(self.tenant)
        .bind(row.id.as_str())
        .bind(from.as_str())
        .bind(now.0)
        .bind(&self.instance)
        .execute(&mut **tx)
        .await?;
        Ok(marked.rows_affected() == 1)
    }
}
