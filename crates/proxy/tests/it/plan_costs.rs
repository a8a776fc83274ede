//! What plans cost a subscriber: what is paid today, not what the list says, is what differences and billing start from.

use std::collections::BTreeMap;

use dodo_client::ids::{CustomerId, PaymentId, SubscriptionId};
use dodo_sim::{ProductPatch, SimConfig, Source};
use serde_json::{Value, json};
use testkit::Dodo;

use crate::{
    harness::{Buyer, GOOD_CARD, Options, TestApp},
    plans::plan,
};

/// The card that is not the subscription's.
const OTHER_CARD: &str = "5555555555554444";

async fn simulator() -> Dodo {
    let sim = Dodo::start_with(SimConfig::default()).await.unwrap();
    sim.switch(json!({"rate_limit": "off"})).unwrap();
    sim
}

/// Runs with the example rules in which these lines stand otherwise.
async fn over(sim: Dodo, changes: &[(&str, &str)]) -> TestApp {
    let mut rules = include_str!("../../upsell.toml").to_owned();
    for (from, to) in changes {
        assert!(rules.contains(from), "{from}");
        rules = rules.replacen(from, to, 1);
    }
    TestApp::spawn_over(sim, Options { rules: Some(rules), ..Options::default() }).await
}

fn subscriber(sim: &Dodo, product: &str, seats: u32, addons: u32) -> Buyer {
    let customer = sim.customer(Some(GOOD_CARD)).unwrap();
    let addons: BTreeMap<_, _> = (addons > 0).then(|| ("adn_seats".to_owned(), addons)).into_iter().collect();
    let subscriber = sim.subscribe(&customer, product, seats, &addons, 0).unwrap();
    Buyer { customer, payment: None, subscription: Some(subscriber.subscription) }
}

/// A subscriber who pays $30 for Basic, whose list price is $90 by now.
async fn grandfathered() -> (Dodo, Buyer) {
    let sim = simulator().await;
    let buyer = sim.subscriber_of("prod_basic_plan").unwrap();
    sim.reprice("prod_basic_plan", 9000).unwrap();
    (sim, buyer)
}

fn figures(plan: &Value) -> (&str, i64, Option<i64>) {
    let difference = plan["difference"]["amount"].as_i64();
    (plan["kind"].as_str().unwrap(), plan["price"].as_i64().unwrap(), difference)
}

#[tokio::test]
async fn a_plan_whose_list_price_has_risen_is_compared_by_what_is_paid() {
    let (sim, buyer) = grandfathered().await;
    let app = over(sim, &[]).await;
    let page = app.get(&app.plans_token(&buyer).await, "/v1/plans").await.ok();
    assert_eq!(page["current"]["recurring_amount"], 3000);
    assert_eq!(figures(plan(&page, "prod_basic_plan")), ("current", 3000, None));
    assert_eq!(figures(plan(&page, "prod_pro_plan")), ("upgrade", 8000, Some(5000)));
    assert_eq!(plan(&page, "prod_pro_yearly")["over_span"]["current"], 36_000);
}

#[tokio::test]
async fn a_dearer_plan_is_billed_as_an_upgrade_whatever_the_list_says() {
    let (sim, buyer) = grandfathered().await;
    let downgrade = "downgrade = \"difference_immediately\"";
    let app = over(sim, &[(downgrade, "downgrade = \"do_not_bill\"")]).await;
    let token = app.plans_token(&buyer).await;
    let preview = app.post(&token, "/v1/plans/preview", json!({"product_id": "prod_pro_plan"})).await.ok();
    assert_eq!(preview["quote"]["total"], 5000, "{preview}");
    let body = json!({"quote_id": preview["quote"]["id"]});
    let attempt = app.post_once(&token, "/v1/plans/change", "key-1", body).await.ok();
    assert_eq!(app.settled(&token, "/v1/plans", attempt).await["status"], "succeeded");
    assert_eq!(app.sim.collected_by(&buyer.customer, Source::PlanChange)[0].amount, 5000);
}

