//! The upgrade page.

use dodo_sim::Source;
use serde_json::{Value, json};

use crate::harness::{FAILS_LATER, GOOD_CARD, MERCHANT_KEY, Options, TestApp};

pub(crate) fn plan<'a>(page: &'a Value, id: &str) -> &'a Value {
    page["plans"].as_array().unwrap().iter().find(|plan| plan["product_id"] == id).unwrap()
}

#[tokio::test]
async fn plans_stand_side_by_side() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.subscriber_of("prod_pro_plan").unwrap();
    let token = app.plans_token(&buyer).await;
    let page = app.get(&token, "/v1/plans").await.ok();
    assert_eq!(page["merchant"]["name"], "Maple Academy");
    assert_eq!(page["current"]["product_id"], "prod_pro_plan");
    assert_eq!(page["current"]["can_change"], true);
    assert_eq!(page["current"]["recurring_amount"], 8000);
    assert_eq!(page["payment_method"], json!({"brand": "visa", "last4": "4242"}));
    let ids: Vec<_> =
        page["plans"].as_array().unwrap().iter().map(|plan| plan["product_id"].clone()).collect();
    assert_eq!(ids, ["prod_basic_plan", "prod_pro_plan", "prod_max_plan", "prod_pro_yearly"]);
    let basic = plan(&page, "prod_basic_plan");
    assert_eq!((&basic["kind"], &basic["difference"]["amount"]), (&json!("downgrade"), &json!(-5000)));
    assert_eq!(basic["lost"], json!(["Every course", "Live questions, twice a week", "Certificates"]));
    let max = plan(&page, "prod_max_plan");
    assert_eq!((&max["kind"], &max["difference"]["amount"]), (&json!("upgrade"), &json!(12_000)));
    assert_eq!(max["gained"], json!(["A mentor of your own"]));
    let pro = plan(&page, "prod_pro_plan");
    assert_eq!(
        (&pro["kind"], &pro["recommended"], pro.get("difference")),
        (&json!("current"), &json!(true), None)
    );
    // A year and a month are not subtracted, but held against each other over a year.
    let yearly = plan(&page, "prod_pro_yearly");
    assert_eq!((&yearly["kind"], yearly.get("difference")), (&json!("switch"), None));
    let span = json!({"interval": "year", "count": 1});
    let over = json!({
        "span": span, "current": 96_000, "plan": 80_000, "currency": "USD", "break_even_months": 10,
    });
    assert_eq!(yearly["over_span"], over);
    assert_eq!(max.get("over_span"), None);
    let japanese = app.get(&token, "/v1/plans?locale=ja").await.ok();
    assert_eq!(plan(&japanese, "prod_max_plan")["gained"], json!(["専属メンター"]));
    assert_eq!((&page["language"], &japanese["language"]), (&json!("en"), &json!("ja")));
}

/// A page of a subscriber of Basic, of whom the merchant says what they have used.
async fn page_with_usage(app: &TestApp, usage: Value) -> Value {
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let subscription = buyer.subscription.clone().unwrap();
    let token = app
        .mint(json!({
            "customer_id": buyer.customer, "purpose": "plans", "signed_in": true, "subscription_id": subscription, "usage": usage,
        }))
        .await;
    app.get(&token, "/v1/plans").await.ok()
}

#[tokio::test]
async fn what_is_used_is_held_against_limits() {
    let app = TestApp::spawn().await;
    let page = page_with_usage(&app, json!([{"feature": "downloads", "used": 46}])).await;
    let used = json!([{"name": "Downloads a month", "used": 46, "limit": 50, "percent": 92}]);
    assert_eq!((&page["current"]["usage"], page["current"].get("fits")), (&used, None));
    let limits = |id: &str| plan(&page, id)["limits"][0].clone();
    let name = "Downloads a month";
    assert_eq!(
        limits("prod_pro_plan"),
        json!({"name": name, "limit": 500, "change": "more", "exceeded": false})
    );
    assert_eq!(limits("prod_max_plan"), json!({"name": name, "change": "more", "exceeded": false}));
    assert_eq!(plan(&page, "prod_pro_plan")["recommended"], true);
    assert!(!plan(&page, "prod_pro_plan")["features"].as_array().unwrap().contains(&json!(name)));
}

