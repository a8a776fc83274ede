//! What `doctor` asks: whether the key is good, what Dodo's clock shows, where Dodo sends webhooks.

use dodo_client::{Error, ids::WebhookEndpointId, types::webhooks::WebhookEndpoint};
use secrecy::SecretString;
use wire::UnixSeconds;

use super::Gateway;

impl Gateway {
    /// Asks for one payment of anybody: whether the key may do what looking up needs, and what Dodo's clock shows, where
    /// the answer says so.
    ///
    /// # Errors
    /// When Dodo does not answer, or refuses the key.
    pub async fn read_clock(&self) -> Result<Option<UnixSeconds>, Error> {
        self.dodo.read_clock().await
    }

    /// The addresses that Dodo sends webhooks to.
    ///
    /// # Errors
    /// When Dodo does not answer.
    pub async fn webhook_endpoints(&self) -> Result<Vec<WebhookEndpoint>, Error> {
        self.dodo.list_webhook_endpoints().await
    }

    /// What webhooks to that address are signed with.
    ///
    /// # Errors
    /// When Dodo does not answer.
    pub async fn webhook_secret(&self, id: &WebhookEndpointId) -> Result<SecretString, Error> {
        self.dodo.get_webhook_secret(id).await
    }
}
