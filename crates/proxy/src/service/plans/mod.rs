//! The upgrade page: what the buyer has, the plans next to it, what a change would charge, and the links around it.
//!
//! Making the change is not here: see [`crate::service::charging`].

mod card_link;
mod chosen;
mod comparison;
mod leaving;
mod previews;

pub use chosen::Chosen;
pub use previews::Previews;
use std::sync::Arc;

use comparison::Viewer;
use dodo_client::{
    ids::{AddonId, SubscriptionId},
    types::subscriptions::{Subscription, SubscriptionStatus},
};
use upsell_core::{
    domain::{ChargePlan, OfferRow, SavedMethod, Session},
    policy::{authority::PayBy, catalogue::CatalogueProduct, plan_comparison, plan_cost, plan_terms},
    rules::{Reader, Rules},
};
use wire::{EffectiveAt, ErrorCode, Merchant, Money, PlansResponse, PreviewRequest, PreviewResponse};

use self::previews::{Basis, Preview};
use super::{
    catalogue::{Catalogue, CatalogueError},
    charging::Charging,
    offers::{OfferError, Offers},
    quoting::{Priced, QuoteError, Quoting},
};
use crate::{
    clock::Clock,
    gateway::Gateway,
    store::{Store, StoreError},
};

/// Most seats that may be asked for.
const MAX_QUANTITY: u32 = 10_000;

