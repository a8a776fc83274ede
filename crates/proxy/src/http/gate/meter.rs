//! So many a minute of each: a bucket per key, filled again bit by bit.

use std::{fmt, hash::Hash, num::NonZeroU32};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, MonotonicClock},
    middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};

/// At so many keys full buckets are thrown out at once, not only by the clock.
const CROWD: usize = 50_000;
/// What is answered to something that can never be let through.
const NEVER: u32 = 60;

/// Counts for each key.
pub(super) struct Meter<K: Hash + Eq + Clone, C: Clock = MonotonicClock> {
    buckets: RateLimiter<K, DashMapStateStore<K>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
}

impl<K: Hash + Eq + Clone> Meter<K> {
    /// On average `requests` a minute, and at most as many at once.
    pub(super) fn per_minute(requests: u32) -> Self {
        Self::on(MonotonicClock, requests)
    }
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> Meter<K, C> {
    fn on(clock: C, requests: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN));
        Self { buckets: RateLimiter::new(quota, DashMapStateStore::default(), clock.clone()), clock }
    }

    /// Counts `cost` requests of `key`.
    ///
    /// # Errors
    /// After how many seconds they would be let through.
    pub(super) fn count(&self, key: K, cost: u32) -> Result<(), u32> {
        if self.buckets.len() >= CROWD {
            self.sweep();
        }
        let cost = NonZeroU32::new(cost).unwrap_or(NonZeroU32::MIN);
        match self.buckets.check_key_n(&key, cost) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(refused)) => {
                let wait = refused.wait_time_from(self.clock.now());
                Err(u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1))
            }
            Err(_) => Err(NEVER),
        }
    }

    /// Throws out full buckets: a key that comes again begins with a full one anyway. What stays is as many as were seen
    /// in the last moments, since each request is made good within milliseconds.
    pub(super) fn sweep(&self) {
        self.buckets.retain_recent();
        self.buckets.shrink_to_fit();
    }
}

impl<K: Hash + Eq + Clone, C: Clock> fmt::Debug for Meter<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("keys", &self.buckets.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn so_many_at_once_and_then_as_they_come_back() {
        let clock = FakeRelativeClock::default();
        let meter = Meter::on(clock.clone(), 60);
        assert!((0..60).all(|_| meter.count("a", 1).is_ok()));
        assert_eq!(meter.count("a", 1), Err(1));
        assert_eq!(meter.count("a", 20), Err(20));
        assert!(meter.count("b", 1).is_ok(), "another key");
        clock.advance(Duration::from_secs(2));
        assert!(meter.count("a", 2).is_ok());
        assert!(meter.count("a", 1).is_err());
    }

    #[test]
    fn waiting_as_long_as_told_is_long_enough() {
        let clock = FakeRelativeClock::default();
        let meter = Meter::on(clock.clone(), 240);
        for cost in [1, 4, 20, 240] {
            while meter.count((), 1).is_ok() {}
            let wait = meter.count((), cost).unwrap_err();
            clock.advance(Duration::from_secs(wait.into()));
            assert_eq!(meter.count((), cost), Ok(()), "{cost} after {wait}");
        }
    }

    #[test]
    fn what_is_more_than_ever_fits_is_refused() {
        assert_eq!(Meter::per_minute(10).count((), 20), Err(NEVER));
        assert!(Meter::per_minute(0).count((), 1).is_ok());
    }

    #[test]
    fn a_crowd_of_newcomers_does_not_stay_in_memory() {
        let clock = FakeRelativeClock::default();
        let meter = Meter::on(clock.clone(), 1200);
        let busy = 0;
        for newcomer in 1..=3 * CROWD {
            meter.count(newcomer, 1).unwrap();
            meter.count(busy, 1).unwrap();
            clock.advance(Duration::from_millis(50));
            assert!(meter.buckets.len() <= CROWD);
        }
        meter.sweep();
        assert!(meter.buckets.len() <= 2, "{meter:?}");
    }
}