#[tokio::test]
async fn add_ons_count_before_and_after() {
    let sim = simulator().await;
    sim.control()
        .product(
            "prod_basic_plan",
            ProductPatch { addons: Some(vec!["adn_seats".to_owned()]), ..ProductPatch::default() },
        )
        .unwrap();
    // Two seats of Basic at $30, with six add-ons at $10.
    let buyer = subscriber(&sim, "prod_basic_plan", 2, 6);
    let app = over(sim, &[]).await;
    let page = app.get(&app.plans_token(&buyer).await, "/v1/plans").await.ok();
    assert_eq!(figures(plan(&page, "prod_basic_plan")), ("current", 12_000, None));
    // Pro carries them, Max does not.
    assert_eq!(figures(plan(&page, "prod_pro_plan")), ("upgrade", 22_000, Some(10_000)));
    assert_eq!(figures(plan(&page, "prod_max_plan")), ("upgrade", 40_000, Some(28_000)));
}

/// Half the price by a code, which stays or goes when the plan changes.
async fn discounted(stays: bool) -> (Dodo, Buyer) {
    let sim = simulator().await;
    let buyer = sim.subscriber_of("prod_pro_plan").unwrap();
    let code = if stays { "HALFKEPT" } else { "HALF" };
    let change = json!({
        "product_id": "prod_pro_plan", "quantity": 1, "proration_billing_mode": "do_not_bill",
        "discount_codes": [code],
    });
    sim.control().change_plan(buyer.subscription.as_ref().unwrap().as_str(), change).unwrap();
    (sim, buyer)
}

#[tokio::test]
async fn discounts_count_before_and_those_that_stay_after() {
    for (stays, basic, max) in
        [(true, (1500, -2500), (10_000, 6000)), (false, (3000, -1000), (20_000, 16_000))]
    {
        let (sim, buyer) = discounted(stays).await;
        let app = over(sim, &[]).await;
        let token = app.plans_token(&buyer).await;
        let page = app.get(&token, "/v1/plans").await.ok();
        assert_eq!(figures(plan(&page, "prod_pro_plan")), ("current", 4000, None), "{stays}");
        let kinds = [("prod_basic_plan", "downgrade", basic), ("prod_max_plan", "upgrade", max)];
        for (id, kind, (price, difference)) in kinds {
            assert_eq!(figures(plan(&page, id)), (kind, price, Some(difference)), "{stays}");
            let preview = app.post(&token, "/v1/plans/preview", json!({"product_id": id})).await.ok();
            assert_eq!(preview["quote"]["renewal"]["amount"], price, "{stays}");
        }
    }
}

#[tokio::test]
async fn a_discounted_plan_is_billed_by_what_is_paid() {
    // Pro at half the price is $40; Basic has become $50.
    let (sim, buyer) = discounted(false).await;
    sim.reprice("prod_basic_plan", 5000).unwrap();
    let downgrade = "downgrade = \"difference_immediately\"";
    let app = over(sim, &[(downgrade, "downgrade = \"do_not_bill\"")]).await;
    let token = app.plans_token(&buyer).await;
    let page = app.get(&token, "/v1/plans").await.ok();
    assert_eq!(figures(plan(&page, "prod_basic_plan")), ("upgrade", 5000, Some(1000)));
    let preview = app.post(&token, "/v1/plans/preview", json!({"product_id": "prod_basic_plan"})).await.ok();
    assert_eq!(preview["quote"]["total"], 1000, "{preview}");
}

