//! Who may call, how often, and how refusals look.

use crate::harness::{GOOD, World, config, one_click};
use dodo_sim::{DEFAULT_READ_ONLY_KEY, Policy, SimConfig};
use serde_json::json;

#[tokio::test]
async fn keys_are_checked_and_read_only_ones_only_look() {
    let world = World::start().await;
    let (customer, method) = world.buyer(GOOD).await;
    let keyless = world.send(world.http.get(world.url("/products"))).await;
    assert_eq!(keyless.refusal(), (401, "UNAUTHORIZED".to_owned()));
    let world = world.keyed("dodo_test_unknown");
    assert_eq!(world.get("/products").await.refusal().0, 401);
    let world = world.keyed(DEFAULT_READ_ONLY_KEY);
    world.get("/products").await.ok();
    let body = one_click(&customer, &method, "prod_toolkit");
    assert_eq!(world.post("/checkouts", body.clone()).await.refusal().0, 403);
    assert_eq!(world.post("/checkouts/preview", body.clone()).await.refusal().0, 403);
    world.switch(json!({"read_only_may_preview": true})).await;
    world.post("/checkouts/preview", body).await.ok();
    assert!(world.collected().is_empty());
}

#[tokio::test]
async fn both_windows_limit_and_say_so() {
    let world = World::with(SimConfig { policy: Policy::default(), ..config() }).await;
    let first = world.get("/products").await;
    assert_eq!(first.headers["x-ratelimit-limit"], "40");
    assert_eq!(first.headers["x-ratelimit-remaining"], "39");
    assert!(first.headers.contains_key("x-ratelimit-reset"));
    let burst = futures_util::future::join_all((0..120).map(|_| world.get("/addons"))).await;
    let refused: Vec<_> = burst.iter().filter(|answer| answer.status == 429).collect();
    assert!(!refused.is_empty());
    assert_eq!(refused[0].refusal().1, "TOO_MANY_REQUESTS");
    assert_eq!(refused[0].headers["x-ratelimit-remaining"], "0");
    assert!(world.get("/_sim/clock").await.status.is_success(), "the control plane has no limit");
}

#[tokio::test]
async fn refusals_have_dodos_shape_and_its_variants() {
    let world = World::start().await;
    let flat = world.get("/payments/pay_0").await;
    assert_eq!(flat.json(), json!({"code": "NOT_FOUND", "message": "payment pay_0 does not exist"}));
    world.switch(json!({"error_shape": "nested", "error_status": {"NOT_FOUND": 410}})).await;
    let nested = world.get("/payments/pay_0").await;
    assert_eq!((nested.status.as_u16(), &nested.json()["error"]["code"]), (410, &json!("NOT_FOUND")));
    world.switch(json!({"error_shape": "empty"})).await;
    assert_eq!(world.get("/payments/pay_0").await.text, "");
}

#[tokio::test]
async fn routes_methods_and_bodies_that_do_not_exist() {
    let world = World::start().await;
    assert_eq!(world.get("/nowhere").await.refusal(), (404, "NOT_FOUND".to_owned()));
    assert_eq!(world.delete("/checkouts").await.refusal(), (405, "METHOD_NOT_ALLOWED".to_owned()));
    let post =
        |body: &str| world.send(world.request(reqwest::Method::POST, "/checkouts").body(body.to_owned()));
    assert_eq!(post("{").await.refusal(), (400, "INVALID_REQUEST_BODY".to_owned()));
    assert_eq!(post("[]").await.refusal(), (422, "INVALID_REQUEST_BODY".to_owned()));
    assert_eq!(post(&"[".repeat(100_000)).await.refusal().0, 400);
    assert_eq!(post(&" ".repeat(2 * 1024 * 1024)).await.status, 413);
    world.get("/products").await.ok();
}
