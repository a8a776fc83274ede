//! Every endpoint with everything that can be wrong: a problem with a code, and no state changed.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{BROWSER, MERCHANT_KEY, SHOP, TestApp};

/// Endpoints that take a JSON body, with one that they would take.
fn bodies(offer: &Value, quote: &Value, customer: &str) -> Vec<(&'static str, Who, Value)> {
    vec![
        ("/v1/sessions", Who::Merchant, json!({"customer_id": customer, "purpose": "offer"})),
        ("/v1/events", Who::Merchant, json!({"customer_id": customer, "trigger": "near_plan_limit"})),
        ("/v1/upsell/accept", Who::Offer, json!({"offer_id": offer, "quote_id": quote})),
        ("/v1/upsell/decline", Who::Offer, json!({"offer_id": offer})),
        ("/v1/upsell/seen", Who::Offer, json!({"offer_id": offer})),
        ("/v1/upsell/redeem", Who::Nobody, json!({"nonce": "x"})),
        ("/v1/handover/redeem", Who::Nobody, json!({"code": "x", "browser": BROWSER})),
        ("/v1/checkouts", Who::Nobody, json!({"product_id": "prod_starter_course"})),
        ("/v1/plans/preview", Who::Plans, json!({"product_id": "prod_pro_plan"})),
        ("/v1/plans/change", Who::Plans, json!({"quote_id": quote})),
        ("/v1/plans/stay-offer", Who::Plans, json!({"intent": "cancel_intent"})),
        ("/v1/plans/decline", Who::Plans, json!({"offer_id": offer})),
    ]
}

/// Endpoints without a body.
const BARE: [(Method, &str, Who); 10] = [
    (Method::GET, "/v1/upsell", Who::Offer),
    (Method::GET, "/v1/upsell/attempts/at_1", Who::Offer),
    (Method::POST, "/v1/upsell/handover", Who::Offer),
    (Method::POST, "/v1/plans/handover", Who::Plans),
    (Method::GET, "/v1/plans", Who::Plans),
    (Method::GET, "/v1/plans/attempts/at_1", Who::Plans),
    (Method::DELETE, "/v1/plans/scheduled", Who::Plans),
    (Method::POST, "/v1/plans/payment-method", Who::Plans),
    (Method::POST, "/v1/plans/cancellation", Who::Plans),
    (Method::DELETE, "/v1/plans/cancellation", Who::Plans),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Merchant,
    Offer,
    Plans,
    Nobody,
}

/// A proxy with one buyer who has an offer on the page and a subscription.
struct Scene {
    app: TestApp,
    offer_token: String,
    plans_token: String,
    shown: Value,
    customer: String,
}

impl Scene {
    async fn set() -> Self {
        let app = TestApp::spawn().await;
        let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
        let payment = app.sim.purchase(&buyer.customer, "prod_starter_course").unwrap();
        let request = json!({"customer_id": buyer.customer, "purpose": "offer", "payment_id": payment});
        let offer_token = app.mint(request).await;
        let plans_token = app.plans_token(&buyer).await;
        let shown = app.look(&offer_token).await;
        assert_eq!(shown["eligible"], true, "{shown}");
        app.quiet().await;
        Self { app, offer_token, plans_token, shown, customer: buyer.customer.to_string() }
    }

    fn token(&self, who: Who) -> &str {
        match who {
            Who::Merchant => MERCHANT_KEY,
            Who::Offer => &self.offer_token,
            Who::Plans => &self.plans_token,
            Who::Nobody => "none",
        }
    }

    fn bodies(&self) -> Vec<(&'static str, Who, Value)> {
        bodies(&self.shown["offer"]["id"], &self.shown["quote"]["id"], &self.customer)
    }

    fn request(&self, path: &str, who: Who) -> reqwest::RequestBuilder {
        let request = self.app.request(Method::POST, path).header("idempotency-key", "key-1");
        request.bearer_auth(self.token(who))
    }

    /// Nothing that was sent has changed anything: the offer stands as it was, and Dodo was told nothing.
    async fn assert_unchanged(&self, writes: usize) {
        let now = self.app.look(&self.offer_token).await;
        assert_eq!(now["offer"], self.shown["offer"], "{now}");
        assert_eq!(now["quote"]["id"], self.shown["quote"]["id"]);
        assert_eq!(self.app.sim.requests_to("POST", "/checkouts"), writes);
    }

