//! A browser, or a merchant's server, that follows nothing and repeats nothing by itself.

use std::{
    net::IpAddr,
    sync::Once,
    time::{Duration, Instant},
};

use serde_json::Value;

/// Longest time for which a proxy may not be ready.
const PATIENCE: Duration = Duration::from_secs(120);

/// One answer, read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// JSON, or text where it is none.
    pub body: Value,
}

impl Answer {
    /// Sends a request and reads what comes.
    ///
    /// # Errors
    /// When nothing comes, or not all of it.
    pub async fn to(request: reqwest::RequestBuilder) -> anyhow::Result<Self> {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok(Self { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) })
    }

    /// Returns the body of a success.
    ///
    /// # Errors
    /// When it is none.
    pub fn ok(self) -> anyhow::Result<Value> {
        anyhow::ensure!((200..300).contains(&self.status), "{} {}", self.status, self.body);
        Ok(self.body)
    }

    /// Returns the code of a problem; empty on success.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body["code"].as_str().filter(|_| self.status >= 400).unwrap_or_default()
    }
}

/// Creates a client that follows no redirect.
///
/// # Errors
/// When none can be made.
pub fn client() -> anyhow::Result<reqwest::Client> {
    Ok(builder().build()?)
}

/// Creates a client that follows no redirect and asks from this address.
///
/// # Errors
/// When none can be made.
pub(crate) fn client_from(address: IpAddr) -> anyhow::Result<reqwest::Client> {
    Ok(builder().local_address(address).build()?)
}

fn builder() -> reqwest::ClientBuilder {
    static ONCE: Once = Once::new();
    // A provider that somebody has installed before is as good.
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none())
}

/// Asks again while the proxy says that it is not ready, as pages do.
///
/// # Errors
/// When no answer comes, or none that is ready.
pub async fn patiently<F>(ask: impl Fn() -> F) -> anyhow::Result<Answer>
where
    F: Future<Output = anyhow::Result<Answer>>,
{
    let began = Instant::now();
    loop {
        let answer = ask().await?;
        if answer.status < 500 {
            return Ok(answer);
        }
        anyhow::ensure!(began.elapsed() < PATIENCE, "still not ready: {answer:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
