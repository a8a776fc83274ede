//! One charge with everything that refers to it, loaded and deleted; and everything about one buyer.

use dodo_client::ids::{CustomerId, PaymentId};
use money::later;
use sqlx::Row;
use upsell_core::{
    domain::{EmailHash, PaymentOnRecord, Person},
    policy::retention::Charge,
};
use wire::{AttemptId, ProductId, UnixSeconds};

use super::{
    SqlStore, Tx,
    aging::{cursor, person},
    codec::{at, from_json, parsed},
    erasing::{Erase, EraseUntil},
    offers::offer,
    retention::{ATTEMPT, PAYMENT},
    sales::payment_on_record,
};
use crate::store::{
    Cursor, StoreError,
    retention::{ForgetPlace, ForgetStep, Outlasts, Retention, Until},
};

/// Webhooks that are held in memory at once: each may be as long as a body may be.
const WEBHOOKS: i64 = 20;
/// Seconds by which a session, quote or link from before a moment may end after it. A link that lives longer goes by its own end.
const LIVES_FOR: i64 = 900;

/// One step of forgetting a buyer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forgetting<'a> {
    /// The buyer.
    pub(super) customer: &'a CustomerId,
    /// Rows that go.
    pub(super) until: Until,
    /// Most rows that go.
    pub(super) most: u32,
}

/// The end of what is known by its end alone and goes: what the buyer began afterwards ends later.
fn ends_by(until: Until) -> UnixSeconds {
    later(until.last(), LIVES_FOR)
}

impl SqlStore {
    /// An attempt with everything that refers to it, under the locks of its payments.
    pub(super) async fn charge_in(&self, tx: &mut Tx, id: &AttemptId) -> Result<Option<Charge>, StoreError> {
        let Some(attempt) = self.stored_attempt(tx, id).await? else { return Ok(None) };
        let payments =
            sqlx::query("SELECT * FROM payments WHERE tenant = $1 AND attempt_id = $2 ORDER BY payment_id")
                .bind(self.tenant)
                .bind(id.as_str())
                .fetch_all(&mut **tx)
                .await?
                .iter()
                .map(payment_on_record)
                .collect::<Result<Vec<PaymentOnRecord>, _>>()?;
        let mut charge = Charge {
            attempt,
            payments,
            refunds: Vec::new(),
            disputes: Vec::new(),
            orders: Vec::new(),
            booking_end: self.booking_end_in(tx, id).await?,
        };
        for payment in payments_of(&charge) {
            self.lock(tx, payment.as_str()).await?;
            charge.refunds.extend(self.refunds_in(tx, &payment).await?);
            charge.disputes.extend(self.disputes_in(tx, &payment).await?);
            charge.orders.extend(self.orders_in(tx, &payment).await?);
        }
        Ok(Some(charge))
    }

    /// Deletes a charge, and leaves tombstones of its attempt and its payments. Its offer stays until its own end.
    pub(super) async fn delete_charge(&self, tx: &mut Tx, charge: &Charge) -> Result<(), StoreError> {
        let row = &charge.attempt.row;
        for payment in payments_of(charge) {
            for what in
                [Erase::RefundsOfPayment, Erase::DisputesOfPayment, Erase::RefundOrder, Erase::ForeignPayment]
            {
                self.erase(tx, what, payment.as_str()).await?;
            }
            self.write_tombstone(tx, PAYMENT, payment.as_str(), row.created_at).await?;
        }
        for what in [Erase::PaymentsOfAttempt, Erase::BookingEnd, Erase::History, Erase::Attempt] {
            self.erase(tx, what, row.id.as_str()).await?;
        }
        self.write_tombstone(tx, ATTEMPT, row.id.as_str(), row.created_at).await?;
        for quote in std::iter::once(&row.quote_id).chain(&row.replacement) {
            self.erase(tx, Erase::Quote, quote.as_str()).await?;
        }
        Ok(())
    }

