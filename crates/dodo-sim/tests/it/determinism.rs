//! A seed and a clock that stands still repeat a run to the byte; a reset goes back to its start.

use crate::harness::{GOOD, World, config, one_click};
use dodo_sim::SimConfig;
use serde_json::json;

async fn play(world: &World) -> String {
    let (customer, method) = world.buyer(GOOD).await;
    world.post("/checkouts", one_click(&customer, &method, "prod_toolkit")).await.ok();
    let id = world.subscribe(&customer, json!({"product_id": "prod_basic_plan"})).await;
    world.advance_days(15).await;
    let up = json!({"product_id": "prod_pro_plan", "quantity": 1, "proration_billing_mode": "prorated_immediately"});
    world.post(&format!("/subscriptions/{id}/change-plan"), up).await.ok();
    world.advance_days(20).await;
    let state = world.get("/_sim/state").await.text;
    let ledger = world.get("/_sim/ledger").await.text;
    // The port differs from run to run and is in every link.
    format!("{state}{ledger}").replace(&world.sim.base_url(), "BASE")
}

#[tokio::test]
async fn the_same_seed_is_the_same_run() {
    let first = play(&World::start().await).await;
    let second = World::start().await;
    assert!(first == play(&second).await, "two runs with one seed differ");
    second.post("/_sim/reset", json!({})).await.ok();
    assert!(first == play(&second).await, "a run after a reset differs");
    let other = World::with(SimConfig { seed: 2, ..config() }).await;
    assert!(first != play(&other).await);
}

#[tokio::test]
async fn stopping_frees_the_port() {
    let world = World::start().await;
    let port = world.sim.base_url().rsplit(':').next().unwrap().parse().unwrap();
    world.get("/products").await.ok();
    world.sim.shutdown().await;
    let again = World::with(SimConfig { port, ..config() }).await;
    again.get("/products").await.ok();
    let taken = dodo_sim::Sim::start(SimConfig { port, ..config() }).await;
    assert!(taken.unwrap_err().to_string().contains(&port.to_string()));
}
