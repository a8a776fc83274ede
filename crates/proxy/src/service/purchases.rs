//! Purchases: from a payment at Dodo to what campaigns follow up.

use std::sync::Arc;

use dodo_client::{
    ids::{CustomerId, PaymentId, SubscriptionId},
    types::payments::{ChargeType, IntentStatus, Payment},
};
use upsell_core::domain::{Billing, Purchase};
use wire::ProductId;

use super::catalogue::{Catalogue, CatalogueError};
use crate::{
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
    gateway: Gateway,
    catalogue: Catalogue,
}

impl Purchases {
    /// Over a store and Dodo.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, gateway: Gateway, catalogue: Catalogue) -> Self {
        Self { store, gateway, catalogue }
    }

    /// Keeps a payment as a purchase, if it is one: paid, of something new, and not made by an offer of ours.
    ///
    /// # Errors
    /// See [`PurchaseError`].
    pub async fn record(&self, payment: &Payment) -> Result<Option<Purchase>, PurchaseError> {
        if !is_purchase(payment) {
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
            product_ids,
            // Of several, none stands for the purchase: a change of plan would have to guess which.
            subscription_id: match subscriptions.as_slice() {
                [only] => Some(only.clone()),
                _ => None,
            },
            billing: payment.billing.as_ref().map(|billing| Billing {
                country: billing.country.clone(),
                street: billing.street.clone(),
                city: billing.city.clone(),
                state: billing.state.clone(),
                zipcode: billing.zipcode.clone(),
            }),
            paid_at: payment.created_at,
        };
        self.store.upsert_purchase(&purchase).await?;
        Ok(Some(purchase))
    }

    /// The buyer's purchase with this payment, or their latest: from the store, else from Dodo, when its webhook has not
    /// come yet. `None` when there is none, or it is somebody else's.
    ///
    /// # Errors
    /// See [`PurchaseError`].
    pub async fn look_up(
        &self,
        customer: &CustomerId,
        payment: Option<&PaymentId>,
    ) -> Result<Option<Purchase>, PurchaseError> {
        if let Some(known) = self.known(customer, payment).await? {
            return Ok(Some(known));
        }
        let payment = match payment {
            Some(id) => self.payment(id).await?,
            None => self.latest_paid(customer).await?,
        };
        match payment {
            Some(payment) if payment.customer.customer_id == *customer => self.record(&payment).await,
            _ => Ok(None),
        }
    }

    /// The same from the store alone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn known(
        &self,
        customer: &CustomerId,
        payment: Option<&PaymentId>,
    ) -> Result<Option<Purchase>, StoreError> {
        match payment {
            Some(id) => self.store.purchase(customer, id).await,
            None => self.store.latest_purchase(customer).await,
        }
    }

    async fn payment(&self, id: &PaymentId) -> Result<Option<Payment>, PurchaseError> {
        match self.gateway.whole_payment(id).await {
            Ok(payment) => Ok(Some(payment)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn latest_paid(&self, customer: &CustomerId) -> Result<Option<Payment>, PurchaseError> {
        let begun = |kind: &Option<ChargeType>| matches!(kind, None | Some(ChargeType::New));
        let collected = self.gateway.collected_payments(customer).await?;
        let mut paid: Vec<_> = collected
            .into_iter()
            .filter(|payment| begun(&payment.charge_type) && payment.metadata.text(OURS).is_none())
            .collect();
        paid.sort_by_key(|payment| payment.created_at);
        match paid.pop() {
            Some(latest) => self.payment(&latest.payment_id).await,
            None => Ok(None),
        }
    }
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
