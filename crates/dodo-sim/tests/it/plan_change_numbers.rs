//! The worked numbers of Dodo's documentation, over HTTP: charge, credit, and what the renewals after it cost.

use crate::harness::{GOOD, World};
use serde_json::{Value, json};

pub(crate) fn to(product: &str, mode: &str) -> Value {
    json!({"product_id": product, "quantity": 1, "proration_billing_mode": mode})
}

/// Previews, changes, and checks that the two agree; gives back the preview.
pub(crate) async fn change(world: &World, id: &str, body: &Value) -> Value {
    let before = world.collected().len();
    let preview = world.post(&format!("/subscriptions/{id}/change-plan/preview"), body.clone()).await.ok();
    assert_eq!(world.collected().len(), before, "a preview charges nothing");
    let changed = world.post(&format!("/subscriptions/{id}/change-plan"), body.clone()).await.ok();
    let nothing =
        json!({"payment_id": null, "payment_link": null, "client_secret": null, "expires_on": null});
    assert_eq!(changed, nothing);
    let due = preview["immediate_charge"]["summary"]["settlement_amount"].as_i64().unwrap();
    let charged: Vec<i64> = world.collected()[before..].iter().map(|(amount, _)| *amount).collect();
    assert_eq!(charged, if due > 0 { vec![due] } else { vec![] });
    let mut after = world.subscription(id).await;
    let mut promised = preview["new_plan"].clone();
    // The card was used meanwhile; nothing else differs.
    for subscription in [&mut after, &mut promised] {
        subscription.as_object_mut().unwrap().remove("payment_method_id");
    }
    assert_eq!(after, promised);
    preview
}

pub(crate) async fn wallet(world: &World, customer: &str) -> i64 {
    let wallets = world.get(&format!("/customers/{customer}/wallets")).await.ok();
    wallets["items"][0]["balance"].as_i64().unwrap_or(0)
}

/// Charges after the first payment of the subscription.
pub(crate) fn later(world: &World) -> Vec<i64> {
    world.collected().into_iter().skip(1).map(|(amount, _)| amount).collect()
}

#[tokio::test]
async fn vectors_1_and_2_prorated_up_and_down_in_mid_month() {
    let world = World::start().await;
    let (_, up) = world.subscriber("prod_basic_plan", GOOD).await;
    world.advance_days(15).await;
    let preview = change(&world, &up, &to("prod_pro_plan", "prorated_immediately")).await;
    let lines = preview["immediate_charge"]["line_items"].as_array().unwrap();
    let factors: Vec<&Value> = lines.iter().map(|line| &line["proration_factor"]).collect();
    assert_eq!(factors, [&json!(0.5), &json!(-0.5)]);
    assert_eq!(preview["new_plan"]["next_billing_date"], "2026-05-01T00:00:00Z");
    world.advance_days(15).await;
    assert_eq!(later(&world), [2500, 8000]);

    let world = World::start().await;
    world.patch("/_sim/products/prod_basic_plan", json!({"price": 2000})).await.ok();
    let (customer, down) = world.subscriber("prod_pro_plan", GOOD).await;
    world.advance_days(15).await;
    let preview = change(&world, &down, &to("prod_basic_plan", "prorated_immediately")).await;
    assert_eq!(preview["immediate_charge"]["summary"]["customer_credits"], 3000);
    assert_eq!(wallet(&world, &customer).await, 3000);
    world.advance_days(15).await;
    assert_eq!((later(&world), wallet(&world, &customer).await), (vec![], 1000));
    world.advance_days(31).await;
    assert_eq!((later(&world), wallet(&world, &customer).await), (vec![1000], 0));
}

#[tokio::test]
async fn vector_1b_the_same_charge_from_a_new_billing_date() {
    let world = World::start().await;
    world.switch(json!({"classic_resets_cycle": true, "month_step": "thirty_days"})).await;
    let (_, id) = world.subscriber("prod_basic_plan", GOOD).await;
    world.advance_days(15).await;
    let preview = change(&world, &id, &to("prod_pro_plan", "prorated_immediately")).await;
    assert_eq!(preview["immediate_charge"]["summary"]["settlement_amount"], 2500);
    assert_eq!(preview["new_plan"]["next_billing_date"], "2026-05-16T00:00:00Z");
    world.advance_days(30).await;
    assert_eq!(later(&world), [2500, 8000]);
}

