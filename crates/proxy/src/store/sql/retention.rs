//! Deleting what is old, in steps. Each statement names its rows by an index and a limit, so that a step costs the same
//! whatever the age and size of the store. Forgetting a buyer is in [`super::forgetting`].

use async_trait::async_trait;
use dodo_client::ids::{CustomerId, PaymentId};
use sqlx::{AssertSqlSafe, Row, Transaction};
use upsell_core::{
    domain::{ChargePlan, CustomerHash, EmailHash, OfferRow, OfferState, Person},
    policy::{email, retention::LetGo},
};
use wire::{AttemptId, ProductId, UnixSeconds};

use super::{
    Db, DbRow, SqlStore,
    codec::{at, at_opt, from_json, json, parsed},
    offers::offer,
    skip_locked,
};
use crate::store::{
    StoreError,
    retention::{Aging, Cursor, Forgot, MayForget, MayGo, Retention, Step},
};

/// Kinds of tombstones.
pub(super) const ATTEMPT: &str = "attempt";
pub(super) const PAYMENT: &str = "payment";

impl SqlStore {
    /// Records that the people with these hashes own products.
    pub(super) async fn write_owned(
        &self,
        tx: &mut Transaction<'static, Db>,
        person: &Person,
        products: &[ProductId],
    ) -> Result<(), StoreError> {
        for subject in self.subjects(person) {
            for product in products {
                sqlx::query(
                    "INSERT INTO owned (tenant, subject, product_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                )
                .bind(self.tenant)
                .bind(&subject)
                .bind(product.as_str())
                .execute(&mut **tx)
                .await?;
            }
        }
        Ok(())
    }

    /// The names under which a person stays known.
    pub(super) fn subjects(&self, person: &Person) -> Vec<String> {
        let email = person.email.as_ref().map(EmailHash::lock_name);
        std::iter::once(self.customer_hash(&person.customer_id).0).chain(email).collect()
    }

    pub(super) async fn write_tombstone(
        &self,
        tx: &mut Transaction<'static, Db>,
        kind: &'static str,
        id: &str,
        begun: UnixSeconds,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO tombstones (tenant, kind, id, begun_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(self.tenant)
        .bind(kind)
        .bind(id)
        .bind(begun.0)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    pub(super) async fn has_tombstone_in(
        &self,
        tx: &mut Transaction<'static, Db>,
        kind: &'static str,
        id: &str,
    ) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM tombstones WHERE tenant = $1 AND kind = $2 AND id = $3)",
        )
        .bind(self.tenant)
        .bind(kind)
        .bind(id)
        .fetch_one(&mut **tx)
        .await?)
    }

    async fn purge_purchases(&self, before: UnixSeconds, most: u32) -> Result<Step, StoreError> {
        let mut tx = self.write().await?;
        let rows = sqlx::query(concat!(
            "SELECT payment_id, customer_id, email, product_ids FROM purchases
             WHERE tenant = $1 AND paid_at < $2 ORDER BY paid_at LIMIT $3",
            skip_locked!()
        ))
        .bind(self.tenant)
        .bind(before.0)
        .bind(i64::from(most))
        .fetch_all(&mut *tx)
        .await?;
        for row in &rows {
            let products: Vec<ProductId> = from_json(row, "product_ids")?;
            self.write_owned(&mut tx, &person(row)?, &products).await?;
            sqlx::query("DELETE FROM purchases WHERE tenant = $1 AND payment_id = $2")
                .bind(self.tenant)
                .bind(row.try_get::<String, _>("payment_id")?)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(deleted(rows.len(), most))
    }

    /// Offers to which no attempt refers.
    async fn purge_offers(&self, before: UnixSeconds, after: &Cursor, most: u32) -> Result<Step, StoreError> {
        let mut tx = self.write().await?;
        let rows = sqlx::query(concat!(
            "SELECT offers.*, EXISTS (SELECT 1 FROM attempts
                                      WHERE attempts.tenant = $1 AND attempts.offer_id = offers.id) AS is_used
             FROM offers WHERE tenant = $1 AND created_at < $2 AND (created_at, id) > ($3, $4)
             ORDER BY created_at, id LIMIT $5",
            skip_locked!()
        ))
        .bind(self.tenant)
        .bind(before.0)
        .bind(after.0.0)
        .bind(&after.1)
        .bind(i64::from(most))
        .fetch_all(&mut *tx)
        .await?;
        let mut changed = 0;
        for row in &rows {
            if row.try_get::<bool, _>("is_used")? {
                continue;
            }
            let gone = offer(row)?;
            if gone.state == OfferState::Charged {
                self.write_taken(&mut tx, &gone).await?;
            }
            sqlx::query("DELETE FROM offers WHERE tenant = $1 AND id = $2")
                .bind(self.tenant)
                .bind(gone.id.as_str())
                .execute(&mut *tx)
                .await?;
            changed += 1;
        }
        tx.commit().await?;
        let next =
            rows.last().filter(|_| is_full(rows.len(), most)).map(|row| cursor(row, "created_at", "id"));
        Ok(Step { changed, next: next.transpose()? })
    }

    /// What was taken of an offer that goes. A plan that was taken may have been left again: the subscription tells.
    pub(super) async fn write_taken(
        &self,
        tx: &mut Transaction<'static, Db>,
        offer: &OfferRow,
    ) -> Result<(), StoreError> {
        if offer.plan.subscription_id().is_some() {
            return Ok(());
        }
        let person = Person { customer_id: offer.customer_id.clone(), email: offer.email.clone() };
        self.write_owned(tx, &person, std::slice::from_ref(offer.plan.product_id())).await
    }

    /// Reports about payments that are not on record, from a table with its key and the column of its payments.
    async fn purge_strays(
        &self,
        table: &'static str,
        key: &'static str,
        before: UnixSeconds,
        after: &Cursor,
        most: u32,
    ) -> Result<Step, StoreError> {
        let mut tx = self.write().await?;
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT {key} AS id, at, EXISTS (SELECT 1 FROM payments WHERE payments.tenant = $1
                                             AND payments.payment_id = {table}.payment_id) AS is_ours
             FROM {table} WHERE tenant = $1 AND at < $2 AND (at, {key}) > ($3, $4) ORDER BY at, {key} LIMIT $5"
        )))
        .bind(self.tenant)
        .bind(before.0)
        .bind(after.0.0)
        .bind(&after.1)
        .bind(i64::from(most))
        .fetch_all(&mut *tx)
        .await?;
        let mut changed = 0;
        for row in &rows {
            if !row.try_get::<bool, _>("is_ours")? {
                sqlx::query(AssertSqlSafe(format!("DELETE FROM {table} WHERE tenant = $1 AND {key} = $2")))
                    .bind(self.tenant)
                    .bind(row.try_get::<String, _>("id")?)
                    .execute(&mut *tx)
                    .await?;
                changed += 1;
            }
        }
        tx.commit().await?;
        let next = rows.last().filter(|_| is_full(rows.len(), most)).map(|row| cursor(row, "at", "id"));
        Ok(Step { changed, next: next.transpose()? })
    }

    async fn drop_purchase_addresses(&self, before: UnixSeconds, most: u32) -> Result<Step, StoreError> {
        let dropped = sqlx::query(concat!(
            "UPDATE purchases SET billing = NULL
             WHERE tenant = $1 AND payment_id IN (SELECT payment_id FROM purchases
                                                  WHERE tenant = $1 AND paid_at < $2 AND billing IS NOT NULL
                                                  ORDER BY paid_at LIMIT $3",
            skip_locked!(),
            ")"
        ))
        .bind(self.tenant)
        .bind(before.0)
        .bind(i64::from(most))
        .execute(&self.writer)
        .await?
        .rows_affected();
        Ok(deleted(usize::try_from(dropped).unwrap_or(usize::MAX), most))
    }

    /// Postal codes in plans of offers or quotes, by their age.
    async fn drop_plan_addresses(
        &self,
        table: &'static str,
        age: &'static str,
        before: UnixSeconds,
        most: u32,
    ) -> Result<Step, StoreError> {
        let mut tx = self.write().await?;
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT id, plan FROM {table}
             WHERE tenant = $1 AND {age} < $2 AND plan LIKE '%\"zipcode\"%' ORDER BY {age} LIMIT $3{}",
            skip_locked!()
        )))
        .bind(self.tenant)
        .bind(before.0)
        .bind(i64::from(most))
        .fetch_all(&mut *tx)
        .await?;
        for row in &rows {
            let plan: ChargePlan = from_json(row, "plan")?;
            sqlx::query(AssertSqlSafe(format!("UPDATE {table} SET plan = $1 WHERE tenant = $2 AND id = $3")))
                .bind(json(&plan.without_address(), "plan")?)
                .bind(self.tenant)
                .bind(row.try_get::<String, _>("id")?)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(deleted(rows.len(), most))
    }
}

