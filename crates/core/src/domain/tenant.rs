//! Whose data it is.

use dodo_client::Mode;

/// Whose data it is. A store is opened for one tenant, and every row and every query belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The merchant, in the merchant's own spelling.
    pub merchant: String,
    /// Test and live are two worlds.
    pub mode: Mode,
}
