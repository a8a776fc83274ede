//! Payments that their buyers contest at the bank. They come in webhooks and inside payments.

use serde::Deserialize;

use crate::{
    ids::{DisputeId, PaymentId},
    lenient::{Readable, open_enum},
};

open_enum! {
    /// How a dispute stands.
    DisputeStatus {
        /// The merchant has to answer.
        Opened = "dispute_opened",
        /// The merchant has answered.
        Challenged = "dispute_challenged",
        /// Taken back by the buyer.
        Cancelled = "dispute_cancelled",
        /// Not answered in time.
        Expired = "dispute_expired",
        /// The merchant gives in.
        Accepted = "dispute_accepted",
        /// Decided for the merchant.
        Won = "dispute_won",
        /// Decided for the buyer.
        Lost = "dispute_lost",
    }
}

/// A dispute. Strict: all of it that is read here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Dispute {
    /// Which.
    pub dispute_id: DisputeId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// How it stands.
    pub dispute_status: DisputeStatus,
}

impl Readable for Dispute {
    const NAME: &'static str = "dispute";
}