    async fn writes(&self) -> usize {
        self.app.sim.requests_to("POST", "/checkouts")
    }
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let scene = Scene::set().await;
    let writes = scene.writes().await;
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    for (path, who, good) in scene.bodies() {
        let whole = good.to_string();
        let raw: Vec<(&str, String)> = vec![
            ("nothing", String::new()),
            ("cut short", whole[..whole.len() - 1].to_owned()),
            ("two of them", format!("{whole}{whole}")),
            ("null", "null".to_owned()),
            ("an array", "[]".to_owned()),
            ("text", "\"x\"".to_owned()),
            ("a number", "7".to_owned()),
            ("too deep", deep.clone()),
            ("very deep", format!("{}{}", "[".repeat(5000), "]".repeat(5000))),
            ("a byte order mark", format!("\u{feff}{whole}")),
        ];
        for (name, body) in raw {
            let request = scene.request(path, who).header("content-type", "application/json").body(body);
            assert_eq!(scene.app.send(request).await.code(), "invalid_request", "{path}: {name}");
        }
        let not_utf8 =
            scene.request(path, who).header("content-type", "application/json").body(vec![b'{', 0xff, b'}']);
        assert_eq!(scene.app.send(not_utf8).await.code(), "invalid_request", "{path}");
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
            let request = scene.request(path, who).header("content-type", kind).body(whole.clone());
            assert_eq!(scene.app.send(request).await.code(), "unsupported_media_type", "{path}: {kind}");
        }
        let untyped = scene.request(path, who).body(whole.clone());
        assert_eq!(scene.app.send(untyped).await.code(), "unsupported_media_type", "{path}");
    }
    scene.assert_unchanged(writes).await;
}

#[tokio::test]
async fn fields_that_are_missing_or_of_the_wrong_type_are_named() {
    let scene = Scene::set().await;
    let writes = scene.writes().await;
    for (path, who, good) in scene.bodies() {
        for field in good.as_object().unwrap().keys() {
            for wrong in [json!(null), json!(7), json!([]), json!({}), json!(true)] {
                let mut body = good.clone();
                body[field] = wrong;
                let answer = scene.app.send(scene.request(path, who).json(&body)).await;
                assert_eq!(answer.code(), "invalid_request", "{path} {body}");
                assert_eq!(answer.body["field"].as_str(), Some(field.as_str()), "{path} {body}");
            }
            let mut body = good.clone();
            body.as_object_mut().unwrap().remove(field);
            let answer = scene.app.send(scene.request(path, who).json(&body)).await;
            assert_eq!(answer.code(), "invalid_request", "{path} {body}");
        }
    }
    scene.assert_unchanged(writes).await;
}

