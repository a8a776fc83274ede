//! What Dodo delivers, and what others pretend that it does.

use dodo_sim::Source;
use proxy::clock::Clock;
use serde_json::{Value, json};
use testkit::{Database, Dodo, InProcessServices, key_bytes, sign, standing_clock};
use upsell_core::policy::inbox_schedule::{ROUND, WebhookState};

use crate::{
    canaries,
    harness::{Answer, GOOD_CARD, TestApp, WEBHOOK_SECRET},
};

pub(crate) fn now() -> i64 {
    time::OffsetDateTime::now_utc().unix_timestamp()
}

/// Signed as Dodo signs.
pub(crate) fn signature(secret: &str, id: &str, at: i64, body: &[u8]) -> String {
    let at = at.to_string();
    format!("v1,{}", sign(&key_bytes(secret), &[id.as_bytes(), at.as_bytes(), body]))
}

pub(crate) async fn deliver(app: &TestApp, id: &str, at: i64, signature: &str, body: Vec<u8>) -> Answer {
    let request = app
        .request(reqwest::Method::POST, "/webhooks/dodo")
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", at.to_string())
        .header("webhook-signature", signature);
    app.send(request.body(body)).await
}

/// A purchase that never was.
fn forged_purchase(customer: &str) -> Value {
    json!({"business_id": "bus_sim", "type": "payment.succeeded", "timestamp": "2026-01-01T00:00:05Z", "data": {
        "payload_type": "Payment", "payment_id": "pay_forged", "status": "succeeded", "currency": "USD",
        "total_amount": 4900, "customer": {"customer_id": customer, "email": "a@example.com", "name": "A"},
        "product_cart": [{"product_id": "prod_starter_course", "quantity": 1}],
        "created_at": "2026-01-01T00:00:00Z",
    }})
}

