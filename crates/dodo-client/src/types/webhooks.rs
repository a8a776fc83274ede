//! Where Dodo sends webhooks. For whoever checks the set-up: nothing that charges asks for these.

use serde::Deserialize;

use crate::{
    ids::WebhookEndpointId,
    lenient::{Readable, null_as_default},
};

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

impl Readable for WebhookEndpoint {
    const NAME: &'static str = "webhook_endpoint";
    const STRICT: &'static [&'static str] = &["disabled", "filter_types"];
}
