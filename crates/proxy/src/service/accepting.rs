//! Accepting what a buyer was shown, an offer or a plan change. Every caller goes through here, so that all of them keep
//! the same order:
//!
//! | step | where |
//! |---|---|
//! | wait for the gate | [`Charging::ready`] |
//! | find out what the session may see and charge | [`Offers::chargeable`] |
//! | answer a key that was used before as it was answered then | [`Charging::earlier_answer`] |
//! | reject a quote of somebody else's, and a plan that is had already | [`Offers::lifting`] |
//! | claim, unless the thing was refused or taken elsewhere; charge, settle | [`Charging`] |
//! | forget a price that has changed, or the subscription that was changed | the caches |

use std::sync::Arc;

use upsell_core::{
    domain::{Fingerprint, OfferRow, Session},
    journal::{Lifting, states},
    policy::authority,
    rules::Reader,
};
use wire::{AcceptRequest, Attempt, ChangeRequest, ErrorCode, IdempotencyKey, OfferId, UpsellResponse};

use super::{
    catalogue::Catalogue,
    charging::{Agreed, ChargeError, Charging},
    offers::{OfferError, Offers},
};
use crate::store::{Store, StoreError};

/// Why nothing was accepted or shown. Nothing was charged by the request.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The offer does not exist, is over, or could not be read.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// The proxy is not ready, or the charge was refused.
    #[error(transparent)]
    Charge(#[from] ChargeError),
}

impl AcceptError {
    /// Returns the code that the client sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Offer(error) => error.code(),
            Self::Charge(error) => error.code(),
        }
    }
}

impl From<StoreError> for AcceptError {
    fn from(error: StoreError) -> Self {
        Self::Charge(error.into())
    }
}

/// Accepts offers and plan changes.
pub struct Accepting {
    /// Offers and quotes on record.
    pub store: Arc<dyn Store>,
    /// Offers, and what they cost.
    pub offers: Arc<Offers>,
    /// Subscriptions, cached.
    pub catalogue: Catalogue,
    /// Collects quotes.
    pub charging: Arc<Charging>,
}

impl Accepting {
    /// Returns the offer for a buyer, or why there is none. Waits for the gate, because an offer is shown only while it can
    /// be accepted.
    ///
    /// # Errors
    /// When the gate stays closed or the store fails.
    pub async fn offer(&self, session: &Session, reader: Reader<'_>) -> Result<UpsellResponse, AcceptError> {
        self.charging.ready().await?;
        Ok(self.offers.current(session, reader).await?)
    }

    /// Accepts an offer: charges it once, exactly as quoted, or not at all.
    ///
    /// # Errors
    /// See [`AcceptError`].
    pub async fn accept(
        &self,
        session: &Session,
        request: AcceptRequest,
        key: IdempotencyKey,
        fingerprint: Fingerprint,
    ) -> Result<Attempt, AcceptError> {
        self.charging.ready().await?;
        let offer = self.offer_of(session, &request.offer_id).await?;
        let who = self.offers.chargeable(session, &offer).await?;
        if let Some(answer) = self.charging.earlier_answer(session, &key, fingerprint).await? {
            return Ok(answer);
        }
        let quote = self.store.quote(&session.customer_id, &request.quote_id).await?;
        let quote = quote.ok_or(ChargeError::NotFound)?;
        // A click on what is over or being paid learns what became of it, by whichever quote.
        if states::OPEN_OFFERS.contains(&offer.state) && !who.allows_quote(&quote) {
            return Err(ChargeError::QuoteExpired.into());
        }
        let lifting = self.offers.lifting(&offer).await?;
        let offer_id = offer.id.clone();
        let agreed = Agreed { offer: Some(offer), quote, who, lifting };
        let answer = self.charging.accept(session, agreed, request, key, fingerprint).await;
        if matches!(answer, Err(ChargeError::QuoteChanged(_))) {
            self.offers.forget_price(&offer_id).await;
        }
        Ok(answer?)
    }

    /// Makes a plan change that was previewed: once, exactly as quoted, or not at all.
    ///
    /// # Errors
    /// See [`AcceptError`].
    pub async fn change(
        &self,
        session: &Session,
        request: ChangeRequest,
        key: IdempotencyKey,
        fingerprint: Fingerprint,
    ) -> Result<Attempt, AcceptError> {
        self.charging.ready().await?;
        let quote = self.store.quote(&session.customer_id, &request.quote_id).await?;
        let answer = async {
            if let Some(answer) = self.charging.earlier_answer(session, &key, fingerprint).await? {
                return Ok(answer);
            }
            let quote = quote.ok_or(ChargeError::NotFound)?;
            let (mut offer, mut lifting) = (None, Lifting::default());
            if let Some(id) = &quote.offer_id {
                let found = self.offer_of(session, id).await?;
                lifting = self.offers.lifting(&found).await?;
                offer = Some(found);
            }
            let agreed = Agreed { offer, quote, who: authority::chargeable(session, None), lifting };
            Ok::<_, AcceptError>(self.charging.change(session, agreed, request, key, fingerprint).await?)
        };
        let answer = answer.await;
        // Whatever came of it, the cached subscription may be out of date now.
        if let Some(id) = &session.subscription_id {
            self.catalogue.refresh_subscription(id).await;
        }
        answer
    }

    async fn offer_of(&self, session: &Session, id: &OfferId) -> Result<OfferRow, AcceptError> {
        Ok(self.store.offer(&session.customer_id, id).await?.ok_or(ChargeError::NotFound)?)
    }
}
