//! The end of waiting for an attempt, and the looks until then.

use wire::{AttemptId, UnixSeconds};

use super::{
    Change, Changes, Command, HistoryEvent, Record, Scope, StoredAttempt, notifications, record::OfferKey,
    settle::follow, states,
};
use crate::domain::{AttemptRow, AttemptState, ReviewCause, Source};

/// Gives up waiting: `unknown` and `pending` become `abandoned`; every other state stays, and the outcome is `false`.
#[derive(Clone, Debug)]
pub struct Abandon {
    /// The attempt.
    pub attempt: AttemptId,
    /// The time.
    pub at: UnixSeconds,
    /// When to look again all the same.
    pub next_check_at: UnixSeconds,
}

impl Command for Abandon {
    const NAME: &'static str = "abandon";
    type Outcome = bool;

    fn scope(&self) -> Scope {
        Scope { offer: Some(OfferKey::OfAttempt), ..Scope::of_attempt(&self.attempt) }
    }

    fn decide(&self, record: &Record) -> (bool, Changes) {
        let event = |state| HistoryEvent::Settled { state, source: Source::Deadline, payment: None };
        end_waiting(record, states::abandon, Some(self.next_check_at), self.at, event)
    }
}

/// Ends waiting for good: what is not decided becomes `needs_review`; every other state stays, and the outcome is `false`.
#[derive(Clone, Debug)]
pub struct Review {
    /// The attempt.
    pub attempt: AttemptId,
    /// Why nothing more is waited for.
    pub cause: ReviewCause,
    /// The time.
    pub at: UnixSeconds,
    /// Time of the next look, if there is to be one.
    pub next_check_at: Option<UnixSeconds>,
}

impl Command for Review {
    const NAME: &'static str = "review";
    type Outcome = bool;

    fn scope(&self) -> Scope {
        Scope { offer: Some(OfferKey::OfAttempt), quote: true, ..Scope::of_attempt(&self.attempt) }
    }

    fn decide(&self, record: &Record) -> (bool, Changes) {
        let event = |_| HistoryEvent::NeedsReview(self.cause);
        let (is_moved, mut changes) = end_waiting(record, states::review, self.next_check_at, self.at, event);
        if is_moved && let (Some(stored), Some(quote)) = (&record.attempt, &record.quote) {
            let (before, offer) = (stored.row.state, record.offer.as_ref());
            let row = AttemptRow { state: states::review(before), ..stored.row.clone() };
            if let Some(mut notification) = notifications::of_attempt(before, &row, quote, offer, self.at) {
                notification.with_cause(self.cause.as_str());
                changes.notify(notification, self.at);
            }
        }
        (is_moved, changes)
    }
}

/// Moves an attempt on because of the time alone, and its offer with it.
fn end_waiting(
    record: &Record,
    after: fn(AttemptState) -> AttemptState,
    next_check_at: Option<UnixSeconds>,
    at: UnixSeconds,
    event: impl FnOnce(AttemptState) -> HistoryEvent,
) -> (bool, Changes) {
    let Some(stored) = &record.attempt else { return (false, Changes::none()) };
    let state = after(stored.row.state);
    if state == stored.row.state {
        return (false, Changes::none());
    }
    let row = AttemptRow { state, next_check_at, lease_until: UnixSeconds(0), ..stored.row.clone() };
    let mut changes = Changes::none();
    changes.push(Change::UpdateAttempt(Box::new(StoredAttempt { row: row.clone(), ..stored.clone() })));
    follow(&row, record, &mut changes);
    changes.history(&row.id, at, event(state));
    (true, changes)
}

/// Records that an attempt was looked up, and when to look next.
#[derive(Clone, Debug)]
pub struct RecordLook {
    /// The attempt.
    pub attempt: AttemptId,
    /// The time.
    pub at: UnixSeconds,
    /// The look was complete, after the deadline, and found nothing.
    pub clean_after_deadline: bool,
    /// When to look next; `None` ends looking.
    pub next_check_at: Option<UnixSeconds>,
}

impl Command for RecordLook {
    const NAME: &'static str = "record_look";
    type Outcome = ();

    fn scope(&self) -> Scope {
        Scope::of_attempt(&self.attempt)
    }

    fn decide(&self, record: &Record) -> ((), Changes) {
        let mut changes = Changes::none();
        let looked_up = |stored: &&StoredAttempt| states::is_looked_up(stored.row.state);
        if let Some(stored) = record.attempt.as_ref().filter(looked_up) {
            let row = AttemptRow {
                checks: stored.row.checks.saturating_add(1),
                clean_looks: stored.row.clean_looks.saturating_add(u32::from(self.clean_after_deadline)),
                next_check_at: self.next_check_at,
                lease_until: UnixSeconds(0),
                ..stored.row.clone()
            };
            changes.push(Change::UpdateAttempt(Box::new(StoredAttempt { row, ..stored.clone() })));
            let event = HistoryEvent::LookedUp { clean: self.clean_after_deadline };
            changes.history(&self.attempt, self.at, event);
        }
        ((), changes)
    }
}
