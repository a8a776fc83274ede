//! Rows as a store of an earlier version kept them, from before charges carried codes.

/// The statements that write them; `fingerprint` is 32 bytes in the engine's words.
pub(super) fn earlier_rows(fingerprint: &str) -> Vec<String> {
    let statements = include_str!("contract/earlier.sql").replace("$FINGERPRINT", fingerprint);
    statements.split(";\n").map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}
