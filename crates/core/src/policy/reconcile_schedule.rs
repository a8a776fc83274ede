//! When an undecided attempt is looked up, and when waiting ends. Pure.
//!
//! Every attempt waits for itself: the time of its next look follows from its own age, state and last look, and from no
//! other attempt (I19). Every wait has an end, and a named state after it (I13):
//!
//! | waits for | until | then |
//! |---|---|---|
//! | a charge that is not found | 20 minutes and two complete look-ups | `abandoned` |
//! | a charge that Dodo calls pending | the merchant's limit for it, 7 days by default | `needs_review` |
//! | a charge that cannot be read | 48 hours | `needs_review` |
//! | a hosted page | 25 hours without a payment | `failed` (`cancelled`) |
//! | what was given up | 48 hours, or the limit while Dodo calls it pending or cannot be read | `needs_review` |
//! | what fell short | a person; looked at for 48 hours | `underpaid` |
//! | what needs review | a person; looked at daily for 30 days | `needs_review` |
//!
//! A buyer who is to be forgotten waits for less: what Dodo calls pending needs review at once.
//!
//! A confirmed checkout lives 15 minutes at Dodo, so that a charge that is not there after 20 will hardly come; but "not
//! listed" proves nothing by itself, so that two complete look-ups after the deadline are needed, and an abandoned
//! attempt is watched for two days more, longer than Dodo repeats a webhook. A hosted page lives a day; a payment that
//! was begun on it may take longer, so that the page's end decides only what a complete look-up shows to be idle. What
//! Dodo calls pending is pending: a bank approval or a slow method is never given up, and never late.
//!
//! An outage leaves many behind of which only a listing of payments tells. One listing tells of all of them, so that they
//! come due together; what is looked up one by one is spread instead. How listings are cut is decided in
//! [`super::listing_plan`].

use money::later;
use wire::UnixSeconds;

use crate::{
    domain::{AttemptKind, AttemptRow, AttemptState, ReviewCause},
    journal::states,
    rules::WaitingRules,
};

/// Seconds after the claim at which an attempt is looked up.
const OFFSETS: [i64; 7] = [2, 10, 30, 120, 300, 600, 1200];
/// Seconds after which a charge that was never found is given up.
const DEADLINE: i64 = 20 * 60;
/// Complete look-ups after the deadline that must find nothing.
const CLEAN_LOOKS: u32 = 2;
/// Seconds between look-ups after the deadline.
const SWEEP: i64 = 60;
/// Seconds between look-ups of what was given up; the longest pause of what is pending.
const WATCH_EVERY: i64 = 3600;
/// Seconds for which what was given up is watched, and what cannot be read is tried.
const WATCH_FOR: i64 = 48 * 3600;
/// Seconds between look-ups of what needs review.
const REVIEW_EVERY: i64 = 86_400;
/// Seconds after its limit for which what needs review is looked up. Webhooks settle it later than that, too.
const REVIEW_FOR: i64 = 30 * 86_400;

/// Seconds until payments are listed again when Dodo did not list them for anybody.
const FIRST_PAUSE: i64 = 5;
/// How often that pause doubles.
const PAUSE_DOUBLINGS: u32 = 5;

/// Seconds after the claim up to which an attempt is [`AgeGroup::Fresh`].
const FRESH_FOR: i64 = 3600;

/// Seconds after the claim at which a hosted page is looked at: the webhook is usually faster, and the buyer may take
/// their time.
const HOSTED_OFFSETS: [i64; 6] = [30, 120, 600, 1800, 3600, 6 * 3600];
/// A hosted session lives 24 hours; one more for clocks and payments under way when it ends.
const HOSTED_LIFE: i64 = 25 * 3600;

/// Which attempts are looked up together. The two share neither batch, pause nor listing (I19).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AgeGroup {
    /// Claimed within the last hour: a buyer may be waiting.
    Fresh,
    /// Everything older.
    Old,
}

