//! Offers: made when something sets one off, shown, refused.
//!
//! What happens is decided in [`upsell_core::policy::eligibility`] and [`upsell_core::policy::declines`]; here the facts for it are
//! brought together and its answer is written down. Accepting is not here: see [`crate::service::charging`].
//!
//! | module | what |
//! |---|---|
//! | `history` | what a session may know of its buyer |
//! | `occasion` | what set an offer off, and what the buyer has |
//! | `pressing` | what a claim has to know |
//! | `refusing` | a refusal, and what follows it |
//! | `showing` | from a stored offer to what the page is answered with |
//! | `staying` | offers before a buyer leaves their plan |
//!
//! Of one occasion there is one offer, and after its decline at most one downsell. Later visits find those rows again,
//! so that an answer once given stays given.

mod error;
mod history;
mod occasion;
mod pressing;
mod refusing;
mod showing;
mod staying;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use moka::future::Cache;
use secrecy::SecretString;
use wire::{ChangeKind, IneligibleReason, Money, OfferId, ProductId, SeenRequest, Trigger, UpsellResponse};

pub use self::error::OfferError;
use money::later;
use upsell_core::{
    domain::{ChargePlan, OfferRow, OfferState, Session, TokenHash},
    journal::{restore, states},
    policy::{
        authority,
        declines::{self, Present},
        eligibility::{self, Facts},
        retention,
    },
    rules::{Campaign, DeclinePolicy, Reader, Rules},
};

use self::{history::History, occasion::Occasion};
use super::{
    catalogue::Catalogue,
    charging::Charging,
    purchases::Purchases,
    quoting::{Priced, Quoting},
};
use crate::{clock::Clock, ids, store::Store};

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
    /// Seconds for which offers are kept.
    period: i64,
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
    /// Seconds for which offers are kept.
    pub period: i64,
}

