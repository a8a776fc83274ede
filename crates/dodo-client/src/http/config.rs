//! What the client is told before its first request, and what it refuses to be told.
//!
//! No environment is read here: the proxy does that and hands the values in.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use crate::{Mode, quota::Quota};

/// A secret API key. It is shown to nobody: `Debug` prints its mode at most.
#[derive(Clone)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// Takes a key as the merchant configured it, without surrounding white space.
    ///
    /// # Errors
    /// [`ConfigError::EmptyKey`], or [`ConfigError::UnprintableKey`] when it could not stand in a header.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ConfigError::EmptyKey);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConfigError::UnprintableKey);
        }
        Ok(Self(SecretString::from(text)))
    }

    /// The mode that the key's prefix declares; `None` for a key without a known prefix.
    #[must_use]
    pub fn declared_mode(&self) -> Option<Mode> {
        let text = self.0.expose_secret();
        if text.starts_with("dodo_test_") {
            Some(Mode::Test)
        } else if text.starts_with("dodo_live_") {
            Some(Mode::Live)
        } else {
            None
        }
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.declared_mode() {
            Some(mode) => write!(f, "ApiKey({mode}, redacted)"),
            None => f.write_str("ApiKey(redacted)"),
        }
    }
}

/// How long the client waits.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimits {
    /// Name resolution, TCP and TLS together. Running out here proves that nothing was sent.
    pub connect: Duration,
    /// One request from its start to the last byte of its answer.
    pub request: Duration,
    /// A read with all its repetitions and pauses.
    pub read_total: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            request: Duration::from_secs(30),
            read_total: Duration::from_secs(30),
        }
    }
}

/// Everything a [`Client`](crate::Client) is built from.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which of Dodo's worlds is meant.
    pub mode: Mode,
    /// The merchant's secret key for that mode.
    pub api_key: ApiKey,
    /// Instead of Dodo's own address: a simulator or a stub.
    pub base_url: Option<String>,
    /// How long to wait.
    pub limits: TimeLimits,
    /// Asked before requests, where there is one.
    pub quota: Option<Arc<dyn Quota>>,
}

impl Config {
    /// Dodo's own address for `mode`, default time limits.
    #[must_use]
    pub fn new(mode: Mode, api_key: ApiKey) -> Self {
        Self { mode, api_key, base_url: None, limits: TimeLimits::default(), quota: None }
    }

    /// Another address than Dodo's own.
    #[must_use]
    pub fn with_base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Other time limits.
    #[must_use]
    pub fn with_limits(mut self, limits: TimeLimits) -> Self {
        self.limits = limits;
        self
    }

    /// A quota that is asked before requests.
    #[must_use]
    pub fn with_quota(mut self, quota: Arc<dyn Quota>) -> Self {
        self.quota = Some(quota);
        self
    }

    /// The address to use, after checking that it fits the key and cannot leak it.
    pub(crate) fn checked_base_url(&self) -> Result<Url, ConfigError> {
        if let Some(declared) = self.api_key.declared_mode()
            && declared != self.mode
        {
            return Err(ConfigError::KeyOfOtherMode { key: declared, configured: self.mode });
        }
        let text = self.base_url.as_deref().unwrap_or(self.mode.base_url());
        let url = Url::parse(text).map_err(|_| ConfigError::BaseUrl("is not a URL"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ConfigError::BaseUrl("carries credentials"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ConfigError::BaseUrl("carries a query or a fragment"));
        }
        match url.scheme() {
            "https" => Ok(url),
            "http" if is_loopback(&url) => Ok(url),
            "http" => Err(ConfigError::BaseUrl("would send the key unencrypted to another machine")),
            _ => Err(ConfigError::BaseUrl("is neither http nor https")),
        }
    }
}

/// Whether the address is this very machine. Only literal addresses and `localhost` count: a name that
/// merely resolves to this machine today may resolve elsewhere tomorrow.
fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Why a configuration is refused. No variant carries the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No key was given.
    #[error("the API key is empty")]
    EmptyKey,
    /// The key holds white space or characters outside ASCII.
    #[error("the API key holds characters that cannot stand in an HTTP header")]
    UnprintableKey,
    /// A live key in test mode or the other way round.
    #[error("the API key is a {key} key, but the mode is {configured}")]
    KeyOfOtherMode {
        /// What the key's prefix says.
        key: Mode,
        /// What was asked for.
        configured: Mode,
    },
    /// The base URL cannot be used, and why.
    #[error("the base URL {0}")]
    BaseUrl(&'static str),
    /// The TLS library refused its own defaults.
    #[error("TLS could not be set up: {0}")]
    Tls(String),
}
