//! What set an offer off: a purchase, or an event that the merchant reported.

use std::{collections::BTreeMap, sync::Arc};

use dodo_client::{ids::SubscriptionId, types::subscriptions::Subscription};
use upsell_core::{
    domain::{Billing, ChargePlan, OfferRow, Purchase, Session},
    policy::{authority, catalogue::CatalogueProduct, occasion, plan_comparison, plan_cost, plan_terms},
    rules::Campaign,
};
use wire::{ChangeKind, EffectiveAt, Money, OfferKind, ProductId, Trigger, UnixSeconds};

use super::{OfferError, Offers};

/// What set an offer off, and what the buyer had then.
pub(super) struct Occasion {
    /// The kind of it.
    pub(super) trigger: Trigger,
    /// Its name: a payment id, or an event's id.
    pub(super) trigger_ref: String,
    /// When it came about; absent where nothing new is made of it.
    pub(super) at: Option<UnixSeconds>,
    /// The purchase, where it is known.
    pub(super) purchase: Option<Purchase>,
    /// The subscription that a plan change would change.
    pub(super) subscription: Option<SubscriptionId>,
    /// The same as Dodo describes it.
    pub(super) held: Option<Arc<Subscription>>,
    /// That subscription's plan.
    pub(super) plan: Option<ProductId>,
    /// Whether Dodo would change it now.
    pub(super) plan_can_change: bool,
    /// What campaigns look for.
    pub(super) bought: Vec<ProductId>,
}

impl Offers {
    /// The occasion that a session follows up.
    pub(super) async fn occasion(&self, session: &Session) -> Result<Option<Occasion>, OfferError> {
        let purchase = self.purchase_of(session).await?;
        if session.trigger == Trigger::Purchase {
            let Some(purchase) = purchase else { return Ok(None) };
            let trigger_ref = purchase.payment_id.to_string();
            let at = purchase.paid_at;
            let occasion =
                self.occasion_from(session, Trigger::Purchase, trigger_ref, Some(purchase), None).await?;
            return Ok(Some(Occasion { at: Some(at), ..occasion }));
        }
        // One from before such sessions were for buyers who are signed in.
        if !session.signed_in {
            return Ok(None);
        }
        let event = self.store.latest_trigger(&session.customer_id, session.trigger).await?;
        let Some(event) = event else { return Ok(None) };
        let at = event.at;
        let occasion =
            self.occasion_from(session, event.trigger, event.id, purchase, event.subscription_id).await?;
        Ok(Some(Occasion { at: Some(at), ..occasion }))
    }

    /// Returns the purchase that a session follows. One that is not known is asked for again now and then: it may have been
    /// paid after the session was minted, or Dodo could not be asked then.
    async fn purchase_of(&self, session: &Session) -> Result<Option<Purchase>, OfferError> {
        if session.trigger != Trigger::Purchase {
            return Ok(match self.purchases.followed(session).await? {
                None => self.store.latest_purchase(&session.customer_id).await?,
                followed => followed,
            });
        }
        let Some(payment) = session.follows() else { return Ok(None) };
        let known = self.purchases.followed(session).await?;
        if known.is_some() || self.not_found.contains_key(&session.token) {
            return Ok(known);
        }
        let found = self.purchases.look_up(&session.customer_id, payment).await?;
        if found.is_none() {
            self.not_found.insert(session.token, ()).await;
        }
        Ok(found)
    }

    /// The occasion of an offer made before, which need not be the session's.
    pub(super) async fn occasion_of(
        &self,
        session: &Session,
        offer: &OfferRow,
    ) -> Result<Option<Occasion>, OfferError> {
        let purchase = match &offer.purchase {
            Some(payment) => self.store.purchase(&offer.customer_id, payment).await?,
            None => None,
        };
        let subscription = offer.plan.subscription_id().cloned();
        let trigger_ref = offer.trigger_ref.clone();
        self.occasion_from(session, session.trigger, trigger_ref, purchase, subscription).await.map(Some)
    }

