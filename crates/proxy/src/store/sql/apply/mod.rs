//! What follows from a decision, written as it was decided: attempts in `attempts`, payments and what became of them in
//! `sales`, everything else here.

mod attempts;
mod sales;

use dodo_client::ids::{CustomerId, PaymentId};
use upsell_core::{
    domain::{DeclineEntry, EmailHash, OfferRow, OfferState, Source},
    journal::{Change, Changes, HistoryEvent, notifications::Notification},
};
use wire::{AttemptId, OfferId, ProductId, UnixSeconds};

use super::{
    SqlStore, Tx,
    codec::{json, word},
};
use crate::store::{Retention, StoreError};

impl SqlStore {
    /// Writes changes in their order. `false`: a guarded one did not apply, and the transaction is to be given up.
    pub(super) async fn apply(&self, tx: &mut Tx, changes: &Changes) -> Result<bool, StoreError> {
        for change in changes {
            if !self.apply_one(tx, change).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn apply_one(&self, tx: &mut Tx, change: &Change) -> Result<bool, StoreError> {
        match change {
            Change::InsertOffer(row) => self.insert_offer_in(tx, row).await.map(drop)?,
            Change::UpdateOffer { id, state, attempt_no } => {
                self.update_offer(tx, id, *state, *attempt_no).await?;
            }
            Change::InsertQuote(row) => self.insert_quote_if_absent(tx, row).await?,
            Change::InsertAttempt(attempt) => self.insert_attempt(tx, attempt).await?,
            Change::UpdateAttempt(attempt) => self.update_attempt(tx, attempt).await?,
            Change::MarkAttemptSent { attempt, from, now } => {
                return self.mark_attempt_sent(tx, attempt, *from, *now).await;
            }
            Change::WritePayment(payment) => self.write_payment(tx, payment).await?,
            Change::RecordForeign(payment) => self.record_foreign(tx, payment).await?,
            Change::WriteRefund { refund, at } => self.write_refund(tx, refund, *at).await?,
            Change::WriteDispute { dispute, at } => self.write_dispute(tx, dispute, *at).await?,
            Change::InsertOrder(order) => self.insert_order(tx, order).await?,
            Change::UpdateOrder(order) => self.update_order(tx, order).await?,
            Change::MarkRefundSent { order, from, now } => {
                return self.mark_order_sent(tx, order, *from, *now).await;
            }
            Change::EndBooking { attempt, end, at } => self.end_booking(tx, attempt, *end, *at).await?,
            Change::AppendDecline { customer_id, email, entry } => {
                self.append_decline(tx, customer_id, email.as_ref(), entry).await?
            }
            Change::AppendHistory { attempt, at, event } => {
                self.append_history(tx, attempt, *at, event).await?;
            }
            Change::Notify { notification, at } => self.put_notification(tx, notification, *at).await?,
        }
        Ok(true)
    }

    /// Inserts an offer unless there is one for the same occasion. Returns whether there was none.
    pub(super) async fn insert_offer_in(&self, tx: &mut Tx, new: &OfferRow) -> Result<bool, StoreError> {
        let inserted = sqlx::query(
            "INSERT INTO offers (tenant, id, customer_id, campaign, trigger_ref, purchase, parent, equivalence, kind,
                                 plan, state, attempt_no, created_at, seen_at, expires_at, email)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
             ON CONFLICT (tenant, customer_id, campaign, trigger_ref) DO NOTHING",
        )
        .bind(self.tenant)
        .bind(new.id.as_str())
        .bind(new.customer_id.as_str())
        .bind(&new.campaign)
        .bind(&new.trigger_ref)
        .bind(new.purchase.as_ref().map(PaymentId::as_str))
        .bind(new.parent.as_ref().map(OfferId::as_str))
        .bind(&new.equivalence.0)
        .bind(word(&new.kind, "offers.kind")?)
        .bind(json(&new.plan, "offers.plan")?)
        .bind(new.state.as_str())
        .bind(i64::from(new.attempt_no))
        .bind(new.created_at.0)
        .bind(new.seen_at.map(|at| at.0))
        .bind(new.expires_at.0)
        .bind(new.email.as_ref().map(|hash| hash.0.as_str()))
        .execute(&mut **tx)
        .await?;
        Ok(inserted.rows_affected() == 1)
    }

    async fn update_offer(
        &self,
        tx: &mut Tx,
        id: &OfferId,
        state: OfferState,
        attempt_no: u32,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE offers SET state = $1, attempt_no = $2 WHERE tenant = $3 AND id = $4")
            .bind(state.as_str())
            .bind(i64::from(attempt_no))
            .bind(self.tenant)
            .bind(id.as_str())
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// The ledger outlives everything else about a buyer: it knows customers by keyed hash.
    async fn append_decline(
        &self,
        tx: &mut Tx,
        customer: &CustomerId,
        email: Option<&EmailHash>,
        entry: &DeclineEntry,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO declines (tenant, customer_id, offer_id, equivalence, campaign, price_amount, price_currency,
                                   plan, reason, at, email)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(self.tenant)
        .bind(self.customer_hash(customer).0)
        .bind(entry.offer_id.as_str())
        .bind(&entry.equivalence.0)
        .bind(&entry.campaign)
        .bind(entry.price.map(|price| price.amount))
        .bind(entry.price.as_ref().map(|price| price.currency.as_str()))
        .bind(entry.plan.as_ref().map(ProductId::as_str))
        .bind(entry.reason.map(|reason| word(&reason, "declines.reason")).transpose()?)
        .bind(entry.at.0)
        .bind(email.map(|hash| hash.0.as_str()))
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    async fn append_history(
        &self,
        tx: &mut Tx,
        attempt: &AttemptId,
        at: UnixSeconds,
        event: &HistoryEvent,
    ) -> Result<(), StoreError> {
        let (event, source, detail) = event.columns();
        sqlx::query(
            "INSERT INTO attempt_history (tenant, attempt_id, at, event, source, detail, instance)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(self.tenant)
        .bind(attempt.as_str())
        .bind(at.0)
        .bind(event)
        .bind(source.map(Source::as_str))
        .bind(detail)
        .bind(&self.instance)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    async fn put_notification(
        &self,
        tx: &mut Tx,
        notification: &Notification,
        at: UnixSeconds,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO outbox (tenant, id, kind, body, created_at, next_try_at) VALUES ($1, $2, $3, $4, $5, $5)
             ON CONFLICT (tenant, id) DO NOTHING",
        )
        .bind(self.tenant)
        .bind(&notification.id)
        .bind(notification.kind.word())
        .bind(notification.body.to_string())
        .bind(at.0)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
