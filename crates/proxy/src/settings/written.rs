//! Values as they stand in files of variables: quotation marks that belong to the file, white space at the ends, and what no
//! request could carry. Such a value is well-formed, and never the one that is meant.

use secrecy::{ExposeSecret, SecretString};

use super::{Arguments, MIN_MERCHANT_KEY, Secrets, SettingsError};

/// The longest merchant key, in characters: a longer token is not read from a request.
const MAX_MERCHANT_KEY: usize = 256;

/// Refuses values that begin or end with a quotation mark.
///
/// # Errors
/// [`SettingsError::Quoted`], with the name of the variable.
pub(super) fn check(arguments: &Arguments, secrets: &Secrets) -> Result<(), SettingsError> {
    let secret =
        |secret: &'_ Option<SecretString>| secret.as_ref().map(|text| text.expose_secret().to_owned());
    let values = [
        ("UPSELL_MERCHANT_KEY", secret(&secrets.merchant_key)),
        ("DODO_PAYMENTS_API_KEY", secret(&secrets.api_key)),
        ("DODO_PAYMENTS_WEBHOOK_KEY", secret(&secrets.webhook_key)),
        ("UPSELL_SIGNING_KEYS", secret(&secrets.signing_keys)),
        ("UPSELL_NOTIFY_KEY", secret(&secrets.notify_key)),
        ("DATABASE_URL", secret(&secrets.database_url)),
        ("DATABASE_DIRECT_URL", secret(&secrets.database_direct_url)),
        ("UPSELL_MERCHANT", Some(arguments.merchant.clone())),
        ("UPSELL_PUBLIC_URL", arguments.public_url.clone()),
        ("UPSELL_RETURN_URL", arguments.return_url.clone()),
        ("UPSELL_NOTIFY_URL", arguments.notify_url.clone()),
        ("DODO_PAYMENTS_BASE_URL", arguments.dodo_base_url.clone()),
    ];
    let origins =
        arguments.allowed_origins.iter().map(|origin| ("UPSELL_ALLOWED_ORIGINS", Some(origin.clone())));
    let proxies = arguments.limits.trusted_proxies.iter();
    let proxies = proxies.map(|proxy| ("UPSELL_TRUSTED_PROXIES", Some(proxy.clone())));
    for (name, value) in values.into_iter().chain(origins).chain(proxies) {
        if value.is_some_and(|value| is_quoted(value.trim())) {
            return Err(SettingsError::Quoted(name));
        }
    }
    Ok(())
}

fn is_quoted(text: &str) -> bool {
    let is_mark = |c: char| matches!(c, '"' | '\'' | '`' | '\u{2018}'..='\u{201f}');
    text.starts_with(is_mark) || text.ends_with(is_mark)
}

/// Takes the key that the merchant's server sends with its requests.
///
/// # Errors
/// When it could be guessed, or no request could carry it as it is.
pub(super) fn merchant_key(key: Option<SecretString>) -> Result<SecretString, SettingsError> {
    let key = key.ok_or(SettingsError::Missing("UPSELL_MERCHANT_KEY"))?;
    let text = key.expose_secret();
    let length = text.chars().count();
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) || length > MAX_MERCHANT_KEY {
        return Err(SettingsError::MerchantKeyUnsendable);
    }
    if length < MIN_MERCHANT_KEY {
        return Err(SettingsError::MerchantKeyTooShort(length));
    }
    Ok(key)
}
