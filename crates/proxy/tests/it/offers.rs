//! What the page is answered with.

use std::collections::BTreeMap;

use dodo_sim::Source;
use serde_json::json;

use crate::harness::{GOOD_CARD, MERCHANT_KEY, Options, TestApp};

#[tokio::test]
async fn a_purchase_leads_to_an_offer_with_everything_to_show_and_accept_it() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    assert_eq!(shown["eligible"], true, "{shown}");
    assert_eq!(shown["offer"]["kind"], "upsell");
    assert_eq!(shown["offer"]["headline"], "Take the complete bundle");
    assert_eq!(shown["offer"]["benefits"].as_array().unwrap().len(), 3);
    assert_eq!(shown["product"]["id"], "prod_complete_bundle");
    assert_eq!(shown["product"]["price"], 12_900);
    assert_eq!(shown["quote"]["total"], 12_900);
    assert_eq!(shown["quote"]["currency"], "USD");
    assert_eq!(shown["payment_method"], json!({"brand": "visa", "last4": "4242"}));
    assert_eq!(shown["merchant"]["name"], "Maple Academy");
    // A new purchase charges the whole price: what the buyer has is told, a difference is not.
    assert_eq!(shown["compare_to"]["price"], 4900);
    assert_eq!(shown["compare_to"].get("difference"), None);
    let quote: wire::Quote = serde_json::from_value(shown["quote"].clone()).unwrap();
    assert!(quote.adds_up() && quote.expires_in > 60);
    // No id of a payment method leaves the proxy.
    assert!(!shown.to_string().contains("pm_"), "{shown}");
    assert!(!shown.to_string().contains(buyer.customer.as_str()), "{shown}");
}

#[tokio::test]
async fn looking_again_shows_the_same_offer_and_asks_dodo_nothing() {
    let app = TestApp::spawn().await;
    for product in ["prod_starter_course", "prod_single_license"] {
        let buyer = app.sim.buyer_of(product, Some(GOOD_CARD)).unwrap();
        let token = app.offer_token(&buyer).await;
        let first = app.look(&token).await;
        app.quiet().await;
        let before = app.sim.requests_to("", "/");
        for _ in 0..5 {
            let again = app.look(&token).await;
            assert_eq!(again["offer"], first["offer"]);
            assert_eq!(again["quote"]["id"], first["quote"]["id"]);
        }
        assert_eq!(app.sim.requests_to("", "/"), before, "a warm look asked Dodo");
    }
}

#[tokio::test]
async fn a_warm_look_at_an_upgrade_asks_dodo_nothing_either() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let token = app.offer_token(&buyer).await;
    app.quiet().await;
    let before = app.sim.requests_to("", "/");
    let shown = app.look(&token).await;
    assert_eq!(app.sim.requests_to("", "/"), before, "a warm look asked Dodo");
    assert_eq!(shown["offer"]["kind"], "upgrade", "{shown}");
    // What is paid is the difference, so the difference is told.
    assert_eq!(shown["compare_to"]["difference"]["amount"], 5000);
    assert_eq!(shown["quote"]["total"], 5000);
    assert_eq!(shown["quote"]["renewal"]["amount"], 8000);
}

#[tokio::test]
async fn words_come_in_the_buyers_language() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app
        .mint(json!({"customer_id": buyer.customer, "purpose": "offer", "payment_id": buyer.payment, "locale": "ja"}))
        .await;
    assert_eq!(app.look(&token).await["offer"]["headline"], "コンプリートバンドルを追加");
    for (query, headline) in [
        ("en-GB", "Take the complete bundle"),
        ("ja-JP", "コンプリートバンドルを追加"),
        ("xx", "Take the complete bundle"),
        ("%FF%00", "コンプリートバンドルを追加"),
    ] {
        let shown = app.get(&token, &format!("/v1/upsell?locale={query}")).await.ok();
        assert_eq!(shown["offer"]["headline"], headline, "{query}");
    }
}

