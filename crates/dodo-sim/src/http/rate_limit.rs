//! The two windows of a business's rate limit, counted in real time.
//!
//! The headers tell of the window that is closer to its end; the reset is in seconds from now. Neither is documented
//! further.

use crate::policy::RateLimitTier;
use http::{HeaderMap, HeaderValue};
use std::time::Duration;
use tokio::time::Instant;

#[derive(Debug, Default)]
pub(crate) struct RateLimiter {
    second: Window,
    minute: Window,
}

#[derive(Debug, Default)]
struct Window {
    started: Option<Instant>,
    used: u32,
}

/// What is left after a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) exceeded: bool,
    limit: u32,
    remaining: u32,
    reset: Duration,
}

impl RateLimiter {
    /// Counts a request; `None` when there is no limit.
    pub(crate) fn take(&mut self, tier: RateLimitTier, now: Instant) -> Option<Allowance> {
        let (per_second, per_minute) = match tier {
            RateLimitTier::Default => (40, 240),
            RateLimitTier::Tier1 => (100, 1000),
            RateLimitTier::Tier2 => (500, 5000),
            RateLimitTier::Off => return None,
        };
        let burst = self.second.at(per_second, Duration::from_secs(1), now);
        let steady = self.minute.at(per_minute, Duration::from_secs(60), now);
        let exceeded = burst.remaining == 0 || steady.remaining == 0;
        let tighter = if burst.remaining < steady.remaining { burst } else { steady };
        if exceeded {
            return Some(Allowance { exceeded, ..tighter });
        }
        // A request that is refused counts in neither window.
        self.second.used += 1;
        self.minute.used += 1;
        Some(Allowance { remaining: tighter.remaining - 1, ..tighter })
    }
}

impl Window {
    /// What is left before a request; a window that has run out begins anew.
    fn at(&mut self, limit: u32, length: Duration, now: Instant) -> Allowance {
        let started = match self.started {
            Some(started) if now.duration_since(started) < length => started,
            Some(_) | None => {
                self.used = 0;
                *self.started.insert(now)
            }
        };
        let reset = length.saturating_sub(now.duration_since(started));
        Allowance { exceeded: false, limit, remaining: limit.saturating_sub(self.used), reset }
    }
}

impl Allowance {
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let seconds = self.reset.as_secs() + u64::from(self.reset.subsec_nanos() > 0);
        headers.insert("x-ratelimit-limit", HeaderValue::from(self.limit));
        headers.insert("x-ratelimit-remaining", HeaderValue::from(self.remaining));
        headers.insert("x-ratelimit-reset", HeaderValue::from(seconds));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn both_windows_bind() {
        let mut limiter = RateLimiter::default();
        let mut take = |now| limiter.take(RateLimitTier::Default, now).unwrap();
        let mut passed_in_a_minute = 0;
        for _ in 0..8 {
            let passed = (0..50).filter(|_| !take(Instant::now()).exceeded).count();
            assert!(passed <= 40, "{passed} in one second");
            passed_in_a_minute += passed;
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(passed_in_a_minute, 240);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(!take(Instant::now()).exceeded);
    }
}
