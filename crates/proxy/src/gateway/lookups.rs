//! Looking things up at Dodo. Reads only.

use dodo_client::{
    Error,
    http::pages::{MAX_PAGE_SIZE, PageRequest},
    ids::{AddonId, CheckoutSessionId, CustomerId, PaymentId, SubscriptionId},
    types::{
        catalogue::{Addon, Product},
        checkouts::CheckoutStatus,
        customers::PaymentMethod,
        payments::{IntentStatus, Payment, PaymentFilter, PaymentSummary, UnreadablePayment},
        subscriptions::Subscription,
    },
};
use upsell_core::{
    domain::{Named, PaymentFacts},
    policy::listing_plan::Window,
};
use wire::{ProductId, UnixSeconds};

use super::{Gateway, unreadable};

/// Most pages of a subscription's listing: 5,000 payments.
const MAX_PAGES: u32 = 50;
/// Most pages of a listing after a restore: a million payments.
const ALL_PAGES: u32 = 10_000;

/// What a listing told.
#[derive(Debug, Default)]
pub struct Listed {
    /// The payments, those among them that had to be looked up alone.
    pub payments: Vec<PaymentFacts>,
    /// Rows that cannot be read, not even alone.
    pub unreadable: Vec<UnreadableRow>,
}

/// A row of a listing that cannot be read, as far as it can be made out.
#[derive(Debug)]
pub struct UnreadableRow {
    /// Which payment.
    pub payment_id: Option<PaymentId>,
    /// Who pays.
    pub customer_id: Option<CustomerId>,
    /// What its metadata says about an attempt.
    pub named: Named,
}

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

    /// Lists the payments of a buyer, or of everybody, that began within a window. Complete but for rows that cannot be read,
    /// or an error.
    ///
    /// # Errors
    /// When Dodo does not answer, or there are more than `most_pages` pages.
    pub async fn payments_within(
        &self,
        buyer: Option<&CustomerId>,
        window: Window,
        most_pages: u32,
    ) -> Result<Listed, ListingError> {
        let filter = PaymentFilter {
            customer_id: buyer.cloned(),
            created_at_gte: Some(window.from),
            created_at_lte: Some(window.to),
            ..PaymentFilter::default()
        };
        self.listed(&filter, most_pages).await
    }

    /// Lists the payments of a subscription that began at `since` or later. Complete but for rows that cannot be read, or an
    /// error.
    ///
    /// # Errors
    /// When Dodo does not answer, or there are more than can be read.
    pub async fn payments_of(
        &self,
        subscription: &SubscriptionId,
        since: UnixSeconds,
    ) -> Result<Listed, ListingError> {
        let filter = PaymentFilter {
            subscription_id: Some(subscription.clone()),
            created_at_gte: Some(since),
            ..PaymentFilter::default()
        };
        self.listed(&filter, MAX_PAGES).await
    }

    /// Lists all payments begun at `since` or later, however many. Complete but for rows that cannot be read, or an error.
    ///
    /// # Errors
    /// When Dodo does not answer.
    pub async fn all_payments_since(&self, since: UnixSeconds) -> Result<Listed, ListingError> {
        let filter = PaymentFilter { created_at_gte: Some(since), ..PaymentFilter::default() };
        self.listed(&filter, ALL_PAGES).await
    }

    async fn listed(&self, filter: &PaymentFilter, pages: u32) -> Result<Listed, ListingError> {
        let mut listed = Listed::default();
        let mut unreadable = Vec::new();
        let mut page = PageRequest::first(MAX_PAGE_SIZE);
        loop {
            let answer = self.dodo.list_payments(filter, page).await?;
            let facts = answer.items.iter().map(|payment| PaymentFacts::listed(payment, &self.keys));
            listed.payments.extend(facts);
            unreadable.extend(answer.unreadable);
            match answer.next {
                None => break,
                Some(next) if next.number() >= pages => return Err(ListingError::TooLong),
                Some(next) => page = next,
            }
        }
        for row in unreadable {
            match self.alone(&row).await {
                Some(payment) => listed.payments.push(payment),
                None => listed.unreadable.push(UnreadableRow {
                    named: Named::read(&row.metadata, &self.keys),
                    payment_id: row.payment_id,
                    customer_id: row.customer_id,
                }),
            }
        }
        Ok(listed)
    }

    /// Looks a payment up alone that cannot be read in a listing. `None` where that does not help, or did not a while ago.
    async fn alone(&self, row: &UnreadablePayment) -> Option<PaymentFacts> {
        let Some(id) = &row.payment_id else {
            unreadable::raise(None);
            return None;
        };
        if !self.unreadable.may_try(id) {
            return None;
        }
        let looked_up = self.payment(id).await;
        if let Err(error) = &looked_up {
            // Whoever could not be asked may have an answer next time.
            if unreadable::is_about_it(error) && self.unreadable.note(id) {
                unreadable::raise(Some(id));
            }
        }
        looked_up.ok()
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