#[tokio::test]
async fn only_what_dodo_signed_now_is_believed() {
    let app = TestApp::spawn().await;
    let customer = app.sim.customer(Some(GOOD_CARD)).unwrap();
    let body = forged_purchase(customer.as_str()).to_string().into_bytes();
    let at = now();
    let good = signature(WEBHOOK_SECRET, "msg_1", at, &body);
    let other_key = signature("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "msg_1", at, &body);
    let old = signature(WEBHOOK_SECRET, "msg_1", at - 301, &body);
    let mut changed = body.clone();
    changed.push(b' ');
    for (name, id, at, signature, body) in [
        ("no signature", "msg_1", at, "", &body),
        ("another key", "msg_1", at, other_key.as_str(), &body),
        ("another id", "msg_2", at, good.as_str(), &body),
        ("another time", "msg_1", at - 1, good.as_str(), &body),
        ("too old", "msg_1", at - 301, old.as_str(), &body),
        ("another body", "msg_1", at, good.as_str(), &changed),
    ] {
        assert_eq!(deliver(&app, id, at, signature, body.clone()).await.code(), "unauthorized", "{name}");
    }
    let token = app.mint(json!({"customer_id": customer, "purpose": "offer"})).await;
    assert_eq!(app.look(&token).await["reason"], "no_purchase");
    // The very same, signed: this is what tells the cases above apart.
    assert_eq!(deliver(&app, "msg_1", at, &good, body).await.status, 204);
    let token = app.mint(json!({"customer_id": customer, "purpose": "offer"})).await;
    assert_eq!(app.look(&token).await["eligible"], true);
}

#[tokio::test]
async fn signed_nonsense_is_kept_and_changes_nothing() {
    let app = TestApp::spawn().await;
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let overflow = r#"{"type":"payment.succeeded","data":{"payload_type":"Payment","payment_id":"p","total_amount":99999999999999999999}}"#;
    let nul = r#"{"type":"a\u0000b","data":{}}"#;
    for (n, body) in
        ["{", "null", "[]", "", "{}", r#"{"type":"payment.succeeded"}"#, &deep, overflow, "\u{feff}{}", nul]
            .into_iter()
            .enumerate()
    {
        let (id, at) = (format!("msg_{n}"), now());
        let signed = signature(WEBHOOK_SECRET, &id, at, body.as_bytes());
        let answer = deliver(&app, &id, at, &signed, body.into()).await;
        assert_eq!(answer.status, 204, "{body:.40}");
    }
    let large = vec![b' '; 256 * 1024 + 1];
    let (at, id) = (now(), "msg_large");
    let signed = signature(WEBHOOK_SECRET, id, at, &large);
    assert_eq!(deliver(&app, id, at, &signed, large).await.code(), "payload_too_large");
}

#[tokio::test]
async fn unknown_kinds_are_taken_and_passed_over() {
    let app = TestApp::spawn().await;
    for (n, kind) in
        ["license_key.created", "entitlement_grant.created", "something.new", "subscription_like"]
            .into_iter()
            .enumerate()
    {
        let body = json!({"business_id": "b", "type": kind, "timestamp": "2026-01-01T00:00:00Z",
                          "data": {"payload_type": "Else"}});
        let body = body.to_string().into_bytes();
        let (id, at) = (format!("msg_{n}"), now());
        let signed = signature(WEBHOOK_SECRET, &id, at, &body);
        assert_eq!(deliver(&app, &id, at, &signed, body).await.status, 204, "{kind}");
    }
}

#[tokio::test]
async fn a_webhook_counts_once_however_often_it_comes() {
    let app = TestApp::spawn().await;
    app.sim.post("/_sim/webhooks/policy", json!({"duplicate": 3})).await.unwrap();
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    let attempt = app.accept(&token, &shown, "key-1").await.ok();
    let settled = app.settled(&token, "/v1/upsell", attempt).await;
    app.quiet().await;
    assert_eq!(settled["status"], "succeeded");
    assert_eq!(app.look(&token).await["attempt"], settled);
    assert_eq!(app.sim.collected_by(&buyer.customer, Source::OneClick).len(), 1);
}

#[tokio::test]
async fn a_webhook_that_could_not_be_applied_is_kept_and_applied_when_it_comes_again() {
    let app = TestApp::spawn().await;
    let customer = app.sim.customer(Some(GOOD_CARD)).unwrap();
    // The plan bought is asked of Dodo, which does not answer at first.
    app.sim.post("/_sim/webhooks/policy", json!({"paused": true})).await.unwrap();
    let subscription = app
        .sim
        .post("/_sim/subscriptions", json!({"customer_id": customer, "product_id": "prod_basic_plan"}))
        .await
        .unwrap();
    let mut purchase = forged_purchase(customer.as_str());
    purchase["data"]["subscription_id"] = subscription["subscription_id"].clone();
    purchase["data"]["product_cart"] = Value::Null;
    let body = purchase.to_string().into_bytes();
    app.sim
        .post("/_sim/faults", json!({"path": "/subscriptions/*", "kind": {"status": 500, "before": true}}))
        .await
        .unwrap();
    let at = now();
    let signed = signature(WEBHOOK_SECRET, "msg_1", at, &body);
    assert_eq!(deliver(&app, "msg_1", at, &signed, body.clone()).await.status, 204);
    let token = app.mint(json!({"customer_id": customer, "purpose": "offer", "signed_in": true})).await;
    assert_eq!(app.look(&token).await["eligible"], false, "not applied yet");
    app.sim.control().clear_faults();
    assert_eq!(deliver(&app, "msg_1", at, &signed, body.clone()).await.status, 204);
    assert_eq!(deliver(&app, "msg_1", at, &signed, body).await.status, 204);
    let token = app.mint(json!({"customer_id": customer, "purpose": "offer", "signed_in": true})).await;
    assert_eq!(app.look(&token).await["offer"]["kind"], "upgrade");
}

/// What this version cannot read the next one may: it is kept, and Dodo is told that it has arrived.
#[tokio::test]
async fn a_signed_webhook_that_cannot_be_read_is_kept_for_a_version_that_can() {
    let app = TestApp::spawn().await;
    let customer = app.sim.customer(Some(GOOD_CARD)).unwrap();
    let readable = forged_purchase(customer.as_str());
    let mut newer = readable.clone();
    newer["data"]["customer"] = json!([{"customer_id": customer}]);
    let (body, at) = (newer.to_string().into_bytes(), now());
    let signed = signature(WEBHOOK_SECRET, "msg_newer", at, &body);
    assert_eq!(deliver(&app, "msg_newer", at, &signed, body).await.status, 204);
    // A version that can read it starts on the same database, long after Dodo has given up.
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", app.database().display())).await.unwrap();
    let changed = sqlx::query(
        "UPDATE inbox SET raw = $1, failed_by = '0.0.0' WHERE webhook_id = $2 AND state = 'unreadable'",
    )
    .bind(readable.to_string().into_bytes())
    .bind("msg_newer")
    .execute(&pool)
    .await
    .unwrap();
    assert_eq!(changed.rows_affected(), 1, "it was not kept");
    pool.close().await;
    let app = app.restart().await;
    let token = app.mint(json!({"customer_id": customer, "purpose": "offer"})).await;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    while app.look(&token).await["eligible"] == false {
        assert!(tokio::time::Instant::now() < deadline, "it was not applied");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// I20: webhooks that can never be applied cost a few requests each, and the one behind them is applied in its minute.
#[tokio::test]
async fn a_queue_of_poison_keeps_nobody_waiting() {
    const POISON: usize = 150;
    canaries::watch();
    let (dodo, clock) = (Dodo::start(1).await.unwrap(), standing_clock());
    let database = Database::sqlite().unwrap();
    let services = InProcessServices::start(&dodo, &database, &clock).await.unwrap();
    let buyer = dodo.customer(Some(GOOD_CARD)).unwrap();
    let mut poison = forged_purchase("cus_nobody");
    poison["data"]["subscription_id"] = json!("sub_nobody");
    poison["data"]["product_cart"] = Value::Null;
    let store = &services.webhooks.store;
    let keep = async |id: &str, body: &Value| {
        let now = clock.now();
        let body = body.to_string();
        store.inbox_insert(id, "payment.succeeded", body.as_bytes(), now, now).await.unwrap();
    };
    for n in 0..POISON {
        keep(&format!("msg_{n:03}"), &poison).await;
    }
    clock.advance(1);
    keep("msg_last", &forged_purchase(buyer.as_str())).await;
    let minutes = async |minutes: u64| {
        for _round in 0..minutes * 60 / ROUND {
            services.webhooks.apply_leftovers().await.unwrap();
            clock.advance(i64::try_from(ROUND).unwrap());
        }
    };
    minutes(2).await;
    assert!(store.latest_purchase(&buyer).await.unwrap().is_some(), "the last of them is not applied");
    minutes(180).await;
    let asked = dodo.requests_to("GET", "/subscriptions/sub_nobody");
    assert!((POISON..=5 * POISON).contains(&asked), "{asked} requests in three hours");
    for _day in 0..7 {
        minutes(15).await;
        clock.advance(86_400);
    }
    let backlog = store.inbox_backlog().await.unwrap();
    let count = |state| backlog.iter().find(|backlog| backlog.state == state).unwrap().webhooks;
    assert_eq!((count(WebhookState::Waiting), count(WebhookState::GivenUp)), (0, 150));
}
