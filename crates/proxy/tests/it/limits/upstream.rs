//! Dodo's quota: what costs none of it, and who goes first.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use dodo_sim::Source;
use futures_util::{StreamExt, stream};
use proxy::settings::Limits;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use upsell_core::policy::upstream_budget::Quota;
use wire::BROWSER_HEADER;

use super::assert_says_when;
use crate::harness::{BROWSER, Buyer, FAILS_LATER, GOOD_CARD, MERCHANT_KEY, Options, TestApp};

/// As many as Dodo's next tier.
const TIER_1: fn(&mut Limits) = |limits| limits.upstream = Quota { per_second: 100, per_minute: 1000 };

async fn app_with_quota(limits: fn(&mut Limits), rate_limit: &'static str) -> TestApp {
    TestApp::spawn_with(Options { limits: Some(limits), rate_limit: Some(rate_limit), ..Options::default() })
        .await
}

/// Requests that Dodo refused for being too many.
async fn refused(app: &TestApp) -> usize {
    let ledger = app.sim.get("/_sim/ledger").await.unwrap();
    ledger["requests"].as_array().unwrap().iter().filter(|request| request["status_sent"] == 429).count()
}

/// Looks at an offer so many times over one connection; returns how often it was shown. Without a client library, which
/// would take longer than the proxy.
async fn look_again_and_again(app: &TestApp, token: &str, times: usize) -> usize {
    let look = |more: &str| {
        format!(
            "GET /v1/upsell HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{BROWSER_HEADER}: {BROWSER}\r\n{more}\r\n"
        )
    };
    let looks = look("").repeat(times - 1) + &look("connection: close\r\n");
    let stream = TcpStream::connect(app.url.strip_prefix("http://").unwrap()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let mut answers = String::new();
    let (written, read) =
        tokio::join!(writer.write_all(looks.as_bytes()), reader.read_to_string(&mut answers));
    written.unwrap();
    read.unwrap();
    answers.matches("{\"eligible\":true,").count()
}

#[tokio::test]
async fn ten_thousand_looks_at_an_offer_ask_dodo_nothing() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    assert_eq!(app.look(&token).await["eligible"], true);
    app.quiet().await;
    let products =
        upsell_core::rules::Rules::parse(include_str!("../../../upsell.toml")).unwrap().products().len();
    // The products of the rules are fetched once after the start, whoever looks.
    while app.sim.requests_to("GET", "/products") < products {
        tokio::task::yield_now().await;
    }
    let before = app.sim.requests_to("", "");
    let looks = stream::iter(0..8).map(|_| look_again_and_again(&app, &token, 1_250)).buffer_unordered(8);
    let shown: Vec<usize> = looks.collect().await;
    assert_eq!(shown, [1_250; 8]);
    assert_eq!(app.sim.requests_to("", ""), before);
}

/// Subscribers who look at prices as fast as they can, until they are told to wait.
async fn look_at_prices_until_held_back(app: &TestApp, tokens: &[String]) -> usize {
    // Another number of seats each time: the same question is not asked twice within seconds.
    let looks = stream::iter(tokens.iter().cycle().zip((1..=9_999).cycle()))
        .map(|(token, seats)| {
            app.post(token, "/v1/plans/preview", json!({"product_id": "prod_max_plan", "quantity": seats}))
        })
        .buffer_unordered(8);
    let mut looks = std::pin::pin!(looks);
    let mut seen = 0;
    while let Some(answer) = looks.next().await {
        if answer.status == 503 {
            assert_eq!(answer.code(), "unavailable");
            assert_says_when(&answer);
            return seen;
        }
        answer.ok();
        seen += 1;
    }
    seen
}

#[tokio::test]
async fn no_flood_of_previews_keeps_a_buyer_from_paying() {
    let app = app_with_quota(TIER_1, "tier1").await;
    let mut buyers: Vec<(Buyer, String, serde_json::Value)> = Vec::new();
    for _ in 0..12 {
        let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
        let token = app.offer_token(&buyer).await;
        let shown = app.look(&token).await;
        buyers.push((buyer, token, shown));
    }
    let mut subscribers = Vec::new();
    for _ in 0..4 {
        subscribers.push(app.plans_token(&app.sim.subscriber_of("prod_basic_plan").unwrap()).await);
    }
    let seen = look_at_prices_until_held_back(&app, &subscribers).await;
    assert!(seen > 50, "{seen} previews and the quota was gone");
    // The flood goes on while they pay.
    let flood = async {
        loop {
            look_at_prices_until_held_back(&app, &subscribers).await;
        }
    };
    let accepts = buyers.iter().map(|(_, token, shown)| app.accept(token, shown, "key-1"));
    tokio::select! {
        () = flood => {}
        answers = stream::iter(accepts).buffered(6).collect::<Vec<_>>() => {
            for answer in answers {
                answer.ok();
            }
        }
    }
    for (buyer, token, _) in &buyers {
        app.quiet().await;
        assert_eq!(app.look(token).await["reason"], "accepted");
        assert_eq!(app.sim.collected_by(&buyer.customer, Source::OneClick).len(), 1);
    }
    assert_eq!(refused(&app).await, 0, "Dodo never had to refuse anything");
}

