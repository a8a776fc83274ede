//! Refunds and disputes, whoever began them, and the refund orders of our own.
//!
//! Reports come in any order, any number of times, before or after the payment itself; what is known only grows, and no
//! offer or attempt moves by it. An order is sent at most once, like a charge.

use dodo_client::ids::{PaymentId, RefundId};
use wire::{Money, UnixSeconds};

use super::{Change, Changes, Command, Record, Scope, StoredOrder, notifications};
use crate::domain::{OrderState, RefundCause, RefundOrder, RefundStatus, SeenDispute, SeenRefund};

/// Records a refund, and notifies the merchant's system of one that succeeded on a sale of ours. The outcome says whether
/// its state is new. Of a payment that the store has let go of, nothing is recorded.
#[derive(Clone, Debug)]
pub struct RecordRefund {
    /// The refund as it was seen.
    pub refund: SeenRefund,
    /// The time.
    pub at: UnixSeconds,
}

impl Command for RecordRefund {
    const NAME: &'static str = "record_refund";
    type Outcome = bool;

    fn scope(&self) -> Scope {
        Scope::of_sale(&self.refund.payment_id)
    }

    fn decide(&self, record: &Record) -> (bool, Changes) {
        if record.is_let_go {
            return (false, Changes::none());
        }
        let (seen, at) = (&self.refund, self.at);
        let known = record.refund(&seen.id);
        let merged = match known {
            None => seen.clone(),
            Some(known) => SeenRefund {
                status: known.status.max(seen.status),
                amount: larger(known.amount, seen.amount),
                ..known.clone()
            },
        };
        let is_new = known.is_none_or(|known| known.status != merged.status);
        let mut changes = Changes::none();
        changes.push(Change::WriteRefund { refund: merged.clone(), at });
        for order in &record.orders {
            orders_follow(order, &merged, record, at, &mut changes);
        }
        if merged.has_succeeded()
            && let Some((row, quote)) = record.sale()
        {
            let offer = record.offer.as_ref();
            changes.notify(notifications::of_refund(&merged, row, quote, offer, at), at);
        }
        (is_new, changes)
    }
}

/// Of two reported amounts the larger: any fixed choice would do, and Dodo's do not differ.
fn larger(a: Option<Money>, b: Option<Money>) -> Option<Money> {
    a.into_iter().chain(b).max_by_key(|money| (money.amount, money.currency.as_str().to_owned()))
}

/// An order stands as its refund stands: on its way is done, and what comes to nothing later is not. What has changed is
/// not looked at any more.
fn orders_follow(
    order: &StoredOrder,
    refund: &SeenRefund,
    record: &Record,
    at: UnixSeconds,
    changes: &mut Changes,
) {
    let state = match refund.status {
        RefundStatus::Pending => return,
        RefundStatus::Failed => OrderState::Refused,
        RefundStatus::Succeeded => OrderState::Done,
    };
    let is_its_own = order.row.refund_id.as_ref() == Some(&refund.id);
    let is_concluded = matches!(order.row.state, OrderState::Done | OrderState::Refused);
    if !is_its_own || !is_concluded || order.row.state == state {
        return;
    }
    let row = RefundOrder { state, next_check_at: None, ..order.row.clone() };
    changes.push(Change::UpdateOrder(StoredOrder { row: row.clone(), ..order.clone() }));
    if state == OrderState::Refused {
        notify_not_refunded(&row, record, at, changes);
    }
}

fn notify_not_refunded(order: &RefundOrder, record: &Record, at: UnixSeconds, changes: &mut Changes) {
    if let Some((row, quote)) = record.sale() {
        let offer = record.offer.as_ref();
        changes.notify(notifications::of_refund_refusal(order, row, quote, offer, at), at);
    }
}

/// Records a dispute, and notifies the merchant's system of one on a sale of ours. The outcome says whether its state is
/// new. Of a payment that the store has let go of, nothing is recorded.
#[derive(Clone, Debug)]
pub struct RecordDispute {
    /// The dispute as it was seen.
    pub dispute: SeenDispute,
    /// The time.
    pub at: UnixSeconds,
}

impl Command for RecordDispute {
    const NAME: &'static str = "record_dispute";
    type Outcome = bool;

    fn scope(&self) -> Scope {
        Scope::of_sale(&self.dispute.payment_id)
    }

    fn decide(&self, record: &Record) -> (bool, Changes) {
        if record.is_let_go {
            return (false, Changes::none());
        }
        let (seen, at) = (&self.dispute, self.at);
        let known = record.disputes.iter().find(|dispute| dispute.id == seen.id);
        let merged = match known {
            None => seen.clone(),
            Some(known) => SeenDispute { status: known.status.max(seen.status), ..known.clone() },
        };
        let is_new = known.is_none_or(|known| known.status != merged.status);
        let mut changes = Changes::none();
        changes.push(Change::WriteDispute { dispute: merged.clone(), at });
        if let Some((row, quote)) = record.sale() {
            let offer = record.offer.as_ref();
            changes.notify(notifications::of_dispute(&merged, row, quote, offer, at), at);
        }
        (is_new, changes)
    }
}

