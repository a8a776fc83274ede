//! `?theme=`, `?locale=`, `?dir=` and `?csp=` on any page: for looking at the widget in other circumstances.

use serde::{Deserialize, Serialize};

/// How to show a page. Words that are not known are an error of the address, not of the page: they are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Look {
    /// Colours; without it, the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<Theme>,
    /// The page's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    /// The page's direction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<Direction>,
    /// The page's Content-Security-Policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csp: Option<Csp>,
}

/// Colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// Languages that the shop's page can be marked as. Its own words stay English: the demonstration is the widget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// English.
    En,
    /// Japanese.
    Ja,
}

/// Direction of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Left to right.
    Ltr,
    /// Right to left.
    Rtl,
}

/// Which policy the page is sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Csp {
    /// Nothing but what the widget and the shop's own stylesheet need, with Trusted Types.
    Strict,
    /// The same without WebAssembly.
    NoWasm,
}

impl Theme {
    /// As the attribute says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Locale {
    /// As the attribute says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }
}

impl Direction {
    /// As the attribute says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ltr => "ltr",
            Self::Rtl => "rtl",
        }
    }
}

impl Csp {
    /// The header's value for a page that embeds the widget from `proxy_url`.
    #[must_use]
    pub fn header(self, proxy_url: &str) -> String {
        let wasm = match self {
            Self::Strict => " 'wasm-unsafe-eval'",
            Self::NoWasm => "",
        };
        format!(
            "default-src 'none'; script-src {proxy_url}{wasm}; connect-src {proxy_url}; style-src 'self'; \
             img-src 'self' https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'"
        )
    }
}

impl Look {
    /// The query string that keeps this look, with its question mark; empty for the ordinary look.
    #[must_use]
    pub fn query(&self) -> String {
        let words = [
            self.theme.map(|theme| ("theme", theme.as_str())),
            self.locale.map(|locale| ("locale", locale.as_str())),
            self.dir.map(|dir| ("dir", dir.as_str())),
            self.csp.map(|csp| {
                (
                    "csp",
                    match csp {
                        Csp::Strict => "strict",
                        Csp::NoWasm => "no-wasm",
                    },
                )
            }),
        ];
        let pairs: Vec<_> =
            words.into_iter().flatten().map(|(name, word)| format!("{name}={word}")).collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_says_the_look_in_its_own_words() {
        let look = Look {
            theme: Some(Theme::Dark),
            locale: Some(Locale::Ja),
            dir: Some(Direction::Rtl),
            csp: Some(Csp::NoWasm),
        };
        assert_eq!(look.query(), "?theme=dark&locale=ja&dir=rtl&csp=no-wasm");
        assert_eq!(Look::default().query(), "");
        let words = serde_json::to_value(&look).unwrap();
        assert_eq!(
            words,
            serde_json::json!({"theme": "dark", "locale": "ja", "dir": "rtl", "csp": "no-wasm"})
        );
    }

    #[test]
    fn the_strict_policy_lets_nothing_in_but_the_proxy() {
        let strict = Csp::Strict.header("https://up.example");
        assert!(strict.starts_with("default-src 'none'"));
        assert!(strict.contains("script-src https://up.example 'wasm-unsafe-eval';"));
        assert!(!strict.contains("unsafe-inline") && !strict.contains("'unsafe-eval'"));
        assert!(!Csp::NoWasm.header("https://up.example").contains("wasm"));
    }
}
