//! Clients that take their time, over sockets: HTTP libraries are too quick for that.

use dodo_sim::Source;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{assert_says_when, limited};
use crate::harness::{GOOD_CARD, TestApp};

/// A connection on which this was said.
async fn say(app: &TestApp, words: &str) -> TcpStream {
    let mut stream = TcpStream::connect(app.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(words.as_bytes()).await.unwrap();
    stream
}

/// Everything that comes until the connection is closed, which must happen.
async fn hear_out(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut heard = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut heard)).await;
    // Closed or torn down, both are an end.
    let _ = ended.expect("the connection is still open");
    String::from_utf8(heard).unwrap()
}

const HEAD: &str =
    "POST /v1/checkouts HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 60\r\n";

#[tokio::test]
async fn half_a_head_is_cut_off() {
    let app = limited(|limits| limits.server.head_time = Duration::from_millis(200)).await;
    for words in
        ["", "G", "GET /v1/upsell HTTP/1.1\r\n", "GET /v1/upsell HTTP/1.1\r\nhost: x\r\nauthorization: Bea"]
    {
        let heard = hear_out(&mut say(&app, words).await).await;
        assert!(!heard.contains("application/json") && !heard.contains("200"), "{words:?} {heard}");
    }
}

#[tokio::test]
async fn a_head_that_drips_is_cut_off_all_the_same() {
    let app = limited(|limits| limits.server.head_time = Duration::from_millis(200)).await;
    let (mut reader, mut writer) = say(&app, "GET / HTTP/1.1\r\n").await.into_split();
    let drip = tokio::spawn(async move {
        while writer.write_all(b"x: y\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(!hear_out(&mut reader).await.contains("404"));
    tokio::time::timeout(Duration::from_secs(20), drip).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_body_that_drips_is_answered_with_408() {
    let app = limited(|limits| limits.gate.body_time = Duration::from_millis(200)).await;
    for path in ["/v1/checkouts", "/v1/sessions", "/webhooks/dodo"] {
        let head = format!("{}\r\n", HEAD.replace("/v1/checkouts", path).replace("60", "6000"));
        let (mut reader, mut writer) = say(&app, &head).await.into_split();
        let drip = tokio::spawn(async move {
            while writer.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let heard = hear_out(&mut reader).await;
        let (head, body) = heard.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 408"), "{head}");
        let problem: Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["code"], "request_timeout", "{path}");
        tokio::time::timeout(Duration::from_secs(20), drip).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn hundreds_of_half_open_connections_end_while_others_are_served() {
    let app = limited(|limits| {
        limits.server.head_time = Duration::from_millis(500);
        limits.gate.body_time = Duration::from_millis(500);
        // Were they to hold slots, there would be none left.
        limits.gate.in_flight = 16;
    })
    .await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    let mut half_open = Vec::new();
    for _ in 0..120 {
        for words in ["", "GET /v1/upsell HTTP/1.1\r\nhost: x\r\n", &format!("{HEAD}\r\n{{")] {
            let mut stream = say(&app, words).await;
            half_open.push(tokio::spawn(async move { hear_out(&mut stream).await }));
        }
    }
    assert_eq!(half_open.len(), 360);
    let mut served = 0;
    let all_closed = async {
        for connection in half_open {
            connection.await.unwrap();
        }
    };
    let all_closed = std::pin::pin!(all_closed);
    let honest = async {
        loop {
            assert_eq!(app.look(&token).await["eligible"], true);
            served += 1;
        }
    };
    tokio::select! {
        () = all_closed => {}
        () = honest => {}
    }
    assert!(served > 0);
    assert_eq!(app.look(&token).await["eligible"], true);
}

/// Waits until a request has reached Dodo, where it hangs.
async fn arrived(app: &TestApp, path: &str, times: usize) {
    let mut waited = 0;
    while app.sim.requests_to("POST", path) < times {
        waited += 1;
        assert!(waited < 1000, "{path} does not arrive");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn work_that_takes_too_long_is_given_up() {
    let app = limited(|limits| limits.gate.request_time = Duration::from_millis(300)).await;
    app.sim
        .post("/_sim/faults", json!({"kind": "hang", "method": "POST", "path": "/checkouts"}))
        .await
        .unwrap();
    let body = json!({"product_id": "prod_starter_course"});
    let answer = app.send(app.request(reqwest::Method::POST, "/v1/checkouts").json(&body)).await;
    assert_eq!(answer.code(), "unavailable");
    assert_says_when(&answer);
}

/// I12: that nothing was charged is not said of a charge that goes on.
#[tokio::test]
async fn a_charge_that_takes_too_long_is_not_called_off() {
    let app = limited(|limits| limits.gate.request_time = Duration::from_secs(2)).await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    let charged_and_silent = json!({"kind": "hang_after", "method": "POST", "path": "/checkouts"});
    app.sim.post("/_sim/faults", charged_and_silent).await.unwrap();
    assert_eq!(app.accept(&token, &shown, "key-1").await.code(), "key_in_progress");
    arrived(&app, "/checkouts", 1).await;
    app.quiet().await;
    // The same key gives the answer that the first request did not wait for.
    assert_eq!(app.accept(&token, &shown, "key-1").await.ok()["status"], "succeeded");
    assert_eq!(app.sim.collected_by(&buyer.customer, Source::OneClick).len(), 1);
}

#[tokio::test]
async fn a_full_proxy_says_so_and_lets_those_in_who_are_known() {
    let app = limited(|limits| limits.gate.in_flight = 2).await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    app.look(&token).await;
    let newcomer = app.offer_token(&app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap()).await;
    app.sim
        .post("/_sim/faults", json!({"kind": "hang", "method": "POST", "path": "/checkouts"}))
        .await
        .unwrap();
    let body = json!({"product_id": "prod_starter_course"});
    let checkout = || app.request(reqwest::Method::POST, "/v1/checkouts").json(&body);
    // Previews have arrived there before.
    let before = app.sim.requests_to("POST", "/checkouts");
    let hanging = tokio::spawn(checkout().send());
    arrived(&app, "/checkouts", before + 1).await;
    for refused in [app.send(checkout()).await, app.get(&newcomer, "/v1/upsell").await] {
        assert_eq!(refused.code(), "unavailable");
        assert_says_when(&refused);
    }
    assert_eq!(app.look(&token).await["eligible"], true);
    app.offer_token(&buyer).await;
    app.quiet().await;
    // A place is free again as soon as the one who had it has gone.
    hanging.abort();
    app.sim.control().clear_faults();
    let mut waited = 0;
    while app.get(&newcomer, "/v1/upsell").await.status == 503 {
        waited += 1;
        assert!(waited < 1000, "the place is not given back");
    }
    app.send(checkout()).await.ok();
}
