//! What a person decides about money that fell short, and about what waiting did not decide: the merchant's server says it, and it is done once.

use std::sync::Arc;

use upsell_core::{
    domain::{AttemptRow, AttemptState},
    journal::{Resolution, Resolve, Resolved},
};
use wire::{AttemptId, ErrorCode};

use crate::{
    clock::Clock,
    store::{Execute, Store, StoreError},
};

/// Why nothing was resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// A word that this version does not know.
    #[error("`resolution` cannot be taken")]
    Invalid,
    /// There is no such attempt.
    #[error("no such attempt")]
    NotFound,
    /// Nothing about this attempt waits for such a decision.
    #[error("the attempt is not open to this decision")]
    NotOpen(AttemptState),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ResolveError {
    /// The code that the client sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid => ErrorCode::InvalidRequest,
            Self::NotFound => ErrorCode::NotFound,
            Self::NotOpen(_) => ErrorCode::NotResolvable,
            Self::Store(error) => error.code(),
        }
    }
}

/// Resolves attempts that are `underpaid` or `needs_review`.
pub struct Resolving {
    /// The journal.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Resolving {
    /// Does what was decided about an attempt.
    ///
    /// # Errors
    /// See [`ResolveError`]. Deciding twice is an error, and nothing is done the second time.
    pub async fn resolve(
        &self,
        id: &AttemptId,
        resolution: wire::Resolution,
    ) -> Result<AttemptRow, ResolveError> {
        let resolution = match resolution {
            wire::Resolution::Fulfil => Resolution::Fulfil,
            wire::Resolution::Refund => Resolution::Refund,
            wire::Resolution::Reopen => Resolution::Reopen,
            wire::Resolution::Other => return Err(ResolveError::Invalid),
        };
        let row = self.store.attempt_by_id(id).await?.ok_or(ResolveError::NotFound)?;
        let resolve =
            Resolve { attempt: id.clone(), payment: row.payment_id, resolution, at: self.clock.now() };
        match self.store.execute(&resolve).await? {
            Resolved::Done(row) => Ok(*row),
            Resolved::NotOpen(state) => Err(ResolveError::NotOpen(state)),
            Resolved::NotFound => Err(ResolveError::NotFound),
        }
    }
}
