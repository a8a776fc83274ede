//! Starting, stopping, health.

use proxy::{
    Application,
    application::ApplicationError,
    settings::{Arguments, LimitArguments, RetentionArguments, Secrets, Settings},
    store::{OpenError, sqlite},
};

use upsell_core::domain::{KeysError, TagKeys, Tenant};

use crate::harness::{Options, SIGNING_KEYS, TestApp, WEBHOOK_SECRET};

fn settings(database: std::path::PathBuf) -> Settings {
    let arguments = Arguments {
        listen: ([127, 0, 0, 1], 0).into(),
        ops_listen: ([127, 0, 0, 1], 0).into(),
        database,
        config: concat!(env!("CARGO_MANIFEST_DIR"), "/upsell.toml").into(),
        merchant: "tests".to_owned(),
        public_url: None,
        allowed_origins: Vec::new(),
        return_url: None,
        notify_url: None,
        widget_dir: None,
        spa_dir: None,
        environment: dodo_client::Mode::Test,
        restored_at: None,
        dodo_base_url: Some("http://127.0.0.1:9".to_owned()),
        limits: LimitArguments::default(),
        retention: RetentionArguments::default(),
    };
    let secrets = Secrets {
        merchant_key: Some("a-merchant-key-long-enough".to_owned().into()),
        api_key: Some("dodo_test_key".to_owned().into()),
        signing_keys: Some(SIGNING_KEYS.to_owned().into()),
        webhook_key: Some(WEBHOOK_SECRET.to_owned().into()),
        notify_key: None,
        database_url: None,
        database_direct_url: None,
    };
    Settings::check(arguments, secrets).unwrap()
}

#[tokio::test]
async fn a_second_process_on_the_same_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("upsell.sqlite");
    let first = Application::build(settings(database.clone()), None).await.unwrap();
    let second = Application::build(settings(database), None).await;
    assert!(matches!(
        second,
        Err(ApplicationError::Store(OpenError::Sqlite(sqlite::OpenError::InUse { .. })))
    ));
    drop(first);
}

/// What was signed with a key that is not given would not be recognised as ours.
#[tokio::test]
async fn a_start_without_a_signing_key_that_the_store_has_seen_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("upsell.sqlite");
    let keys = |text: String| TagKeys::parse(&text.into()).unwrap();
    let with = |tag_keys| Settings { tag_keys, ..settings(database.clone()) };
    let other = SIGNING_KEYS.replacen("k1:", "k2:", 1);
    drop(Application::build(settings(database.clone()), None).await.unwrap());

    let refused = Application::build(with(keys(other.clone())), None).await.err().unwrap();
    assert!(matches!(&refused, ApplicationError::Keys(KeysError::Missing(id)) if id == "k1"), "{refused}");
    drop(Application::build(with(keys(format!("{other} {SIGNING_KEYS}"))), None).await.unwrap());
    let place = proxy::store::Database::Sqlite(database.clone());
    let tenant = Tenant { merchant: "tests".to_owned(), mode: dodo_client::Mode::Test };
    let store = proxy::store::open(&place, &tenant).await.unwrap().store;
    assert!(store.retire_key("k1", wire::UnixSeconds(1)).await.unwrap());
    store.close().await;
    drop(store);
    Application::build(with(keys(other)), None).await.unwrap();
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for database in [folder.path().to_path_buf(), folder.path().join("no/such/folder/upsell.sqlite")] {
        let error = Application::build(settings(database.clone()), None).await.err().unwrap();
        assert!(error.to_string().contains(&database.display().to_string()), "{error}");
    }
    let junk = folder.path().join("junk.sqlite");
    std::fs::write(&junk, "this is no database, and much too long to be an empty one".repeat(100)).unwrap();
    assert!(Application::build(settings(junk), None).await.is_err());
}

#[tokio::test]
async fn files_that_are_not_there_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path().join("upsell.sqlite"));
    settings.widget_dir = Some(folder.path().join("nothing"));
    let error = Application::build(settings, None).await.err().unwrap();
    assert!(matches!(error, ApplicationError::Files { .. }), "{error}");
}

#[tokio::test]
async fn health_is_told_on_a_listener_of_its_own() {
    let app = TestApp::spawn_with(Options::default()).await;
    let ask =
        async |path: &str| reqwest::get(format!("{}{path}", app.ops_url)).await.unwrap().status().as_u16();
    assert_eq!(ask("/healthz").await, 200);
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while ask("/readyz").await != 200 {
        assert!(tokio::time::Instant::now() < deadline, "never ready");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // The process of the tests records no metrics, and nothing of the API is here.
    assert_eq!(ask("/metrics").await, 404);
    assert_eq!(ask("/v1/upsell").await, 404);
}
