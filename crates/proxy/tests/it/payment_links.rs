//! The link on which a buyer gives another payment method: one at a time for a subscription, since paying on two of them
//! pays twice.

use std::sync::Arc;

use dodo_client::ids::CustomerId;
use dodo_sim::Source;
use futures_util::future::join_all;
use proxy::clock::{Clock, ManualClock, SystemClock};
use serde_json::{Value, json};

use crate::harness::{FAILS_LATER, GOOD_CARD, MASTERCARD, Options, TestApp};

const DAY: i64 = 86_400;

struct OnHold {
    app: TestApp,
    clock: Arc<ManualClock>,
    customer: String,
    subscription: String,
    token: String,
}

impl OnHold {
    /// A subscriber of Basic who owes $30.
    async fn begin() -> Self {
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let app =
            TestApp::spawn_with(Options { clock: Some(Arc::clone(&clock)), ..Options::default() }).await;
        let customer = app.sim.customer(Some(FAILS_LATER)).unwrap().to_string();
        let body = json!({"customer_id": customer, "product_id": "prod_basic_plan", "started_days_ago": 31});
        let begun = app.sim.post("/_sim/subscriptions", body).await.unwrap();
        let subscription = begun["subscription_id"].as_str().unwrap().to_owned();
        let mut on_hold = Self { app, clock, customer, subscription, token: String::new() };
        on_hold.token = on_hold.another_session().await;
        on_hold
    }

    async fn another_session(&self) -> String {
        let session = json!({
            "customer_id": self.customer, "purpose": "plans", "subscription_id": self.subscription,
            "signed_in": true,
        });
        self.app.mint(session).await
    }

    async fn click(&self) -> String {
        let link = self.app.post(&self.token, "/v1/plans/payment-method", json!({})).await.ok();
        link["url"].as_str().unwrap().to_owned()
    }

    fn links_asked_for(&self) -> usize {
        self.app
            .sim
            .requests_to("POST", &format!("/subscriptions/{}/update-payment-method", self.subscription))
    }

    /// What was collected of what is owed.
    fn collected(&self) -> Vec<i64> {
        let customer = CustomerId::parse(&self.customer).unwrap();
        self.app.sim.collected_by(&customer, Source::Dues).iter().map(|charge| charge.amount).collect()
    }

    async fn status(&self) -> Value {
        self.app.get(&self.token, "/v1/plans").await.ok()["current"]["status"].clone()
    }
}

#[tokio::test]
async fn the_link_is_handed_out_again_and_takes_what_is_owed_once() {
    let buyer = OnHold::begin().await;
    let (first, second) = (buyer.click().await, buyer.click().await);
    assert_eq!(first, second);
    let elsewhere = buyer.another_session().await;
    let link = buyer.app.post(&elsewhere, "/v1/plans/payment-method", json!({})).await.ok();
    assert_eq!(link["url"], first.as_str());
    assert_eq!(buyer.links_asked_for(), 1);
    buyer.app.pay_on_page(&first, GOOD_CARD).await;
    buyer.app.quiet().await;
    assert_eq!((buyer.collected(), buyer.status().await), (vec![3000], json!("active")));
}

#[tokio::test]
async fn clicks_at_the_same_time_get_one_link() {
    let buyer = OnHold::begin().await;
    let links = join_all((0..8).map(|_| buyer.click())).await;
    assert!(links.iter().all(|link| *link == links[0]), "{links:?}");
    assert_eq!(buyer.links_asked_for(), 1);
}

#[tokio::test]
async fn a_link_that_was_used_is_not_handed_out_again() {
    let buyer = OnHold::begin().await;
    let first = buyer.click().await;
    buyer.app.pay_on_page(&first, GOOD_CARD).await;
    buyer.app.quiet().await;
    let second = buyer.click().await;
    assert_ne!(first, second);
    // This one only collects a card.
    buyer.app.pay_on_page(&second, GOOD_CARD).await;
    buyer.app.quiet().await;
    assert_eq!(buyer.collected().iter().sum::<i64>(), 3000);
}

