//! Links on which buyers give another payment method.

use async_trait::async_trait;
use dodo_client::ids::SubscriptionId;
use upsell_core::policy::payment_link::{KeptLink, LinkUse};

use super::StoreError;

/// One link for each subscription and use.
#[async_trait]
pub trait PaymentLinks: Send + Sync {
    /// Returns what is kept.
    async fn payment_link(&self, id: &SubscriptionId, of: LinkUse) -> Result<Option<KeptLink>, StoreError>;

    /// Writes `new` over the version before it, or as the first. Returns whether it was written: `false` when somebody else
    /// wrote in between.
    async fn replace_payment_link(
        &self,
        id: &SubscriptionId,
        of: LinkUse,
        new: &KeptLink,
    ) -> Result<bool, StoreError>;
}