    /// See [`Retention::begin_forgetting`].
    pub(super) async fn begin_forgetting_buyer(
        &self,
        customer: &CustomerId,
        at: UnixSeconds,
        until: Until,
    ) -> Result<(), StoreError> {
        let mut tx = self.write_for_person(customer).await?;
        for what in [EraseUntil::Links, EraseUntil::Sessions] {
            self.erase_until(&mut tx, what, customer.as_str(), ends_by(until)).await?;
        }
        self.hash_refusals_of(&mut tx, customer).await?;
        sqlx::query(
            "INSERT INTO forgotten (tenant, customer, at, is_due) VALUES ($1, $2, $3, TRUE)
             ON CONFLICT (tenant, customer) DO UPDATE SET
                 at = CASE WHEN forgotten.at > excluded.at THEN forgotten.at ELSE excluded.at END, is_due = TRUE",
        )
        .bind(self.tenant)
        .bind(self.customer_hash(customer).0)
        .bind(at.0)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        crate::failpoint!("forget.begun");
        Ok(())
    }

    /// Begins a transaction under the locks of a buyer and of the addresses under which they have bought or were offered anything.
    async fn write_for_person(&self, customer: &CustomerId) -> Result<Tx, StoreError> {
        let mut tx = self.write_for(&[customer.to_string()]).await?;
        for email in self.emails_of(&mut tx, customer).await? {
            self.lock(&mut tx, &email.lock_name()).await?;
        }
        Ok(tx)
    }

    /// The addresses under which a customer has bought or was offered anything.
    async fn emails_of(&self, tx: &mut Tx, customer: &CustomerId) -> Result<Vec<EmailHash>, StoreError> {
        let rows = sqlx::query(
            "SELECT email FROM purchases WHERE tenant = $1 AND customer_id = $2 AND email IS NOT NULL
             UNION
             SELECT email FROM offers WHERE tenant = $1 AND customer_id = $2 AND email IS NOT NULL
             ORDER BY email",
        )
        .bind(self.tenant)
        .bind(customer.as_str())
        .fetch_all(&mut **tx)
        .await?;
        rows.iter().map(|row| Ok(EmailHash(row.try_get("email")?))).collect()
    }

    /// Deletes charges, in the order of their ids.
    pub(super) async fn forget_charges(
        &self,
        Forgetting { customer, until, most }: Forgetting<'_>,
        after: &str,
        outlasts: Outlasts<'_>,
    ) -> Result<ForgetStep, StoreError> {
        let mut tx = self.write_for_person(customer).await?;
        let rows = sqlx::query(
            "SELECT id FROM attempts WHERE tenant = $1 AND customer_id = $2 AND created_at <= $3 AND id > $4
             ORDER BY id LIMIT $5",
        )
        .bind(self.tenant)
        .bind(customer.as_str())
        .bind(until.last().0)
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(&mut *tx)
        .await?;
        let ids: Vec<AttemptId> = rows.iter().map(|row| parsed(row, "id")).collect::<Result<_, _>>()?;
        let mut step = ForgetStep::default();
        for id in &ids {
            let Some(charge) = self.charge_in(&mut tx, id).await? else { continue };
            match outlasts(&charge) {
                Some(hold) => step.held.push((id.clone(), hold)),
                None => {
                    self.delete_charge(&mut tx, &charge).await?;
                    step.charges = step.charges.saturating_add(1);
                }
            }
        }
        crate::failpoint!("forget.before_commit");
        tx.commit().await?;
        step.next = Some(match ids.last() {
            Some(last) => ForgetPlace::Charges(last.to_string()),
            None => ForgetPlace::Purchases,
        });
        Ok(step)
    }

