//! Offers: made when something sets one off, shown, refused.
//!
//! What happens is decided in [`upsell_core::policy::eligibility`] and [`upsell_core::policy::declines`]; here the facts for it are
//! brought together and its answer is written down. Accepting is not here: see [`crate::service::charging`].
//!
//! | module | what |
//! |---|---|
//! | `occasion` | what set an offer off, and what the buyer has |
//! | `refusing` | a refusal, and what follows it |
//! | `showing` | from a stored offer to what the page is answered with |
//! | `staying` | offers before a buyer leaves their plan |
//!
//! Of one occasion there is one offer, and after its decline at most one downsell. Later visits find those rows again,
//! so that an answer once given stays given.

mod error;
mod occasion;
mod refusing;
mod showing;
mod staying;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use dodo_client::{Priority, http::turn::with_priority, ids::CustomerId};
use moka::future::Cache;
use secrecy::SecretString;
use wire::{
    ChangeKind, IneligibleReason, Money, OfferId, ProductId, SeenRequest, UnixSeconds, UpsellResponse,
};

pub use self::error::OfferError;
use money::later;
use upsell_core::{
    domain::{ChargePlan, DeclineEntry, OfferRow, OfferState, Session, TokenHash},
    journal::restore,
    policy::{
        declines::{self, Present},
        eligibility::{self, Facts},
    },
    rules::{Campaign, DeclinePolicy, Rules},
};

use self::occasion::Occasion;
use super::{
    catalogue::Catalogue,
    charging::Charging,
    purchases::Purchases,
    quoting::{Priced, Quoting},
};
use crate::{
    clock::Clock,
    ids,
    store::{Store, StoreError},
};

/// How long a purchase that was not found is not looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// What offers are made from.
pub struct Offers {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    rules: Arc<Rules>,
    catalogue: Catalogue,
    purchases: Purchases,
    quoting: Arc<Quoting>,
    charging: Arc<Charging>,
    /// Keys the browser's copy of the decline ledger.
    secret: SecretString,
    /// What Dodo said an offer costs, and what it would do, until it is worth asking again.
    priced: Cache<OfferId, Arc<(ChargePlan, Priced)>>,
    /// Sessions for which no purchase was found a moment ago: reloading a page must not use up the quota at Dodo.
    not_found: Cache<TokenHash, ()>,
}

/// What [`Offers`] needs.
pub struct Parts {
    /// Where offers are kept.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The merchant's rules.
    pub rules: Arc<Rules>,
    /// Products, methods, subscriptions.
    pub catalogue: Catalogue,
    /// Purchases.
    pub purchases: Purchases,
    /// What things cost.
    pub quoting: Arc<Quoting>,
    /// How attempts stand.
    pub charging: Arc<Charging>,
    /// Keys the browser's copy of the decline ledger.
    pub secret: SecretString,
}

