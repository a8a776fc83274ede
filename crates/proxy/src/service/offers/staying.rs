//! Stay-offers: another plan, proposed once before a buyer takes a cheaper one or cancels.
//!
//! A stay-offer is an offer like any other: written down, refused and taken under the same rules. It differs in where it
//! is met: on the upgrade page, where it is previewed and confirmed like every plan there.

use std::collections::BTreeSet;

use dodo_client::types::subscriptions::Subscription;
use upsell_core::{
    domain::{OfferRow, OfferState, Session},
    journal::restore,
    policy::{eligibility, plan_comparison},
    rules::{Campaign, LEAVING},
};
use wire::{ChangeKind, ProductId, StayOfferRequest, Trigger, UnixSeconds};

use super::{OfferError, Offers, history::History, occasion::Occasion};
use crate::store::Inserted;

impl Offers {
    /// What the page has to ask about before a buyer goes on, because there may be an offer for it.
    ///
    /// # Errors
    /// When the store fails, or the subscription is not known.
    pub async fn stay_intents(&self, session: &Session) -> Result<Vec<Trigger>, OfferError> {
        let mut open = Vec::new();
        if !self.rules.campaigns.iter().any(is_for_leaving) {
            return Ok(open);
        }
        let history = self.history(session).await?;
        for intent in LEAVING {
            if self.stay_campaign(session, intent, None, &history).await?.is_some() {
                open.push(intent);
            }
        }
        Ok(open)
    }

    /// The offer for a buyer who is about to leave their plan, written down as shown. `None` where there is none, or where
    /// it was shown before: once is all.
    ///
    /// # Errors
    /// When the intent is no word of ours, the store fails, or the subscription is not known.
    pub async fn stay(
        &self,
        session: &Session,
        request: &StayOfferRequest,
    ) -> Result<Option<(OfferRow, &Campaign)>, OfferError> {
        if request.intent == Trigger::Other {
            return Err(OfferError::Invalid("intent"));
        }
        let history = self.history(session).await?;
        let target = request.product_id.as_ref();
        let Some((occasion, campaign)) =
            self.stay_campaign(session, request.intent, target, &history).await?
        else {
            return Ok(None);
        };
        let draft = self.draft(session, &occasion, &history, campaign, None).await?;
        let seen_at = Some(draft.created_at);
        let shown = OfferRow { state: OfferState::Presented, seen_at, ..draft };
        Ok(match self.store.insert_offer_if_absent(&shown).await? {
            Inserted::New(offer) => Some((offer, campaign)),
            Inserted::Existing(_) => None,
        })
    }

    /// The stay-offer of this plan that the buyer was shown and may still take.
    ///
    /// # Errors
    /// When the store fails, or the subscription is not known.
    pub async fn stay_offer_for(
        &self,
        session: &Session,
        product_id: &ProductId,
    ) -> Result<Option<OfferRow>, OfferError> {
        if !self.rules.campaigns.iter().any(is_for_leaving) {
            return Ok(None);
        }
        let history = self.history(session).await?;
        for offer in &history.offers {
            let meant = offer.plan.product_id() == product_id
                && offer.plan.subscription_id() == session.subscription_id.as_ref()
                && self.rules.campaign(&offer.campaign).is_some_and(is_for_leaving);
            if meant && self.is_open(offer, &history).await?.is_none() {
                return Ok(Some(offer.clone()));
            }
        }
        Ok(None)
    }

    async fn stay_campaign(
        &self,
        session: &Session,
        intent: Trigger,
        target: Option<&ProductId>,
        history: &History,
    ) -> Result<Option<(Occasion, &Campaign)>, OfferError> {
        let Some(id) = &session.subscription_id else { return Ok(None) };
        let mut triggers = self.rules.campaigns.iter().filter_map(|campaign| campaign.when.as_ref());
        if !LEAVING.contains(&intent) || !triggers.any(|when| when.trigger == intent) {
            return Ok(None);
        }
        // Where the date cannot be read, the period may have begun at any time.
        let since = self.catalogue.subscription(id).await?.previous_billing_date.unwrap_or(UnixSeconds(0));
        if restore::is_held(since, history.held_until) {
            return Ok(None);
        }
        let occasion = self.occasion_from(session, intent, String::new(), None, Some(id.clone())).await?;
        // Once for this plan: whoever comes to another plan may be asked again when they leave that one.
        let plan = occasion.plan.as_ref().map(ToString::to_string).unwrap_or_default();
        let occasion = Occasion { trigger_ref: format!("{}:{id}:{plan}", word(intent)), ..occasion };
        if history.offers.iter().any(|offer| offer.trigger_ref == occasion.trigger_ref) {
            return Ok(None);
        }
        // Only plans are proposed here, and those are had by the subscription alone.
        let owned = BTreeSet::new();
        let prices = self.prices().await;
        let price = |id: &ProductId| prices.get(id).copied();
        let directions = self.directions(occasion.held.as_deref()).await;
        let direction = |id: &ProductId| directions.get(id).copied().unwrap_or(ChangeKind::Switch);
        let facts = self.facts(&occasion, &owned, history, &price, &direction);
        let Ok(campaign) = eligibility::choose(&self.rules, facts) else { return Ok(None) };
        if let Some(target) = target
            && !self.is_a_step_before(occasion.held.as_deref(), &campaign.product_id, target).await?
        {
            return Ok(None);
        }
        Ok(Some((occasion, campaign)))
    }

    /// Whether proposing `offered` makes sense to somebody who picked `target`: it is not that, and would not cost this
    /// subscriber less still.
    async fn is_a_step_before(
        &self,
        held: Option<&Subscription>,
        offered: &ProductId,
        target: &ProductId,
    ) -> Result<bool, OfferError> {
        if offered == target {
            return Ok(false);
        }
        let offered = self.catalogue.product(offered).await?;
        let target = self.catalogue.product(target).await?;
        let (from, to) = match held {
            Some(held) => {
                let from = self.catalogue.cost_on_plan(held, &target).await;
                (from, self.catalogue.cost_on_plan(held, &offered).await)
            }
            None => (None, None),
        };
        let (from, to) = (from.unwrap_or(target.price), to.unwrap_or(offered.price));
        Ok(plan_comparison::direction(false, from, to) != ChangeKind::Downgrade)
    }
}

fn is_for_leaving(campaign: &Campaign) -> bool {
    campaign.when.as_ref().is_some_and(|when| LEAVING.contains(&when.trigger))
}

fn word(intent: Trigger) -> &'static str {
    match intent {
        Trigger::DowngradeIntent => "downgrade",
        _ => "cancel",
    }
}
