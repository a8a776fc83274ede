//! What something costs, asked of Dodo, and the promise of it: a quote, written down before anybody sees it.

use std::sync::Arc;

use dodo_client::{ids::CustomerId, types::subscriptions::Subscription};
use money::later;
pub use upsell_core::policy::pricing::Priced;
use upsell_core::{
    domain::{ChargePlan, QuoteRow, Tags},
    policy::{
        authority::PayBy,
        plan_terms,
        pricing::{self, PricingError},
    },
};
use wire::{ErrorCode, OfferId};

use super::catalogue::{Catalogue, CatalogueError};
use crate::{
    clock::Clock,
    gateway::{BodyError, Gateway, GatewayError},
    ids,
    store::{Store, StoreError},
};

/// Seconds for which a quote can be accepted.
const QUOTE_LIFE: u32 = 300;

/// Why there is no quote.
#[derive(Debug, thiserror::Error)]
pub enum QuoteError {
    /// The subscription is not this buyer's, or there is none.
    #[error("no such subscription of this buyer")]
    NotFound,
    /// Dodo refuses to price it: the subscription's state, the product, a discount code.
    #[error("Dodo does not price this: {0}")]
    Refused(#[source] Box<dodo_client::ApiError>),
    /// Dodo did not answer.
    #[error(transparent)]
    Upstream(dodo_client::Error),
    /// The product is not known.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// Dodo's preview cannot be explained to a buyer.
    #[error(transparent)]
    Pricing(#[from] PricingError),
    /// The plan cannot be put into a request.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The quote could not be written down.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A new id did not come out well-formed.
    #[error(transparent)]
    Id(#[from] wire::IdError),
}

impl QuoteError {
    /// The code that the client sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound => ErrorCode::NotFound,
            Self::Refused(_) => ErrorCode::ChangeNotPossible,
            Self::Catalogue(error) if error.is_final() => ErrorCode::ChangeNotPossible,
            Self::Upstream(_) | Self::Catalogue(_) | Self::Pricing(_) => ErrorCode::Unavailable,
            Self::Store(error) => error.code(),
            // There is no room for what makes the charge recognisable.
            Self::Body(BodyError::Tags(_)) => ErrorCode::ChangeNotPossible,
            Self::Body(_) | Self::Id(_) => ErrorCode::Internal,
        }
    }
}

impl From<dodo_client::Error> for QuoteError {
    fn from(error: dodo_client::Error) -> Self {
        let is_refusal = error.is_refusal();
        match error {
            dodo_client::Error::Api(error) if is_refusal => Self::Refused(error),
            other => Self::Upstream(other),
        }
    }
}

impl From<GatewayError> for QuoteError {
    fn from(error: GatewayError) -> Self {
        match error {
            GatewayError::Body(error) => error.into(),
            GatewayError::Dodo(error) => error.into(),
        }
    }
}

/// A price, with the subscription that it rests on.
pub(super) struct FreshPrice {
    pub(super) priced: Priced,
    pub(super) basis: Option<Arc<Subscription>>,
}

/// Asks for prices and issues quotes.
pub struct Quoting {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    gateway: Gateway,
    catalogue: Catalogue,
}

impl Quoting {
    /// Over a store, Dodo and the catalogue.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, gateway: Gateway, catalogue: Catalogue) -> Self {
        Self { store, clock, gateway, catalogue }
    }

    /// What carrying out `plan` would charge this buyer now.
    ///
    /// # Errors
    /// See [`QuoteError`].
    pub async fn price(&self, plan: &ChargePlan, customer: &CustomerId) -> Result<Priced, QuoteError> {
        Ok(self.fresh_price(plan, customer).await?.priced)
    }