impl Offers {
    /// Over its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { store, clock, rules, catalogue, purchases, quoting, charging, secret } = parts;
        let priced = Cache::builder().max_capacity(50_000).time_to_live(showing::PRICE_LIFE).build();
        let not_found = Cache::builder().max_capacity(50_000).time_to_live(LOOK_AGAIN).build();
        Self { store, clock, rules, catalogue, purchases, quoting, charging, secret, priced, not_found }
    }

    /// Makes the offer for a session that is about to begin, and fetches all that showing it needs. Failures are logged:
    /// the same work is tried again when the page asks.
    pub async fn warm(&self, session: &Session) {
        if let Err(error) = self.try_warm(session).await {
            tracing::warn!(%error, "an offer could not be prepared");
        }
    }

    async fn try_warm(&self, session: &Session) -> Result<(), OfferError> {
        self.catalogue.fresh_methods(&session.customer_id).await?;
        let history = self.history(&session.customer_id).await?;
        let Ok(offer) = self.standing(session, &history).await? else { return Ok(()) };
        if offer.state == OfferState::Pending {
            if let Err(error) = self.charging.look_at_hosted(&offer.id).await {
                tracing::warn!(%error, "a hosted checkout could not be looked at");
            }
        } else if self.is_open(&offer, &history).await?.is_none() {
            self.price_anew(&offer).await?;
        }
        Ok(())
    }

    /// What the page is answered with.
    ///
    /// # Errors
    /// When the store fails. That Dodo cannot be asked is an answer, not an error: nothing is shown.
    pub async fn current(
        &self,
        session: &Session,
        locale: Option<&str>,
    ) -> Result<UpsellResponse, OfferError> {
        match self.try_current(session, locale).await {
            Err(error @ OfferError::Store(_)) => Err(error),
            Err(error) => {
                tracing::warn!(%error, "an offer could not be shown");
                Ok(UpsellResponse::ineligible(IneligibleReason::Unavailable))
            }
            shown => shown,
        }
    }

    async fn try_current(
        &self,
        session: &Session,
        locale: Option<&str>,
    ) -> Result<UpsellResponse, OfferError> {
        let locale = locale.or(session.locale.as_deref());
        let history = self.history(&session.customer_id).await?;
        match self.standing(session, &history).await? {
            Ok(offer) => match self.is_open(&offer, &history).await? {
                None => self.show(&offer, &history, locale).await,
                Some(reason) => self.closed(session, &offer, reason).await,
            },
            Err(reason) => Ok(UpsellResponse::ineligible(reason)),
        }
    }

    /// The offer that stands for this session: the one made before, or a new one, or why there is none.
    async fn standing(
        &self,
        session: &Session,
        history: &History,
    ) -> Result<Result<OfferRow, IneligibleReason>, OfferError> {
        let Some(occasion) = self.occasion(session).await? else {
            return Ok(Err(IneligibleReason::NoPurchase));
        };
        // A downsell speaks for the offer that it follows.
        let of_occasion = || history.offers.iter().filter(|offer| offer.trigger_ref == occasion.trigger_ref);
        if let Some(made) =
            of_occasion().find(|offer| offer.parent.is_some()).or_else(|| of_occasion().next())
        {
            return Ok(Ok(made.clone()));
        }
        if occasion.at.is_some_and(|at| restore::is_held(at, history.held_until)) {
            return Ok(Err(IneligibleReason::Expired));
        }
        let owned = self.owned(&session.customer_id, history).await?;
        let prices = self.prices().await;
        let price = |id: &ProductId| prices.get(id).copied();
        let directions = self.directions(occasion.held.as_deref()).await;
        let direction = |id: &ProductId| directions.get(id).copied().unwrap_or(ChangeKind::Switch);
        match eligibility::choose(&self.rules, self.facts(&occasion, &owned, history, &price, &direction)) {
            Ok(campaign) => Ok(Ok(self.make(session, &occasion, campaign, None).await?)),
            Err(reason) => Ok(Err(reason)),
        }
    }

    fn facts<'a>(
        &self,
        occasion: &'a Occasion,
        owned: &'a BTreeSet<ProductId>,
        history: &'a History,
        price: &'a dyn Fn(&ProductId) -> Option<Money>,
        direction: &'a dyn Fn(&ProductId) -> ChangeKind,
    ) -> Facts<'a> {
        Facts {
            trigger: occasion.trigger,
            bought: &occasion.bought,
            plan: occasion.plan.as_ref(),
            plan_can_change: occasion.plan_can_change,
            owned,
            ledger: &history.ledger,
            price,
            direction,
            now: self.clock.now(),
        }
    }

    /// Writes a new offer down.
    async fn make(
        &self,
        session: &Session,
        occasion: &Occasion,
        campaign: &Campaign,
        parent: Option<&OfferId>,
    ) -> Result<OfferRow, OfferError> {
        let offer = self.draft(session, occasion, campaign, parent).await?;
        Ok(self.store.insert_offer_if_absent(&offer).await?.row())
    }

    async fn draft(
        &self,
        session: &Session,
        occasion: &Occasion,
        campaign: &Campaign,
        parent: Option<&OfferId>,
    ) -> Result<OfferRow, OfferError> {
        let now = self.clock.now();
        Ok(OfferRow {
            id: ids::offer_id()?,
            customer_id: session.customer_id.clone(),
            campaign: campaign.name.clone(),
            trigger_ref: occasion.trigger_ref.clone(),
            purchase: occasion.purchase.as_ref().map(|purchase| purchase.payment_id.clone()),
            parent: parent.cloned(),
            equivalence: declines::equivalence(&campaign.product_id),
            kind: campaign.kind,
            plan: self.charge_plan(session, occasion, campaign).await?,
            state: OfferState::Eligible,
            attempt_no: 0,
            created_at: now,
            seen_at: None,
            expires_at: later(now, campaign.valid_for),
        })
    }

    /// Why a stored offer cannot be taken; `None` when it can.
    async fn is_open(
        &self,
        offer: &OfferRow,
        history: &History,
    ) -> Result<Option<IneligibleReason>, OfferError> {
        Ok(match offer.state {
            OfferState::Charged => Some(IneligibleReason::Accepted),
            OfferState::Accepting | OfferState::Pending | OfferState::Unknown | OfferState::Abandoned => {
                Some(IneligibleReason::InProgress)
            }
            OfferState::Declined => Some(IneligibleReason::Declined),
            OfferState::Expired => Some(IneligibleReason::Expired),
            OfferState::Eligible | OfferState::Presented | OfferState::Failed => {
                if offer.expires_at <= self.clock.now() {
                    return Ok(Some(IneligibleReason::Expired));
                }
                self.overtaken(offer, history).await?
            }
        })
    }

    /// Whether an open offer was overtaken: the same thing refused or taken through another offer, the plan changed, or a
    /// price so that the offer would go the other way.
    async fn overtaken(
        &self,
        offer: &OfferRow,
        history: &History,
    ) -> Result<Option<IneligibleReason>, OfferError> {
        let plan = self.plan_of(offer).await?;
        if history.ledger.iter().any(|entry| entry.equivalence == offer.equivalence) {
            let policy = self.rules.campaign(&offer.campaign).map(|campaign| campaign.after_decline);
            let present = Present {
                price: self.list_price(offer.plan.product_id()).await,
                plan: plan.as_ref(),
                now: self.clock.now(),
            };
            let policy = policy.unwrap_or(DeclinePolicy::NeverAgain);
            if declines::is_refused(policy, &history.ledger, &offer.equivalence, present) {
                return Ok(Some(IneligibleReason::Declined));
            }
        }
        let same = |other: &&OfferRow| other.id != offer.id && other.equivalence == offer.equivalence;
        // A plan taken once may have been left again: then only the subscription tells.
        let lasting =
            |other: &OfferRow| other.plan.subscription_id().is_none() || other.state != OfferState::Charged;
        let taken = history.offers.iter().filter(same).any(|other| is_taken(other.state) && lasting(other));
        let has = plan.as_ref() == Some(offer.plan.product_id());
        if taken || has {
            return Ok(Some(IneligibleReason::AlreadyOwned));
        }
        Ok((!self.goes_as_offered(offer).await?).then_some(IneligibleReason::NoCampaign))
    }

    /// Checks before a claim what the claim itself cannot see: that the thing was not refused or taken otherwise.
    ///
    /// # Errors
    /// [`OfferError::Gone`] when it was. Attempts already under way are none of this function's business.
    pub async fn check_open(&self, offer: &OfferRow) -> Result<(), OfferError> {
        let open = matches!(offer.state, OfferState::Eligible | OfferState::Presented | OfferState::Failed);
        if !open {
            return Ok(());
        }
        let history = self.history(&offer.customer_id).await?;
        // Part of a charge: no other page's questions to Dodo go before it.
        match with_priority(Priority::Charge, self.overtaken(offer, &history)).await? {
            None => Ok(()),
            Some(_) => Err(OfferError::Gone),
        }
    }

    /// The offer was really visible.
    ///
    /// # Errors
    /// When there is no such offer, or the store fails.
    pub async fn seen(&self, session: &Session, request: &SeenRequest) -> Result<(), OfferError> {
        let found = self.store.mark_seen(&session.customer_id, &request.offer_id, self.clock.now()).await?;
        if found { Ok(()) } else { Err(OfferError::NotFound) }
    }

    async fn history(&self, customer: &CustomerId) -> Result<History, StoreError> {
        let (offers, ledger, held_until) = tokio::try_join!(
            self.store.offers_of(customer),
            self.store.decline_ledger(customer),
            self.store.held_until()
        )?;
        Ok(History { offers, ledger, held_until })
    }

    /// What the buyer has: bought in the shop, or taken from an offer.
    async fn owned(
        &self,
        customer: &CustomerId,
        history: &History,
    ) -> Result<BTreeSet<ProductId>, StoreError> {
        let purchases = self.store.purchases_of(customer).await?;
        let bought = purchases.into_iter().flat_map(|purchase| purchase.product_ids);
        let taken = history.offers.iter().filter(|offer| is_taken(offer.state));
        Ok(bought.chain(taken.map(|offer| offer.plan.product_id().clone())).collect())
    }
}

/// What was offered to the buyer before, and what they refused. Read once a request.
struct History {
    /// The latest first.
    offers: Vec<OfferRow>,
    ledger: Vec<DeclineEntry>,
    /// Refusals up to then may be lost: nothing new is made of what was set off before.
    held_until: Option<UnixSeconds>,
}

/// Whether the thing offered is the buyer's, or may be: what might be paid for is not offered again.
fn is_taken(state: OfferState) -> bool {
    match state {
        OfferState::Charged
        | OfferState::Accepting
        | OfferState::Pending
        | OfferState::Unknown
        | OfferState::Abandoned => true,
        OfferState::Eligible
        | OfferState::Presented
        | OfferState::Failed
        | OfferState::Declined
        | OfferState::Expired => false,
    }
}