    /// Deletes purchases. What was bought stays known as owned, and that there was a payment.
    pub(super) async fn forget_purchases(
        &self,
        Forgetting { customer, until, most }: Forgetting<'_>,
    ) -> Result<ForgetStep, StoreError> {
        let mut tx = self.write_for_person(customer).await?;
        let rows = sqlx::query(
            "SELECT * FROM purchases WHERE tenant = $1 AND customer_id = $2 AND paid_at <= $3 ORDER BY payment_id LIMIT $4",
        )
        .bind(self.tenant)
        .bind(customer.as_str())
        .bind(until.last().0)
        .bind(i64::from(most))
        .fetch_all(&mut *tx)
        .await?;
        for row in &rows {
            let products: Vec<ProductId> = from_json(row, "product_ids")?;
            self.write_owned(&mut tx, &person(row)?, &products).await?;
            let payment: PaymentId = parsed(row, "payment_id")?;
            // A payment of a charge that stays is needed by it.
            if !self.is_of_a_charge(&mut tx, &payment).await? {
                self.write_tombstone(&mut tx, PAYMENT, payment.as_str(), at(row, "paid_at")?).await?;
                for what in [Erase::RefundsOfPayment, Erase::DisputesOfPayment] {
                    self.erase(&mut tx, what, payment.as_str()).await?;
                }
            }
            self.erase(&mut tx, Erase::Purchase, payment.as_str()).await?;
        }
        tx.commit().await?;
        let next = if rows.is_empty() { ForgetPlace::Offers } else { ForgetPlace::Purchases };
        Ok(ForgetStep { next: Some(next), ..ForgetStep::default() })
    }