/// The page has words in some languages, the merchant in others: the answer is in one that both have, and says which.
#[tokio::test]
async fn the_answer_says_in_which_language_its_words_are() {
    let example = include_str!("../../upsell.toml");
    let german = "[campaign.text.de]\nheadline = \"Passend dazu\"\n\n[campaign.text.en]\n";
    let rules = example.replace("[campaign.text.en]\n", german);
    let app = TestApp::spawn_with(Options { rules: Some(rules), ..Options::default() }).await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    for (query, language, headline) in [
        ("locale=de-AT", "de", "Passend dazu"),
        ("locale=de-AT&languages=en,ja", "en", "Take the complete bundle"),
        ("locale=de-AT&languages=ja,en", "en", "Take the complete bundle"),
        ("locale=de&languages=ja", "ja", "コンプリートバンドルを追加"),
        ("locale=ja-JP&languages=en,ja", "ja", "コンプリートバンドルを追加"),
        ("locale=ja-JP&languages=en", "en", "Take the complete bundle"),
        ("locale=de&languages=fr,,%00", "de", "Passend dazu"),
        ("languages=en,ja", "en", "Take the complete bundle"),
    ] {
        let shown = app.get(&token, &format!("/v1/upsell?{query}")).await.ok();
        assert_eq!(
            (&shown["language"], &shown["offer"]["headline"]),
            (&json!(language), &json!(headline)),
            "{query}"
        );
    }
    // So is a downsell, which comes with the answer to a refusal.
    let offer = app.look(&token).await["offer"]["id"].clone();
    let refused = app
        .post(&token, "/v1/upsell/decline?locale=de&languages=en,ja", json!({"offer_id": offer}))
        .await
        .ok();
    assert_eq!(refused["next"]["language"], "en", "{refused}");
}

#[tokio::test]
async fn without_a_usable_card_the_offer_leads_to_a_hosted_checkout() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of("prod_starter_course", None).unwrap();
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    assert_eq!(shown["eligible"], true, "{shown}");
    assert_eq!(shown["quote"]["total"], 12_900);
    assert_eq!(shown.get("payment_method"), None, "{shown}");
}

#[tokio::test]
async fn why_there_is_nothing_to_offer() {
    let app = TestApp::spawn().await;
    let nobody = app.sim.customer(Some(GOOD_CARD)).unwrap();
    let token = app.mint(json!({"customer_id": nobody, "purpose": "offer"})).await;
    assert_eq!(app.look(&token).await, json!({"eligible": false, "reason": "no_purchase"}));
    let buyer = app.sim.buyer_of("prod_toolkit", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    assert_eq!(app.look(&token).await, json!({"eligible": false, "reason": "no_campaign"}));
    // Has bought the bundle before: it is no offer when the course is bought.
    let buyer = app.sim.buyer_of("prod_complete_bundle", Some(GOOD_CARD)).unwrap();
    app.offer_token(&buyer).await;
    let payment = app.sim.purchase(&buyer.customer, "prod_starter_course").unwrap();
    let session = |signed_in: bool| json!({"customer_id": buyer.customer, "purpose": "offer", "payment_id": payment, "signed_in": signed_in});
    let token = app.mint(session(true)).await;
    assert_eq!(app.look(&token).await, json!({"eligible": false, "reason": "already_owned"}));
    // Whoever only knows the purchase learns it at the press, and nothing is charged.
    let token = app.mint(session(false)).await;
    let shown = app.look(&token).await;
    assert_eq!(shown["product"]["id"], "prod_complete_bundle", "{shown}");
    let posts = app.sim.posts_to("/checkouts");
    assert_eq!(app.accept(&token, &shown, "key-1").await.code(), "offer_gone");
    assert_eq!(app.sim.posts_to("/checkouts"), posts);
    assert_eq!(app.look(&token).await, json!({"eligible": false, "reason": "expired"}));
}

#[tokio::test]
async fn the_latest_purchase_is_followed_up_when_none_is_named() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app.mint(json!({"customer_id": buyer.customer, "purpose": "offer"})).await;
    assert_eq!(app.look(&token).await["product"]["id"], "prod_complete_bundle");
}

