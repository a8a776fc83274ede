//! The merchant's backend: offers, quotes, charging, declines.
//!
//! A tour, from the outside in:
//!
//! | module | what |
//! |---|---|
//! | [`settings`], [`rules`] | what the proxy is told, and what it refuses to start with |
//! | [`application`] | one running proxy, put together and taken down |
//! | [`server`], [`http`] | connections and requests |
//! | [`client_address`] | whose they are, as far as an address tells |
//! | [`service`] | what happens, one module a matter |
//! | [`policy`] | what is decided; pure |
//! | [`store`] | what is remembered |
//! | [`gateway`] | what is asked of Dodo, in our words |
//! | [`upstream`] | how often Dodo is asked, and whose turn it is |
//! | [`domain`] | the words |
//! | [`doctor`] | what is wrong with a set-up |
//! | [`support`] | what a support person asks of attempts |
//! | [`forgotten_list`] | who was forgotten, beside the store |
//! | [`merchant_client`] | commands that ask a running proxy |
//! | [`failpoint`] | where tests let the process die |
//! | [`webhook_signature`] | who sent a webhook |
//!
//! Handlers hold no rule, services hold no SQL, policies hold no clock. Money is integers in minor units.

pub mod application;
pub mod client_address;
pub mod clock;
pub mod doctor;
pub mod failpoint;
pub mod forgotten_list;
pub mod gateway;
mod gauges;
pub mod http;
pub mod ids;
pub mod merchant_client;
pub mod server;
pub mod service;
pub mod settings;
pub mod store;
pub mod support;
pub mod telemetry;
pub mod upstream;
pub mod webhook_signature;

pub use application::Application;
