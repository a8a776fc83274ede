//! A token is good in one browser (I24): the first that uses it, or the one that was named when it was minted. Pages are cached,
//! translated, restored and duplicated, and the token in them with the page.

use std::sync::Arc;

use proxy::clock::{Clock, ManualClock, SystemClock};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, BROWSER, Buyer, GOOD_CARD, MERCHANT_KEY, Options, SHOP, TestApp};

const STRANGER: &str = "a-stranger-keeps-this-in-another-browser";
/// Secrets of pages in a browser that keeps nothing: another one after each reload.
const PAGE: &str = "page-0123456789abcdef0123456789abcdef";
const RELOADED: &str = "page-fedcba9876543210fedcba9876543210";

/// A browser with a token.
struct Visitor<'a> {
    app: &'a TestApp,
    browser: Option<&'a str>,
    token: &'a str,
}

impl Visitor<'_> {
    async fn get(&self, path: &str) -> Answer {
        let request = self.app.request_of(self.browser, Method::GET, path).bearer_auth(self.token);
        self.app.send(request.header("origin", SHOP)).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        let request = self.app.request_of(self.browser, Method::POST, path).bearer_auth(self.token);
        self.app.send(request.header("origin", SHOP).header("idempotency-key", "a-key").json(&body)).await
    }

    async fn accept(&self, shown: &Value) -> Answer {
        let body = json!({"offer_id": shown["offer"]["id"], "quote_id": shown["quote"]["id"]});
        self.post("/v1/upsell/accept", body).await
    }

    /// Asks for everything that a token is good for, and returns what is answered with.
    async fn everything(&self, shown: &Value, attempt: &str) -> Vec<Answer> {
        let (offer, quote) = (&shown["offer"]["id"], &shown["quote"]["id"]);
        vec![
            self.get("/v1/upsell").await,
            self.get(&format!("/v1/upsell/attempts/{attempt}")).await,
            self.post("/v1/upsell/accept", json!({"offer_id": offer, "quote_id": quote})).await,
            self.post("/v1/upsell/decline", json!({"offer_id": offer})).await,
            self.post("/v1/upsell/seen", json!({"offer_id": offer})).await,
            self.post("/v1/upsell/handover", json!({})).await,
        ]
    }
}

async fn bought(app: &TestApp, card: &str) -> (Buyer, String) {
    let buyer = app.sim.buyer_of("prod_starter_course", Some(card)).unwrap();
    let token = app.offer_token(&buyer).await;
    (buyer, token)
}

fn charges(app: &TestApp) -> usize {
    app.sim.charging_requests().len()
}

fn assert_says_nothing_of(buyer: &Buyer, answer: &Answer) {
    let mut body = answer.body.clone();
    body["request_id"].take();
    let same = json!({
        "code": "bound_elsewhere", "request_id": null, "status": 401, "title": "The token belongs to another browser",
    });
    assert_eq!(body, same);
    assert!(!answer.body.to_string().contains(buyer.customer.as_str()));
}

async fn take_over(app: &TestApp, code: &str, browser: &str) -> Answer {
    let request =
        app.request_of(None, Method::POST, "/v1/handover/redeem").header("origin", app.url.as_str());
    app.send(request.json(&json!({"code": code, "browser": browser}))).await
}

/// What a page cache does: the first buyer's page, with their token, is served to somebody else.
#[tokio::test]
async fn a_stranger_with_the_buyers_token_learns_and_moves_nothing() {
    let app = TestApp::spawn().await;
    let (buyer, token) = bought(&app, GOOD_CARD).await;
    let shown = app.look(&token).await;
    assert_eq!(shown["eligible"], true, "{shown}");
    for stranger in [STRANGER, PAGE] {
        let stranger = Visitor { app: &app, browser: Some(stranger), token: &token };
        for answer in stranger.everything(&shown, "at_1").await {
            assert_says_nothing_of(&buyer, &answer);
        }
    }
    assert_eq!(charges(&app), 0);
    // For the buyer nothing has changed: neither accepted nor declined, and not limited either.
    assert_eq!(app.look(&token).await["offer"], shown["offer"]);
    let attempt = app.accept(&token, &shown, "key-1").await.ok();
    assert_eq!(app.settled(&token, "/v1/upsell", attempt).await["status"], "succeeded");
    assert_eq!(charges(&app), 1);
}

