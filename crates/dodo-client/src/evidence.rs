//! What was seen of a charge. Judging it is the proxy's business: an answer that reads like a failure may
//! belong to a payment that succeeded.

use crate::error::{ApiError, DecodeError, TransportError, Unsent};

/// Everything that can be observed of one request that may move money, sent exactly once.
///
/// Only [`Unsent`](Self::Unsent) proves that Dodo saw nothing. Whether a complete
/// [`Refused`](Self::Refused) proves that nothing was charged depends on its status, and is decided elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an outcome that nobody looks at is a charge that nobody knows of"]
pub enum ChargeEvidence<T> {
    /// No connection came about; not one byte of the request left.
    Unsent(Unsent),
    /// A complete 2xx with the expected body. It means "taken on", not "paid".
    Accepted {
        /// The HTTP status.
        status: u16,
        /// The answer.
        reply: T,
    },
    /// A complete answer outside 2xx: 3xx (never followed), 4xx, 5xx.
    Refused(Box<ApiError>),
    /// A complete 2xx whose body is not what was asked for.
    Undecodable {
        /// The HTTP status.
        status: u16,
        /// Where reading stopped.
        reason: DecodeError,
    },
    /// The exchange broke after the request may have left.
    Broken {
        /// The HTTP status, when the answer had begun.
        status: Option<u16>,
        /// How it broke.
        cause: TransportError,
    },
}
