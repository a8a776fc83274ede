//! Deleting what is old. Each statement names its rows by an index and a limit: the cost of a step depends on neither the
//! age nor the size of the store. A new kind of rows is one arm here, or a function
//! like [`SqlStore::purge_quotes`]; rows that have to be read before they go are in [`super::aging`].

use async_trait::async_trait;
use wire::UnixSeconds;

use super::{
    SqlStore,
    aging::{Plans, Strays},
    skip_locked,
};
use crate::store::{Cursor, Purge, Purging, Step, StoreError};

impl SqlStore {
    /// An attempt needs its quote and the quote that replaced it. Which quotes those are is looked up once for each, at
    /// its end, and remembered in `kept`: charging writes nothing for it, and no quote is looked at twice.
    async fn purge_quotes(&self, before: UnixSeconds, most: u32) -> Result<Step, StoreError> {
        let mut tx = self.write().await?;
        let kept = sqlx::query(concat!(
            "UPDATE quotes SET kept = TRUE
             WHERE tenant = $1 AND id IN (SELECT id FROM quotes WHERE tenant = $1 AND NOT kept AND expires_at < $2
                                          ORDER BY expires_at LIMIT $3",
            skip_locked!(),
            ") AND (EXISTS (SELECT 1 FROM attempts WHERE attempts.tenant = $1 AND attempts.quote_id = quotes.id)
                 OR EXISTS (SELECT 1 FROM attempts WHERE attempts.tenant = $1 AND attempts.replacement = quotes.id))"
        ))
        .bind(self.tenant)
        .bind(before.0)
        .bind(i64::from(most))
        .execute(&mut *tx)
        .await?
        .rows_affected();
        let deleted = sqlx::query(concat!(
            "DELETE FROM quotes
             WHERE tenant = $1 AND id IN (SELECT id FROM quotes WHERE tenant = $1 AND NOT kept AND expires_at < $2
                                          ORDER BY expires_at LIMIT $3",
            skip_locked!(),
            ") AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.tenant = $1 AND attempts.quote_id = quotes.id)
               AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.tenant = $1 AND attempts.replacement = quotes.id)"
        ))
        .bind(self.tenant)
        .bind(before.0)
        .bind(i64::from(most))
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        Ok(Step::of_all(deleted, kept.saturating_add(deleted), most))
    }
}

#[async_trait]
impl Purging for SqlStore {
    async fn purge_step(
        &self,
        what: Purge,
        before: UnixSeconds,
        after: &Cursor,
        most: u32,
    ) -> Result<Step, StoreError> {
        let purge = match what {
            Purge::Quotes => return self.purge_quotes(before, most).await,
            Purge::Purchases => return self.purge_purchases(before, after, most).await,
            Purge::Offers => return self.purge_offers(before, after, most).await,
            Purge::OfferAddresses => {
                return self.drop_plan_addresses(Plans::Offers, before, after, most).await;
            }
            Purge::QuoteAddresses => {
                return self.drop_plan_addresses(Plans::Quotes, before, after, most).await;
            }
            Purge::Refunds => return self.purge_strays(Strays::Refunds, before, after, most).await,
            Purge::Disputes => return self.purge_strays(Strays::Disputes, before, after, most).await,
            Purge::ForeignPayments => {
                return self.purge_strays(Strays::ForeignPayments, before, after, most).await;
            }
            Purge::Sessions => sqlx::query(concat!(
                "DELETE FROM sessions
                 WHERE tenant = $1 AND token_hash IN (SELECT token_hash FROM sessions
                                                      WHERE tenant = $1 AND expires_at < $2
                                                      ORDER BY expires_at LIMIT $3",
                skip_locked!(),
                ")"
            )),
            Purge::Nonces => sqlx::query(concat!(
                "DELETE FROM nonces
                 WHERE tenant = $1 AND nonce_hash IN (SELECT nonce_hash FROM nonces
                                                      WHERE tenant = $1 AND expires_at < $2
                                                      ORDER BY expires_at LIMIT $3",
                skip_locked!(),
                ")"
            )),
            Purge::Webhooks => sqlx::query(concat!(
                "DELETE FROM inbox
                 WHERE tenant = $1 AND webhook_id IN (SELECT webhook_id FROM inbox
                                                      WHERE tenant = $1 AND next_try_at IS NULL AND received_at < $2
                                                      ORDER BY received_at LIMIT $3",
                skip_locked!(),
                ")"
            )),
            Purge::PaymentLinks => sqlx::query(concat!(
                "DELETE FROM payment_links
                 WHERE tenant = $1 AND (subscription_id, pays_dues) IN
                       (SELECT subscription_id, pays_dues FROM payment_links WHERE tenant = $1 AND until < $2
                        ORDER BY until LIMIT $3",
                skip_locked!(),
                ")"
            )),
            Purge::EndedNotifications => sqlx::query(concat!(
                "DELETE FROM outbox
                 WHERE tenant = $1 AND id IN (SELECT id FROM outbox
                                              WHERE tenant = $1 AND next_try_at IS NULL
                                                AND COALESCE(sent_at, created_at) < $2
                                              ORDER BY COALESCE(sent_at, created_at) LIMIT $3",
                skip_locked!(),
                ")"
            )),
            Purge::Notifications => sqlx::query(concat!(
                "DELETE FROM outbox
                 WHERE tenant = $1 AND id IN (SELECT id FROM outbox WHERE tenant = $1 AND created_at < $2
                                              ORDER BY created_at LIMIT $3",
                skip_locked!(),
                ")"
            )),
            Purge::Events => sqlx::query(concat!(
                "DELETE FROM triggers
                 WHERE tenant = $1 AND id IN (SELECT id FROM triggers WHERE tenant = $1 AND at < $2
                                              ORDER BY at LIMIT $3",
                skip_locked!(),
                ")"
            )),
            Purge::Tombstones => sqlx::query(concat!(
                "DELETE FROM tombstones
                 WHERE tenant = $1 AND (kind, id) IN (SELECT kind, id FROM tombstones
                                                      WHERE tenant = $1 AND begun_at < $2
                                                      ORDER BY begun_at LIMIT $3",
                skip_locked!(),
                ")"
            )),
            Purge::PurchaseAddresses => sqlx::query(concat!(
                "UPDATE purchases SET billing = NULL
                 WHERE tenant = $1 AND payment_id IN (SELECT payment_id FROM purchases
                                                      WHERE tenant = $1 AND paid_at < $2 AND billing IS NOT NULL
                                                      ORDER BY paid_at LIMIT $3",
                skip_locked!(),
                ")"
            )),
        };
        let changed = purge
            .bind(self.tenant)
            .bind(before.0)
            .bind(i64::from(most))
            .execute(&self.writer)
            .await?
            .rows_affected();
        Ok(Step::of_all(changed, changed, most))
    }
}