/// The stranger may have come first: then the true buyer is shown nothing, and nothing of theirs is charged by them.
#[tokio::test]
async fn who_comes_second_gets_nothing_whoever_it_is() {
    let app = TestApp::spawn().await;
    let (buyer, token) = bought(&app, GOOD_CARD).await;
    let stranger = Visitor { app: &app, browser: Some(STRANGER), token: &token };
    let shown = stranger.get("/v1/upsell").await.ok();
    for answer in
        (Visitor { app: &app, browser: Some(BROWSER), token: &token }).everything(&shown, "at_1").await
    {
        assert_says_nothing_of(&buyer, &answer);
    }
    assert_eq!(charges(&app), 0);
    // A token of their own, as the merchant's server mints it for each page that it builds, is bound by them.
    let again = app.offer_token(&buyer).await;
    assert_eq!(app.look(&again).await["eligible"], true);
}

#[tokio::test]
async fn without_a_browsers_secret_a_token_opens_nothing_and_binds_nothing() {
    let app = TestApp::spawn().await;
    let (_, token) = bought(&app, GOOD_CARD).await;
    let long = "x".repeat(129);
    for secret in
        [None, Some(""), Some("short"), Some("with a space and more than 32 characters"), Some(&long)]
    {
        let visitor = Visitor { app: &app, browser: secret, token: &token };
        assert_eq!(visitor.get("/v1/upsell").await.code(), "unauthorized", "{secret:?}");
    }
    let twice =
        app.request(Method::GET, "/v1/upsell").header(wire::BROWSER_HEADER, STRANGER).bearer_auth(&token);
    assert_eq!(app.send(twice).await.code(), "unauthorized", "two secrets");
    assert_eq!(app.look(&token).await["eligible"], true, "still free");
}

/// Browsers that use one token for the first time at the same moment: one of them may look and pay.
#[tokio::test]
async fn of_browsers_that_race_one_gets_the_offer() {
    let app = TestApp::spawn().await;
    for _ in 0..8 {
        let (_, token) = bought(&app, GOOD_CARD).await;
        let secrets: Vec<String> =
            (0..6).map(|n| format!("a-browser-in-a-race-has-the-number-{n}")).collect();
        let racing = secrets.iter().map(|secret| {
            let visitor = Visitor { app: &app, browser: Some(secret), token: &token };
            async move { visitor.get("/v1/upsell").await }
        });
        let answers = futures_util::future::join_all(racing).await;
        let shown: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(shown.len(), 1, "{answers:?}");
        assert!(answers.iter().filter(|it| it.status != 200).all(|it| it.code() == "bound_elsewhere"));
        let before = charges(&app);
        let pressing = secrets.iter().map(|secret| {
            let visitor = Visitor { app: &app, browser: Some(secret), token: &token };
            let shown = &shown[0].body;
            async move { visitor.accept(shown).await.status }
        });
        let pressed = futures_util::future::join_all(pressing).await;
        assert_eq!(pressed.iter().filter(|status| **status == 200).count(), 1, "{pressed:?}");
        assert_eq!(charges(&app), before + 1);
    }
}

