//! The proxy's way to Dodo for everything about charging: plans of ours become bodies of theirs, payments of theirs
//! become facts of ours. No rule lives here, and no retry: which calls may be repeated is the client's business.

mod bodies;
mod facts;
mod refunds;
mod tags;

use dodo_client::{
    ChargeEvidence, Client, Error,
    calls::{
        checkouts::{Buyer, CheckoutPreview, CheckoutSession, CheckoutStatus},
        pages::{MAX_PAGE_SIZE, PageRequest},
        payments::{Payment, PaymentFilter},
        plan_preview::PlanChangePreview,
        subscriptions::{PaymentLink, Subscription},
    },
    ids::{CheckoutSessionId, CustomerId, PaymentId, PaymentMethodId, SubscriptionId},
    quota::Room,
    values::Metadata,
};
use time::OffsetDateTime;
use wire::UnixSeconds;

pub use bodies::{BodyError, plan_change as change_body};
pub use facts::PaymentFacts;
pub use refunds::{Refundable, refund_as_seen, seen_dispute, seen_refund};
pub use tags::{OfferTags, Tags};

use crate::domain::ChargePlan;

/// Most pages of one listing. 5,000 payments are more than any look-up of ours spans.
const MAX_PAGES: u32 = 50;
/// Most pages of a listing after a restore: a million payments.
const ALL_PAGES: u32 = 10_000;

/// Speaks to Dodo. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gateway {
    dodo: Client,
    return_url: Option<String>,
}

/// A request that could not be made, or failed.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The plan cannot be put into a request.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// Dodo did not give an answer.
    #[error(transparent)]
    Dodo(#[from] Error),
}

impl Gateway {
    /// Over a client. `return_url` is where buyers come back to from hosted pages.
    #[must_use]
    pub fn new(dodo: Client, return_url: Option<String>) -> Self {
        Self { dodo, return_url }
    }

    /// Keeps room in Dodo's quota for one request, to be spent on the charge. For before the charge is marked as sent.
    ///
    /// # Errors
    /// When there is none.
    pub async fn room_for_charge(&self) -> Result<Room, Error> {
        Ok(self.dodo.room_for_charge().await?)
    }

    /// What a new purchase costs.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn preview_checkout(
        &self,
        plan: &ChargePlan,
        customer: &CustomerId,
    ) -> Result<CheckoutPreview, GatewayError> {
        let body = bodies::checkout(plan, None, None)?;
        let buyer = Buyer::Known { customer_id: customer.clone() };
        Ok(self.dodo.preview_checkout(Some(&buyer), &body).await?)
    }

    /// What a plan change costs.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn preview_change(
        &self,
        subscription: &SubscriptionId,
        plan: &ChargePlan,
    ) -> Result<PlanChangePreview, GatewayError> {
        let body = bodies::plan_change(plan, None)?;
        Ok(self.dodo.preview_plan_change(subscription, &body).await?)
    }

    /// Charges a saved method for a new purchase: one request, once.
    ///
    /// # Errors
    /// Before anything is sent, when the plan cannot be put into a request.
    pub async fn charge(
        &self,
        plan: &ChargePlan,
        customer: &CustomerId,
        method: &PaymentMethodId,
        tags: &Tags,
    ) -> Result<ChargeEvidence<CheckoutSession>, BodyError> {
        let body = bodies::checkout(plan, Some(tags), self.return_url.as_deref())?;
        Ok(self.dodo.charge_checkout(customer, method, &body).await)
    }

    /// Opens a hosted page for a new purchase. Nothing is charged by it.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn open_hosted(
        &self,
        plan: &ChargePlan,
        customer: &CustomerId,
        tags: &Tags,
    ) -> Result<CheckoutSession, GatewayError> {
        let body = bodies::checkout(plan, Some(tags), self.return_url.as_deref())?;
        let buyer = Buyer::Known { customer_id: customer.clone() };
        Ok(self.dodo.create_hosted_checkout(Some(&buyer), &bodies::hosted(body)).await?)
    }

    /// Changes a plan: one request, once. `existing` are the subscription's own pairs, which the request would replace.
    ///
    /// # Errors
    /// Before anything is sent, when the plan cannot be put into a request.
    pub async fn change_plan(
        &self,
        subscription: &SubscriptionId,
        plan: &ChargePlan,
        existing: &Metadata,
        tags: &Tags,
    ) -> Result<ChargeEvidence<PaymentLink>, BodyError> {
        let body = bodies::plan_change(plan, Some(tags.over(existing)))?;
        Ok(self.dodo.change_plan(subscription, &body).await)
    }

    /// One payment.
    ///
    /// # Errors
    /// When Dodo does not answer.
    pub async fn payment(&self, id: &PaymentId) -> Result<PaymentFacts, Error> {
        Ok(PaymentFacts::from(&self.dodo.get_payment(id).await?))
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
            created_at_gte: OffsetDateTime::from_unix_timestamp(since.0).ok(),
            ..PaymentFilter::default()
        };
        self.listed(&filter, MAX_PAGES).await
    }

    /// All payments begun at `since` or later, however many. Complete, or an error.
    ///
    /// # Errors
    /// When Dodo does not answer.
    pub async fn all_payments_since(&self, since: UnixSeconds) -> Result<Vec<PaymentFacts>, ListingError> {
        let filter = PaymentFilter {
            created_at_gte: OffsetDateTime::from_unix_timestamp(since.0).ok(),
            ..PaymentFilter::default()
        };
        self.listed(&filter, ALL_PAGES).await
    }

    async fn listed(&self, filter: &PaymentFilter, pages: u32) -> Result<Vec<PaymentFacts>, ListingError> {
        let mut found = Vec::new();
        let mut page = PageRequest::first(MAX_PAGE_SIZE);
        loop {
            let answer = self.dodo.list_payments(filter, page).await?;
            found.extend(answer.items.iter().map(PaymentFacts::from));
            match answer.next {
                None => return Ok(found),
                Some(next) if next.number() >= pages => return Err(ListingError::TooLong),
                Some(next) => page = next,
            }
        }
    }
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
