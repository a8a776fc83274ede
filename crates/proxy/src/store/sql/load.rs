//! What a decision depends on, loaded under its lock. Which rows those are is said by the scope; what they mean is not
//! asked here.
//!
//! In one file because a decision depends on all of it together.

use dodo_client::ids::{CustomerId, PaymentId, SubscriptionId};
use sqlx::{AssertSqlSafe, Row};
use upsell_core::{
    domain::{AttemptWord, OfferRow, QuoteRow, SeenDispute, SeenRefund},
    journal::{
        Lock, Record, Scope, Stale, StoredAttempt, StoredOrder, StoredPayment, Watermark, record::OfferKey,
        states,
    },
};
use wire::{AttemptId, IdempotencyKey, OfferId, ProductId, QuoteId};

use super::{
    DbRow, SqlStore, Tx,
    attempts::attempt,
    codec::{among, at_opt, from_json, parsed, timeline},
    offers::{decline_entry, offer},
    quotes::quote,
    refund_orders::stored_order,
    retention::{ATTEMPT, PAYMENT},
    sales::{dispute, payment_on_record, refund},
    timeline_columns,
};
use crate::store::{Retention, StoreError};

fn stored_attempt(row: &DbRow) -> Result<StoredAttempt, StoreError> {
    Ok(StoredAttempt {
        row: attempt(row)?,
        surplus: row.try_get("surplus")?,
        lease_owner: row.try_get("lease_owner")?,
    })
}

impl SqlStore {
    /// Takes the lock of a scope and loads what it names. `None` where there is nothing to lock.
    pub(super) async fn load(&self, scope: &Scope) -> Result<Option<(Tx, Record)>, StoreError> {
        let mut tx = match &scope.lock {
            Lock::Buyer(customer) => self.write_for(&[customer.to_string()]).await?,
            Lock::Person(person) => self.write_for(&person.lock_names()).await?,
            Lock::Payment(payment) => self.write_for(&[payment.to_string()]).await?,
            Lock::BuyerOf(id) => self.write_for_attempt(id).await?,
        };
        let mut record = Record::empty(&self.instance);
        if scope.watermark {
            record.watermark = self.watermark(&mut tx).await?;
        }
        if let Some(id) = &scope.attempt {
            record.attempt = self.stored_attempt(&mut tx, id).await?;
        }
        if matches!(scope.lock, Lock::BuyerOf(_)) && record.attempt.is_none() {
            return Ok(None);
        }
        if let Some(payment) = &scope.payment {
            self.load_payment(&mut tx, payment, scope, &mut record).await?;
        }
        if let Some(subscription) = &scope.began {
            record.began_by = self.began_by(&mut tx, subscription).await?;
        }
        if let Some(payment) = scope.payment.as_ref().filter(|_| scope.foreign) {
            record.is_known_as_foreign = self.is_known_as_foreign(&mut tx, payment).await?;
        }
        if let Some(key) = &scope.offer {
            record.offer = self.offer_by(&mut tx, key, &scope.lock, record.attempt.as_ref()).await?;
        }
        self.load_others(&mut tx, scope, &mut record).await?;
        if let Some(offer) = record.offer.clone().filter(|_| scope.same_thing) {
            self.load_same_thing(&mut tx, &offer, &mut record).await?;
        }
        if let Some(subscription) = &scope.subscription {
            record.on_subscription = self.live_on(&mut tx, subscription, scope.attempt.as_ref()).await?;
        }
        if let Some(attempt) = record.attempt.as_ref().filter(|_| scope.quote) {
            record.quote = self.quote_in(&mut tx, &attempt.row.quote_id).await?;
        }
        if let Some(attempt) = record.attempt.as_ref().filter(|_| scope.booking) {
            record.booking_end = self.booking_end_in(&mut tx, &attempt.row.id).await?;
        }
        Ok(Some((tx, record)))
    }

