//! What a person decides about money that fell short of what was agreed (I18).

use dodo_client::ids::PaymentId;
use wire::{AttemptId, UnixSeconds};

use super::{
    Change, Changes, Command, HistoryEvent, Record, Scope, StoredAttempt, StoredPayment, notifications,
    record::OfferKey, settle, states,
};
use crate::domain::{AttemptRow, AttemptState, OfferRow, OfferState, PaymentOnRecord, RefundCause};

/// The three ways out of `underpaid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// What came in is enough: the attempt has succeeded.
    Fulfil,
    /// It goes back, all of it, and the offer is over.
    Refund,
    /// The merchant keeps it or has dealt with it; the offer can be taken again while it is valid.
    Reopen,
}

impl Resolution {
    /// The word for it in requests and in an attempt's history.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fulfil => "fulfil",
            Self::Refund => "refund",
            Self::Reopen => "reopen",
        }
    }
}

/// Resolves an attempt that is `underpaid`.
#[derive(Clone, Debug)]
pub struct Resolve {
    /// The attempt.
    pub attempt: AttemptId,
    /// The payment that fell short, as whoever decides has seen it.
    pub payment: PaymentId,
    /// What is decided.
    pub resolution: Resolution,
    /// The time.
    pub at: UnixSeconds,
}

/// Outcome of resolving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// There is no such attempt.
    NotFound,
    /// It is not `underpaid`, or by another payment: nothing was done. The state that it is in.
    NotUnderpaid(AttemptState),
    /// It is decided. The row as it is now.
    Done(Box<AttemptRow>),
}

impl Command for Resolve {
    const NAME: &'static str = "resolve";
    type Outcome = Resolved;

    fn scope(&self) -> Scope {
        Scope {
            offer: Some(OfferKey::OfAttempt),
            quote: true,
            payment: Some(self.payment.clone()),
            flags: true,
            ..Scope::of_attempt(&self.attempt)
        }
    }

    fn decide(&self, record: &Record) -> (Resolved, Changes) {
        let (Some(stored), Some(quote)) = (&record.attempt, &record.quote) else {
            return (Resolved::NotFound, Changes::none());
        };
        let paid = record.payment.as_ref().filter(|paid| {
            paid.attempt_id == stored.row.id && stored.row.payment_id.as_ref() == Some(&self.payment)
        });
        let (AttemptState::Underpaid, Some(paid)) = (stored.row.state, paid) else {
            return (Resolved::NotUnderpaid(stored.row.state), Changes::none());
        };
        let state = match self.resolution {
            Resolution::Fulfil => AttemptState::Succeeded,
            Resolution::Refund | Resolution::Reopen => AttemptState::Dismissed,
        };
        let row = AttemptRow { state, next_check_at: None, ..stored.row.clone() };
        let mut changes = Changes::none();
        changes.push(Change::UpdateAttempt(Box::new(StoredAttempt { row: row.clone(), ..stored.clone() })));
        changes.history(&row.id, self.at, HistoryEvent::Resolved(self.resolution));
        if let Some(offer) = &record.offer {
            self.move_offer(offer, &row, &mut changes);
        }
        match self.resolution {
            Resolution::Fulfil => {
                // From now on it is the sale, unless another attempt is.
                let sale = PaymentOnRecord { surplus: stored.surplus, ..paid.record.clone() };
                changes.push(Change::WritePayment(StoredPayment { record: sale, ..paid.clone() }));
                let before = stored.row.state;
                let offer = record.offer.as_ref();
                if let Some(mut notification) = notifications::of_attempt(before, &row, quote, offer, self.at)
                {
                    notification.with_collected(paid.record.payment.amount);
                    changes.notify(notification, self.at);
                }
            }
            Resolution::Refund => {
                let (seen, order) = (&paid.record.payment, (RefundCause::Underpaid, None));
                settle::order_refund(order, seen, &row, quote, record, self.at, &mut changes);
            }
            Resolution::Reopen => {}
        }
        (Resolved::Done(Box::new(row)), changes)
    }
}

impl Resolve {
    fn move_offer(&self, offer: &OfferRow, row: &AttemptRow, changes: &mut Changes) {
        let is_blocked_by_it = offer.state == OfferState::Abandoned && offer.attempt_no == row.no;
        let state = match self.resolution {
            Resolution::Fulfil => OfferState::Charged,
            Resolution::Refund if is_blocked_by_it => states::WITHDRAWN,
            Resolution::Reopen if is_blocked_by_it => states::reopened(false),
            Resolution::Refund | Resolution::Reopen => return,
        };
        if state != offer.state {
            changes.update_offer(&OfferRow { state, ..offer.clone() });
            changes.history(&row.id, self.at, HistoryEvent::OfferMoved(state));
        }
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
