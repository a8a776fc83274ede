//! Settings, from flags or the environment.

use std::net::SocketAddr;

/// A small shop that sells through Dodo Payments and embeds the widget.
#[derive(Clone, clap::Parser)]
#[command(name = "demo-shop")]
pub struct Config {
    /// Where to listen.
    #[arg(long, env = "SHOP_LISTEN", default_value = "127.0.0.1:4030")]
    pub listen: SocketAddr,
    /// The shop's address as buyers see it.
    #[arg(long, env = "SHOP_PUBLIC_URL", default_value = "http://127.0.0.1:4030", value_parser = address)]
    pub public_url: String,
    /// The upsell proxy's address as buyers see it.
    #[arg(long, env = "SHOP_PROXY_URL", default_value = "http://127.0.0.1:4020", value_parser = address)]
    pub proxy_url: String,
    /// The key with which the shop mints sessions at the proxy.
    #[arg(long, env = "SHOP_MERCHANT_KEY", hide_env_values = true)]
    pub merchant_key: String,
    /// Dodo's address.
    #[arg(long, env = "DODO_PAYMENTS_BASE_URL", default_value = "https://test.dodopayments.com", value_parser = address)]
    pub dodo_url: String,
    /// The shop's secret key at Dodo.
    #[arg(long, env = "DODO_PAYMENTS_API_KEY", hide_env_values = true)]
    pub dodo_key: String,
}

/// An http(s) address without a slash at its end, so that paths can be appended.
fn address(text: &str) -> Result<String, String> {
    if !text.starts_with("http://") && !text.starts_with("https://") {
        return Err("must begin with http:// or https://".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_has_a_scheme_and_no_last_slash() {
        assert_eq!(address("http://127.0.0.1:4020/").as_deref(), Ok("http://127.0.0.1:4020"));
        assert!(address("127.0.0.1:4020").is_err());
    }
}