/// Marks a refund order as sent, if this process took it and its lease lasts. From the moment this is committed the
/// request may have left; where the outcome is `false`, it must not leave.
#[derive(Clone, Debug)]
pub struct MarkRefundSent {
    /// The payment of the order.
    pub payment_id: PaymentId,
    /// The cause of the order.
    pub cause: RefundCause,
    /// The time.
    pub now: UnixSeconds,
    /// When to look what became of it, unless it is concluded by then.
    pub next_check_at: UnixSeconds,
}

impl Command for MarkRefundSent {
    const NAME: &'static str = "mark_refund_sent";
    type Outcome = bool;

    fn scope(&self) -> Scope {
        Scope { sale: false, offer: None, quote: false, ..Scope::of_sale(&self.payment_id) }
    }

    fn decide(&self, record: &Record) -> (bool, Changes) {
        let may_send = |order: &&StoredOrder| {
            order.row.cause == self.cause
                && order.row.state == OrderState::Due
                && order.lease_until > self.now
                && order.lease_owner.as_deref() == Some(record.instance.as_str())
        };
        let Some(order) = record.orders.iter().find(may_send) else { return (false, Changes::none()) };
        let row = RefundOrder {
            state: OrderState::Sent,
            sent_at: Some(self.now),
            next_check_at: Some(self.next_check_at),
            ..order.row.clone()
        };
        let order = StoredOrder { row, lease_until: self.next_check_at, ..order.clone() };
        let mut changes = Changes::none();
        changes.push(Change::MarkRefundSent { order, from: OrderState::Due, now: self.now });
        (true, changes)
    }
}

/// What came of working on a refund order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// It is refunded, or nobody waits for that any longer.
    Done(RefundId),
    /// Its refund is pending; to be looked at then.
    Underway(RefundId, UnixSeconds),
    /// It is not refunded, and will not be by us.
    Refused(Option<RefundId>),
    /// Certainly nothing was executed: it may be sent then.
    Due(UnixSeconds),
    /// As before; to be looked at then, or never again.
    Later(Option<UnixSeconds>),
}

/// Records what came of a refund order, if it still is in the state that it was in for the caller; an order that is refused
/// is notified to the merchant's system. The outcome says whether it was.
#[derive(Clone, Copy, Debug)]
pub struct ConcludeRefund<'a> {
    /// The order as the caller knows it.
    pub order: &'a RefundOrder,
    /// What came of it.
    pub conclusion: &'a Conclusion,
    /// The time.
    pub now: UnixSeconds,
}

impl Command for ConcludeRefund<'_> {
    const NAME: &'static str = "conclude_refund";
    type Outcome = bool;

    fn scope(&self) -> Scope {
        Scope::of_sale(&self.order.payment_id)
    }

    fn decide(&self, record: &Record) -> (bool, Changes) {
        let is_asked_about =
            |order: &&StoredOrder| order.row.cause == self.order.cause && order.row.state == self.order.state;
        let Some(stored) = record.orders.iter().find(is_asked_about) else { return (false, Changes::none()) };
        let (state, refund, next_check_at) = match self.conclusion {
            Conclusion::Done(id) => (OrderState::Done, Some(id), None),
            Conclusion::Underway(id, at) => (OrderState::Done, Some(id), Some(*at)),
            Conclusion::Refused(id) => (OrderState::Refused, id.as_ref(), None),
            Conclusion::Due(at) => (OrderState::Due, None, Some(*at)),
            Conclusion::Later(at) => (stored.row.state, None, *at),
        };
        let row = RefundOrder {
            state,
            refund_id: refund.cloned().or_else(|| stored.row.refund_id.clone()),
            next_check_at,
            ..stored.row.clone()
        };
        let checks = stored.checks.saturating_add(1);
        let order = StoredOrder { row, lease_until: UnixSeconds(0), checks, ..stored.clone() };
        let mut changes = Changes::none();
        changes.push(Change::UpdateOrder(order.clone()));
        if state == OrderState::Refused {
            notify_not_refunded(&order.row, record, self.now, &mut changes);
        }
        // What was reported of the refund until now did not find the order.
        if let Some(known) = refund.and_then(|id| record.refund(id)) {
            orders_follow(&order, known, record, self.now, &mut changes);
        }
        (true, changes)
    }
}

#[cfg(test)]
mod tests;
