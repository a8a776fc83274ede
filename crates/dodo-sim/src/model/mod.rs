//! What the simulator remembers: plain data, no rules. Rules live in `billing` (money) and `engine` (transitions).

pub(crate) mod card;
pub(crate) mod catalogue;
pub(crate) mod customer;
pub(crate) mod money;
pub(crate) mod payment;
pub(crate) mod session;
pub(crate) mod subscription;
pub(crate) mod table;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Metadata as sent: strings, numbers and booleans under string keys.
pub(crate) type Metadata = serde_json::Map<String, serde_json::Value>;

/// RFC 3339 in UTC, as every timestamp on the wire.
pub(crate) fn rfc3339(at: OffsetDateTime) -> String {
    // Formatting fails only outside years 0 to 9999, which the clock cannot leave.
    at.to_offset(time::UtcOffset::UTC).format(&Rfc3339).unwrap_or_default()
}
