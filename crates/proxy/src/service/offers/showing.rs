//! From a stored offer to what the page is answered with: words, product, comparison, quote, card.

use std::{sync::Arc, time::Duration};

use money::later;
use upsell_core::{
    domain::{ChargePlan, OfferRow, OfferState, QuoteRow, Session},
    policy::{
        authority::{self, Chargeable, PayBy},
        catalogue::CatalogueProduct,
        declines,
        payment_method::Use,
        plan_comparison,
    },
    rules::Campaign,
};
use wire::{CompareTo, IneligibleReason, Merchant, Offer, OfferKind, Product, UpsellResponse};

use super::{OfferError, Offers, history::History};
use crate::service::quoting::Priced;

/// How long what Dodo said an offer costs is good enough to be shown: as long as a session lives. It is asked again
/// before anything is charged.
pub(super) const PRICE_LIFE: Duration = Duration::from_secs(16 * 60);
/// A quote with less time left, in seconds, is not handed out again.
const MIN_QUOTE_LIFE: i64 = 120;

impl Offers {
    /// An open offer, ready to be shown and accepted.
    pub(super) async fn show(
        &self,
        session: &Session,
        offer: &OfferRow,
        history: &History,
        locale: Option<&str>,
    ) -> Result<UpsellResponse, OfferError> {
        let Some(campaign) = self.rules.campaign(&offer.campaign) else {
            // The merchant took the campaign out of the file: it is over.
            return Ok(UpsellResponse::ineligible(IneligibleReason::Expired));
        };
        let product = self.catalogue.product(offer.plan.product_id()).await?;
        let who = authority::chargeable(session, history.purchase.as_ref());
        let Some(pay_by) = self.method(offer, &product, &who).await? else {
            // The subscription is charged to a method that did not pay the purchase.
            return Ok(UpsellResponse::ineligible(IneligibleReason::NoCampaign));
        };
        let quote = self.quote(offer, &pay_by).await?;
        let compare_to = self.compare_to(offer, &product).await?;
        let words = campaign.words.get(locale);
        if offer.state == OfferState::Eligible {
            self.store.mark_presented(&offer.customer_id, &offer.id).await?;
        }
        Ok(UpsellResponse {
            eligible: true,
            reason: None,
            offer: Some(Offer {
                id: offer.id.clone(),
                kind: offer.kind,
                headline: words.headline.clone(),
                benefits: words.benefits.clone(),
                social_proof: words.social_proof.clone(),
                quantity: quantity(&offer.plan),
                decline_key: declines::decline_key(
                    &self.secret,
                    &offer.customer_id,
                    &offer.equivalence,
                    &history.ledger,
                ),
            }),
            product: Some(Product {
                id: product.id.clone(),
                name: product.name.clone(),
                price: product.price.amount,
                currency: product.price.currency,
                period: product.price.period,
                description: product.description.clone(),
                image: product.image.clone(),
            }),
            compare_to,
            payment_method: quote.card.clone(),
            quote: Some(self.quoting.as_of_now(&quote)),
            merchant: Some(Merchant { name: self.rules.merchant.clone() }),
            attempt: None,
        })
    }

    /// An offer that cannot be taken: why, and how its attempt stands where there is one to ask about.
    pub(super) async fn closed(
        &self,
        session: &Session,
        offer: &OfferRow,
        reason: IneligibleReason,
    ) -> Result<UpsellResponse, OfferError> {
        let mut response = UpsellResponse::ineligible(reason);
        if matches!(reason, IneligibleReason::Accepted | IneligibleReason::InProgress)
            && let Some(attempt) = self.store.latest_attempt(&offer.id).await?
        {
            response.attempt = Some(self.charging.view(session, &attempt).await?);
        }
        Ok(response)
    }