#[tokio::test]
async fn ids_that_are_none_or_nobodys() {
    let scene = Scene::set().await;
    let writes = scene.writes().await;
    for id in ["", "../x", "of_1'--", "%00", "x\u{0}y", &"x".repeat(65), "ｏｆ"] {
        for (path, who, good) in scene.bodies() {
            for field in good.as_object().unwrap().keys().filter(|field| field.ends_with("_id")) {
                let mut body = good.clone();
                body[field] = json!(id);
                let answer = scene.app.send(scene.request(path, who).json(&body)).await;
                assert_eq!(answer.code(), "invalid_request", "{path} {body}");
            }
        }
    }
    for (path, body) in [
        ("/v1/upsell/accept", json!({"offer_id": "of_unknown", "quote_id": scene.shown["quote"]["id"]})),
        ("/v1/upsell/accept", json!({"offer_id": scene.shown["offer"]["id"], "quote_id": "qt_unknown"})),
        ("/v1/upsell/decline", json!({"offer_id": "of_unknown"})),
        ("/v1/upsell/seen", json!({"offer_id": "of_unknown"})),
    ] {
        let answer = scene.app.send(scene.request(path, Who::Offer).json(&body)).await;
        assert_eq!(answer.code(), "not_found", "{path} {body}");
    }
    let change =
        scene.request("/v1/plans/change", Who::Plans).json(&json!({"quote_id": scene.shown["quote"]["id"]}));
    assert_eq!(
        scene.app.send(change).await.code(),
        "not_found",
        "an offer's quote is none of the upgrade page's"
    );
    for path in ["/v1/upsell/attempts/at_unknown", "/v1/upsell/attempts/..%2f..", "/v1/upsell/attempts/%ff"] {
        assert_eq!(scene.app.get(&scene.offer_token, path).await.code(), "not_found", "{path}");
    }
    scene.assert_unchanged(writes).await;
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_cut_off() {
    let scene = Scene::set().await;
    let writes = scene.writes().await;
    for (path, who, good) in scene.bodies() {
        let mut body = good.clone();
        body["padding"] = json!("x".repeat(10 * 1024 * 1024));
        let request = scene.request(path, who).json(&body);
        // The answer may come before all was sent; then the connection is closed under the sender.
        match request.send().await {
            Ok(answer) => assert_eq!(answer.status().as_u16(), 413, "{path}"),
            Err(error) => assert!(error.is_request() || error.is_body(), "{path} {error:?}"),
        }
        let mut body = good;
        body["padding"] = json!("x".repeat(16 * 1024));
        let answer = scene.app.send(scene.request(path, who).json(&body)).await;
        assert_eq!(answer.code(), "payload_too_large", "{path}");
    }
    scene.assert_unchanged(writes).await;
}

#[tokio::test]
async fn without_the_right_token_every_endpoint_gives_the_same_answer() {
    let scene = Scene::set().await;
    let writes = scene.writes().await;
    let flipped: String = scene.offer_token.chars().map(|c| if c == 'A' { 'B' } else { 'A' }).collect();
    let longer = format!("{}A", scene.offer_token);
    let bad: Vec<Option<String>> =
        ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer x", "Bearer null", "bearer undefined"]
            .into_iter()
            .map(|header| Some(header.to_owned()))
            .chain([None, Some(format!("Bearer {flipped}")), Some(format!("Bearer {longer}"))])
            .chain([Some(format!("Bearer {}", "x".repeat(5000))), Some(scene.offer_token.clone())])
            .collect();
    let with_body = scene.bodies().into_iter().map(|(path, who, body)| (Method::POST, path, who, Some(body)));
    let bare = BARE.into_iter().map(|(method, path, who)| (method, path, who, None));
    for (method, path, who, body) in with_body.chain(bare).filter(|(_, _, who, _)| *who != Who::Nobody) {
        let foreign = [Who::Merchant, Who::Offer, Who::Plans].into_iter().filter(|other| *other != who);
        let foreign = foreign.map(|other| Some(format!("Bearer {}", scene.token(other))));
        for header in bad.iter().cloned().chain(foreign) {
            let mut request = scene.app.request(method.clone(), path).header("idempotency-key", "key-1");
            if let Some(header) = &header {
                request = request.header("authorization", header);
            }
            if let Some(body) = &body {
                request = request.json(body);
            }
            let mut answer = scene.app.send(request).await;
            assert_eq!(answer.code(), "unauthorized", "{path} {header:?}");
            answer.body["request_id"].take();
            let same = json!({"code": "unauthorized", "request_id": null, "status": 401, "title": "No valid token or key"});
            assert_eq!(answer.body, same, "{path}");
        }
    }
    scene.assert_unchanged(writes).await;
}

#[tokio::test]
async fn charging_needs_a_well_formed_key() {
    let scene = Scene::set().await;
    let writes = scene.writes().await;
    let body = json!({"offer_id": scene.shown["offer"]["id"], "quote_id": scene.shown["quote"]["id"]});
    let accept =
        || scene.app.request(Method::POST, "/v1/upsell/accept").bearer_auth(&scene.offer_token).json(&body);
    let change = || {
        let body = json!({"quote_id": "qt_1"});
        scene.app.request(Method::POST, "/v1/plans/change").bearer_auth(&scene.plans_token).json(&body)
    };
    for request in [accept(), change()] {
        assert_eq!(scene.app.send(request).await.code(), "idempotency_key_missing");
    }
    for key in ["", "\"\"", "a b", "k/../", "\"open", &"k".repeat(65)] {
        for request in [accept(), change()] {
            let answer = scene.app.send(request.header("idempotency-key", key)).await;
            assert_eq!(answer.code(), "idempotency_key_missing", "{key:?}");
        }
    }
    let twice = accept().header("idempotency-key", "a").header("idempotency-key", "b");
    assert_eq!(scene.app.send(twice).await.code(), "idempotency_key_missing");
    scene.assert_unchanged(writes).await;
}

#[tokio::test]
async fn other_methods_and_other_paths() {
    let scene = Scene::set().await;
    let app = &scene.app;
    for (method, path) in [
        (Method::PUT, "/v1/upsell"),
        (Method::POST, "/v1/upsell"),
        (Method::GET, "/v1/upsell/accept"),
        (Method::GET, "/v1/sessions"),
        (Method::GET, "/webhooks/dodo"),
        (Method::PATCH, "/v1/plans/scheduled"),
    ] {
        let answer = app.send(app.request(method.clone(), path).bearer_auth(&scene.offer_token)).await;
        assert_eq!(answer.code(), "method_not_allowed", "{method} {path}");
    }
    for path in
        ["/", "/v1", "/v2/upsell", "/v1/upsell/", "/v1/upsell/../../etc/passwd", "/healthz", "/metrics"]
    {
        assert_eq!(app.send(app.request(Method::GET, path)).await.code(), "not_found", "{path}");
    }
}

#[tokio::test]
async fn only_the_merchants_pages_may_call() {
    let scene = Scene::set().await;
    let app = &scene.app;
    let look = || app.request(Method::GET, "/v1/upsell").bearer_auth(&scene.offer_token);
    for origin in ["https://evil.example", "null", "https://shop.example.evil.example", "http://shop.example"]
    {
        assert_eq!(app.send(look().header("origin", origin)).await.code(), "origin_not_allowed", "{origin}");
    }
    assert_eq!(app.send(look().header("sec-fetch-site", "cross-site")).await.code(), "origin_not_allowed");
    for origin in [SHOP, app.url.as_str()] {
        let answer = app.send(look().header("origin", origin).header("sec-fetch-site", "cross-site")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["access-control-allow-origin"], origin);
        assert!(answer.headers.get("access-control-allow-credentials").is_none());
    }
    let preflight = app
        .request(Method::OPTIONS, "/v1/upsell/accept")
        .header("origin", SHOP)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type,idempotency-key,upsell-browser",
        );
    let answer = app.send(preflight).await;
    assert_eq!(
        (answer.status, &answer.headers["access-control-allow-origin"]),
        (200, &SHOP.parse().unwrap())
    );
    let allowed = answer.headers["access-control-allow-headers"].to_str().unwrap().to_ascii_lowercase();
    for header in ["authorization", "content-type", "idempotency-key", "upsell-browser"] {
        assert!(allowed.contains(header), "{allowed}");
    }
    // A page may read the problem that it is answered with.
    let refused = app.send(app.request(Method::GET, "/v1/upsell").header("origin", SHOP)).await;
    assert_eq!(
        (refused.code().as_str(), &refused.headers["access-control-allow-origin"]),
        ("unauthorized", &SHOP.parse().unwrap())
    );
}