#[tokio::test]
async fn a_plan_that_is_enough_is_said_to_be_and_no_other_is_recommended() {
    let app = TestApp::spawn().await;
    let page = page_with_usage(&app, json!([{"feature": "downloads", "used": 12}])).await;
    assert_eq!(page["current"]["fits"], true);
    assert_eq!(plan(&page, "prod_pro_plan")["recommended"], false);
    // Nothing known: nothing said.
    let page = page_with_usage(&app, json!([])).await;
    assert_eq!((page["current"].get("usage"), page["current"].get("fits")), (None, None));
    assert_eq!(plan(&page, "prod_pro_plan")["recommended"], true);
}

#[tokio::test]
async fn usage_of_what_no_plan_has_is_refused() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    for usage in [
        json!([{"feature": "nothing", "used": 1}]),
        json!([{"feature": "downloads", "used": 1}, {"feature": "downloads", "used": 2}]),
        json!([{"feature": "downloads", "used": 9_007_199_254_740_992_u64}]),
    ] {
        let request = json!({
            "customer_id": buyer.customer, "purpose": "plans", "signed_in": true,
            "subscription_id": buyer.subscription.clone().unwrap(), "usage": usage,
        });
        let answer = app.post(MERCHANT_KEY, "/v1/sessions", request).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_request".to_owned()), "{usage}");
    }
}

#[tokio::test]
async fn a_plan_on_hold_says_what_is_owed() {
    let app = TestApp::spawn().await;
    let customer = app.sim.customer(Some(FAILS_LATER)).unwrap();
    let body = json!({"customer_id": customer, "product_id": "prod_basic_plan", "started_days_ago": 31});
    let subscription = app.sim.post("/_sim/subscriptions", body).await.unwrap()["subscription_id"].clone();
    let token =
        app.mint(json!({"customer_id": customer, "purpose": "plans", "signed_in": true, "subscription_id": subscription})).await;
    let current = app.get(&token, "/v1/plans").await.ok()["current"].clone();
    assert_eq!((&current["status"], &current["can_change"]), (&json!("on_hold"), &json!(false)));
    assert_eq!(current["due"], json!({"amount": 3000, "currency": "USD"}));
}

#[tokio::test]
async fn prices_are_for_all_seats() {
    let app = TestApp::spawn().await;
    let customer = app.sim.customer(Some(GOOD_CARD)).unwrap();
    let body = json!({"customer_id": customer, "product_id": "prod_basic_plan", "quantity": 5});
    let subscription = app.sim.post("/_sim/subscriptions", body).await.unwrap()["subscription_id"].clone();
    let token =
        app.mint(json!({"customer_id": customer, "purpose": "plans", "signed_in": true, "subscription_id": subscription})).await;
    let page = app.get(&token, "/v1/plans").await.ok();
    assert_eq!(page["current"]["quantity"], 5);
    assert_eq!(page["current"]["recurring_amount"], 15_000);
    let pro = plan(&page, "prod_pro_plan");
    assert_eq!((&pro["price"], &pro["difference"]["amount"]), (&json!(40_000), &json!(25_000)));
    assert_eq!(plan(&page, "prod_pro_yearly")["over_span"]["current"], 180_000);
}

