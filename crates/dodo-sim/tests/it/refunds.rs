//! Refunds: whole, in part, pending.

use crate::harness::{DECLINED, GOOD, World, one_click};
use serde_json::json;

async fn paid(world: &World) -> String {
    let (customer, method) = world.buyer(GOOD).await;
    let mut body = one_click(&customer, &method, "prod_toolkit");
    body["product_cart"] = json!([{"product_id": "prod_toolkit", "quantity": 1}, {"product_id": "prod_mini_bundle", "quantity": 1}]);
    let created = world.post("/checkouts", body).await.ok();
    created["payment_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn in_part_then_the_rest_then_no_more() {
    let world = World::start().await;
    let id = paid(&world).await;
    let lines = world.get(&format!("/payments/{id}/line-items")).await.ok();
    assert_eq!((&lines["items"][0]["amount"], &lines["items"][1]["amount"]), (&json!(1900), &json!(6900)));
    let item = lines["items"][1]["items_id"].as_str().unwrap();
    let part = json!({"payment_id": id, "items": [{"item_id": item, "amount": 900}], "reason": "late"});
    let refund = world.post("/refunds", part).await.ok();
    assert_eq!(
        (&refund["amount"], &refund["is_partial"], &refund["status"]),
        (&json!(900), &json!(true), &json!("succeeded"))
    );
    let payment = world.get(&format!("/payments/{id}")).await.ok();
    assert_eq!(
        (&payment["refund_status"], &payment["refunds"][0]["amount"]),
        (&json!("partial"), &json!(900))
    );
    let too_much = json!({"payment_id": id, "items": [{"item_id": item, "amount": 6001}]});
    assert_eq!(world.post("/refunds", too_much).await.refusal().0, 422);

    let rest = world.post("/refunds", json!({"payment_id": id})).await.ok();
    assert_eq!(rest["amount"], 7900);
    assert_eq!(world.get(&format!("/payments/{id}")).await.ok()["refund_status"], "full");
    assert_eq!(world.post("/refunds", json!({"payment_id": id})).await.refusal().0, 422);
    assert_eq!(world.sim.control().ledger().charges[0].refunded, 8800);
    assert_eq!(world.told(), ["payment.succeeded", "refund.succeeded", "refund.succeeded"]);
    assert_eq!(world.get("/refunds?status=succeeded").await.ok()["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn pending_ones_end_either_way() {
    let world = World::start().await;
    world.switch(json!({"refunds_pending": true})).await;
    let id = paid(&world).await;
    for (status, told) in [("failed", "refund.failed"), ("succeeded", "refund.succeeded")] {
        let refund = world.post("/refunds", json!({"payment_id": id})).await.ok();
        assert_eq!(refund["status"], "pending");
        let refund_id = refund["refund_id"].as_str().unwrap();
        let path = format!("/_sim/refunds/{refund_id}/resolve");
        world.post(&path, json!({"status": status})).await.ok();
        assert!(!world.post(&path, json!({"status": status})).await.status.is_success(), "only once");
        assert_eq!(world.get(&format!("/refunds/{refund_id}")).await.ok()["status"], status);
        assert_eq!(world.told().last().unwrap(), told);
    }
    assert_eq!(world.sim.control().ledger().charges[0].refunded, 8800);
}

#[tokio::test]
async fn only_collected_money_goes_back() {
    let world = World::start().await;
    let (customer, method) = world.buyer(DECLINED).await;
    let created = world.post("/checkouts", one_click(&customer, &method, "prod_toolkit")).await.ok();
    let refused = world.post("/refunds", json!({"payment_id": created["payment_id"]})).await;
    assert_eq!(refused.refusal(), (422, "UNSUPPORTED_ACTION".to_owned()));
    assert_eq!(world.post("/refunds", json!({"payment_id": "pay_0"})).await.refusal().0, 404);
}
