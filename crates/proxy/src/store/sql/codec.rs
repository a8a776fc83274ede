//! Values as columns: words for enums, JSON for values that are only read whole, checked ids.
//!
//! The words are part of the schema. Changing one needs a migration.

use serde::{Serialize, de::DeserializeOwned};
use sqlx::Row;
use wire::{FailureReason, UnixSeconds};

use super::DbRow;

use crate::{
    domain::{AttemptKind, AttemptState, Fingerprint, OfferState, TokenHash},
    store::StoreError,
};

/// A column as a value of a type that parses it: an id, usually.
pub(super) fn parsed<T: TryFrom<String>>(row: &DbRow, column: &'static str) -> Result<T, StoreError> {
    T::try_from(row.try_get::<String, _>(column)?).map_err(|_| StoreError::Unreadable(column))
}

/// The same for a column that may be empty.
pub(super) fn parsed_opt<T: TryFrom<String>>(
    row: &DbRow,
    column: &'static str,
) -> Result<Option<T>, StoreError> {
    row.try_get::<Option<String>, _>(column)?
        .map(|text| T::try_from(text).map_err(|_| StoreError::Unreadable(column)))
        .transpose()
}

/// A time.
pub(super) fn at(row: &DbRow, column: &'static str) -> Result<UnixSeconds, StoreError> {
    Ok(UnixSeconds(row.try_get(column)?))
}

/// A time that may be absent.
pub(super) fn at_opt(row: &DbRow, column: &'static str) -> Result<Option<UnixSeconds>, StoreError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(UnixSeconds))
}

/// A count.
pub(super) fn count(row: &DbRow, column: &'static str) -> Result<u32, StoreError> {
    u32::try_from(row.try_get::<i64, _>(column)?).map_err(|_| StoreError::Unreadable(column))
}

/// A value as JSON.
pub(super) fn json<T: Serialize>(value: &T, column: &'static str) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Unreadable(column))
}

/// An optional value as JSON or nothing.
pub(super) fn json_opt<T: Serialize>(
    value: Option<&T>,
    column: &'static str,
) -> Result<Option<String>, StoreError> {
    value.map(|value| json(value, column)).transpose()
}

/// A value from JSON.
pub(super) fn from_json<T: DeserializeOwned>(row: &DbRow, column: &'static str) -> Result<T, StoreError> {
    serde_json::from_str(row.try_get(column)?).map_err(|_| StoreError::Unreadable(column))
}

/// A value from JSON or nothing.
pub(super) fn from_json_opt<T: DeserializeOwned>(
    row: &DbRow,
    column: &'static str,
) -> Result<Option<T>, StoreError> {
    row.try_get::<Option<&str>, _>(column)?
        .map(|text| serde_json::from_str(text).map_err(|_| StoreError::Unreadable(column)))
        .transpose()
}

/// The word that an enum of the wire has there, without JSON's quotes.
pub(super) fn word<T: Serialize>(value: &T, column: &'static str) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(_) | Err(_) => Err(StoreError::Unreadable(column)),
    }
}

/// The enum of the wire that has this word.
pub(super) fn from_word<T: DeserializeOwned>(word: String, column: &'static str) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(|_| StoreError::Unreadable(column))
}

/// A hash of 32 bytes.
fn hash(row: &DbRow, column: &'static str) -> Result<[u8; 32], StoreError> {
    row.try_get::<&[u8], _>(column)?.try_into().map_err(|_| StoreError::Unreadable(column))
}

pub(super) fn token_hash(row: &DbRow, column: &'static str) -> Result<TokenHash, StoreError> {
    hash(row, column).map(TokenHash)
}

pub(super) fn fingerprint(row: &DbRow, column: &'static str) -> Result<Fingerprint, StoreError> {
    hash(row, column).map(Fingerprint)
}

pub(super) fn offer_state_word(state: OfferState) -> &'static str {
    match state {
        OfferState::Eligible => "eligible",
        OfferState::Presented => "presented",
        OfferState::Accepting => "accepting",
        OfferState::Pending => "pending",
        OfferState::Unknown => "unknown",
        OfferState::Failed => "failed",
        OfferState::Charged => "charged",
        OfferState::Declined => "declined",
        OfferState::Expired => "expired",
        OfferState::Abandoned => "abandoned",
    }
}

pub(super) fn offer_state(word: &str) -> Result<OfferState, StoreError> {
    Ok(match word {
        "eligible" => OfferState::Eligible,
        "presented" => OfferState::Presented,
        "accepting" => OfferState::Accepting,
        "pending" => OfferState::Pending,
        "unknown" => OfferState::Unknown,
        "failed" => OfferState::Failed,
        "charged" => OfferState::Charged,
        "declined" => OfferState::Declined,
        "expired" => OfferState::Expired,
        "abandoned" => OfferState::Abandoned,
        _ => return Err(StoreError::Unreadable("offers.state")),
    })
}

pub(super) fn attempt_kind_word(kind: AttemptKind) -> &'static str {
    match kind {
        AttemptKind::OneClick => "one_click",
        AttemptKind::Hosted => "hosted",
        AttemptKind::PlanChange => "plan_change",
    }
}

pub(super) fn attempt_kind(word: &str) -> Result<AttemptKind, StoreError> {
    Ok(match word {
        "one_click" => AttemptKind::OneClick,
        "hosted" => AttemptKind::Hosted,
        "plan_change" => AttemptKind::PlanChange,
        _ => return Err(StoreError::Unreadable("attempts.kind")),
    })
}

/// An attempt's state as its three columns `state`, `customer_action`, `failure`.
pub(super) fn attempt_state_columns(
    state: AttemptState,
) -> Result<(&'static str, bool, Option<String>), StoreError> {
    Ok(match state {
        AttemptState::Claimed => ("claimed", false, None),
        AttemptState::Released => ("released", false, None),
        AttemptState::Sent => ("sent", false, None),
        AttemptState::Unknown => ("unknown", false, None),
        AttemptState::Pending { customer_action } => ("pending", customer_action, None),
        AttemptState::Failed(reason) => ("failed", false, Some(word(&reason, "attempts.failure")?)),
        AttemptState::Abandoned => ("abandoned", false, None),
        AttemptState::Scheduled => ("scheduled", false, None),
        AttemptState::Succeeded => ("succeeded", false, None),
    })
}

/// The other way round.
pub(super) fn attempt_state(row: &DbRow) -> Result<AttemptState, StoreError> {
    Ok(match row.try_get::<&str, _>("state")? {
        "claimed" => AttemptState::Claimed,
        "released" => AttemptState::Released,
        "sent" => AttemptState::Sent,
        "unknown" => AttemptState::Unknown,
        "pending" => AttemptState::Pending { customer_action: row.try_get("customer_action")? },
        "failed" => {
            let reason: Option<String> = row.try_get("failure")?;
            let reason: FailureReason =
                from_word(reason.ok_or(StoreError::Unreadable("attempts.failure"))?, "attempts.failure")?;
            AttemptState::Failed(reason)
        }
        "abandoned" => AttemptState::Abandoned,
        "scheduled" => AttemptState::Scheduled,
        "succeeded" => AttemptState::Succeeded,
        _ => return Err(StoreError::Unreadable("attempts.state")),
    })
}
