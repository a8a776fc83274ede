//! Products, add-ons, discounts, and how lists are cut into pages.

use crate::harness::{GOOD, World, one_click};
use serde_json::{Value, json};

fn ids(page: &Value, field: &str) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_catalogue_is_as_the_fixtures_say() {
    let world = World::start().await;
    let pro = world.get("/products/prod_pro_plan").await.ok();
    assert_eq!(pro["price"]["type"], "recurring_price");
    assert_eq!((&pro["price"]["price"], &pro["addons"]), (&json!(8000), &json!(["adn_seats"])));
    assert!(pro.get("currency").is_none(), "the currency is inside the price");
    let all = world.get("/products?page_size=100").await.ok();
    assert_eq!(all["items"].as_array().unwrap().len(), 11);
    let plans = world.get("/products?recurring=true").await.ok();
    assert_eq!(plans["items"].as_array().unwrap().len(), 4);
    assert_eq!(world.get("/addons/adn_seats").await.ok()["price"], 1000);
    assert_eq!(world.get("/discounts/code/tenoff").await.ok()["amount"], 1000);
    assert_eq!(world.get("/discounts/code/NOPE").await.refusal().0, 404);
}

#[tokio::test]
async fn a_patched_product_shows_and_sells_at_its_new_price() {
    let world = World::start().await;
    let (customer, method) = world.buyer(GOOD).await;
    let patch = json!({"price": 2500, "name": "Tools", "tax_inclusive": true});
    world.patch("/_sim/products/prod_toolkit", patch).await.ok();
    assert_eq!(world.get("/products/prod_toolkit").await.ok()["name"], "Tools");
    world.post("/checkouts", one_click(&customer, &method, "prod_toolkit")).await.ok();
    assert_eq!(world.collected(), [(2500, "one_click".to_owned())]);
    world.patch("/_sim/products/prod_toolkit", json!({"archived": true})).await.ok();
    let refused = world.post("/checkouts", one_click(&customer, &method, "prod_toolkit")).await;
    assert_eq!(refused.refusal().1, "PRODUCT_IS_DELETED");
    assert_eq!(world.patch("/_sim/products/prod_toolkit", json!({"colour": 1})).await.refusal().0, 422);
}

#[tokio::test]
async fn pages_start_at_zero_and_hold_nothing_but_items() {
    let world = World::start().await;
    let (customer, method) = world.buyer(GOOD).await;
    let mut bought = Vec::new();
    for _ in 0..12 {
        let created = world.post("/checkouts", one_click(&customer, &method, "prod_toolkit")).await.ok();
        bought.push(created["payment_id"].as_str().unwrap().to_owned());
    }
    bought.reverse();
    let first = world.get("/payments").await.ok();
    assert_eq!(first.as_object().unwrap().keys().collect::<Vec<_>>(), ["items"]);
    assert_eq!(ids(&first, "payment_id"), bought[..10]);
    assert_eq!(ids(&world.get("/payments?page_number=1").await.ok(), "payment_id"), bought[10..]);
    assert_eq!(ids(&world.get("/payments?page_number=2").await.ok(), "payment_id"), [""; 0]);
    assert_eq!(ids(&world.get("/payments?page_size=100").await.ok(), "payment_id"), bought);
    assert_eq!(
        world.get("/payments?page_size=101").await.refusal(),
        (422, "INVALID_QUERY_PARAMS".to_owned())
    );
    assert_eq!(world.get("/payments?page_number=-1").await.refusal().0, 422);
}

#[tokio::test]
async fn payments_are_found_by_every_filter() {
    let world = World::start().await;
    let (customer, subscription) = world.subscriber("prod_basic_plan", GOOD).await;
    world.advance_days(1).await;
    let other = world.buyer(crate::harness::DECLINED).await;
    world.post("/checkouts", one_click(&other.0, &other.1, "prod_course_jp")).await.ok();
    let count = |query: String| {
        let world = &world;
        async move { world.get(&format!("/payments?{query}")).await.ok()["items"].as_array().unwrap().len() }
    };
    for (query, expected) in [
        (format!("customer_id={customer}"), 1),
        (format!("subscription_id={subscription}"), 1),
        ("subscription_id=sub_0".to_owned(), 0),
        ("status=failed".to_owned(), 1),
        ("status=processing".to_owned(), 0),
        ("currency=JPY".to_owned(), 1),
        ("product_id=prod_basic_plan".to_owned(), 1),
        ("created_at_gte=2026-04-02T00:00:00Z".to_owned(), 1),
        ("created_at_lte=2026-04-01T00:00:00Z".to_owned(), 1),
        ("created_at_gte=2026-04-01T00:00:00Z&created_at_lte=2026-04-02T00:00:00Z".to_owned(), 2),
    ] {
        assert_eq!(count(query.clone()).await, expected, "{query}");
    }
    let item = &world.get("/payments?status=failed").await.ok()["items"][0];
    assert_eq!(item["metadata"], json!({"attempt": "at_1"}));
    for absent in ["billing", "product_cart", "error_code", "payment_link", "payment_method_id"] {
        assert!(item.get(absent).is_none(), "{absent} is only on the payment itself");
    }
}

#[tokio::test]
async fn a_new_payment_may_show_in_lists_late() {
    let world = World::start().await;
    world.switch(json!({"payments_list_lag_seconds": 10})).await;
    let (customer, method) = world.buyer(GOOD).await;
    let created = world.post("/checkouts", one_click(&customer, &method, "prod_toolkit")).await.ok();
    assert_eq!(world.get("/payments").await.ok()["items"], json!([]));
    world.get(&format!("/payments/{}", created["payment_id"].as_str().unwrap())).await.ok();
    world.post("/_sim/clock", json!({"advance_seconds": 10})).await.ok();
    assert_eq!(ids(&world.get("/payments").await.ok(), "payment_id").len(), 1);
}

#[tokio::test]
async fn subscriptions_are_listed_with_their_product_names() {
    let world = World::start().await;
    let (customer, id) = world.subscriber("prod_pro_plan", GOOD).await;
    world.subscriber("prod_basic_plan", GOOD).await;
    let listed = world.get(&format!("/subscriptions?customer_id={customer}&status=active")).await.ok();
    assert_eq!(ids(&listed, "subscription_id"), [id]);
    assert_eq!(
        (&listed["items"][0]["product_name"], listed["items"][0].get("addons")),
        (&json!("Pro"), None)
    );
    assert_eq!(world.get("/subscriptions?status=paused").await.ok()["items"], json!([]));
}
