//! What a person decides about money that fell short of what was agreed (I18), and about what waiting did not decide (I13).

use dodo_client::ids::PaymentId;
use wire::{AttemptId, UnixSeconds};

use super::{
    Change, Changes, Command, HistoryEvent, Record, Scope, StoredAttempt, StoredPayment, notifications,
    record::OfferKey, settle, states,
};
use crate::domain::{
    AttemptRow, AttemptState, OfferRow, OfferState, PaymentOnRecord, PaymentStatus, RefundCause,
};

/// The ways out of `underpaid` and `needs_review`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// What came in is enough, or what is on its way will do: the attempt has succeeded.
    Fulfil,
    /// It goes back, all of it, and the offer is over. Only what has come in can go back.
    Refund,
    /// The merchant keeps it or has dealt with it; the offer can be taken again while it is valid. Not while Dodo calls the
    /// payment pending (I6).
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

/// Resolves an attempt that is `underpaid` or `needs_review`.
#[derive(Clone, Debug)]
pub struct Resolve {
    /// The attempt.
    pub attempt: AttemptId,
    /// The payment that fell short or is pending, as whoever decides has seen it. `None` where none is known.
    pub payment: Option<PaymentId>,
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
    /// It does not wait for such a decision, or by another payment: nothing was done. The state that it is in.
    NotOpen(AttemptState),
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
            payment: self.payment.clone(),
            flags: true,
            ..Scope::of_attempt(&self.attempt)
        }
    }

    fn decide(&self, record: &Record) -> (Resolved, Changes) {
        let (Some(stored), Some(quote)) = (&record.attempt, &record.quote) else {
            return (Resolved::NotFound, Changes::none());
        };
        let paid = record.payment.as_ref().filter(|paid| {
            paid.attempt_id == stored.row.id
                && stored.row.payment_id.as_ref() == Some(&paid.record.payment.id)
        });
        if stored.row.payment_id != self.payment || !self.makes_sense(stored.row.state, paid) {
            return (Resolved::NotOpen(stored.row.state), Changes::none());
        }
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
                if let Some(paid) = paid {
                    let sale = PaymentOnRecord { surplus: stored.surplus, ..paid.record.clone() };
                    changes.push(Change::WritePayment(StoredPayment { record: sale, ..paid.clone() }));
                }
                let before = stored.row.state;
                let offer = record.offer.as_ref();
                if let Some(mut notification) = notifications::of_attempt(before, &row, quote, offer, self.at)
                {
                    notification.with_collected(paid.and_then(|paid| paid.record.payment.amount));
                    changes.notify(notification, self.at);
                }
            }
            Resolution::Refund => {
                if let Some(paid) = paid {
                    let (seen, order) = (&paid.record.payment, (RefundCause::Underpaid, None));
                    settle::order_refund(order, seen, &row, quote, record, self.at, &mut changes);
                }
            }
            Resolution::Reopen => {}
        }
        (Resolved::Done(Box::new(row)), changes)
    }
}

impl Resolve {
    /// Says whether the decision can be carried out.
    fn makes_sense(&self, state: AttemptState, paid: Option<&StoredPayment>) -> bool {
        let is_pending = paid.is_some_and(|paid| paid.record.payment.status == PaymentStatus::Pending);
        match (state, self.resolution) {
            (AttemptState::Underpaid, _) => paid.is_some(),
            // What is called charged has its payment on record (I9).
            (AttemptState::NeedsReview, Resolution::Fulfil) => is_pending,
            (AttemptState::NeedsReview, Resolution::Reopen) => !is_pending,
            _ => false,
        }
    }

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
