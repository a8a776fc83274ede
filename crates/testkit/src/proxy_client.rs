//! Requests to a proxy, whichever process it runs in: as the merchant's server and as a buyer's page send them.

use std::net::IpAddr;

use anyhow::Context as _;
use dodo_client::ids::{CustomerId, PaymentId};
use reqwest::Method;
use serde_json::{Value, json};
use wire::BROWSER_HEADER;

use crate::{Answer, BROWSER, MERCHANT_KEY, client, http::client_from};

/// A client of one proxy.
#[derive(Clone, Debug)]
pub struct ProxyClient {
    url: String,
    http: reqwest::Client,
}

impl ProxyClient {
    /// Creates a client of the proxy at this address.
    ///
    /// # Errors
    /// When there is no HTTP client.
    pub fn of(url: String) -> anyhow::Result<Self> {
        Ok(Self { url, http: client()? })
    }

    /// Creates a client that asks from another address of this machine, such as `127.0.0.2`.
    ///
    /// # Errors
    /// When there is no HTTP client.
    pub fn from_address(url: String, address: IpAddr) -> anyhow::Result<Self> {
        Ok(Self { url, http: client_from(address)? })
    }

    /// Returns the address of the proxy, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends a GET request with this token.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn get(&self, token: &str, path: &str) -> anyhow::Result<Answer> {
        Answer::to(self.request(Method::GET, path).bearer_auth(token)).await
    }

    /// Sends a POST request with this token, and an idempotency key where one is given.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn post(
        &self,
        token: &str,
        path: &str,
        key: Option<&str>,
        body: &Value,
    ) -> anyhow::Result<Answer> {
        let request = self.request(Method::POST, path).bearer_auth(token).json(body);
        Answer::to(match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        })
        .await
    }

    /// Mints a token to follow up a purchase, as the server of a merchant without a login does.
    ///
    /// # Errors
    /// When it is not given.
    pub async fn mint(&self, customer: &CustomerId, purchase: &PaymentId) -> anyhow::Result<String> {
        self.mint_with(customer, purchase, false).await
    }

    /// Mints a token to follow up a purchase, for a buyer who is signed in or not.
    ///
    /// # Errors
    /// When it is not given.
    pub async fn mint_with(
        &self,
        customer: &CustomerId,
        purchase: &PaymentId,
        signed_in: bool,
    ) -> anyhow::Result<String> {
        let request = json!({
            "customer_id": customer.as_str(), "purpose": "offer", "payment_id": purchase.as_str(),
            "signed_in": signed_in,
        });
        let minted = self.post(MERCHANT_KEY, "/v1/sessions", None, &request).await?.ok()?;
        Ok(minted["token"].as_str().context("a session without a token")?.to_owned())
    }

    /// Returns the offer on the page, or why there is none.
    ///
    /// # Errors
    /// When it is not told.
    pub async fn look(&self, token: &str) -> anyhow::Result<Value> {
        self.get(token, "/v1/upsell").await?.ok()
    }

    /// Accepts what is on the page.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn accept(&self, token: &str, shown: &Value, key: &str) -> anyhow::Result<Answer> {
        let body = json!({"offer_id": shown["offer"]["id"], "quote_id": shown["quote"]["id"]});
        self.post(token, "/v1/upsell/accept", Some(key), &body).await
    }

    /// Declines what is on the page.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn decline(&self, token: &str, shown: &Value) -> anyhow::Result<Answer> {
        self.post(token, "/v1/upsell/decline", None, &json!({"offer_id": shown["offer"]["id"]})).await
    }

    /// Asks how an attempt stands.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn attempt(&self, token: &str, id: &str) -> anyhow::Result<Answer> {
        self.get(token, &format!("/v1/upsell/attempts/{id}")).await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).header(BROWSER_HEADER, BROWSER)
    }
}