    async fn is_of_a_charge(&self, tx: &mut Tx, payment: &PaymentId) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM payments WHERE tenant = $1 AND payment_id = $2)")
            .bind(self.tenant)
            .bind(payment.as_str())
            .fetch_one(&mut **tx)
            .await?)
    }

    /// Deletes offers to which no attempt refers. What was taken stays known as owned.
    pub(super) async fn forget_offers(
        &self,
        Forgetting { customer, until, most }: Forgetting<'_>,
    ) -> Result<ForgetStep, StoreError> {
        let mut tx = self.write_for_person(customer).await?;
        let rows = sqlx::query(
            "SELECT * FROM offers WHERE tenant = $1 AND customer_id = $2 AND created_at <= $3
               AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.tenant = $1 AND attempts.offer_id = offers.id)
             ORDER BY id LIMIT $4",
        )
        .bind(self.tenant)
        .bind(customer.as_str())
        .bind(until.last().0)
        .bind(i64::from(most))
        .fetch_all(&mut *tx)
        .await?;
        for row in &rows {
            let gone = offer(row)?;
            self.write_taken(&mut tx, &gone).await?;
            self.erase(&mut tx, Erase::Offer, gone.id.as_str()).await?;
        }
        tx.commit().await?;
        let next = if rows.is_empty() { ForgetPlace::Rest } else { ForgetPlace::Offers };
        Ok(ForgetStep { next: Some(next), ..ForgetStep::default() })
    }

    /// Deletes what is left in the tables.
    pub(super) async fn forget_rest(
        &self,
        Forgetting { customer, until, .. }: Forgetting<'_>,
    ) -> Result<ForgetStep, StoreError> {
        let mut tx = self.write_for(&[customer.to_string()]).await?;
        self.erase_until(&mut tx, EraseUntil::Quotes, customer.as_str(), ends_by(until)).await?;
        for what in [EraseUntil::Events, EraseUntil::PaidBy] {
            self.erase_until(&mut tx, what, customer.as_str(), until.last()).await?;
        }
        tx.commit().await?;
        Ok(ForgetStep { next: Some(ForgetPlace::Webhooks(Cursor::start())), ..ForgetStep::default() })
    }

    /// Deletes webhooks that could not be applied and speak of the customer. What they would write would not be written.
    pub(super) async fn forget_webhooks(
        &self,
        Forgetting { customer, until, .. }: Forgetting<'_>,
        after: &Cursor,
    ) -> Result<ForgetStep, StoreError> {
        let rows = sqlx::query(
            "SELECT webhook_id, raw, received_at FROM inbox
             WHERE tenant = $1 AND applied_at IS NULL AND received_at <= $2
               AND (received_at, webhook_id) > ($3, $4)
             ORDER BY received_at, webhook_id LIMIT $5",
        )
        .bind(self.tenant)
        .bind(until.last().0)
        .bind(after.0.0)
        .bind(&after.1)
        .bind(WEBHOOKS)
        .fetch_all(&self.readers)
        .await?;
        let Some(last) = rows.last() else { return Ok(ForgetStep::default()) };
        let next = Some(ForgetPlace::Webhooks(cursor(last, "received_at", "webhook_id")?));
        let name = format!("\"{customer}\"");
        let mut tx = self.write().await?;
        for row in &rows {
            let raw: Vec<u8> = row.try_get("raw")?;
            if raw.windows(name.len()).any(|part| part == name.as_bytes()) {
                self.erase(&mut tx, Erase::Webhook, row.try_get("webhook_id")?).await?;
            }
        }
        tx.commit().await?;
        Ok(ForgetStep { next, ..ForgetStep::default() })
    }

    /// Replaces a customer id in the decline ledger by its keyed hash.
    pub(super) async fn hash_refusals_of(
        &self,
        tx: &mut Tx,
        customer: &CustomerId,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE declines SET customer_id = $1 WHERE tenant = $2 AND customer_id = $3")
            .bind(self.customer_hash(customer).0)
            .bind(self.tenant)
            .bind(customer.as_str())
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// See [`Retention::owned_by`].
    pub(super) async fn owned_in(&self, tx: &mut Tx, person: &Person) -> Result<Vec<ProductId>, StoreError> {
        let subjects = self.subjects(person);
        let rows = sqlx::query(
            "SELECT product_id FROM owned WHERE tenant = $1 AND subject IN ($2, $3) ORDER BY product_id",
        )
        .bind(self.tenant)
        .bind(subjects.first())
        .bind(subjects.last())
        .fetch_all(&mut **tx)
        .await?;
        rows.iter().map(|row| parsed(row, "product_id")).collect()
    }

    /// See [`Retention::customers`]. Distinct in each list, too: one that is cut off must not hide names from the page.
    pub(super) async fn customers_from(&self, after: &str, most: u32) -> Result<Vec<CustomerId>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT customer_id FROM (
                 SELECT * FROM (SELECT DISTINCT customer_id FROM purchases WHERE tenant = $1 AND customer_id > $2
                                ORDER BY customer_id LIMIT $3) AS of_purchases
                 UNION ALL
                 SELECT * FROM (SELECT DISTINCT customer_id FROM offers WHERE tenant = $1 AND customer_id > $2
                                ORDER BY customer_id LIMIT $3) AS of_offers
                 UNION ALL
                 SELECT * FROM (SELECT DISTINCT customer_id FROM attempts WHERE tenant = $1 AND customer_id > $2
                                ORDER BY customer_id LIMIT $3) AS of_attempts
                 UNION ALL
                 SELECT * FROM (SELECT DISTINCT customer_id FROM quotes WHERE tenant = $1 AND customer_id > $2
                                ORDER BY customer_id LIMIT $3) AS of_quotes
                 UNION ALL
                 SELECT * FROM (SELECT DISTINCT customer_id FROM triggers WHERE tenant = $1 AND customer_id > $2
                                ORDER BY customer_id LIMIT $3) AS of_triggers
                 UNION ALL
                 SELECT * FROM (SELECT DISTINCT customer_id FROM declines WHERE tenant = $1 AND customer_id > $2
                                  AND customer_id NOT LIKE 'hash:%'
                                ORDER BY customer_id LIMIT $3) AS of_declines
             ) AS names ORDER BY customer_id LIMIT $3",
        )
        .bind(self.tenant)
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| parsed(row, "customer_id")).collect()
    }
}

/// The payments of a charge: those on record, and the one that its attempt names.
fn payments_of(charge: &Charge) -> Vec<PaymentId> {
    let mut ids: Vec<PaymentId> =
        charge.payments.iter().map(|on_record| on_record.payment.id.clone()).collect();
    ids.extend(charge.attempt.row.payment_id.clone());
    ids.sort_unstable();
    ids.dedup();
    ids
}
