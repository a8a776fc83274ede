//! Attempts after they were sent: settling, looking them up, taking those that are due.

use async_trait::async_trait;
use dodo_client::ids::{CheckoutSessionId, CustomerId, PaymentId, SubscriptionId};
use sqlx::{Row, Sqlite, Transaction, sqlite::SqliteRow};
use wire::{AttemptId, IdempotencyKey, OfferId, QuoteId, UnixSeconds};

use super::{
    SqliteStore,
    codec::{
        at, at_opt, attempt_kind, attempt_state, attempt_state_columns, count, fingerprint, from_json_opt,
        json_opt, offer_state, offer_state_word, parsed, parsed_opt,
    },
};
use crate::{
    domain::{AttemptRow, AttemptState},
    policy::settle::{Observation, abandon, is_live, join, offer_after},
    store::{Attempts, Claim, ClaimRequest, KeptKey, Settled, Settlement, StoreError},
};

pub(super) fn attempt(row: &SqliteRow) -> Result<AttemptRow, StoreError> {
    Ok(AttemptRow {
        id: parsed(row, "id")?,
        offer_id: parsed_opt(row, "offer_id")?,
        subscription_id: parsed_opt(row, "subscription_id")?,
        no: count(row, "no")?,
        customer_id: parsed(row, "customer_id")?,
        quote_id: parsed(row, "quote_id")?,
        kind: attempt_kind(row.try_get("kind")?)?,
        key: parsed_opt(row, "idem_key")?,
        fingerprint: fingerprint(row, "fingerprint")?,
        state: attempt_state(row)?,
        replacement: parsed_opt(row, "replacement")?,
        checkout_session_id: parsed_opt(row, "checkout_session_id")?,
        checkout_url: row.try_get("checkout_url")?,
        payment_id: parsed_opt(row, "payment_id")?,
        receipt: from_json_opt(row, "receipt")?,
        consent: from_json_opt(row, "consent")?,
        created_at: at(row, "created_at")?,
        lease_until: at(row, "lease_until")?,
        next_check_at: at_opt(row, "next_check_at")?,
        checks: count(row, "checks")?,
        clean_looks: count(row, "clean_looks")?,
    })
}

fn is_collected(state: AttemptState) -> bool {
    matches!(state, AttemptState::Succeeded | AttemptState::Scheduled)
}

/// The row after an observation. Pure.
fn merged(row: &AttemptRow, settlement: &Settlement) -> AttemptRow {
    let state = join(row.state, settlement.observation);
    let open = is_live(state) || state == AttemptState::Abandoned;
    // Of several payments on one hosted page the one that collected counts; until then, the latest.
    let payment_id = match row.state {
        AttemptState::Succeeded => row.payment_id.clone().or_else(|| settlement.payment_id.clone()),
        _ => settlement.payment_id.clone().or_else(|| row.payment_id.clone()),
    };
    AttemptRow {
        state,
        payment_id,
        checkout_session_id: settlement
            .checkout_session_id
            .clone()
            .or_else(|| row.checkout_session_id.clone()),
        checkout_url: settlement.checkout_url.clone().or_else(|| row.checkout_url.clone()),
        receipt: row.receipt.clone().or_else(|| settlement.receipt.clone().filter(|_| is_collected(state))),
        next_check_at: settlement.next_check_at.or(row.next_check_at).filter(|_| open),
        lease_until: UnixSeconds(0),
        ..row.clone()
    }
}

