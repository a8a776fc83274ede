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
        plan_comparison::{self, PeriodPrice},
        plan_cost, plan_terms,
    },
    rules::{Campaign, Reader},
};
use wire::{CompareTo, IneligibleReason, Merchant, Offer, OfferKind, Product, UpsellResponse};

use super::{OfferError, Offers, history::History};
use crate::service::quoting::Priced;

/// How long what Dodo said an offer costs is good enough to be shown: as long as a session lives. It is asked again
/// before anything is charged.
pub(super) const PRICE_LIFE: Duration = Duration::from_secs(16 * 60);
/// A quote with less time left, in seconds, is not handed out again.
const MIN_QUOTE_LIFE: i64 = 120;

/// A change of plan that is offered.
struct Change {
    after: PeriodPrice,
    compare_to: CompareTo,
}

impl Offers {
    /// An open offer, ready to be shown and accepted.
    pub(super) async fn show(
        &self,
        session: &Session,
        offer: &OfferRow,
        history: &History,
        reader: Reader<'_>,
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
        let change = self.change(offer, &product, &quote).await?;
        let price = change.as_ref().map_or(product.price, |change| change.after);
        let compare_to = match change {
            Some(change) => Some(change.compare_to),
            None => self.compare_to(offer).await?,
        };
        let language = campaign.words.languages().for_reader(reader);
        let words = campaign.words.get(Some(language));
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
                price: price.amount,
                currency: price.currency,
                period: price.period,
                description: product.description.clone(),
                image: product.image.clone(),
            }),
            compare_to,
            payment_method: quote.card.clone(),
            quote: Some(self.quoting.as_of_now(&quote)),
            merchant: Some(Merchant { name: self.rules.merchant.clone() }),
            attempt: None,
            language: Some(language.to_owned()),
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

    /// Returns the method that accepting charges. A plan change is charged to the one that the subscription names; where it
    /// names none, none is named. A new purchase that has failed is not charged in one click again. `None` where the offer
    /// would charge a method that this session must not.
    async fn method(
        &self,
        offer: &OfferRow,
        product: &CatalogueProduct,
        who: &Chargeable,
    ) -> Result<Option<PayBy>, OfferError> {
        if let ChargePlan::PlanChange { subscription_id, .. } = &offer.plan {
            let subscription = self.catalogue.subscription(subscription_id).await?;
            let id = subscription.payment_method_id.as_ref();
            if !who.allows_change(id) {
                return Ok(None);
            }
            let methods = self.catalogue.methods(&offer.customer_id).await?;
            let method = id.and_then(|id| methods.iter().find(|method| method.id == *id)).cloned();
            return Ok(Some(PayBy { method, ..PayBy::hosted(who) }));
        }
        if offer.state == OfferState::Failed {
            return Ok(Some(PayBy::hosted(who)));
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

    /// Compares what the buyer pays today with what they would pay after an offer of another plan, which its quote says.
    /// `None` for a new purchase.
    async fn change(
        &self,
        offer: &OfferRow,
        offered: &CatalogueProduct,
        quote: &QuoteRow,
    ) -> Result<Option<Change>, OfferError> {
        let Some(id) = offer.plan.subscription_id() else { return Ok(None) };
        let held = self.catalogue.subscription(id).await?;
        let has = self.catalogue.product(&held.product_id).await?;
        let renewal = quote.quote.renewal.as_ref();
        let after = renewal.map_or(offered.price, |renewal| plan_cost::after(renewal, quote.quote.currency));
        let mut lost_addons = Vec::new();
        for id in plan_terms::lost(&held.addons, offered) {
            lost_addons.push(self.catalogue.addon(id).await.name.clone());
        }
        let today = plan_cost::today(&held);
        let compare_to = plan_comparison::compare_to(has.name.clone(), today, Some(after));
        Ok(Some(Change { after, compare_to: CompareTo { lost_addons, ..compare_to } }))
    }

    /// What the buyer has bought, where the offer is more of it.
    async fn compare_to(&self, offer: &OfferRow) -> Result<Option<CompareTo>, OfferError> {
        if offer.kind != OfferKind::Upsell {
            return Ok(None);
        }
        let Some(has) = self.bought_for(offer).await? else { return Ok(None) };
        let has = self.catalogue.product(&has).await?;
        Ok(Some(plan_comparison::compare_to(has.name.clone(), has.price, None)))
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
