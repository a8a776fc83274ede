//! The keys that charges are signed with, as far as the store knows them.

use std::sync::Arc;

use wire::UnixSeconds;

use crate::{
    clock::Clock,
    store::{Store, StoreError},
};

/// Retires signing keys.
pub struct SigningKeys {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl SigningKeys {
    /// Remembers that a key may be missing from now on. Returns when; `None` where it is not known, or was retired before.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn retire(&self, id: &str) -> Result<Option<UnixSeconds>, StoreError> {
        let at = self.clock.now();
        Ok(self.store.retire_key(id, at).await?.then_some(at))
    }
}
