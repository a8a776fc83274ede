//! What has to be known when a buyer presses the button: what the session may charge, and what lifts an earlier refusal.

use dodo_client::{Priority, http::turn::with_priority};
use upsell_core::{
    domain::{OfferRow, Session},
    journal::{Lifting, states},
    policy::authority::{self, Chargeable},
    rules::DeclinePolicy,
};

use super::{OfferError, Offers};

impl Offers {
    /// Returns what would lift an earlier refusal of the thing offered. That is asked of Dodo only where there is one.
    ///
    /// # Errors
    /// [`OfferError::Gone`] when the subscription is on the plan already. Whether the thing was refused or taken through
    /// another offer is decided by the claim, under the person's lock.
    pub(in crate::service) async fn lifting(&self, offer: &OfferRow) -> Result<Lifting, OfferError> {
        let campaign = self.rules.campaign(&offer.campaign);
        let policy = campaign.map_or(DeclinePolicy::NeverAgain, |campaign| campaign.after_decline);
        if !states::OPEN_OFFERS.contains(&offer.state) {
            return Ok(Lifting { policy, ..Lifting::default() });
        }
        // Part of a charge: no other page's questions to Dodo go before it.
        let plan = with_priority(Priority::Charge, self.plan_of(offer)).await?;
        if plan.as_ref() == Some(offer.plan.product_id()) {
            return Err(OfferError::Gone);
        }
        let ledger = self.store.decline_ledger(&offer.person()).await?;
        let price = if ledger.iter().any(|entry| entry.equivalence == offer.equivalence) {
            with_priority(Priority::Charge, self.list_price(offer.plan.product_id())).await
        } else {
            None
        };
        Ok(Lifting { policy, price, plan })
    }

    /// Returns what a session may charge for an offer.
    ///
    /// # Errors
    /// [`OfferError::NotFound`] when the session may not see the offer.
    pub(in crate::service) async fn chargeable(
        &self,
        session: &Session,
        offer: &OfferRow,
    ) -> Result<Chargeable, OfferError> {
        if !authority::may_see(session, offer) {
            return Err(OfferError::NotFound);
        }
        Ok(authority::chargeable(session, self.purchases.followed(session).await?.as_ref()))
    }
}