impl AgeGroup {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Fresh, Self::Old];

    /// Returns the last claim that is old at `now`.
    #[must_use]
    pub fn old_until(now: UnixSeconds) -> UnixSeconds {
        later(now, FRESH_FOR.saturating_neg())
    }
}

/// What to do with an attempt that is still undecided after having been looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Look again then.
    LookAt(UnixSeconds),
    /// Give it up as never chargeable again, and watch on from then.
    Abandon(UnixSeconds),
    /// A person has to look; look again then, if at all.
    Review(ReviewCause, Option<UnixSeconds>),
    /// The hosted page has closed without a payment.
    HostedPageClosed,
    /// Watched for long enough; its state says what it waits for.
    Stop,
}

/// What a look-up saw that decided nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Dodo did not answer, or not in full.
    Incomplete,
    /// No payment that could still collect.
    Idle,
    /// A payment that is not settled.
    UnderWay,
}

/// Decides for `row`, which was looked up at `now` for the `row.checks + 1`th time.
#[must_use]
pub fn next(row: &AttemptRow, look: Look, waiting: WaitingRules, now: UnixSeconds) -> Next {
    let age = now.0.saturating_sub(row.created_at.0);
    let limit = limit(row, waiting);
    let in_an_hour = later(now, WATCH_EVERY);
    match row.state {
        AttemptState::NeedsReview => {
            let over = age >= limit.saturating_add(REVIEW_FOR) || only_a_listing_tells(row);
            return if over { Next::Stop } else { Next::LookAt(later(now, REVIEW_EVERY)) };
        }
        AttemptState::Underpaid => {
            let over = age >= limit || (age >= WATCH_FOR && look == Look::Idle);
            return if over { Next::Stop } else { Next::LookAt(in_an_hour) };
        }
        AttemptState::Abandoned => {
            let over = age >= limit || (age >= WATCH_FOR && look == Look::Idle);
            return if over { review(row, look, now) } else { Next::LookAt(in_an_hour) };
        }
        _ => {}
    }
    let offsets: &[i64] = if row.kind == AttemptKind::Hosted { &HOSTED_OFFSETS } else { &OFFSETS };
    match look {
        Look::UnderWay if age >= limit => review(row, look, now),
        Look::Incomplete if age >= WATCH_FOR => review(row, look, now),
        Look::UnderWay | Look::Incomplete => Next::LookAt(scheduled(row, offsets, pause_at(age), now)),
        Look::Idle if row.kind == AttemptKind::Hosted => {
            if age >= HOSTED_LIFE {
                Next::HostedPageClosed
            } else {
                Next::LookAt(scheduled(row, offsets, WATCH_EVERY, now))
            }
        }
        Look::Idle if age >= DEADLINE && row.clean_looks >= CLEAN_LOOKS => Next::Abandon(in_an_hour),
        Look::Idle => Next::LookAt(scheduled(row, offsets, SWEEP, now)),
    }
}

/// Ends waiting.
fn review(row: &AttemptRow, look: Look, now: UnixSeconds) -> Next {
    let cause = match look {
        Look::UnderWay => ReviewCause::StillPending,
        Look::Incomplete => ReviewCause::Unreadable,
        Look::Idle => ReviewCause::NeverFound,
    };
    review_for(cause, row, now)
}

/// Ends waiting for a cause. What only a listing tells of is not listed for any more: a webhook or catching up finds it.
fn review_for(cause: ReviewCause, row: &AttemptRow, now: UnixSeconds) -> Next {
    let again = (!only_a_listing_tells(row)).then(|| later(now, REVIEW_EVERY));
    Next::Review(cause, again)
}

/// Decides for an attempt of a buyer who is to be forgotten and that a look has not decided: what Dodo calls pending is not
/// waited for any longer. `None` where its own end is near: a charge that is not found, a hosted page without a payment.
#[must_use]
pub fn next_of_forgotten(row: &AttemptRow, look: Look, now: UnixSeconds) -> Option<Next> {
    let is_waited_for = matches!(row.state, AttemptState::Unknown | AttemptState::Pending { .. });
    (is_waited_for && look == Look::UnderWay).then(|| review_for(ReviewCause::BuyerForgotten, row, now))
}

