//! Faults as a client meets them, and whether the request had its effect.

use crate::harness::{GOOD, World, one_click};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

struct Struck {
    world: World,
    body: Value,
}

impl Struck {
    async fn by(fault: Value) -> Self {
        let world = World::start().await;
        let (customer, method) = world.buyer(GOOD).await;
        let mut fault = fault;
        fault["path"] = json!("/checkouts");
        fault["method"] = json!("POST");
        fault["times"] = json!(1);
        world.post("/_sim/faults", fault).await.ok();
        Self { body: one_click(&customer, &method, "prod_toolkit"), world }
    }

    async fn charge(&self) -> Result<reqwest::Response, reqwest::Error> {
        self.world.request(reqwest::Method::POST, "/checkouts").json(&self.body).send().await
    }

    /// Charges made, and what the ledger says of the request.
    fn effect(&self) -> (usize, Option<u16>, String) {
        let ledger = self.world.sim.control().ledger();
        let post = ledger.posts.iter().find(|post| post.path == "/checkouts").unwrap();
        assert_eq!(post.body["metadata"]["attempt"], "at_1");
        (ledger.succeeded().count(), post.status_sent, post.fault.clone().unwrap())
    }
}

#[tokio::test]
async fn resets_before_and_after() {
    for (kind, charges) in [("reset_before", 0), ("reset_after", 1)] {
        let struck = Struck::by(json!({"kind": kind})).await;
        let error = struck.charge().await.unwrap_err();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let kind_of = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        assert_eq!(kind_of, Some(std::io::ErrorKind::ConnectionReset), "{error:?}");
        assert_eq!(struck.effect(), (charges, None, kind.to_owned()));
        assert!(struck.charge().await.unwrap().status().is_success(), "once");
    }
}

#[tokio::test]
async fn no_answer_before_and_after() {
    for (kind, charges) in [("hang", 0), ("timeout_after", 1)] {
        let struck = Struck::by(json!({"kind": kind})).await;
        let request = struck.world.request(reqwest::Method::POST, "/checkouts").json(&struck.body);
        let error = request.timeout(Duration::from_millis(300)).send().await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        assert_eq!(struck.effect(), (charges, None, kind.to_owned()));
    }
}

#[tokio::test]
async fn every_status_before_and_after() {
    for status in [400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504] {
        for before in [true, false] {
            let struck =
                Struck::by(json!({"kind": {"status": status, "before": before}, "retry_after": 7})).await;
            let answer = struck.charge().await.unwrap();
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()["retry-after"]),
                (status, &"7".parse().unwrap())
            );
            let body: Value = answer.json().await.unwrap();
            assert!(body["code"].is_string() && body["message"].is_string());
            let (charges, sent, _) = struck.effect();
            assert_eq!((charges, sent), (usize::from(!before), Some(status)));
        }
    }
}

#[tokio::test]
async fn bodies_that_are_cut_foreign_empty_or_the_tests_own() {
    let struck = Struck::by(json!({"kind": "truncated_body"})).await;
    let answer = struck.charge().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.is_err(), "the length was promised and not kept");
    assert_eq!(struck.effect().0, 1);

    let struck = Struck::by(json!({"kind": "non_json_body"})).await;
    let answer = struck.charge().await.unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()["content-type"]),
        (reqwest::StatusCode::OK, &"text/html".parse().unwrap())
    );
    assert!(answer.json::<Value>().await.is_err());
    assert_eq!(struck.effect().0, 1);

    let struck = Struck::by(json!({"kind": "empty_200"})).await;
    let answer = struck.charge().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.bytes().await.unwrap().len()), (200, 0));
    assert_eq!(struck.effect().0, 1);

    let struck = Struck::by(json!({"kind": "status_500", "body": {"error": {"code": "X"}}})).await;
    let body: Value = struck.charge().await.unwrap().json().await.unwrap();
    assert_eq!((body, struck.effect().0), (json!({"error": {"code": "X"}}), 0));
}

#[tokio::test]
async fn late_and_slow_answers_are_whole() {
    for (fault, at_least) in
        [(json!({"kind": "delay", "delay_ms": 200}), 200), (json!({"kind": "slow_drip", "delay_ms": 1}), 100)]
    {
        let struck = Struck::by(fault).await;
        let begun = Instant::now();
        let body: Value = struck.charge().await.unwrap().json().await.unwrap();
        assert!(body["payment_id"].is_string());
        assert!(begun.elapsed() >= Duration::from_millis(at_least), "{:?}", begun.elapsed());
        assert_eq!(struck.effect().0, 1);
    }
}

#[tokio::test]
async fn nothing_listens_while_connections_are_refused() {
    let world = World::start().await;
    world.get("/products").await.ok();
    world.post("/_sim/faults", json!({"kind": "connect_refused", "delay_ms": 600_000})).await.ok();
    let deadline = Instant::now() + Duration::from_secs(10);
    let refused = loop {
        match world.request(reqwest::Method::GET, "/products").send().await {
            Err(error) if error.is_connect() => break true,
            _ if Instant::now() > deadline => break false,
            _ => tokio::task::yield_now().await,
        }
    };
    assert!(refused);
    // The control plane is down as well; in-process it is not.
    world.sim.control().clear_faults();
    let back = loop {
        match world.request(reqwest::Method::GET, "/products").send().await {
            Ok(answer) => break answer.status().is_success(),
            Err(_) if Instant::now() > deadline => break false,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert!(back);

    world.post("/_sim/faults", json!({"kind": "connect_refused", "delay_ms": 100})).await.ok();
    let back = loop {
        match world.request(reqwest::Method::GET, "/_sim/faults").send().await {
            Ok(answer) => break answer.status().is_success(),
            Err(_) if Instant::now() > deadline => break false,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert!(back, "it comes back by itself");
}

#[tokio::test]
async fn faults_hit_what_they_name_and_are_taken_back() {
    let world = World::start().await;
    let unknown = world.post("/_sim/faults", json!({"kind": "gremlins"})).await;
    assert!(unknown.text.contains("gremlins") && !unknown.status.is_success());
    world.post("/_sim/faults", json!({"path": "/products/*", "kind": "status_503"})).await.ok();
    assert_eq!(world.get("/products/prod_toolkit").await.status, 503);
    assert_eq!(world.get("/products/prod_toolkit").await.status, 503, "until it is deleted");
    assert_eq!(world.get("/products").await.status, 200);
    assert_eq!(world.delete("/_sim/faults").await.ok()["faults"], json!([]));
    assert_eq!(world.get("/products/prod_toolkit").await.status, 200);
}
