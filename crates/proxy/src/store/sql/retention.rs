//! Keeping no more than is needed: what outlives the rows. Steps are in [`super::purge`], forgetting a buyer in
//! [`super::forgetting`].

use async_trait::async_trait;
use dodo_client::ids::{CustomerId, PaymentId};
use sqlx::Row;
use upsell_core::{
    domain::{CustomerHash, EmailHash, OfferRow, Person},
    policy::{
        email,
        retention::{self, LetGo},
    },
};
use wire::{AttemptId, ProductId, UnixSeconds};

use super::{
    SqlStore, Tx,
    aging::cursor,
    codec::{at, at_opt, parsed},
    forgetting::Forgetting,
};
use crate::store::{
    Cursor, StoreError,
    retention::{ForgetPlace, ForgetStep, MayGo, Outlasts, Retention, Until},
};

/// Kinds of tombstones.
pub(super) const ATTEMPT: &str = "attempt";
pub(super) const PAYMENT: &str = "payment";

impl SqlStore {
    /// Records that the people with these hashes own products.
    pub(super) async fn write_owned(
        &self,
        tx: &mut Tx,
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
        tx: &mut Tx,
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

    /// Says whether a payment of this buyer from `begun` was forgotten. Asked under the buyer's lock, and so of whatever was forgotten
    /// until now.
    pub(super) async fn has_forgotten_in(
        &self,
        tx: &mut Tx,
        customer: &CustomerId,
        begun: UnixSeconds,
    ) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM forgotten WHERE tenant = $1 AND customer = $2 AND at >= $3)",
        )
        .bind(self.tenant)
        .bind(self.customer_hash(customer).0)
        .bind(begun.0)
        .fetch_one(&mut **tx)
        .await?)
    }

    pub(super) async fn has_tombstone_in(
        &self,
        tx: &mut Tx,
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

    /// Keeps known as owned what was taken of an offer that goes.
    pub(super) async fn write_taken(&self, tx: &mut Tx, offer: &OfferRow) -> Result<(), StoreError> {
        let Some(product) = retention::taken(offer) else { return Ok(()) };
        self.write_owned(tx, &offer.person(), std::slice::from_ref(product)).await
    }
}

#[async_trait]
impl Retention for SqlStore {
    fn customer_hash(&self, customer: &CustomerId) -> CustomerHash {
        email::hash_customer(&self.email_key, customer)
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
        let mut tx = self.read().await?;
        self.owned_in(&mut tx, person).await
    }

    async fn begin_forgetting(
        &self,
        customer: &CustomerId,
        at: UnixSeconds,
        until: Until,
    ) -> Result<(), StoreError> {
        self.begin_forgetting_buyer(customer, at, until).await
    }

    async fn forget_step(
        &self,
        customer: &CustomerId,
        until: Until,
        place: ForgetPlace,
        most: u32,
        outlasts: Outlasts<'_>,
    ) -> Result<ForgetStep, StoreError> {
        let step = Forgetting { customer, until, most };
        match place {
            ForgetPlace::Charges(after) => self.forget_charges(step, &after, outlasts).await,
            ForgetPlace::Purchases => self.forget_purchases(step).await,
            ForgetPlace::Offers => self.forget_offers(step).await,
            ForgetPlace::Rest => self.forget_rest(step).await,
            ForgetPlace::Webhooks(after) => self.forget_webhooks(step, &after).await,
        }
    }

    async fn note_owned(&self, person: &Person, products: &[ProductId]) -> Result<(), StoreError> {
        let mut tx = self.write_for(&[person.customer_id.to_string()]).await?;
        self.write_owned(&mut tx, person, products).await?;
        tx.commit().await?;
        Ok(())
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

    async fn forgotten_again(&self, customer: &CustomerHash, at: UnixSeconds) -> Result<(), StoreError> {
        sqlx::query("UPDATE forgotten SET is_due = FALSE WHERE tenant = $1 AND customer = $2 AND at <= $3")
            .bind(self.tenant)
            .bind(&customer.0)
            .bind(at.0)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn forgotten(
        &self,
        only_due: bool,
        after: &str,
        most: u32,
    ) -> Result<Vec<(CustomerHash, UnixSeconds)>, StoreError> {
        let select = match only_due {
            true => sqlx::query(
                "SELECT customer, at FROM forgotten WHERE tenant = $1 AND is_due AND customer > $2
                 ORDER BY customer LIMIT $3",
            ),
            false => sqlx::query(
                "SELECT customer, at FROM forgotten WHERE tenant = $1 AND customer > $2 ORDER BY customer LIMIT $3",
            ),
        };
        let rows =
            select.bind(self.tenant).bind(after).bind(i64::from(most)).fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok((CustomerHash(row.try_get("customer")?), at(row, "at")?))).collect()
    }

    async fn customers(&self, after: &str, most: u32) -> Result<Vec<CustomerId>, StoreError> {
        self.customers_from(after, most).await
    }
}
