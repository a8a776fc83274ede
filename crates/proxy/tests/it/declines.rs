//! A refusal is remembered: everywhere, for good, by what was refused.

use dodo_sim::Source;
use serde_json::{Value, json};

use crate::harness::{Buyer, GOOD_CARD, Options, TestApp};

/// A buyer with an offer on the page.
async fn shown_to_a_buyer(app: &TestApp) -> (Buyer, String, Value) {
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    assert_eq!(shown["eligible"], true, "{shown}");
    (buyer, token, shown)
}

#[tokio::test]
async fn a_decline_leads_to_one_downsell_and_then_to_nothing_more() {
    let app = TestApp::spawn().await;
    let (buyer, token, shown) = shown_to_a_buyer(&app).await;
    let next = app.decline(&token, &shown).await.ok()["next"].clone();
    assert_eq!(next["offer"]["kind"], "downsell", "{next}");
    assert_eq!(next["product"]["id"], "prod_mini_bundle");
    assert_eq!(next["quote"]["total"], 6900);
    // It is what later visits find, too, and a repeated decline answers the same.
    assert_eq!(app.look(&token).await["offer"]["id"], next["offer"]["id"]);
    assert_eq!(app.decline(&token, &shown).await.ok()["next"]["offer"]["id"], next["offer"]["id"]);
    assert_eq!(app.decline(&token, &next).await.ok(), json!({"next": null}));
    for token in [token.clone(), app.offer_token(&buyer).await] {
        assert_eq!(app.look(&token).await, json!({"eligible": false, "reason": "declined"}));
    }
    assert_eq!(app.decline(&token, &next).await.ok(), json!({"next": null}));
    assert_eq!(app.decline(&token, &shown).await.ok(), json!({"next": null}));
    // Neither can be taken any more, by any token.
    for refused in [&shown, &next] {
        assert_eq!(app.accept(&token, refused, "late").await.code(), "offer_gone");
    }
    assert!(app.sim.collected_by(&buyer.customer, Source::OneClick).is_empty());
}

#[tokio::test]
async fn a_refusal_outlives_sessions_purchases_campaigns_and_the_process() {
    let app = TestApp::spawn_with(Options {
        rules: Some(TWO_CAMPAIGNS_FOR_ONE_PRODUCT.to_owned()),
        ..Options::default()
    })
    .await;
    let (buyer, token, shown) = shown_to_a_buyer(&app).await;
    assert_eq!(app.decline(&token, &shown).await.ok(), json!({"next": null}));
    // Another purchase, which a second campaign follows up with the same product.
    let payment = app.sim.purchase(&buyer.customer, "prod_single_license").unwrap();
    let request = json!({"customer_id": buyer.customer, "purpose": "offer", "payment_id": payment});
    let token = app.mint(request.clone()).await;
    assert_eq!(app.look(&token).await, json!({"eligible": false, "reason": "declined"}));
    let app = app.restart_with(TWO_CAMPAIGNS_FOR_ONE_PRODUCT).await;
    // The token is still good after a restart, and so is the memory.
    assert_eq!(app.look(&token).await, json!({"eligible": false, "reason": "declined"}));
    let token = app.mint(request).await;
    assert_eq!(app.look(&token).await, json!({"eligible": false, "reason": "declined"}));
    let token = app.offer_token(&buyer).await;
    assert_eq!(app.look(&token).await, json!({"eligible": false, "reason": "declined"}));
}

const TWO_CAMPAIGNS_FOR_ONE_PRODUCT: &str = r#"
[merchant]
name = "M"
[[campaign]]
name = "one"
bought = ["prod_starter_course"]
kind = "upsell"
product_id = "prod_complete_bundle"
text.en = { headline = "One" }
[[campaign]]
name = "two"
bought = ["prod_single_license"]
kind = "cross_sell"
product_id = "prod_complete_bundle"
text.en = { headline = "Two" }
"#;

