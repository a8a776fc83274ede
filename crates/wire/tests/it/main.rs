//! The JSON in `tests/golden` is a promise. Files directly in it round-trip exactly; files in `read/` are what other
//! peers may send, and are understood.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod reads;
mod round_trips;

use std::path::PathBuf;

fn golden(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
