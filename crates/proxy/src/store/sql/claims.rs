//! The two commits before a charge, and the way back: claim, mark as sent, release.
//!
//! Each is a conditional change of state under the write lock, so that of any number of clicks, tabs and processes at
//! recovery exactly one goes on.

use dodo_client::ids::{CustomerId, SubscriptionId};
use sqlx::Transaction;
use wire::{AttemptId, IdempotencyKey, OfferId, QuoteId, UnixSeconds};

use super::{
    Db, SqlStore,
    attempts::attempt,
    codec::{attempt_kind_word, attempt_state_columns, json, offer_state_word},
    history::Line,
};
use crate::{
    domain::{AttemptRow, AttemptState, OfferState},
    policy::claims::reopened,
    store::{Claim, ClaimRequest, KeptKey, Release, StoreError},
};

impl SqlStore {
    pub(super) async fn do_claim(&self, request: &ClaimRequest) -> Result<Claim, StoreError> {
        let mut new = request.attempt.clone();
        let mut tx = self.write_for(new.customer_id.as_str()).await?;
        if self.went_back(&mut tx).await? {
            return Ok(Claim::StoreWentBack);
        }
        if let Some(key) = &new.key
            && let Some(earlier) = self.by_key_in(&mut tx, &new.customer_id, key).await?
        {
            return Ok(Claim::KeyUsed(earlier));
        }
        crate::failpoint!("claim.locked");
        if let Some(subscription) = &new.subscription_id
            && self.subscription_is_busy(&mut tx, subscription).await?
        {
            return Ok(Claim::SubscriptionBusy);
        }
        if let Some(offer_id) = &new.offer_id {
            let Some(offer) = self.offer_in(&mut tx, &new.customer_id, offer_id).await? else {
                return Ok(Claim::OfferNotFound);
            };
            if !request.from.contains(&offer.state) {
                return Ok(Claim::OfferNotOpen(offer.state));
            }
            if offer.expires_at <= new.created_at {
                return Ok(Claim::OfferNotOpen(OfferState::Expired));
            }
            new.no = offer.attempt_no.saturating_add(1);
            sqlx::query(
                "UPDATE offers SET state = 'accepting', attempt_no = $1 WHERE tenant = $2 AND id = $3",
            )
            .bind(i64::from(new.no))
            .bind(self.tenant)
            .bind(offer_id.as_str())
            .execute(&mut *tx)
            .await?;
        }
        self.insert_attempt(&mut tx, &new, false).await?;
        self.write_line(&mut tx, &new.id, new.created_at, Line::Claimed(new.kind)).await?;
        crate::failpoint!("claim.before_commit");
        tx.commit().await?;
        crate::failpoint!("claim.after_commit");
        Ok(Claim::Claimed(new))
    }

    async fn by_key_in(
        &self,
        tx: &mut Transaction<'static, Db>,
        customer: &CustomerId,
        key: &IdempotencyKey,
    ) -> Result<Option<AttemptRow>, StoreError> {
        sqlx::query("SELECT * FROM attempts WHERE tenant = $1 AND customer_id = $2 AND idem_key = $3")
            .bind(self.tenant)
            .bind(customer.as_str())
            .bind(key.as_str())
            .fetch_optional(&mut **tx)
            .await?
            .as_ref()
            .map(attempt)
            .transpose()
    }