/// I23.
#[tokio::test]
async fn one_greedy_buyer_starves_nobody() {
    let sandbox: fn(&mut Limits) = |limits| limits.upstream = Quota::DEFAULT;
    let app = app_with_quota(sandbox, "off").await;
    let greedy = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let tokens = [app.plans_token(&greedy).await, app.plans_token(&greedy).await];
    let seen = look_at_prices_until_held_back(&app, &tokens).await;
    assert!(seen > 10, "{seen} previews and the share was gone");
    for number in 0..15 {
        let honest = app.sim.subscriber_of("prod_basic_plan").unwrap();
        let token = app.plans_token(&honest).await;
        app.get(&token, "/v1/plans").await.ok();
        if number == 0 {
            let preview = json!({"product_id": "prod_max_plan"});
            app.post(&token, "/v1/plans/preview", preview).await.ok();
        }
    }
    let answer = app
        .post(&tokens[0], "/v1/plans/preview", json!({"product_id": "prod_max_plan", "quantity": 10_000}))
        .await;
    assert_eq!(answer.code(), "unavailable", "the greedy one still waits");
}

/// I23: whoever reloads a page asks Dodo nothing.
#[tokio::test]
async fn what_was_asked_seconds_ago_is_not_asked_again() {
    let app = TestApp::spawn().await;
    let customer = app.sim.customer(Some(FAILS_LATER)).unwrap();
    let owing = app.sim.subscribe(&customer, "prod_basic_plan", 1, &BTreeMap::default(), 31).unwrap();
    let owing = Buyer { customer, payment: None, subscription: Some(owing.subscription) };
    let token = app.plans_token(&owing).await;
    let first = app.get(&token, "/v1/plans").await.ok();
    assert!(first["current"]["due"].is_object(), "it owes something: {first}");
    // What is heard of a subscription makes it be read anew.
    app.quiet().await;
    let (before, began) = (app.sim.requests_to("", ""), Instant::now());
    for _ in 0..20 {
        assert_eq!(app.get(&token, "/v1/plans").await.ok(), first);
        app.plans_token(&owing).await;
    }
    let asked = app.sim.requests_to("", "") - before;
    // The subscription, its dues and the buyer's methods, each once in five seconds.
    let allowed = 3 * (1 + began.elapsed().as_secs() / 5);
    assert!(asked as u64 <= allowed, "{asked} requests for twenty reloads, not {allowed}");
    // Back from a page of Dodo's, nothing that was read before counts, until a webhook comes.
    app.post(&token, "/v1/plans/payment-method", json!({})).await.ok();
    let before = app.sim.requests_to("GET", "/payments");
    app.get(&token, "/v1/plans").await.ok();
    assert!(app.sim.requests_to("GET", "/payments") > before, "what is owed is as it was before they went");

    let customer = app.sim.customer(Some(FAILS_LATER)).unwrap();
    let payer = app.sim.subscribe(&customer, "prod_basic_plan", 1, &BTreeMap::default(), 1).unwrap();
    let payer = Buyer { customer, payment: None, subscription: Some(payer.subscription) };
    let token = app.plans_token(&payer).await;
    let preview = json!({"product_id": "prod_max_plan"});
    app.quiet().await;
    let mut quote = app.post(&token, "/v1/plans/preview", preview.clone()).await.ok();
    let asked = loop {
        let (before, began) = (app.sim.requests_to("POST", "/subscriptions/"), Instant::now());
        let again = app.post(&token, "/v1/plans/preview", preview.clone()).await.ok();
        let is_same = again["quote"]["id"] == quote["quote"]["id"];
        quote = again;
        // A machine that is busy with other tests may take longer than a quote is kept.
        if is_same || began.elapsed() < Duration::from_secs(4) {
            assert!(is_same, "a second later another quote");
            break app.sim.requests_to("POST", "/subscriptions/") - before;
        }
    };
    assert_eq!(asked, 0);
    // A card that was declined: the next preview is a new promise, since the old one was pressed for.
    let change = json!({"quote_id": quote["quote"]["id"]});
    let attempt = app.post_once(&token, "/v1/plans/change", "key-1", change).await.ok();
    assert_eq!(attempt["status"], "failed", "{attempt}");
    let anew = app.post(&token, "/v1/plans/preview", preview).await.ok();
    assert_ne!(anew["quote"]["id"], quote["quote"]["id"]);
}

