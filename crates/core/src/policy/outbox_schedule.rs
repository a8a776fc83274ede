//! When news that could not be told is told again, and when that ends. Pure.
//!
//! The pauses are those that the Standard Webhooks specification gives as an example: a short break of the merchant's
//! system costs seconds, a lost weekend costs nothing.

use money::later;
use wire::UnixSeconds;

/// Seconds from a failed try to the next.
const PAUSES: [i64; 9] = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600];

/// When to try again, after a try that ended at `now` and was the `failures + 1`th to fail. `None`: it is given up.
#[must_use]
pub fn next(id: &str, failures: u32, now: UnixSeconds) -> Option<UnixSeconds> {
    let pause = *PAUSES.get(usize::try_from(failures).ok()?)?;
    // Spread a little, so that what failed in one outage does not come back in one second.
    let spread = pause.saturating_div(10).saturating_add(1);
    Some(later(now, pause.saturating_add(seed(id, failures).rem_euclid(spread))))
}

/// A number that differs from one to another and from try to try.
fn seed(id: &str, failures: u32) -> i64 {
    id.bytes().fold(i64::from(failures), |sum, byte| sum.wrapping_mul(31).wrapping_add(i64::from(byte)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// When each try takes place, in seconds after the first, for a system that never answers.
    fn play(id: &str) -> Vec<i64> {
        let mut tries = vec![0];
        while let Some(at) =
            next(id, u32::try_from(tries.len() - 1).unwrap(), UnixSeconds(tries[tries.len() - 1]))
        {
            tries.push(at.0);
        }
        tries
    }

    #[test]
    fn a_dead_system_is_tried_ten_times_over_three_days() {
        let tries = play("evt_at_1_payment_succeeded");
        assert_eq!(tries.len(), 10);
        assert!((75 * 3600..84 * 3600).contains(&tries[9]), "{tries:?}");
    }

    #[test]
    fn news_of_one_outage_comes_back_spread_out() {
        let at = |n: u32| next(&format!("evt_at_{n}_payment_succeeded"), 1, UnixSeconds(0));
        let times: std::collections::BTreeSet<_> = (0..100).map(at).collect();
        assert!(times.len() > 10, "{times:?}");
    }

    proptest! {
        /// I14: it goes on trying, at its times, and comes to an end.
        #[test]
        fn every_pause_is_its_own_and_at_most_a_tenth_longer(id in "[a-z0-9_]{0,40}", now in 0_i64..4_000_000_000) {
            for (failures, pause) in (0_u32..).zip(PAUSES) {
                let wait = next(&id, failures, UnixSeconds(now)).unwrap().0 - now;
                prop_assert!((pause..=pause + pause / 10).contains(&wait), "{failures}: {wait}");
            }
        }

        #[test]
        fn after_the_last_pause_it_is_given_up(id in "[a-z0-9_]{0,40}", more in 9_u32..) {
            prop_assert_eq!(next(&id, more, UnixSeconds(0)), None);
        }
    }
}
