//! Quotes.

use async_trait::async_trait;
use dodo_client::ids::{CustomerId, PaymentMethodId};
use sqlx::Row;
use upsell_core::domain::QuoteRow;
use wire::{OfferId, ProductId, QuoteId, UnixSeconds};

use super::{
    DbRow, SqlStore, Tx,
    codec::{from_json, from_json_opt, json, json_opt, parsed, parsed_opt},
};
use crate::store::{Quotes, StoreError};

pub(super) fn quote(row: &DbRow) -> Result<QuoteRow, StoreError> {
    Ok(QuoteRow {
        quote: from_json(row, "quote")?,
        offer_id: parsed_opt(row, "offer_id")?,
        customer_id: parsed(row, "customer_id")?,
        plan: from_json(row, "plan")?,
        from_plan: parsed_opt(row, "from_plan")?,
        name: row.try_get("name")?,
        basis_hash: row.try_get("basis_hash")?,
        payment_method_id: parsed_opt(row, "payment_method_id")?,
        card: from_json_opt(row, "card")?,
        withheld: row.try_get("withheld")?,
        signed_in: row.try_get("signed_in")?,
    })
}

impl SqlStore {
    /// One that is there stays as it is: a quote is a promise.
    pub(super) async fn insert_quote_if_absent(&self, tx: &mut Tx, new: &QuoteRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO quotes (tenant, id, customer_id, offer_id, quote, plan, name, basis_hash, payment_method_id,
                                 card, expires_at, from_plan, to_plan, withheld, signed_in)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT (tenant, id) DO NOTHING",
        )
        .bind(self.tenant)
        .bind(new.quote.id.as_str())
        .bind(new.customer_id.as_str())
        .bind(new.offer_id.as_ref().map(OfferId::as_str))
        .bind(json(&new.quote, "quotes.quote")?)
        .bind(json(&new.plan, "quotes.plan")?)
        .bind(&new.name)
        .bind(&new.basis_hash)
        .bind(new.payment_method_id.as_ref().map(PaymentMethodId::as_str))
        .bind(json_opt(new.card.as_ref(), "quotes.card")?)
        .bind(new.quote.expires_at.0)
        .bind(new.from_plan.as_ref().map(ProductId::as_str))
        .bind(new.from_plan.as_ref().map(|_| new.plan.product_id().as_str()))
        .bind(new.withheld)
        .bind(new.signed_in)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

#[async_trait]
impl Quotes for SqlStore {
    async fn put_quote(&self, new: &QuoteRow) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        self.insert_quote_if_absent(&mut tx, new).await?;
        tx.commit().await?;
        crate::failpoint!("put_quote.after_commit");
        Ok(())
    }

    async fn quote(&self, customer: &CustomerId, id: &QuoteId) -> Result<Option<QuoteRow>, StoreError> {
        sqlx::query("SELECT * FROM quotes WHERE tenant = $1 AND id = $2 AND customer_id = $3")
            .bind(self.tenant)
            .bind(id.as_str())
            .bind(customer.as_str())
            .fetch_optional(&self.readers)
            .await?
            .as_ref()
            .map(quote)
            .transpose()
    }

    async fn live_quote(
        &self,
        customer: &CustomerId,
        offer: &OfferId,
        now: UnixSeconds,
    ) -> Result<Option<QuoteRow>, StoreError> {
        sqlx::query(
            "SELECT * FROM quotes WHERE tenant = $1 AND offer_id = $2 AND customer_id = $3 AND expires_at > $4
             ORDER BY expires_at DESC, id DESC LIMIT 1",
        )
        .bind(self.tenant)
        .bind(offer.as_str())
        .bind(customer.as_str())
        .bind(now.0)
        .fetch_optional(&self.readers)
        .await?
        .as_ref()
        .map(quote)
        .transpose()
    }
}
