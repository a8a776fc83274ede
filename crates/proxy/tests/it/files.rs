//! The widget's files and the upgrade page.

use reqwest::Method;

use crate::harness::{Options, TestApp};

async fn app() -> (TestApp, tempfile::TempDir) {
    let dist = tempfile::tempdir().unwrap();
    let (widget, page) = (dist.path().join("embed"), dist.path().join("spa"));
    std::fs::create_dir_all(widget.join("snippets/a")).unwrap();
    std::fs::create_dir_all(&page).unwrap();
    for (name, content) in [
        ("upsell.js", "export {}"),
        ("upsell.js.br", "brotli of it"),
        ("upsell.js.gz", "gzip of it"),
        ("upsell_offer_bg.wasm", "\0asm"),
        ("snippets/a/b.js", "0"),
    ] {
        std::fs::write(widget.join(name), content).unwrap();
    }
    std::fs::write(page.join("index.html"), "<!doctype html><script src=\"/upgrade/spa-1a2b.js\"></script>")
        .unwrap();
    std::fs::write(page.join("spa-1a2b.js"), "1").unwrap();
    let options = Options { widget_dir: Some(widget), spa_dir: Some(page), ..Options::default() };
    (TestApp::spawn_with(options).await, dist)
}

#[tokio::test]
async fn the_widgets_files_are_for_every_page_and_sent_compressed() {
    let (app, _dist) = app().await;
    for (accept, encoding, body) in [
        ("gzip, deflate, br", Some("br"), "brotli of it"),
        ("gzip", Some("gzip"), "gzip of it"),
        ("identity", None, "export {}"),
        ("br;q=0", None, "export {}"),
    ] {
        let request = app.request(Method::GET, "/upsell.js").header("accept-encoding", accept);
        // A page anywhere may load it: module scripts are fetched across origins.
        let answer = app
            .send(request.header("origin", "https://any.example").header("sec-fetch-site", "cross-site"))
            .await;
        assert_eq!((answer.status, answer.body.as_str()), (200, Some(body)), "{accept}");
        assert_eq!(answer.headers.get("content-encoding").map(|e| e.to_str().unwrap()), encoding, "{accept}");
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        assert_eq!(answer.headers["vary"], "accept-encoding");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert!(answer.headers["content-type"].to_str().unwrap().contains("javascript"));
    }
    let wasm = app.send(app.request(Method::GET, "/upsell_offer_bg.wasm")).await;
    assert_eq!(wasm.headers["content-type"], "application/wasm");
    assert_eq!(app.send(app.request(Method::GET, "/snippets/a/b.js")).await.status, 200);
    let tag = wasm.headers["etag"].clone();
    let again =
        app.send(app.request(Method::GET, "/upsell_offer_bg.wasm").header("if-none-match", tag)).await;
    assert_eq!((again.status, again.body.as_str()), (304, Some("")));
    for path in
        ["/upsell.js.br", "/../embed/upsell.js", "/snippets/../../spa/index.html", "/snippets", "/%2e%2e/x"]
    {
        assert_eq!(app.send(app.request(Method::GET, path)).await.code(), "not_found", "{path}");
    }
    assert_eq!(app.send(app.request(Method::POST, "/upsell.js")).await.code(), "method_not_allowed");
}

#[tokio::test]
async fn the_upgrade_page_runs_its_own_scripts_only_and_is_not_framed() {
    let (app, _dist) = app().await;
    for path in ["/upgrade", "/upgrade/", "/upgrade/plans"] {
        let answer = app.send(app.request(Method::GET, path)).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.body.as_str().unwrap().starts_with("<!doctype html>"));
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("script-src 'self' 'wasm-unsafe-eval';")
                && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("'unsafe-inline'") && !policy.contains("'unsafe-eval'"), "{policy}");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
    }
    assert_eq!(app.send(app.request(Method::GET, "/upgrade/spa-1a2b.js")).await.body, serde_json::json!(1));
    assert_eq!(app.send(app.request(Method::GET, "/upgrade/none.js")).await.code(), "not_found");
}
