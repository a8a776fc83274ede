//! Commands of every kind as one type, for tests that carry out sequences of them.

use wire::{AttemptId, UnixSeconds};

use super::{
    Abandon, Changes, Claim, ClaimOutcome, Command, ConcludeRefund, Conclusion, Decline, DeclineOutcome,
    EndBooking, MarkRefundSent, MarkSent, Rebuild, Rebuilding, Record, RecordDispute, RecordLook,
    RecordRefund, Release, Review, Scope, Settle, Settled, Settlement, Took,
};
use crate::domain::{BookingEnd, RefundOrder};

/// A command of any kind.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time, in tests")]
pub enum AnyCommand {
    /// See [`Claim`].
    Claim(Claim),
    /// See [`MarkSent`].
    MarkSent(MarkSent),
    /// See [`Release`].
    Release(Release),
    /// See [`Settle`].
    Settle(AttemptId, Box<Settlement>),
    /// See [`Abandon`].
    Abandon(Abandon),
    /// See [`Review`].
    Review(Review),
    /// See [`EndBooking`].
    EndBooking(EndBooking),
    /// See [`RecordLook`].
    RecordLook(RecordLook),
    /// See [`Decline`].
    Decline(Decline),
    /// See [`RecordRefund`].
    RecordRefund(RecordRefund),
    /// See [`RecordDispute`].
    RecordDispute(RecordDispute),
    /// See [`MarkRefundSent`].
    MarkRefundSent(MarkRefundSent),
    /// See [`ConcludeRefund`].
    ConcludeRefund(RefundOrder, Conclusion, UnixSeconds),
    /// See [`Rebuild`].
    Rebuild(Box<Rebuilding>, UnixSeconds),
}

/// Outcome of a command of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to say.
    Done,
    /// Success, or not.
    Flag(bool),
    /// Outcome of a claim.
    Claim(ClaimOutcome),
    /// Outcome of settling.
    Settled(Option<Settled>),
    /// Outcome of a refusal.
    Decline(DeclineOutcome),
    /// Outcome of putting an attempt back.
    Took(Took),
}

/// Conversions into an [`Outcome`].
macro_rules! outcomes {
    ($($from:ty => |$outcome:pat_param| $into:expr),* $(,)?) => {
        $(impl From<$from> for Outcome {
            fn from($outcome: $from) -> Self {
                $into
            }
        })*
    };
}

outcomes! {
    () => |()| Self::Done,
    bool => |done| Self::Flag(done),
    ClaimOutcome => |outcome| Self::Claim(outcome),
    Option<Settled> => |settled| Self::Settled(settled),
    Option<BookingEnd> => |end| Self::Flag(end.is_some()),
    DeclineOutcome => |outcome| Self::Decline(outcome),
    Took => |took| Self::Took(took),
}

/// Evaluates an expression over the command inside.
macro_rules! inside {
    ($any:expr, |$command:ident| $body:expr) => {
        match $any {
            AnyCommand::Claim($command) => $body,
            AnyCommand::MarkSent($command) => $body,
            AnyCommand::Release($command) => $body,
            AnyCommand::Settle(attempt, settlement) => {
                let $command = &Settle { attempt, settlement };
                $body
            }
            AnyCommand::Abandon($command) => $body,
            AnyCommand::Review($command) => $body,
            AnyCommand::EndBooking($command) => $body,
            AnyCommand::RecordLook($command) => $body,
            AnyCommand::Decline($command) => $body,
            AnyCommand::RecordRefund($command) => $body,
            AnyCommand::RecordDispute($command) => $body,
            AnyCommand::MarkRefundSent($command) => $body,
            AnyCommand::ConcludeRefund(order, conclusion, now) => {
                let $command = &ConcludeRefund { order, conclusion, now: *now };
                $body
            }
            AnyCommand::Rebuild(rebuilding, at) => {
                let $command = &Rebuild { rebuilding, at: *at };
                $body
            }
        }
    };
}

impl Command for AnyCommand {
    const NAME: &'static str = "any";
    type Outcome = Outcome;

    fn scope(&self) -> Scope {
        inside!(self, |command| command.scope())
    }

    fn decide(&self, record: &Record) -> (Outcome, Changes) {
        inside!(self, |command| {
            let (outcome, changes) = command.decide(record);
            (outcome.into(), changes)
        })
    }
}