#[tokio::test]
async fn a_reported_event_leads_to_an_offer() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let session = json!({"customer_id": buyer.customer, "purpose": "offer", "trigger": "near_plan_limit", "signed_in": true});
    let token = app.mint(session.clone()).await;
    assert_eq!(app.look(&token).await["reason"], "no_event");
    let event = json!({
        "customer_id": buyer.customer, "trigger": "near_plan_limit", "subscription_id": buyer.subscription,
    });
    assert_eq!(app.post(MERCHANT_KEY, "/v1/events", event).await.status, 202);
    let token = app.mint(session).await;
    let shown = app.look(&token).await;
    assert_eq!(shown["offer"]["headline"], "You are close to the limit of Basic", "{shown}");
    assert_eq!(shown["offer"]["kind"], "upgrade");
}

/// The seats of the day on which it was offered would undo those that have come since.
#[tokio::test]
async fn an_upgrade_is_of_the_seats_that_are_there_when_it_is_taken() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    assert_eq!((&shown["offer"]["kind"], &shown["quote"]["total"]), (&json!("upgrade"), &json!(5000)));
    let subscription = buyer.subscription.clone().unwrap();
    let three =
        json!({"product_id": "prod_basic_plan", "quantity": 3, "proration_billing_mode": "do_not_bill"});
    app.sim.control().change_plan(subscription.as_str(), three).unwrap();
    let refused = app.accept(&token, &shown, "key-1").await;
    assert_eq!((refused.code().as_str(), &refused.body["quote"]["total"]), ("quote_changed", &json!(15_000)));
    let mut shown = shown;
    shown["quote"] = refused.body["quote"].clone();
    let attempt = app.accept(&token, &shown, "key-2").await.ok();
    assert_eq!(app.settled(&token, "/v1/upsell", attempt).await["receipt"]["amount"], 15_000);
    let charges = app.sim.collected_by(&buyer.customer, Source::PlanChange);
    assert_eq!(charges.iter().map(|charge| charge.amount).collect::<Vec<_>>(), [15_000]);
    let page = app.get(&app.plans_token(&buyer).await, "/v1/plans").await.ok();
    assert_eq!(page["current"]["quantity"], 3, "{page}");
}

#[tokio::test]
async fn nothing_is_shown_while_dodo_cannot_be_asked_and_the_page_gets_no_error() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    app.sim
        .post("/_sim/faults", json!({"path": "/checkouts/preview", "kind": {"status": 500, "before": true}}))
        .await
        .unwrap();
    let token = app.offer_token(&buyer).await;
    assert_eq!(app.look(&token).await, json!({"eligible": false, "reason": "unavailable"}));
    app.sim.control().clear_faults();
    assert_eq!(app.look(&token).await["eligible"], true);
}

#[tokio::test]
async fn somebody_elses_purchase_or_subscription_gives_no_token() {
    let app = TestApp::spawn().await;
    let victim = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let other = app.sim.customer(Some(GOOD_CARD)).unwrap();
    for request in [
        json!({"customer_id": other, "purpose": "offer", "payment_id": victim.payment}),
        json!({"customer_id": other, "purpose": "plans", "signed_in": true, "subscription_id": victim.subscription}),
        json!({"customer_id": other, "purpose": "offer", "subscription_id": victim.subscription}),
        json!({"customer_id": other, "purpose": "offer", "payment_id": "pay_that_is_not"}),
    ] {
        let answer = app.post(MERCHANT_KEY, "/v1/sessions", request.clone()).await;
        assert_eq!(answer.code(), "not_found", "{request}");
    }
}

#[tokio::test]
async fn being_seen_is_noted_and_only_for_ones_own_offer() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    let body = json!({"offer_id": shown["offer"]["id"]});
    assert_eq!(app.post(&token, "/v1/upsell/seen", body.clone()).await.status, 204);
    assert_eq!(app.post(&token, "/v1/upsell/seen", body.clone()).await.status, 204);
    let stranger = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let stranger = app.offer_token(&stranger).await;
    assert_eq!(app.post(&stranger, "/v1/upsell/seen", body).await.code(), "not_found");
}

