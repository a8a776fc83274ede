//! Offers and the decline ledger.

use async_trait::async_trait;
use dodo_client::ids::{CustomerId, PaymentId};
use sqlx::{Row, Sqlite, Transaction, sqlite::SqliteRow};
use wire::{Money, OfferId, ProductId, UnixSeconds};

use super::{
    SqliteStore,
    codec::{
        at, at_opt, count, from_json, from_word, json, offer_state, offer_state_word, parsed, parsed_opt,
        word,
    },
};
use crate::{
    domain::{DeclineEntry, EquivalenceKey, OfferRow, OfferState},
    store::{DeclineOutcome, Inserted, Offers, Refusal, StoreError},
};

pub(super) fn offer(row: &SqliteRow) -> Result<OfferRow, StoreError> {
    Ok(OfferRow {
        id: parsed(row, "id")?,
        customer_id: parsed(row, "customer_id")?,
        campaign: row.try_get("campaign")?,
        trigger_ref: row.try_get("trigger_ref")?,
        purchase: parsed_opt(row, "purchase")?,
        parent: parsed_opt(row, "parent")?,
        equivalence: EquivalenceKey(row.try_get("equivalence")?),
        kind: from_word(row.try_get("kind")?, "offers.kind")?,
        plan: from_json(row, "plan")?,
        state: offer_state(row.try_get("state")?)?,
        attempt_no: count(row, "attempt_no")?,
        created_at: at(row, "created_at")?,
        seen_at: at_opt(row, "seen_at")?,
        expires_at: at(row, "expires_at")?,
    })
}

fn decline_entry(row: &SqliteRow) -> Result<DeclineEntry, StoreError> {
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

impl SqliteStore {
    /// An offer of this buyer, inside a transaction.
    pub(super) async fn offer_in(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        customer: &CustomerId,
        id: &OfferId,
    ) -> Result<Option<OfferRow>, StoreError> {
        sqlx::query("SELECT * FROM offers WHERE tenant = ? AND id = ? AND customer_id = ?")
            .bind(self.tenant)
            .bind(id.as_str())
            .bind(customer.as_str())
            .fetch_optional(&mut **tx)
            .await?
            .as_ref()
            .map(offer)
            .transpose()
    }

    async fn write_ledger(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        refusal: &Refusal,
        offer: &OfferRow,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO declines (tenant, customer_id, offer_id, equivalence, campaign, price_amount, price_currency,
                                   plan, reason, at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(self.tenant)
        .bind(refusal.customer_id.as_str())
        .bind(refusal.offer_id.as_str())
        .bind(&offer.equivalence.0)
        .bind(&offer.campaign)
        .bind(refusal.price.map(|price| price.amount))
        .bind(refusal.price.as_ref().map(|price| price.currency.as_str()))
        .bind(refusal.plan.as_ref().map(ProductId::as_str))
        .bind(refusal.reason.map(|reason| word(&reason, "declines.reason")).transpose()?)
        .bind(refusal.at.0)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

#[async_trait]
impl Offers for SqliteStore {
    async fn insert_offer_if_absent(&self, new: &OfferRow) -> Result<Inserted, StoreError> {
        let mut tx = self.write().await?;
        let inserted = sqlx::query(
            "INSERT INTO offers (tenant, id, customer_id, campaign, trigger_ref, purchase, parent, equivalence, kind,
                                 plan, state, attempt_no, created_at, seen_at, expires_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
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
        .bind(offer_state_word(new.state))
        .bind(new.attempt_no)
        .bind(new.created_at.0)
        .bind(new.seen_at.map(|at| at.0))
        .bind(new.expires_at.0)
        .execute(&mut *tx)
        .await?;
        let row = sqlx::query(
            "SELECT * FROM offers WHERE tenant = ? AND customer_id = ? AND campaign = ? AND trigger_ref = ?",
        )
        .bind(self.tenant)
        .bind(new.customer_id.as_str())
        .bind(&new.campaign)
        .bind(&new.trigger_ref)
        .fetch_one(&mut *tx)
        .await?;
        let row = offer(&row)?;
        tx.commit().await?;
        Ok(if inserted.rows_affected() == 1 { Inserted::New(row) } else { Inserted::Existing(row) })
    }

    async fn offer(&self, customer: &CustomerId, id: &OfferId) -> Result<Option<OfferRow>, StoreError> {
        sqlx::query("SELECT * FROM offers WHERE tenant = ? AND id = ? AND customer_id = ?")
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
            "SELECT * FROM offers WHERE tenant = ? AND customer_id = ? ORDER BY created_at DESC, id DESC",
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
        sqlx::query(
            "UPDATE offers SET state = 'presented'
             WHERE tenant = ? AND id = ? AND customer_id = ? AND state = 'eligible'",
        )
        .bind(self.tenant)
        .bind(id.as_str())
        .bind(customer.as_str())
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
            "UPDATE offers SET seen_at = COALESCE(seen_at, ?) WHERE tenant = ? AND id = ? AND customer_id = ?",
        )
        .bind(at.0)
        .bind(self.tenant)
        .bind(id.as_str())
        .bind(customer.as_str())
        .execute(&self.writer)
        .await?;
        Ok(marked.rows_affected() == 1)
    }

    async fn decline(&self, refusal: &Refusal) -> Result<DeclineOutcome, StoreError> {
        let mut tx = self.write().await?;
        let Some(mut row) = self.offer_in(&mut tx, &refusal.customer_id, &refusal.offer_id).await? else {
            return Ok(DeclineOutcome::NotFound);
        };
        match row.state {
            OfferState::Declined => return Ok(DeclineOutcome::AlreadyDeclined(row)),
            OfferState::Eligible | OfferState::Presented | OfferState::Failed | OfferState::Expired => {}
            OfferState::Accepting
            | OfferState::Pending
            | OfferState::Unknown
            | OfferState::Charged
            | OfferState::Abandoned => return Ok(DeclineOutcome::NotDeclinable(row.state)),
        }
        // The transaction has held the write lock since before the row was read: nobody can have accepted meanwhile.
        sqlx::query("UPDATE offers SET state = 'declined' WHERE tenant = ? AND id = ?")
            .bind(self.tenant)
            .bind(refusal.offer_id.as_str())
            .execute(&mut *tx)
            .await?;
        self.write_ledger(&mut tx, refusal, &row).await?;
        tx.commit().await?;
        row.state = OfferState::Declined;
        Ok(DeclineOutcome::Declined(row))
    }

    async fn decline_ledger(&self, customer: &CustomerId) -> Result<Vec<DeclineEntry>, StoreError> {
        sqlx::query(
            "SELECT * FROM declines WHERE tenant = ? AND customer_id = ? ORDER BY at DESC, offer_id DESC",
        )
        .bind(self.tenant)
        .bind(customer.as_str())
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(decline_entry)
        .collect()
    }
}
