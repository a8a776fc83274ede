//! Offers and the decline ledger.

use async_trait::async_trait;
use dodo_client::ids::CustomerId;
use upsell_core::domain::{DeclineEntry, OfferRow, Person};
use wire::{OfferId, UnixSeconds};

use super::StoreError;

/// What came of inserting an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is new.
    New(OfferRow),
    /// There was one for the same buyer, campaign and trigger; here it is.
    Existing(OfferRow),
}

impl Inserted {
    /// The row that is in the store now.
    #[must_use]
    pub fn row(self) -> OfferRow {
        match self {
            Self::New(row) | Self::Existing(row) => row,
        }
    }
}

/// Offers and refusals.
#[async_trait]
pub trait Offers: Send + Sync {
    /// Inserts an offer unless there is one for the same buyer, campaign and trigger.
    async fn insert_offer_if_absent(&self, offer: &OfferRow) -> Result<Inserted, StoreError>;

    /// An offer of this buyer.
    async fn offer(&self, customer: &CustomerId, id: &OfferId) -> Result<Option<OfferRow>, StoreError>;

    /// All offers of this buyer, the latest first.
    async fn offers_of(&self, customer: &CustomerId) -> Result<Vec<OfferRow>, StoreError>;

    /// The page was answered with it: `eligible` becomes `presented`; every other state stays.
    async fn mark_presented(&self, customer: &CustomerId, id: &OfferId) -> Result<(), StoreError>;

    /// It was really visible. The first time counts. `false` when the buyer has no such offer.
    async fn mark_seen(
        &self,
        customer: &CustomerId,
        id: &OfferId,
        at: UnixSeconds,
    ) -> Result<bool, StoreError>;

    /// This person's refusals, under whichever customer id, the latest first.
    async fn decline_ledger(&self, person: &Person) -> Result<Vec<DeclineEntry>, StoreError>;
}
