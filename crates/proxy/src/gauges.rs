//! Metrics of what the store holds. No label holds an id.

use wire::UnixSeconds;

use crate::store::Backlog;

/// Publishes what waits in the outbox.
pub(crate) fn outbox(backlog: &Backlog, now: UnixSeconds) {
    let age = backlog.oldest.map_or(0, |oldest| now.0.saturating_sub(oldest.0));
    metrics::gauge!("upsell_outbox_waiting").set(whole(backlog.waiting));
    metrics::gauge!("upsell_outbox_oldest_seconds").set(whole(u64::try_from(age).unwrap_or(0)));
}

/// Gauges are floats; these counts stay far below where a float skips whole numbers.
fn whole(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
