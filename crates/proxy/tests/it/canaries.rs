//! Secrets and what is known of a buyer never reach a log, an error's answer or a metric. All tests of this binary run
//! with every target at trace level, nothing is printed, and each line is searched as it is written: one that holds any of
//! it ends the process, since the test whose line it is may long be over. Answers of errors are searched by the harness.

use std::{io, sync::OnceLock};

use metrics_exporter_prometheus::PrometheusHandle;
use testkit::statements::Recorder;
use tracing_subscriber::{
    EnvFilter, Layer,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::harness::{BROWSER, GOOD_CARD, MERCHANT_KEY, NOTIFY_KEY, TestApp, WEBHOOK_SECRET};

/// What the tests put in, and what must come out nowhere.
const CANARIES: [(&str, &str); 13] = [
    ("the merchant's key", MERCHANT_KEY),
    ("a browser's secret", BROWSER),
    ("the API key", "dodo_test_sim_key"),
    ("a signing key", WEBHOOK_SECRET),
    ("a signing key, decoded", "dodo-sim-test-secret-0123456789!"),
    ("a signing key", NOTIFY_KEY),
    ("an e-mail address", "buyer@example.com"),
    ("a name", "B. Uyer"),
    ("a street", "1 Market St"),
    ("a card's number", GOOD_CARD),
    ("a card's last digits", "last4"),
    ("a saved method", "pm_"),
    ("a customer", "cus_"),
];

/// Which of them is in a text.
pub(crate) fn leak(text: &str) -> Option<&'static str> {
    let known = CANARIES.iter().find(|(_, canary)| text.contains(canary.trim_start_matches("whsec_")));
    known.map(|(name, _)| *name).or_else(|| text.split(outside_tokens).any(is_token).then_some("a token"))
}

fn outside_tokens(c: char) -> bool {
    !(c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Tokens are 256 random bits in base64: 43 characters, and hardly ever without capitals, small letters and digits.
fn is_token(word: &str) -> bool {
    word.len() == 43
        && word.bytes().any(|byte| byte.is_ascii_uppercase())
        && word.bytes().any(|byte| byte.is_ascii_lowercase())
        && word.bytes().any(|byte| byte.is_ascii_digit())
}

/// Watches everything that this process writes from now on. `TEST_LOG` prints it as well, as `RUST_LOG` chooses.
pub(crate) fn watch() {
    static WATCHING: OnceLock<()> = OnceLock::new();
    WATCHING.get_or_init(|| {
        let mut layers = vec![
            fmt::layer()
                .json()
                .flatten_event(true)
                .with_writer(Watch)
                .with_filter(EnvFilter::new("trace"))
                .boxed(),
            Recorder::new().unwrap().with_filter(Recorder::filter()).boxed(),
        ];
        if std::env::var_os("TEST_LOG").is_some() {
            let chosen = EnvFilter::from_default_env();
            layers.push(fmt::layer().json().with_writer(io::stderr).with_filter(chosen).boxed());
        }
        tracing_subscriber::registry().with(layers).init();
        metrics();
    });
}

fn metrics() -> &'static PrometheusHandle {
    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
    METRICS.get_or_init(|| proxy::telemetry::init_metrics().unwrap())
}

/// Takes one line at a time, as the layer writes them.
#[derive(Clone, Copy)]
struct Watch;

impl io::Write for Watch {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(line);
        if let Some(what) = leak(&line) {
            eprintln!("{what} was written: {line}");
            std::process::abort();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Watch {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

#[tokio::test]
async fn every_canary_would_be_found() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    let texts = CANARIES.iter().map(|(_, canary)| *canary).chain([buyer.customer.as_str(), token.as_str()]);
    for text in texts {
        assert!(leak(&format!(r#"{{"url":"http://127.0.0.1/?x={text}","n":1}}"#)).is_some(), "{text}");
    }
    for harmless in ["customer_id", "sha384-q83FhX", "01a213d916847307b2d017e2f1057d52", &"f".repeat(43)] {
        assert_eq!(leak(harmless), None);
    }
    // And they are looked for at the lowest level, in what libraries write too.
    assert!(tracing::enabled!(target: "proxy::http", tracing::Level::TRACE));
    assert!(tracing::enabled!(target: "hyper_util::client", tracing::Level::TRACE));
    assert!(tracing::enabled!(target: "sqlx::query", tracing::Level::TRACE));
}

#[tokio::test]
async fn metrics_tell_nothing_of_anybody() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    let attempt = app.accept(&token, &shown, "key-1").await.ok();
    app.settled(&token, "/v1/upsell", attempt).await;
    let rendered = metrics().render();
    for name in ["upsell_http_requests_total", "upsell_attempts{", "upsell_webhooks_total"] {
        assert!(rendered.contains(name), "{rendered}");
    }
    assert_eq!(leak(&rendered), None);
}
