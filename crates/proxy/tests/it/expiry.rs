//! What time does to tokens, quotes, offers and refusals.

use dodo_sim::Source;
use std::sync::Arc;

use proxy::clock::{Clock, ManualClock, SystemClock};
use serde_json::json;

use crate::harness::{GOOD_CARD, Options, TestApp};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

async fn at_a_standstill(rules: Option<String>) -> (TestApp, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let app =
        TestApp::spawn_with(Options { clock: Some(Arc::clone(&clock)), rules, ..Options::default() }).await;
    (app, clock)
}

#[tokio::test]
async fn a_token_lives_fifteen_minutes() {
    let (app, clock) = at_a_standstill(None).await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    clock.advance(15 * MINUTE - 1);
    assert_eq!(app.look(&token).await["eligible"], true);
    clock.advance(1);
    assert_eq!(app.get(&token, "/v1/upsell").await.code(), "unauthorized");
    assert_eq!(app.accept(&token, &shown, "key-1").await.code(), "unauthorized");
    assert_eq!(app.decline(&token, &shown).await.code(), "unauthorized");
    // A new token finds the same offer, untouched.
    let token = app.offer_token(&buyer).await;
    assert_eq!(app.look(&token).await["offer"]["id"], shown["offer"]["id"]);
}

#[tokio::test]
async fn a_lapsed_quote_charges_nothing_and_looking_again_gives_a_fresh_one() {
    let (app, clock) = at_a_standstill(None).await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    assert_eq!(shown["quote"]["expires_in"], 5 * MINUTE);
    clock.advance(2 * MINUTE);
    let later = app.look(&token).await;
    assert_eq!(
        (&later["quote"]["id"], &later["quote"]["expires_in"]),
        (&shown["quote"]["id"], &json!(3 * MINUTE))
    );
    clock.advance(3 * MINUTE);
    assert_eq!(app.accept(&token, &shown, "key-1").await.code(), "quote_expired");
    assert!(app.sim.collected_by(&buyer.customer, Source::OneClick).is_empty());
    let fresh = app.look(&token).await;
    assert_ne!(fresh["quote"]["id"], shown["quote"]["id"]);
    assert_eq!(app.accept(&token, &fresh, "key-2").await.ok()["receipt"]["amount"], 12_900);
}

#[tokio::test]
async fn an_offer_stands_as_long_as_the_campaign_says() {
    let (app, clock) = at_a_standstill(None).await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let shown = app.look(&app.offer_token(&buyer).await).await;
    clock.advance(72 * HOUR - MINUTE);
    let token = app.offer_token(&buyer).await;
    let last = app.look(&token).await;
    assert_eq!(last["offer"]["id"], shown["offer"]["id"], "{last}");
    clock.advance(MINUTE);
    assert_eq!(app.look(&token).await, json!({"eligible": false, "reason": "expired"}));
    assert_eq!(app.accept(&token, &last, "key-1").await.code(), "offer_gone");
    assert!(app.sim.collected_by(&buyer.customer, Source::OneClick).is_empty());
}

#[tokio::test]
async fn a_cooled_down_refusal_lets_the_next_purchase_offer_it_again() {
    let (app, clock) = at_a_standstill(None).await;
    // The team licence may be offered again after 180 days.
    let buyer = app.sim.buyer_of("prod_single_license", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    assert_eq!(shown["product"]["id"], "prod_team_license", "{shown}");
    app.decline(&token, &shown).await.ok();
    for (wait, offered) in [(179 * 24 * HOUR, false), (24 * HOUR, true)] {
        clock.advance(wait);
        let payment = app.sim.purchase(&buyer.customer, "prod_single_license").unwrap();
        let request = json!({"customer_id": buyer.customer, "purpose": "offer", "payment_id": payment});
        let again = app.look(&app.mint(request).await).await;
        assert_eq!(again["eligible"], offered, "{again}");
        if offered {
            assert_ne!(again["offer"]["decline_key"], shown["offer"]["decline_key"]);
        }
    }
    // The offer that was refused stays refused.
    let token = app.offer_token(&buyer).await;
    assert_eq!(app.look(&token).await["reason"], "declined");
}
