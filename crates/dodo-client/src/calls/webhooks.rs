//! Where Dodo sends webhooks. For whoever checks the set-up: nothing that charges asks for these.

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{Client, Error, ids::WebhookEndpointId, lenient::null_as_default, transport::Ask};

/// As many as are asked for. Dodo documents no limit; nobody has that many.
const LIMIT: u8 = 100;

/// An address that webhooks go to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WebhookEndpoint {
    /// Which.
    pub id: WebhookEndpointId,
    /// Where to.
    pub url: String,
    /// Whether it was switched off.
    #[serde(default, deserialize_with = "null_as_default")]
    pub disabled: bool,
    /// The only types that are sent; all of them where there is none.
    #[serde(default, deserialize_with = "null_as_default")]
    pub filter_types: Vec<String>,
}

#[derive(Serialize)]
struct Limit {
    limit: u8,
}

/// Unlike every other list: not `items`.
#[derive(Deserialize)]
struct Endpoints {
    data: Vec<WebhookEndpoint>,
}

#[derive(Deserialize)]
struct Secret {
    secret: String,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

impl Client {
    /// `GET /webhooks`. A read; the first hundred.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list_webhook_endpoints(&self) -> Result<Vec<WebhookEndpoint>, Error> {
        let list: Endpoints =
            self.transport.read(Ask::get(&["webhooks"]).query(&Limit { limit: LIMIT })).await?;
        Ok(list.data)
    }

    /// `GET /webhooks/{id}/secret`: what webhooks to that address are signed with. A read.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_webhook_secret(&self, id: &WebhookEndpointId) -> Result<SecretString, Error> {
        let answer: Secret = self.transport.read(Ask::get(&["webhooks", id.as_str(), "secret"])).await?;
        Ok(answer.secret.into())
    }
}
