//! Old rows, in steps. Each statement names its rows by an index and a limit, so that a step costs the same whatever the age
//! and size of the store. A row that does not read back stays, is reported, and costs the others nothing.

use sqlx::{AssertSqlSafe, Row};
use upsell_core::domain::{ChargePlan, EmailHash, OfferState, Person};
use wire::{ProductId, UnixSeconds};

use super::{
    DbRow, SqlStore, Tx,
    codec::{at, from_json, json, parsed},
    offers::offer,
    skip_locked,
};
use crate::store::{
    StoreError,
    retention::{Cursor, Step},
};

impl SqlStore {
    pub(super) async fn purge_purchases(
        &self,
        before: UnixSeconds,
        after: &Cursor,
        most: u32,
    ) -> Result<Step, StoreError> {
        let mut tx = self.write().await?;
        let rows = sqlx::query(concat!(
            "SELECT payment_id, customer_id, email, product_ids, paid_at FROM purchases
             WHERE tenant = $1 AND paid_at < $2 AND (paid_at, payment_id) > ($3, $4)
             ORDER BY paid_at, payment_id LIMIT $5",
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
            let read = || Ok((person(row)?, from_json::<Vec<ProductId>>(row, "product_ids")?));
            let Some((person, products)) = readable(read())? else { continue };
            self.write_owned(&mut tx, &person, &products).await?;
            self.delete(
                &mut tx,
                "DELETE FROM purchases WHERE tenant = $1 AND payment_id = $2",
                row.try_get("payment_id")?,
            )
            .await?;
            changed += 1;
        }
        tx.commit().await?;
        step(changed, &rows, most, "paid_at", "payment_id")
    }

    /// Offers to which no attempt refers.
    pub(super) async fn purge_offers(
        &self,
        before: UnixSeconds,
        after: &Cursor,
        most: u32,
    ) -> Result<Step, StoreError> {
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
            let Some(gone) = readable(offer(row))? else { continue };
            if gone.state == OfferState::Charged {
                self.write_taken(&mut tx, &gone).await?;
            }
            self.delete(&mut tx, "DELETE FROM offers WHERE tenant = $1 AND id = $2", gone.id.as_str())
                .await?;
            changed += 1;
        }
        tx.commit().await?;
        step(changed, &rows, most, "created_at", "id")
    }

    /// Reports about payments that are not on record, from a table with its key.
    pub(super) async fn purge_strays(
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
        step(changed, &rows, most, "at", "id")
    }

    /// Postal codes of purchases.
    pub(super) async fn drop_purchase_addresses(
        &self,
        before: UnixSeconds,
        most: u32,
    ) -> Result<Step, StoreError> {
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
        Ok(Step::of_all(dropped, most))
    }

    /// Postal codes in plans of offers or quotes, by their age.
    pub(super) async fn drop_plan_addresses(
        &self,
        table: &'static str,
        age: &'static str,
        before: UnixSeconds,
        after: &Cursor,
        most: u32,
    ) -> Result<Step, StoreError> {
        let mut tx = self.write().await?;
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT id, plan, {age} AS age FROM {table}
             WHERE tenant = $1 AND {age} < $2 AND plan LIKE '%\"zipcode\"%' AND ({age}, id) > ($3, $4)
             ORDER BY {age}, id LIMIT $5{}",
            skip_locked!()
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
            let Some(plan) = readable(from_json::<ChargePlan>(row, "plan"))? else { continue };
            sqlx::query(AssertSqlSafe(format!("UPDATE {table} SET plan = $1 WHERE tenant = $2 AND id = $3")))
                .bind(json(&plan.without_address(), "plan")?)
                .bind(self.tenant)
                .bind(row.try_get::<String, _>("id")?)
                .execute(&mut *tx)
                .await?;
            changed += 1;
        }
        tx.commit().await?;
        step(changed, &rows, most, "age", "id")
    }

    /// Carries out a statement about this tenant's rows of one id.
    pub(super) async fn delete(
        &self,
        tx: &mut Tx,
        statement: &'static str,
        id: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(statement).bind(self.tenant).bind(id).execute(&mut **tx).await?;
        Ok(())
    }
}

/// Returns what was read of a row, or nothing where the row does not read back: it stays, and somebody is told.
fn readable<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(StoreError::Unreadable(what)) => {
            tracing::error!(what, "failed to read an old row; it is kept");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn person(row: &DbRow) -> Result<Person, StoreError> {
    Ok(Person {
        customer_id: parsed(row, "customer_id")?,
        email: row.try_get::<Option<String>, _>("email")?.map(EmailHash),
    })
}

pub(super) fn cursor(row: &DbRow, age: &'static str, id: &'static str) -> Result<Cursor, StoreError> {
    Ok(Cursor(at(row, age)?, row.try_get(id)?))
}

/// The result of a step over these rows, of which some may stay.
fn step(
    changed: u64,
    rows: &[DbRow],
    most: u32,
    age: &'static str,
    id: &'static str,
) -> Result<Step, StoreError> {
    let is_full = u32::try_from(rows.len()).is_ok_and(|rows| rows >= most);
    let next = rows.last().filter(|_| is_full).map(|row| cursor(row, age, id));
    Ok(Step { changed, next: next.transpose()? })
}
