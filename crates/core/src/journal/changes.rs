//! What is written for a decision, all of it in one transaction or none of it.

use dodo_client::ids::{CustomerId, PaymentId};
use wire::{AttemptId, OfferId, UnixSeconds};

use super::resolve::Resolution;
use super::{
    StoredAttempt, StoredOrder, StoredPayment, evidence::ForeignPayment, notifications::Notification,
};
use crate::domain::{
    AttemptKind, AttemptState, AttemptWord, BookingEnd, DeclineEntry, EmailHash, OfferRow, OfferState,
    OrderState, QuoteRow, RefundCause, ReviewCause, SeenDispute, SeenRefund, Source,
};

/// One thing to write.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Inserts an offer.
    InsertOffer(Box<OfferRow>),
    /// Moves an offer.
    UpdateOffer {
        /// The offer.
        id: OfferId,
        /// Its new state.
        state: OfferState,
        /// Number of its latest attempt.
        attempt_no: u32,
    },
    /// Inserts a quote. One that is there stays as it is: a quote is a promise.
    InsertQuote(Box<QuoteRow>),
    /// Inserts an attempt, leased by this opening of the store.
    InsertAttempt(Box<StoredAttempt>),
    /// Writes an attempt over the one that was loaded. Its lease owner stays.
    UpdateAttempt(Box<StoredAttempt>),
    /// The same for the sent mark: only if the attempt still is as it was loaded, and this opening of the store holds its
    /// lease beyond `now`. Otherwise nothing of the decision is written, and it is made anew.
    MarkAttemptSent {
        /// The attempt as it is to be.
        attempt: Box<StoredAttempt>,
        /// The state that it has to be in.
        from: AttemptWord,
        /// The time.
        now: UnixSeconds,
    },
    /// Inserts a payment, or writes it over the one that was loaded.
    WritePayment(StoredPayment),
    /// Records a payment that names an attempt and is none of its. One that is recorded stays as it is.
    RecordForeign(ForeignPayment),
    /// Inserts a refund, or writes it over the one that was loaded.
    WriteRefund {
        /// The refund.
        refund: SeenRefund,
        /// The time.
        at: UnixSeconds,
    },
    /// Inserts a dispute, or writes it over the one that was loaded.
    WriteDispute {
        /// The dispute.
        dispute: SeenDispute,
        /// The time.
        at: UnixSeconds,
    },
    /// Inserts a refund order. One for the same payment and cause stays as it is.
    InsertOrder(StoredOrder),
    /// Writes a refund order over the one that was loaded. Its lease owner stays.
    UpdateOrder(StoredOrder),
    /// The same for the sent mark of a refund order, guarded like that of an attempt.
    MarkRefundSent {
        /// The order as it is to be.
        order: StoredOrder,
        /// The state that it has to be in.
        from: OrderState,
        /// The time.
        now: UnixSeconds,
    },
    /// Records how a booking ended. The first end stays.
    EndBooking {
        /// The attempt that booked the change.
        attempt: AttemptId,
        /// How it ended.
        end: BookingEnd,
        /// The time.
        at: UnixSeconds,
    },
    /// Appends to the decline ledger.
    AppendDecline {
        /// The buyer.
        customer_id: CustomerId,
        /// Keyed hash of the e-mail address of the purchase that the offer follows.
        email: Option<EmailHash>,
        /// The entry.
        entry: DeclineEntry,
    },
    /// Appends to an attempt's history.
    AppendHistory {
        /// The attempt.
        attempt: AttemptId,
        /// When it happened.
        at: UnixSeconds,
        /// What happened.
        event: HistoryEvent,
    },
    /// Puts a notification into the outbox. One with the same id stays as it is.
    Notify {
        /// The notification.
        notification: Box<Notification>,
        /// When it became true.
        at: UnixSeconds,
    },
}

/// Everything to write for a decision, in order.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Changes(Vec<Change>);

