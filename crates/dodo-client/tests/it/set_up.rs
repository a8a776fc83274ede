//! What is asked by whoever checks a set-up.

use dodo_client::Error;
use dodo_sim::{Sim, SimConfig};
use secrecy::ExposeSecret;

use crate::simulator::client;

#[tokio::test]
async fn where_webhooks_go_and_what_signs_them() {
    let sim = Sim::start(SimConfig::default()).await.unwrap();
    assert_eq!(client(&sim, dodo_sim::DEFAULT_KEY).list_webhook_endpoints().await.unwrap(), []);
    let (url, secret) =
        ("http://127.0.0.1:9/webhooks/dodo", "whsec_ZG9kby1zaW0tdGVzdC1zZWNyZXQtMDEyMzQ1Njc4OSE=");
    sim.control().set_webhook_endpoint(url, secret).unwrap();
    let endpoints = client(&sim, dodo_sim::DEFAULT_KEY).list_webhook_endpoints().await.unwrap();
    assert_eq!((endpoints.len(), endpoints[0].url.as_str(), endpoints[0].disabled), (1, url, false));
    let told = client(&sim, dodo_sim::DEFAULT_KEY).get_webhook_secret(&endpoints[0].id).await.unwrap();
    assert_eq!(told.expose_secret(), secret);
    assert!(!format!("{told:?}").contains("whsec"));
}

#[tokio::test]
async fn dodos_clock_is_read_where_the_key_is_good() {
    let sim = Sim::start(SimConfig::default()).await.unwrap();
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    let theirs = client(&sim, dodo_sim::DEFAULT_KEY).read_clock().await.unwrap().unwrap();
    assert!((theirs.0 - now).abs() < 60, "{theirs:?}");
    let refused = client(&sim, "dodo_test_other").read_clock().await;
    assert!(matches!(refused, Err(Error::Api(error)) if error.status == 401));
}
