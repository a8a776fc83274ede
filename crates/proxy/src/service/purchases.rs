//! Purchases: from a payment at Dodo to what campaigns follow up.

use std::{cmp::Reverse, sync::Arc};

use dodo_client::{
    ids::{CustomerId, PaymentId, SubscriptionId},
    types::payments::{ChargeType, IntentStatus, Payment, PaymentSummary},
};
use upsell_core::{
    domain::{Billing, Purchase, Session},
    policy::{email, retention},
};
use wire::ProductId;

use super::catalogue::{Catalogue, CatalogueError};
use crate::{
    clock::Clock,
    gateway::Gateway,
    store::{Store, StoreError},
};

/// Key in the metadata of every payment that an offer of ours made. Such a payment is no purchase to follow up: an offer
/// must not lead to an offer.
const OURS: &str = "upsell_source";

/// Why a purchase could not be found out about.
#[derive(Debug, thiserror::Error)]
pub enum PurchaseError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Dodo did not answer.
    #[error(transparent)]
    Upstream(#[from] dodo_client::Error),
    /// The subscription of the purchase could not be had.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
}

/// Finds purchases and keeps them.
#[derive(Clone)]
pub struct Purchases {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    gateway: Gateway,
    catalogue: Catalogue,
    /// Seconds for which purchases are kept.
    period: i64,
}

