//! When an undecided attempt is looked up, and when waiting ends. Pure.
//!
//! A confirmed checkout lives 15 minutes at Dodo, so that a charge that is not there after 20 will hardly come; but "not
//! listed" proves nothing by itself, so that two complete look-ups after the deadline are needed, and an abandoned
//! attempt is watched for two days more, longer than Dodo repeats a webhook. A hosted page lives a day; a payment that
//! was begun on it may take longer, so that the page's end decides only what a complete look-up shows to be idle. What
//! Dodo says is under way is watched until it is not.
//!
//! An outage leaves many behind of which only a listing of payments tells. One listing tells of all of them, so that they
//! come due together; what is looked up one by one is spread instead.

use money::later;
use wire::UnixSeconds;

use crate::{
    domain::{AttemptKind, AttemptRow},
    journal::states,
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

/// Seconds until payments are listed again when they could not be listed.
const FIRST_PAUSE: i64 = 5;
/// How often that pause doubles.
const PAUSE_DOUBLINGS: u32 = 5;

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
    if states::is_watched(row.state) {
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

/// Whether no reply of Dodo's has named what this attempt made: it is found among the payments, by its metadata, or not at
/// all. A payment that was found so is no reason to look at that one alone: its name may have been copied.
#[must_use]
pub fn only_a_listing_tells(row: &AttemptRow) -> bool {
    row.kind == AttemptKind::OneClick && row.checkout_session_id.is_none()
}

/// Seconds for which payments are not listed after they could not be listed `failures` times in a row.
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
mod tests {
    use std::collections::BTreeSet;

    use dodo_client::ids::{CheckoutSessionId, PaymentId};
    use proptest::prelude::*;
    use wire::AttemptId;

    use super::*;
    use crate::domain::AttemptState;

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

    /// Charges of one outage, ten a second: one listing for many of them, and spread where each takes a request.
    #[test]
    fn what_one_listing_tells_of_comes_due_together() {
        let due = |checkout_session_id: Option<CheckoutSessionId>, age: i64| -> BTreeSet<i64> {
            (0..1000)
                .map(|no| {
                    let created_at = UnixSeconds(1_000_000 + no / 10);
                    let id = AttemptId::parse(format!("att_{no:05}")).unwrap();
                    let of = row(AttemptKind::OneClick, AttemptState::Unknown);
                    // A payment that was found by its name may be a copy: only what a reply named is looked at alone.
                    let payment_id = PaymentId::parse("pay_1").ok();
                    let checkout_session_id = checkout_session_id.clone();
                    let row = AttemptRow { id, created_at, payment_id, checkout_session_id, ..of };
                    match next(&row, Look::Idle, later(created_at, age)) {
                        Next::LookAt(at) => at.0,
                        other => panic!("{other:?}"),
                    }
                })
                .collect()
        };
        let one = CheckoutSessionId::parse("cks_1").unwrap();
        for (age, rounds) in [(300, 3), (600, 2), (1200, 2)] {
            assert!(due(None, age).len() <= rounds, "{age}: {:?}", due(None, age));
            assert!(due(Some(one.clone()), age).len() > 90, "{age}");
        }
    }

    #[test]
    fn a_listing_that_fails_is_tried_again_after_ever_longer_pauses() {
        let pauses: Vec<i64> = (1..=8).map(pause_after).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 160, 160]);
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
