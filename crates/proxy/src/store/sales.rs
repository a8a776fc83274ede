//! Sales after they were made: flags, and orders to refund.

use async_trait::async_trait;
use dodo_client::ids::PaymentId;
use upsell_core::domain::{RefundOrder, Sale};
use wire::UnixSeconds;

use super::StoreError;

/// What is known of payments beyond their being paid.
#[async_trait]
pub trait Sales: Send + Sync {
    /// A payment of an attempt of ours, with its flags.
    async fn sale(&self, payment: &PaymentId) -> Result<Option<Sale>, StoreError>;
}

/// Refunds that the merchant's policy asks for. They are ordered by settling, in the transaction that found out that they
/// are due.
#[async_trait]
pub trait RefundOrders: Send + Sync {
    /// The order that a payment gave rise to.
    async fn refund_order(&self, payment: &PaymentId) -> Result<Option<RefundOrder>, StoreError>;

    /// Takes up to `limit` orders whose time has come, under a lease until `lease_until`.
    async fn take_due_refunds(
        &self,
        now: UnixSeconds,
        lease_until: UnixSeconds,
        limit: u32,
    ) -> Result<Vec<RefundOrder>, StoreError>;
}
