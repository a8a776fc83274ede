//! Giving back what the merchant's policy says: at most one request for each order, by the same rule as charges.
//!
//! | step | left behind by a crash |
//! |---|---|
//! | ordered, in the transaction that found out that it is due | `due` |
//! | look: has it gone back already, and from which line? | the same |
//! | mark as sent (commit) | `sent`: taken for unknown, looked for |
//! | one request, never repeated | the same |
//! | classify, note it on the sale, conclude (commit) | `done`, `refused`, or `due` where certainly nothing was executed |
//!
//! What was sent and has no outcome is looked for among the refunds of the payment; what is on its way is looked at until
//! it has arrived, or not.

use std::{sync::Arc, time::Duration};

use dodo_client::{Priority, http::turn::with_priority, types::refunds::Refund};
use money::later;
use tokio_util::sync::CancellationToken;
use upsell_core::{
    domain::{OrderState, RefundCause, RefundOrder, RefundStatus, SeenRefund},
    journal::{ConcludeRefund, Conclusion, MarkRefundSent},
    policy::{
        classify::{Class, classify},
        refunds::{self, Next, Standing},
    },
};
use wire::UnixSeconds;

use super::charging::Charging;
use crate::{
    clock::Clock,
    gateway::{Gateway, refund_as_seen},
    store::{Execute, Store, StoreError},
};

/// How often the store is asked what is due.
const PACE: Duration = Duration::from_secs(5);
/// Seconds for which an order is taken. Longer than the reads before the request can take.
const LEASE: i64 = 120;
/// Seconds after the mark at which an order without an outcome is looked for: longer than the client waits for
/// connecting and for the answer together.
const SENT_LEASE: i64 = 45;
/// Seconds after which what could not be begun is tried again.
const AGAIN_AFTER: i64 = 60;
/// Orders taken in one round: refunds are rare, and one after the other is soon enough.
const BATCH: u32 = 20;

/// The worker.
pub struct Refunds {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    gateway: Gateway,
    charging: Arc<Charging>,
}