/// Returns the seconds after the claim for which what Dodo calls pending is waited for, by what it waits for.
#[must_use]
pub fn limit(row: &AttemptRow, waiting: WaitingRules) -> i64 {
    let days = match row.state {
        AttemptState::Pending { customer_action: true } => waiting.bank_approval_days,
        _ => waiting.slow_method_days,
    };
    i64::from(days).saturating_mul(86_400)
}

/// Returns the pause, in seconds, before the next look at what is pending or cannot be read: it grows with the age.
fn pause_at(age: i64) -> i64 {
    age.saturating_div(10).clamp(SWEEP, WATCH_EVERY)
}

/// Returns the time at which an attempt that was just sent, or just became undecided, is looked up first.
#[must_use]
pub fn first(kind: AttemptKind, created_at: UnixSeconds, now: UnixSeconds) -> UnixSeconds {
    let offset = match kind {
        AttemptKind::Hosted => HOSTED_OFFSETS[0],
        AttemptKind::OneClick | AttemptKind::PlanChange => OFFSETS[0],
    };
    later(created_at, offset).max(later(now, 1))
}

/// Says whether `now` is after the deadline of an attempt.
#[must_use]
pub fn is_past_deadline(row: &AttemptRow, now: UnixSeconds) -> bool {
    now.0.saturating_sub(row.created_at.0) >= DEADLINE
}

/// Says whether a look-up at `now` counts towards giving up: it was complete, and nothing was under way.
#[must_use]
pub fn counts_as_clean(row: &AttemptRow, look: Look, now: UnixSeconds) -> bool {
    look == Look::Idle && states::is_live(row.state) && is_past_deadline(row, now)
}

/// Says whether no reply of Dodo's has named what this attempt made: it is found among the payments, by its metadata, or not
/// at all. A payment that was found so is no reason to look at that one alone: its name may have been copied.
#[must_use]
pub fn only_a_listing_tells(row: &AttemptRow) -> bool {
    row.kind == AttemptKind::OneClick && row.checkout_session_id.is_none()
}

/// Returns the seconds for which an age group's payments are not listed after Dodo listed none for anybody `failures` times
/// in a row.
#[must_use]
pub fn pause_after(failures: u32) -> i64 {
    let doublings = failures.saturating_sub(1).min(PAUSE_DOUBLINGS);
    FIRST_PAUSE.saturating_mul(1_i64 << doublings)
}

/// The first offset after `now`, moved by up to a tenth: to a second that is the same for all of one outage where one
/// listing tells of all, and to different ones otherwise.
fn scheduled(row: &AttemptRow, offsets: &[i64], then_every: i64, now: UnixSeconds) -> UnixSeconds {
    let age = now.0.saturating_sub(row.created_at.0);
    let offset = offsets.iter().copied().find(|offset| *offset > age);
    let at = offset.map_or_else(|| later(now, then_every), |offset| later(row.created_at, offset));
    let tenth = offset.unwrap_or(DEADLINE).saturating_div(10).max(1);
    if only_a_listing_tells(row) {
        let past = at.0.rem_euclid(tenth);
        return later(at, if past == 0 { 0 } else { tenth.saturating_sub(past) });
    }
    match offset {
        Some(_) => later(at, seed(row).rem_euclid(tenth.saturating_add(1))),
        None => at,
    }
}

/// A number that differs from attempt to attempt.
fn seed(row: &AttemptRow) -> i64 {
    row.id.as_str().bytes().fold(0, |sum: i64, byte| sum.wrapping_mul(31).wrapping_add(i64::from(byte)))
}

#[cfg(test)]
#[path = "reconcile_schedule_tests.rs"]
mod tests;