impl Offers {
    /// Over its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { store, clock, rules, catalogue, purchases, quoting, charging, secret, period } = parts;
        let priced = Cache::builder().max_capacity(50_000).time_to_live(showing::PRICE_LIFE).build();
        let not_found = Cache::builder().max_capacity(50_000).time_to_live(LOOK_AGAIN).build();
        Self {
            store,
            clock,
            rules,
            catalogue,
            purchases,
            quoting,
            charging,
            secret,
            period,
            priced,
            not_found,
        }
    }

    /// Makes the offer for a session that is about to begin, and fetches all that showing it needs. Failures are logged:
    /// the same work is tried again when the page asks.
    pub async fn warm(&self, session: &Session) {
        if let Err(error) = self.try_warm(session).await {
            tracing::warn!(%error, "an offer could not be prepared");
        }
    }

    async fn try_warm(&self, session: &Session) -> Result<(), OfferError> {
        self.catalogue.recent_methods(&session.customer_id).await?;
        let session = &self.following(session).await?;
        let (history, standing) = self.standing(session).await?;
        let Ok(offer) = standing else { return Ok(()) };
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
    pub async fn current(&self, session: &Session, reader: Reader<'_>) -> Result<UpsellResponse, OfferError> {
        match self.try_current(session, reader).await {
            Err(error @ OfferError::Store(_)) => Err(error),
            Err(error) => {
                tracing::warn!(%error, "an offer could not be shown");
                Ok(UpsellResponse::ineligible(IneligibleReason::Unavailable))
            }
            shown => shown,
        }
    }

    async fn try_current(&self, session: &Session, reader: Reader<'_>) -> Result<UpsellResponse, OfferError> {
        let reader = reader.or_locale(session.locale.as_deref());
        let session = &self.following(session).await?;
        let (history, standing) = self.standing(session).await?;
        match standing {
            Ok(offer) => match self.is_open(&offer, &history).await? {
                None => self.show(session, &offer, &history, reader).await,
                Some(reason) => self.closed(session, &offer, reason).await,
            },
            Err(reason) => Ok(UpsellResponse::ineligible(reason)),
        }
    }

    /// Returns the session with the purchase that it follows from now on. Where the merchant's server has named none, that
    /// is the newest.
    async fn following(&self, session: &Session) -> Result<Session, OfferError> {
        let is_settled = session.follows().is_some() || session.trigger != Trigger::Purchase;
        if is_settled || self.not_found.contains_key(&session.token) {
            return Ok(session.clone());
        }
        let Some(newest) = self.purchases.newest(&session.customer_id).await? else {
            self.not_found.insert(session.token, ()).await;
            return Ok(session.clone());
        };
        self.store.follow_purchase(session.token, &newest.payment_id).await?;
        Ok(Session { newest: Some(newest.payment_id), ..session.clone() })
    }

    /// Returns the offer that stands for this session: the one made before, or a new one, or why there is none; and what it
    /// was chosen from.
    async fn standing(&self, session: &Session) -> Result<(History, Standing), OfferError> {
        // The purchase comes first: the history depends on the address that it was paid under.
        let occasion = self.occasion(session).await?;
        let history = self.history(session).await?;
        let standing = match occasion {
            Some(occasion) => self.standing_of(session, &occasion, &history).await?,
            None if session.trigger == Trigger::Purchase => Err(IneligibleReason::NoPurchase),
            None => Err(IneligibleReason::NoEvent),
        };
        Ok((history, standing))
    }

    async fn standing_of(
        &self,
        session: &Session,
        occasion: &Occasion,
        history: &History,
    ) -> Result<Standing, OfferError> {
        // A downsell speaks for the offer that it follows.
        let of_occasion = || history.offers.iter().filter(|offer| offer.trigger_ref == occasion.trigger_ref);
        if let Some(made) =
            of_occasion().find(|offer| offer.parent.is_some()).or_else(|| of_occasion().next())
        {
            return Ok(Ok(made.clone()));
        }
        // The offer of an occasion as old as that may have gone.
        let now = self.clock.now();
        let is_past =
            |at| restore::is_held(at, history.held_until) || retention::is_over(at, self.period, now);
        if occasion.at.is_some_and(is_past) {
            return Ok(Err(IneligibleReason::Expired));
        }
        let owned = self.owned(session, history).await?;
        let prices = self.prices().await;
        let price = |id: &ProductId| prices.get(id).copied();
        let directions = self.directions(occasion.held.as_deref()).await;
        let direction = |id: &ProductId| directions.get(id).copied().unwrap_or(ChangeKind::Switch);
        match eligibility::choose(&self.rules, self.facts(occasion, &owned, history, &price, &direction)) {
            Ok(campaign) => Ok(Ok(self.make(session, occasion, history, campaign, None).await?)),
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
        history: &History,
        campaign: &Campaign,
        parent: Option<&OfferId>,
    ) -> Result<OfferRow, OfferError> {
        let offer = self.draft(session, occasion, history, campaign, parent).await?;
        Ok(self.store.insert_offer_if_absent(&offer).await?.row())
    }

    async fn draft(
        &self,
        session: &Session,
        occasion: &Occasion,
        history: &History,
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
            email: history.person.email.clone(),
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
        let taken = history.offers.iter().filter(same).any(states::keeps_from_others);
        let has = plan.as_ref() == Some(offer.plan.product_id());
        if taken || has {
            return Ok(Some(IneligibleReason::AlreadyOwned));
        }
        Ok((!self.goes_as_offered(offer).await?).then_some(IneligibleReason::NoCampaign))
    }

    /// Returns the offer with this id, where the session may see it.
    async fn seen_offer(&self, session: &Session, id: &OfferId) -> Result<OfferRow, OfferError> {
        let offer = self.store.offer(&session.customer_id, id).await?;
        offer.filter(|offer| authority::may_see(session, offer)).ok_or(OfferError::NotFound)
    }

    /// The offer was really visible.
    ///
    /// # Errors
    /// When there is no such offer, or the store fails.
    pub async fn seen(&self, session: &Session, request: &SeenRequest) -> Result<(), OfferError> {
        let offer = self.seen_offer(session, &request.offer_id).await?;
        let found = self.store.mark_seen(&session.customer_id, &offer.id, self.clock.now()).await?;
        if found { Ok(()) } else { Err(OfferError::NotFound) }
    }
}

/// The offer of an occasion, or why there is none.
type Standing = Result<OfferRow, IneligibleReason>;