/// Why the upgrade page cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum PlansError {
    /// No such plan, or the session has no subscription.
    #[error("no such plan or subscription")]
    NotFound,
    /// A field of the request asks for something that no plan has.
    #[error("`{0}` cannot be taken")]
    Invalid(&'static str),
    /// Dodo does not change a subscription in this state, or there is nothing to change.
    #[error("the subscription cannot be changed like this")]
    NotPossible,
    /// A change of it is under way.
    #[error("the subscription is being changed")]
    InProgress,
    /// Another request is asking Dodo for a payment link, and has not got it in time.
    #[error("a payment link is being asked for")]
    LinkPending,
    /// What it costs is not known.
    #[error(transparent)]
    Quote(#[from] QuoteError),
    /// A product or the subscription is not known.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// Dodo did not answer.
    #[error(transparent)]
    Upstream(#[from] dodo_client::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A retention offer could not be read or made.
    #[error(transparent)]
    Offer(#[from] OfferError),
}

impl PlansError {
    /// The code that the client sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound => ErrorCode::NotFound,
            Self::Invalid(_) => ErrorCode::InvalidRequest,
            Self::NotPossible => ErrorCode::ChangeNotPossible,
            Self::InProgress => ErrorCode::AttemptInProgress,
            Self::Quote(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Offer(error) => error.code(),
            Self::Upstream(error) if error.is_not_found() => ErrorCode::NotFound,
            Self::Catalogue(error) if error.is_not_found() => ErrorCode::NotFound,
            Self::Upstream(error) if error.is_refusal() => ErrorCode::ChangeNotPossible,
            Self::Catalogue(error) if error.is_final() => ErrorCode::ChangeNotPossible,
            Self::LinkPending | Self::Catalogue(_) | Self::Upstream(_) => ErrorCode::Unavailable,
        }
    }
}

/// What the upgrade page is made from.
pub struct Plans {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The merchant's rules.
    pub rules: Arc<Rules>,
    /// Products, methods, subscriptions.
    pub catalogue: Catalogue,
    /// Whether a change is under way.
    pub store: Arc<dyn Store>,
    /// How it stands.
    pub charging: Arc<Charging>,
    /// Retention offers.
    pub offers: Arc<Offers>,
    /// What changes cost.
    pub quoting: Arc<Quoting>,
    /// Dodo.
    pub gateway: Gateway,
    /// What others chose.
    pub chosen: Chosen,
    /// What was previewed seconds ago.
    pub previews: Previews,
}

impl Plans {
    /// Returns the current plan, the others, and the intentions for which there may be a retention offer.
    ///
    /// # Errors
    /// See [`PlansError`]. That there may be retention offers is not known is not an error: the page is worth more.
    pub async fn page(&self, session: &Session, reader: Reader<'_>) -> Result<PlansResponse, PlansError> {
        let plans = self.list(session, reader).await?;
        let stay_offers = self.offers.stay_intents(session).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "failed to look for retention offers");
            Vec::new()
        });
        Ok(PlansResponse { stay_offers, ..plans })
    }

    async fn list(&self, session: &Session, reader: Reader<'_>) -> Result<PlansResponse, PlansError> {
        let written = comparison::languages(&self.rules);
        let language = written.map(|all| all.for_reader(reader.or_locale(session.locale.as_deref())));
        let id = subscription_id(session)?;
        let subscription = self.catalogue.subscription_of(&session.customer_id, id).await?;
        let current = self.catalogue.product(&subscription.product_id).await?;
        let mut offered = Vec::with_capacity(self.rules.plans.len());
        for rule in &self.rules.plans {
            match self.catalogue.product(&rule.product_id).await {
                Ok(product) => offered.push((rule, product)),
                // One product that cannot be had leaves the others to choose from.
                Err(error) => {
                    tracing::warn!(product_id = %rule.product_id, %error, "a plan cannot be shown");
                }
            }
        }
        let named = subscription.addons.iter().map(|addon| &addon.addon_id);
        let addons = named.chain(offered.iter().flat_map(|(_, plan)| &plan.addons));
        let addons = self.catalogue.addons(addons).await;
        let chosen = match self.rules.recommendation {
            Some(rule) => self.chosen.most(&*self.store, self.clock.now(), rule, &current.id).await,
            None => None,
        };
        let viewer = Viewer {
            rules: &self.rules,
            subscription: &subscription,
            product: &current,
            addons: &addons,
            usage: &session.usage,
            locale: language,
            due: self.dues(&subscription).await,
            now: self.clock.now(),
            chosen,
        };
        let today = comparison::current(&viewer)?;
        let plans = offered
            .iter()
            .filter_map(|(rule, product)| comparison::plan(&viewer, rule, product, today.fits))
            .collect();
        Ok(PlansResponse {
            merchant: Merchant { name: self.rules.merchant.clone() },
            current: today,
            plans,
            payment_method: self.method(&subscription).await?.and_then(|method| method.card),
            attempt: match self.store.live_attempt(&subscription.subscription_id).await? {
                Some(attempt) => Some(self.charging.view(session, &attempt).await?),
                None => None,
            },
            stay_offers: Vec::new(),
            language: language.map(str::to_owned),
        })
    }

    /// Returns what a change would charge, exactly. Where the buyer was shown a retention offer of this plan, the change is
    /// billed as the offer says, and the offer is taken with it.
    ///
    /// # Errors
    /// See [`PlansError`].
    pub async fn preview(
        &self,
        session: &Session,
        request: &PreviewRequest,
    ) -> Result<PreviewResponse, PlansError> {
        let stay_offer = self.offers.stay_offer_for(session, &request.product_id).await?;
        let stay_offer = stay_offer.as_ref();
        let id = subscription_id(session)?;
        let subscription = self.catalogue.recent_subscription(&session.customer_id, id).await?;
        let subscription = own(session, subscription)?;
        let basis = Basis { subscription: Arc::clone(&subscription), stay_offer: stay_offer.cloned() };
        if let Some(kept) = self.previews.again(session, request, &basis).await {
            return Ok(self.answer(kept));
        }
        let on_the_page =
            request.product_id == subscription.product_id || self.rules.plan(&request.product_id).is_some();
        if !on_the_page && stay_offer.is_none() {
            return Err(PlansError::NotFound);
        }
        let target = self.catalogue.product(&request.product_id).await?;
        let plan = self.charge_plan(&subscription, request, &target, stay_offer).await?;
        let method = self.method(&subscription).await?;
        let (plan, priced) = self.price_as_billed(plan, &subscription, stay_offer).await?;
        let offer = stay_offer.map(|offer| &offer.id);
        let pay_by = PayBy::signed_in(method);
        let row = self.quoting.issue(&priced, &plan, &session.customer_id, offer, &pay_by).await?;
        let preview = Preview { row, lost_addons: self.lost_addons(&subscription, &target).await };
        self.previews.keep(session, request, basis, preview.clone()).await;
        Ok(self.answer(preview))
    }

    fn answer(&self, Preview { row, lost_addons }: Preview) -> PreviewResponse {
        PreviewResponse {
            product_id: row.plan.product_id().clone(),
            quote: self.quoting.as_of_now(&row),
            name: row.name,
            payment_method: row.card,
            lost_addons,
        }
    }

    /// Asks Dodo what a change costs. The way it goes was estimated from list prices for how it is billed; where the answer
    /// says that it goes another way for this subscriber, it is asked for again, billed by that.
    async fn price_as_billed(
        &self,
        plan: ChargePlan,
        subscription: &Subscription,
        stay_offer: Option<&OfferRow>,
    ) -> Result<(ChargePlan, Priced), PlansError> {
        let priced = self.quoting.price_change(&plan, subscription).await?;
        let ChargePlan::PlanChange { product_id, proration, effective_at, .. } = &plan else {
            return Ok((plan, priced));
        };
        let same = *product_id == subscription.product_id;
        let after = priced.renewal.as_ref().map(|renewal| plan_cost::after(renewal, priced.currency));
        let kind = plan_comparison::direction_for(same, plan_cost::today(subscription), after);
        if let Some(offer) = stay_offer {
            return match plan_comparison::goes_as_offered(offer.kind, kind) {
                true => Ok((plan, priced)),
                false => Err(PlansError::NotPossible),
            };
        }
        let billed = plan_comparison::proration(&self.rules.proration, kind, *effective_at);
        if billed == *proration {
            return Ok((plan, priced));
        }
        let plan = plan.billed(billed);
        let priced = self.quoting.price_change(&plan, subscription).await?;
        Ok((plan, priced))
    }

    /// Returns the names of today's add-ons that a change to `target` ends.
    async fn lost_addons(&self, subscription: &Subscription, target: &CatalogueProduct) -> Vec<String> {
        let mut names = Vec::new();
        for id in plan_terms::lost(&subscription.addons, target) {
            names.push(self.catalogue.addon(id).await.name.clone());
        }
        names
    }

    /// From a request to the exact change that it asks for.
    async fn charge_plan(
        &self,
        subscription: &Subscription,
        request: &PreviewRequest,
        target: &CatalogueProduct,
        stay_offer: Option<&OfferRow>,
    ) -> Result<ChargePlan, PlansError> {
        let today = &subscription.product_id;
        if !target.is_plan || !plan_terms::can_change(subscription) || subscription.scheduled_change.is_some()
        {
            return Err(PlansError::NotPossible);
        }
        let seats = plan_terms::seats(subscription);
        let quantity = request.quantity.unwrap_or(seats);
        if !(1..=MAX_QUANTITY).contains(&quantity) {
            return Err(PlansError::Invalid("quantity"));
        }
        let addons = match &request.addons {
            None => plan_terms::carried(&subscription.addons, target),
            Some(addons) => chosen(addons, target)?,
        };
        let effective_at = match request.effective_at {
            None | Some(EffectiveAt::Immediately) => EffectiveAt::Immediately,
            Some(EffectiveAt::NextBillingDate) => EffectiveAt::NextBillingDate,
            Some(EffectiveAt::Other) => return Err(PlansError::Invalid("effective_at")),
        };
        let same = target.id == *today;
        if same && quantity == seats && addons == plan_terms::carried(&subscription.addons, target) {
            return Err(PlansError::NotPossible);
        }
        let after = self.catalogue.cost_with(subscription, target, quantity, &addons).await;
        let kind = plan_comparison::direction_for(same, plan_cost::today(subscription), after);
        let proration = match stay_offer.map(|offer| &offer.plan) {
            Some(ChargePlan::PlanChange { proration, .. }) if effective_at == EffectiveAt::Immediately => {
                *proration
            }
            _ => plan_comparison::proration(&self.rules.proration, kind, effective_at),
        };
        Ok(ChargePlan::PlanChange {
            subscription_id: subscription.subscription_id.clone(),
            product_id: request.product_id.clone(),
            quantity,
            addons,
            proration,
            effective_at,
        })
    }

    /// Takes a scheduled change back.
    ///
    /// # Errors
    /// [`PlansError::NotFound`] when there is none.
    pub async fn cancel_scheduled(&self, session: &Session) -> Result<(), PlansError> {
        let id = subscription_id(session)?;
        let cancelled = self.gateway.cancel_scheduled_change(id).await;
        self.catalogue.refresh_subscription(id).await;
        match cancelled {
            Err(error) if error.is_not_found() => return Err(PlansError::NotFound),
            other => other?,
        }
        // It is taken back. Should the record of that fail, Dodo's webhook brings it about.
        if let Err(error) = self.charging.observe_bookings(id).await {
            tracing::warn!(subscription_id = %id, %error, "failed to record the end of a booking");
        }
        Ok(())
    }

    /// Returns the method that a change is charged to: the one that the subscription names. Where it names none, Dodo charges
    /// one that is not known here, and none is named.
    async fn method(&self, subscription: &Subscription) -> Result<Option<SavedMethod>, CatalogueError> {
        let Some(id) = &subscription.payment_method_id else { return Ok(None) };
        let customer = &subscription.customer.customer_id;
        let known = |methods: &[SavedMethod]| methods.iter().find(|method| method.id == *id).cloned();
        Ok(match known(&self.catalogue.methods(customer).await?) {
            // It was given a moment ago.
            None => known(&self.catalogue.fresh_methods(customer).await?),
            found => found,
        })
    }

    /// What is owed where a payment failed. That it is not known is no reason to show no page.
    async fn dues(&self, subscription: &Subscription) -> Option<Money> {
        if !matches!(subscription.status, SubscriptionStatus::OnHold | SubscriptionStatus::PastDue) {
            return None;
        }
        let customer = &subscription.customer.customer_id;
        self.catalogue.dues(customer, &subscription.subscription_id, self.clock.now()).await
    }
}

/// The add-ons asked for, each known to the plan and named once.
fn chosen(
    addons: &[wire::AddonQuantity],
    target: &CatalogueProduct,
) -> Result<Vec<(AddonId, u32)>, PlansError> {
    let mut all: Vec<(AddonId, u32)> = Vec::with_capacity(addons.len());
    for addon in addons {
        let known = target.addons.contains(&addon.addon_id);
        let twice = all.iter().any(|(id, _)| *id == addon.addon_id);
        if !known || twice || !(1..=MAX_QUANTITY).contains(&addon.quantity) {
            return Err(PlansError::Invalid("addons"));
        }
        all.push((addon.addon_id.clone(), addon.quantity));
    }
    Ok(all)
}

/// The subscription, if it is this buyer's.
fn own(session: &Session, subscription: Arc<Subscription>) -> Result<Arc<Subscription>, PlansError> {
    match subscription.customer.customer_id == session.customer_id {
        true => Ok(subscription),
        false => Err(PlansError::NotFound),
    }
}

fn subscription_id(session: &Session) -> Result<&SubscriptionId, PlansError> {
    session.subscription_id.as_ref().ok_or(PlansError::NotFound)
}
