//! Refunds: the whole payment, or parts of its lines.

use super::cart::check_metadata;
use super::event::{EventType, Subject};
use super::world::World;
use crate::billing::sum;
use crate::error::{ApiError, Code, Outcome};
use crate::model::Metadata;
use crate::model::payment::{IntentStatus, Payment, Refund, RefundStatus};
use serde::Deserialize;

/// Body of `POST /refunds`.
#[derive(Debug, Deserialize)]
pub(crate) struct RefundRequest {
    payment_id: String,
    #[serde(default)]
    items: Option<Vec<RefundItem>>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
struct RefundItem {
    item_id: String,
    #[serde(default)]
    amount: Option<i64>,
}

/// `POST /refunds`; returns the refund's id.
pub(crate) fn create(world: &mut World, request: RefundRequest) -> Outcome<String> {
    let payment = world.payment(&request.payment_id)?.clone();
    if payment.status != IntentStatus::Succeeded {
        return Err(ApiError::new(Code::UnsupportedAction, "only a succeeded payment can be refunded"));
    }
    if let Some(metadata) = &request.metadata {
        check_metadata(metadata)?;
    }
    let parts = parts(&payment, request.items.as_deref())?;
    let amount = sum(parts.iter().map(|(_, amount)| *amount))?;
    // Credit that paid a part of a charge is not money that can be sent back.
    let left = payment.total_amount - payment.refunded();
    if amount < 1 || amount > left {
        return Err(ApiError::invalid("the payment has less than that left to refund"));
    }
    let refund_id = world.ids.next("ref");
    world.refunds.put(Refund {
        refund_id: refund_id.clone(),
        payment_id: payment.payment_id.clone(),
        customer_id: payment.customer_id.clone(),
        amount,
        currency: payment.currency,
        is_partial: amount < payment.total_amount,
        reason: request.reason,
        status: RefundStatus::Pending,
        parts,
        metadata: request.metadata.unwrap_or_default(),
        created_at: world.now,
    });
    if !world.policy.refunds_pending {
        settle(world, &refund_id, RefundStatus::Succeeded)?;
    }
    Ok(refund_id)
}

fn parts(payment: &Payment, items: Option<&[RefundItem]>) -> Outcome<Vec<(String, i64)>> {
    let Some(items) = items else {
        let mut left = payment.total_amount - payment.refunded();
        return Ok(payment
            .lines
            .iter()
            .map(|line| {
                let part = (line.amount - line.refunded).clamp(0, left.max(0));
                left -= part;
                (line.items_id.clone(), part)
            })
            .filter(|(_, part)| *part > 0)
            .collect());
    };
    items
        .iter()
        .map(|item| {
            let line = payment
                .lines
                .iter()
                .find(|line| line.items_id == item.item_id)
                .ok_or_else(|| ApiError::not_found("line item", &item.item_id))?;
            let left = line.amount - line.refunded;
            let amount = item.amount.unwrap_or(left);
            if amount < 1 || amount > left {
                return Err(ApiError::invalid("the line has less than that left to refund"));
            }
            Ok((line.items_id.clone(), amount))
        })
        .collect()
}

/// Ends a pending refund.
pub(crate) fn settle(world: &mut World, refund_id: &str, status: RefundStatus) -> Outcome<()> {
    let refund = world.refunds.get_mut(refund_id).ok_or_else(|| ApiError::not_found("refund", refund_id))?;
    if refund.status != RefundStatus::Pending {
        return Err(ApiError::new(Code::UnsupportedAction, "the refund has ended"));
    }
    refund.status = status;
    let kind = match status {
        RefundStatus::Succeeded => EventType::RefundSucceeded,
        RefundStatus::Failed => EventType::RefundFailed,
        RefundStatus::Pending | RefundStatus::Review => return Ok(()),
    };
    let refund = refund.clone();
    if let (RefundStatus::Succeeded, Some(payment)) = (status, world.payments.get_mut(&refund.payment_id)) {
        for (items_id, amount) in &refund.parts {
            if let Some(line) = payment.lines.iter_mut().find(|line| line.items_id == *items_id) {
                line.refunded += amount;
            }
        }
        payment.updated_at = Some(world.now);
    }
    world.tell(kind, Subject::Refund { refund_id: refund_id.to_owned() });
    Ok(())
}
