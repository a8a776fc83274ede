//! Points in time. No clock: "now" is always a parameter.

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct UnixSeconds(pub i64);

/// Returns `at` moved by `seconds`, kept within range.
#[must_use]
pub fn later(at: UnixSeconds, seconds: i64) -> UnixSeconds {
    UnixSeconds(at.0.saturating_add(seconds))
}
