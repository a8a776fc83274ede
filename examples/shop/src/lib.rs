//! A small shop that sells through Dodo Payments and embeds the widget: what a merchant writes, and nothing more.
//!
//! The way of a purchase: the product page → [`dodo::Dodo::start_checkout`] → Dodo's hosted page → `/success`, where the
//! shop asks *Dodo* who paid what ([`dodo::Dodo::buyer_of`]), mints a token at the proxy ([`upsell::Upsell::token`]) and
//! puts one script and one element into its page ([`pages`]).
//!
//! Two things to copy faithfully:
//!
//! - Who the buyer is comes from the shop's own checkout, which its cookie names; never from the address, where anybody
//!   can write anything.
//! - When the proxy cannot be reached the page is shown without the widget. A thank-you page must never fail over an
//!   offer.
//!
//! Not to be copied: orders are kept in memory, because this is a demonstration.

pub mod catalogue;
pub mod config;
pub mod dodo;
pub mod http;
pub mod look;
pub mod pages;
pub mod routes;
pub mod upsell;
pub mod visitors;

use std::sync::Arc;

pub use config::Config;

use dodo::Dodo;
use upsell::Upsell;
use visitors::Visitors;

/// The shop with everything it needs.
pub struct Shop {
    pub(crate) config: Config,
    pub(crate) dodo: Dodo,
    pub(crate) upsell: Upsell,
    pub(crate) visitors: Visitors,
}

impl Shop {
    /// Puts the shop together; nothing is called yet.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(config: Config) -> Result<Arc<Self>, http::ClientError> {
        let client = http::client()?;
        Ok(Arc::new(Self {
            dodo: Dodo::new(client.clone(), &config),
            upsell: Upsell::new(client, &config),
            visitors: Visitors::default(),
            config,
        }))
    }

    /// The shop's pages.
    pub fn router(self: Arc<Self>) -> axum::Router {
        routes::router(self)
    }
}