    /// Returns the method to charge, if the offer is paid in one click: never again after it has failed. `None` where the
    /// offer would charge a method that this session must not.
    async fn method(
        &self,
        offer: &OfferRow,
        product: &CatalogueProduct,
        who: &Chargeable,
    ) -> Result<Option<PayBy>, OfferError> {
        if let ChargePlan::PlanChange { subscription_id, .. } = &offer.plan {
            // A plan change is charged to the subscription's own method, whichever that is.
            let subscription = self.catalogue.subscription(subscription_id).await?;
            let id = subscription.payment_method_id.as_ref();
            if !who.allows_change(id) {
                return Ok(None);
            }
            if let (Some(id), false) = (id, offer.state == OfferState::Failed) {
                let methods = self.catalogue.methods(&offer.customer_id).await?;
                let method = methods.iter().find(|method| method.id == *id).cloned();
                return Ok(Some(PayBy { method, ..PayBy::hosted(who) }));
            }
        }
        if offer.state == OfferState::Failed {
            return Ok(Some(PayBy::hosted(who)));
        }
        let methods = self.catalogue.methods(&offer.customer_id).await?;
        let purpose = if product.price.period.is_some() { Use::Recurring } else { Use::Once };
        Ok(Some(authority::choose(&methods, purpose, self.clock.now(), who)))
    }

    /// The quote on the page: the one handed out before while it is good, else a new one.
    async fn quote(&self, offer: &OfferRow, pay_by: &PayBy) -> Result<QuoteRow, OfferError> {
        let good_until = later(self.clock.now(), MIN_QUOTE_LIFE);
        if let Some(quote) = self.store.live_quote(&offer.customer_id, &offer.id, good_until).await?
            && quote.payment_method_id.as_ref() == pay_by.method.as_ref().map(|method| &method.id)
            && (quote.signed_in, quote.withheld) == (pay_by.signed_in, pay_by.withheld)
        {
            return Ok(quote);
        }
        let asked = match self.priced.get(&offer.id).await {
            Some(asked) => asked,
            None => self.price_anew(offer).await?,
        };
        let (plan, priced) = &*asked;
        Ok(self.quoting.issue(priced, plan, &offer.customer_id, Some(&offer.id), pay_by).await?)
    }

    /// Asks Dodo what the offer costs now.
    pub(super) async fn price_anew(&self, offer: &OfferRow) -> Result<Arc<(ChargePlan, Priced)>, OfferError> {
        let asked = Arc::new(self.quoting.price_offer(&offer.plan, &offer.customer_id).await?);
        self.priced.insert(offer.id.clone(), Arc::clone(&asked)).await;
        Ok(asked)
    }

    /// Forgets what an offer costs: an accept found that it costs something else.
    pub async fn forget_price(&self, id: &wire::OfferId) {
        self.priced.invalidate(id).await;
    }

    /// What the buyer has today, where the offer is instead of it or more of it.
    async fn compare_to(
        &self,
        offer: &OfferRow,
        offered: &CatalogueProduct,
    ) -> Result<Option<CompareTo>, OfferError> {
        let has = match (offer.kind, &offer.plan) {
            (OfferKind::Upgrade | OfferKind::Downgrade, _) => self.plan_of(offer).await?,
            (OfferKind::Upsell, _) => self.bought_for(offer).await?,
            _ => None,
        };
        let Some(has) = has else { return Ok(None) };
        let has = self.catalogue.product(&has).await?;
        let changes_plan = offer.plan.subscription_id().is_some();
        Ok(Some(plan_comparison::compare_to(has.name.clone(), has.price, offered.price, changes_plan)))
    }

    /// The bought product that made the campaign apply.
    async fn bought_for(&self, offer: &OfferRow) -> Result<Option<wire::ProductId>, OfferError> {
        let Some(payment) = &offer.purchase else { return Ok(None) };
        let Some(purchase) = self.store.purchase(&offer.customer_id, payment).await? else { return Ok(None) };
        let when =
            self.rules.campaign(&offer.campaign).and_then(|campaign: &Campaign| campaign.when.as_ref());
        let asked = when.map(|when| when.bought.as_slice()).unwrap_or_default();
        Ok(purchase.product_ids.into_iter().find(|id| asked.contains(id)))
    }
}

fn quantity(plan: &ChargePlan) -> u32 {
    match plan {
        ChargePlan::Checkout { quantity, .. } | ChargePlan::PlanChange { quantity, .. } => *quantity,
    }
}
