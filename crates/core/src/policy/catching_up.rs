//! What is caught up on after Dodo's webhooks have stayed away. Pure.
//!
//! Dodo repeats a webhook for a little more than a day, so that after a longer outage nobody sends again what was missed.
//! How far back to look therefore follows from the last event that was seen, and from no fixed length: whenever events have
//! stayed away for [`QUIET`], everything since the last one is missed until it has been listed.

use dodo_client::types::payments::{ChargeType, IntentStatus};
use money::later;
use wire::UnixSeconds;

use super::listing_plan::{CLOCK_SLACK, Window};
use crate::{
    domain::{AttemptRow, Named, PaymentFacts},
    journal::states,
};

/// Seconds without an event after which events may have been missed. A shop without sales for so long pays for that with a
/// few requests.
pub const QUIET: i64 = 6 * 3600;
/// Seconds within which a further event is not noted.
const NOTE_EVERY: i64 = 60;
/// Seconds that a payment may have been pending before the first event that was missed.
const PENDING_BEFORE: i64 = 7 * 86_400;
/// Seconds that a refund may have been on its way before.
const REFUND_BEFORE: i64 = 14 * 86_400;
/// Seconds that a dispute may have been open before. Card schemes decide within four months.
const DISPUTE_BEFORE: i64 = 120 * 86_400;
/// Shortest window of a listing, in seconds, however many payments it holds.
pub const SHORTEST: i64 = 60;

/// What is known of Dodo's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventProgress {
    /// The last event was seen then, or silence was noticed.
    pub last_event_at: UnixSeconds,
    /// Events of this time may have been missed.
    pub missed: Option<Window>,
}

impl EventProgress {
    /// Returns the progress after an event at `at`, unless nothing worth noting changes.
    #[must_use]
    pub fn heard(self, at: UnixSeconds) -> Option<Self> {
        let silence = at.0.saturating_sub(self.last_event_at.0);
        if silence >= QUIET {
            let from = self.missed.map_or(self.last_event_at, |missed| missed.from);
            return Some(Self { last_event_at: at, missed: Some(Window { from, to: at }) });
        }
        (silence >= NOTE_EVERY).then_some(Self { last_event_at: at, ..self })
    }

    /// Returns the progress at `now` if events have stayed away for long.
    #[must_use]
    pub fn silent(self, now: UnixSeconds) -> Option<Self> {
        let is_quiet = now.0.saturating_sub(self.last_event_at.0) >= QUIET;
        if is_quiet { self.heard(now) } else { None }
    }

    /// Returns the progress after everything up to `until` has been listed. What was missed meanwhile stays missed.
    #[must_use]
    pub fn caught_up(self, until: UnixSeconds) -> Option<Self> {
        let missed = self.missed?;
        let rest = Window { from: missed.from.max(until), to: missed.to };
        let missed = (rest.from < rest.to).then_some(rest);
        (missed != self.missed).then_some(Self { missed, ..self })
    }

    /// Returns the seconds that are not caught up on.
    #[must_use]
    pub fn behind(self) -> i64 {
        self.missed.map_or(0, |missed| missed.to.0.saturating_sub(missed.from.0))
    }
}

/// Returns the span of payments to list for what was missed: those that were pending before it, too.
#[must_use]
pub fn payments(missed: Window) -> Window {
    begun_before(missed, PENDING_BEFORE)
}

/// Returns the span of refunds to list for what was missed.
#[must_use]
pub fn refunds(missed: Window) -> Window {
    begun_before(missed, REFUND_BEFORE)
}

/// Returns the span of disputes to list for what was missed.
#[must_use]
pub fn disputes(missed: Window) -> Window {
    begun_before(missed, DISPUTE_BEFORE)
}

/// Dodo's clock may be ahead of ours.
fn begun_before(missed: Window, seconds: i64) -> Window {
    Window { from: later(missed.from, seconds.saturating_neg()), to: later(missed.to, CLOCK_SLACK) }
}

/// Returns the first half of a window whose listing is too long. `None`: it cannot be shorter, and has to be listed however
/// long it is.
#[must_use]
pub fn first_half(window: Window) -> Option<Window> {
    let length = window.to.0.saturating_sub(window.from.0);
    (length > SHORTEST).then(|| Window { to: later(window.from, length.saturating_div(2)), ..window })
}

/// Returns the window after `done`: up to `end`, and at most twice as long, since the last one was not too long.
#[must_use]
pub fn after(done: Window, end: UnixSeconds) -> Option<Window> {
    let length = done.to.0.saturating_sub(done.from.0).max(SHORTEST);
    let to = later(done.to, length.saturating_mul(2)).min(end);
    (done.to < end).then_some(Window { from: done.to, to })
}

/// What a listed payment may tell that was missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// Nothing.
    Nothing,
    /// A purchase to follow up.
    Purchase,
    /// What became of an attempt.
    Attempt,
}

/// Says what a payment is about, as far as a listing tells.
#[must_use]
pub fn concern(payment: &PaymentFacts) -> Concern {
    if payment.named != Named::Nobody {
        return Concern::Attempt;
    }
    let is_new = matches!(payment.charge_type, None | Some(ChargeType::New));
    let has_paid = payment.status == Some(IntentStatus::Succeeded);
    match (has_paid, is_new, &payment.charge_type) {
        (true, true, _) => Concern::Purchase,
        // A change of a plan need not name its attempt.
        (true, _, Some(ChargeType::PlanChange)) => Concern::Attempt,
        _ => Concern::Nothing,
    }
}

