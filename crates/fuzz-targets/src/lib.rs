//! What is done with inputs that a fuzzer makes up, and what has to hold of every one of them.
//!
//! A target takes any bytes, hands them to the very functions that production calls, and panics when a property does not
//! hold. `cargo xtask fuzz` runs the targets under libFuzzer for as long as one likes (`fuzz/` has a binary for each); the
//! tests of this crate run them over the seeds and over seeded mutations of these, every time.
//!
//! | target | input | what has to hold |
//! |---|---|---|
//! | [`webhook()`] | an HTTP message | nothing unsigned is accepted, what is signed is, and what it says is read as it stands there |
//! | [`token()`] | an HTTP message, its body a list of addresses | credentials and addresses mean one thing, whoever reads them |
//! | [`upstream_json()`] | an answer of Dodo's | it is read alike from an answer and from a webhook; prices add up to Dodo's total; only proof is taken for proof |
//! | [`offer_json()`] | a story of the widget: answers and clicks | no amount is shown that the backend did not say, none is confirmed that was not shown |
//! | [`settle()`] | a store, and what is seen of an attempt in it | order and number make no difference to any row (I10) |
//!
//! A target returns what the input reached, so that tests can tell that the seeds are not in vain.

mod dodo;
mod message;
pub mod offer_json;
pub mod settle;
pub mod token;
pub mod upstream_json;
pub mod webhook;

use std::{collections::BTreeSet, fmt::Debug};

use serde::{Serialize, de::DeserializeOwned};

pub use offer_json::offer_json;
pub use settle::settle;
pub use token::token;
pub use upstream_json::upstream_json;
pub use webhook::webhook;

/// What an input reached, in a word each.
pub type Reached = BTreeSet<&'static str>;

/// A target. It panics when a property does not hold.
pub type Target = fn(&[u8]) -> Reached;

/// All of them, by the names of their binaries and of the folders with their seeds.
pub const ALL: [(&str, Target); 5] = [
    ("webhook", webhook),
    ("token", token),
    ("upstream_json", upstream_json),
    ("offer_json", offer_json),
    ("settle", settle),
];

/// What is written is read back alike.
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let written = serde_json::to_string(value).ok();
    let read = written.as_deref().and_then(|text| serde_json::from_str::<T>(text).ok());
    assert_eq!(read.as_ref(), Some(value), "written as {written:?}");
}
