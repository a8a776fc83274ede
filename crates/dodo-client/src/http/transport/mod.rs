//! The only code that speaks HTTP.
//!
//! [`exchange`] performs one request and reports what was seen. [`read`] may perform it several times;
//! [`once`] performs it once. They use different connections: reads share a pool, everything else opens a
//! connection of its own. A pooled connection that the other side is just closing breaks in the middle of a
//! request, and for a charge that would mean "unknown" instead of "not sent".

mod exchange;
mod once;
mod read;

pub(crate) use once::{json, json_or_default, nothing};

use std::sync::Arc;

use reqwest::{
    Client, ClientBuilder, Method, RequestBuilder, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};
use serde::Serialize;

use crate::{
    error::Unsent,
    http::config::{Config, ConfigError, TimeLimits},
    quota::Quota,
};

/// Two HTTP clients, where to send requests, and how many to send requests.
pub(crate) struct Transport {
    base_url: Url,
    limits: TimeLimits,
    pub(crate) quota: Option<Arc<dyn Quota>>,
    /// Keeps connections for further reads.
    pooled: Client,
    /// One connection a request.
    single: Client,
}

impl Transport {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let base_url = config.checked_base_url()?;
        let tls = tls_config()?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", config.api_key.expose()))
            .map_err(|_| ConfigError::UnprintableKey)?;
        authorization.set_sensitive(true);
        let headers = HeaderMap::from_iter([(AUTHORIZATION, authorization)]);
        let client =
            || common(config.limits).default_headers(headers.clone()).tls_backend_preconfigured(tls.clone());
        let build =
            |builder: ClientBuilder| builder.build().map_err(|error| ConfigError::Tls(error.to_string()));
        Ok(Self {
            base_url,
            limits: config.limits,
            quota: config.quota.clone(),
            pooled: build(client())?,
            single: build(client().pool_max_idle_per_host(0))?,
        })
    }

    fn url(&self, path: &[&str]) -> Result<Url, Unsent> {
        let mut url = self.base_url.clone();
        url.path_segments_mut().map_err(|()| Unsent::Request)?.pop_if_empty().extend(path);
        Ok(url)
    }
}

/// What both clients have in common.
///
/// - No redirect is followed: it could carry the key elsewhere, or repeat a charge.
/// - The library's own retries are off.
/// - HTTP/1.1 only: no layer that multiplexes, and may replay, requests.
/// - Proxies of the environment are ignored: an operator's shell must not decide through whom charges go.
fn common(limits: TimeLimits) -> ClientBuilder {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .http1_only()
        .no_proxy()
        .referer(false)
        .connect_timeout(limits.connect)
        .timeout(limits.request)
        .user_agent(concat!("upsell-widget/", env!("CARGO_PKG_VERSION")))
}

/// TLS with the cryptography and the roots named here, whatever the process has installed globally.
fn tls_config() -> Result<rustls::ClientConfig, ConfigError> {
    let roots = rustls::RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let mut config =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| ConfigError::Tls(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// What to ask, before it is known how often.
pub(crate) struct Ask<'a, Q: ?Sized = (), B: ?Sized = ()> {
    pub(crate) method: Method,
    pub(crate) path: &'a [&'a str],
    pub(crate) query: Option<&'a Q>,
    pub(crate) body: Option<&'a B>,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(method: Method, path: &'a [&'a str]) -> Self {
        Self { method, path, query: None, body: None }
    }

    pub(crate) fn get(path: &'a [&'a str]) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: &'a [&'a str]) -> Self {
        Self::new(Method::POST, path)
    }
}

impl<'a, B: ?Sized> Ask<'a, (), B> {
    pub(crate) fn query<Q: Serialize + ?Sized>(self, query: &'a Q) -> Ask<'a, Q, B> {
        Ask { method: self.method, path: self.path, query: Some(query), body: self.body }
    }
}

impl<'a, Q: ?Sized> Ask<'a, Q, ()> {
    pub(crate) fn json<B: Serialize + ?Sized>(self, body: &'a B) -> Ask<'a, Q, B> {
        Ask { method: self.method, path: self.path, query: self.query, body: Some(body) }
    }
}

impl<Q: Serialize + ?Sized, B: Serialize + ?Sized> Ask<'_, Q, B> {
    fn on(&self, client: &Client, transport: &Transport) -> Result<RequestBuilder, Unsent> {
        let mut request = client.request(self.method.clone(), transport.url(self.path)?);
        if let Some(query) = self.query {
            request = request.query(query);
        }
        if let Some(body) = self.body {
            request = request.json(body);
        }
        Ok(request)
    }
}
