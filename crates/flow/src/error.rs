//! What can become of a call to the backend, as far as a decision depends on it.

use wire::Problem;

/// Why a call brought no answer of the expected type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    /// No answer came: offline, refused, cut off. The request may or may not have arrived.
    Network,
    /// No answer within the time allowed. The request may or may not have arrived.
    Timeout,
    /// The backend refused, in the terms of the contract.
    Problem(Box<Problem>),
    /// An error status without a problem body: a gateway in between, or a merchant's own basic backend.
    Foreign {
        /// HTTP status.
        status: u16,
    },
    /// A 2xx whose body could not be understood.
    BadBody,
    /// An offer in whose answer this field could not be understood; a path such as `product.price`.
    BadField(&'static str),
}
