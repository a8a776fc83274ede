//! What the page says about the widget, checked. These are the element's attributes, or the address of the standalone
//! page. Nothing in here is about money: prices, products and eligibility come from the backend.

/// Which widget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `<upsell-offer>`.
    Offer,
    /// `<upsell-plans>`.
    Plans,
}

impl Kind {
    /// The word for it: `offer` or `plans`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Plans => "plans",
        }
    }
}

/// Checked settings of one widget.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// Which widget.
    pub kind: Kind,
    /// Base address of the backend, absolute, without a slash at the end. All paths are relative to it.
    pub endpoint: String,
    /// The session token; empty for a merchant's own basic backend that knows the buyer by other means.
    pub token: String,
    /// The secret of this browser, sent with the token; empty where there is none. Whoever mounts the widget sets it.
    pub browser: String,
    /// Language tag of the page, such as `ja-JP`.
    pub locale: String,
    /// Also take clicks that a script made. For tests; there is no attribute for it.
    pub trust_all_clicks: bool,
}

/// What is wrong with the settings. Only what decides whom the widget talks to can be wrong: the rest falls back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// Neither `offer` nor `plans`.
    Kind,
    /// Not an absolute http(s) address without user, query and fragment.
    Endpoint,
    /// Has characters that no token has, or is too long.
    Token,
}

impl ConfigError {
    /// For the developer, on the console.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Kind => "upsell-widget: there is no such widget",
            Self::Endpoint => {
                "upsell-widget: endpoint is not an absolute http(s) address of origin and path only"
            }
            Self::Token => "upsell-widget: token has characters that no token has",
        }
    }
}

/// Longest token taken, in bytes.
const MAX_TOKEN: usize = 4096;

impl Config {
    /// Checks settings. A locale that is not a language tag becomes English.
    ///
    /// # Errors
    /// [`ConfigError`] names the one that is wrong.
    pub fn parse(kind: &str, endpoint: &str, token: &str, locale: &str) -> Result<Self, ConfigError> {
        let kind = match kind {
            "offer" => Kind::Offer,
            "plans" => Kind::Plans,
            _ => return Err(ConfigError::Kind),
        };
        if !is_endpoint(endpoint) {
            return Err(ConfigError::Endpoint);
        }
        let is_token_byte = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
        if token.len() > MAX_TOKEN || !token.bytes().all(is_token_byte) {
            return Err(ConfigError::Token);
        }
        Ok(Self {
            kind,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
            browser: String::new(),
            locale: first_language([locale]),
            trust_all_clicks: false,
        })
    }
}

fn is_endpoint(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let clean = rest.bytes().all(|b| b > b' ' && b != 0x7f && !b"?#\\@<>\"".contains(&b));
    clean && !rest.is_empty() && !rest.starts_with(['/', ':'])
}

/// Returns the first of these that is a language tag, with hyphens; English where none is.
#[must_use]
pub fn first_language<'a>(said: impl IntoIterator<Item = &'a str>) -> String {
    let mut tags = said.into_iter().map(|text| text.trim().replace('_', "-"));
    tags.find(|tag| is_language_tag(tag)).unwrap_or_else(|| "en".to_owned())
}

fn is_language_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let primary = parts.next().unwrap_or_default();
    (2..=8).contains(&primary.len())
        && primary.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_settings_pass_and_lose_their_last_slash() {
        let config = Config::parse("offer", "https://pay.shop.test/v1/upsell/", "abc_DEF-1.~+/=", "ja-JP");
        let config = config.expect("good settings");
        assert_eq!(config.endpoint, "https://pay.shop.test/v1/upsell");
        assert!(Config::parse("plans", "http://127.0.0.1:4020/v1/plans", "", "en").is_ok());
        assert!(!config.trust_all_clicks);
    }

    #[test]
    fn each_wrong_setting_is_named() {
        let parse = |kind, endpoint, token, locale| Config::parse(kind, endpoint, token, locale).err();
        let good = "https://pay.shop.test/v1/upsell";
        assert_eq!(parse("dialog", good, "t", "en"), Some(ConfigError::Kind));
        for endpoint in [
            "",
            "/v1/upsell",
            "//pay.shop.test",
            "javascript:alert(1)",
            "data:,x",
            "https://",
            "https:///v1",
            "https://user@pay.shop.test",
            "https://pay.shop.test/?a=b",
            "https://pay.shop.test/#x",
            "https://pay.shop.test/a b",
            "https://pay.shop.test\\x",
        ] {
            assert_eq!(parse("offer", endpoint, "t", "en"), Some(ConfigError::Endpoint), "{endpoint}");
        }
        let long = "t".repeat(MAX_TOKEN + 1);
        for token in ["a b", "a\r\nx: y", "ä", "<script>", long.as_str()] {
            assert_eq!(parse("offer", good, token, "en"), Some(ConfigError::Token), "{token}");
        }
    }

    #[test]
    fn what_is_not_a_language_is_passed_over() {
        for odd in [
            "",
            " ",
            "e",
            "undefined",
            "en_US.UTF-8",
            "ja,en",
            "C.UTF-8",
            "en--US",
            "en-",
            "../x",
            "123",
            "en-waytoolongpart",
        ] {
            let config = Config::parse("offer", "https://pay.shop.test/v1/upsell", "t", odd);
            assert_eq!(config.map(|config| config.locale), Ok("en".to_owned()), "{odd}");
            assert_eq!(first_language([odd, "de_AT", "ja"]), "de-AT", "{odd}");
        }
        assert_eq!(first_language([]), "en");
    }
}