#[tokio::test]
async fn a_link_that_dodo_no_longer_keeps_is_replaced() {
    let buyer = OnHold::begin().await;
    let first = buyer.click().await;
    buyer.clock.advance(DAY + 120);
    let token = buyer.another_session().await;
    let link = buyer.app.post(&token, "/v1/plans/payment-method", json!({})).await.ok();
    assert_ne!(link["url"], first.as_str());
    assert_eq!(buyer.links_asked_for(), 2);
}

#[tokio::test]
async fn a_link_outlives_the_process() {
    let mut buyer = OnHold::begin().await;
    let first = buyer.click().await;
    buyer.app = buyer.app.restart().await;
    assert_eq!(buyer.click().await, first);
}

#[tokio::test]
async fn a_link_that_could_not_be_had_keeps_nobody_waiting() {
    let buyer = OnHold::begin().await;
    let path = format!("/subscriptions/{}/update-payment-method", buyer.subscription);
    buyer.app.sim.fault("POST", &path, json!("status_500_before"), 1).unwrap();
    let failed = buyer.app.post(&buyer.token, "/v1/plans/payment-method", json!({})).await;
    assert_eq!(failed.code(), "unavailable");
    buyer.click().await;
}

/// A link made while nothing was owed pays nothing: it is no help once something is.
#[tokio::test]
async fn a_link_that_pays_nothing_does_not_stand_for_one_that_pays() {
    let app = TestApp::spawn().await;
    let customer = app.sim.customer(Some(FAILS_LATER)).unwrap().to_string();
    let body = json!({"customer_id": customer, "product_id": "prod_basic_plan"});
    let begun = app.sim.post("/_sim/subscriptions", body).await.unwrap();
    let subscription = begun["subscription_id"].as_str().unwrap().to_owned();
    let token = app
        .mint(json!({
            "customer_id": customer, "purpose": "plans", "subscription_id": subscription, "signed_in": true,
        }))
        .await;
    let free = app.post(&token, "/v1/plans/payment-method", json!({})).await.ok();
    app.sim.switch(json!({"renewal_failure": "past_due"})).unwrap();
    app.sim.post("/_sim/clock", json!({"advance_seconds": 32 * DAY})).await.unwrap();
    app.quiet().await;
    let paying = app.post(&token, "/v1/plans/payment-method", json!({})).await.ok();
    assert_ne!(free["url"], paying["url"]);
}

/// Whoever gave another card sees that one on their return, though no webhook has come yet.
#[tokio::test]
async fn back_before_any_webhook_the_new_card_is_shown() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    app.quiet().await;
    let token = app.plans_token(&buyer).await;
    let last4 = async || app.get(&token, "/v1/plans").await.ok()["payment_method"]["last4"].clone();
    assert_eq!(last4().await, "4242");
    let link = app.post(&token, "/v1/plans/payment-method", json!({})).await.ok();
    app.sim.post("/_sim/webhooks/policy", json!({"paused": true})).await.unwrap();
    app.pay_on_page(link["url"].as_str().unwrap(), MASTERCARD).await;
    assert_eq!(last4().await, "4444");
}

/// What Dodo refuses for good is not said to be away, and what is away is not said to be refused.
#[tokio::test]
async fn a_refusal_of_dodos_has_a_code_of_its_own() {
    let buyer = OnHold::begin().await;
    let path = format!("/subscriptions/{}/update-payment-method", buyer.subscription);
    for (status, code) in [
        (400, "change_not_possible"),
        (401, "unavailable"),
        (403, "unavailable"),
        (404, "not_found"),
        (409, "change_not_possible"),
        (422, "change_not_possible"),
        (502, "unavailable"),
    ] {
        buyer.app.sim.fault("POST", &path, json!({"status": status, "before": true}), 1).unwrap();
        let refused = buyer.app.post(&buyer.token, "/v1/plans/payment-method", json!({})).await;
        assert_eq!(refused.code(), code, "{status}");
        buyer.app.sim.control().clear_faults();
    }
}
