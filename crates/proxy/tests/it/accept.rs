//! One click, from the page to the ledger.

use dodo_sim::Source;
use serde_json::{Value, json};

use crate::harness::{Buyer, GOOD_CARD, TestApp};

/// Attaches, and refuses every later charge.
const REFUSING_CARD: &str = "4000000000000341";

async fn shown(app: &TestApp, card: Option<&str>) -> (Buyer, String, Value) {
    let buyer = app.sim.buyer_of("prod_starter_course", card).unwrap();
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    assert_eq!(shown["eligible"], true, "{shown}");
    (buyer, token, shown)
}

#[tokio::test]
async fn one_click_collects_once_and_exactly_what_was_shown() {
    let app = TestApp::spawn().await;
    let (buyer, token, shown) = shown(&app, Some(GOOD_CARD)).await;
    let before = app.sim.requests_to("POST", "/checkouts");
    let attempt = app.accept(&token, &shown, "key-1").await.ok();
    // Paid within the one call: the page has its receipt without asking again.
    assert_eq!(attempt["status"], "succeeded", "{attempt}");
    let receipt = &attempt["receipt"];
    assert_eq!((receipt["amount"].as_i64(), receipt["currency"].as_str()), (Some(12_900), Some("USD")));
    assert_eq!(receipt["payment_method"]["last4"], "4242");
    let charges = app.sim.collected_by(&buyer.customer, Source::OneClick);
    assert_eq!(charges.len(), 1, "{charges:?}");
    assert_eq!(charges[0].amount, shown["quote"]["total"]);
    assert_eq!(json!(charges[0].metadata)["upsell_source"], "post_purchase");
    assert_eq!(json!(charges[0].metadata)["offer_id"], shown["offer"]["id"]);
    // One preview to re-quote, one charge.
    assert_eq!(app.sim.requests_to("POST", "/checkouts") - before, 2);
}

#[tokio::test]
async fn eight_clicks_at_once_are_one_charge() {
    let app = TestApp::spawn().await;
    let (buyer, token, shown) = shown(&app, Some(GOOD_CARD)).await;
    let clicks = (0..8).map(|n| {
        let (app, token, shown) = (&app, &token, &shown);
        async move { app.accept(token, shown, &format!("key-{}", n / 2)).await }
    });
    let answers = futures_util::future::join_all(clicks).await;
    assert!(answers.iter().any(|answer| answer.status == 200), "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert!(matches!(answer.code().as_str(), "attempt_in_progress" | "key_in_progress"), "{answer:?}");
    }
    app.quiet().await;
    assert_eq!(app.sim.collected_by(&buyer.customer, Source::OneClick).len(), 1);
}

#[tokio::test]
async fn a_key_answers_the_same_again_and_refuses_another_body() {
    let app = TestApp::spawn().await;
    let (buyer, token, shown) = shown(&app, Some(GOOD_CARD)).await;
    let first = app.accept(&token, &shown, "key-1").await.ok();
    assert_eq!(app.accept(&token, &shown, "\"key-1\"").await.ok(), first);
    let other = json!({"offer_id": shown["offer"]["id"], "quote_id": shown["quote"]["id"], "quantity": 2});
    assert_eq!(
        app.post_once(&token, "/v1/upsell/accept", "key-1", other).await.code(),
        "idempotency_key_reused"
    );
    assert_eq!(app.sim.collected_by(&buyer.customer, Source::OneClick).len(), 1);
    // A restart forgets none of it.
    let app = app.restart().await;
    assert_eq!(app.accept(&token, &shown, "key-1").await.ok(), first);
    assert_eq!(app.sim.collected_by(&buyer.customer, Source::OneClick).len(), 1);
}

#[tokio::test]
async fn a_dearer_price_is_shown_before_anything_is_charged() {
    let app = TestApp::spawn().await;
    let (buyer, token, shown) = shown(&app, Some(GOOD_CARD)).await;
    app.sim.reprice("prod_complete_bundle", 13_900).unwrap();
    let refused = app.accept(&token, &shown, "key-1").await;
    assert_eq!(refused.code(), "quote_changed");
    assert_eq!(refused.body["quote"]["total"], 13_900);
    assert!(app.sim.collected_by(&buyer.customer, Source::OneClick).is_empty());
    // What the page shows from now on is the new amount; accepting that charges it.
    let again = app.look(&token).await;
    assert_eq!(again["quote"]["total"], 13_900, "{again}");
    assert_eq!(app.accept(&token, &again, "key-2").await.ok()["receipt"]["amount"], 13_900);
    assert_eq!(app.sim.collected_by(&buyer.customer, Source::OneClick)[0].amount, 13_900);
}