/// Says whether a payment that names this attempt may tell anything that is not known of it.
#[must_use]
pub fn is_open(row: &AttemptRow) -> bool {
    states::is_live(row.state) || states::is_watched(row.state)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::journal::fixtures::genuine;

    const START: UnixSeconds = UnixSeconds(1_000_000_000);

    fn fresh() -> EventProgress {
        EventProgress { last_event_at: START, missed: None }
    }

    fn after_start(seconds: i64) -> UnixSeconds {
        later(START, seconds)
    }

    #[test]
    fn events_close_together_miss_nothing() {
        assert_eq!(fresh().heard(after_start(NOTE_EVERY - 1)), None, "not worth a write");
        let heard = fresh().heard(after_start(QUIET - 1)).unwrap();
        assert_eq!(heard, EventProgress { last_event_at: after_start(QUIET - 1), missed: None });
        assert_eq!(fresh().silent(after_start(QUIET - 1)), None);
        assert_eq!(fresh().heard(after_start(-QUIET)), None, "a clock that went back");
    }

    /// However long it was: 40 hours, or a month.
    #[test]
    fn what_is_missed_begins_with_the_last_event() {
        for hours in [6, 40, 30 * 24] {
            let at = after_start(hours * 3600);
            let missed = Some(Window { from: START, to: at });
            assert_eq!(fresh().heard(at), Some(EventProgress { last_event_at: at, missed }));
            assert_eq!(fresh().silent(at), fresh().heard(at));
        }
    }

    #[test]
    fn what_is_missed_while_catching_up_is_added() {
        let first = fresh().silent(after_start(QUIET)).unwrap();
        let second = first.heard(after_start(3 * QUIET)).unwrap();
        assert_eq!(second.missed, Some(Window { from: START, to: after_start(3 * QUIET) }));
        // The listing was of what was missed first.
        let rest = second.caught_up(after_start(QUIET)).unwrap();
        assert_eq!(rest.missed, Some(Window { from: after_start(QUIET), to: after_start(3 * QUIET) }));
        assert_eq!(rest.behind(), 2 * QUIET);
        let done = rest.caught_up(after_start(3 * QUIET)).unwrap();
        assert_eq!((done.missed, done.behind()), (None, 0));
        assert_eq!(done.caught_up(after_start(4 * QUIET)), None);
    }

    proptest! {
        /// Windows cover what was missed from end to end, and end, however the listings of them are cut.
        #[test]
        fn windows_leave_no_gap(length in 1_i64..90 * 86_400, busy in prop::collection::vec(any::<bool>(), 0..40)) {
            let all = Window { from: START, to: after_start(length) };
            let (mut window, mut reached) = (all, START);
            let mut too_long = busy.into_iter();
            for _ in 0..10_000 {
                prop_assert_eq!(window.from, reached);
                prop_assert!(window.to <= all.to);
                if too_long.next() == Some(true) && let Some(half) = first_half(window) {
                    prop_assert!(half.to < window.to);
                    window = half;
                    continue;
                }
                reached = window.to;
                match after(window, all.to) {
                    Some(next) => window = next,
                    None => break,
                }
            }
            prop_assert_eq!(reached, all.to);
        }

        /// No event that stays away is forgotten, in whatever order events, silence and listings come.
        #[test]
        fn a_gap_stays_missed_until_it_is_listed(steps in prop::collection::vec((0..3_u8, 1_i64..100_000), 1..60)) {
            let (mut progress, mut now, mut listed) = (fresh(), START, START);
            let mut gaps: Vec<Window> = Vec::new();
            for (step, seconds) in steps {
                now = later(now, seconds);
                let before = progress.last_event_at;
                let next = match step {
                    0 => progress.heard(now),
                    1 => progress.silent(now),
                    _ => progress.missed.and_then(|missed| {
                        listed = listed.max(missed.to);
                        progress.caught_up(missed.to)
                    }),
                };
                progress = next.unwrap_or(progress);
                if step < 2 && now.0 - before.0 >= QUIET {
                    gaps.push(Window { from: before, to: now });
                }
                for gap in gaps.iter().filter(|gap| gap.to > listed) {
                    let missed = progress.missed;
                    prop_assert!(missed.is_some_and(|missed| missed.from <= gap.from.max(listed) && gap.to <= missed.to), "{gap:?} {progress:?}");
                }
            }
        }
    }

    #[test]
    fn only_what_may_have_been_missed_is_read() {
        let ours = genuine(&AttemptRow::example(), "pay_1");
        assert_eq!(concern(&ours), Concern::Attempt);
        let base = PaymentFacts { named: Named::Nobody, ..ours };
        let of = |status: IntentStatus, charge_type: Option<ChargeType>| {
            concern(&PaymentFacts { status: Some(status), charge_type, ..base.clone() })
        };
        assert_eq!(of(IntentStatus::Succeeded, None), Concern::Purchase);
        assert_eq!(of(IntentStatus::Succeeded, Some(ChargeType::New)), Concern::Purchase);
        assert_eq!(of(IntentStatus::Succeeded, Some(ChargeType::Renewal)), Concern::Nothing);
        assert_eq!(of(IntentStatus::Succeeded, Some(ChargeType::PlanChange)), Concern::Attempt);
        assert_eq!(of(IntentStatus::Failed, None), Concern::Nothing);
    }
}