impl Changes {
    /// Returns no changes.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Says whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the changes in the order in which they are written.
    pub fn iter(&self) -> std::slice::Iter<'_, Change> {
        self.0.iter()
    }

    /// Returns the attempt that these changes mark as sent, if they do.
    #[must_use]
    pub fn marks_sent(&self) -> Option<&AttemptId> {
        self.iter().find_map(|change| match change {
            Change::MarkAttemptSent { attempt, .. } => Some(&attempt.row.id),
            _ => None,
        })
    }

    pub(super) fn push(&mut self, change: Change) {
        self.0.push(change);
    }

    pub(super) fn notify(&mut self, notification: Notification, at: UnixSeconds) {
        self.push(Change::Notify { notification: Box::new(notification), at });
    }

    pub(super) fn history(&mut self, attempt: &AttemptId, at: UnixSeconds, event: HistoryEvent) {
        self.push(Change::AppendHistory { attempt: attempt.clone(), at, event });
    }

    /// Writes an offer as it stands after a decision.
    pub(super) fn update_offer(&mut self, offer: &OfferRow) {
        self.push(Change::UpdateOffer {
            id: offer.id.clone(),
            state: offer.state,
            attempt_no: offer.attempt_no,
        });
    }
}

impl FromIterator<Change> for Changes {
    fn from_iter<I: IntoIterator<Item = Change>>(changes: I) -> Self {
        Self(changes.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a Changes {
    type Item = &'a Change;
    type IntoIter = std::slice::Iter<'a, Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What happened to an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryEvent {
    /// It was claimed.
    Claimed(AttemptKind),
    /// From here on the request may have left.
    Sent,
    /// It was taken back.
    Released {
        /// Because the amount had changed.
        changed: bool,
    },
    /// It was written again, or found to have been sent, from what Dodo knows.
    Rebuilt,
    /// It came to a state.
    Settled {
        /// The state.
        state: AttemptState,
        /// Who found out.
        source: Source,
        /// The payment that told it.
        payment: Option<PaymentId>,
    },
    /// Waiting for it ended without an outcome.
    NeedsReview(ReviewCause),
    /// Its offer came to a state by it.
    OfferMoved(OfferState),
    /// A person decided about what came in.
    Resolved(Resolution),
    /// A refund of its payment was ordered.
    RefundOrdered {
        /// Why.
        cause: RefundCause,
        /// Of which payment.
        payment: PaymentId,
    },
    /// It was looked up.
    LookedUp {
        /// After the deadline, completely, and nothing was found.
        clean: bool,
    },
}

impl HistoryEvent {
    /// Returns its word, who found out, and more about it, as they stand in the history.
    #[must_use]
    pub fn columns(&self) -> (&'static str, Option<Source>, Option<String>) {
        match self {
            Self::Claimed(kind) => ("claimed", None, Some(kind.as_str().to_owned())),
            Self::Sent => ("sent", None, None),
            Self::Rebuilt => ("rebuilt", Some(Source::Restore), None),
            Self::Released { changed } => {
                ("released", None, changed.then(|| "the amount had changed".to_owned()))
            }
            Self::Settled { state, source, payment } => {
                let (word, customer_action, failure) = state.into_parts();
                let failure = failure.and_then(|reason| serde_json::to_value(reason).ok());
                let failure = failure.and_then(|word| word.as_str().map(str::to_owned));
                let action = customer_action.then(|| "the bank asks the buyer".to_owned());
                let payment = payment.as_ref().map(|payment| format!("payment {payment}"));
                let details: Vec<_> = [failure, action, payment].into_iter().flatten().collect();
                let detail = (!details.is_empty()).then(|| details.join(", "));
                (word.as_str(), Some(*source), detail)
            }
            Self::NeedsReview(cause) => {
                ("needs_review", Some(Source::Deadline), Some(cause.as_str().to_owned()))
            }
            Self::OfferMoved(state) => ("offer", None, Some(state.as_str().to_owned())),
            Self::Resolved(resolution) => ("resolved", None, Some(resolution.as_str().to_owned())),
            Self::RefundOrdered { cause, payment } => {
                ("refund_ordered", None, Some(format!("{}, payment {payment}", cause.as_str())))
            }
            Self::LookedUp { clean } => {
                ("looked", None, clean.then(|| "nothing found after the deadline".to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests;
