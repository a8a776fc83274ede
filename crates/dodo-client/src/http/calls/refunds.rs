//! Refunds.

use crate::{
    ChargeEvidence,
    http::{
        Client,
        transport::{Ask, json},
    },
    types::refunds::{Refund, RefundRequest},
};

impl Client {
    /// `POST /refunds`. Money moves the other way, and twice is as wrong: a charge.
    pub async fn refund(&self, request: &RefundRequest) -> ChargeEvidence<Refund> {
        self.transport.charge(Ask::post(&["refunds"]).json(request), json).await
    }
}