    pub(super) async fn occasion_from(
        &self,
        session: &Session,
        trigger: Trigger,
        trigger_ref: String,
        purchase: Option<Purchase>,
        subscription: Option<SubscriptionId>,
    ) -> Result<Occasion, OfferError> {
        let of_session = session.subscription_id.as_ref().filter(|_| session.signed_in);
        let subscription = match trigger {
            Trigger::Purchase => subscription
                .or_else(|| purchase.as_ref().and_then(|purchase| purchase.subscription_id.clone()))
                .or_else(|| of_session.cloned()),
            _ => {
                // A session without a payment names no purchase: the latest one need not be what the trigger is about.
                let named = purchase.as_ref().filter(|_| session.payment_id.is_some());
                let purchases = self.store.purchases_of(&session.customer_id).await?;
                occasion::subscription_of_trigger(subscription.as_ref(), named, of_session, &purchases)
            }
        };
        let held = match &subscription {
            Some(id) => Some(self.catalogue.subscription(id).await?),
            None => None,
        };
        let plan = held.as_ref().map(|held| held.product_id.clone());
        let who = authority::chargeable(session, purchase.as_ref());
        let plan_can_change = held.as_ref().is_some_and(|held| {
            plan_terms::can_change(held) && who.allows_change(held.payment_method_id.as_ref())
        });
        let bought = match (&purchase, trigger) {
            (Some(purchase), Trigger::Purchase) => purchase.product_ids.clone(),
            _ => plan.iter().cloned().collect(),
        };
        let at = None;
        Ok(Occasion { trigger, trigger_ref, at, purchase, subscription, held, plan, plan_can_change, bought })
    }

    /// The plan that the buyer of an offer is on now, where a subscription goes with it.
    pub(super) async fn plan_of(&self, offer: &OfferRow) -> Result<Option<ProductId>, OfferError> {
        let Some(id) = offer.plan.subscription_id() else { return Ok(None) };
        let subscription = self.catalogue.subscription(id).await?;
        Ok(Some(subscription.product_id.clone()))
    }

    /// Returns which way the subscription would go with each campaign that changes plans, by what is paid for it today.
    pub(super) async fn directions(&self, held: Option<&Subscription>) -> BTreeMap<ProductId, ChangeKind> {
        let mut directions = BTreeMap::new();
        let Some(held) = held else { return directions };
        for campaign in &self.rules.campaigns {
            if matches!(campaign.kind, OfferKind::Upgrade | OfferKind::Downgrade)
                && let Ok(product) = self.catalogue.product(&campaign.product_id).await
            {
                directions.insert(product.id.clone(), self.direction(held, &product).await);
            }
        }
        directions
    }

    async fn direction(&self, held: &Subscription, target: &CatalogueProduct) -> ChangeKind {
        let after = self.catalogue.cost_on_plan(held, target).await;
        plan_comparison::direction_for(held.product_id == target.id, plan_cost::today(held), after)
    }

    /// Whether an offer of another plan still goes the way that it says, by what is paid today.
    pub(super) async fn goes_as_offered(&self, offer: &OfferRow) -> Result<bool, OfferError> {
        let Some(id) = offer.plan.subscription_id() else { return Ok(true) };
        let held = self.catalogue.subscription(id).await?;
        let target = self.catalogue.product(offer.plan.product_id()).await?;
        Ok(plan_comparison::goes_as_offered(offer.kind, self.direction(&held, &target).await))
    }

    /// List prices of everything that campaigns offer, as far as they are known.
    pub(super) async fn prices(&self) -> BTreeMap<ProductId, Money> {
        let mut prices = BTreeMap::new();
        for campaign in &self.rules.campaigns {
            if let Some(price) = self.list_price(&campaign.product_id).await {
                prices.insert(campaign.product_id.clone(), price);
            }
        }
        prices
    }

    /// What a product costs by its list price, where that is known.
    pub(super) async fn list_price(&self, id: &ProductId) -> Option<Money> {
        let product = self.catalogue.product(id).await.ok()?;
        Some(Money::new(product.price.amount, product.price.currency))
    }

    /// What accepting would do.
    pub(super) async fn charge_plan(
        &self,
        session: &Session,
        occasion: &Occasion,
        campaign: &Campaign,
    ) -> Result<ChargePlan, OfferError> {
        if let (OfferKind::Upgrade | OfferKind::Downgrade, Some(id)) = (campaign.kind, &occasion.subscription)
        {
            let subscription = self.catalogue.subscription(id).await?;
            let target = self.catalogue.product(&campaign.product_id).await?;
            return Ok(ChargePlan::PlanChange {
                subscription_id: id.clone(),
                product_id: campaign.product_id.clone(),
                quantity: plan_terms::seats(&subscription),
                addons: plan_terms::carried(&subscription.addons, &target),
                proration: campaign.proration,
                effective_at: EffectiveAt::Immediately,
            });
        }
        let country = session.country.as_ref().map(|country| Billing {
            country: country.clone(),
            state: None,
            zipcode: None,
        });
        let of_purchase = match &occasion.purchase {
            Some(purchase) => self.purchases.billing(purchase).await,
            None => None,
        };
        Ok(ChargePlan::Checkout {
            product_id: campaign.product_id.clone(),
            quantity: campaign.quantity,
            billing: of_purchase.or(country),
            discount_codes: campaign.discount_codes.clone(),
        })
    }
}