/// I3, I6: what is held back before it was sent leaves the offer as it was.
#[tokio::test]
async fn when_charges_have_used_the_quota_up_nothing_is_sent_and_the_offer_stays_open() {
    // Few enough to be used up well within their minute on a machine that is busy with other tests.
    let few: fn(&mut Limits) = |limits| limits.upstream = Quota { per_second: 1000, per_minute: 48 };
    let app = app_with_quota(few, "off").await;
    let mut buyers = Vec::new();
    // Half of the quota is for pages, two thirds with the merchant's server...
    loop {
        let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
        let request = json!({"customer_id": buyer.customer, "purpose": "offer", "payment_id": buyer.payment});
        let minted = app.post(MERCHANT_KEY, "/v1/sessions", request).await;
        let token = minted.ok()["token"].as_str().unwrap().to_owned();
        let looked = app.get(&token, "/v1/upsell").await;
        if looked.status == 409 {
            // Dodo could not be asked whose the purchase is.
            assert_eq!(looked.code(), "not_confirmed_yet");
            assert_says_when(&looked);
            break;
        }
        let shown = looked.ok();
        if shown["eligible"] != true {
            assert_eq!(shown["reason"], "unavailable", "{shown}");
            break;
        }
        buyers.push((buyer, token, shown));
    }
    // ...and the last third pays for some of the buyers.
    let mut paid = 0;
    let mut refused = 0;
    for (buyer, token, shown) in &buyers {
        let answer = app.accept(token, shown, "key-1").await;
        if answer.status == 503 {
            assert_eq!(answer.code(), "unavailable");
            assert_says_when(&answer);
            assert_eq!(app.sim.collected_by(&buyer.customer, Source::OneClick).len(), 0);
            assert_eq!(app.look(token).await["offer"]["id"], shown["offer"]["id"]);
            refused += 1;
        } else {
            answer.ok();
            paid += 1;
        }
    }
    assert!(paid >= 3 && refused > 0, "{paid} of {}", buyers.len());
    assert_eq!(app.sim.requests_to("POST", "/checkouts") - app.sim.requests_to("POST", "/checkouts/"), paid);
    assert!(app.sim.requests_to("", "") <= 48);
}

#[tokio::test]
async fn a_quota_that_dodo_says_is_gone_stops_everything_but_charges() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let subscriber = app.plans_token(&app.sim.subscriber_of("prod_basic_plan").unwrap()).await;
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    let without_card = app.sim.buyer_of("prod_starter_course", None).unwrap();
    let hosted_token = app.offer_token(&without_card).await;
    let hosted = app.look(&hosted_token).await;
    // Others use the same quota: one answer says so.
    let too_many = json!({"kind": "status_429", "path": "/customers/**", "times": 1, "retry_after": 60});
    app.sim.post("/_sim/faults", too_many).await.unwrap();
    let stranger = app.sim.customer(Some(GOOD_CARD)).unwrap();
    app.mint(json!({"customer_id": stranger, "purpose": "offer"})).await;
    let before = app.sim.requests_to("", "");
    let held_back = app.post(&subscriber, "/v1/plans/preview", json!({"product_id": "prod_max_plan"})).await;
    assert_eq!(held_back.code(), "unavailable");
    assert_says_when(&held_back);
    assert_eq!(app.sim.requests_to("", ""), before);
    app.accept(&token, &shown, "key-1").await.ok();
    assert_eq!(app.sim.collected_by(&buyer.customer, Source::OneClick).len(), 1);
    // Opening a page to pay on is marked as sent like a charge, and no more held up afterwards.
    let attempt = app.accept(&hosted_token, &hosted, "key-2").await.ok();
    assert_eq!(attempt["status"], "checkout_required", "{attempt}");
}
