//! How a simulator is set up.

use crate::policy::Policy;
use std::path::PathBuf;
use time::OffsetDateTime;

/// Read-write key that is known unless others are given.
pub const DEFAULT_KEY: &str = "dodo_test_sim_key";
/// Read-only key that is known unless others are given.
pub const DEFAULT_READ_ONLY_KEY: &str = "dodo_test_sim_readonly";
/// Webhook secret unless another is given.
pub const DEFAULT_WEBHOOK_SECRET: &str = "whsec_ZG9kby1zaW0tdGVzdC1zZWNyZXQtMDEyMzQ1Njc4OSE=";

/// A bearer key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The text behind `Bearer`.
    pub key: String,
    /// A read-only key may only look.
    pub read_only: bool,
}

/// Where webhooks are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookTarget {
    /// Plain http: the simulator delivers on the machine that it runs on.
    pub url: String,
    /// `whsec_` and base64.
    pub secret: String,
}

/// Everything that can be chosen at the start.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// Port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Decides every id.
    pub seed: u64,
    /// Accepted keys.
    pub api_keys: Vec<ApiKey>,
    /// Where webhooks go; nowhere at first when `None`.
    pub webhook: Option<WebhookTarget>,
    /// Values of the switches.
    pub policy: Policy,
    /// Where virtual time starts; now when `None`.
    pub clock_start: Option<OffsetDateTime>,
    /// How many times faster than real time; 0 stands still.
    pub clock_speed: u32,
    /// Fixtures to load over the built-in ones.
    pub fixtures: Option<PathBuf>,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            port: 0,
            seed: 1,
            api_keys: vec![
                ApiKey { key: DEFAULT_KEY.to_owned(), read_only: false },
                ApiKey { key: DEFAULT_READ_ONLY_KEY.to_owned(), read_only: true },
            ],
            webhook: None,
            policy: Policy::default(),
            clock_start: None,
            clock_speed: 1,
            fixtures: None,
        }
    }
}
