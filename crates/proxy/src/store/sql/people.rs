//! Sessions, nonces, purchases, reported events.

use async_trait::async_trait;
use dodo_client::ids::{CheckoutSessionId, CustomerId, PaymentId, PaymentMethodId};
use secrecy::SecretString;
use sqlx::Row;
use upsell_core::domain::{
    Browser, Confirmation, EmailHash, Person, Purchase, Session, TokenHash, TriggerEvent,
};
use wire::{Trigger, UnixSeconds};

use super::{
    DbRow, SqlStore,
    codec::{at, from_json, from_json_opt, from_word, json, json_opt, parsed, parsed_opt, token_hash, word},
};
use crate::store::{People, StoreError};

fn session(row: &DbRow) -> Result<Session, StoreError> {
    Ok(Session {
        token: token_hash(row, "token_hash")?,
        customer_id: parsed(row, "customer_id")?,
        signed_in: row.try_get("signed_in")?,
        purpose: from_word(row.try_get("purpose")?, "sessions.purpose")?,
        trigger: from_word(row.try_get("trigger_kind")?, "sessions.trigger_kind")?,
        payment_id: parsed_opt(row, "payment_id")?,
        newest: parsed_opt(row, "newest")?,
        subscription_id: parsed_opt(row, "subscription_id")?,
        locale: row.try_get("locale")?,
        country: row.try_get("country")?,
        usage: from_json(row, "usage")?,
        browser: match row.try_get::<Option<&[u8]>, _>("browser_hash")? {
            Some(_) => Some(Browser {
                secret: token_hash(row, "browser_hash")?,
                outlives_page: row.try_get("browser_outlives_page")?,
            }),
            None => None,
        },
        expires_at: at(row, "expires_at")?,
        confirmation: match row.try_get("is_confirmed")? {
            true => Confirmation::Confirmed,
            false => Confirmation::Pending,
        },
    })
}

fn purchase(row: &DbRow) -> Result<Purchase, StoreError> {
    Ok(Purchase {
        payment_id: parsed(row, "payment_id")?,
        customer_id: parsed(row, "customer_id")?,
        email: row.try_get::<Option<String>, _>("email")?.map(EmailHash),
        payment_method_id: parsed_opt(row, "payment_method_id")?,
        product_ids: from_json(row, "product_ids")?,
        subscription_id: parsed_opt(row, "subscription_id")?,
        billing: from_json_opt(row, "billing")?,
        paid_at: at(row, "paid_at")?,
    })
}

fn trigger_event(row: &DbRow) -> Result<TriggerEvent, StoreError> {
    Ok(TriggerEvent {
        id: row.try_get("id")?,
        customer_id: parsed(row, "customer_id")?,
        trigger: from_word(row.try_get("kind")?, "triggers.kind")?,
        subscription_id: parsed_opt(row, "subscription_id")?,
        at: at(row, "at")?,
    })
}

