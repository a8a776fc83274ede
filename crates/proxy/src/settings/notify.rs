//! Where the merchant's system is told the news, and how it knows that it is us.

use std::fmt;

use secrecy::SecretString;
use url::Url;

use super::{SettingsError, address, notify_url, several_keys};
use crate::webhook_signature::WebhookKey;

/// Address and keys: both, or no news is told.
#[derive(Clone)]
pub struct Notify {
    /// `UPSELL_NOTIFY_URL`.
    pub url: Url,
    /// `UPSELL_NOTIFY_KEY`: each of them signs.
    pub keys: Vec<WebhookKey>,
}

impl Notify {
    pub(super) fn check(
        url: Option<&str>,
        keys: Option<&SecretString>,
    ) -> Result<Option<Self>, SettingsError> {
        match (url.filter(|url| !url.trim().is_empty()), keys) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(SettingsError::NotifyHalf("UPSELL_NOTIFY_KEY")),
            (None, Some(_)) => Err(SettingsError::NotifyHalf("UPSELL_NOTIFY_URL")),
            (Some(url), Some(keys)) => Ok(Some(Self {
                url: notify_url(url).map_err(|error| address("UPSELL_NOTIFY_URL", error))?,
                keys: several_keys(keys).map_err(SettingsError::NotifyKey)?,
            })),
        }
    }
}

/// Without path and query: merchants put secrets there.
impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notify").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}
