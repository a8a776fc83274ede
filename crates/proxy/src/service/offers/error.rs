//! What can go wrong about offers, and what the client sees of it.

use wire::ErrorCode;

use crate::{
    service::{catalogue::CatalogueError, purchases::PurchaseError, quoting::QuoteError},
    store::StoreError,
};

/// Why an offer could not be made, shown or refused.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// The buyer has no such offer.
    #[error("no such offer")]
    NotFound,
    /// A field says what nobody means.
    #[error("`{0}` cannot be taken")]
    Invalid(&'static str),
    /// It is being paid: it can be neither refused nor taken now.
    #[error("the offer is being paid")]
    InProgress,
    /// It is paid, refused or over.
    #[error("the offer is over")]
    Gone,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What it costs is not known.
    #[error(transparent)]
    Quote(#[from] QuoteError),
    /// A product, a subscription or the methods are not known.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The purchase is not known.
    #[error(transparent)]
    Purchase(#[from] PurchaseError),
    /// A new id did not come out well-formed.
    #[error(transparent)]
    Id(#[from] wire::IdError),
}

impl OfferError {
    /// The code that the client sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound => ErrorCode::NotFound,
            Self::Invalid(_) => ErrorCode::InvalidRequest,
            Self::InProgress => ErrorCode::AttemptInProgress,
            Self::Gone => ErrorCode::OfferGone,
            Self::Store(error) => error.code(),
            Self::Id(_) => ErrorCode::Internal,
            Self::Quote(error) => error.code(),
            // What was offered is not there any more.
            Self::Catalogue(error) if error.is_final() => ErrorCode::OfferGone,
            Self::Catalogue(_) | Self::Purchase(_) => ErrorCode::Unavailable,
        }
    }
}