#[tokio::test]
async fn an_offer_of_another_plan_compares_with_what_is_paid() {
    let (sim, buyer) = grandfathered().await;
    let app = over(sim, &[]).await;
    let payment = app.sim.charges_of(buyer.customer.as_str())[0].payment_id.clone();
    let token =
        app.mint(json!({"customer_id": buyer.customer, "purpose": "offer", "payment_id": payment})).await;
    let shown = app.look(&token).await;
    assert_eq!(shown["offer"]["kind"], "upgrade", "{shown}");
    assert_eq!(shown["compare_to"]["price"], 3000);
    assert_eq!(shown["compare_to"]["difference"]["amount"], 5000);
    assert_eq!(shown["product"]["price"], 8000);
}

#[tokio::test]
async fn an_offer_that_would_go_the_other_way_is_none() {
    let (sim, buyer) = grandfathered().await;
    // An "upgrade" that costs less than what is paid, and a "downgrade" that costs more and is not billed.
    sim.reprice("prod_pro_plan", 2000).unwrap();
    let app = over(sim, &[]).await;
    let payment = app.sim.charges_of(buyer.customer.as_str())[0].payment_id.clone();
    let session = json!({"customer_id": buyer.customer, "purpose": "offer", "payment_id": payment});
    let token = app.mint(session.clone()).await;
    assert_eq!(app.look(&token).await["eligible"], false);
    app.sim.reprice("prod_pro_plan", 8000).unwrap();
    let sim = app.sim;
    let upgrade =
        "kind = \"upgrade\"\nproduct_id = \"prod_pro_plan\"\nproration = \"difference_immediately\"";
    let downgrade = "kind = \"downgrade\"\nproduct_id = \"prod_pro_plan\"\nproration = \"do_not_bill\"";
    let app = over(sim, &[(upgrade, downgrade)]).await;
    let token = app.mint(session).await;
    let shown = app.look(&token).await;
    assert_eq!(shown["eligible"], false, "{shown}");
}

#[tokio::test]
async fn a_step_before_is_judged_by_what_each_would_cost() {
    let sim = simulator().await;
    let buyer = sim.subscriber_of("prod_max_plan").unwrap();
    // By the list Pro is cheaper than Max, and yet dearer than the $200 that are paid for it.
    sim.reprice("prod_pro_plan", 21_000).unwrap();
    sim.reprice("prod_max_plan", 30_000).unwrap();
    let app = over(sim, &[]).await;
    let token = app.plans_token(&buyer).await;
    let asked = json!({"intent": "downgrade_intent", "product_id": "prod_basic_plan"});
    // The campaign is a "downgrade" to Pro, which costs this buyer more.
    assert_eq!(app.post(&token, "/v1/plans/stay-offer", asked).await.ok(), json!({}));
}

/// A subscriber with two cards, whose subscription does not name the one that it is charged to.
async fn unnamed_method() -> (TestApp, Buyer) {
    let sim = simulator().await;
    let customer = json!({
        "email": "buyer@example.com", "name": "B. Uyer", "billing": {"country": "US", "zipcode": "94105"},
        "payment_methods": [
            {"payment_method_id": "pm_subscribed", "number": GOOD_CARD},
            {"payment_method_id": "pm_other", "number": OTHER_CARD},
        ],
    });
    let customer = sim.post("/_sim/customers", customer).await.unwrap()["customer_id"].clone();
    let subscription = json!({
        "customer_id": customer, "product_id": "prod_basic_plan", "payment_method_id": "pm_subscribed",
    });
    let subscription =
        sim.post("/_sim/subscriptions", subscription).await.unwrap()["subscription_id"].clone();
    let customer = CustomerId::parse(customer.as_str().unwrap()).unwrap();
    let payment = PaymentId::parse(sim.charges_of(customer.as_str())[0].payment_id.as_str()).unwrap();
    // The other card is the one used last.
    let other =
        json!({"customer_id": customer, "product_id": "prod_toolkit", "payment_method_id": "pm_other"});
    sim.post("/_sim/payments", other).await.unwrap();
    sim.switch(json!({"subscription_names_method": false})).unwrap();
    let subscription = SubscriptionId::parse(subscription.as_str().unwrap()).unwrap();
    let buyer = Buyer { customer, payment: Some(payment), subscription: Some(subscription) };
    let app = over(sim, &[]).await;
    (app, buyer)
}

