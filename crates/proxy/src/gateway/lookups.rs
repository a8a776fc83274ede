//! Looking things up at Dodo. Reads only.

use dodo_client::{
    Error,
    http::pages::{MAX_PAGE_SIZE, PageRequest},
    ids::{AddonId, CheckoutSessionId, CustomerId, PaymentId, SubscriptionId},
    types::{
        catalogue::{Addon, Product},
        checkouts::CheckoutStatus,
        customers::PaymentMethod,
        payments::{IntentStatus, Payment, PaymentFilter, PaymentSummary},
        subscriptions::Subscription,
    },
};
use upsell_core::domain::PaymentFacts;
use wire::{ProductId, UnixSeconds};

use super::Gateway;

/// Most pages of one listing. 5,000 payments are more than any look-up of ours spans.
const MAX_PAGES: u32 = 50;
/// Most pages of a listing after a restore: a million payments.
const ALL_PAGES: u32 = 10_000;

/// A listing that is not complete.
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// Dodo did not answer.
    #[error(transparent)]
    Dodo(#[from] Error),
    /// More pages than are read.
    #[error("a listing of payments is too long")]
    TooLong,
}

impl Gateway {
    /// One payment.
    ///
    /// # Errors
    /// When Dodo does not answer.
    pub async fn payment(&self, id: &PaymentId) -> Result<PaymentFacts, Error> {
        Ok(self.facts(&self.dodo.get_payment(id).await?))
    }

    /// A payment with all that came after it: refunds, disputes.
    ///
    /// # Errors
    /// When Dodo does not answer.
    pub async fn whole_payment(&self, id: &PaymentId) -> Result<Payment, Error> {
        self.dodo.get_payment(id).await
    }

    /// How a checkout stands.
    ///
    /// # Errors
    /// When Dodo does not answer.
    pub async fn checkout(&self, id: &CheckoutSessionId) -> Result<CheckoutStatus, Error> {
        self.dodo.get_checkout(id).await
    }

    /// A subscription as it is now.
    ///
    /// # Errors
    /// When Dodo does not answer.
    pub async fn subscription(&self, id: &SubscriptionId) -> Result<Subscription, Error> {
        self.dodo.get_subscription(id).await
    }

    /// All payments begun at `since` or later, of one buyer or one subscription where given. Complete, or an error.
    ///
    /// # Errors
    /// When Dodo does not answer, or there are more than can be read.
    pub async fn payments_since(
        &self,
        customer: Option<&CustomerId>,
        subscription: Option<&SubscriptionId>,
        since: UnixSeconds,
    ) -> Result<Vec<PaymentFacts>, ListingError> {
        let filter = PaymentFilter {
            customer_id: customer.cloned(),
            subscription_id: subscription.cloned(),
            created_at_gte: Some(since),
            ..PaymentFilter::default()
        };
        self.listed(&filter, MAX_PAGES).await
    }

    /// All payments begun at `since` or later, however many. Complete, or an error.
    ///
    /// # Errors
    /// When Dodo does not answer.
    pub async fn all_payments_since(&self, since: UnixSeconds) -> Result<Vec<PaymentFacts>, ListingError> {
        let filter = PaymentFilter { created_at_gte: Some(since), ..PaymentFilter::default() };
        self.listed(&filter, ALL_PAGES).await
    }

    async fn listed(&self, filter: &PaymentFilter, pages: u32) -> Result<Vec<PaymentFacts>, ListingError> {
        let mut found = Vec::new();
        let mut page = PageRequest::first(MAX_PAGE_SIZE);
        loop {
            let answer = self.dodo.list_payments(filter, page).await?;
            found.extend(answer.items.iter().map(|payment| PaymentFacts::listed(payment, &self.keys)));
            match answer.next {
                None => return Ok(found),
                Some(next) if next.number() >= pages => return Err(ListingError::TooLong),
                Some(next) => page = next,
            }
        }
    }

    /// A page of the buyer's payments that collected, in no documented order. One page holds more purchases than
    /// campaigns look back on.
    ///
    /// # Errors
    /// When Dodo does not answer.
    pub async fn collected_payments(&self, customer: &CustomerId) -> Result<Vec<PaymentSummary>, Error> {
        let filter = PaymentFilter {
            customer_id: Some(customer.clone()),
            status: Some(IntentStatus::Succeeded),
            ..PaymentFilter::default()
        };
        Ok(self.dodo.list_payments(&filter, PageRequest::first(MAX_PAGE_SIZE)).await?.items)
    }

    /// A product.
    ///
    /// # Errors
    /// When Dodo does not answer, or knows no such product.
    pub async fn product(&self, id: &ProductId) -> Result<Product, Error> {
        self.dodo.get_product(id).await
    }

    /// An add-on.
    ///
    /// # Errors
    /// When Dodo does not answer, or knows no such add-on.
    pub async fn addon(&self, id: &AddonId) -> Result<Addon, Error> {
        self.dodo.get_addon(id).await
    }

    /// A buyer's saved payment methods.
    ///
    /// # Errors
    /// When Dodo does not answer.
    pub async fn payment_methods(&self, customer: &CustomerId) -> Result<Vec<PaymentMethod>, Error> {
        self.dodo.list_payment_methods(customer).await
    }
}
