//! Whose data it is.

use dodo_client::Mode;
use wire::UnixSeconds;

/// Whose data it is. A store is opened for one tenant, and every row and every query belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The merchant, in the merchant's own spelling.
    pub merchant: String,
    /// Test and live are two worlds.
    pub mode: Mode,
}

/// What a store is known by at Dodo, and since when its charges can be told from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreIdentity {
    /// The store's own name: made with it, and kept by every copy. Charges carry it.
    pub name: String,
    /// The world that its charges belong to.
    pub mode: Mode,
    /// Attempts from this time on carry a code. Earlier ones cannot.
    pub signed_since: UnixSeconds,
}