/// A browser that keeps nothing has another secret after a reload: it learns how the charge stands, and no more. Nobody else does.
#[tokio::test]
async fn a_reload_without_storage_learns_the_state_of_a_charge() {
    let app = TestApp::spawn().await;
    let (buyer, token) = bought(&app, GOOD_CARD).await;
    let page = Visitor { app: &app, browser: Some(PAGE), token: &token };
    let reloaded = Visitor { app: &app, browser: Some(RELOADED), token: &token };
    let stranger = Visitor { app: &app, browser: Some(STRANGER), token: &token };
    let shown = page.get("/v1/upsell").await.ok();
    // There is no charge yet: there is nothing to say.
    assert_says_nothing_of(&buyer, &reloaded.get("/v1/upsell").await);
    let attempt = page.accept(&shown).await.ok();
    assert!(
        attempt["receipt"]["payment_method"].is_object(),
        "there is something to be silent about: {attempt}"
    );
    let id = attempt["attempt_id"].as_str().unwrap();
    let told = reloaded.get("/v1/upsell").await.ok();
    let status = &attempt["status"];
    let state = json!({
        "success": attempt["success"], "status": status, "attempt_id": id, "hosted_checkout_offered": false,
    });
    assert_eq!(told["attempt"], state, "{attempt}");
    assert_eq!(told.as_object().unwrap().len(), 3, "eligible, reason and the attempt: {told}");
    assert_eq!(reloaded.get(&format!("/v1/upsell/attempts/{id}")).await.ok(), state);
    for (path, body) in [
        ("/v1/upsell/accept", json!({"offer_id": shown["offer"]["id"], "quote_id": shown["quote"]["id"]})),
        ("/v1/upsell/decline", json!({"offer_id": shown["offer"]["id"]})),
        ("/v1/upsell/handover", json!({})),
    ] {
        assert_says_nothing_of(&buyer, &reloaded.post(path, body).await);
    }
    for path in ["/v1/upsell".to_owned(), format!("/v1/upsell/attempts/{id}")] {
        assert_says_nothing_of(&buyer, &stranger.get(&path).await);
    }
}

#[tokio::test]
async fn the_merchants_server_may_say_whose_browser_it_is() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let request = json!({
        "customer_id": buyer.customer, "purpose": "offer", "payment_id": buyer.payment, "browser": BROWSER,
    });
    let token = app.mint(request.clone()).await;
    let stranger = Visitor { app: &app, browser: Some(STRANGER), token: &token };
    assert_says_nothing_of(&buyer, &stranger.get("/v1/upsell").await);
    assert_eq!(app.look(&token).await["eligible"], true);
    for wrong in ["", "short", "with a space and more than 32 characters"] {
        let mut request = request.clone();
        request["browser"] = json!(wrong);
        let answer = app.post(MERCHANT_KEY, "/v1/sessions", request).await;
        assert_eq!(
            (answer.code().as_str(), answer.body["field"].as_str()),
            ("invalid_request", Some("browser"))
        );
    }
}

/// The proxy's own page goes on under a session of its own, beside the first.
#[tokio::test]
async fn a_page_of_another_origin_takes_over_by_a_one_time_code() {
    let app = TestApp::spawn().await;
    let (buyer, token) = bought(&app, GOOD_CARD).await;
    let shown = app.look(&token).await;
    let handed = app.post(&token, "/v1/upsell/handover", json!({})).await.ok();
    let code = handed["code"].as_str().unwrap();
    assert!(code.len() >= 43 && code != token, "256 bits of its own");
    let answers = futures_util::future::join_all((0..6).map(|_| take_over(&app, code, PAGE))).await;
    let taken: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(taken.len(), 1, "{answers:?}");
    assert!(answers.iter().filter(|it| it.status != 200).all(|it| it.code() == "not_found"));
    assert_eq!(take_over(&app, code, STRANGER).await.code(), "not_found", "replayed");
    let own = taken[0].body["token"].as_str().unwrap();
    // It is bound from its beginning, and each of the two sessions to its own browser.
    let page = Visitor { app: &app, browser: Some(PAGE), token: own };
    for (browser, token) in [(BROWSER, own), (STRANGER, own), (PAGE, token.as_str())] {
        let elsewhere = Visitor { app: &app, browser: Some(browser), token };
        assert_says_nothing_of(&buyer, &elsewhere.get("/v1/upsell").await);
    }
    assert_eq!(page.get("/v1/upsell").await.ok()["offer"], shown["offer"]);
    let attempt = page.accept(&shown).await.ok();
    // What is done on one page is seen on the other, and charged once.
    let id = attempt["attempt_id"].as_str().unwrap();
    assert_eq!(app.get(&token, &format!("/v1/upsell/attempts/{id}")).await.ok()["attempt_id"], id);
    assert_ne!(app.look(&token).await["eligible"], true);
    assert_eq!(charges(&app), 1);
}

