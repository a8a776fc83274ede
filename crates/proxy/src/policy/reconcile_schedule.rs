//! When an undecided attempt is looked up, and when waiting ends. Pure.
//!
//! A confirmed checkout lives 15 minutes at Dodo, so that a charge that is not there after 20 will hardly come; but "not
//! listed" proves nothing by itself, so that two complete look-ups after the deadline are needed, and an abandoned
//! attempt is watched for two days more, longer than Dodo repeats a webhook. A hosted page lives a day; a payment that
//! was begun on it may take longer, so that the page's end decides only what a complete look-up shows to be idle. What
//! Dodo says is under way is watched until it is not.

use wire::UnixSeconds;

use crate::{
    clock::later,
    domain::{AttemptKind, AttemptRow, AttemptState},
};

/// Seconds after the claim at which an attempt is looked up.
const OFFSETS: [i64; 7] = [2, 10, 30, 120, 300, 600, 1200];
/// Seconds after which a charge that was never found is given up.
const DEADLINE: i64 = 20 * 60;
/// Complete look-ups after the deadline that must find nothing.
const CLEAN_LOOKS: u32 = 2;
/// Seconds between look-ups after the deadline.
const SWEEP: i64 = 60;
/// Seconds between look-ups of what was given up.
const WATCH_EVERY: i64 = 3600;
/// Seconds for which what was given up is watched.
const WATCH_FOR: i64 = 48 * 3600;

/// Seconds after the claim at which a hosted page is looked at: the webhook is usually faster, and the buyer may take
/// their time.
const HOSTED_OFFSETS: [i64; 6] = [30, 120, 600, 1800, 3600, 6 * 3600];
/// A hosted session lives 24 hours; one more for clocks and payments under way when it ends.
const HOSTED_LIFE: i64 = 25 * 3600;

/// What to do with an attempt that is still undecided after having been looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Look again then.
    LookAt(UnixSeconds),
    /// Give it up as never chargeable again, and watch on from then.
    Abandon(UnixSeconds),
    /// The hosted page has closed without a payment.
    HostedPageClosed,
    /// Watched for long enough.
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
pub fn next(row: &AttemptRow, look: Look, now: UnixSeconds) -> Next {
    let age = now.0.saturating_sub(row.created_at.0);
    if row.state == AttemptState::Abandoned {
        let over = age >= WATCH_FOR && look == Look::Idle;
        return if over { Next::Stop } else { Next::LookAt(later(now, WATCH_EVERY)) };
    }
    if row.kind == AttemptKind::Hosted {
        return match look {
            Look::Idle if age >= HOSTED_LIFE => Next::HostedPageClosed,
            Look::Incomplete | Look::UnderWay if age >= WATCH_FOR => Next::Abandon(later(now, WATCH_EVERY)),
            _ => Next::LookAt(scheduled(row, &HOSTED_OFFSETS, WATCH_EVERY, now)),
        };
    }
    if age >= DEADLINE && row.clean_looks >= CLEAN_LOOKS {
        return Next::Abandon(later(now, WATCH_EVERY));
    }
    Next::LookAt(scheduled(row, &OFFSETS, SWEEP, now))
}

/// When an attempt that was just sent, or just became undecided, is looked up first.
#[must_use]
pub fn first(kind: AttemptKind, created_at: UnixSeconds, now: UnixSeconds) -> UnixSeconds {
    let offset = match kind {
        AttemptKind::Hosted => HOSTED_OFFSETS[0],
        AttemptKind::OneClick | AttemptKind::PlanChange => OFFSETS[0],
    };
    later(created_at, offset).max(later(now, 1))
}

/// Whether a complete look-up at `now` that decided nothing counts towards giving up.
#[must_use]
pub fn counts_as_clean(row: &AttemptRow, now: UnixSeconds) -> bool {
    now.0.saturating_sub(row.created_at.0) >= DEADLINE
}

/// The first offset after `now`, spread a little so that attempts of one outage do not come due in one second.
fn scheduled(row: &AttemptRow, offsets: &[i64], then_every: i64, now: UnixSeconds) -> UnixSeconds {
    let age = now.0.saturating_sub(row.created_at.0);
    match offsets.iter().find(|offset| **offset > age) {
        Some(offset) => {
            let spread = offset.saturating_div(10).saturating_add(1);
            later(row.created_at, offset.saturating_add(seed(row).rem_euclid(spread)))
        }
        None => later(now, then_every),
    }
}

