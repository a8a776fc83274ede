//! The shop over HTTP, with stand-ins for Dodo and the proxy that write down what they are asked.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod fakes;

use fakes::{Fakes, Paid};
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_purchase_ends_on_a_page_with_the_offer() {
    let fakes = Fakes::start().await;
    let shop = fakes.shop().await;

    let bought = shop.post("/buy/prod_starter_course?theme=dark").await;
    assert_eq!(bought.status, StatusCode::SEE_OTHER);
    assert_eq!(bought.location.as_deref(), Some("https://checkout.example/session/cks_1"));
    let asked = fakes.checkouts();
    assert_eq!(asked[0]["product_cart"], json!([{"product_id": "prod_starter_course", "quantity": 1}]));
    assert_eq!(asked[0]["return_url"], format!("{}/success?theme=dark", shop.url));

    fakes.pay(Paid::Once);
    let page = shop.get("/success?theme=dark&payment_id=pay_forged&status=succeeded").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains(&format!("<script type=\"module\" src=\"{}/upsell.js\">", fakes.url)));
    assert!(
        page.body.contains("<upsell-offer") && page.body.contains("token=\"tok_offer\""),
        "{}",
        page.body
    );
    assert!(page.body.contains("theme=\"dark\""));
    assert_eq!(page.cache_control.as_deref(), Some("no-store"), "the page holds a token");
    // Who bought what is Dodo's word; what the address said is nowhere.
    assert_eq!(
        fakes.sessions(),
        [json!({"purpose": "offer", "payment_id": "pay_1", "customer_id": "cus_1"})]
    );
    assert!(!page.body.contains("pay_forged"));
    assert!(page.body.contains("A &lt;b&gt;Buyer"), "names are text");
}

#[tokio::test]
async fn nobody_gets_a_token_without_a_checkout_of_their_own() {
    let fakes = Fakes::start().await;
    let (shop, stranger) = (fakes.shop().await, fakes.shop().await);
    shop.post("/buy/prod_starter_course").await;
    fakes.pay(Paid::Once);

    let page = stranger.get("/success?payment_id=pay_1&status=succeeded").await;
    assert_eq!((page.status, page.location.as_deref()), (StatusCode::SEE_OTHER, Some("/")));
    assert!(!stranger.get("/account").await.body.contains("upsell-plans"));
    assert!(fakes.sessions().is_empty());
}

#[tokio::test]
async fn a_subscriber_can_compare_plans_here_and_on_the_standalone_page() {
    let fakes = Fakes::start().await;
    let shop = fakes.shop().await;
    assert!(shop.get("/account").await.body.contains("no subscription yet"));

    shop.post("/buy/prod_basic_plan").await;
    fakes.pay(Paid::Monthly);
    shop.get("/success").await;
    let page = shop.get("/account?locale=ja&dir=rtl").await;
    assert!(
        page.body.contains("<upsell-plans") && page.body.contains("token=\"tok_plans\""),
        "{}",
        page.body
    );
    assert!(page.body.contains(&format!("{}/upgrade/#token=tok_plans", fakes.url)));
    assert!(page.body.contains("<html lang=\"ja\" dir=\"rtl\""));
    assert_eq!(
        fakes.sessions().last(),
        Some(
            &json!({"purpose": "plans", "subscription_id": "sub_1", "signed_in": true, "customer_id": "cus_1", "locale": "ja"})
        )
    );

    // A second purchase is made as the same customer, so that the saved card is there.
    shop.post("/buy/prod_single_license").await;
    assert_eq!(fakes.checkouts()[1]["customer"], json!({"customer_id": "cus_1"}));
}

#[tokio::test]
async fn the_page_is_whole_without_the_proxy() {
    let fakes = Fakes::start().await;
    let shop = fakes.shop_without_proxy().await;
    shop.post("/buy/prod_starter_course").await;
    fakes.pay(Paid::Once);
    let page = shop.get("/success").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Thank you") && !page.body.contains("upsell"), "{}", page.body);
}

#[tokio::test]
async fn what_is_not_paid_is_not_thanked_for() {
    let fakes = Fakes::start().await;
    let shop = fakes.shop().await;
    shop.post("/buy/prod_starter_course").await;
    for (paid, words) in [(Paid::NotYet, "Nearly there"), (Paid::Never, "nothing was charged")] {
        fakes.pay(paid);
        let page = shop.get("/success?status=succeeded").await;
        assert!(page.body.contains(words) && !page.body.contains("Thank you"), "{}", page.body);
    }
    // Nobody knows: nothing is said of what became of the money.
    for (paid, words) in [(Paid::Unheard, "Nearly there"), (Paid::Unreachable, "instead of paying again")] {
        fakes.pay(paid);
        let page = shop.get("/success").await;
        assert!(
            page.body.contains(words) && !page.body.to_lowercase().contains("was charged"),
            "{}",
            page.body
        );
    }
    assert!(fakes.sessions().is_empty());
}

#[tokio::test]
async fn a_strict_policy_names_the_proxy_and_nothing_else() {
    let fakes = Fakes::start().await;
    let shop = fakes.shop().await;
    shop.post("/buy/prod_starter_course").await;
    fakes.pay(Paid::Once);
    let policy = shop.get("/success?csp=strict").await.csp.unwrap();
    assert!(policy.contains(&format!("script-src {} 'wasm-unsafe-eval';", fakes.url)), "{policy}");
    assert!(!shop.get("/success?csp=no-wasm").await.csp.unwrap().contains("wasm-unsafe-eval"));
    assert_eq!(shop.get("/success").await.csp, None);
}

#[tokio::test]
async fn bad_addresses_are_refused() {
    let fakes = Fakes::start().await;
    let shop = fakes.shop().await;
    assert_eq!(shop.post("/buy/prod_unknown").await.status, StatusCode::NOT_FOUND);
    assert_eq!(shop.get("/?theme=%22%3E%3Cscript%3E").await.status, StatusCode::BAD_REQUEST);
    assert!(fakes.checkouts().is_empty());
}
