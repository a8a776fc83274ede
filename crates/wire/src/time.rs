//! Billing periods.

use serde::{Deserialize, Serialize};

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
