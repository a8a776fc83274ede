//! Amounts of money, currencies, identifiers and points in time.
//!
//! One type each, used by the contract with the browser, by the client of Dodo's API and by the proxy's rules, so that no
//! value is ever rendered to text to become the same value of another type. No clock, no I/O, no rule.
//!
//! | module | holds |
//! |---|---|
//! | [`amount`] | [`Money`]: integer minor units with a currency, checked arithmetic |
//! | [`currency`] | [`Currency`] and its number of decimals |
//! | [`id`] | the [`id!`] macro, and the two identifiers that every crate needs |
//! | [`time`] | [`UnixSeconds`] |

pub mod amount;
pub mod currency;
pub mod id;
pub mod time;

pub use amount::{Money, MoneyError};
pub use currency::Currency;
pub use id::{AddonId, IdError, ProductId};
pub use time::{UnixSeconds, later};

/// Re-exported for the expansion of [`id!`] in other crates.
#[cfg(feature = "openapi")]
#[doc(hidden)]
pub use utoipa;
