//! When a webhook that could not be applied is tried again, and when that ends. Pure.
//!
//! Each webhook has its own pauses, those of [`outbox_schedule`](super::outbox_schedule), so that one that can never be
//! applied costs ten tries in three days and keeps nobody else's waiting. One that this version cannot read is not tried
//! again before another version of the program starts.

use wire::UnixSeconds;

use super::outbox_schedule;

/// Seconds after its receipt at which a webhook is taken up that nobody has applied: the process died in between.
pub const TAKEN_UP_AFTER: i64 = 60;
/// Seconds from one round to the next.
pub const ROUND: u64 = 5;
/// Webhooks taken up in one round that have never failed: 120 a minute, half of what Dodo lets us ask.
pub const FRESH: u32 = 10;
/// Webhooks taken up in one round that have failed before: 24 a minute. Apart from the fresh ones, so that many that fail
/// neither keep those waiting nor use up what Dodo lets us ask.
pub const RETRIES: u32 = 2;

/// What has become of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookState {
    /// It is tried at its time.
    Waiting,
    /// It was applied.
    Applied,
    /// The version that tried cannot read it.
    Unreadable,
    /// It was read, and could not be applied in three days.
    GivenUp,
}

impl WebhookState {
    /// States of webhooks that were not applied.
    pub const NOT_APPLIED: [Self; 3] = [Self::Waiting, Self::Unreadable, Self::GivenUp];

    /// Returns the word of a state, as it is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Applied => "applied",
            Self::Unreadable => "unreadable",
            Self::GivenUp => "given_up",
        }
    }
}

/// Why a webhook was not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// This version cannot read it.
    Unreadable,
    /// It was read; what it depends on was not to be had, or is refused.
    NotApplied,
}

/// What follows from a failed try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AfterFailure {
    /// The state from now on.
    pub state: WebhookState,
    /// The time of the next try. Absent exactly where the state is not [`WebhookState::Waiting`].
    pub next_try_at: Option<UnixSeconds>,
}

/// Returns what follows from a try that ended at `now` and was the `failures + 1`th to fail.
#[must_use]
pub fn after_failure(id: &str, failures: u32, failure: Failure, now: UnixSeconds) -> AfterFailure {
    let ended = |state| AfterFailure { state, next_try_at: None };
    match failure {
        Failure::Unreadable => ended(WebhookState::Unreadable),
        Failure::NotApplied => match outbox_schedule::next(id, failures, now) {
            Some(at) => AfterFailure { state: WebhookState::Waiting, next_try_at: Some(at) },
            None => ended(WebhookState::GivenUp),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How long a webhook that is never applied is tried, in seconds, and how often.
    fn play(id: &str, now: i64) -> (i64, u32) {
        let (mut at, mut failures) = (now, 0);
        loop {
            let next = after_failure(id, failures, Failure::NotApplied, UnixSeconds(at));
            failures += 1;
            match next.next_try_at {
                Some(next) => at = next.0,
                None => {
                    assert_eq!(next.state, WebhookState::GivenUp);
                    return (at - now, failures);
                }
            }
        }
    }

    proptest! {
        /// I20: whatever it is, it is tried ten times at most, later each time, and ends in a named state.
        #[test]
        fn every_webhook_comes_to_an_end(id in "[a-zA-Z0-9_]{0,60}", now in 0_i64..4_000_000_000) {
            let (seconds, tries) = play(&id, now);
            prop_assert_eq!(tries, 10);
            prop_assert!((75 * 3600..84 * 3600).contains(&seconds), "{}", seconds);
        }

        #[test]
        fn a_time_is_there_exactly_while_it_waits(
            id in "[a-z0-9]{0,20}", failures in 0_u32..20, unreadable: bool, now in 0_i64..4_000_000_000,
        ) {
            let failure = if unreadable { Failure::Unreadable } else { Failure::NotApplied };
            let next = after_failure(&id, failures, failure, UnixSeconds(now));
            prop_assert_eq!(next.next_try_at.is_some(), next.state == WebhookState::Waiting);
            prop_assert!(next.next_try_at.is_none_or(|at| at.0 > now));
            prop_assert_ne!(next.state, WebhookState::Applied);
        }

        /// In the long run so many webhooks that fail for ever are tried within what a round takes up.
        #[test]
        fn each_pause_is_longer_than_the_one_before(id in "[a-z0-9]{0,20}", failures in 0_u32..8) {
            let pause = |failures| {
                after_failure(&id, failures, Failure::NotApplied, UnixSeconds(0)).next_try_at.map(|at| at.0)
            };
            prop_assert!(failures == 0 || pause(failures) > pause(failures - 1));
        }
    }
}
