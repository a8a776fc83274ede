//! What a session may know of its buyer: everything of one who is signed in, otherwise the purchase that it follows, the offers
//! of that purchase, and the person's refusals.

use std::collections::BTreeSet;

use upsell_core::{
    domain::{DeclineEntry, OfferRow, Person, Purchase, Session},
    journal::states,
    policy::authority,
};
use wire::{ProductId, UnixSeconds};

use super::Offers;
use crate::store::StoreError;

/// What was offered to the buyer before, and what they refused. Read once a request.
pub(super) struct History {
    pub(super) person: Person,
    /// The purchase that the session follows.
    pub(super) purchase: Option<Purchase>,
    /// The latest first.
    pub(super) offers: Vec<OfferRow>,
    pub(super) ledger: Vec<DeclineEntry>,
    /// Refusals up to then may be lost: nothing new is made of what was set off before.
    pub(super) held_until: Option<UnixSeconds>,
}

impl Offers {
    /// Returns what the session may know: its own offers, and the person's refusals.
    pub(super) async fn history(&self, session: &Session) -> Result<History, StoreError> {
        let purchase = self.purchases.followed(session).await?;
        // Who the buyer is goes by the purchase that is followed, or for one who is signed in, by their latest.
        let email = match &purchase {
            None if session.signed_in => {
                self.store.latest_purchase(&session.customer_id).await?.and_then(|latest| latest.email)
            }
            followed => followed.as_ref().and_then(|purchase| purchase.email.clone()),
        };
        let person = Person { customer_id: session.customer_id.clone(), email };
        let (mut offers, ledger, held_until) = tokio::try_join!(
            self.store.offers_of(&session.customer_id),
            self.store.decline_ledger(&person),
            self.store.held_until()
        )?;
        offers.retain(|offer| authority::may_see(session, offer));
        Ok(History { person, purchase, offers, ledger, held_until })
    }

    /// Returns what the buyer has, bought in the shop or taken from an offer. A session that only knows a purchase learns
    /// nothing of that: whether the thing is owned is decided by the claim.
    pub(super) async fn owned(
        &self,
        session: &Session,
        history: &History,
    ) -> Result<BTreeSet<ProductId>, StoreError> {
        if !session.signed_in {
            return Ok(BTreeSet::new());
        }
        let purchases = self.store.purchases_of(&session.customer_id).await?;
        let bought = purchases.into_iter().flat_map(|purchase| purchase.product_ids);
        let taken = history.offers.iter().filter(|offer| states::is_taken(offer.state));
        // After the purchases: one that goes in between is found here.
        let owned = self.store.owned_by(&history.person).await?;
        Ok(bought.chain(taken.map(|offer| offer.plan.product_id().clone())).chain(owned).collect())
    }
}