/// A number that differs from attempt to attempt.
fn seed(row: &AttemptRow) -> i64 {
    row.id.as_str().bytes().fold(0, |sum: i64, byte| sum.wrapping_mul(31).wrapping_add(i64::from(byte)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(kind: AttemptKind, state: AttemptState) -> AttemptRow {
        AttemptRow { kind, state, created_at: UnixSeconds(1_000_000), ..AttemptRow::example() }
    }

    /// Plays the reconciler against an attempt of which nothing is ever found; returns the times of its look-ups and
    /// when it was given up.
    fn play(kind: AttemptKind, look: Look) -> (Vec<i64>, Option<i64>) {
        let mut row = row(kind, AttemptState::Unknown);
        let start = row.created_at;
        let (mut looks, mut given_up) = (Vec::new(), None);
        let mut now = first(kind, start, start);
        for _ in 0..500 {
            looks.push(now.0 - start.0);
            row.clean_looks += u32::from(look != Look::Incomplete && counts_as_clean(&row, now));
            match next(&row, look, now) {
                Next::LookAt(at) => now = at,
                Next::Abandon(at) => {
                    given_up = Some(now.0 - start.0);
                    if look != Look::Idle {
                        return (looks, given_up);
                    }
                    row.state = AttemptState::Abandoned;
                    now = at;
                }
                Next::HostedPageClosed => return (looks, Some(now.0 - start.0)),
                Next::Stop => return (looks, given_up),
            }
        }
        panic!("the schedule does not end: {looks:?}");
    }

    /// I13.
    #[test]
    fn an_unknown_charge_is_looked_up_often_then_given_up_then_watched() {
        let (looks, given_up) = play(AttemptKind::OneClick, Look::Idle);
        let spread = |offset: i64| offset..=offset + offset / 10;
        for (look, offset) in looks.iter().zip(OFFSETS) {
            assert!(spread(offset).contains(look), "{look} {offset}");
        }
        let given_up = given_up.unwrap();
        assert!((DEADLINE..=DEADLINE + DEADLINE / 10 + 3 * SWEEP).contains(&given_up), "{given_up}");
        let last = *looks.last().unwrap();
        assert!((WATCH_FOR..=WATCH_FOR + 2 * WATCH_EVERY).contains(&last), "{last}");
    }

    #[test]
    fn a_hosted_page_has_its_day() {
        let (looks, closed) = play(AttemptKind::Hosted, Look::Idle);
        assert!((HOSTED_LIFE..=HOSTED_LIFE + WATCH_EVERY).contains(&closed.unwrap()), "{closed:?}");
        assert!(looks.len() < 40, "{} look-ups for one idle page", looks.len());
    }

    /// I6, I12: a payment that is processed for longer than its page is open is not called failed, and no more is one
    /// that could not be looked at.
    #[test]
    fn a_page_that_closes_over_a_payment_decides_nothing() {
        for look in [Look::UnderWay, Look::Incomplete] {
            let (looks, given_up) = play(AttemptKind::Hosted, look);
            let given_up = given_up.unwrap();
            assert!((WATCH_FOR..=WATCH_FOR + WATCH_EVERY).contains(&given_up), "{look:?} {given_up}");
            assert!(looks.len() < 70, "{} look-ups", looks.len());
            let row = row(AttemptKind::Hosted, AttemptState::Pending { customer_action: false });
            for age in [HOSTED_LIFE, WATCH_FOR, 2 * WATCH_FOR] {
                let now = later(row.created_at, age);
                assert_ne!(next(&row, look, now), Next::HostedPageClosed, "{look:?} {age}");
            }
        }
    }

    /// I5: the watch ends over what is idle only.
    #[test]
    fn what_is_under_way_is_watched_on() {
        let row = row(AttemptKind::OneClick, AttemptState::Abandoned);
        let now = later(row.created_at, 2 * WATCH_FOR);
        assert_eq!(next(&row, Look::Idle, now), Next::Stop);
        for look in [Look::UnderWay, Look::Incomplete] {
            assert_eq!(next(&row, look, now), Next::LookAt(later(now, WATCH_EVERY)), "{look:?}");
        }
    }

    #[test]
    fn one_clean_look_is_not_enough() {
        let mut row = row(AttemptKind::OneClick, AttemptState::Unknown);
        row.clean_looks = 1;
        let now = later(row.created_at, DEADLINE + 1);
        assert!(matches!(next(&row, Look::Idle, now), Next::LookAt(_)));
        row.clean_looks = 2;
        assert!(matches!(next(&row, Look::Idle, now), Next::Abandon(_)));
    }

    proptest! {
        #[test]
        fn the_next_look_is_always_later(age in 0_i64..300_000, clean in 0_u32..4, hosted: bool, pending: bool) {
            let kind = if hosted { AttemptKind::Hosted } else { AttemptKind::OneClick };
            let state = if pending { AttemptState::Pending { customer_action: false } } else { AttemptState::Unknown };
            let mut row = row(kind, state);
            row.clean_looks = clean;
            let now = later(row.created_at, age);
            if let Next::LookAt(at) | Next::Abandon(at) = next(&row, Look::Idle, now) {
                prop_assert!(at > now);
            }
        }

        #[test]
        fn nothing_is_given_up_before_the_deadline(age in 0_i64..DEADLINE, clean in 0_u32..9) {
            let mut row = row(AttemptKind::PlanChange, AttemptState::Unknown);
            row.clean_looks = clean;
            let now = later(row.created_at, age);
            prop_assert!(matches!(next(&row, Look::Idle, now), Next::LookAt(_)));
        }
    }
}