    pub(super) async fn subscription_is_busy(
        &self,
        tx: &mut Transaction<'static, Db>,
        subscription: &SubscriptionId,
    ) -> Result<bool, StoreError> {
        let busy: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM attempts WHERE tenant = $1 AND subscription_id = $2 AND NOT surplus
                            AND state IN ('claimed', 'sent', 'unknown', 'pending'))",
        )
        .bind(self.tenant)
        .bind(subscription.as_str())
        .fetch_one(&mut **tx)
        .await?;
        Ok(busy)
    }

    pub(super) async fn insert_attempt(
        &self,
        tx: &mut Transaction<'static, Db>,
        new: &AttemptRow,
        surplus: bool,
    ) -> Result<(), StoreError> {
        let (state, customer_action, failure) = attempt_state_columns(new.state)?;
        sqlx::query(
            "INSERT INTO attempts (tenant, id, offer_id, subscription_id, no, customer_id, quote_id, kind, idem_key,
                                   fingerprint, state, customer_action, failure, consent, created_at, lease_until,
                                   next_check_at, lease_owner, surplus)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
        )
        .bind(self.tenant)
        .bind(new.id.as_str())
        .bind(new.offer_id.as_ref().map(OfferId::as_str))
        .bind(new.subscription_id.as_ref().map(SubscriptionId::as_str))
        .bind(i64::from(new.no))
        .bind(new.customer_id.as_str())
        .bind(new.quote_id.as_str())
        .bind(attempt_kind_word(new.kind))
        .bind(new.key.as_ref().map(IdempotencyKey::as_str))
        .bind(new.fingerprint.0.as_slice())
        .bind(state)
        .bind(customer_action)
        .bind(failure)
        .bind(json(&new.consent, "attempts.consent")?)
        .bind(new.created_at.0)
        .bind(new.lease_until.0)
        .bind(new.next_check_at.map(|at| at.0))
        .bind(&self.instance)
        .bind(surplus)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// `claimed` becomes `sent`: a compare-and-set on the lease. Besides, the offer has to be this attempt's still: money
    /// that came in late on an earlier attempt closes it.
    pub(super) async fn do_mark_sent(
        &self,
        attempt: &AttemptRow,
        now: UnixSeconds,
        next_check_at: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write_for(attempt.customer_id.as_str()).await?;
        let marked = sqlx::query(
            "UPDATE attempts SET state = 'sent', lease_until = $1, next_check_at = $1
             WHERE tenant = $2 AND id = $3 AND state = 'claimed' AND lease_until > $4 AND lease_owner = $5
               AND (offer_id IS NULL
                    OR EXISTS (SELECT 1 FROM offers WHERE offers.tenant = attempts.tenant
                               AND offers.id = attempts.offer_id AND offers.state = 'accepting'
                               AND offers.attempt_no = attempts.no))",
        )
        .bind(next_check_at.0)
        .bind(self.tenant)
        .bind(attempt.id.as_str())
        .bind(now.0)
        .bind(&self.instance)
        .execute(&mut *tx)
        .await?;
        crate::failpoint!("mark_sent.updated");
        if marked.rows_affected() != 1 {
            return Ok(false);
        }
        self.write_line(&mut tx, &attempt.id, now, Line::Sent).await?;
        self.notify_of_acceptance(&mut tx, attempt, now).await?;
        crate::failpoint!("mark_sent.before_commit");
        tx.commit().await?;
        self.memory.sent(&attempt.id);
        crate::failpoint!("mark_sent.after_commit");
        Ok(true)
    }

    pub(super) async fn do_release(&self, id: &AttemptId, release: &Release<'_>) -> Result<bool, StoreError> {
        let Release { from, replacement, key, at } = release.clone();
        if !matches!(from, AttemptState::Claimed | AttemptState::Sent) {
            return Ok(false);
        }
        let (from, ..) = attempt_state_columns(from)?;
        let Some((mut tx, _)) = self.write_for_attempt(id).await? else { return Ok(false) };
        crate::failpoint!("release.locked");
        let row = sqlx::query(
            "UPDATE attempts SET state = 'released', replacement = $1, next_check_at = NULL, lease_until = 0,
                                 idem_key = CASE WHEN $2 THEN idem_key END
             WHERE tenant = $3 AND id = $4 AND state = $5 RETURNING *",
        )
        .bind(replacement.map(QuoteId::as_str))
        .bind(key == KeptKey::Kept)
        .bind(self.tenant)
        .bind(id.as_str())
        .bind(from)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(false) };
        let row = attempt(&row)?;
        if let Some(offer_id) = &row.offer_id {
            let failed_before: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM attempts WHERE tenant = $1 AND offer_id = $2 AND state = 'failed')",
            )
            .bind(self.tenant)
            .bind(offer_id.as_str())
            .fetch_one(&mut *tx)
            .await?;
            sqlx::query(
                "UPDATE offers SET state = $1
                 WHERE tenant = $2 AND id = $3 AND attempt_no = $4 AND state = 'accepting'",
            )
            .bind(offer_state_word(reopened(failed_before)))
            .bind(self.tenant)
            .bind(offer_id.as_str())
            .bind(i64::from(row.no))
            .execute(&mut *tx)
            .await?;
        }
        self.write_line(&mut tx, id, at, Line::Released { changed: replacement.is_some() }).await?;
        crate::failpoint!("release.before_commit");
        tx.commit().await?;
        crate::failpoint!("release.after_commit");
        Ok(true)
    }
}
