//! Whether the test kit does what tests take for granted.

use serde_json::json;
use upsell_core::domain::OfferState;
use wire::{AttemptStatus, PayWith};

use super::*;

#[tokio::test]
async fn a_proxy_charges_once_is_stopped_and_goes_on_over_the_same_database() {
    let dodo = Dodo::start(7).await.unwrap();
    let setup = Setup::new().unwrap();
    let proxy = Proxy::start(&dodo, &setup).await.unwrap();
    proxy.hear(&dodo).unwrap();
    let customer = dodo.customer(Some(GOOD_CARD)).unwrap();
    let purchase = dodo.purchase(&customer, COURSE).unwrap();
    let token = proxy.mint(&customer, &purchase).await.unwrap();
    let shown = proxy.look(&token).await.unwrap();
    assert_eq!(shown["eligible"], true, "{shown}");
    let accepted = proxy.accept(&token, &shown, "key-1").await.unwrap().ok().unwrap();
    proxy.stop().await.unwrap();
    let proxy = Proxy::start(&dodo, &setup).await.unwrap();
    let attempt = proxy.attempt(&token, accepted["attempt_id"].as_str().unwrap()).await.unwrap();
    assert_eq!(attempt.ok().unwrap()["status"], "succeeded");
    let declined = proxy.decline(&token, &shown).await.unwrap();
    assert_eq!(declined.code(), "offer_gone", "{declined:?}");
    assert_eq!((dodo.charging_requests().len(), dodo.collected().len()), (1, 1));
}

#[tokio::test]
async fn services_that_die_leave_their_database_to_the_next() {
    dies_and_leaves(Database::sqlite().unwrap()).await;
}

#[tokio::test]
async fn it_does_so_on_postgresql() {
    dies_and_leaves(Database::postgres().unwrap()).await;
}

async fn dies_and_leaves(database: Database) {
    let dodo = Dodo::start(7).await.unwrap();
    let clock = standing_clock();
    let services = InProcessServices::start(&dodo, &database, &clock).await.unwrap();
    let shown = services.show(&dodo, Some(GOOD_CARD), KIT).await.unwrap();
    dodo.fault("POST", "/checkouts", json!("reset_after"), 1).unwrap();
    let attempt = services.accept(&shown, "key-1", None).await.unwrap();
    assert_eq!(attempt.status, Some(AttemptStatus::InDoubt));
    drop(services);
    let services = InProcessServices::start(&dodo, &database, &clock).await.unwrap();
    services.pass(&dodo, 60).await.unwrap();
    assert_eq!(services.offer(&shown).await.unwrap().state, OfferState::Charged);
    let again = services.accept(&shown, "key-2", Some(PayWith::HostedCheckout)).await.unwrap();
    assert_eq!(again.status, Some(AttemptStatus::Succeeded), "the answer is what it came to");
    assert_eq!((dodo.charging_requests().len(), dodo.collected().len()), (1, 1));
}

/// A checker that finds nothing proves nothing: the same attempt is paid a second time.
#[tokio::test]
async fn a_second_payment_is_found() {
    let dodo = Dodo::start(7).await.unwrap();
    let database = Database::sqlite().unwrap();
    let services = InProcessServices::start(&dodo, &database, &standing_clock()).await.unwrap();
    let shown = services.show(&dodo, Some(GOOD_CARD), KIT).await.unwrap();
    services.accept(&shown, "key-1", None).await.unwrap();
    assert_eq!(check::offer(&dodo, &*services.store, &shown).await.unwrap(), []);
    let sent = dodo.charging_requests_of(shown.offer.customer_id.as_str()).remove(0);
    let again = dodo_sim::NewPayment {
        customer_id: shown.offer.customer_id.to_string(),
        product_id: KIT.to_owned(),
        metadata: serde_json::from_value(sent.body["metadata"].clone()).unwrap(),
        ..dodo_sim::NewPayment::default()
    };
    dodo.control().payment(again).unwrap();
    let found = check::offer(&dodo, &*services.store, &shown).await.unwrap();
    let promises: Vec<_> = found.iter().map(|violation| violation.promise).collect();
    assert!(promises.contains(&check::Promise::NoDoubleCharge), "{found:?}");
    assert_eq!(check::attempts_paid_once(&dodo.collected()).len(), 1);
}

/// A payment that is not on record is lost; an offer whose look-up is still due is stuck.
#[tokio::test]
async fn a_lost_payment_and_a_stuck_attempt_are_found() {
    let dodo = Dodo::start(7).await.unwrap();
    let database = Database::sqlite().unwrap();
    let services = InProcessServices::start(&dodo, &database, &standing_clock()).await.unwrap();
    let shown = services.show(&dodo, Some(GOOD_CARD), KIT).await.unwrap();
    dodo.fault("POST", "/checkouts", json!("reset_after"), 1).unwrap();
    services.accept(&shown, "key-1", None).await.unwrap();
    let found = check::offer(&dodo, &*services.store, &shown).await.unwrap();
    let promises: Vec<_> = found.iter().map(|violation| violation.promise).collect();
    assert!(promises.contains(&check::Promise::NoLostPayment), "{found:?}");
    assert!(promises.contains(&check::Promise::NoStuckAttempt), "{found:?}");
}
