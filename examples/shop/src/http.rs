//! The shop's HTTP client, for Dodo and for the proxy.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;

/// No client could be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the HTTP client: {0}")]
pub struct ClientError(String);

/// A call that brought nothing usable.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Not reached, or not in time.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// Answered, with a refusal.
    #[error("answered {0}")]
    Refused(StatusCode),
    /// Answered with something else than it should.
    #[error("answered something unexpected: {0}")]
    Unexpected(String),
}

/// A client that follows no redirects: its requests carry secret keys.
///
/// # Errors
/// When TLS cannot be set up.
pub fn client() -> Result<Client, ClientError> {
    let roots = rustls::RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(3))
        .timeout(Duration::from_secs(10))
        .build()
        .map_err(|error| ClientError(error.to_string()))
}

/// Sends a request and reads its JSON answer.
///
/// # Errors
/// [`CallError`] says how far it came. The address is left out: it may name a buyer.
pub(crate) async fn call<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, CallError> {
    let unreachable = |error: reqwest::Error| CallError::Unreachable(error.without_url().to_string());
    let response = request.send().await.map_err(unreachable)?;
    if !response.status().is_success() {
        return Err(CallError::Refused(response.status()));
    }
    let body = response.bytes().await.map_err(unreachable)?;
    serde_json::from_slice(&body).map_err(|error| CallError::Unexpected(error.to_string()))
}
