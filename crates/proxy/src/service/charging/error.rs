//! Why a request to charge was not answered with an attempt. In every case nothing was charged by it.

use wire::{ErrorCode, IdError, Quote};

use super::evidence::LookError;
use crate::{service::quoting::QuoteError, store::StoreError, upstream};

/// Why there is no attempt to answer with.
#[derive(Debug, thiserror::Error)]
pub enum ChargeError {
    /// No such offer, quote or attempt of this buyer.
    #[error("no such thing of this buyer")]
    NotFound,
    /// A field of the request asks for something that was not quoted.
    #[error("`{0}` is not as quoted")]
    Invalid(&'static str),
    /// The quote's time has passed.
    #[error("the quote has expired")]
    QuoteExpired,
    /// It costs something else now; this is the new quote.
    #[error("the amount has changed")]
    QuoteChanged(Box<Quote>),
    /// Declined or over.
    #[error("the offer is over")]
    OfferGone,
    /// Another attempt for the offer or the subscription is under way.
    #[error("another attempt is under way")]
    AttemptInProgress,
    /// The request with this key is being worked on.
    #[error("the request with this key is being worked on")]
    KeyInProgress,
    /// The key was used with another body.
    #[error("the key was used with another body")]
    KeyReused,
    /// Dodo does not do this at the moment.
    #[error("this is not possible at the moment")]
    ChangeNotPossible,
    /// Dodo cannot be reached or does not want to; the same request may be made again.
    #[error("not available at the moment")]
    Unavailable {
        /// Seconds to wait, where Dodo said so.
        retry_after: Option<u32>,
    },
    /// The store failed before anything was sent.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A new id did not come out well-formed.
    #[error(transparent)]
    Id(#[from] IdError),
}

impl ChargeError {
    /// The code that the client sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound => ErrorCode::NotFound,
            Self::Invalid(_) => ErrorCode::InvalidRequest,
            Self::QuoteExpired => ErrorCode::QuoteExpired,
            Self::QuoteChanged(_) => ErrorCode::QuoteChanged,
            Self::OfferGone => ErrorCode::OfferGone,
            Self::AttemptInProgress => ErrorCode::AttemptInProgress,
            Self::KeyInProgress => ErrorCode::KeyInProgress,
            Self::KeyReused => ErrorCode::IdempotencyKeyReused,
            Self::ChangeNotPossible => ErrorCode::ChangeNotPossible,
            Self::Unavailable { .. } => ErrorCode::Unavailable,
            Self::Store(error) => error.code(),
            Self::Id(_) => ErrorCode::Internal,
        }
    }
}

impl From<LookError> for ChargeError {
    /// For what only looks.
    fn from(error: LookError) -> Self {
        match error {
            LookError::Store(error) => Self::Store(error),
            LookError::Dodo(_) | LookError::Listing(_) => Self::Unavailable { retry_after: None },
        }
    }
}

impl From<QuoteError> for ChargeError {
    /// For before it is sent.
    fn from(error: QuoteError) -> Self {
        let retry_after = upstream::held_back_for(&error);
        match error {
            QuoteError::NotFound => Self::NotFound,
            QuoteError::Refused(_) | QuoteError::Body(_) => Self::ChangeNotPossible,
            QuoteError::Catalogue(error) if error.is_final() => Self::ChangeNotPossible,
            QuoteError::Upstream(_) | QuoteError::Catalogue(_) | QuoteError::Pricing(_) => {
                Self::Unavailable { retry_after }
            }
            QuoteError::Store(error) => Self::Store(error),
            QuoteError::Id(error) => Self::Id(error),
        }
    }
}
