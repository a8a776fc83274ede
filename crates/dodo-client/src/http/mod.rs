//! Asking: the client, its connections, and the quota that all requests share. Behind the feature `http`.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | key, base URL, time limits; what is refused before the first request |
//! | `calls` | one file a resource: the methods of [`Client`] |
//! | [`pages`] | Dodo's lists |
//! | `transport` | the only code that speaks HTTP: repeatable reads, single writes, single charges |
//! | [`turn`] | waiting for a request's turn within the quota |

mod calls;
mod client;
pub mod config;
pub mod pages;
mod transport;
pub mod turn;

pub use client::Client;
pub use config::{ApiKey, Config, ConfigError, TimeLimits};