#[async_trait]
impl People for SqlStore {
    async fn put_session(&self, session: &Session) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO sessions (tenant, token_hash, customer_id, purpose, trigger_kind, payment_id,
                                   subscription_id, locale, country, usage, expires_at, signed_in, newest,
                                   is_confirmed, browser_hash, browser_outlives_page)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        )
        .bind(self.tenant)
        .bind(session.token.0.as_slice())
        .bind(session.customer_id.as_str())
        .bind(word(&session.purpose, "sessions.purpose")?)
        .bind(word(&session.trigger, "sessions.trigger_kind")?)
        .bind(session.payment_id.as_ref().map(PaymentId::as_str))
        .bind(session.subscription_id.as_ref().map(|id| id.as_str()))
        .bind(session.locale.as_deref())
        .bind(session.country.as_deref())
        .bind(json(&session.usage, "sessions.usage")?)
        .bind(session.expires_at.0)
        .bind(session.signed_in)
        .bind(session.newest.as_ref().map(PaymentId::as_str))
        .bind(session.confirmation == Confirmation::Confirmed)
        .bind(session.browser.as_ref().map(|browser| browser.secret.0.as_slice()))
        .bind(session.browser.is_some_and(|browser| browser.outlives_page))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    fn email_key(&self) -> &SecretString {
        &self.email_key
    }

    async fn follow_purchase(&self, token: TokenHash, payment: &PaymentId) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE sessions SET newest = $1
             WHERE tenant = $2 AND token_hash = $3 AND payment_id IS NULL AND newest IS NULL",
        )
        .bind(payment.as_str())
        .bind(self.tenant)
        .bind(token.0.as_slice())
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn confirm_session(&self, token: TokenHash) -> Result<(), StoreError> {
        sqlx::query("UPDATE sessions SET is_confirmed = TRUE WHERE tenant = $1 AND token_hash = $2")
            .bind(self.tenant)
            .bind(token.0.as_slice())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn revoke_session(&self, token: TokenHash) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE tenant = $1 AND token_hash = $2 AND NOT is_confirmed")
            .bind(self.tenant)
            .bind(token.0.as_slice())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn session(&self, token: TokenHash, now: UnixSeconds) -> Result<Option<Session>, StoreError> {
        sqlx::query("SELECT * FROM sessions WHERE tenant = $1 AND token_hash = $2 AND expires_at > $3")
            .bind(self.tenant)
            .bind(token.0.as_slice())
            .bind(now.0)
            .fetch_optional(&self.readers)
            .await?
            .as_ref()
            .map(session)
            .transpose()
    }

    async fn bind_session(&self, token: TokenHash, browser: &Browser) -> Result<bool, StoreError> {
        let bound = sqlx::query(
            "UPDATE sessions SET browser_hash = $1, browser_outlives_page = $2
             WHERE tenant = $3 AND token_hash = $4 AND browser_hash IS NULL",
        )
        .bind(browser.secret.0.as_slice())
        .bind(browser.outlives_page)
        .bind(self.tenant)
        .bind(token.0.as_slice())
        .execute(&self.writer)
        .await?;
        Ok(bound.rows_affected() == 1)
    }

    async fn put_handover(
        &self,
        token: TokenHash,
        code: TokenHash,
        until: UnixSeconds,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE sessions SET handover_hash = $1, handover_until = $2 WHERE tenant = $3 AND token_hash = $4",
        )
        .bind(code.0.as_slice())
        .bind(until.0)
        .bind(self.tenant)
        .bind(token.0.as_slice())
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn take_handover(&self, code: TokenHash, now: UnixSeconds) -> Result<Option<Session>, StoreError> {
        sqlx::query(
            "UPDATE sessions SET handover_hash = NULL, handover_until = NULL
             WHERE tenant = $1 AND handover_hash = $2 AND handover_until > $3
             RETURNING *",
        )
        .bind(self.tenant)
        .bind(code.0.as_slice())
        .bind(now.0)
        .fetch_optional(&self.writer)
        .await?
        .as_ref()
        .map(session)
        .transpose()
    }

    async fn put_nonce(
        &self,
        nonce: TokenHash,
        browser: TokenHash,
        checkout: &CheckoutSessionId,
        expires_at: UnixSeconds,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO nonces (tenant, nonce_hash, checkout_session_id, expires_at, browser_hash)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(self.tenant)
        .bind(nonce.0.as_slice())
        .bind(checkout.as_str())
        .bind(expires_at.0)
        .bind(browser.0.as_slice())
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn nonce(
        &self,
        nonce: TokenHash,
        browser: TokenHash,
        now: UnixSeconds,
    ) -> Result<Option<CheckoutSessionId>, StoreError> {
        sqlx::query(
            "SELECT checkout_session_id FROM nonces
             WHERE tenant = $1 AND nonce_hash = $2 AND redeemed_at IS NULL AND expires_at > $3
               AND browser_hash = $4",
        )
        .bind(self.tenant)
        .bind(nonce.0.as_slice())
        .bind(now.0)
        .bind(browser.0.as_slice())
        .fetch_optional(&self.readers)
        .await?
        .map(|row| parsed(&row, "checkout_session_id"))
        .transpose()
    }

    async fn redeem_nonce(
        &self,
        nonce: TokenHash,
        browser: TokenHash,
        now: UnixSeconds,
    ) -> Result<Option<CheckoutSessionId>, StoreError> {
        sqlx::query(
            "UPDATE nonces SET redeemed_at = $1
             WHERE tenant = $2 AND nonce_hash = $3 AND redeemed_at IS NULL AND expires_at > $1
               AND browser_hash = $4
             RETURNING checkout_session_id",
        )
        .bind(now.0)
        .bind(self.tenant)
        .bind(nonce.0.as_slice())
        .bind(browser.0.as_slice())
        .fetch_optional(&self.writer)
        .await?
        .map(|row| parsed(&row, "checkout_session_id"))
        .transpose()
    }

    async fn upsert_purchase(&self, purchase: &Purchase) -> Result<(), StoreError> {
        let mut tx = self.write_for(&[purchase.customer_id.to_string()]).await?;
        if self.has_forgotten_in(&mut tx, &purchase.customer_id, purchase.paid_at).await? {
            let person = Person { customer_id: purchase.customer_id.clone(), email: purchase.email.clone() };
            self.write_owned(&mut tx, &person, &purchase.product_ids).await?;
            tx.commit().await?;
            return Ok(());
        }
        // What a report lacks (an empty cart, no subscription, no address) does not wipe out what an earlier one said.
        sqlx::query(
            "INSERT INTO purchases (tenant, payment_id, customer_id, product_ids, subscription_id, billing, paid_at,
                                    email, payment_method_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (tenant, payment_id) DO UPDATE SET
                 product_ids = CASE excluded.product_ids WHEN '[]' THEN purchases.product_ids ELSE excluded.product_ids END,
                 subscription_id = COALESCE(excluded.subscription_id, purchases.subscription_id),
                 billing = COALESCE(excluded.billing, purchases.billing),
                 email = COALESCE(excluded.email, purchases.email),
                 payment_method_id = COALESCE(excluded.payment_method_id, purchases.payment_method_id)
             WHERE purchases.customer_id = excluded.customer_id",
        )
        .bind(self.tenant)
        .bind(purchase.payment_id.as_str())
        .bind(purchase.customer_id.as_str())
        .bind(json(&purchase.product_ids, "purchases.product_ids")?)
        .bind(purchase.subscription_id.as_ref().map(|id| id.as_str()))
        .bind(json_opt(purchase.billing.as_ref(), "purchases.billing")?)
        .bind(purchase.paid_at.0)
        .bind(purchase.email.as_ref().map(|hash| hash.0.as_str()))
        .bind(purchase.payment_method_id.as_ref().map(PaymentMethodId::as_str))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        crate::failpoint!("upsert_purchase.after_commit");
        Ok(())
    }

    async fn purchase(
        &self,
        customer: &CustomerId,
        payment: &PaymentId,
    ) -> Result<Option<Purchase>, StoreError> {
        sqlx::query("SELECT * FROM purchases WHERE tenant = $1 AND payment_id = $2 AND customer_id = $3")
            .bind(self.tenant)
            .bind(payment.as_str())
            .bind(customer.as_str())
            .fetch_optional(&self.readers)
            .await?
            .as_ref()
            .map(purchase)
            .transpose()
    }

    async fn purchases_of(&self, customer: &CustomerId) -> Result<Vec<Purchase>, StoreError> {
        sqlx::query(
            "SELECT * FROM purchases WHERE tenant = $1 AND customer_id = $2 ORDER BY paid_at DESC, payment_id DESC",
        )
        .bind(self.tenant)
        .bind(customer.as_str())
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(purchase)
        .collect()
    }

    async fn latest_purchase(&self, customer: &CustomerId) -> Result<Option<Purchase>, StoreError> {
        sqlx::query(
            "SELECT * FROM purchases WHERE tenant = $1 AND customer_id = $2
             ORDER BY paid_at DESC, payment_id DESC LIMIT 1",
        )
        .bind(self.tenant)
        .bind(customer.as_str())
        .fetch_optional(&self.readers)
        .await?
        .as_ref()
        .map(purchase)
        .transpose()
    }

    async fn put_trigger(&self, event: &TriggerEvent) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO triggers (tenant, id, customer_id, kind, subscription_id, at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(self.tenant)
        .bind(&event.id)
        .bind(event.customer_id.as_str())
        .bind(word(&event.trigger, "triggers.kind")?)
        .bind(event.subscription_id.as_ref().map(|id| id.as_str()))
        .bind(event.at.0)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn latest_trigger(
        &self,
        customer: &CustomerId,
        trigger: Trigger,
    ) -> Result<Option<TriggerEvent>, StoreError> {
        sqlx::query(
            "SELECT * FROM triggers WHERE tenant = $1 AND customer_id = $2 AND kind = $3
             ORDER BY at DESC, id DESC LIMIT 1",
        )
        .bind(self.tenant)
        .bind(customer.as_str())
        .bind(word(&trigger, "triggers.kind")?)
        .fetch_optional(&self.readers)
        .await?
        .as_ref()
        .map(trigger_event)
        .transpose()
    }
}