#[tokio::test]
async fn an_upgrade_charges_what_the_preview_said_and_changes_the_plan() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let token = app.plans_token(&buyer).await;
    let preview = app.post(&token, "/v1/plans/preview", json!({"product_id": "prod_pro_plan"})).await.ok();
    assert_eq!(preview["quote"]["total"], 5000, "{preview}");
    assert_eq!(preview["quote"]["renewal"]["amount"], 8000);
    assert_eq!(preview["payment_method"]["last4"], "4242");
    let body = json!({"quote_id": preview["quote"]["id"]});
    let attempt = app.post_once(&token, "/v1/plans/change", "key-1", body.clone()).await.ok();
    let done = app.settled(&token, "/v1/plans", attempt).await;
    assert_eq!(done["status"], "succeeded", "{done}");
    assert_eq!(done["receipt"]["amount"], 5000);
    let charges = app.sim.collected_by(&buyer.customer, Source::PlanChange);
    assert_eq!(charges.len(), 1);
    assert_eq!(charges[0].amount, 5000);
    assert_eq!(app.get(&token, "/v1/plans").await.ok()["current"]["product_id"], "prod_pro_plan");
    // The same key again is the same change.
    assert_eq!(app.post_once(&token, "/v1/plans/change", "key-1", body).await.ok()["status"], "succeeded");
    assert_eq!(app.sim.collected_by(&buyer.customer, Source::PlanChange).len(), 1);
}

#[tokio::test]
async fn a_downgrade_shows_its_credit_before_and_after() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.subscriber_of("prod_pro_plan").unwrap();
    let token = app.plans_token(&buyer).await;
    let preview = app.post(&token, "/v1/plans/preview", json!({"product_id": "prod_basic_plan"})).await.ok();
    assert_eq!(preview["quote"]["total"], 0, "{preview}");
    assert_eq!(preview["quote"]["credit"], 5000);
    let body = json!({"quote_id": preview["quote"]["id"]});
    let attempt = app.post_once(&token, "/v1/plans/change", "key-1", body).await.ok();
    let done = app.settled(&token, "/v1/plans", attempt).await;
    assert_eq!((&done["status"], &done["receipt"]["credit"]), (&json!("succeeded"), &json!(5000)), "{done}");
    assert!(app.sim.collected_by(&buyer.customer, Source::PlanChange).is_empty());
    assert_eq!(app.get(&token, "/v1/plans").await.ok()["current"]["product_id"], "prod_basic_plan");
}

#[tokio::test]
async fn a_change_at_the_next_billing_date_is_booked_and_can_be_taken_back() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.subscriber_of("prod_pro_plan").unwrap();
    let token = app.plans_token(&buyer).await;
    let request = json!({"product_id": "prod_basic_plan", "effective_at": "next_billing_date"});
    let preview = app.post(&token, "/v1/plans/preview", request).await.ok();
    let body = json!({"quote_id": preview["quote"]["id"]});
    let attempt = app.post_once(&token, "/v1/plans/change", "key-1", body).await.ok();
    assert_eq!(app.settled(&token, "/v1/plans", attempt).await["status"], "scheduled");
    let page = app.get(&token, "/v1/plans").await.ok();
    assert_eq!(page["current"]["scheduled_change"]["product_id"], "prod_basic_plan", "{page}");
    // While one is booked there is no other.
    let another = app.post(&token, "/v1/plans/preview", json!({"product_id": "prod_max_plan"})).await;
    assert_eq!(another.code(), "change_not_possible");
    let delete = || app.send(app.request(reqwest::Method::DELETE, "/v1/plans/scheduled").bearer_auth(&token));
    assert_eq!(delete().await.status, 204);
    assert_eq!(app.get(&token, "/v1/plans").await.ok()["current"].get("scheduled_change"), None);
    assert_eq!(delete().await.code(), "not_found");
}

#[tokio::test]
async fn a_price_that_rose_between_preview_and_confirm_charges_nothing() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let token = app.plans_token(&buyer).await;
    let preview = app.post(&token, "/v1/plans/preview", json!({"product_id": "prod_pro_plan"})).await.ok();
    app.sim.reprice("prod_pro_plan", 9000).unwrap();
    let body = json!({"quote_id": preview["quote"]["id"]});
    let refused = app.post_once(&token, "/v1/plans/change", "key-1", body).await;
    assert_eq!(refused.code(), "quote_changed");
    assert_eq!(refused.body["quote"]["total"], 6000);
    assert!(app.sim.collected_by(&buyer.customer, Source::PlanChange).is_empty());
    let body = json!({"quote_id": refused.body["quote"]["id"]});
    let attempt = app.post_once(&token, "/v1/plans/change", "key-2", body).await.ok();
    assert_eq!(app.settled(&token, "/v1/plans", attempt).await["receipt"]["amount"], 6000);
}

