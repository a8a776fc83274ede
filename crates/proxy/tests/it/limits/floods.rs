//! Floods: whoever makes too many requests is refused, and nobody else.

use proxy::settings::Limits;
use reqwest::Method;
use serde_json::json;

use super::{assert_says_when, limited};
use crate::{
    harness::{Answer, GOOD_CARD, SHOP, TestApp, WEBHOOK_SECRET},
    webhooks::{deliver, now, signature},
};

/// Few requests a minute, so that a minute's worth is quickly made.
const FEW: fn(&mut Limits) = |limits| {
    limits.gate.per_token = 60;
    limits.gate.per_address = 60;
};

fn trust(limits: &mut Limits) {
    FEW(limits);
    limits.proxies = proxy::client_address::TrustedProxies::parse(["127.0.0.1"]).unwrap();
}

/// A buyer's token.
async fn token(app: &TestApp) -> String {
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    app.offer_token(&buyer).await
}

/// Makes the same request until it is refused for being too many; it must happen within twice the limit.
async fn flood<F: Future<Output = Answer>>(request: impl Fn(usize) -> F) -> (usize, Answer) {
    for made in 0..120 {
        let answer = request(made).await;
        if answer.status == 429 {
            assert_eq!(answer.code(), "rate_limited");
            assert_says_when(&answer);
            return (made, answer);
        }
    }
    panic!("120 requests within a moment, and none too many");
}

#[tokio::test]
async fn a_token_has_its_limit_and_shares_it_with_nobody() {
    let app = limited(FEW).await;
    let (one, other) = (token(&app).await, token(&app).await);
    app.look(&one).await;
    app.look(&other).await;
    let (made, refused) =
        flood(|_| app.send(app.request(Method::GET, "/v1/upsell").bearer_auth(&one).header("origin", SHOP)))
            .await;
    assert!(made >= 60, "{made}");
    // The page has to be able to read it.
    assert_eq!(refused.headers["access-control-allow-origin"], SHOP);
    app.look(&other).await;
    // That token's flood has used up nothing of the address it came from.
    app.look(&token(&app).await).await;
}

#[tokio::test]
async fn what_changes_something_counts_for_several() {
    let app = limited(FEW).await;
    let token = token(&app).await;
    let offer = app.look(&token).await["offer"]["id"].clone();
    let (made, _) = flood(|_| app.post(&token, "/v1/upsell/seen", json!({"offer_id": offer}))).await;
    assert!((15..30).contains(&made), "{made}");
}

#[tokio::test]
async fn an_address_has_its_limit_and_those_who_are_known_have_not() {
    let app = limited(FEW).await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let known = app.offer_token(&buyer).await;
    let shown = app.look(&known).await;
    let newcomer = token(&app).await;
    // Every guess is another token.
    let (made, _) =
        flood(|guess| app.send(app.request(Method::GET, "/v1/upsell").bearer_auth(format!("guess-{guess}"))))
            .await;
    assert!(made >= 50, "{made}");
    // Nothing that anybody could ask for is left to that address.
    for path in ["/v1/upsell", "/v1/plans", "/upsell.js", "/", "/no/such/path"] {
        assert_eq!(app.send(app.request(Method::GET, path)).await.code(), "rate_limited", "{path}");
    }
    assert_eq!(app.get(&newcomer, "/v1/upsell").await.code(), "rate_limited");
    // The merchant is let in, the buyer goes on, and so does Dodo.
    token(&app).await;
    app.sim.purchase(&buyer.customer, "prod_starter_course").unwrap();
    app.quiet().await;
    let attempt = app.accept(&known, &shown, "key-1").await.ok();
    assert_eq!(app.settled(&known, "/v1/upsell", attempt).await["status"], "succeeded");
}

#[tokio::test]
async fn forged_webhooks_use_up_nothing_that_dodo_needs() {
    let app = limited(FEW).await;
    let body = b"{}".to_vec();
    let (made, _) = flood(|_| deliver(&app, "msg_1", now(), "v1,AAAA", body.clone())).await;
    assert!(made >= 3, "{made}");
    let real = json!({"business_id": "bus_sim", "type": "payout.success", "timestamp": "2026-01-01T00:00:00Z",
                      "data": {"payload_type": "Payout"}});
    let real = real.to_string().into_bytes();
    for id in 0..120 {
        let (id, at) = (format!("msg_{id}"), now());
        let signed = signature(WEBHOOK_SECRET, &id, at, &real);
        assert_eq!(deliver(&app, &id, at, &signed, real.clone()).await.status, 204);
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_is_its_own_address() {
    let app = limited(trust).await;
    let from = |forwarded: String| {
        let request = app.request(Method::GET, "/v1/upsell").header("x-forwarded-for", forwarded);
        app.send(request)
    };
    // Whatever a client writes stands before what the proxy writes, and changes nothing.
    let (made, _) = flood(|n| from(format!("198.51.100.{n}, 10.0.0.{n}, 203.0.113.9"))).await;
    assert_eq!(made, 60);
    assert_eq!(from("203.0.113.9".to_owned()).await.code(), "rate_limited");
    assert_eq!(from("203.0.113.10".to_owned()).await.code(), "unauthorized");
    // A host that has a whole network of addresses is one client.
    flood(|n| from(format!("2001:db8:0:1::{n:x}"))).await;
    assert_eq!(from("2001:db8:0:2::1".to_owned()).await.code(), "unauthorized");
}

#[tokio::test]
async fn nobody_else_says_who_they_are() {
    let app = limited(FEW).await;
    let (made, _) = flood(|n| {
        let request = app.request(Method::GET, "/v1/upsell");
        app.send(
            request.header("x-forwarded-for", format!("203.0.113.{n}")).header("forwarded", "for=192.0.2.1"),
        )
    })
    .await;
    assert_eq!(made, 60);
}
