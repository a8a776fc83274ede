//! Sales after they were made: money that went back, payments that are contested, refunds of our own. Flags on a sale,
//! never states of its offer or attempt.

use dodo_client::ids::{DisputeId, PaymentId, RefundId};
use wire::{AttemptId, Money, UnixSeconds};

use super::{PaymentStatus, words::words};

/// How a refund stands. The order is that of certainty: of two reports the greater holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RefundStatus {
    /// On its way.
    Pending,
    /// Not given back.
    Failed,
    /// Given back.
    Succeeded,
}

words!(RefundStatus { Pending = "pending", Failed = "failed", Succeeded = "succeeded" });

/// A refund as it was seen, whoever asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRefund {
    /// Dodo's id.
    pub id: RefundId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// How it stands.
    pub status: RefundStatus,
    /// How much; absent where Dodo does not say.
    pub amount: Option<Money>,
}

impl SeenRefund {
    /// Says whether the money went back.
    #[must_use]
    pub fn has_succeeded(&self) -> bool {
        self.status == RefundStatus::Succeeded
    }
}

/// How a dispute stands. Of two reports the greater holds: a dispute is opened, perhaps answered, and ends; that it ends
/// in two ways is a contradiction, which the worse one for the merchant wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DisputeStatus {
    /// The merchant has to answer.
    Opened,
    /// The merchant has answered.
    Challenged,
    /// Taken back by the buyer.
    Cancelled,
    /// Decided for the merchant.
    Won,
    /// The merchant gave in.
    Accepted,
    /// Not answered in time.
    Expired,
    /// Decided for the buyer.
    Lost,
}

words!(DisputeStatus { Opened = "opened", Challenged = "challenged", Cancelled = "cancelled", Won = "won", Accepted = "accepted", Expired = "expired", Lost = "lost" });

/// A dispute as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenDispute {
    /// Dodo's id.
    pub id: DisputeId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// How it stands.
    pub status: DisputeStatus,
}

/// A payment of ours with its flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// Dodo's payment.
    pub payment_id: PaymentId,
    /// The attempt that it belongs to.
    pub attempt_id: AttemptId,
    /// How it stands.
    pub status: PaymentStatus,
    /// What it collects, tax included; absent where not known yet.
    pub collected: Option<Money>,
    /// Whether it came in beside another one.
    pub surplus: bool,
    /// Given back so far, in minor units of `collected`.
    pub refunded: i64,
    /// The dispute that has come furthest.
    pub dispute: Option<DisputeStatus>,
}

/// Why we give money back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefundCause {
    /// It came in after the attempt had been given up.
    Late,
    /// It came in a second time.
    Surplus,
    /// It was more than was shown.
    AboveQuote,
    /// It was less than was agreed, and a person decided so.
    Underpaid,
}

words!(RefundCause { Late = "late", Surplus = "surplus", AboveQuote = "above_quote", Underpaid = "underpaid" });

/// How an order to refund stands. Like a charge, it is sent at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderState {
    /// Provably not sent.
    Due,
    /// The one request may have happened.
    Sent,
    /// Dodo has it: given back, or on its way.
    Done,
    /// It will not be given back by us: a person has to.
    Refused,
}

words!(OrderState { Due = "due", Sent = "sent", Done = "done", Refused = "refused" });

/// An order to refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundOrder {
    /// Of which payment.
    pub payment_id: PaymentId,
    /// Why.
    pub cause: RefundCause,
    /// How much, in minor units; all of it when absent.
    pub amount: Option<i64>,
    /// How it stands.
    pub state: OrderState,
    /// Dodo's refund.
    pub refund_id: Option<RefundId>,
    /// When it was ordered.
    pub created_at: UnixSeconds,
    /// When it was marked as sent.
    pub sent_at: Option<UnixSeconds>,
    /// When to look next.
    pub next_check_at: Option<UnixSeconds>,
}
