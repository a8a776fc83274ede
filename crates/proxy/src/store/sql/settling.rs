//! Merging what was observed of an attempt, with everything that follows from it, in one transaction.

use dodo_client::ids::{CheckoutSessionId, PaymentId};
use sqlx::{Row, Transaction};
use wire::{AttemptId, UnixSeconds};

use super::{
    Db, SqlStore,
    codec::{attempt_state_columns, count, json_opt, offer_state, offer_state_word},
    history::Line,
};
use crate::{
    domain::{AttemptRow, AttemptState, OfferState, Source},
    policy::{
        refunds::{self, Found},
        settle::{Observation, abandon, is_live, join, offer_after},
    },
    store::{Settled, Settlement, StoreError},
};

pub(super) fn is_collected(state: AttemptState) -> bool {
    matches!(state, AttemptState::Succeeded | AttemptState::Scheduled)
}

/// The row after an observation. Pure.
fn merged(row: &AttemptRow, settlement: &Settlement) -> AttemptRow {
    let state = join(row.state, settlement.observation);
    let open = is_live(state) || state == AttemptState::Abandoned;
    let seen = settlement.payment.as_ref().map(|payment| payment.id.clone());
    // Of several payments on one hosted page the one that collected counts; until then, the latest.
    let payment_id = match row.state {
        AttemptState::Succeeded => row.payment_id.clone().or(seen),
        _ => seen.or_else(|| row.payment_id.clone()),
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

impl SqlStore {
    pub(super) async fn do_settle(
        &self,
        id: &AttemptId,
        settlement: &Settlement,
    ) -> Result<Option<Settled>, StoreError> {
        let Some((mut tx, before)) = self.write_for_attempt(id).await? else { return Ok(None) };
        crate::failpoint!("settle.locked");
        let row = merged(&before, settlement);
        let newly_collected = is_collected(row.state) && !is_collected(before.state);
        let rival = newly_collected && self.rival_exists(&mut tx, &row).await?;
        self.write_settled(&mut tx, &row, rival).await?;
        let (mut second_payment, mut goes_back) = (false, None);
        if let Some(seen) = &settlement.payment {
            let beside = row.payment_id.as_ref() != Some(&seen.id);
            let newly_paid =
                self.note_payment(&mut tx, &row.id, seen, rival || beside, settlement.at).await?;
            second_payment = newly_paid && beside && settlement.observation == Observation::Succeeded;
            if newly_paid {
                let rival_collected = newly_collected && self.rival_collected(&mut tx, &row).await?;
                let found = Found {
                    late: before.state == AttemptState::Abandoned && row.state == AttemptState::Succeeded,
                    surplus: second_payment || rival_collected,
                };
                goes_back = refunds::order(settlement.refund, found);
                if let Some(order) = goes_back {
                    self.order_refund(&mut tx, &row, seen, order, settlement.at).await?;
                }
                self.tell_flags(&mut tx, &row, &seen.id, settlement.at).await?;
            }
        }
        crate::failpoint!("settle.written");
        if let Some(offer) = self.follow(&mut tx, &row).await? {
            self.write_line(&mut tx, &row.id, settlement.at, Line::OfferMoved(offer)).await?;
        }
        if row.state != before.state || second_payment {
            let line = Line::Settled(row.state, settlement.source, settlement.payment.as_ref());
            self.write_line(&mut tx, &row.id, settlement.at, line).await?;
        }
        // Money that goes back whole is nothing to fulfil.
        if row.state != before.state && !matches!(goes_back, Some((_, None))) {
            self.notify_of_attempt(&mut tx, before.state, &row, settlement.at).await?;
        }
        crate::failpoint!("settle.before_commit");
        tx.commit().await?;
        crate::failpoint!("settle.after_commit");
        Ok(Some(Settled { before: before.state, row, surplus: rival || second_payment }))
    }

    pub(super) async fn do_abandon(
        &self,
        id: &AttemptId,
        at: UnixSeconds,
        next_check_at: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let Some((mut tx, before)) = self.write_for_attempt(id).await? else { return Ok(false) };
        let state = abandon(before.state);
        if state == before.state {
            return Ok(false);
        }
        let row =
            AttemptRow { state, next_check_at: Some(next_check_at), lease_until: UnixSeconds(0), ..before };
        self.write_settled(&mut tx, &row, false).await?;
        self.follow(&mut tx, &row).await?;
        self.write_line(&mut tx, &row.id, at, Line::Settled(state, Source::Deadline, None)).await?;
        crate::failpoint!("abandon.before_commit");
        tx.commit().await?;
        crate::failpoint!("abandon.after_commit");
        Ok(true)
    }

    /// Whether another attempt of the same offer is live, has collected or may yet turn out to have.
    pub(super) async fn rival_exists(
        &self,
        tx: &mut Transaction<'static, Db>,
        row: &AttemptRow,
    ) -> Result<bool, StoreError> {
        let Some(offer_id) = &row.offer_id else { return Ok(false) };
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM attempts WHERE tenant = $1 AND offer_id = $2 AND id <> $3 AND NOT surplus
                            AND state IN ('claimed', 'sent', 'unknown', 'pending', 'abandoned', 'scheduled',
                                          'succeeded'))",
        )
        .bind(self.tenant)
        .bind(offer_id.as_str())
        .bind(row.id.as_str())
        .fetch_one(&mut **tx)
        .await?)
    }

    /// Whether another attempt of the same offer has collected. One that may yet do so does not count: the later of two is
    /// one too many, and it is not known which that will be.
    async fn rival_collected(
        &self,
        tx: &mut Transaction<'static, Db>,
        row: &AttemptRow,
    ) -> Result<bool, StoreError> {
        let Some(offer_id) = &row.offer_id else { return Ok(false) };
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM attempts WHERE tenant = $1 AND offer_id = $2 AND id <> $3
                            AND state IN ('scheduled', 'succeeded'))",
        )
        .bind(self.tenant)
        .bind(offer_id.as_str())
        .bind(row.id.as_str())
        .fetch_one(&mut **tx)
        .await?)
    }

    async fn write_settled(
        &self,
        tx: &mut Transaction<'static, Db>,
        row: &AttemptRow,
        surplus: bool,
    ) -> Result<(), StoreError> {
        let (state, customer_action, failure) = attempt_state_columns(row.state)?;
        sqlx::query(
            "UPDATE attempts SET state = $1, customer_action = $2, failure = $3, payment_id = $4, checkout_session_id = $5,
                                 checkout_url = $6, receipt = $7, next_check_at = $8, lease_until = $9,
                                 surplus = surplus OR $10
             WHERE tenant = $11 AND id = $12",
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

    /// Brings the offer to where its attempt is. Returns its new state, when it has moved.
    async fn follow(
        &self,
        tx: &mut Transaction<'static, Db>,
        row: &AttemptRow,
    ) -> Result<Option<OfferState>, StoreError> {
        let Some(offer_id) = &row.offer_id else { return Ok(None) };
        let offer = sqlx::query("SELECT state, attempt_no FROM offers WHERE tenant = $1 AND id = $2")
            .bind(self.tenant)
            .bind(offer_id.as_str())
            .fetch_one(&mut **tx)
            .await?;
        let before = offer_state(offer.try_get("state")?)?;
        let after = offer_after(before, row.state, count(&offer, "attempt_no")? == row.no);
        if after != before {
            sqlx::query("UPDATE offers SET state = $1 WHERE tenant = $2 AND id = $3")
                .bind(offer_state_word(after))
                .bind(self.tenant)
                .bind(offer_id.as_str())
                .execute(&mut **tx)
                .await?;
        }
        Ok((after != before).then_some(after))
    }
}