#[tokio::test]
async fn where_a_subscription_names_no_card_none_is_named() {
    let (app, buyer) = unnamed_method().await;
    let token = app.plans_token(&buyer).await;
    assert_eq!(app.get(&token, "/v1/plans").await.ok().get("payment_method"), None);
    let preview = app.post(&token, "/v1/plans/preview", json!({"product_id": "prod_pro_plan"})).await.ok();
    assert_eq!(preview.get("payment_method"), None, "{preview}");
    let body = json!({"quote_id": preview["quote"]["id"]});
    let attempt = app.post_once(&token, "/v1/plans/change", "key-1", body).await.ok();
    let done = app.settled(&token, "/v1/plans", attempt).await;
    assert_eq!((&done["status"], &done["receipt"]["amount"]), (&json!("succeeded"), &json!(5000)));
}

#[tokio::test]
async fn an_offer_of_another_plan_names_no_card_either() {
    let (app, buyer) = unnamed_method().await;
    let session = json!({
        "customer_id": buyer.customer, "purpose": "offer", "payment_id": buyer.payment, "signed_in": true,
    });
    let token = app.mint(session).await;
    let shown = app.look(&token).await;
    assert_eq!(shown["offer"]["kind"], "upgrade", "{shown}");
    assert_eq!(shown.get("payment_method"), None, "{shown}");
    let done = app.settled(&token, "/v1/upsell", app.accept(&token, &shown, "key-1").await.ok()).await;
    assert_eq!((&done["status"], &done["receipt"]["amount"]), (&json!("succeeded"), &json!(5000)));
}

#[tokio::test]
async fn an_add_on_that_the_plan_no_longer_has_is_said_to_end() {
    let sim = simulator().await;
    let buyer = subscriber(&sim, "prod_pro_plan", 1, 3);
    sim.control()
        .product("prod_pro_plan", ProductPatch { addons: Some(Vec::new()), ..ProductPatch::default() })
        .unwrap();
    let app = over(sim, &[]).await;
    let token = app.plans_token(&buyer).await;
    let page = app.get(&token, "/v1/plans").await.ok();
    assert_eq!(plan(&page, "prod_pro_plan")["lost_addons"], json!(["Extra seat"]));
    for request in [
        json!({"product_id": "prod_pro_plan", "quantity": 2}),
        json!({"product_id": "prod_pro_plan", "quantity": 2, "addons": []}),
        json!({"product_id": "prod_max_plan"}),
    ] {
        let preview = app.post(&token, "/v1/plans/preview", request.clone()).await.ok();
        assert_eq!(preview["lost_addons"], json!(["Extra seat"]), "{request}");
    }
}

#[tokio::test]
async fn an_offer_says_which_add_ons_end_with_it() {
    let sim = simulator().await;
    sim.control()
        .product(
            "prod_basic_plan",
            ProductPatch { addons: Some(vec!["adn_seats".to_owned()]), ..ProductPatch::default() },
        )
        .unwrap();
    sim.control()
        .product("prod_pro_plan", ProductPatch { addons: Some(Vec::new()), ..ProductPatch::default() })
        .unwrap();
    let buyer = subscriber(&sim, "prod_basic_plan", 1, 2);
    let app = over(sim, &[]).await;
    let payment = app.sim.charges_of(buyer.customer.as_str())[0].payment_id.clone();
    let token =
        app.mint(json!({"customer_id": buyer.customer, "purpose": "offer", "payment_id": payment})).await;
    let shown = app.look(&token).await;
    assert_eq!(shown["offer"]["kind"], "upgrade", "{shown}");
    assert_eq!(shown["compare_to"]["price"], 5000);
    assert_eq!(shown["compare_to"]["lost_addons"], json!(["Extra seat"]));
}
