//! A buyer leaves their plan: what is proposed before, cancelling for the next billing date, and taking that back.

use std::sync::Arc;

use dodo_client::types::subscriptions::{Subscription, SubscriptionStatus};
use upsell_core::{
    domain::{OfferRow, Session},
    policy::plan_terms,
    rules::{Campaign, Reader},
};
use wire::{StayOffer, StayOfferRequest, StayOfferResponse};

use super::{
    Plans, PlansError,
    comparison::{self, Viewer},
    own, subscription_id,
};

impl Plans {
    /// Cancels for the next billing date. Saying it twice changes nothing.
    ///
    /// # Errors
    /// [`PlansError::NotPossible`] where the page has no way to cancel, or Dodo none in this state.
    pub async fn cancel(&self, session: &Session) -> Result<(), PlansError> {
        let subscription = self.own_subscription(session).await?;
        if subscription.cancel_at_next_billing_date {
            return Ok(());
        }
        // What can be changed runs, has a next billing date, and does not end by then anyway.
        if !self.rules.cancellation || !plan_terms::can_change(&subscription) {
            return Err(PlansError::NotPossible);
        }
        if self.store.live_attempt(&subscription.subscription_id).await?.is_some() {
            return Err(PlansError::InProgress);
        }
        self.end_with_the_period(&subscription, true).await
    }

    /// Takes a cancellation back, as long as the subscription runs. Without one nothing changes.
    ///
    /// # Errors
    /// [`PlansError::NotPossible`] when it has ended.
    pub async fn take_cancellation_back(&self, session: &Session) -> Result<(), PlansError> {
        let subscription = self.own_subscription(session).await?;
        match (subscription.cancel_at_next_billing_date, &subscription.status) {
            (false, _) => Ok(()),
            (true, SubscriptionStatus::Active) => self.end_with_the_period(&subscription, false).await,
            (true, _) => Err(PlansError::NotPossible),
        }
    }

    pub(super) async fn own_subscription(&self, session: &Session) -> Result<Arc<Subscription>, PlansError> {
        own(session, self.catalogue.fresh_subscription(subscription_id(session)?).await?)
    }

    async fn end_with_the_period(&self, subscription: &Subscription, ends: bool) -> Result<(), PlansError> {
        let id = &subscription.subscription_id;
        let done = self.gateway.set_cancel_at_next_billing_date(id, ends).await;
        self.catalogue.refresh_subscription(id).await;
        Ok(done?)
    }

    /// Proposes another plan to a buyer who is about to leave theirs, once.
    ///
    /// # Errors
    /// See [`PlansError`].
    pub async fn propose(
        &self,
        session: &Session,
        request: &StayOfferRequest,
        reader: Reader<'_>,
    ) -> Result<StayOfferResponse, PlansError> {
        let Some((offer, campaign)) = self.offers.stay(session, request).await? else {
            return Ok(StayOfferResponse::default());
        };
        let offer = self.stay_offer(session, &offer, campaign, reader).await?;
        Ok(StayOfferResponse { offer: offer.map(Box::new) })
    }

    /// Returns a retention offer as the page shows it; `None` where its product is not paid by the period.
    async fn stay_offer(
        &self,
        session: &Session,
        offer: &OfferRow,
        campaign: &Campaign,
        reader: Reader<'_>,
    ) -> Result<Option<StayOffer>, PlansError> {
        let written = campaign.words.languages();
        let written = comparison::languages(&self.rules).map_or(written.clone(), |all| written.and(&all));
        let language = written.for_reader(reader.or_locale(session.locale.as_deref()));
        let subscription = self.catalogue.subscription(subscription_id(session)?).await?;
        let product = self.catalogue.product(offer.plan.product_id()).await?;
        let current = self.catalogue.product(&subscription.product_id).await?;
        let named = subscription.addons.iter().map(|addon| &addon.addon_id).chain(&product.addons);
        let viewer = Viewer {
            rules: &self.rules,
            subscription: &subscription,
            product: &current,
            addons: &self.catalogue.addons(named).await,
            usage: &session.usage,
            locale: Some(language),
            due: None,
            now: self.clock.now(),
            chosen: None,
        };
        let words = campaign.words.get(Some(language));
        Ok(comparison::proposed(&viewer, &product).map(|plan| StayOffer {
            id: offer.id.clone(),
            headline: words.headline.clone(),
            benefits: words.benefits.clone(),
            social_proof: words.social_proof.clone(),
            plan,
            language: Some(language.to_owned()),
        }))
    }
}