fn person(row: &DbRow) -> Result<Person, StoreError> {
    Ok(Person {
        customer_id: parsed(row, "customer_id")?,
        email: row.try_get::<Option<String>, _>("email")?.map(EmailHash),
    })
}

fn cursor(row: &DbRow, age: &'static str, id: &'static str) -> Result<Cursor, StoreError> {
    Ok(Cursor(at(row, age)?, row.try_get(id)?))
}

fn is_full(rows: usize, most: u32) -> bool {
    u32::try_from(rows).is_ok_and(|rows| rows >= most)
}

/// The result of a step that leaves none of the rows that it looks at.
fn deleted(rows: usize, most: u32) -> Step {
    Step { changed: u64::try_from(rows).unwrap_or(u64::MAX), next: is_full(rows, most).then(Cursor::start) }
}

#[async_trait]
impl Retention for SqlStore {
    fn customer_hash(&self, customer: &CustomerId) -> CustomerHash {
        email::hash_customer(&self.email_key, customer)
    }

    async fn retention_step(
        &self,
        what: Aging,
        before: UnixSeconds,
        after: &Cursor,
        most: u32,
    ) -> Result<Step, StoreError> {
        let delete = match what {
            Aging::Purchases => return self.purge_purchases(before, most).await,
            Aging::PurchaseAddresses => return self.drop_purchase_addresses(before, most).await,
            Aging::OfferAddresses => {
                return self.drop_plan_addresses("offers", "created_at", before, most).await;
            }
            Aging::QuoteAddresses => {
                return self.drop_plan_addresses("quotes", "expires_at", before, most).await;
            }
            Aging::Offers => return self.purge_offers(before, after, most).await,
            Aging::Refunds => return self.purge_strays("refunds", "refund_id", before, after, most).await,
            Aging::Disputes => return self.purge_strays("disputes", "dispute_id", before, after, most).await,
            Aging::Events => sqlx::query(concat!(
                "DELETE FROM triggers
                 WHERE tenant = $1 AND id IN (SELECT id FROM triggers WHERE tenant = $1 AND at < $2
                                              ORDER BY at LIMIT $3",
                skip_locked!(),
                ")"
            )),
            Aging::ForeignPayments => sqlx::query(concat!(
                "DELETE FROM foreign_payments
                 WHERE tenant = $1 AND payment_id IN (SELECT payment_id FROM foreign_payments
                                                      WHERE tenant = $1 AND at < $2 ORDER BY at LIMIT $3",
                skip_locked!(),
                ")"
            )),
            Aging::Tombstones => sqlx::query(concat!(
                "DELETE FROM tombstones
                 WHERE tenant = $1 AND (kind, id) IN (SELECT kind, id FROM tombstones
                                                      WHERE tenant = $1 AND begun_at < $2
                                                      ORDER BY begun_at LIMIT $3",
                skip_locked!(),
                ")"
            )),
        };
        let gone =
            delete.bind(self.tenant).bind(before.0).bind(i64::from(most)).execute(&self.writer).await?;
        Ok(deleted(usize::try_from(gone.rows_affected()).unwrap_or(usize::MAX), most))
    }

    async fn hash_refusals(&self, most: u32) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let rows = sqlx::query(
            "SELECT DISTINCT customer_id FROM declines
             WHERE tenant = $1 AND customer_id NOT LIKE 'hash:%' ORDER BY customer_id LIMIT $2",
        )
        .bind(self.tenant)
        .bind(i64::from(most))
        .fetch_all(&mut *tx)
        .await?;
        for row in &rows {
            self.hash_refusals_of(&mut tx, &parsed(row, "customer_id")?).await?;
        }
        tx.commit().await?;
        Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
    }

    async fn drop_locks(&self, most: u32) -> Result<u64, StoreError> {
        self.drop_idle_locks(most).await
    }

    async fn old_attempts(
        &self,
        before: UnixSeconds,
        after: &Cursor,
        most: u32,
    ) -> Result<Vec<(Cursor, AttemptId)>, StoreError> {
        sqlx::query(
            "SELECT id, created_at FROM attempts
             WHERE tenant = $1 AND created_at < $2 AND (created_at, id) > ($3, $4)
             ORDER BY created_at, id LIMIT $5",
        )
        .bind(self.tenant)
        .bind(before.0)
        .bind(after.0.0)
        .bind(&after.1)
        .bind(i64::from(most))
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(|row| Ok((cursor(row, "created_at", "id")?, parsed(row, "id")?)))
        .collect()
    }

    async fn purge_charge(&self, id: &AttemptId, may_go: MayGo<'_>) -> Result<bool, StoreError> {
        let mut tx = self.write_for_attempt(id).await?;
        let Some(charge) = self.charge_in(&mut tx, id).await? else { return Ok(false) };
        if !may_go(&charge) {
            return Ok(false);
        }
        self.delete_charge(&mut tx, &charge).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn keep_since(&self, at: UnixSeconds) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE heartbeats SET kept_since = $1 WHERE tenant = $2 AND (kept_since IS NULL OR kept_since < $1)",
        )
        .bind(at.0)
        .bind(self.tenant)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn kept_since(&self) -> Result<Option<UnixSeconds>, StoreError> {
        let since: Option<Option<i64>> =
            sqlx::query_scalar("SELECT kept_since FROM heartbeats WHERE tenant = $1")
                .bind(self.tenant)
                .fetch_optional(&self.readers)
                .await?;
        Ok(since.flatten().map(UnixSeconds))
    }

    async fn let_go(
        &self,
        attempt: Option<&AttemptId>,
        payment: &PaymentId,
        customer: &CustomerId,
    ) -> Result<LetGo, StoreError> {
        let row = sqlx::query(
            "SELECT EXISTS (SELECT 1 FROM tombstones WHERE tenant = $1 AND kind = $2 AND id = $3) AS of_attempt,
                    EXISTS (SELECT 1 FROM tombstones WHERE tenant = $1 AND kind = $4 AND id = $5) AS of_payment,
                    (SELECT kept_since FROM heartbeats WHERE tenant = $1) AS kept_since,
                    (SELECT at FROM forgotten WHERE tenant = $1 AND customer = $6) AS forgotten_at",
        )
        .bind(self.tenant)
        .bind(ATTEMPT)
        .bind(attempt.map_or("", AttemptId::as_str))
        .bind(PAYMENT)
        .bind(payment.as_str())
        .bind(self.customer_hash(customer).0)
        .fetch_one(&self.readers)
        .await?;
        Ok(LetGo {
            has_tombstone: row.try_get("of_attempt")? || row.try_get("of_payment")?,
            kept_since: at_opt(&row, "kept_since")?,
            forgotten_at: at_opt(&row, "forgotten_at")?,
        })
    }

    async fn owned_by(&self, person: &Person) -> Result<Vec<ProductId>, StoreError> {
        let mut tx = self.readers.begin().await?;
        self.owned_in(&mut tx, person).await
    }

    async fn forget(
        &self,
        customer: &CustomerId,
        at: UnixSeconds,
        may_forget: MayForget<'_>,
    ) -> Result<Forgot, StoreError> {
        self.forget_buyer(customer, at, may_forget).await
    }

    async fn note_forgotten(&self, customer: &CustomerHash, at: UnixSeconds) -> Result<bool, StoreError> {
        let noted = sqlx::query(
            "INSERT INTO forgotten (tenant, customer, at, is_due) VALUES ($1, $2, $3, TRUE) ON CONFLICT DO NOTHING",
        )
        .bind(self.tenant)
        .bind(&customer.0)
        .bind(at.0)
        .execute(&self.writer)
        .await?;
        Ok(noted.rows_affected() == 1)
    }

    async fn forgotten_again(&self, customer: &CustomerHash) -> Result<(), StoreError> {
        sqlx::query("UPDATE forgotten SET is_due = FALSE WHERE tenant = $1 AND customer = $2")
            .bind(self.tenant)
            .bind(&customer.0)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn forgotten(&self, only_due: bool) -> Result<Vec<(CustomerHash, UnixSeconds)>, StoreError> {
        let statement = match only_due {
            true => "SELECT customer, at FROM forgotten WHERE tenant = $1 AND is_due",
            false => "SELECT customer, at FROM forgotten WHERE tenant = $1",
        };
        let rows = sqlx::query(statement).bind(self.tenant).fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok((CustomerHash(row.try_get("customer")?), at(row, "at")?))).collect()
    }

    async fn customers(&self, after: &str, most: u32) -> Result<Vec<CustomerId>, StoreError> {
        self.customers_from(after, most).await
    }
}
