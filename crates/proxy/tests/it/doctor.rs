//! A set-up examined beside the running proxy: what is fine is not called wrong, and what is wrong is found.

use proxy::{
    doctor::{self, Finding, Verdict},
    settings::Settings,
    store::Database,
};

use crate::harness::{Options, TestApp};

async fn wrong(settings: &Settings) -> Vec<Finding> {
    let mut findings = doctor::examine(settings).await.unwrap();
    findings.retain(|finding| finding.verdict == Verdict::Bad);
    findings
}

/// Checks that there is exactly one thing wrong, and that it is said like this.
#[track_caller]
fn only(found: &[Finding], what: &str, text: &str) {
    assert!(matches!(found, [finding] if finding.what == what && finding.text.contains(text)), "{found:?}");
}

#[tokio::test]
async fn a_good_set_up_is_called_good() {
    let app = TestApp::spawn().await;
    let findings = doctor::examine(&app.settings).await.unwrap();
    for what in ["settings", "store", "Dodo", "clock", "offers", "webhooks"] {
        let good = |finding: &&Finding| finding.what == what && finding.verdict == Verdict::Good;
        assert!(findings.iter().any(|finding| good(&finding)), "{what}: {findings:?}");
    }
    assert_eq!(wrong(&app.settings).await, []);
    // Nothing was done at Dodo, and nothing is told that a passer-by may not read.
    assert_eq!(app.sim.requests_to("POST", ""), 0);
    let printed: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    assert_eq!(crate::canaries::leak(&printed), None);
}

#[tokio::test]
async fn a_key_that_dodo_refuses_is_found() {
    let app = TestApp::spawn().await;
    let mut settings = app.settings.clone();
    let key = dodo_client::ApiKey::parse("dodo_test_of_somebody_else").unwrap();
    settings.dodo = dodo_client::Config::new(dodo_client::Mode::Test, key).with_base_url(app.sim.url());
    only(&wrong(&settings).await, "Dodo", "refuses the key");
}

#[tokio::test]
async fn a_dodo_that_cannot_be_reached_is_found() {
    let app = TestApp::spawn().await;
    let mut settings = app.settings.clone();
    settings.dodo = settings.dodo.with_base_url("http://127.0.0.1:1");
    only(&wrong(&settings).await, "Dodo", "cannot be asked");
}

#[tokio::test]
async fn a_product_that_is_not_there_or_no_plan_is_found() {
    let rules = include_str!("../../upsell.toml");
    let missing = rules.replace("prod_mini_bundle", "prod_nobody_made");
    assert_ne!(missing, rules);
    let app = TestApp::spawn_with(Options { rules: Some(missing), ..Options::default() }).await;
    only(&wrong(&app.settings).await, "offers", "prod_nobody_made does not exist");
    let no_plan = rules.replace("prod_max_plan", "prod_toolkit");
    let app = TestApp::spawn_with(Options { rules: Some(no_plan), ..Options::default() }).await;
    let found = wrong(&app.settings).await;
    assert!(found.iter().all(|finding| finding.what == "offers"), "{found:?}");
    assert!(
        found.iter().any(|finding| finding.text.contains("listed under plans, and is none")),
        "{found:?}"
    );
}

#[tokio::test]
async fn webhooks_that_go_elsewhere_or_are_signed_otherwise_are_found() {
    let app = TestApp::spawn().await;
    let endpoint = |url: String, secret: &str| serde_json::json!({"url": url, "secret": secret});
    let here = format!("{}/webhooks/dodo", app.url);
    let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    app.sim.post("/_sim/webhooks/endpoint", endpoint(here, other)).await.unwrap();
    only(&wrong(&app.settings).await, "webhooks", "not in DODO_PAYMENTS_WEBHOOK_KEY");
    app.sim
        .post("/_sim/webhooks/endpoint", endpoint("http://elsewhere.example/x".to_owned(), other))
        .await
        .unwrap();
    only(&wrong(&app.settings).await, "webhooks", "sends none here");
}

#[tokio::test]
async fn a_store_that_cannot_be_written_or_is_damaged_is_found() {
    let app = TestApp::spawn().await;
    let mut settings = app.settings.clone();
    settings.database = Database::Sqlite("/proc/nowhere/upsell.sqlite".into());
    only(&wrong(&settings).await, "store", "cannot be written");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("upsell.sqlite");
    std::fs::write(&path, "this is no database, and long enough to be looked at as one".repeat(20)).unwrap();
    settings.database = Database::Sqlite(path);
    only(&wrong(&settings).await, "store", "not a database");
    settings.database = Database::Sqlite(folder.path().join("new.sqlite"));
    assert_eq!(wrong(&settings).await, [], "one that is not there yet is made by the first start");
}
