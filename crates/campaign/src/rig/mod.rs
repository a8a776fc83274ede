//! The real parts put together: a simulator of Dodo, a database, a proxy over both, all in this process with real HTTP
//! between. Campaigns speak in verbs: mint, look, accept, decline; or charge without the HTTP around it.
//!
//! | type | what |
//! |---|---|
//! | [`Dodo`] | the simulator: buyers, cards, faults, and the ledger that tells the truth |
//! | [`Database`] | a database of its own; it outlives the proxies over it |
//! | [`Proxy`] | a whole proxy, spoken to over HTTP; may be stopped and started again, or run beside another |
//! | [`Desk`] | offers and charging without HTTP and background work: fast, and step by step |
//! | [`exchange`] | bytes instead of a request, for those that no client would send |
//!
//! Nothing here judges: a verb gives what was answered, and errors are for what has to work in every campaign.

mod database;
mod desk;
mod dodo;
mod http;
mod plans;
mod raw;
mod server;
mod signing;

pub use self::{
    database::Database,
    desk::{Desk, Shown},
    dodo::{Dodo, Tally, attempt_in, attempt_of},
    http::{Answer, client, patiently},
    plans::{PlanPage, Subscriber, is_lost},
    raw::exchange,
    server::{MERCHANT_KEY, Proxy, Setup, WEBHOOK_SECRET},
    signing::{key_bytes, sign},
};

use std::sync::Arc;

use proxy::clock::{Clock as _, ManualClock, SystemClock};

/// A clock that stands at the present until it is moved.
#[must_use]
pub fn standing_clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(SystemClock.now()))
}

/// A card that pays.
pub const GOOD_CARD: &str = "4242424242424242";
/// A card without funds.
pub const EMPTY_CARD: &str = "4000000000009995";
/// A purchase that the shipped rules follow up with an offer.
pub const COURSE: &str = "prod_starter_course";
/// A one-time product to offer.
pub const KIT: &str = "prod_toolkit";

#[cfg(test)]
mod tests;
