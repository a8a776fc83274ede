//! How much is let in, and how much is asked of Dodo.

use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use upsell_core::policy::upstream_budget::Quota;

use crate::{
    client_address::{RangeError, TrustedProxies},
    http::gate,
    server,
};

/// Limits: flags, each with an environment variable of its own.
#[derive(Clone, Debug, clap::Args)]
pub struct LimitArguments {
    /// Reverse proxies in front of this one, as addresses and ranges separated by commas. Only from these is
    /// X-Forwarded-For believed.
    #[arg(long, env = "UPSELL_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<String>,
    /// Connections at a time.
    #[arg(long, env = "UPSELL_MAX_CONNECTIONS", default_value_t = server::CONNECTIONS, value_parser = at_least(16))]
    pub max_connections: usize,
    /// Requests worked on at a time.
    #[arg(long, env = "UPSELL_MAX_IN_FLIGHT", default_value_t = CALLS.in_flight, value_parser = at_least(16))]
    pub max_in_flight: usize,
    /// Requests of one session token in a minute. One that changes something counts as 4.
    #[arg(
        long,
        env = "UPSELL_TOKEN_REQUESTS_PER_MINUTE",
        default_value_t = CALLS.per_token,
        value_parser = at_least_u32(60)
    )]
    pub token_requests_per_minute: u32,
    /// Requests of one address in a minute, of those without a token that was good before. One that changes something
    /// counts as 20.
    #[arg(
        long,
        env = "UPSELL_ADDRESS_REQUESTS_PER_MINUTE",
        default_value_t = CALLS.per_address,
        value_parser = at_least_u32(60)
    )]
    pub address_requests_per_minute: u32,
    /// Requests to Dodo in a second: this proxy's share of what Dodo allows.
    #[arg(
        long,
        env = "UPSELL_DODO_REQUESTS_PER_SECOND",
        default_value_t = Quota::DEFAULT.per_second,
        value_parser = at_least_u32(Quota::LEAST.per_second)
    )]
    pub dodo_requests_per_second: u32,
    /// Requests to Dodo in a minute: this proxy's share of what Dodo allows.
    #[arg(
        long,
        env = "UPSELL_DODO_REQUESTS_PER_MINUTE",
        default_value_t = Quota::DEFAULT.per_minute,
        value_parser = at_least_u32(Quota::LEAST.per_minute)
    )]
    pub dodo_requests_per_minute: u32,
    /// Milliseconds that a request for a session waits for Dodo at most. A token whose payment and subscription Dodo has not
    /// confirmed by then is good for nothing until it has.
    #[arg(
        long,
        env = "UPSELL_SESSION_WAIT_MS",
        default_value_t = SESSION_WAIT_MS,
        value_parser = clap::value_parser!(u64).range(100..=30_000)
    )]
    pub session_wait_ms: u64,
}

/// How long the merchant's page waits for the token by default, in milliseconds.
const SESSION_WAIT_MS: u64 = 1500;

const CALLS: gate::Limits = gate::Limits::DEFAULT;

/// More than any machine or quota has; less than what arithmetic has trouble with.
const MOST: u32 = 1_000_000;

fn at_least(least: u32) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(u64::from(least)..=u64::from(MOST))
}

fn at_least_u32(least: u32) -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(u64::from(least)..=u64::from(MOST))
}

impl Default for LimitArguments {
    /// As when nothing is said.
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            max_connections: server::CONNECTIONS,
            max_in_flight: CALLS.in_flight,
            token_requests_per_minute: CALLS.per_token,
            address_requests_per_minute: CALLS.per_address,
            dodo_requests_per_second: Quota::DEFAULT.per_second,
            dodo_requests_per_minute: Quota::DEFAULT.per_minute,
            session_wait_ms: SESSION_WAIT_MS,
        }
    }
}

/// Checked limits.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Of connections.
    pub server: server::Limits,
    /// Of requests.
    pub gate: gate::Limits,
    /// Whose word is taken for where a request comes from.
    pub proxies: TrustedProxies,
    /// Of requests to Dodo.
    pub upstream: Quota,
    /// Of the time that a request for a session waits for Dodo.
    pub session_wait: Duration,
}

impl Limits {
    /// Checks them.
    ///
    /// # Errors
    /// When a trusted proxy is no address.
    pub fn check(arguments: &LimitArguments) -> Result<Self, RangeError> {
        let proxies = TrustedProxies::parse(arguments.trusted_proxies.iter().map(String::as_str))?;
        Ok(Self {
            server: server::Limits {
                connections: arguments.max_connections,
                trusted: proxies.clone(),
                ..server::Limits::default()
            },
            gate: gate::Limits {
                in_flight: arguments.max_in_flight,
                per_token: arguments.token_requests_per_minute,
                per_address: arguments.address_requests_per_minute,
                ..CALLS
            },
            proxies,
            upstream: Quota {
                per_second: arguments.dodo_requests_per_second,
                per_minute: arguments.dodo_requests_per_minute,
            },
            session_wait: Duration::from_millis(arguments.session_wait_ms),
        })
    }
}
