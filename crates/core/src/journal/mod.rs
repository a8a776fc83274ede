//! The journal: what is decided under the lock of one buyer, before and after anything that may move money.
//!
//! A [`Command`] names what it depends on ([`Command::scope`]). The store loads that [`Record`] under the lock that the
//! scope names, hands it to [`decide`], and writes the [`Changes`] in the same transaction, or nothing. It holds no rule:
//! what a claim, a sent mark, a release or a piece of evidence does to the offer, the attempt, the payment, a refund order
//! and the notifications is decided here and nowhere else. Two things stay below as a net: unique indexes, and the guard
//! of the two sent marks ([`Change::MarkAttemptSent`], [`Change::MarkRefundSent`]).
//!
//! | module | commands |
//! |---|---|
//! | [`claims`] | [`Claim`], [`MarkSent`], [`Release`]: the two commits before a charge, and the way back |
//! | [`settle`] | [`Settle`]: what was found out about an attempt |
//! | [`waiting`] | [`RecordLook`], [`Abandon`], [`Review`]: looks that decided nothing, and the end of waiting |
//! | [`evidence`] | [`SettlePayment`]: a payment that may be an attempt's own |
//! | [`resolve`] | [`Resolve`]: what a person decides about what fell short or needs review |
//! | [`bookings`] | [`EndBooking`] |
//! | [`declines`] | [`Decline`] |
//! | [`refunds`] | [`RecordRefund`], [`RecordDispute`], [`MarkRefundSent`], [`ConcludeRefund`] |
//! | [`restore`] | [`Rebuild`], and what a store that has lost commits is told by |
//!
//! | module | holds |
//! |---|---|
//! | [`record`] | what is loaded |
//! | [`changes`] | what is written |
//! | [`states`] | what the states of offers and attempts mean, and how evidence moves them |
//! | [`notifications`] | what the merchant's system is notified of |
//!
//! For tests, `memory` is a store without a disk, `fixtures` has rows and verbs, `world` makes random sequences of
//! commands, and `properties` checks the invariants over them.
//!
//! The model of the protocol (`cargo xtask campaign model`) explores these functions as they are.

#[cfg(any(test, feature = "fixtures"))]
pub mod any_command;
pub mod bookings;
pub mod changes;
pub mod claims;
pub mod declines;
pub mod evidence;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
#[cfg(any(test, feature = "fixtures"))]
pub mod memory;
pub mod notifications;
pub mod record;
pub mod refunds;
pub mod resolve;
pub mod restore;
pub mod settle;
pub mod states;
pub mod waiting;
#[cfg(any(test, feature = "fixtures"))]
pub mod world;

#[cfg(test)]
mod properties;

pub use bookings::EndBooking;
pub use changes::{Change, Changes, HistoryEvent};
pub use claims::{Claim, ClaimOutcome, KeptKey, Lifting, MarkSent, Release, Unexecuted};
pub use declines::{Decline, DeclineOutcome};
pub use evidence::{ForeignPayment, SettlePayment, Weighed};
pub use record::{
    Lock, Record, Scope, Stale, StoredAttempt, StoredOrder, StoredPayment, Timeline, Watermark,
};
pub use refunds::{ConcludeRefund, Conclusion, MarkRefundSent, RecordDispute, RecordRefund};
pub use resolve::{Resolution, Resolve, Resolved};
pub use restore::{LastSign, PresumeSent, Rebuild, Rebuilding, Took};
pub use settle::{Settle, Settled, Settlement};
pub use waiting::{Abandon, RecordLook, Review};

/// Something that is to be decided and written in one transaction.
pub trait Command {
    /// Names the command in logs, and the places in it at which tests let the process die.
    const NAME: &'static str;

    /// What the caller learns.
    type Outcome;

    /// Returns what the decision depends on.
    fn scope(&self) -> Scope;

    /// Decides. Total: every record has an outcome, also one that holds less than the scope asks for.
    fn decide(&self, record: &Record) -> (Self::Outcome, Changes);
}

/// Decides `command` over what the store holds: the outcome, and what has to be written for it.
#[must_use]
pub fn decide<C: Command>(record: &Record, command: &C) -> (C::Outcome, Changes) {
    command.decide(record)
}
