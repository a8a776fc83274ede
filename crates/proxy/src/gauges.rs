//! Metrics of what the store holds. Refreshed now and then, so that scraping costs the store nothing. No label holds an id.

use upsell_core::domain::AttemptWord;
use wire::UnixSeconds;

use crate::store::{Backlog, InboxBacklog, StateCount, Store, StoreError};

/// Counts attempts and webhooks that were not applied, and publishes the counts.
///
/// # Errors
/// When the store fails; the gauges keep what they last showed.
pub(crate) async fn refresh(store: &dyn Store, now: UnixSeconds) -> Result<(), StoreError> {
    let counts = store.count_attempts().await?;
    for state in AttemptWord::ALL {
        let found = counts.iter().find(|count| count.state == *state).map_or(0, |count| count.attempts);
        metrics::gauge!("upsell_attempts", "state" => state.as_str()).set(whole(found));
    }
    let oldest = oldest_unsettled(&counts);
    metrics::gauge!("upsell_oldest_unsettled_attempt_seconds").set(whole(age(oldest, now)));
    for InboxBacklog { state, webhooks, oldest } in store.inbox_backlog().await? {
        metrics::gauge!("upsell_inbox_webhooks", "state" => state.as_str()).set(whole(webhooks));
        metrics::gauge!("upsell_inbox_oldest_seconds", "state" => state.as_str())
            .set(whole(age(oldest, now)));
    }
    Ok(())
}

/// Publishes what waits in the outbox.
pub(crate) fn outbox(backlog: &Backlog, now: UnixSeconds) {
    metrics::gauge!("upsell_outbox_waiting").set(whole(backlog.waiting));
    metrics::gauge!("upsell_outbox_oldest_seconds").set(whole(age(backlog.oldest, now)));
}

/// Publishes the time, in seconds, of which events may have been missed and are not caught up on.
pub(crate) fn missed_events(seconds: i64) {
    metrics::gauge!("upsell_missed_events_seconds").set(whole(u64::try_from(seconds).unwrap_or(0)));
}

/// When the oldest attempt was claimed that may still come out either way.
fn oldest_unsettled(counts: &[StateCount]) -> Option<UnixSeconds> {
    counts.iter().filter(|count| count.state.is_unsettled()).map(|count| count.oldest).min()
}

/// Seconds since then; 0 where there is no then, or the clock went back.
fn age(since: Option<UnixSeconds>, now: UnixSeconds) -> u64 {
    since.map_or(0, |since| u64::try_from(now.0.saturating_sub(since.0)).unwrap_or(0))
}

/// Gauges are floats; these counts stay far below where a float skips whole numbers.
fn whole(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unsettled_attempts_age() {
        let count = |state, oldest| StateCount { state, attempts: 1, oldest: UnixSeconds(oldest) };
        let counts =
            [count(AttemptWord::Succeeded, 1), count(AttemptWord::Unknown, 70), count(AttemptWord::Sent, 60)];
        assert_eq!(age(oldest_unsettled(&counts), UnixSeconds(100)), 40);
        assert_eq!(age(oldest_unsettled(&counts[..1]), UnixSeconds(100)), 0);
        assert_eq!(age(oldest_unsettled(&counts), UnixSeconds(10)), 0, "a clock that went back");
    }
}
