//! Where Dodo sends webhooks. For checking the set-up: nothing that charges asks for these.

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Error, Readable,
    http::{Client, transport::Ask},
    ids::WebhookEndpointId,
    lenient,
    types::webhooks::WebhookEndpoint,
};

/// As many as are asked for. Dodo documents no limit; nobody has that many.
const LIMIT: u8 = 100;

#[derive(Serialize)]
struct Limit {
    limit: u8,
}

/// Unlike every other list: not `items`.
#[derive(Deserialize)]
struct Endpoints {
    data: Vec<Value>,
}

/// The rows are read one by one.
impl Readable for Endpoints {
    const NAME: &'static str = "list";
}

#[derive(Deserialize)]
struct Secret {
    secret: String,
}

impl Readable for Secret {
    const NAME: &'static str = "webhook_secret";
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

impl Client {
    /// `GET /webhooks`. A read; the first hundred. One that cannot be read is left out.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list_webhook_endpoints(&self) -> Result<Vec<WebhookEndpoint>, Error> {
        let list: Endpoints =
            self.transport.read(Ask::get(&["webhooks"]).query(&Limit { limit: LIMIT })).await?;
        Ok(lenient::rows(list.data).0)
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
