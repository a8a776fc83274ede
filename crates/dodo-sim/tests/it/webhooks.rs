//! Webhooks over the wire: signed, retried, bent as a test asks.

use crate::harness::{GOOD, World, config, one_click};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dodo_sim::{DEFAULT_WEBHOOK_SECRET, SimConfig, WebhookTarget};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// What a receiver got.
#[derive(Clone)]
struct Received {
    id: String,
    timestamp: i64,
    signature: String,
    body: String,
}

impl Received {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// An endpoint that answers as told, 204 when nothing is left to say.
struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
    arrived: Arc<Notify>,
}

impl Receiver {
    async fn start() -> Self {
        let got: Arc<Mutex<Vec<Received>>> = Arc::default();
        let answers: Arc<Mutex<VecDeque<u16>>> = Arc::default();
        let arrived = Arc::new(Notify::new());
        let (all, say, ring) = (Arc::clone(&got), Arc::clone(&answers), Arc::clone(&arrived));
        let route = axum::routing::post(move |headers: axum::http::HeaderMap, body: String| {
            let text = |name: &str| headers[name].to_str().unwrap().to_owned();
            all.lock().unwrap().push(Received {
                id: text("webhook-id"),
                timestamp: text("webhook-timestamp").parse().unwrap(),
                signature: text("webhook-signature"),
                body,
            });
            ring.notify_one();
            let status = say.lock().unwrap().pop_front().unwrap_or(204);
            async move { axum::http::StatusCode::from_u16(status).unwrap() }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let app = axum::Router::new().route("/hook", route);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = hyper_util::service::TowerToHyperService::new(app.clone());
                let io = hyper_util::rt::TokioIo::new(stream);
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
            }
        });
        Self { url, got, answers, arrived }
    }

    fn got(&self) -> Vec<Received> {
        self.got.lock().unwrap().clone()
    }

    fn types(&self) -> Vec<String> {
        self.got().iter().map(|one| one.json()["type"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until so many have arrived.
    async fn have(&self, count: usize) -> Vec<Received> {
        let all = async {
            while self.got().len() < count {
                self.arrived.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), all)
            .await
            .unwrap_or_else(|_| panic!("{:?}", self.types()));
        self.got()
    }
}

async fn start() -> (World, Receiver) {
    let receiver = Receiver::start().await;
    let target = WebhookTarget { url: receiver.url.clone(), secret: DEFAULT_WEBHOOK_SECRET.to_owned() };
    let world = World::with(SimConfig { webhook: Some(target), ..config() }).await;
    (world, receiver)
}

async fn buy(world: &World) -> String {
    let (customer, method) = world.buyer(GOOD).await;
    let created = world.post("/checkouts", one_click(&customer, &method, "prod_toolkit")).await.ok();
    created["payment_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn arrive_by_themselves_signed_over_the_raw_bytes() {
    let (world, receiver) = start().await;
    let payment_id = buy(&world).await;
    let got = receiver.have(1).await.remove(0);
    let secret = STANDARD.decode(DEFAULT_WEBHOOK_SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    mac.update(format!("{}.{}.{}", got.id, got.timestamp, got.body).as_bytes());
    assert_eq!(got.signature, format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
    let real_now = time::OffsetDateTime::now_utc().unix_timestamp();
    assert!((real_now - got.timestamp).abs() < 300, "the stamp is real time, or receivers refuse it");

    let event = got.json();
    assert_eq!((&event["type"], &event["business_id"]), (&json!("payment.succeeded"), &json!("bus_sim")));
    assert_eq!(event["data"]["payload_type"], "Payment");
    let mut payment = world.get(&format!("/payments/{payment_id}")).await.ok();
    payment["payload_type"] = json!("Payment");
    assert_eq!(event["data"], payment);
}

#[tokio::test]
async fn are_tried_again_with_the_same_id_and_the_latest_state() {
    let (world, receiver) = start().await;
    receiver.answers.lock().unwrap().push_back(500);
    let payment_id = buy(&world).await;
    receiver.have(1).await;
    world.post("/refunds", json!({"payment_id": payment_id})).await.ok();
    receiver.have(2).await;
    world.post("/_sim/clock", json!({"advance_seconds": 5})).await.ok();
    let got = receiver.have(3).await;
    assert_eq!(receiver.types(), ["payment.succeeded", "refund.succeeded", "payment.succeeded"]);
    assert_eq!(got[0].id, got[2].id);
    assert_ne!(got[0].id, got[1].id);
    assert_eq!(got[0].json()["data"]["refund_status"], json!(null));
    assert_eq!(got[2].json()["data"]["refund_status"], "full");
    let ledger = world.get("/_sim/ledger").await.ok();
    let attempts = ledger["webhooks"][0]["attempts"].as_array().unwrap();
    assert_eq!((&attempts[0]["status"], &attempts[1]["status"]), (&json!(500), &json!(204)));
    assert_eq!(ledger["webhooks"][0]["delivered_at"], "2026-04-01T00:00:05Z");
}

#[tokio::test]
async fn can_show_the_state_of_their_event_instead() {
    let (world, receiver) = start().await;
    world.switch(json!({"webhook_payload": "at_event", "webhook_clock": "virtual"})).await;
    world.post("/_sim/webhooks/policy", json!({"paused": true})).await.ok();
    let payment_id = buy(&world).await;
    world.post("/refunds", json!({"payment_id": payment_id})).await.ok();
    world.post("/_sim/webhooks/flush", json!({})).await.ok();
    let got = receiver.have(2).await;
    assert_eq!(got[0].json()["data"]["refund_status"], json!(null));
    assert_eq!(got[0].timestamp, crate::harness::APRIL.unix_timestamp());
}

#[tokio::test]
async fn can_be_held_reordered_duplicated_and_dropped() {
    let (world, receiver) = start().await;
    world
        .post(
            "/_sim/webhooks/policy",
            json!({"paused": true, "reorder": true, "duplicate": 1, "drop_types": ["subscription.updated"]}),
        )
        .await
        .ok();
    world.subscriber("prod_basic_plan", GOOD).await;
    assert!(receiver.got().is_empty());
    let flushed = world.post("/_sim/webhooks/flush", json!({})).await.ok();
    assert_eq!(flushed["attempts"], 6);
    let types = receiver.types();
    assert_eq!(types[..3], ["subscription.renewed", "subscription.active", "payment.succeeded"]);
    let mut ids: Vec<String> = receiver.got().into_iter().map(|one| one.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "each came twice");
    let dropped: Vec<_> =
        world.sim.control().ledger().webhooks.into_iter().filter(|webhook| webhook.dropped).collect();
    assert_eq!((dropped.len(), dropped[0].kind.as_str()), (1, "subscription.updated"));
}

#[tokio::test]
async fn can_be_delayed_and_sent_at_once() {
    let (world, receiver) = start().await;
    world.post("/_sim/webhooks/policy", json!({"delay_ms": 3000})).await.ok();
    buy(&world).await;
    world.post("/_sim/webhooks/flush", json!({})).await.ok();
    assert!(receiver.got().is_empty(), "not due yet");
    world.post("/_sim/clock", json!({"advance_seconds": 3})).await.ok();
    receiver.have(1).await;

    world.switch(json!({"webhook_order": "concurrent"})).await;
    world.post("/_sim/webhooks/policy", json!({"paused": true})).await.ok();
    world.subscriber("prod_basic_plan", GOOD).await;
    world.post("/_sim/webhooks/flush", json!({"all": true})).await.ok();
    assert_eq!(receiver.got().len(), 5);
}

#[tokio::test]
async fn a_new_endpoint_gets_what_waited() {
    let world = World::start().await;
    buy(&world).await;
    let bad = world
        .post("/_sim/webhooks/endpoint", json!({"url": "https://x.example", "secret": "whsec_YQ=="}))
        .await;
    assert!(!bad.status.is_success());
    let receiver = Receiver::start().await;
    let endpoint = json!({"url": receiver.url, "secret": DEFAULT_WEBHOOK_SECRET});
    world.post("/_sim/webhooks/endpoint", endpoint).await.ok();
    receiver.have(1).await;
}

#[tokio::test]
async fn time_that_runs_fires_by_itself() {
    let receiver = Receiver::start().await;
    let target = WebhookTarget { url: receiver.url.clone(), secret: DEFAULT_WEBHOOK_SECRET.to_owned() };
    // A month passes in less than a second.
    let world = World::with(SimConfig { webhook: Some(target), clock_speed: 10_000_000, ..config() }).await;
    world.subscriber("prod_basic_plan", GOOD).await;
    let all = receiver.have(6).await;
    assert_eq!(all[4].json()["data"]["charge_type"], "renewal");
}
