//! Old rows that have to be read before they go, in steps. Each statement names its rows by an index and a limit, so that a step costs the same whatever the age
//! and size of the store. A row that does not read back stays, is reported, and costs the others nothing.

use sqlx::Row;
use upsell_core::domain::{ChargePlan, EmailHash, Person};
use wire::{ProductId, UnixSeconds};

use super::{
    DbRow, SqlStore,
    codec::{at, from_json, json, parsed},
    erasing::Erase,
    offers::offer,
    skip_locked,
};
use crate::store::{Cursor, Step, StoreError};

/// Tables that hold a plan of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plans {
    /// Offers.
    Offers,
    /// Quotes.
    Quotes,
}

/// Reports that may be about payments of nobody's charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strays {
    /// Refunds.
    Refunds,
    /// Disputes.
    Disputes,
    /// Payments that name an attempt and are none of its.
    ForeignPayments,
}

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
            self.erase(&mut tx, Erase::Purchase, row.try_get("payment_id")?).await?;
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
            "SELECT offers.*, (SELECT MIN(attempts.id) FROM attempts
                               WHERE attempts.tenant = $1 AND attempts.offer_id = offers.id) AS used_by
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
            if row.try_get::<Option<String>, _>("used_by")?.is_some() {
                continue;
            }
            let Some(gone) = readable(offer(row))? else { continue };
            self.write_taken(&mut tx, &gone).await?;
            self.erase(&mut tx, Erase::Offer, gone.id.as_str()).await?;
            changed += 1;
        }
        tx.commit().await?;
        step(changed, &rows, most, "created_at", "id")
    }

    /// Reports about payments that are not on record.
    pub(super) async fn purge_strays(
        &self,
        of: Strays,
        before: UnixSeconds,
        after: &Cursor,
        most: u32,
    ) -> Result<Step, StoreError> {
        let mut tx = self.write().await?;
        let select = match of {
            Strays::Refunds => sqlx::query(
                "SELECT refund_id AS id, at, (SELECT payments.payment_id FROM payments
                                          WHERE payments.tenant = $1 AND payments.payment_id = refunds.payment_id) AS ours
                 FROM refunds WHERE tenant = $1 AND at < $2 AND (at, refund_id) > ($3, $4)
                 ORDER BY at, refund_id LIMIT $5",
            ),
            Strays::Disputes => sqlx::query(
                "SELECT dispute_id AS id, at, (SELECT payments.payment_id FROM payments
                                          WHERE payments.tenant = $1 AND payments.payment_id = disputes.payment_id) AS ours
                 FROM disputes WHERE tenant = $1 AND at < $2 AND (at, dispute_id) > ($3, $4)
                 ORDER BY at, dispute_id LIMIT $5",
            ),
            Strays::ForeignPayments => sqlx::query(
                "SELECT payment_id AS id, at, (SELECT payments.payment_id FROM payments
                                          WHERE payments.tenant = $1 AND payments.payment_id = foreign_payments.payment_id) AS ours
                 FROM foreign_payments WHERE tenant = $1 AND at < $2 AND (at, payment_id) > ($3, $4)
                 ORDER BY at, payment_id LIMIT $5",
            ),
        };
        let rows = select
            .bind(self.tenant)
            .bind(before.0)
            .bind(after.0.0)
            .bind(&after.1)
            .bind(i64::from(most))
            .fetch_all(&mut *tx)
            .await?;
        let what = match of {
            Strays::Refunds => Erase::Refund,
            Strays::Disputes => Erase::Dispute,
            Strays::ForeignPayments => Erase::ForeignPayment,
        };
        let mut changed = 0;
        for row in &rows {
            if row.try_get::<Option<String>, _>("ours")?.is_none() {
                self.erase(&mut tx, what, row.try_get("id")?).await?;
                changed += 1;
            }
        }
        tx.commit().await?;
        step(changed, &rows, most, "at", "id")
    }

    /// Postal codes in plans of offers or quotes, by their age.
    pub(super) async fn drop_plan_addresses(
        &self,
        of: Plans,
        before: UnixSeconds,
        after: &Cursor,
        most: u32,
    ) -> Result<Step, StoreError> {
        let mut tx = self.write().await?;
        let select = match of {
            Plans::Offers => sqlx::query(concat!(
                "SELECT id, plan, created_at AS age FROM offers
                 WHERE tenant = $1 AND created_at < $2 AND plan LIKE '%\"zipcode\"%' AND (created_at, id) > ($3, $4)
                 ORDER BY created_at, id LIMIT $5",
                skip_locked!()
            )),
            Plans::Quotes => sqlx::query(concat!(
                "SELECT id, plan, expires_at AS age FROM quotes
                 WHERE tenant = $1 AND expires_at < $2 AND plan LIKE '%\"zipcode\"%' AND (expires_at, id) > ($3, $4)
                 ORDER BY expires_at, id LIMIT $5",
                skip_locked!()
            )),
        };
        let rows = select
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
            let update = match of {
                Plans::Offers => sqlx::query("UPDATE offers SET plan = $1 WHERE tenant = $2 AND id = $3"),
                Plans::Quotes => sqlx::query("UPDATE quotes SET plan = $1 WHERE tenant = $2 AND id = $3"),
            };
            update
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

/// The buyer of a purchase.
pub(super) fn person(row: &DbRow) -> Result<Person, StoreError> {
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
