//! Points in time and billing periods. No clock: "now" is always handed in.

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct UnixSeconds(pub i64);

/// Unit of a billing period. Dodo writes these with a capital (`Month`); on our wire they are lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// Calendar day.
    Day,
    /// Seven days.
    Week,
    /// Calendar month.
    Month,
    /// Calendar year.
    Year,
}

/// A billing period: every `count` × `interval`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Period {
    /// The unit.
    pub interval: Interval,
    /// How many units, at least 1.
    pub count: u32,
}