    /// What this process remembers of the store, and what it finds.
    pub(super) async fn watermark(&self, tx: &mut Tx) -> Result<Watermark, StoreError> {
        let known = self.memory.known();
        let row = sqlx::query(concat!(
            "SELECT (SELECT beat_at FROM heartbeats WHERE tenant = $1) AS beat_at,
                    EXISTS (SELECT 1 FROM attempts WHERE tenant = $1 AND id = $2 AND state <> $3)
                    OR EXISTS (SELECT 1 FROM tombstones WHERE tenant = $1 AND kind = $4 AND id = $2) AS has_sent",
            timeline_columns!(),
        ))
        .bind(self.tenant)
        .bind(known.sent.as_ref().map_or("", AttemptId::as_str))
        .bind(AttemptWord::Claimed.as_str())
        .bind(ATTEMPT)
        .fetch_one(&mut **tx)
        .await?;
        let found = Watermark {
            compared: known.timeline,
            writes: timeline(&row)?,
            remembered: known.beat,
            found: at_opt(&row, "beat_at")?,
            has_last_sent: known.sent.is_none() || row.try_get("has_sent")?,
        };
        if found.staleness() == Some(Stale::Superseded) {
            self.leave_server();
        }
        Ok(found)
    }

    pub(super) async fn stored_attempt(
        &self,
        tx: &mut Tx,
        id: &AttemptId,
    ) -> Result<Option<StoredAttempt>, StoreError> {
        sqlx::query("SELECT * FROM attempts WHERE tenant = $1 AND id = $2")
            .bind(self.tenant)
            .bind(id.as_str())
            .fetch_optional(&mut **tx)
            .await?
            .as_ref()
            .map(stored_attempt)
            .transpose()
    }

    async fn offer_by(
        &self,
        tx: &mut Tx,
        key: &OfferKey,
        lock: &Lock,
        attempt: Option<&StoredAttempt>,
    ) -> Result<Option<OfferRow>, StoreError> {
        match (key, lock.customer(), attempt) {
            (OfferKey::Id(id), Some(customer), _) => self.offer_in(tx, customer, id).await,
            (OfferKey::Occasion(lost), _, _) => match self.offer_in(tx, &lost.customer_id, &lost.id).await? {
                Some(same) => Ok(Some(same)),
                None => self.offer_for_occasion(tx, lost).await,
            },
            (OfferKey::OfAttempt, _, Some(attempt)) => match &attempt.row.offer_id {
                Some(id) => self.offer_in(tx, &attempt.row.customer_id, id).await,
                None => Ok(None),
            },
            (OfferKey::Id(_) | OfferKey::OfAttempt, _, _) => Ok(None),
        }
    }

    async fn offer_in(
        &self,
        tx: &mut Tx,
        customer: &CustomerId,
        id: &OfferId,
    ) -> Result<Option<OfferRow>, StoreError> {
        sqlx::query("SELECT * FROM offers WHERE tenant = $1 AND id = $2 AND customer_id = $3")
            .bind(self.tenant)
            .bind(id.as_str())
            .bind(customer.as_str())
            .fetch_optional(&mut **tx)
            .await?
            .as_ref()
            .map(offer)
            .transpose()
    }

    /// The offer that was made for the same trigger by the same campaign.
    pub(super) async fn offer_for_occasion(
        &self,
        tx: &mut Tx,
        like: &OfferRow,
    ) -> Result<Option<OfferRow>, StoreError> {
        sqlx::query(
            "SELECT * FROM offers WHERE tenant = $1 AND customer_id = $2 AND campaign = $3 AND trigger_ref = $4",
        )
        .bind(self.tenant)
        .bind(like.customer_id.as_str())
        .bind(&like.campaign)
        .bind(&like.trigger_ref)
        .fetch_optional(&mut **tx)
        .await?
        .as_ref()
        .map(offer)
        .transpose()
    }

