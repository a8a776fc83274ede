//! Commands that change something are clients of the merchant's API: they work beside a running proxy, and the proxy that holds
//! the store is the only one that writes to it.

use std::time::Duration;

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use wire::{ForgetRequest, ForgetResponse, Problem, RetireKeyRequest, RetireKeyResponse};

use crate::{
    service::outbox::{self, RelayError},
    settings::{AddressError, Origin},
};

/// Longest time that the proxy may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Address of the running proxy.
#[derive(Clone, Debug, clap::Args)]
pub struct ProxyPlace {
    /// Address of the running proxy: https, or this machine. The merchant key is taken from UPSELL_MERCHANT_KEY.
    #[arg(long, env = "UPSELL_PUBLIC_URL", default_value = "http://127.0.0.1:4020")]
    pub proxy: String,
}

/// Error asking the proxy.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The address of the proxy cannot be taken.
    #[error("--proxy {0}")]
    Address(#[from] AddressError),
    /// No merchant key.
    #[error("UPSELL_MERCHANT_KEY is not set in the environment")]
    NoKey,
    /// No HTTP client.
    #[error(transparent)]
    Client(#[from] RelayError),
    /// No answer came.
    #[error("the proxy does not answer: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// The proxy refused.
    #[error("the proxy answered {}: {}", .0.status, .0.title)]
    Refused(Box<Problem>),
    /// The answer cannot be read: another server, or another version.
    #[error("the proxy's answer cannot be read (status {0})")]
    Unreadable(StatusCode),
}

/// A client of the merchant's API.
pub struct MerchantClient {
    http: reqwest::Client,
    proxy: Origin,
    key: SecretString,
}

impl MerchantClient {
    /// Creates a client. Connects to nothing yet.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn new(place: &ProxyPlace, key: Option<SecretString>) -> Result<Self, CallError> {
        let proxy = Origin::parse(&place.proxy)?;
        Ok(Self { http: outbox::client(PATIENCE)?, proxy, key: key.ok_or(CallError::NoKey)? })
    }

    /// Forgets a buyer.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn forget(&self, customer: &str) -> Result<ForgetResponse, CallError> {
        self.post("/v1/customers/forget", &ForgetRequest { customer_id: customer.to_owned() }).await
    }

    /// Retires a signing key.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn retire_key(&self, id: &str) -> Result<RetireKeyResponse, CallError> {
        self.post("/v1/signing-keys/retire", &RetireKeyRequest { key_id: id.to_owned() }).await
    }

    async fn post<Q: Serialize, A: DeserializeOwned>(&self, path: &str, request: &Q) -> Result<A, CallError> {
        let request = serde_json::to_vec(request).unwrap_or_default();
        let answer = self
            .http
            .post(format!("{}{path}", self.proxy.as_str()))
            .bearer_auth(self.key.expose_secret())
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(request)
            .send()
            .await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        let unreadable = |_| CallError::Unreadable(status);
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(unreadable);
        }
        Err(CallError::Refused(Box::new(serde_json::from_slice(&body).map_err(unreadable)?)))
    }
}
