//! Sales after they were made: flags, and orders to refund.

use async_trait::async_trait;
use dodo_client::ids::{PaymentId, RefundId};
use wire::UnixSeconds;

use super::StoreError;
use crate::domain::{RefundOrder, Sale, SeenDispute, SeenRefund};

/// What is known of payments beyond their being paid. Reports come in any order, any number of times, before or after
/// the payment itself; what is known only grows, and no offer or attempt moves by it.
#[async_trait]
pub trait Sales: Send + Sync {
    /// Writes a refund down, and tells the merchant's system of one that has been given back on a sale of ours. Returns
    /// whether its state is news.
    async fn record_refund(&self, refund: &SeenRefund, at: UnixSeconds) -> Result<bool, StoreError>;

    /// The same for a dispute.
    async fn record_dispute(&self, dispute: &SeenDispute, at: UnixSeconds) -> Result<bool, StoreError>;

    /// A payment of an attempt of ours, with its flags.
    async fn sale(&self, payment: &PaymentId) -> Result<Option<Sale>, StoreError>;
}

/// What came of working on an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// It is given back, or nobody waits for that any longer.
    Done(RefundId),
    /// It is on its way; to be looked at then.
    Underway(RefundId, UnixSeconds),
    /// It is not, and will not be by us.
    Refused(Option<RefundId>),
    /// Certainly nothing was executed: it may be sent then.
    Due(UnixSeconds),
    /// As before; to be looked at then, or never again.
    Later(Option<UnixSeconds>),
}

/// Refunds that the merchant's policy asks for. They are ordered by [`settle`](super::Attempts::settle), in the
/// transaction that found out that they are due.
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

    /// `due` becomes `sent`, if this process took it and its lease lasts. From here on the request may have left; unless
    /// concluded before, it is to be looked at when `next_check_at` has come.
    async fn mark_refund_sent(
        &self,
        order: &RefundOrder,
        now: UnixSeconds,
        next_check_at: UnixSeconds,
    ) -> Result<bool, StoreError>;

    /// Writes down what came of it, if the order still is in the state that it was in for the caller; an order that is
    /// refused is told to the merchant's system.
    async fn conclude_refund(
        &self,
        order: &RefundOrder,
        conclusion: &Conclusion,
        now: UnixSeconds,
    ) -> Result<bool, StoreError>;
}
