//! A thin, typed client for the slice of the Dodo Payments API that the proxy uses.
//!
//! It knows how to ask and how to read the answer. It decides nothing: which offer is shown, whether an
//! answer means "paid", what happens next all belong to the proxy. Nothing here knows about offers, quotes,
//! sessions or the widget.
//!
//! A tour, in the order in which a request travels:
//!
//! | module | holds |
//! |---|---|
//! | [`mode`] | test or live |
//! | [`ids`] | identifiers, checked before they can enter a path |
//! | [`types`] | one file per resource: its request bodies, its answers |
//! | [`quota`] | how many requests may be made, and whose turn it is |
//! | [`error`] | why a read or a write gave no answer |
//! | [`evidence`] | what was seen of a charge, without judging it |
//! | [`lenient`] | what makes an object unreadable, and what is left out of it |
//! | [`webhook`] | the envelope of a webhook body, after its signature was checked elsewhere |
//! | [`values`] | currency, exact decimals, metadata |
//! | [`http`] | with the feature `http`: the client, its calls and its connections |
//!
//! Without the feature `http` the crate holds types only, and does no I/O: whoever decides by what Dodo says can know
//! its words without being able to ask.
//!
//! # Three kinds of calls
//!
//! Dodo offers no idempotency key for anything that moves money, so sending a charge twice charges twice.
//! The kind of a call is therefore part of its signature:
//!
//! - a **read** (every GET, and the previews, which are POSTs that create nothing) may be repeated, and
//!   returns `Result<T, Error>`;
//! - a **write** creates or changes something without moving money; it is sent once and returns
//!   `Result<T, Error>`;
//! - a **charge** is sent once, over a connection of its own, and returns [`ChargeEvidence`]: there is no
//!   `Err` to be caught by a retry helper and no `?` that could lose an unknown outcome.
//!
//! # Money
//!
//! Amounts are `i64` in the currency's minor unit, exactly as Dodo sends them. Factors and rates, which Dodo
//! sends as JSON numbers or strings, stay text ([`values::DecimalText`]).

pub mod error;
pub mod evidence;
#[cfg(feature = "http")]
pub mod http;
pub mod ids;
pub mod lenient;
pub mod mode;
pub mod quota;
pub mod types;
pub mod values;
pub mod webhook;

pub use error::{ApiError, DecodeError, Error, ErrorBody, HeldBack, RateLimit, TransportError, Unsent};
pub use evidence::ChargeEvidence;
#[cfg(feature = "http")]
pub use http::{ApiKey, Client, Config, ConfigError, TimeLimits};
pub use lenient::Readable;
pub use mode::Mode;
pub use quota::{Priority, Quota};