impl Refunds {
    /// Over what charging is over.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        gateway: Gateway,
        charging: Arc<Charging>,
    ) -> Self {
        Self { store, clock, gateway, charging }
    }

    /// Works until cancelled.
    pub async fn run(&self, cancel: CancellationToken) {
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = pace.tick() => {}
            }
            // A store that has lost commits may not know what has gone back already.
            if !self.charging.gate().is_open() {
                continue;
            }
            if let Err(error) = self.round().await {
                tracing::error!(%error, "a round of refunds failed");
            }
        }
    }

    /// Works on everything that is due. Returns how many orders that were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn round(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let due = self.store.take_due_refunds(now, later(now, LEASE), BATCH).await?;
        if !due.is_empty() {
            crate::failpoint!("refund.taken");
        }
        for order in &due {
            with_priority(Priority::LookUp, self.work_on(order)).await?;
        }
        Ok(due.len())
    }

    async fn work_on(&self, order: &RefundOrder) -> Result<(), StoreError> {
        let payment = match self.gateway.refundable(&order.payment_id).await {
            Ok(payment) => payment,
            Err(error) => {
                tracing::warn!(payment_id = %order.payment_id, %error, "a refund could not be looked into");
                return self.again_later(order).await;
            }
        };
        crate::failpoint!("refund.looked");
        for refund in &payment.refunds {
            self.charging.note_refund(refund).await?;
        }
        match (refunds::standing(order.amount, payment.amount, &payment.refunds), order.state) {
            (Standing::Covered(refund), _) => self.found(order, refund).await,
            (_, OrderState::Due) if payment.collected => self.begin(order).await,
            (_, OrderState::Due) => self.again_later(order).await,
            (Standing::Failed(refund), _) => self.refused(order, Some(refund)).await,
            (Standing::Open, _) => self.not_found(order).await,
        }
    }

    /// Sends it, for the only time.
    async fn begin(&self, order: &RefundOrder) -> Result<(), StoreError> {
        let part = match order.amount {
            None => None,
            Some(amount) => match self.gateway.line_for(&order.payment_id, amount).await {
                Ok(Some(line)) => Some((line, amount)),
                Ok(None) => return self.refused(order, None).await,
                Err(error) => {
                    tracing::warn!(payment_id = %order.payment_id, %error, "lines could not be read");
                    return self.again_later(order).await;
                }
            },
        };
        let Ok(room) = self.gateway.room_for_charge().await else { return self.again_later(order).await };
        let now = self.clock.now();
        let mark = MarkRefundSent {
            payment_id: order.payment_id.clone(),
            cause: order.cause,
            now,
            next_check_at: later(now, SENT_LEASE),
        };
        if !self.store.execute(&mark).await? {
            // Another proxy has taken it up.
            return Ok(());
        }
        let order = RefundOrder { state: OrderState::Sent, sent_at: Some(now), ..order.clone() };
        crate::failpoint!("refund.before_post");
        let sent = self.gateway.refund(&order.payment_id, part, reason(order.cause));
        let evidence = room.spend_on(sent).await;
        crate::failpoint!("refund.answered");
        match classify(&evidence) {
            Class::Accepted(refund) => self.accepted(&order, refund).await,
            Class::NotSent => self.due_again(&order, AGAIN_AFTER).await,
            Class::Rejected(_) => self.refused(&order, None).await,
            Class::Unknown => self.not_found(&order).await,
        }
    }

    async fn accepted(&self, order: &RefundOrder, refund: &Refund) -> Result<(), StoreError> {
        // First the sale, then the order: with the order concluded nobody would look any more.
        let seen = refund_as_seen(refund);
        self.charging.note_refund(&seen).await?;
        crate::failpoint!("refund.noted");
        match seen.status {
            RefundStatus::Failed => self.refused(order, Some(&seen)).await,
            RefundStatus::Pending | RefundStatus::Succeeded => self.found(order, &seen).await,
        }
    }

    /// It is given back, or on its way. What is on its way may come to nothing, and the webhook that says so may be lost.
    async fn found(&self, order: &RefundOrder, refund: &SeenRefund) -> Result<(), StoreError> {
        let id = refund.id.clone();
        let next = match refund.status {
            RefundStatus::Pending => refunds::next(sent_at(order), self.clock.now()),
            RefundStatus::Failed | RefundStatus::Succeeded => {
                self.conclude(order, &Conclusion::Done(id)).await?;
                return Ok(());
            }
        };
        let conclusion = match next {
            Next::LookAt(at) | Next::Doubt(at) => Conclusion::Underway(id, at),
            Next::Stop => {
                self.charging.alert_about("refund_in_doubt", &order.payment_id).await?;
                Conclusion::Done(id)
            }
        };
        self.conclude(order, &conclusion).await?;
        Ok(())
    }

    /// Certainly nothing was executed.
    async fn due_again(&self, order: &RefundOrder, after: i64) -> Result<(), StoreError> {
        self.conclude(order, &Conclusion::Due(later(self.clock.now(), after))).await?;
        Ok(())
    }

    async fn again_later(&self, order: &RefundOrder) -> Result<(), StoreError> {
        let at = later(self.clock.now(), AGAIN_AFTER);
        self.conclude(order, &Conclusion::Later(Some(at))).await?;
        Ok(())
    }

    /// It was sent, and nothing is to be seen of it yet.
    async fn not_found(&self, order: &RefundOrder) -> Result<(), StoreError> {
        let now = self.clock.now();
        let (at, doubt) = match refunds::next(sent_at(order), now) {
            Next::LookAt(at) => (Some(at), false),
            Next::Doubt(at) => (Some(at), true),
            Next::Stop => (None, true),
        };
        if doubt {
            self.charging.alert_about("refund_in_doubt", &order.payment_id).await?;
        }
        self.conclude(order, &Conclusion::Later(at)).await?;
        Ok(())
    }

    async fn refused(&self, order: &RefundOrder, refund: Option<&SeenRefund>) -> Result<(), StoreError> {
        let id = refund.map(|refund| refund.id.clone());
        if self.conclude(order, &Conclusion::Refused(id)).await? {
            self.charging.alert_about("refund_refused", &order.payment_id).await?;
        }
        Ok(())
    }

    async fn conclude(&self, order: &RefundOrder, conclusion: &Conclusion) -> Result<bool, StoreError> {
        tracing::info!(payment_id = %order.payment_id, cause = ?order.cause, ?conclusion, "an order to refund");
        self.store.execute(&ConcludeRefund { order, conclusion, now: self.clock.now() }).await
    }
}

/// One that another has sent by hand has no mark of ours.
fn sent_at(order: &RefundOrder) -> UnixSeconds {
    order.sent_at.unwrap_or(order.created_at)
}

/// For the merchant's records at Dodo.
fn reason(cause: RefundCause) -> &'static str {
    match cause {
        RefundCause::Late => "collected after it had been given up",
        RefundCause::Surplus => "collected twice",
        RefundCause::AboveQuote => "collected more than was shown",
        RefundCause::Underpaid => "collected less than was agreed",
    }
}
