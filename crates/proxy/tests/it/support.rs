//! The story of an attempt, told beside the running proxy.

use proxy::{
    store::{AttemptFilter, Cursor, Database, Purge, open_read_only},
    support,
};
use upsell_core::domain::Tenant;
use wire::AttemptId;

use crate::harness::{GOOD_CARD, TestApp};

#[tokio::test]
async fn attempts_are_explained_while_the_proxy_runs() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    let attempt = app.accept(&token, &shown, "key-1").await.ok();
    let attempt = app.settled(&token, "/v1/upsell", attempt).await;
    let tenant = Tenant { merchant: "tests".into(), mode: dodo_client::Mode::Test };
    let database = Database::Sqlite(app.database());
    let store = open_read_only(&database, &tenant).await.unwrap().unwrap();
    let id = attempt["attempt_id"].as_str().unwrap();
    let listed =
        support::list(store.as_ref(), &AttemptFilter { limit: 5, ..AttemptFilter::default() }).await.unwrap();
    assert!(listed.contains(id) && listed.lines().count() == 1, "{listed}");
    let story = support::explain(store.as_ref(), &AttemptId::parse(id).unwrap()).await.unwrap().unwrap();
    let total = format!("The buyer agreed to {} USD", shown["quote"]["total"]);
    let reference = attempt["receipt"]["reference"].as_str().unwrap();
    for part in [
        total.as_str(),
        reference,
        buyer.customer.as_str(),
        "The click arrived",
        "may have left",
        "was collected",
    ] {
        assert!(story.contains(part), "{part:?} is not told:\n{story}");
    }
    // Nothing can be changed through it.
    assert!(store.purge_step(Purge::Quotes, wire::UnixSeconds(i64::MAX), &Cursor::start(), 1).await.is_err());
    let nobody = Tenant { merchant: "nobody".into(), ..tenant };
    assert!(open_read_only(&database, &nobody).await.unwrap().is_none());
}
