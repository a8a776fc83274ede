//! What set an offer off: a purchase, or an event that the merchant reported.

use std::collections::BTreeMap;

use dodo_client::ids::SubscriptionId;
use upsell_core::{
    domain::{Billing, ChargePlan, OfferRow, Purchase, Session},
    policy::{authority, plan_terms},
    rules::Campaign,
};
use wire::{EffectiveAt, Money, OfferKind, ProductId, Trigger, UnixSeconds};

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
        let subscription = subscription
            .or_else(|| purchase.as_ref().and_then(|purchase| purchase.subscription_id.clone()))
            .or_else(|| session.subscription_id.clone().filter(|_| session.signed_in));
        let (mut plan, mut plan_can_change) = (None, false);
        if let Some(id) = &subscription {
            let subscription = self.catalogue.subscription(id).await?;
            plan = Some(subscription.product_id.clone());
            let who = authority::chargeable(session, purchase.as_ref());
            plan_can_change = plan_terms::can_change(&subscription)
                && who.allows_change(subscription.payment_method_id.as_ref());
        }
        let bought = match (&purchase, trigger) {
            (Some(purchase), Trigger::Purchase) => purchase.product_ids.clone(),
            _ => plan.iter().cloned().collect(),
        };
        Ok(Occasion { trigger, trigger_ref, at: None, purchase, subscription, plan, plan_can_change, bought })
    }

    /// The plan that the buyer of an offer is on now, where a subscription goes with it.
    pub(super) async fn plan_of(&self, offer: &OfferRow) -> Result<Option<ProductId>, OfferError> {
        let Some(id) = offer.plan.subscription_id() else { return Ok(None) };
        let subscription = self.catalogue.subscription(id).await?;
        Ok(Some(subscription.product_id.clone()))
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
            street: None,
            city: None,
            state: None,
            zipcode: None,
        });
        Ok(ChargePlan::Checkout {
            product_id: campaign.product_id.clone(),
            quantity: campaign.quantity,
            billing: occasion.purchase.as_ref().and_then(|purchase| purchase.billing.clone()).or(country),
            discount_codes: campaign.discount_codes.clone(),
        })
    }
}
