//! Virtual time: where the simulator believes it is, and how fast that moves.
//!
//! Real time comes from tokio's clock, so that a paused runtime pauses the simulator too.

use time::OffsetDateTime;
use tokio::time::Instant;

/// A clock that starts somewhere, runs `speed` times as fast as real time, and can be pushed forward.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    anchor: OffsetDateTime,
    since: Instant,
    speed: u32,
}

impl Clock {
    /// `speed` 0 stands still until it is advanced; 1 is real time.
    pub(crate) fn new(start: OffsetDateTime, speed: u32) -> Self {
        Self { anchor: start, since: Instant::now(), speed }
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        let now = self.anchor + self.since.elapsed().saturating_mul(self.speed);
        // Whole milliseconds: what is written to the wire and read back is the same moment.
        now - time::Duration::nanoseconds(i64::from(now.nanosecond() % 1_000_000))
    }

    pub(crate) fn speed(&self) -> u32 {
        self.speed
    }

    /// Changes the pace without a jump.
    pub(crate) fn set_speed(&mut self, speed: u32) {
        *self = Self::new(self.now(), speed);
    }

    pub(crate) fn advance(&mut self, by: time::Duration) {
        self.anchor = self.anchor.saturating_add(by);
    }

    /// How long to wait, in real time, until virtual time reaches `at`; `None` when it never will by itself.
    pub(crate) fn real_wait(&self, at: OffsetDateTime) -> Option<std::time::Duration> {
        let left = at - self.now();
        match std::time::Duration::try_from(left) {
            Err(_) => Some(std::time::Duration::ZERO),
            Ok(left) => left.checked_div(self.speed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[tokio::test(start_paused = true)]
    async fn runs_at_its_own_speed_and_jumps() {
        let start = datetime!(2026-01-01 0:00 UTC);
        let mut clock = Clock::new(start, 60);
        tokio::time::advance(std::time::Duration::from_secs(2)).await;
        assert_eq!(clock.now(), start + time::Duration::minutes(2));

        clock.set_speed(0);
        tokio::time::advance(std::time::Duration::from_secs(9)).await;
        assert_eq!(clock.now(), start + time::Duration::minutes(2));
        assert_eq!(clock.real_wait(start + time::Duration::hours(1)), None);

        clock.advance(time::Duration::days(31));
        assert_eq!(clock.now(), start + time::Duration::days(31) + time::Duration::minutes(2));
    }

    #[tokio::test(start_paused = true)]
    async fn waits_in_real_time() {
        let start = datetime!(2026-01-01 0:00 UTC);
        let clock = Clock::new(start, 10);
        assert_eq!(
            clock.real_wait(start + time::Duration::seconds(100)),
            Some(std::time::Duration::from_secs(10))
        );
        assert_eq!(clock.real_wait(start - time::Duration::SECOND), Some(std::time::Duration::ZERO));
    }
}
