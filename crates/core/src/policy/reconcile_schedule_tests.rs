//! Seen to fail when: a payment under way counts as a clean look; what is under way is abandoned at the deadline; what is
//! incomplete waits without an end; the watch over what was given up goes on while a payment is under way.

use std::collections::BTreeSet;

use dodo_client::ids::{CheckoutSessionId, PaymentId};
use proptest::prelude::*;
use wire::AttemptId;

use super::*;

const WAITING: WaitingRules = WaitingRules { bank_approval_days: 5, slow_method_days: 9 };
const DAY: i64 = 86_400;
const KINDS: [AttemptKind; 3] = [AttemptKind::OneClick, AttemptKind::Hosted, AttemptKind::PlanChange];
const LOOKS: [Look; 3] = [Look::Incomplete, Look::Idle, Look::UnderWay];

fn row(kind: AttemptKind, state: AttemptState) -> AttemptRow {
    AttemptRow { kind, state, created_at: UnixSeconds(1_000_000), ..AttemptRow::example() }
}

/// An attempt that a reply of Dodo's has named.
fn named(kind: AttemptKind, state: AttemptState) -> AttemptRow {
    let checkout_session_id = CheckoutSessionId::parse("cks_1").ok();
    AttemptRow { checkout_session_id, ..row(kind, state) }
}

/// What became of an attempt whose every look sees the same, in seconds after its claim.
#[derive(Debug, Default)]
struct Played {
    looks: Vec<i64>,
    given_up: Option<i64>,
    review: Option<(ReviewCause, i64)>,
    closed: Option<i64>,
}

/// Plays the reconciler until it looks no more.
fn play(mut row: AttemptRow, mut look: impl FnMut(i64) -> Look) -> Played {
    let start = row.created_at;
    let mut played = Played::default();
    let mut now = first(row.kind, start, start);
    for _ in 0..2_000 {
        let age = now.0 - start.0;
        played.looks.push(age);
        let look = look(age);
        row.clean_looks += u32::from(counts_as_clean(&row, look, now));
        let next = next(&row, look, WAITING, now);
        let at = match next {
            Next::LookAt(at) => Some(at),
            Next::Abandon(at) => {
                assert_eq!(played.given_up, None, "given up twice");
                played.given_up = Some(age);
                row.state = states::abandon(row.state);
                Some(at)
            }
            Next::Review(cause, at) => {
                assert_eq!(played.review, None, "reviewed twice");
                played.review = Some((cause, age));
                row.state = states::review(row.state);
                at
            }
            Next::HostedPageClosed => {
                played.closed = Some(age);
                None
            }
            Next::Stop => None,
        };
        match at {
            Some(at) => {
                assert!(at > now, "{next:?}");
                now = at;
            }
            None => return played,
        }
    }
    panic!("the schedule does not end: {played:?}");
}

/// I13.
#[test]
fn an_unknown_charge_is_looked_up_often_then_given_up_then_watched_then_reviewed() {
    let played = play(row(AttemptKind::OneClick, AttemptState::Unknown), |_| Look::Idle);
    let spread = |offset: i64| offset..=offset + offset / 10;
    for (look, offset) in played.looks.iter().zip(OFFSETS) {
        assert!(spread(offset).contains(look), "{look} {offset}");
    }
    let given_up = played.given_up.unwrap();
    assert!((DEADLINE..=DEADLINE + DEADLINE / 10 + 3 * SWEEP).contains(&given_up), "{given_up}");
    let (cause, at) = played.review.unwrap();
    assert_eq!(cause, ReviewCause::NeverFound);
    assert!((WATCH_FOR..=WATCH_FOR + 2 * WATCH_EVERY).contains(&at), "{at}");
    assert_eq!(played.looks.last(), Some(&at), "nothing is listed for it any more");
}