    /// The attempt that the buyer made with the key, and the other attempts of the offer, as far as they are asked for: in one
    /// statement, since a claim asks for both while its buyer waits.
    async fn load_others(&self, tx: &mut Tx, scope: &Scope, record: &mut Record) -> Result<(), StoreError> {
        let (key, customer) = match (&scope.key, scope.lock.customer()) {
            (Some(key), Some(customer)) => (Some(key), customer.as_str()),
            _ => (None, ""),
        };
        let offer = record.offer.as_ref().filter(|_| scope.siblings);
        if key.is_none() && offer.is_none() {
            return Ok(());
        }
        let rows = sqlx::query(
            "SELECT 1 AS by_key, attempts.* FROM attempts WHERE tenant = $1 AND customer_id = $2 AND idem_key = $3
             UNION ALL
             SELECT 0, attempts.* FROM attempts WHERE tenant = $1 AND offer_id = $4 AND id <> $5 AND state <> $6",
        )
        .bind(self.tenant)
        .bind(customer)
        .bind(key.map(IdempotencyKey::as_str))
        .bind(offer.map(|offer| offer.id.as_str()))
        .bind(scope.attempt.as_ref().map_or("", AttemptId::as_str))
        .bind(AttemptWord::Released.as_str())
        .fetch_all(&mut **tx)
        .await?;
        for row in &rows {
            if row.try_get::<i32, _>("by_key")? == 1 {
                record.by_key = Some(attempt(row)?);
            } else {
                record.siblings.push(stored_attempt(row)?);
            }
        }
        Ok(())
    }

    /// What the person of an offer has otherwise taken, refused or bought of the same thing.
    async fn load_same_thing(
        &self,
        tx: &mut Tx,
        of: &OfferRow,
        record: &mut Record,
    ) -> Result<(), StoreError> {
        let email = of.email.as_ref().map(|hash| hash.0.as_str());
        record.same_thing = sqlx::query(
            "SELECT * FROM offers WHERE tenant = $1 AND (customer_id = $2 OR email = $3) AND equivalence = $4
               AND id <> $5 ORDER BY id",
        )
        .bind(self.tenant)
        .bind(of.customer_id.as_str())
        .bind(email)
        .bind(&of.equivalence.0)
        .bind(of.id.as_str())
        .fetch_all(&mut **tx)
        .await?
        .iter()
        .map(offer)
        .collect::<Result<_, _>>()?;
        record.refusals = sqlx::query(
            "SELECT * FROM declines WHERE tenant = $1 AND (customer_id IN ($2, $5) OR email = $3) AND equivalence = $4
             ORDER BY at, offer_id",
        )
        .bind(self.tenant)
        .bind(of.customer_id.as_str())
        .bind(email)
        .bind(&of.equivalence.0)
        .bind(self.customer_hash(&of.customer_id).0)
        .fetch_all(&mut **tx)
        .await?
        .iter()
        .map(decline_entry)
        .collect::<Result<_, _>>()?;
        let bought = sqlx::query(
            "SELECT product_ids FROM purchases WHERE tenant = $1 AND (customer_id = $2 OR email = $3)",
        )
        .bind(self.tenant)
        .bind(of.customer_id.as_str())
        .bind(email)
        .fetch_all(&mut **tx)
        .await?;
        for row in &bought {
            record.bought.extend(from_json::<Vec<ProductId>>(row, "product_ids")?);
        }
        // After the purchases: one that goes in between is found here.
        record.bought.extend(self.owned_in(tx, &of.person()).await?);
        Ok(())
    }

    async fn live_on(
        &self,
        tx: &mut Tx,
        subscription: &SubscriptionId,
        attempt: Option<&AttemptId>,
    ) -> Result<Vec<StoredAttempt>, StoreError> {
        let live = among(&states::LIVE);
        sqlx::query(AssertSqlSafe(format!(
            "SELECT * FROM attempts WHERE tenant = $1 AND subscription_id = $2 AND id <> $3 AND state IN {live}"
        )))
            .bind(self.tenant)
            .bind(subscription.as_str())
            .bind(attempt.map_or("", AttemptId::as_str))
            .fetch_all(&mut **tx)
            .await?
            .iter()
            .map(stored_attempt)
            .collect()
    }