    /// The same, with the subscription as it was just before.
    pub(super) async fn fresh_price(
        &self,
        plan: &ChargePlan,
        customer: &CustomerId,
    ) -> Result<FreshPrice, QuoteError> {
        match plan {
            ChargePlan::Checkout { product_id, .. } => {
                let product = self.catalogue.product(product_id).await?;
                let preview = self.gateway.preview_checkout(plan, customer).await?;
                let priced = pricing::checkout(&preview, product_id, &product.name, product.price.period)?;
                Ok(FreshPrice { priced, basis: None })
            }
            ChargePlan::PlanChange { subscription_id, .. } => {
                let basis = self.catalogue.fresh_subscription(subscription_id).await?;
                if basis.customer.customer_id != *customer {
                    return Err(QuoteError::NotFound);
                }
                let priced = self.price_change(plan, &basis).await?;
                Ok(FreshPrice { priced, basis: Some(basis) })
            }
        }
    }

    /// What a plan change would charge now, resting on the subscription that `plan` was made from. Should the
    /// subscription be another by now, the quote says so by its basis.
    pub(super) async fn price_change(
        &self,
        plan: &ChargePlan,
        basis: &Subscription,
    ) -> Result<Priced, QuoteError> {
        let ChargePlan::PlanChange { product_id, effective_at, .. } = plan else {
            return Err(BodyError::OtherKind.into());
        };
        Tags::check(plan, &basis.metadata).map_err(BodyError::from)?;
        let product = self.catalogue.product(product_id).await?;
        let preview = self.gateway.preview_change(&basis.subscription_id, plan).await?;
        let period = product.price.period;
        Ok(pricing::plan_change(&preview, product_id, &product.name, period, *effective_at, basis)?)
    }

    /// What an offer would charge now, and what it would do: a plan change keeps the seats and the add-ons that the
    /// subscription has today, not those of the day on which it was offered.
    pub(super) async fn price_offer(
        &self,
        plan: &ChargePlan,
        customer: &CustomerId,
    ) -> Result<(ChargePlan, Priced), QuoteError> {
        let ChargePlan::PlanChange { subscription_id, product_id, .. } = plan else {
            return Ok((plan.clone(), self.price(plan, customer).await?));
        };
        let basis = self.catalogue.fresh_subscription(subscription_id).await?;
        if basis.customer.customer_id != *customer {
            return Err(QuoteError::NotFound);
        }
        let plan =
            plan_terms::keeping_what_is_there(plan, &basis, &*self.catalogue.product(product_id).await?);
        let priced = self.price_change(&plan, &basis).await?;
        Ok((plan, priced))
    }

    /// Writes a quote down. The pay_by method is what the buyer is shown and what will be charged; without one it means a
    /// hosted checkout, or for a plan change that the subscription's method is not known.
    ///
    /// # Errors
    /// When it cannot be written down, or does not add up.
    pub async fn issue(
        &self,
        priced: &Priced,
        plan: &ChargePlan,
        customer: &CustomerId,
        offer: Option<&OfferId>,
        pay_by: &PayBy,
    ) -> Result<QuoteRow, QuoteError> {
        let expires_at = later(self.clock.now(), i64::from(QUOTE_LIFE));
        let name = priced.name.clone();
        let basis_hash = priced.basis_hash.clone();
        let quote = priced.clone().into_quote(ids::quote_id()?, expires_at, QUOTE_LIFE);
        if !quote.adds_up() {
            return Err(PricingError::DoesNotAddUp.into());
        }
        let row = QuoteRow {
            quote,
            offer_id: offer.cloned(),
            customer_id: customer.clone(),
            plan: plan.clone(),
            from_plan: priced.from_plan.clone(),
            name,
            basis_hash,
            payment_method_id: pay_by.method.as_ref().map(|method| method.id.clone()),
            card: pay_by.method.as_ref().and_then(|method| method.card.clone()),
            withheld: pay_by.withheld,
            signed_in: pay_by.signed_in,
        };
        self.store.put_quote(&row).await?;
        Ok(row)
    }

    /// A stored quote as the browser is to see it now: with the seconds that are left.
    #[must_use]
    pub fn as_of_now(&self, row: &QuoteRow) -> wire::Quote {
        let left = row.quote.expires_at.0.saturating_sub(self.clock.now().0).max(0);
        wire::Quote { expires_in: u32::try_from(left).unwrap_or(u32::MAX), ..row.quote.clone() }
    }
}