/// Buys several things at once.
async fn cart(app: &TestApp, products: &[&str]) -> (String, String) {
    let card = json!([{"payment_method_id": "pm_cart", "number": GOOD_CARD}]);
    let customer = json!({"email": "buyer@example.com", "payment_methods": card});
    let customer = app.sim.post("/_sim/customers", customer).await.unwrap()["customer_id"].clone();
    let customer = customer.as_str().unwrap().to_owned();
    let items: Vec<_> = products.iter().map(|id| json!({"product_id": id, "quantity": 1})).collect();
    let body = json!({
        "product_cart": items, "customer": {"customer_id": customer}, "confirm": true, "payment_method_id": "pm_cart",
        "billing_address": {"country": "US", "state": "CA", "city": "SF", "street": "1 Market St", "zipcode": "94105"},
    });
    let request = reqwest::Client::new().post(format!("{}/checkouts", app.sim.url())).json(&body);
    let answer = request.bearer_auth(dodo_sim::DEFAULT_KEY).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    app.quiet().await;
    let payment = app.sim.charges_of(&customer)[0].payment_id.clone();
    (customer, payment)
}

#[tokio::test]
async fn a_cart_with_several_subscriptions_changes_none_of_them() {
    let rules = include_str!("../../upsell.toml");
    let rules = rules.replace(
        "bought = [\"prod_complete_bundle\"",
        "bought = [\"prod_pro_plan\", \"prod_complete_bundle\"",
    );
    let app = TestApp::spawn_with(Options { rules: Some(rules), ..Options::default() }).await;
    let look = async |products: &[&str]| {
        let (customer, payment) = cart(&app, products).await;
        let session = json!({"customer_id": customer, "purpose": "offer", "payment_id": payment});
        app.look(&app.mint(session).await).await
    };
    // "basic-to-pro" would have to guess, and might take Max down to Pro.
    for products in [["prod_max_plan", "prod_basic_plan"], ["prod_basic_plan", "prod_max_plan"]] {
        let shown = look(&products).await;
        assert_eq!(shown["eligible"], false, "{shown}");
    }
    // Each of them was bought.
    let shown = look(&["prod_max_plan", "prod_pro_plan"]).await;
    assert_eq!(shown["product"]["id"], "prod_toolkit", "{shown}");
}

#[tokio::test]
async fn a_trigger_that_names_no_subscription_changes_the_only_one_or_none() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    app.quiet().await;
    let event = json!({"customer_id": buyer.customer, "trigger": "near_plan_limit"});
    app.post(MERCHANT_KEY, "/v1/events", event.clone()).await.ok();
    let session = json!({"customer_id": buyer.customer, "purpose": "offer", "trigger": "near_plan_limit", "signed_in": true});
    let token = app.mint(session.clone()).await;
    assert_eq!(app.look(&token).await["offer"]["kind"], "upgrade");
    // A second subscription of Basic: which of them is near its limit?
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let first = buyer.subscription.clone().unwrap();
    app.sim.subscribe(&buyer.customer, "prod_basic_plan", 1, &BTreeMap::new(), 0).unwrap();
    app.quiet().await;
    let event = json!({"customer_id": buyer.customer, "trigger": "near_plan_limit"});
    app.post(MERCHANT_KEY, "/v1/events", event).await.ok();
    let mut session = json!({"customer_id": buyer.customer, "purpose": "offer", "trigger": "near_plan_limit", "signed_in": true});
    let token = app.mint(session.clone()).await;
    let shown = app.look(&token).await;
    assert_eq!(shown["eligible"], false, "{shown}");
    // The merchant's server may say which.
    session["subscription_id"] = json!(first);
    let token = app.mint(session).await;
    let shown = app.look(&token).await;
    assert_eq!(shown["offer"]["kind"], "upgrade", "{shown}");
    let done = app.settled(&token, "/v1/upsell", app.accept(&token, &shown, "key-1").await.ok()).await;
    assert_eq!(done["status"], "succeeded");
    assert_eq!(app.sim.subscription(&first).unwrap()["product_id"], "prod_pro_plan");
}