    async fn quote_in(&self, tx: &mut Tx, id: &QuoteId) -> Result<Option<QuoteRow>, StoreError> {
        sqlx::query("SELECT * FROM quotes WHERE tenant = $1 AND id = $2")
            .bind(self.tenant)
            .bind(id.as_str())
            .fetch_optional(&mut **tx)
            .await?
            .as_ref()
            .map(quote)
            .transpose()
    }

    /// The payment, with what was reported of it and the attempt that it was recorded for, as far as they are asked for.
    async fn load_payment(
        &self,
        tx: &mut Tx,
        id: &PaymentId,
        scope: &Scope,
        record: &mut Record,
    ) -> Result<(), StoreError> {
        if scope.lock != Lock::Payment(id.clone()) {
            self.lock(tx, id.as_str()).await?;
        }
        let row = sqlx::query("SELECT * FROM payments WHERE tenant = $1 AND payment_id = $2")
            .bind(self.tenant)
            .bind(id.as_str())
            .fetch_optional(&mut **tx)
            .await?;
        if let Some(row) = &row {
            let attempt_id: AttemptId = parsed(row, "attempt_id")?;
            if scope.sale {
                record.attempt = self.stored_attempt(tx, &attempt_id).await?;
            }
            record.payment = Some(StoredPayment { attempt_id, record: payment_on_record(row)? });
        }
        if scope.flags {
            record.refunds = self.refunds_in(tx, id).await?;
            record.disputes = self.disputes_in(tx, id).await?;
            record.orders = self.orders_in(tx, id).await?;
            record.is_let_go = row.is_none() && self.has_tombstone_in(tx, PAYMENT, id.as_str()).await?;
        }
        Ok(())
    }

    async fn began_by(
        &self,
        tx: &mut Tx,
        subscription: &SubscriptionId,
    ) -> Result<Option<PaymentId>, StoreError> {
        sqlx::query(
            "SELECT payment_id FROM payments WHERE tenant = $1 AND subscription_id = $2 ORDER BY payment_id LIMIT 1",
        )
        .bind(self.tenant)
        .bind(subscription.as_str())
        .fetch_optional(&mut **tx)
        .await?
        .as_ref()
        .map(|row| parsed(row, "payment_id"))
        .transpose()
    }

    async fn is_known_as_foreign(&self, tx: &mut Tx, payment: &PaymentId) -> Result<bool, StoreError> {
        let known: Option<i32> =
            sqlx::query_scalar("SELECT 1 FROM foreign_payments WHERE tenant = $1 AND payment_id = $2")
                .bind(self.tenant)
                .bind(payment.as_str())
                .fetch_optional(&mut **tx)
                .await?;
        Ok(known.is_some())
    }

    pub(super) async fn refunds_in(
        &self,
        tx: &mut Tx,
        payment: &PaymentId,
    ) -> Result<Vec<SeenRefund>, StoreError> {
        sqlx::query("SELECT * FROM refunds WHERE tenant = $1 AND payment_id = $2 ORDER BY refund_id")
            .bind(self.tenant)
            .bind(payment.as_str())
            .fetch_all(&mut **tx)
            .await?
            .iter()
            .map(refund)
            .collect()
    }

    pub(super) async fn disputes_in(
        &self,
        tx: &mut Tx,
        payment: &PaymentId,
    ) -> Result<Vec<SeenDispute>, StoreError> {
        sqlx::query("SELECT * FROM disputes WHERE tenant = $1 AND payment_id = $2 ORDER BY dispute_id")
            .bind(self.tenant)
            .bind(payment.as_str())
            .fetch_all(&mut **tx)
            .await?
            .iter()
            .map(dispute)
            .collect()
    }

    pub(super) async fn orders_in(
        &self,
        tx: &mut Tx,
        payment: &PaymentId,
    ) -> Result<Vec<StoredOrder>, StoreError> {
        sqlx::query(
            "SELECT * FROM refund_orders WHERE tenant = $1 AND payment_id = $2 ORDER BY created_at, cause",
        )
        .bind(self.tenant)
        .bind(payment.as_str())
        .fetch_all(&mut **tx)
        .await?
        .iter()
        .map(stored_order)
        .collect()
    }
}