#[tokio::test]
async fn a_refused_card_ends_in_words_and_one_hosted_checkout() {
    let app = TestApp::spawn().await;
    let (buyer, token, shown) = shown(&app, Some(REFUSING_CARD)).await;
    let attempt = app.accept(&token, &shown, "key-1").await.ok();
    let failed = app.settled(&token, "/v1/upsell", attempt).await;
    assert_eq!(
        (failed["status"].as_str(), failed["success"].as_bool()),
        (Some("failed"), Some(false)),
        "{failed}"
    );
    assert_eq!(failed["hosted_checkout_offered"], true);
    // The card is not tried a second time, and a reload offers the hosted way only.
    assert_eq!(app.accept(&token, &shown, "key-2").await.ok()["status"], "failed");
    let reloaded = app.look(&token).await;
    assert_eq!(reloaded.get("payment_method"), None, "{reloaded}");
    let body = json!({
        "offer_id": shown["offer"]["id"], "quote_id": reloaded["quote"]["id"], "pay_with": "hosted_checkout",
    });
    let hosted = app.post_once(&token, "/v1/upsell/accept", "key-3", body.clone()).await.ok();
    assert_eq!(hosted["status"], "checkout_required", "{hosted}");
    // Another tab is sent to the same page.
    let again = app.post_once(&token, "/v1/upsell/accept", "key-4", body).await.ok();
    assert_eq!(again["checkout_url"], hosted["checkout_url"]);
    assert!(app.sim.collected_by(&buyer.customer, Source::OneClick).is_empty());
}

#[tokio::test]
async fn without_a_card_the_buyer_pays_on_the_hosted_page_and_gets_a_receipt() {
    let app = TestApp::spawn().await;
    let (buyer, token, shown) = shown(&app, None).await;
    let attempt = app.accept(&token, &shown, "key-1").await.ok();
    assert_eq!(attempt["status"], "checkout_required", "{attempt}");
    app.pay_on_page(attempt["checkout_url"].as_str().unwrap(), GOOD_CARD).await;
    app.quiet().await;
    let paid = app.settled(&token, "/v1/upsell", attempt).await;
    assert_eq!(paid["status"], "succeeded", "{paid}");
    assert_eq!(paid["receipt"]["amount"], 12_900);
    assert_eq!(app.look(&token).await["reason"], "accepted");
    assert_eq!(
        app.sim.collected_by(&buyer.customer, Source::Hosted).len(),
        2,
        "the first purchase and this one"
    );
}

#[tokio::test]
async fn a_buyer_who_is_back_before_the_webhook_finds_the_receipt() {
    let app = TestApp::spawn().await;
    let (buyer, token, shown) = shown(&app, None).await;
    let attempt = app.accept(&token, &shown, "key-1").await.ok();
    app.sim.post("/_sim/webhooks/policy", json!({"paused": true})).await.unwrap();
    app.pay_on_page(attempt["checkout_url"].as_str().unwrap(), GOOD_CARD).await;
    // The merchant's server mints a token for the page that the buyer returns to.
    let token = app.offer_token(&buyer).await;
    let back = app.look(&token).await;
    assert_eq!(back["reason"], "accepted", "{back}");
    assert_eq!(back["attempt"]["receipt"]["amount"], 12_900);
}

#[tokio::test]
async fn what_an_offer_sold_leads_to_no_further_offer() {
    let app = TestApp::spawn().await;
    let (buyer, token, shown) = shown(&app, Some(GOOD_CARD)).await;
    app.accept(&token, &shown, "key-1").await.ok();
    app.quiet().await;
    // The bundle would lead to the toolkit, had it been bought in the shop.
    let token = app.mint(json!({"customer_id": buyer.customer, "purpose": "offer"})).await;
    assert_eq!(app.look(&token).await["reason"], "accepted");
}

#[tokio::test]
async fn attempts_and_quotes_are_their_buyers_own() {
    let app = TestApp::spawn().await;
    let (_, token, mine) = shown(&app, Some(GOOD_CARD)).await;
    let (buyer, stranger, theirs) = shown(&app, Some(GOOD_CARD)).await;
    let attempt = app.accept(&token, &mine, "key-1").await.ok();
    let path = format!("/v1/upsell/attempts/{}", attempt["attempt_id"].as_str().unwrap());
    assert_eq!(app.get(&token, &path).await.ok()["status"], "succeeded");
    assert_eq!(app.get(&stranger, &path).await.code(), "not_found");
    for (offer, quote) in [(&mine, &theirs), (&theirs, &mine), (&mine, &mine)] {
        let body = json!({"offer_id": offer["offer"]["id"], "quote_id": quote["quote"]["id"]});
        assert_eq!(app.post_once(&stranger, "/v1/upsell/accept", "key-9", body).await.code(), "not_found");
    }
    assert!(app.sim.collected_by(&buyer.customer, Source::OneClick).is_empty());
}