/// Who has stolen a code has to be the first to use it, within two minutes; and whatever it is not, it opens nothing.
#[tokio::test]
async fn a_code_is_worth_nothing_late_replaced_or_made_up() {
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let options = Options { clock: Some(Arc::clone(&clock)), ..Options::default() };
    let app = TestApp::spawn_with(options).await;
    let (_, token) = bought(&app, GOOD_CARD).await;
    let hand_over = || async {
        app.post(&token, "/v1/upsell/handover", json!({})).await.ok()["code"].as_str().unwrap().to_owned()
    };
    let late = hand_over().await;
    clock.advance(121);
    assert_eq!(take_over(&app, &late, STRANGER).await.code(), "not_found");
    let (replaced, good) = (hand_over().await, hand_over().await);
    assert_eq!(take_over(&app, &replaced, STRANGER).await.code(), "not_found");
    for wrong in ["", "x", &token, &"x".repeat(43)] {
        assert_eq!(take_over(&app, wrong, STRANGER).await.code(), "not_found", "{wrong}");
    }
    assert_eq!(take_over(&app, &good, "short").await.code(), "invalid_request", "and the code stays good");
    let own = take_over(&app, &good, PAGE).await.ok();
    // It ends with the session that it comes from.
    let own = own["token"].as_str().unwrap();
    let page = Visitor { app: &app, browser: Some(PAGE), token: own };
    assert_eq!(page.get("/v1/upsell").await.status, 200);
    clock.advance(15 * 60 - 121);
    assert_eq!(page.get("/v1/upsell").await.code(), "unauthorized");
    assert_eq!(app.get(&token, "/v1/upsell").await.code(), "unauthorized");
}

/// A token for plans is bound like one for offers.
#[tokio::test]
async fn plans_answer_to_one_browser_too() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let token = app.plans_token(&buyer).await;
    app.get(&token, "/v1/plans").await.ok();
    let preview = json!({"product_id": "prod_pro_plan"});
    let quote = app.post(&token, "/v1/plans/preview", preview.clone()).await.ok();
    let stranger = Visitor { app: &app, browser: Some(STRANGER), token: &token };
    for path in ["/v1/plans", "/v1/plans/attempts/at_1"] {
        assert_says_nothing_of(&buyer, &stranger.get(path).await);
    }
    for (path, body) in [
        ("/v1/plans/preview", preview),
        ("/v1/plans/change", json!({"quote_id": quote["quote"]["id"]})),
        ("/v1/plans/cancellation", json!({})),
        ("/v1/plans/payment-method", json!({})),
        ("/v1/plans/handover", json!({})),
    ] {
        assert_says_nothing_of(&buyer, &stranger.post(path, body).await);
    }
    assert!(app.sim.change_requests_of(buyer.subscription.as_ref().unwrap()).is_empty());
    let code = app.post(&token, "/v1/plans/handover", json!({})).await.ok();
    let own = take_over(&app, code["code"].as_str().unwrap(), PAGE).await.ok();
    let page = Visitor { app: &app, browser: Some(PAGE), token: own["token"].as_str().unwrap() };
    page.get("/v1/plans").await.ok();
    assert_eq!(page.get("/v1/upsell").await.code(), "unauthorized", "the purpose is handed over, too");
}
