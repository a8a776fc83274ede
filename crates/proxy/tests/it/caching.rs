//! What may be kept of an answer, and by whom: nothing of a buyer's, and for ever what is named by its content.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{GOOD_CARD, MERCHANT_KEY, Options, SHOP, TestApp};

/// Every call of the description, with ids filled in.
fn calls() -> Vec<(Method, String)> {
    let described: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    let mut calls = Vec::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            calls.push((method.to_uppercase().parse().unwrap(), path.replace("{id}", "at_1")));
        }
    }
    calls
}

/// A cache that goes by the address, such as a service worker of the page, would show one buyer's offer to the next.
#[tokio::test]
async fn no_answer_of_the_api_is_kept_or_taken_for_another_buyers() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let subscriber = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let tokens = [
        app.offer_token(&buyer).await,
        app.plans_token(&subscriber).await,
        MERCHANT_KEY.into(),
        "none".into(),
    ];
    let calls = calls();
    assert!(calls.len() >= 20, "{calls:?}");
    let mut answered = 0;
    for (method, path) in calls {
        for token in &tokens {
            for origin in [SHOP, "https://other.example"] {
                let request = app.request(method.clone(), &path).bearer_auth(token).header("origin", origin);
                let answer = app.send(request.json(&json!({}))).await;
                answered += u32::from(answer.status < 300);
                let case = format!("{method} {path} {} {:?}", answer.status, answer.headers);
                assert_eq!(answer.headers["cache-control"], "no-store", "{case}");
                let vary: Vec<_> =
                    answer.headers.get_all("vary").iter().map(|v| v.to_str().unwrap()).collect();
                let vary = vary.join(",").to_lowercase();
                for name in ["authorization", "origin"] {
                    assert!(vary.split(',').any(|part| part.trim() == name), "{name} {case}");
                }
            }
        }
    }
    assert!(answered >= 4, "{answered} calls were answered with something to keep");
}

#[tokio::test]
async fn a_file_is_kept_for_ever_only_where_its_name_says_its_content() {
    let dist = tempfile::tempdir().unwrap();
    let (widget, page) = (dist.path().join("embed"), dist.path().join("spa"));
    for folder in [&widget, &page] {
        std::fs::create_dir_all(folder).unwrap();
        // Of the empty text, by the SHA-2 standard's test values; and one that says what it is not.
        std::fs::write(folder.join("element.e3b0c44298fc1c14.js"), "").unwrap();
        std::fs::write(folder.join("element.e3b0c44298fc1c15.js"), "").unwrap();
        std::fs::write(folder.join("upsell.js"), "").unwrap();
    }
    std::fs::write(page.join("index.html"), "<!doctype html>").unwrap();
    let options = Options { widget_dir: Some(widget), spa_dir: Some(page), ..Options::default() };
    let app = TestApp::spawn_with(options).await;
    let (long, short) = ("public, max-age=31536000, immutable", "public, max-age=300");
    for folder in ["", "/upgrade"] {
        for (name, kept) in [
            ("element.e3b0c44298fc1c14.js", long),
            ("element.e3b0c44298fc1c15.js", short),
            ("upsell.js", short),
        ] {
            let path = format!("{folder}/{name}");
            let answer = app.send(app.request(Method::GET, &path)).await;
            assert_eq!(answer.headers["cache-control"], kept, "{path}");
            let tag = answer.headers["etag"].clone();
            let again = app.send(app.request(Method::GET, &path).header("if-none-match", tag)).await;
            assert_eq!(
                (again.status, again.headers["cache-control"].to_str().unwrap()),
                (304, kept),
                "{path}"
            );
        }
        // What is gone may be back with the next release.
        let gone = app.send(app.request(Method::GET, &format!("{folder}/element.0000000000000000.js"))).await;
        assert_eq!(gone.code(), "not_found");
        let read_by = gone.headers.get("access-control-allow-origin").map(|origin| origin.to_str().unwrap());
        assert_eq!(
            read_by,
            folder.is_empty().then_some("*"),
            "a page anywhere is told that the part is gone"
        );
        // Asked for past every cache, as a loader does whose part is gone.
        let fresh = app.send(app.request(Method::GET, &format!("{folder}/upsell.js?fresh=1"))).await;
        assert_eq!(fresh.status, 200);
    }
    assert_eq!(app.send(app.request(Method::GET, "/upgrade/")).await.headers["cache-control"], "no-cache");
}
