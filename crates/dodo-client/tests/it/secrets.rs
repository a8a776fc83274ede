//! The key goes to Dodo and nowhere else.

use dodo_client::{
    ApiKey, ChargeEvidence, Client, Config, ConfigError, Mode, ids::CustomerId, types::checkouts::Checkout,
};

use crate::stub::{KEY, Stub, answer, answer_with};

fn customer() -> CustomerId {
    CustomerId::parse("cus_1").unwrap()
}

#[tokio::test]
async fn the_key_is_sent_as_a_bearer_token() {
    let stub = Stub::start([answer(404, "{}")]).await;
    stub.client().get_customer(&customer()).await.unwrap_err();
    let seen = stub.only();
    assert_eq!(seen.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert!(seen.header("user-agent").is_some_and(|agent| agent.starts_with("upsell-widget/")));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Stub::start([answer(200, "{}")]).await;
        let location = format!("location: {}/customers/cus_1\r\n", elsewhere.address);
        let stub = Stub::start([answer_with(status, &location, "")]).await;
        let client = stub.client();
        client.get_customer(&customer()).await.unwrap_err();
        client.create_hosted_checkout(None, &Checkout::default()).await.unwrap_err();
        let method = "pm_1".parse().unwrap();
        let evidence = client.charge_checkout(&customer(), &method, &Checkout::default()).await;
        assert!(matches!(evidence, ChargeEvidence::Refused(error) if error.status == status));
        assert_eq!(stub.seen().len(), 3, "{status}");
        assert!(elsewhere.seen().is_empty(), "{status}");
    }
}

#[tokio::test]
async fn nothing_that_can_be_printed_holds_the_key() {
    let stub = Stub::start([answer(500, "nothing"), answer(200, "x")]).await;
    let key = ApiKey::parse(KEY).unwrap();
    let config = Config::new(Mode::Test, key.clone()).with_base_url(&stub.address);
    let client = Client::new(&config).unwrap();
    let unreadable = client.get_customer(&customer()).await.unwrap_err();
    let unreachable = Client::new(&config.clone().with_base_url("http://127.0.0.1:1"))
        .unwrap()
        .charge_checkout(&customer(), &"pm_1".parse().unwrap(), &Checkout::default())
        .await;
    let printed =
        format!("{key:?} {config:?} {client:?} {client:#?} {unreadable} {unreadable:?} {unreachable:?}");
    assert!(printed.contains("redacted"));
    assert!(!printed.contains("c4n4ry"), "{printed}");
}

#[test]
fn a_key_of_the_other_mode_is_refused() {
    for (key, mode) in [("dodo_live_x", Mode::Test), ("dodo_test_x", Mode::Live)] {
        let error = Client::new(&Config::new(mode, ApiKey::parse(key).unwrap())).unwrap_err();
        assert!(matches!(error, ConfigError::KeyOfOtherMode { configured, .. } if configured == mode));
    }
    for (key, mode) in [("dodo_live_x", Mode::Live), ("dodo_test_x", Mode::Test), ("older_key", Mode::Live)] {
        assert_eq!(Client::new(&Config::new(mode, ApiKey::parse(key).unwrap())).unwrap().mode(), mode);
    }
}

#[test]
fn keys_that_cannot_stand_in_a_header_are_refused() {
    assert_eq!(ApiKey::parse(" \n").unwrap_err(), ConfigError::EmptyKey);
    for text in ["a b", "a\r\nx: y", "ключ", "a\0"] {
        assert_eq!(ApiKey::parse(text).unwrap_err(), ConfigError::UnprintableKey, "{text:?}");
    }
    assert!(ApiKey::parse(" dodo_test_x\n").is_ok());
}

#[test]
fn addresses_that_would_leak_the_key_are_refused() {
    let build = |address: &str| {
        Client::new(&Config::new(Mode::Test, ApiKey::parse(KEY).unwrap()).with_base_url(address)).map(|_| ())
    };
    for address in ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1/base/", "https://example.com"]
    {
        assert_eq!(build(address), Ok(()), "{address}");
    }
    for address in [
        "http://example.com",
        "http://localhost.example.com",
        "http://10.0.0.1",
        "ftp://localhost",
        "https://user:word@example.com",
        "https://example.com/?a=b",
        "https://example.com/#a",
        "nowhere",
        "",
    ] {
        assert!(matches!(build(address), Err(ConfigError::BaseUrl(_))), "{address}");
    }
}