impl SqliteStore {
    /// Whether another attempt of the same offer is live, has collected or may yet turn out to have.
    async fn rival_exists(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        row: &AttemptRow,
    ) -> Result<bool, StoreError> {
        let Some(offer_id) = &row.offer_id else { return Ok(false) };
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM attempts WHERE tenant = ? AND offer_id = ? AND id <> ? AND surplus = 0
                            AND state IN ('claimed', 'sent', 'unknown', 'pending', 'abandoned', 'scheduled',
                                          'succeeded'))",
        )
        .bind(self.tenant)
        .bind(offer_id.as_str())
        .bind(row.id.as_str())
        .fetch_one(&mut **tx)
        .await?)
    }

    async fn write_settled(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        row: &AttemptRow,
        surplus: bool,
    ) -> Result<(), StoreError> {
        let (state, customer_action, failure) = attempt_state_columns(row.state)?;
        sqlx::query(
            "UPDATE attempts SET state = ?, customer_action = ?, failure = ?, payment_id = ?, checkout_session_id = ?,
                                 checkout_url = ?, receipt = ?, next_check_at = ?, lease_until = ?,
                                 surplus = surplus OR ?
             WHERE tenant = ? AND id = ?",
        )
        .bind(state)
        .bind(customer_action)
        .bind(failure)
        .bind(row.payment_id.as_ref().map(PaymentId::as_str))
        .bind(row.checkout_session_id.as_ref().map(CheckoutSessionId::as_str))
        .bind(row.checkout_url.as_deref())
        .bind(json_opt(row.receipt.as_ref(), "attempts.receipt")?)
        .bind(row.next_check_at.map(|at| at.0))
        .bind(row.lease_until.0)
        .bind(surplus)
        .bind(self.tenant)
        .bind(row.id.as_str())
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Brings the offer to where its attempt is.
    async fn follow(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        row: &AttemptRow,
    ) -> Result<(), StoreError> {
        let Some(offer_id) = &row.offer_id else { return Ok(()) };
        let offer = sqlx::query("SELECT state, attempt_no FROM offers WHERE tenant = ? AND id = ?")
            .bind(self.tenant)
            .bind(offer_id.as_str())
            .fetch_one(&mut **tx)
            .await?;
        let before = offer_state(offer.try_get("state")?)?;
        let after = offer_after(before, row.state, count(&offer, "attempt_no")? == row.no);
        if after != before {
            sqlx::query("UPDATE offers SET state = ? WHERE tenant = ? AND id = ?")
                .bind(offer_state_word(after))
                .bind(self.tenant)
                .bind(offer_id.as_str())
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }

    async fn attempt_in(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        id: &AttemptId,
    ) -> Result<Option<AttemptRow>, StoreError> {
        sqlx::query("SELECT * FROM attempts WHERE tenant = ? AND id = ?")
            .bind(self.tenant)
            .bind(id.as_str())
            .fetch_optional(&mut **tx)
            .await?
            .as_ref()
            .map(attempt)
            .transpose()
    }
}

#[async_trait]
impl Attempts for SqliteStore {
    async fn claim(&self, request: &ClaimRequest) -> Result<Claim, StoreError> {
        self.do_claim(request).await
    }

    async fn mark_sent(
        &self,
        id: &AttemptId,
        now: UnixSeconds,
        next_check_at: UnixSeconds,
    ) -> Result<bool, StoreError> {
        self.do_mark_sent(id, now, next_check_at).await
    }

    async fn release(
        &self,
        id: &AttemptId,
        from: AttemptState,
        replacement: Option<&QuoteId>,
        key: KeptKey,
    ) -> Result<bool, StoreError> {
        self.do_release(id, from, replacement, key).await
    }

    async fn settle(&self, id: &AttemptId, settlement: &Settlement) -> Result<Option<Settled>, StoreError> {
        let mut tx = self.write().await?;
        let Some(before) = self.attempt_in(&mut tx, id).await? else { return Ok(None) };
        let row = merged(&before, settlement);
        let newly_collected = is_collected(row.state) && !is_collected(before.state);
        let rival = newly_collected && self.rival_exists(&mut tx, &row).await?;
        self.write_settled(&mut tx, &row, rival).await?;
        self.follow(&mut tx, &row).await?;
        tx.commit().await?;
        let second_payment = before.state == AttemptState::Succeeded
            && settlement.observation == Observation::Succeeded
            && settlement.payment_id.is_some()
            && settlement.payment_id != row.payment_id;
        Ok(Some(Settled { before: before.state, row, surplus: rival || second_payment }))
    }

    async fn abandon(&self, id: &AttemptId, next_check_at: UnixSeconds) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let Some(before) = self.attempt_in(&mut tx, id).await? else { return Ok(false) };
        let state = abandon(before.state);
        if state == before.state {
            return Ok(false);
        }
        let row =
            AttemptRow { state, next_check_at: Some(next_check_at), lease_until: UnixSeconds(0), ..before };
        self.write_settled(&mut tx, &row, false).await?;
        self.follow(&mut tx, &row).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn note_look(
        &self,
        id: &AttemptId,
        clean_after_deadline: bool,
        next_check_at: Option<UnixSeconds>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE attempts SET checks = checks + 1, clean_looks = clean_looks + ?, next_check_at = ?, lease_until = 0
             WHERE tenant = ? AND id = ? AND state IN ('sent', 'unknown', 'pending', 'abandoned')",
        )
        .bind(clean_after_deadline)
        .bind(next_check_at.map(|at| at.0))
        .bind(self.tenant)
        .bind(id.as_str())
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn attempt(&self, customer: &CustomerId, id: &AttemptId) -> Result<Option<AttemptRow>, StoreError> {
        sqlx::query("SELECT * FROM attempts WHERE tenant = ? AND id = ? AND customer_id = ?")
            .bind(self.tenant)
            .bind(id.as_str())
            .bind(customer.as_str())
            .fetch_optional(&self.readers)
            .await?
            .as_ref()
            .map(attempt)
            .transpose()
    }

    async fn attempt_by_key(
        &self,
        customer: &CustomerId,
        key: &IdempotencyKey,
    ) -> Result<Option<AttemptRow>, StoreError> {
        sqlx::query("SELECT * FROM attempts WHERE tenant = ? AND customer_id = ? AND idem_key = ?")
            .bind(self.tenant)
            .bind(customer.as_str())
            .bind(key.as_str())
            .fetch_optional(&self.readers)
            .await?
            .as_ref()
            .map(attempt)
            .transpose()
    }

    async fn attempt_by_id(&self, id: &AttemptId) -> Result<Option<AttemptRow>, StoreError> {
        sqlx::query("SELECT * FROM attempts WHERE tenant = ? AND id = ?")
            .bind(self.tenant)
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?
            .as_ref()
            .map(attempt)
            .transpose()
    }

    async fn attempt_by_upstream(
        &self,
        payment: &PaymentId,
        checkout: Option<&CheckoutSessionId>,
    ) -> Result<Option<AttemptRow>, StoreError> {
        let by_payment = sqlx::query(
            "SELECT * FROM attempts WHERE tenant = ? AND payment_id = ? ORDER BY created_at DESC LIMIT 1",
        )
        .bind(self.tenant)
        .bind(payment.as_str())
        .fetch_optional(&self.readers)
        .await?;
        let row = match (by_payment, checkout) {
            (Some(row), _) => Some(row),
            (None, None) => None,
            (None, Some(checkout)) => {
                sqlx::query(
                    "SELECT * FROM attempts WHERE tenant = ? AND checkout_session_id = ?
                     ORDER BY created_at DESC LIMIT 1",
                )
                .bind(self.tenant)
                .bind(checkout.as_str())
                .fetch_optional(&self.readers)
                .await?
            }
        };
        row.as_ref().map(attempt).transpose()
    }

    async fn latest_attempt(&self, offer: &OfferId) -> Result<Option<AttemptRow>, StoreError> {
        sqlx::query(
            "SELECT * FROM attempts WHERE tenant = ? AND offer_id = ? AND state <> 'released'
             ORDER BY state = 'succeeded' DESC, no DESC LIMIT 1",
        )
        .bind(self.tenant)
        .bind(offer.as_str())
        .fetch_optional(&self.readers)
        .await?
        .as_ref()
        .map(attempt)
        .transpose()
    }

    async fn live_attempt(&self, subscription: &SubscriptionId) -> Result<Option<AttemptRow>, StoreError> {
        sqlx::query(
            "SELECT * FROM attempts WHERE tenant = ? AND subscription_id = ?
             AND state IN ('claimed', 'sent', 'unknown', 'pending') ORDER BY created_at DESC LIMIT 1",
        )
        .bind(self.tenant)
        .bind(subscription.as_str())
        .fetch_optional(&self.readers)
        .await?
        .as_ref()
        .map(attempt)
        .transpose()
    }

    async fn take_due(
        &self,
        now: UnixSeconds,
        lease_until: UnixSeconds,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, StoreError> {
        // Nearly every second nothing is due: look before taking the write lock.
        let due: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM attempts WHERE tenant = ? AND next_check_at <= ? AND lease_until <= ?)",
        )
        .bind(self.tenant)
        .bind(now.0)
        .bind(now.0)
        .fetch_one(&self.readers)
        .await?;
        if !due {
            return Ok(Vec::new());
        }
        sqlx::query(
            "UPDATE attempts SET lease_until = ?1
             WHERE tenant = ?2 AND id IN (SELECT id FROM attempts
                                          WHERE tenant = ?2 AND next_check_at <= ?3 AND lease_until <= ?3
                                          ORDER BY next_check_at LIMIT ?4)
             RETURNING *",
        )
        .bind(lease_until.0)
        .bind(self.tenant)
        .bind(now.0)
        .bind(limit)
        .fetch_all(&self.writer)
        .await?
        .iter()
        .map(attempt)
        .collect()
    }

    async fn make_live_due(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        let due = sqlx::query(
            "UPDATE attempts SET lease_until = 0, next_check_at = ?
             WHERE tenant = ? AND state IN ('claimed', 'sent', 'unknown', 'pending')",
        )
        .bind(now.0)
        .bind(self.tenant)
        .execute(&self.writer)
        .await?;
        Ok(due.rows_affected())
    }
}
