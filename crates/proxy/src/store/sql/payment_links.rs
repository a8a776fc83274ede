//! Links on which buyers give another payment method.

use async_trait::async_trait;
use dodo_client::ids::{PaymentId, SubscriptionId};
use sqlx::Row;
use upsell_core::policy::payment_link::{KeptLink, LinkUse, LiveLink};

use super::{
    DbRow, SqlStore,
    codec::{at, parsed_opt},
};
use crate::store::{PaymentLinks, StoreError};

fn kept(row: &DbRow) -> Result<KeptLink, StoreError> {
    let payment_id = parsed_opt(row, "payment_id")?;
    let url: Option<String> = row.try_get("url")?;
    Ok(KeptLink {
        version: row.try_get("version")?,
        link: url.map(|url| LiveLink { url, payment_id }),
        until: at(row, "until")?,
    })
}

#[async_trait]
impl PaymentLinks for SqlStore {
    async fn payment_link(&self, id: &SubscriptionId, of: LinkUse) -> Result<Option<KeptLink>, StoreError> {
        sqlx::query(
            "SELECT * FROM payment_links WHERE tenant = $1 AND subscription_id = $2 AND pays_dues = $3",
        )
        .bind(self.tenant)
        .bind(id.as_str())
        .bind(of == LinkUse::PayDues)
        .fetch_optional(&self.readers)
        .await?
        .as_ref()
        .map(kept)
        .transpose()
    }

    async fn replace_payment_link(
        &self,
        id: &SubscriptionId,
        of: LinkUse,
        new: &KeptLink,
    ) -> Result<bool, StoreError> {
        let written = sqlx::query(
            "INSERT INTO payment_links (tenant, subscription_id, pays_dues, version, url, payment_id, until)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (tenant, subscription_id, pays_dues) DO UPDATE
             SET version = excluded.version, url = excluded.url, payment_id = excluded.payment_id,
                 until = excluded.until
             WHERE payment_links.version = excluded.version - 1",
        )
        .bind(self.tenant)
        .bind(id.as_str())
        .bind(of == LinkUse::PayDues)
        .bind(new.version)
        .bind(new.link.as_ref().map(|link| link.url.as_str()))
        .bind(new.link.as_ref().and_then(|link| link.payment_id.as_ref()).map(PaymentId::as_str))
        .bind(new.until.0)
        .execute(&self.writer)
        .await?;
        Ok(written.rows_affected() == 1)
    }
}
