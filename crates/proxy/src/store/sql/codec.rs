//! Values as columns: words for enums, JSON for values that are only read whole, checked ids.
//!
//! The words are part of the schema. Changing one needs a migration.

use serde::{Serialize, de::DeserializeOwned};
use sqlx::Row;
use upsell_core::{
    domain::{AttemptState, AttemptWord, Fingerprint, TokenHash},
    journal::Timeline,
};
use wire::UnixSeconds;

use super::DbRow;
use crate::store::StoreError;

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

/// The timeline that the server writes on, by `timeline_columns`.
pub(super) fn timeline(row: &DbRow) -> Result<Option<Timeline>, StoreError> {
    let number: Option<String> = row.try_get("timeline")?;
    let cluster: Option<i64> = row.try_get("cluster")?;
    let (Some(number), Some(cluster)) = (number, cluster) else { return Ok(None) };
    let number = u32::from_str_radix(&number, 16).map_err(|_| StoreError::Unreadable("timeline"))?;
    Ok(Some(Timeline { cluster, number }))
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

/// A column as the value that has this word.
pub(super) fn from_table<T>(
    row: &DbRow,
    column: &'static str,
    parse: fn(&str) -> Option<T>,
) -> Result<T, StoreError> {
    parse(row.try_get(column)?).ok_or(StoreError::Unreadable(column))
}

/// An attempt's state from its three columns `state`, `customer_action`, `failure`.
pub(super) fn attempt_state(row: &DbRow) -> Result<AttemptState, StoreError> {
    let failure: Option<String> = row.try_get("failure")?;
    let failure = failure.map(|reason| from_word(reason, "attempts.failure")).transpose()?;
    let word = from_table(row, "state", AttemptWord::parse)?;
    AttemptState::from_parts(word, row.try_get("customer_action")?, failure)
        .ok_or(StoreError::Unreadable("attempts.failure"))
}

/// States as a list for `IN`, so that an index over such a list is used.
pub(super) fn among(words: &[AttemptWord]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("'{}'", word.as_str())).collect();
    format!("({})", words.join(", "))
}