#[tokio::test]
async fn previews_of_what_is_not_there_are_refused() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let token = app.plans_token(&buyer).await;
    for (request, code) in [
        (json!({"product_id": "prod_toolkit"}), "not_found"),
        (json!({"product_id": "prod_that_is_not"}), "not_found"),
        (json!({"product_id": "prod_basic_plan"}), "change_not_possible"),
        (json!({"product_id": "prod_pro_plan", "quantity": 0}), "invalid_request"),
        (json!({"product_id": "prod_pro_plan", "quantity": 100_000}), "invalid_request"),
        (json!({"product_id": "prod_pro_plan", "effective_at": "yesterday"}), "invalid_request"),
        (
            json!({"product_id": "prod_pro_plan", "addons": [{"addon_id": "adn_other", "quantity": 1}]}),
            "invalid_request",
        ),
        (
            json!({"product_id": "prod_pro_plan", "addons": [{"addon_id": "adn_seats", "quantity": 0}]}),
            "invalid_request",
        ),
    ] {
        assert_eq!(app.post(&token, "/v1/plans/preview", request.clone()).await.code(), code, "{request}");
    }
    let addons = json!([{"addon_id": "adn_seats", "quantity": 1}, {"addon_id": "adn_seats", "quantity": 2}]);
    let twice =
        app.post(&token, "/v1/plans/preview", json!({"product_id": "prod_pro_plan", "addons": addons})).await;
    assert_eq!((twice.code().as_str(), &twice.body["field"]), ("invalid_request", &json!("addons")));
}

#[tokio::test]
async fn add_ons_that_the_other_plan_lacks_are_named_and_those_it_has_are_kept() {
    let app = TestApp::spawn().await;
    let customer = app.sim.customer(Some(GOOD_CARD)).unwrap();
    let subscription = app
        .sim
        .post(
            "/_sim/subscriptions",
            json!({"customer_id": customer, "product_id": "prod_pro_plan",
                   "addons": [{"addon_id": "adn_seats", "quantity": 3}]}),
        )
        .await
        .unwrap();
    let request = json!({"customer_id": customer, "purpose": "plans", "signed_in": true, "subscription_id": subscription["subscription_id"]});
    let token = app.mint(request).await;
    let page = app.get(&token, "/v1/plans").await.ok();
    assert_eq!(page["current"]["addons"][0]["quantity"], 3, "{page}");
    let name = page["current"]["addons"][0]["name"].clone();
    assert_ne!(name, "adn_seats", "its name, not its id");
    assert_eq!(plan(&page, "prod_basic_plan")["lost_addons"], json!([name]));
    assert_eq!(plan(&page, "prod_pro_plan")["lost_addons"], json!([]));
}

#[tokio::test]
async fn another_card_is_given_on_a_page_of_dodos() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let token = app.plans_token(&buyer).await;
    let link = app.post(&token, "/v1/plans/payment-method", json!({})).await.ok();
    assert!(link["url"].as_str().unwrap().starts_with("http"), "{link}");
}