/// I13: a bank approval of days and a slow method are pending, are never given up, and end for a person.
#[test]
fn what_dodo_calls_pending_is_waited_for_up_to_its_limit() {
    for kind in KINDS {
        for (customer_action, days) in [(true, 5), (false, 9)] {
            let state = AttemptState::Pending { customer_action };
            let played = play(named(kind, state), |_| Look::UnderWay);
            assert_eq!(played.given_up, None, "{kind:?}");
            let (cause, at) = played.review.unwrap();
            assert_eq!(cause, ReviewCause::StillPending);
            assert!((days * DAY..=days * DAY + WATCH_EVERY).contains(&at), "{kind:?} {at}");
            let pauses = played.looks.windows(2).filter(|pair| pair[0] < days * DAY);
            assert!(
                pauses.into_iter().all(|pair| pair[1] - pair[0] <= 5 * WATCH_EVERY + WATCH_EVERY),
                "{kind:?}"
            );
            let last = *played.looks.last().unwrap();
            assert!((9 * DAY + REVIEW_FOR..=11 * DAY + REVIEW_FOR).contains(&last), "{last}");
            assert!(played.looks.len() < 400, "{} look-ups", played.looks.len());
        }
    }
}

/// I21: a buyer who is forgotten does not wait for what Dodo calls pending, and for everything else as always.
#[test]
fn what_is_pending_of_a_forgotten_buyer_needs_review_at_once() {
    let states = [
        (AttemptState::Pending { customer_action: true }, true),
        (AttemptState::Unknown, true),
        (AttemptState::Sent, false),
        (AttemptState::Abandoned, false),
        (AttemptState::Succeeded, false),
    ];
    for kind in KINDS {
        for (state, is_waited_for) in states {
            for look in [Look::Incomplete, Look::Idle, Look::UnderWay] {
                let (row, now) = (named(kind, state), UnixSeconds(500));
                let review = Next::Review(ReviewCause::BuyerForgotten, Some(later(now, REVIEW_EVERY)));
                let expected = (is_waited_for && look == Look::UnderWay).then_some(review);
                assert_eq!(next_of_forgotten(&row, look, now), expected, "{state:?} {look:?}");
            }
        }
    }
}

/// I13: what cannot be read does not stay as it is, whatever it is.
#[test]
fn what_cannot_be_read_ends_for_a_person_after_two_days() {
    for kind in KINDS {
        for state in [AttemptState::Unknown, AttemptState::Pending { customer_action: true }] {
            for row in [row(kind, state), named(kind, state)] {
                let played = play(row, |_| Look::Incomplete);
                let (cause, at) = played.review.unwrap();
                assert_eq!((cause, played.given_up), (ReviewCause::Unreadable, None));
                assert!((WATCH_FOR..=WATCH_FOR + WATCH_EVERY).contains(&at), "{kind:?} {at}");
            }
        }
    }
}

/// I13, I6: what was given up and turns out to be pending is waited for like anything pending.
#[test]
fn the_watch_ends_over_anything() {
    for (late, cause, end) in [
        (Look::Idle, ReviewCause::NeverFound, WATCH_FOR),
        (Look::UnderWay, ReviewCause::StillPending, 9 * DAY),
        (Look::Incomplete, ReviewCause::Unreadable, 9 * DAY),
    ] {
        let seen = |age| if age < 2 * 3600 { Look::Idle } else { late };
        let played = play(row(AttemptKind::OneClick, AttemptState::Unknown), seen);
        let (found, at) = played.review.unwrap();
        assert_eq!(found, cause);
        assert!((end..=end + 2 * WATCH_EVERY).contains(&at), "{late:?} {at}");
    }
}

