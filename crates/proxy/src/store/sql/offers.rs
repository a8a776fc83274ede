//! Offers and the decline ledger.

use async_trait::async_trait;
use dodo_client::ids::CustomerId;
use sqlx::Row;
use upsell_core::{
    domain::{DeclineEntry, EmailHash, EquivalenceKey, OfferRow, OfferState, Person},
    journal::states,
};
use wire::{Money, OfferId, UnixSeconds};

use super::{
    DbRow, SqlStore,
    codec::{at, at_opt, count, from_json, from_table, from_word, parsed, parsed_opt},
    retention::PAYMENT,
};
use crate::store::{Inserted, Offers, Retention, StoreError};

pub(super) fn offer(row: &DbRow) -> Result<OfferRow, StoreError> {
    Ok(OfferRow {
        id: parsed(row, "id")?,
        customer_id: parsed(row, "customer_id")?,
        campaign: row.try_get("campaign")?,
        trigger_ref: row.try_get("trigger_ref")?,
        purchase: parsed_opt(row, "purchase")?,
        email: row.try_get::<Option<String>, _>("email")?.map(EmailHash),
        parent: parsed_opt(row, "parent")?,
        equivalence: EquivalenceKey(row.try_get("equivalence")?),
        kind: from_word(row.try_get("kind")?, "offers.kind")?,
        plan: from_json(row, "plan")?,
        state: from_table(row, "state", OfferState::parse)?,
        attempt_no: count(row, "attempt_no")?,
        created_at: at(row, "created_at")?,
        seen_at: at_opt(row, "seen_at")?,
        expires_at: at(row, "expires_at")?,
    })
}

pub(super) fn decline_entry(row: &DbRow) -> Result<DeclineEntry, StoreError> {
    let price = match (row.try_get::<Option<i64>, _>("price_amount")?, parsed_opt(row, "price_currency")?) {
        (Some(amount), Some(currency)) => Some(Money::new(amount, currency)),
        _ => None,
    };
    Ok(DeclineEntry {
        offer_id: parsed(row, "offer_id")?,
        equivalence: EquivalenceKey(row.try_get("equivalence")?),
        campaign: row.try_get("campaign")?,
        price,
        plan: parsed_opt(row, "plan")?,
        reason: row
            .try_get::<Option<String>, _>("reason")?
            .map(|reason| from_word(reason, "declines.reason"))
            .transpose()?,
        at: at(row, "at")?,
    })
}

#[async_trait]
impl Offers for SqlStore {
    async fn insert_offer_if_absent(&self, new: &OfferRow) -> Result<Inserted, StoreError> {
        let mut tx = self.write_for(&[new.customer_id.to_string()]).await?;
        // What the offer was decided on may have gone meanwhile.
        let mut has_gone = self.has_forgotten_in(&mut tx, &new.customer_id, new.created_at).await?;
        if let Some(purchase) = &new.purchase {
            has_gone |= self.has_tombstone_in(&mut tx, PAYMENT, purchase.as_str()).await?;
        }
        if has_gone {
            return Err(StoreError::Contended);
        }
        let inserted = self.insert_offer_in(&mut tx, new).await?;
        let row = self.offer_for_occasion(&mut tx, new).await?.ok_or(StoreError::Contended)?;
        crate::failpoint!("insert_offer.before_commit");
        tx.commit().await?;
        crate::failpoint!("insert_offer.after_commit");
        Ok(if inserted { Inserted::New(row) } else { Inserted::Existing(row) })
    }

    async fn offer(&self, customer: &CustomerId, id: &OfferId) -> Result<Option<OfferRow>, StoreError> {
        sqlx::query("SELECT * FROM offers WHERE tenant = $1 AND id = $2 AND customer_id = $3")
            .bind(self.tenant)
            .bind(id.as_str())
            .bind(customer.as_str())
            .fetch_optional(&self.readers)
            .await?
            .as_ref()
            .map(offer)
            .transpose()
    }

    async fn offers_of(&self, customer: &CustomerId) -> Result<Vec<OfferRow>, StoreError> {
        sqlx::query(
            "SELECT * FROM offers WHERE tenant = $1 AND customer_id = $2 ORDER BY created_at DESC, id DESC",
        )
        .bind(self.tenant)
        .bind(customer.as_str())
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(offer)
        .collect()
    }

    async fn mark_presented(&self, customer: &CustomerId, id: &OfferId) -> Result<(), StoreError> {
        let (from, to) = states::PRESENTATION;
        sqlx::query(
            "UPDATE offers SET state = $1 WHERE tenant = $2 AND id = $3 AND customer_id = $4 AND state = $5",
        )
        .bind(to.as_str())
        .bind(self.tenant)
        .bind(id.as_str())
        .bind(customer.as_str())
        .bind(from.as_str())
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn mark_seen(
        &self,
        customer: &CustomerId,
        id: &OfferId,
        at: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let marked = sqlx::query(
            "UPDATE offers SET seen_at = COALESCE(seen_at, $1) WHERE tenant = $2 AND id = $3 AND customer_id = $4",
        )
        .bind(at.0)
        .bind(self.tenant)
        .bind(id.as_str())
        .bind(customer.as_str())
        .execute(&self.writer)
        .await?;
        Ok(marked.rows_affected() == 1)
    }

    async fn decline_ledger(&self, person: &Person) -> Result<Vec<DeclineEntry>, StoreError> {
        sqlx::query(
            "SELECT * FROM declines WHERE tenant = $1 AND (customer_id IN ($2, $4) OR email = $3)
             ORDER BY at DESC, offer_id DESC",
        )
        .bind(self.tenant)
        // Refusals from before hashes were kept stand under the id until they are hashed.
        .bind(person.customer_id.as_str())
        .bind(person.email.as_ref().map(|hash| hash.0.as_str()))
        .bind(self.customer_hash(&person.customer_id).0)
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(decline_entry)
        .collect()
    }
}