#[tokio::test]
async fn an_open_offer_of_the_same_thing_disappears_with_the_refusal() {
    let app = TestApp::spawn_with(Options {
        rules: Some(TWO_CAMPAIGNS_FOR_ONE_PRODUCT.to_owned()),
        ..Options::default()
    })
    .await;
    let (buyer, first_token, first) = shown_to_a_buyer(&app).await;
    let payment = app.sim.purchase(&buyer.customer, "prod_single_license").unwrap();
    let second_token =
        app.mint(json!({"customer_id": buyer.customer, "purpose": "offer", "payment_id": payment})).await;
    let second = app.look(&second_token).await;
    assert_eq!(second["offer"]["headline"], "Two", "{second}");
    assert_eq!(first["offer"]["decline_key"], second["offer"]["decline_key"]);
    app.decline(&first_token, &first).await.ok();
    assert_eq!(app.look(&second_token).await, json!({"eligible": false, "reason": "declined"}));
    assert_eq!(app.accept(&second_token, &second, "k").await.code(), "offer_gone");
    assert!(app.sim.collected_by(&buyer.customer, Source::OneClick).is_empty());
}

#[tokio::test]
async fn a_price_drop_brings_an_offer_back_where_the_campaign_says_so() {
    let rules = TWO_CAMPAIGNS_FOR_ONE_PRODUCT.replace(
        "product_id = \"prod_complete_bundle\"\n",
        "product_id = \"prod_complete_bundle\"\nafter_decline = { until_price_drops = 20 }\n",
    );
    let app = TestApp::spawn_with(Options { rules: Some(rules.clone()), ..Options::default() }).await;
    let (buyer, token, shown) = shown_to_a_buyer(&app).await;
    app.decline(&token, &shown).await.ok();
    let mut seen = Vec::new();
    let mut app = app;
    for price in [12_900, 10_321, 10_320] {
        app.sim.reprice("prod_complete_bundle", price).unwrap();
        // The catalogue is read anew at a start.
        app = app.restart_with(&rules).await;
        let payment = app.sim.purchase(&buyer.customer, "prod_single_license").unwrap();
        let token =
            app.mint(json!({"customer_id": buyer.customer, "purpose": "offer", "payment_id": payment})).await;
        let again = app.look(&token).await;
        seen.push(again["eligible"] == true);
        if again["eligible"] == true {
            // The browser remembers the old refusal under another key, so it does not hide the new offer.
            assert_ne!(again["offer"]["decline_key"], shown["offer"]["decline_key"]);
            assert_eq!(again["quote"]["total"], 10_320);
        }
    }
    assert_eq!(seen, [false, false, true]);
}

#[tokio::test]
async fn only_ones_own_offer_can_be_declined() {
    let app = TestApp::spawn().await;
    let (_, token, shown) = shown_to_a_buyer(&app).await;
    let (_, stranger, _) = shown_to_a_buyer(&app).await;
    assert_eq!(app.decline(&stranger, &shown).await.code(), "not_found");
    assert_eq!(app.look(&token).await["offer"]["id"], shown["offer"]["id"]);
}

#[tokio::test]
async fn of_a_decline_and_an_accept_at_the_same_time_exactly_one_wins() {
    let app = TestApp::spawn().await;
    let (mut declined, mut accepted) = (0, 0);
    for round in 0..12 {
        let (buyer, token, shown) = shown_to_a_buyer(&app).await;
        let key = format!("k{round}");
        let (decline, accept) = tokio::join!(app.decline(&token, &shown), app.accept(&token, &shown, &key));
        app.quiet().await;
        let charges = app.sim.collected_by(&buyer.customer, Source::OneClick).len();
        match (decline.status, accept.status) {
            (200, 410) => {
                declined += 1;
                assert_eq!(charges, 0);
            }
            (409 | 410, 200) => {
                accepted += 1;
                assert_eq!(charges, 1);
            }
            both => panic!("{both:?} {decline:?} {accept:?}"),
        }
    }
    assert_eq!(declined + accepted, 12);
}

#[tokio::test]
async fn what_was_bought_cannot_be_declined() {
    let app = TestApp::spawn().await;
    let (_, token, shown) = shown_to_a_buyer(&app).await;
    let attempt = app.accept(&token, &shown, "k").await.ok();
    app.settled(&token, "/v1/upsell", attempt).await;
    assert_eq!(app.decline(&token, &shown).await.code(), "offer_gone");
    let now = app.look(&token).await;
    assert_eq!((now["eligible"].clone(), now["reason"].clone()), (json!(false), json!("accepted")));
    assert_eq!(now["attempt"]["receipt"]["amount"], 12_900);
}
