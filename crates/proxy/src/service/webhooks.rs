//! What Dodo reports: verified on the raw bytes, kept once by its id, applied, marked as applied.
//!
//! A webhook's type says what happened once, its contents how the object stood when it was sent; both may be old by now,
//! and webhooks come in any order. So nothing is believed that could be looked up, and applying one twice changes
//! nothing.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use dodo_client::{
    Priority,
    error::DecodeError,
    http::turn::with_priority,
    types::{payments::Payment, subscriptions::Subscription},
    webhook::{Event, EventObject},
};
use money::later;
use upsell_core::policy::inbox_schedule::{self, Failure, WebhookState};
use wire::UnixSeconds;

use super::{
    catalogue::Catalogue,
    charging::{ChargeError, Charging},
    purchases::{PurchaseError, Purchases},
};
use crate::{
    clock::Clock,
    store::{DueWebhook, InboxInsert, Store, StoreError, Tried},
    webhook_signature::{self, SignatureError, SignedHeaders, WebhookKey},
};

/// Seconds for which a round has the webhooks that it takes up. Longer than applying one of them takes.
const LEASE: i64 = 300;
/// Webhooks that one round makes due because another version could not read or apply them.
const UPDATED: u32 = 500;
/// Kind of a webhook of which this version cannot read even that.
const UNREADABLE: &str = "unreadable";
/// Who could not read or apply a webhook.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Seconds within which the time of a further event is not written.
const NOTE_EVERY: i64 = 60;

