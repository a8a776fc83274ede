//! Offers and the decline ledger.

use async_trait::async_trait;
use dodo_client::ids::{CustomerId, PaymentId};
use sqlx::{Row, Transaction};
use wire::{Money, OfferId, ProductId, UnixSeconds};

use super::{
    Db, DbRow, SqlStore,
    codec::{
        at, at_opt, count, from_json, from_word, json, offer_state, offer_state_word, parsed, parsed_opt,
        word,
    },
};
use crate::{
    domain::{DeclineEntry, EquivalenceKey, OfferRow, OfferState},
    policy::claims::may_decline,
    store::{DeclineOutcome, Inserted, Offers, Refusal, StoreError},
};

pub(super) fn offer(row: &DbRow) -> Result<OfferRow, StoreError> {
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

fn decline_entry(row: &DbRow) -> Result<DeclineEntry, StoreError> {
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

impl SqlStore {
    /// An offer of this buyer, inside a transaction.
    pub(super) async fn offer_in(
        &self,
        tx: &mut Transaction<'static, Db>,
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

    /// Inserts an offer unless there is one for the same occasion. Returns whether there was none.
    pub(super) async fn insert_offer_in(
        &self,
        tx: &mut Transaction<'static, Db>,
        new: &OfferRow,
    ) -> Result<bool, StoreError> {
        let inserted = sqlx::query(
            "INSERT INTO offers (tenant, id, customer_id, campaign, trigger_ref, purchase, parent, equivalence, kind,
                                 plan, state, attempt_no, created_at, seen_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
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
        .bind(i64::from(new.attempt_no))
        .bind(new.created_at.0)
        .bind(new.seen_at.map(|at| at.0))
        .bind(new.expires_at.0)
        .execute(&mut **tx)
        .await?;
        Ok(inserted.rows_affected() == 1)
    }

    async fn write_ledger(
        &self,
        tx: &mut Transaction<'static, Db>,
        refusal: &Refusal,
        offer: &OfferRow,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO declines (tenant, customer_id, offer_id, equivalence, campaign, price_amount, price_currency,
                                   plan, reason, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
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
impl Offers for SqlStore {
    async fn insert_offer_if_absent(&self, new: &OfferRow) -> Result<Inserted, StoreError> {
        let mut tx = self.write().await?;
        let inserted = self.insert_offer_in(&mut tx, new).await?;
        let row = sqlx::query(
            "SELECT * FROM offers WHERE tenant = $1 AND customer_id = $2 AND campaign = $3 AND trigger_ref = $4",
        )
        .bind(self.tenant)
        .bind(new.customer_id.as_str())
        .bind(&new.campaign)
        .bind(&new.trigger_ref)
        .fetch_one(&mut *tx)
        .await?;
        let row = offer(&row)?;
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
        sqlx::query(
            "UPDATE offers SET state = 'presented'
             WHERE tenant = $1 AND id = $2 AND customer_id = $3 AND state = 'eligible'",
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

    async fn decline(&self, refusal: &Refusal) -> Result<DeclineOutcome, StoreError> {
        let mut tx = self.write_for(refusal.customer_id.as_str()).await?;
        let Some(mut row) = self.offer_in(&mut tx, &refusal.customer_id, &refusal.offer_id).await? else {
            return Ok(DeclineOutcome::NotFound);
        };
        if row.state == OfferState::Declined {
            return Ok(DeclineOutcome::AlreadyDeclined(row));
        }
        if !may_decline(row.state) {
            return Ok(DeclineOutcome::NotDeclinable(row.state));
        }
        // Nobody else changes this buyer's offers in this transaction: nobody can have accepted since the row was read.
        sqlx::query("UPDATE offers SET state = 'declined' WHERE tenant = $1 AND id = $2")
            .bind(self.tenant)
            .bind(refusal.offer_id.as_str())
            .execute(&mut *tx)
            .await?;
        crate::failpoint!("decline.updated");
        self.write_ledger(&mut tx, refusal, &row).await?;
        self.notify_of_refusal(&mut tx, refusal, &row).await?;
        crate::failpoint!("decline.before_commit");
        tx.commit().await?;
        crate::failpoint!("decline.after_commit");
        row.state = OfferState::Declined;
        Ok(DeclineOutcome::Declined(row))
    }

    async fn decline_ledger(&self, customer: &CustomerId) -> Result<Vec<DeclineEntry>, StoreError> {
        sqlx::query(
            "SELECT * FROM declines WHERE tenant = $1 AND customer_id = $2 ORDER BY at DESC, offer_id DESC",
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