#[tokio::test]
async fn vectors_3_to_6_by_difference() {
    for (from, target, charge, credit) in
        [(3000, 8000, 5000, 0), (8000, 2000, 0, 6000), (8000, 3000, 0, 5000), (5000, 2000, 0, 3000)]
    {
        let world = World::start().await;
        world.patch("/_sim/products/prod_basic_plan", json!({"price": from})).await.ok();
        world.patch("/_sim/products/prod_pro_plan", json!({"price": target})).await.ok();
        let (customer, id) = world.subscriber("prod_basic_plan", GOOD).await;
        world.advance_days(7).await;
        change(&world, &id, &to("prod_pro_plan", "difference_immediately")).await;
        let charged: Vec<i64> = if charge > 0 { vec![charge] } else { vec![] };
        assert_eq!((later(&world), wallet(&world, &customer).await), (charged, credit), "{from} to {target}");
        if target == 8000 {
            world.advance_days(23).await;
            assert_eq!(later(&world), [5000, 8000]);
        }
        if target == 2000 && from == 8000 {
            // Three renewals are paid by the credit, the fourth by the card.
            world.advance_days(23 + 31 + 30).await;
            assert_eq!((later(&world), wallet(&world, &customer).await), (vec![], 0));
            world.advance_days(31).await;
            assert_eq!(later(&world), [2000]);
        }
    }
}

#[tokio::test]
async fn vector_7_full_starts_a_period_today() {
    let world = World::start().await;
    let (_, id) = world.subscriber("prod_basic_plan", GOOD).await;
    world.advance_days(15).await;
    let preview = change(&world, &id, &to("prod_pro_plan", "full_immediately")).await;
    assert_eq!(preview["new_plan"]["previous_billing_date"], "2026-04-16T00:00:00Z");
    assert_eq!(preview["new_plan"]["next_billing_date"], "2026-05-16T00:00:00Z");
    world.advance_days(29).await;
    assert_eq!(later(&world), [8000]);
    world.advance_days(1).await;
    assert_eq!(later(&world), [8000, 8000]);
}

#[tokio::test]
async fn vectors_8_to_12_seats() {
    let seats = |quantity: i64| json!([{"addon_id": "adn_seats", "quantity": quantity}]);
    let world = World::start().await;
    let (_, id) = world.subscriber("prod_basic_plan", GOOD).await;
    world.advance_days(15).await;
    let mut body = to("prod_pro_plan", "prorated_immediately");
    body["addons"] = seats(3);
    change(&world, &id, &body).await;
    world.advance_days(15).await;
    assert_eq!(later(&world), [4000, 11000]);

    for (mode, days, target, charge, credit, renewal) in [
        ("prorated_immediately", 15, 15, Some(2500), 0, 24900),
        ("difference_immediately", 15, 15, Some(5000), 0, 24900),
        ("do_not_bill", 15, 15, None, 0, 24900),
        ("prorated_immediately", 20, 7, None, 1000, 15900),
    ] {
        let world = World::start().await;
        world.patch("/_sim/products/prod_pro_plan", json!({"price": 9900})).await.ok();
        let (customer, _) = world.buyer(GOOD).await;
        let id =
            world.subscribe(&customer, json!({"product_id": "prod_pro_plan", "addons": seats(10)})).await;
        world.advance_days(days).await;
        let mut body = to("prod_pro_plan", mode);
        body["addons"] = seats(target);
        let preview = change(&world, &id, &body).await;
        assert_eq!(preview["new_plan"]["next_billing_date"], "2026-05-01T00:00:00Z");
        assert_eq!(wallet(&world, &customer).await, credit);
        world.advance_days(30 - days).await;
        let expected: Vec<i64> = charge.into_iter().chain([renewal]).collect();
        assert_eq!(later(&world), expected, "{mode} to {target} seats");
    }
}

/// Derived from the newer formula, not published: a full new period less what is left of the old one.
#[tokio::test]
async fn vectors_13_to_17_of_the_current_engine() {
    for (number, from, target, mode, days, charge, credit, keeps_date) in [
        (13, 3000, 8000, "prorated_immediately", 15, 6500, 0, false),
        (14, 8000, 2000, "prorated_immediately", 15, 0, 2000, false),
        (15, 8000, 2000, "prorated_immediately", 29, 1733, 0, false),
        (16, 3000, 8000, "prorated_immediately_keep_cycle", 20, 1667, 0, true),
        (17, 3000, 8000, "do_not_bill", 20, 0, 0, true),
    ] {
        let world = World::start().await;
        world.switch(json!({"proration_engine": "current"})).await;
        world.patch("/_sim/products/prod_basic_plan", json!({"price": from})).await.ok();
        world.patch("/_sim/products/prod_pro_plan", json!({"price": target})).await.ok();
        let (customer, id) = world.subscriber("prod_basic_plan", GOOD).await;
        world.advance_days(days).await;
        let preview = change(&world, &id, &to("prod_pro_plan", mode)).await;
        let charged: Vec<i64> = if charge > 0 { vec![charge] } else { vec![] };
        assert_eq!((later(&world), wallet(&world, &customer).await), (charged, credit), "vector {number}");
        let kept = preview["new_plan"]["next_billing_date"] == "2026-05-01T00:00:00Z";
        assert_eq!(kept, keeps_date, "vector {number}");
    }
}