impl Purchases {
    /// Creates purchases over a store and Dodo, kept for `period` seconds.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        gateway: Gateway,
        catalogue: Catalogue,
        period: i64,
    ) -> Self {
        Self { store, clock, gateway, catalogue, period }
    }

    /// Keeps a payment as a purchase, if it is one: paid, of something new, and not made by an offer of ours. One that is older
    /// than purchases are kept, or whose buyer was forgotten since, is not.
    ///
    /// # Errors
    /// See [`PurchaseError`].
    pub async fn record(&self, payment: &Payment) -> Result<Option<Purchase>, PurchaseError> {
        // Where its beginning cannot be read, it is taken for one of now: reports of it come with it.
        let paid_at = payment.created_at.or(payment.updated_at).unwrap_or_else(|| self.clock.now());
        if !is_purchase(payment) || retention::is_over(paid_at, self.period, self.clock.now()) {
            return Ok(None);
        }
        let let_go = self.store.let_go(None, &payment.payment_id, &payment.customer.customer_id).await?;
        if let_go.has_tombstone {
            return Ok(None);
        }
        let mut product_ids: Vec<ProductId> =
            payment.product_cart.iter().map(|item| item.product_id.clone()).collect();
        let subscriptions = paid_subscriptions(payment);
        for id in &subscriptions {
            let subscription = self.catalogue.subscription(id).await?;
            product_ids.push(subscription.product_id.clone());
        }
        let purchase = Purchase {
            payment_id: payment.payment_id.clone(),
            customer_id: payment.customer.customer_id.clone(),
            email: email::hash(self.store.email_key(), &payment.customer.email),
            payment_method_id: payment.payment_method_id.clone(),
            product_ids,
            // Of several, none stands for the purchase: a change of plan would have to guess which.
            subscription_id: match subscriptions.as_slice() {
                [only] => Some(only.clone()),
                _ => None,
            },
            billing: billing(payment),
            paid_at,
        };
        // Of a buyer who was forgotten since, the store keeps what is owned and nothing else.
        self.store.upsert_purchase(&purchase).await?;
        Ok((!let_go.is_forgotten(payment.created_at)).then_some(purchase))
    }

    /// Returns the purchase that a session follows, from the store alone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn followed(&self, session: &Session) -> Result<Option<Purchase>, StoreError> {
        match session.follows() {
            Some(id) => self.store.purchase(&session.customer_id, id).await,
            None => Ok(None),
        }
    }

    /// Returns the buyer's purchase with this payment: from the store, else from Dodo, when its webhook has not come yet.
    /// `None` when there is none, or it is somebody else's.
    ///
    /// # Errors
    /// See [`PurchaseError`].
    pub async fn look_up(
        &self,
        customer: &CustomerId,
        payment: &PaymentId,
    ) -> Result<Option<Purchase>, PurchaseError> {
        let known = self.store.purchase(customer, payment).await?;
        // One from before e-mail addresses were hashed also lacks the method that paid it.
        if known.as_ref().is_some_and(|known| known.email.is_some()) {
            return Ok(known);
        }
        match self.payment(payment).await {
            Ok(Some(payment)) if payment.customer.customer_id == *customer => {
                let recorded = self.record(&payment).await?;
                Ok(recorded.or(known))
            }
            Ok(_) => Ok(None),
            Err(_) if known.is_some() => Ok(known),
            Err(error) => Err(error),
        }
    }

    /// Returns the buyer's newest purchase. Dodo is always asked: a webhook may be late, and an older purchase must not be
    /// taken for the newest. `None` when there is none.
    ///
    /// # Errors
    /// See [`PurchaseError`].
    pub async fn newest(&self, customer: &CustomerId) -> Result<Option<Purchase>, PurchaseError> {
        let listed = self.latest_paid(customer).await?;
        let known = self.store.latest_purchase(customer).await?;
        // A listing may be behind as well.
        match (listed, known) {
            (Some(listed), Some(known)) if listed.created_at.is_some_and(|begun| known.paid_at > begun) => {
                self.look_up(customer, &known.payment_id).await
            }
            (Some(listed), _) => self.look_up(customer, &listed.payment_id).await,
            (None, Some(known)) => self.look_up(customer, &known.payment_id).await,
            (None, None) => Ok(None),
        }
    }

    /// Returns where a purchase is billed: as it is kept, or as Dodo says once that has gone. A new offer is priced by it.
    pub async fn billing(&self, purchase: &Purchase) -> Option<Billing> {
        if purchase.billing.is_some() {
            return purchase.billing.clone();
        }
        match self.payment(&purchase.payment_id).await {
            Ok(payment) => payment.as_ref().and_then(billing),
            Err(error) => {
                tracing::warn!(%error, "failed to look up where a purchase is billed");
                None
            }
        }
    }

    /// Returns a payment as it is now at Dodo; `None` where there is none.
    ///
    /// # Errors
    /// See [`PurchaseError`].
    pub async fn payment(&self, id: &PaymentId) -> Result<Option<Payment>, PurchaseError> {
        match self.gateway.whole_payment(id).await {
            Ok(payment) => Ok(Some(payment)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the newest collected payment of something new that no offer of ours made, as it is listed.
    async fn latest_paid(&self, customer: &CustomerId) -> Result<Option<PaymentSummary>, PurchaseError> {
        let begun = |kind: &Option<ChargeType>| matches!(kind, None | Some(ChargeType::New));
        let collected = self.gateway.collected_payments(customer).await?;
        let paid = collected
            .into_iter()
            .filter(|payment| begun(&payment.charge_type) && payment.metadata.text(OURS).is_none());
        // Of several in one second the one that is listed first, which is the latest.
        Ok(paid.min_by_key(|payment| Reverse(payment.created_at)))
    }
}

/// Billing address of a payment, as far as it is needed.
fn billing(payment: &Payment) -> Option<Billing> {
    payment.billing.as_ref().map(|billing| Billing {
        country: billing.country.clone(),
        state: billing.state.clone(),
        zipcode: billing.zipcode.clone(),
    })
}

/// The subscriptions that a payment paid for. Older servers name one at most.
fn paid_subscriptions(payment: &Payment) -> Vec<SubscriptionId> {
    match payment.subscription_ids.is_empty() {
        true => payment.subscription_id.iter().cloned().collect(),
        false => payment.subscription_ids.clone(),
    }
}

fn is_purchase(payment: &Payment) -> bool {
    payment.status == Some(IntentStatus::Succeeded)
        // Nothing may be due; money that goes the other way bought nothing.
        && payment.total_amount >= 0
        && matches!(payment.charge_type, None | Some(ChargeType::New))
        && payment.metadata.text(OURS).is_none()
        // Without its cart it would be offered what it bought.
        && !payment.unread.product_cart
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_purchase_is_paid_new_not_ours_and_not_less_than_nothing() {
        let purchase = |patch: Value| {
            let mut payment = json!({
                "payment_id": "pay_1", "customer": {"customer_id": "cus_1"}, "status": "succeeded",
                "currency": "USD", "total_amount": 4900, "created_at": "2026-01-01T00:00:00Z",
            });
            payment.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
            is_purchase(&serde_json::from_value(payment).unwrap())
        };
        assert!(purchase(json!({})));
        assert!(purchase(json!({"total_amount": 0})));
        assert!(purchase(json!({"charge_type": "new"})));
        for other in [
            json!({"total_amount": -4900}),
            json!({"status": "processing"}),
            json!({"charge_type": "renewal"}),
            json!({"metadata": {"upsell_source": "offer"}}),
        ] {
            assert!(!purchase(other.clone()), "{other}");
        }
    }
}
