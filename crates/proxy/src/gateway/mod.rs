//! The proxy's only way to Dodo: plans of ours become bodies of theirs, payments of theirs become facts of ours. No rule
//! lives here, and no retry: which calls may be repeated is the client's business.
//!
//! | module | holds |
//! |---|---|
//! | this one | prices, charges, hosted checkouts, plan changes |
//! | `bodies` | the bodies of those requests |
//! | `lookups` | what Dodo knows: payments, checkouts, subscriptions, products, payment methods |
//! | `subscriptions` | what the upgrade page does besides changing plans |
//! | `refunds` | the one request that gives money back, and the words of refunds and disputes |
//! | `setup` | what `doctor` asks |
//! | `unreadable` | which payments could not be read, so that they are not asked for all the time |

mod bodies;
mod lookups;
mod refunds;
mod setup;
mod subscriptions;
mod unreadable;

use std::sync::Arc;

use dodo_client::{
    ChargeEvidence, Client, Error,
    http::turn::Room,
    ids::{CustomerId, PaymentMethodId, SubscriptionId},
    types::{
        checkouts::{Buyer, CartItem, Checkout, CheckoutPreview, CheckoutSession, FeatureFlags},
        payments::Payment,
        plan_preview::PlanChangePreview,
        subscriptions::PaymentLink,
    },
    values::Metadata,
};
use upsell_core::domain::{ChargePlan, PaymentFacts, TagKeys, Tags, TagsError};
use wire::ProductId;

pub use bodies::{BodyError, plan_change as change_body};
pub use lookups::{Listed, ListingError, UnreadableRow};
pub use refunds::{Refundable, refund_as_seen, seen_dispute, seen_refund};
pub use unreadable::is_about_it;

/// Speaks to Dodo. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gateway {
    dodo: Client,
    return_url: Option<String>,
    keys: Arc<TagKeys>,
    unreadable: Arc<unreadable::Unreadable>,
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

impl From<TagsError> for GatewayError {
    fn from(error: TagsError) -> Self {
        BodyError::from(error).into()
    }
}

impl Gateway {
    /// Over a client. `return_url` is where buyers come back to from hosted pages; charges are signed with `keys`.
    #[must_use]
    pub fn new(dodo: Client, return_url: Option<String>, keys: Arc<TagKeys>) -> Self {
        Self { dodo, return_url, keys, unreadable: Arc::default() }
    }

    /// Reads a payment of Dodo's, and what its metadata is worth.
    #[must_use]
    pub fn facts(&self, payment: &Payment) -> PaymentFacts {
        PaymentFacts::of(payment, &self.keys)
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
        let metadata = tags.signed_over(&Metadata::default(), &self.keys)?;
        let body = bodies::checkout(plan, Some(metadata), self.return_url.as_deref())?;
        Ok(self.dodo.charge_checkout(customer, method, &body).await)
    }

    /// Opens a hosted page for a new purchase. Nothing is charged by it. `saved` says whether the page may show the methods
    /// that the customer has saved: to somebody who only knows a purchase it must not.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn open_hosted(
        &self,
        plan: &ChargePlan,
        customer: &CustomerId,
        saved: bool,
        tags: &Tags,
    ) -> Result<CheckoutSession, GatewayError> {
        let metadata = tags.signed_over(&Metadata::default(), &self.keys)?;
        let body = bodies::checkout(plan, Some(metadata), self.return_url.as_deref())?;
        let buyer = Buyer::Known { customer_id: customer.clone() };
        Ok(self.dodo.create_hosted_checkout(Some(&buyer), &bodies::hosted(body, saved)).await?)
    }

    /// Opens a hosted checkout for anybody, for a shop without a server. `fragment` ends the address to come back to: no
    /// server and no `Referer` ever sees it.
    ///
    /// # Errors
    /// When Dodo does not answer.
    pub async fn open_for_anybody(
        &self,
        product_id: ProductId,
        quantity: u32,
        new_customer: bool,
        fragment: &str,
    ) -> Result<CheckoutSession, Error> {
        let line = CartItem { product_id, quantity: i64::from(quantity), addons: Vec::new() };
        let checkout = Checkout {
            product_cart: vec![line],
            return_url: self.return_url.as_ref().map(|url| format!("{url}#{fragment}")),
            feature_flags: new_customer
                .then(|| FeatureFlags { always_create_new_customer: Some(true), ..FeatureFlags::default() }),
            ..Checkout::default()
        };
        self.dodo.create_hosted_checkout(None, &checkout).await
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
        let body = bodies::plan_change(plan, Some(tags.signed_over(existing, &self.keys)?))?;
        Ok(self.dodo.change_plan(subscription, &body).await)
    }
}