#[tokio::test]
async fn each_purpose_has_a_token_of_its_own() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let (offer, plans) = (app.offer_token(&buyer).await, app.plans_token(&buyer).await);
    assert_eq!(app.get(&offer, "/v1/plans").await.code(), "unauthorized");
    assert_eq!(app.get(&plans, "/v1/upsell").await.code(), "unauthorized");
    assert_eq!(app.get(MERCHANT_KEY, "/v1/plans").await.code(), "unauthorized");
    let session = json!({"customer_id": buyer.customer, "purpose": "offer"});
    assert_eq!(app.post(&plans, "/v1/sessions", session).await.code(), "unauthorized");
    // An attempt is found under its own page only.
    let preview = app.post(&plans, "/v1/plans/preview", json!({"product_id": "prod_pro_plan"})).await.ok();
    let body = json!({"quote_id": preview["quote"]["id"]});
    let attempt = app.post_once(&plans, "/v1/plans/change", "key-1", body).await.ok();
    let id = attempt["attempt_id"].as_str().unwrap();
    assert_eq!(app.get(&offer, &format!("/v1/upsell/attempts/{id}")).await.code(), "not_found");
    assert_eq!(app.get(&plans, &format!("/v1/plans/attempts/{id}")).await.status, 200);
}

#[tokio::test]
async fn the_payment_of_a_change_elsewhere_is_not_taken_for_ours() {
    overtaken_by_max_at(20_000).await;
}

#[tokio::test]
async fn nor_is_one_of_the_same_amount() {
    overtaken_by_max_at(8_000).await;
}

/// A change from Basic to Pro is overtaken by one to Max, made past the proxy.
async fn overtaken_by_max_at(price: i64) {
    let rules = include_str!("../../upsell.toml").replace("\"alert\"", "\"refund_difference\"");
    let rules = rules.replace("surplus = \"refund_difference\"", "surplus = \"refund\"");
    let app = TestApp::spawn_with(Options { rules: Some(rules), ..Options::default() }).await;
    app.sim.reprice("prod_max_plan", price).unwrap();
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let subscription = buyer.subscription.clone().unwrap();
    let token = app.plans_token(&buyer).await;
    let preview = app.post(&token, "/v1/plans/preview", json!({"product_id": "prod_pro_plan"})).await.ok();
    // Ours is on its way when the other one comes before it, which takes its time to be paid.
    app.sim.switch(json!({"plan_change_outcome": "processing"})).unwrap();
    let path = format!("/subscriptions/{subscription}/change-plan");
    let slow = json!({"method": "POST", "path": path, "kind": "delay_before", "delay_ms": 1500, "times": 1});
    app.sim.post("/_sim/faults", slow).await.unwrap();
    let body = json!({"quote_id": preview["quote"]["id"]});
    let ours = app.post_once(&token, "/v1/plans/change", "key-1", body);
    let other = async {
        // The two previews, and the change.
        while app.sim.requests_to("POST", &path) < 3 {
            tokio::task::yield_now().await;
        }
        let max = json!({
            "product_id": "prod_max_plan", "quantity": 1, "proration_billing_mode": "difference_immediately",
            "on_payment_failure": "prevent_change",
        });
        app.sim.control().change_plan(subscription.as_str(), max).unwrap();
    };
    let (ours, ()) = tokio::join!(ours, other);
    let ours = ours.ok();
    assert_eq!(ours["status"], "in_doubt", "{ours}");
    let undecided = app.sim.undecided(&buyer.customer).await.unwrap();
    assert_eq!(undecided.len(), 1, "{undecided:?}");
    let resolve = format!("/_sim/payments/{}/resolve", undecided[0]["payment_id"].as_str().unwrap());
    app.sim.post(&resolve, json!({"status": "succeeded"})).await.unwrap();
    app.quiet().await;
    let id = ours["attempt_id"].as_str().unwrap();
    let told = app.get(&token, &format!("/v1/plans/attempts/{id}")).await.ok();
    assert_eq!((&told["status"], told.get("receipt")), (&json!("in_doubt"), None), "{told}");
    let collected = app.sim.collected_by(&buyer.customer, Source::PlanChange);
    assert_eq!((collected.len(), collected[0].amount, collected[0].refunded), (1, price - 3_000, 0));
    assert_eq!(app.get(&token, "/v1/plans").await.ok()["current"]["product_id"], "prod_max_plan");
    // What is not known yet is waited for.
    let cancelling = app.post(&token, "/v1/plans/cancellation", json!({})).await;
    assert_eq!(cancelling.code(), "attempt_in_progress");
}
