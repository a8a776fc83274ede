//! What the merchant's system is to be told, written in the transaction in which it became true. What is said is decided
//! in [`crate::policy::notices`].

use sqlx::Transaction;
use wire::UnixSeconds;

use super::{Db, SqlStore, offers::offer, quotes::quote};
use crate::{
    domain::{AttemptRow, AttemptState, OfferRow, QuoteRow},
    policy::notices::{self, Notice},
    store::{Refusal, StoreError},
};

impl SqlStore {
    pub(super) async fn notify_of_attempt(
        &self,
        tx: &mut Transaction<'static, Db>,
        before: AttemptState,
        row: &AttemptRow,
        at: UnixSeconds,
    ) -> Result<(), StoreError> {
        if !notices::is_news(before, row.state) {
            return Ok(());
        }
        let (offer, quote) = self.context_of(tx, row).await?;
        match notices::of_attempt(before, row, &quote, offer.as_ref(), at) {
            Some(notice) => self.put_notice(tx, &notice, at).await,
            None => Ok(()),
        }
    }

    pub(super) async fn notify_of_acceptance(
        &self,
        tx: &mut Transaction<'static, Db>,
        row: &AttemptRow,
        at: UnixSeconds,
    ) -> Result<(), StoreError> {
        let Some(offer) = self.offer_of(tx, row).await? else { return Ok(()) };
        let quote = self.quote_of(tx, row).await?;
        self.put_notice(tx, &notices::of_acceptance(row, &quote, &offer, at), at).await
    }

    pub(super) async fn notify_of_refusal(
        &self,
        tx: &mut Transaction<'static, Db>,
        refusal: &Refusal,
        offer: &OfferRow,
    ) -> Result<(), StoreError> {
        self.put_notice(tx, &notices::of_refusal(refusal, offer), refusal.at).await
    }

    /// One that is there already stays as it is.
    pub(super) async fn put_notice(
        &self,
        tx: &mut Transaction<'static, Db>,
        notice: &Notice,
        at: UnixSeconds,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO outbox (tenant, id, kind, body, created_at, next_try_at) VALUES ($1, $2, $3, $4, $5, $5)
             ON CONFLICT (tenant, id) DO NOTHING",
        )
        .bind(self.tenant)
        .bind(&notice.id)
        .bind(notice.kind.word())
        .bind(notice.body.to_string())
        .bind(at.0)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// What an attempt is about.
    pub(super) async fn context_of(
        &self,
        tx: &mut Transaction<'static, Db>,
        row: &AttemptRow,
    ) -> Result<(Option<OfferRow>, QuoteRow), StoreError> {
        Ok((self.offer_of(tx, row).await?, self.quote_of(tx, row).await?))
    }

    async fn offer_of(
        &self,
        tx: &mut Transaction<'static, Db>,
        row: &AttemptRow,
    ) -> Result<Option<OfferRow>, StoreError> {
        let Some(id) = &row.offer_id else { return Ok(None) };
        sqlx::query("SELECT * FROM offers WHERE tenant = $1 AND id = $2")
            .bind(self.tenant)
            .bind(id.as_str())
            .fetch_optional(&mut **tx)
            .await?
            .as_ref()
            .map(offer)
            .transpose()
    }

    async fn quote_of(
        &self,
        tx: &mut Transaction<'static, Db>,
        row: &AttemptRow,
    ) -> Result<QuoteRow, StoreError> {
        let found = sqlx::query("SELECT * FROM quotes WHERE tenant = $1 AND id = $2")
            .bind(self.tenant)
            .bind(row.quote_id.as_str())
            .fetch_one(&mut **tx)
            .await?;
        quote(&found)
    }
}