/// Why a webhook was not applied.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Not signed by Dodo, or not now.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Signed, and yet not what Dodo sends.
    #[error("a signed webhook could not be read")]
    Unreadable(#[source] DecodeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The purchase could not be kept.
    #[error(transparent)]
    Purchase(#[from] PurchaseError),
    /// The attempt could not be settled.
    #[error(transparent)]
    Charge(#[from] ChargeError),
}

/// What webhooks are applied to.
pub struct Webhooks {
    /// The inbox.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Any of these may have signed.
    pub keys: Vec<WebhookKey>,
    /// What is kept of subscriptions and methods.
    pub catalogue: Catalogue,
    /// New purchases.
    pub purchases: Purchases,
    /// Attempts that a webhook settles.
    pub charging: Arc<Charging>,
    /// Time of the last event that is written down, in seconds.
    pub noted: AtomicI64,
}

/// A delivery that Dodo has signed.
#[derive(Clone, Copy, Debug)]
pub struct Verified<'a> {
    id: &'a str,
    body: &'a [u8],
}

impl Webhooks {
    /// Verifies one delivery.
    ///
    /// # Errors
    /// When Dodo did not sign it, or not now.
    pub fn verify<'a>(
        &self,
        headers: SignedHeaders<'a>,
        body: &'a [u8],
    ) -> Result<Verified<'a>, SignatureError> {
        webhook_signature::verify(&self.keys, headers, body, self.clock.now().0)?;
        Ok(Verified { id: headers.id.unwrap_or_default(), body })
    }

    /// Takes one delivery. When this returns `Ok` the webhook is on the disk, and is applied now or at its time; on any
    /// error Dodo sends it again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn receive(&self, Verified { id, body }: Verified<'_>) -> Result<(), WebhookError> {
        let now = self.clock.now();
        crate::failpoint!("webhook.verified");
        let event = Event::read(body);
        // Not every text is one to every engine.
        let kind = event.as_ref().map_or(UNREADABLE, |event| event.kind.as_str());
        let kind = if kind.bytes().all(|byte| byte.is_ascii_graphic()) { kind } else { UNREADABLE };
        metrics::counter!("upsell_webhooks_total", "type" => event_label(kind)).increment(1);
        let first_try_at = later(now, inbox_schedule::TAKEN_UP_AFTER);
        match (self.store.inbox_insert(id, kind, body, now, first_try_at).await?, event) {
            (InboxInsert::Duplicate, _) | (InboxInsert::Unapplied, Err(_)) => {}
            (InboxInsert::New, event) => self.apply_or_record(id, 0, event).await?,
            // Its tries are counted by those who take it up at its time.
            (InboxInsert::Unapplied, Ok(event)) => match self.apply(id, &event).await {
                Ok(()) => {}
                Err(WebhookError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(webhook_id = id, %error, "failed to apply a webhook that was delivered again");
                }
            },
        }
        self.note_event(now).await?;
        Ok(())
    }

    /// Notes that Dodo's events come: what they stay away from is caught up on.
    async fn note_event(&self, now: UnixSeconds) -> Result<(), StoreError> {
        let noted = self.noted.load(Ordering::Relaxed);
        if now.0.saturating_sub(noted) < NOTE_EVERY {
            return Ok(());
        }
        self.store.advance_events(now, &|progress| progress.heard(now)).await?;
        self.noted.store(now.0, Ordering::Relaxed);
        Ok(())
    }

    /// Applies webhooks that were kept but not applied: the process died in between, what they depend on was not to be had,
    /// or another version could not read them. Each has its own time; fresh ones do not wait for those that have failed.
    ///
    /// # Errors
    /// When the store fails. A webhook that still cannot be applied is tried again at its next time.
    pub async fn apply_leftovers(&self) -> Result<(), WebhookError> {
        let updated = self.store.retry_after_update(VERSION, self.clock.now(), UPDATED).await?;
        if updated > 0 {
            tracing::info!(updated, "trying webhooks again that another version could not read or apply");
        }
        // Side by side: a request to Dodo that hangs for one that has failed before keeps no fresh one waiting.
        let (fresh, retries) = tokio::join!(
            self.apply_due(Tried::Never, inbox_schedule::FRESH),
            self.apply_due(Tried::Before, inbox_schedule::RETRIES),
        );
        fresh.and(retries)
    }

    async fn apply_due(&self, tried: Tried, limit: u32) -> Result<(), WebhookError> {
        let now = self.clock.now();
        for DueWebhook { id, raw, tries } in
            self.store.take_due_webhooks(tried, now, later(now, LEASE), limit).await?
        {
            crate::failpoint!("leftovers.read");
            self.apply_or_record(&id, tries, Event::read(&raw)).await?;
        }
        Ok(())
    }

    /// Applies a webhook, or records when it is tried again and alerts where it is not.
    async fn apply_or_record(
        &self,
        id: &str,
        tries: u32,
        event: Result<Event, DecodeError>,
    ) -> Result<(), WebhookError> {
        let (failure, error): (_, WebhookError) = match event {
            Err(error) => (Failure::Unreadable, WebhookError::Unreadable(error)),
            Ok(event) => match self.apply(id, &event).await {
                Ok(()) => return Ok(()),
                Err(error) => (Failure::NotApplied, error),
            },
        };
        let next = inbox_schedule::after_failure(id, tries, failure, self.clock.now());
        self.store.webhook_failed(id, tries, next, VERSION).await?;
        let alert = match next.state {
            WebhookState::Waiting | WebhookState::Applied => {
                tracing::warn!(webhook_id = id, tries, %error, "failed to apply a webhook");
                return Ok(());
            }
            WebhookState::Unreadable => "unreadable_webhook",
            WebhookState::GivenUp => "webhook_given_up",
        };
        tracing::error!(alert, webhook_id = id, %error, "giving up on a signed webhook until the proxy is updated");
        metrics::counter!("upsell_alerts_total", "kind" => alert).increment(1);
        Ok(())
    }

    async fn apply(&self, id: &str, event: &Event) -> Result<(), WebhookError> {
        with_priority(Priority::LookUp, async {
            match &event.object {
                EventObject::Payment(payment) => self.payment(payment).await,
                EventObject::Subscription(subscription) => self.subscription(subscription).await,
                EventObject::Refund(refund) => Ok(self.charging.observe_refund(refund).await?),
                EventObject::Dispute(dispute) => Ok(self.charging.observe_dispute(dispute).await?),
                EventObject::Other => Ok(()),
            }
        })
        .await?;
        crate::failpoint!("webhook.applied");
        Ok(self.store.inbox_applied(id, self.clock.now()).await?)
    }

    async fn payment(&self, reported: &Payment) -> Result<(), WebhookError> {
        // A cart that cannot be read is not an absent one: Dodo may be able to tell it now.
        let looked_up = if reported.unread.product_cart {
            self.purchases.payment(&reported.payment_id).await?
        } else {
            None
        };
        let payment = looked_up.as_ref().unwrap_or(reported);
        self.charging.observe_payment(payment).await?;
        crate::failpoint!("webhook.observed");
        // Paying on a hosted page may have saved a method; paying with one has made it the latest used.
        self.catalogue.refresh_methods(&payment.customer.customer_id).await;
        crate::failpoint!("webhook.methods_refreshed");
        self.purchases.record(payment).await?;
        Ok(())
    }

    async fn subscription(&self, subscription: &Subscription) -> Result<(), WebhookError> {
        self.catalogue.refresh_subscription(&subscription.subscription_id).await;
        self.catalogue.refresh_methods(&subscription.customer.customer_id).await;
        self.charging.observe_subscription(subscription).await?;
        self.charging.observe_bookings(&subscription.subscription_id).await?;
        Ok(())
    }
}

/// Types are many and grow; a label must not.
fn event_label(kind: &str) -> &'static str {
    match kind.split('.').next().unwrap_or_default() {
        "payment" => "payment",
        "subscription" => "subscription",
        "refund" => "refund",
        "dispute" => "dispute",
        _ => "other",
    }
}
