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
    http::turn::with_priority,
    types::{payments::Payment, subscriptions::Subscription},
    webhook::{Event, EventObject},
};
use money::later;
use wire::UnixSeconds;

use super::{
    catalogue::Catalogue,
    charging::{ChargeError, Charging},
    purchases::{PurchaseError, Purchases},
};
use crate::{
    clock::Clock,
    store::{InboxInsert, Store, StoreError, UNREADABLE},
    webhook_signature::{self, SignatureError, SignedHeaders, WebhookKey},
};

/// Seconds within which the time of a further event is not written.
const NOTE_EVERY: i64 = 60;
/// A webhook kept but not applied is taken up again after so many seconds.
const UNAPPLIED_AFTER: i64 = 60;

/// Why a webhook was not applied.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Not signed by Dodo, or not now.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Signed, and yet not what Dodo sends.
    #[error("a signed webhook could not be read")]
    Unreadable(#[source] dodo_client::error::DecodeError),
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

    /// Takes one delivery. When this returns `Ok` the webhook was applied, now or before; on any error Dodo sends it
    /// again.
    ///
    /// # Errors
    /// See [`WebhookError`].
    pub async fn receive(&self, Verified { id, body }: Verified<'_>) -> Result<(), WebhookError> {
        let now = self.clock.now();
        crate::failpoint!("webhook.verified");
        let event = match Event::read(body) {
            Ok(event) => event,
            Err(error) => {
                // Dodo repeats it for a day or so; a version that can read it may come later than that.
                self.store.inbox_insert(id, UNREADABLE, body, now).await?;
                tracing::error!(alert = "unreadable_webhook", webhook_id = id, %error, "failed to read a signed webhook");
                metrics::counter!("upsell_alerts_total", "kind" => "unreadable_webhook").increment(1);
                return Err(WebhookError::Unreadable(error));
            }
        };
        metrics::counter!("upsell_webhooks_total", "type" => event_label(&event.kind)).increment(1);
        match self.store.inbox_insert(id, &event.kind, body, now).await? {
            InboxInsert::Duplicate => {}
            InboxInsert::New | InboxInsert::Unapplied => self.apply(id, &event).await?,
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

    /// Applies webhooks that were kept but not applied: the process died in between, or Dodo could not be asked.
    ///
    /// # Errors
    /// When the store fails. A webhook that still cannot be applied is left for the next time.
    pub async fn apply_leftovers(&self) -> Result<(), WebhookError> {
        let before = later(self.clock.now(), UNAPPLIED_AFTER.saturating_neg());
        for (id, body) in self.store.inbox_unapplied(before, 100).await? {
            crate::failpoint!("leftovers.read");
            // One that cannot be read was reported when it came.
            let Ok(event) = Event::read(&body) else { continue };
            if let Err(error) = self.apply(&id, &event).await {
                tracing::warn!(webhook_id = id, %error, "a webhook still cannot be applied");
            }
        }
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

    async fn payment(&self, payment: &Payment) -> Result<(), WebhookError> {
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
