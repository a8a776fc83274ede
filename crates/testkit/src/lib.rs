//! What tests and reliability campaigns start and check the backend with: simulator of Dodo, database and backend put
//! together in this process or beside it.
//!
//! There are three ways to start:
//!
//! | type | what runs |
//! |---|---|
//! | [`InProcessServices`] | services and workers without HTTP and background work: fast, step by step, on a manual clock |
//! | [`Proxy`] | a whole proxy over HTTP in this process; may be stopped and started again, or run beside another |
//! | [`Process`] | the proxy's program as a process of its own, which can be killed |
//!
//! All of them run over the same two:
//!
//! | type | what |
//! |---|---|
//! | [`Dodo`] | the simulator: buyers, cards, faults, policy switches, and the ledger that records what happened |
//! | [`Database`] | a database of its own, which outlives the proxies over it |
//!
//! [`ProxyClient`] sends a proxy what the merchant's server and a buyer's page send.
//! [`check`] compares the ledger with the store; [`history`] fills a store with years of charges; [`statements`] knows every
//! statement of the store and records which were executed. Verbs return errors only for what has to work in every test.

pub mod check;
mod database;
mod dodo;
pub mod history;
mod http;
mod in_process;
mod old_charges;
mod plans;
mod process;
mod proxy;
mod proxy_client;
mod raw;
mod signing;
pub mod statements;

pub use self::{
    database::Database,
    dodo::{Buyer, Dodo, Tally, attempt_in, attempt_of, is_lost},
    http::{Answer, client, patiently},
    in_process::{InProcessServices, Shown, purchase_of, rules_with, session},
    plans::{PlanPage, Subscriber},
    process::{Ports, Process},
    proxy::{MERCHANT, MERCHANT_KEY, Proxy, SIGNING_KEYS, Setup, WEBHOOK_SECRET},
    proxy_client::ProxyClient,
    raw::exchange,
    signing::{key_bytes, sign},
};

use std::sync::Arc;

use ::proxy::clock::{Clock as _, ManualClock, SystemClock};

/// Returns a clock that stands at the present until it is moved.
#[must_use]
pub fn standing_clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(SystemClock.now()))
}

/// A card that pays.
pub const GOOD_CARD: &str = "4242424242424242";
/// Another one that pays, of another brand.
pub const MASTERCARD: &str = "5555555555554444";
/// One that pays once and is declined from then on.
pub const FAILS_LATER: &str = "4000000000000341";
/// A card without funds.
pub const EMPTY_CARD: &str = "4000000000009995";

/// Secret of the one browser in which everything happens that a test does not say more about.
pub const BROWSER: &str = "the-browser-of-a-test-keeps-this-in-its-storage";
/// A purchase that the shipped rules follow up with an offer.
pub const COURSE: &str = "prod_starter_course";
/// A one-time product to offer.
pub const KIT: &str = "prod_toolkit";
/// Faults of a charging request after which it is not known whether it was executed.
pub const UNKNOWN_OUTCOMES: [&str; 17] = [
    "reset_before",
    "reset_after",
    "hang_before",
    "hang_after",
    "truncated_body_after",
    "non_json_body_after",
    "empty_200_after",
    "status_408_before",
    "status_408_after",
    "status_409_before",
    "status_409_after",
    "status_500_before",
    "status_500_after",
    "status_502_after",
    "status_503_before",
    "status_504_after",
    "status_302_after",
];

#[cfg(test)]
mod tests;
