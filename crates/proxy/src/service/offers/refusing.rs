//! A refusal: written down first, and then perhaps one cheaper thing instead.

use upsell_core::{
    domain::{OfferRow, OfferState, Session},
    journal::{Decline, DeclineOutcome},
    policy::eligibility,
    rules::Reader,
};
use wire::{ChangeKind, DeclineRequest, DeclineResponse, OfferKind, ProductId, UpsellResponse};

use super::{OfferError, Offers};
use crate::store::Execute;

impl Offers {
    /// Writes a refusal down and looks for a downsell.
    ///
    /// # Errors
    /// When there is no such offer, it is being paid or is over, or the store fails.
    pub async fn decline(
        &self,
        session: &Session,
        request: &DeclineRequest,
        reader: Reader<'_>,
    ) -> Result<DeclineResponse, OfferError> {
        let offer = self.seen_offer(session, &request.offer_id).await?;
        let decline = Decline {
            offer_id: offer.id.clone(),
            customer_id: offer.customer_id.clone(),
            email: offer.email.clone(),
            price: self.list_price(offer.plan.product_id()).await,
            // A refusal is written down whether or not Dodo can be asked for the plan.
            plan: self.plan_of(&offer).await.unwrap_or_default(),
            reason: request.reason,
            at: self.clock.now(),
        };
        let offer = match self.store.execute(&decline).await? {
            DeclineOutcome::Declined(offer) | DeclineOutcome::AlreadyDeclined(offer) => offer,
            DeclineOutcome::NotFound => return Err(OfferError::NotFound),
            DeclineOutcome::NotDeclinable(OfferState::Charged)
            | DeclineOutcome::TakenElsewhere(OfferState::Charged | OfferState::Abandoned) => {
                return Err(OfferError::Gone);
            }
            DeclineOutcome::NotDeclinable(_) | DeclineOutcome::TakenElsewhere(_) => {
                return Err(OfferError::InProgress);
            }
        };
        // The refusal is on disk. That nothing can be offered instead is no reason to say otherwise.
        let next = self.after_decline(session, &offer, reader).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "no downsell could be shown");
            None
        });
        Ok(DeclineResponse { next: next.map(Box::new) })
    }

    async fn after_decline(
        &self,
        session: &Session,
        declined: &OfferRow,
        reader: Reader<'_>,
    ) -> Result<Option<UpsellResponse>, OfferError> {
        let Some(occasion) = self.occasion_of(session, declined).await? else { return Ok(None) };
        let history = self.history(session).await?;
        let owned = self.owned(session, &history).await?;
        let prices = self.prices().await;
        let price = |id: &ProductId| prices.get(id).copied();
        let chained = declined.parent.is_some() || declined.kind == OfferKind::Downsell;
        let directions = self.directions(occasion.held.as_deref()).await;
        let direction = |id: &ProductId| directions.get(id).copied().unwrap_or(ChangeKind::Switch);
        let facts = self.facts(&occasion, &owned, &history, &price, &direction);
        let Some(campaign) = eligibility::downsell(&self.rules, &declined.campaign, chained, facts) else {
            return Ok(None);
        };
        let offer = self.make(session, &occasion, &history, campaign, Some(&declined.id)).await?;
        if self.is_open(&offer, &history).await?.is_some() {
            return Ok(None);
        }
        let reader = reader.or_locale(session.locale.as_deref());
        self.show(session, &offer, &history, reader).await.map(Some)
    }
}