#[tokio::test]
async fn session_requests_with_words_that_are_none() {
    let scene = Scene::set().await;
    for (field, value) in [
        ("purpose", json!("everything")),
        ("trigger", json!("whenever")),
        ("locale", json!("en US\n")),
        ("locale", json!("x".repeat(36))),
        ("country", json!("us")),
        ("country", json!("USA")),
        ("payment_id", json!("pay/1")),
        ("subscription_id", json!("sub?1")),
    ] {
        let mut body = json!({"customer_id": scene.customer, "purpose": "offer"});
        body[field] = value;
        let answer = scene.app.send(scene.request("/v1/sessions", Who::Merchant).json(&body)).await;
        assert_eq!(
            (answer.code().as_str(), answer.body["field"].as_str()),
            ("invalid_request", Some(field)),
            "{body}"
        );
    }
    let plans = json!({"customer_id": scene.customer, "purpose": "plans", "signed_in": true});
    let answer = scene.app.send(scene.request("/v1/sessions", Who::Merchant).json(&plans)).await;
    assert_eq!(
        (answer.code().as_str(), answer.body["field"].as_str()),
        ("invalid_request", Some("subscription_id"))
    );
    for trigger in ["purchase", "whenever"] {
        let event = json!({"customer_id": scene.customer, "trigger": trigger});
        let answer = scene.app.send(scene.request("/v1/events", Who::Merchant).json(&event)).await;
        assert_eq!(
            (answer.code().as_str(), answer.body["field"].as_str()),
            ("invalid_request", Some("trigger"))
        );
    }
}
