//! The weakened variants change production's decisions from outside: what is loaded before them, or what is
//! written after them.

use dodo_client::types::payments::IntentStatus;
use upsell_core::{
    domain::{AttemptRow, Named, OfferState, OrderState, PaymentFacts},
    journal::{
        Change, Changes, Claim, Command, Decline, MarkRefundSent, Record, Settle, SettlePayment,
        fixtures::genuine, memory::Memory,
    },
};

use super::{rows::BEFORE, system::Variant};

/// Changes what a payment says that the buyer made without us.
pub(super) fn forged(variant: Variant, payment: PaymentFacts) -> PaymentFacts {
    match (variant, &payment.named) {
        // A name passes for a code, and what was paid is not compared.
        (Variant::BelievesNames, Named::Attempt(attempt)) => {
            let row = AttemptRow { id: attempt.clone(), ..AttemptRow::example() };
            genuine(&row, payment.payment_id.as_str())
        }
        // A copy that fails passes for the payment that it was copied from.
        (Variant::FailsByCopies, _) if payment.status == Some(IntentStatus::Failed) => payment.began(BEFORE),
        _ => payment,
    }
}

/// Changes what a decision sees.
pub(super) fn before(variant: Variant, command: &str, record: &mut Record) {
    match variant {
        // The attempt passes for the offer's latest.
        Variant::Unfenced => {
            if let (Some(attempt), Some(offer)) = (&record.attempt, &mut record.offer) {
                offer.attempt_no = attempt.row.no;
            }
        }
        // A payment that is pending passes for one that failed.
        Variant::FallbackWhilePending if command == Claim::NAME => {
            if let Some(offer) = record.offer.as_mut().filter(|offer| offer.state == OfferState::Pending) {
                offer.state = OfferState::Failed;
                record.siblings.clear();
            }
        }
        // A refund that was sent passes for one that was not.
        Variant::RefundsRepeat if command == MarkRefundSent::NAME => {
            for order in &mut record.orders {
                if order.row.state == OrderState::Sent {
                    order.row.state = OrderState::Due;
                }
            }
        }
        _ => {}
    }
}

/// Changes what is written.
pub(super) fn after(variant: Variant, command: &str, memory: &Memory, changes: Changes) -> Changes {
    match variant {
        Variant::Unfenced => changes
            .iter()
            .cloned()
            .map(|change| match change {
                // The number is what it was.
                Change::UpdateOffer { id, state, attempt_no } if command != Claim::NAME => {
                    let attempt_no = memory.offers.get(&id).map_or(attempt_no, |offer| offer.attempt_no);
                    Change::UpdateOffer { id, state, attempt_no }
                }
                change => change,
            })
            .collect(),
        Variant::RefundsRepeat => changes
            .iter()
            .cloned()
            .map(|change| match change {
                Change::MarkRefundSent { order, .. } => Change::UpdateOrder(order),
                change => change,
            })
            .collect(),
        Variant::Unnotified if [Settle::NAME, SettlePayment::NAME].contains(&command) => {
            changes.iter().filter(|change| !matches!(change, Change::Notify { .. })).cloned().collect()
        }
        Variant::ForgetsRefusals if command == Decline::NAME => {
            changes.iter().filter(|change| !matches!(change, Change::UpdateOffer { .. })).cloned().collect()
        }
        _ => changes,
    }
}