/// I18: what fell short waits for a person, and keeps its name.
#[test]
fn what_fell_short_is_not_looked_up_for_ever() {
    for look in LOOKS {
        let played = play(row(AttemptKind::OneClick, AttemptState::Underpaid), |_| look);
        assert_eq!((played.review, played.given_up), (None, None));
        assert!(*played.looks.last().unwrap() <= 9 * DAY + WATCH_EVERY);
    }
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
                match next(&row, Look::Idle, WAITING, later(created_at, age)) {
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
    let played = play(row(AttemptKind::Hosted, AttemptState::Unknown), |_| Look::Idle);
    let closed = played.closed.unwrap();
    assert!((HOSTED_LIFE..=HOSTED_LIFE + WATCH_EVERY).contains(&closed), "{closed}");
    assert!(played.looks.len() < 40, "{} look-ups for one idle page", played.looks.len());
}

/// I6, I12: a payment that is processed for longer than its page is open is not called failed, and no more is one that could
/// not be looked at.
#[test]
fn a_page_that_closes_over_a_payment_decides_nothing() {
    for look in [Look::UnderWay, Look::Incomplete] {
        let row = row(AttemptKind::Hosted, AttemptState::Pending { customer_action: false });
        for age in [HOSTED_LIFE, WATCH_FOR, 20 * DAY] {
            let now = later(row.created_at, age);
            assert_ne!(next(&row, look, WAITING, now), Next::HostedPageClosed, "{look:?} {age}");
        }
    }
}

#[test]
fn one_clean_look_is_not_enough() {
    let mut row = row(AttemptKind::OneClick, AttemptState::Unknown);
    row.clean_looks = 1;
    let now = later(row.created_at, DEADLINE + 1);
    assert!(matches!(next(&row, Look::Idle, WAITING, now), Next::LookAt(_)));
    row.clean_looks = 2;
    assert!(matches!(next(&row, Look::Idle, WAITING, now), Next::Abandon(_)));
}

fn kind() -> impl Strategy<Value = AttemptKind> {
    prop::sample::select(&KINDS)
}

fn waiting_state() -> impl Strategy<Value = AttemptState> {
    prop_oneof![
        Just(AttemptState::Unknown),
        any::<bool>().prop_map(|customer_action| AttemptState::Pending { customer_action }),
        Just(AttemptState::Abandoned),
        Just(AttemptState::Underpaid),
        Just(AttemptState::NeedsReview),
    ]
}

proptest! {
    /// I13: whatever each look sees, in whatever order, waiting ends, and in a state that has a name.
    #[test]
    fn i13_every_wait_ends(
        kind in kind(), customer_action: bool, is_named: bool, seen in prop::collection::vec(0..3_usize, 1..60)
    ) {
        let state = AttemptState::Pending { customer_action };
        let row = if is_named { named(kind, state) } else { row(kind, state) };
        let mut turn = 0;
        let played = play(row, |_| {
            turn += 1;
            LOOKS[seen[turn % seen.len()]]
        });
        let ended = played.closed.or(played.review.map(|(_, at)| at));
        prop_assert!(ended.is_some_and(|at| at <= 10 * DAY), "{played:?}");
    }

    /// I13: while Dodo calls it pending, it is neither given up nor failed.
    #[test]
    fn i13_pending_is_pending(kind in kind(), state in waiting_state(), age in 0..5 * DAY, clean in 0_u32..9) {
        let row = AttemptRow { clean_looks: clean, ..row(kind, state) };
        let now = later(row.created_at, age);
        let next = next(&row, Look::UnderWay, WAITING, now);
        prop_assert!(matches!(next, Next::LookAt(_)) || states::is_watched(state), "{next:?}");
        prop_assert!(!counts_as_clean(&row, Look::UnderWay, now));
    }

    /// I19: the next look follows from the attempt alone, and lies ahead.
    #[test]
    fn i19_the_next_look_is_always_later(
        kind in kind(), state in waiting_state(), look in 0..3_usize, age in 0_i64..3_000_000, clean in 0_u32..4
    ) {
        let row = AttemptRow { clean_looks: clean, ..row(kind, state) };
        let now = later(row.created_at, age);
        match next(&row, LOOKS[look], WAITING, now) {
            Next::LookAt(at) | Next::Abandon(at) | Next::Review(_, Some(at)) => prop_assert!(at > now),
            Next::Review(_, None) | Next::HostedPageClosed | Next::Stop => {}
        }
    }

    #[test]
    fn nothing_is_given_up_before_the_deadline(age in 0_i64..DEADLINE, clean in 0_u32..9, look in 0..3_usize) {
        let mut row = row(AttemptKind::PlanChange, AttemptState::Unknown);
        row.clean_looks = clean;
        let now = later(row.created_at, age);
        prop_assert!(matches!(next(&row, LOOKS[look], WAITING, now), Next::LookAt(_)));
    }
}
