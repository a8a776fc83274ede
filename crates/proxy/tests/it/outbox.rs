//! What the merchant's system is told, over real HTTP to a receiver that answers as a test wants (I14).

use std::{sync::Arc, time::Duration};

use dodo_client::ids::CustomerId;
use proxy::{
    clock::{Clock, ManualClock, SystemClock},
    ids,
    service::outbox::Relay,
    settings::{Notify, notify_url},
    store::{Execute, Offers, Outbox, sqlite::SqliteStore},
    webhook_signature::WebhookKey,
};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use upsell_core::{
    domain::{ChargePlan, EquivalenceKey, OfferRow, OfferState, Tenant},
    journal::Decline,
};
use wire::{OfferKind, ProductId, UnixSeconds};

use crate::{
    harness::{GOOD_CARD, NOTIFY_KEY, Options, TestApp},
    receiver::{Receiver, Script},
};

/// A store with news, and what tells it; the clock in the test's hand.
struct Desk {
    store: Arc<SqliteStore>,
    clock: Arc<ManualClock>,
    _folder: TempDir,
}

impl Desk {
    async fn with_news(count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tenant = Tenant { merchant: "desk".into(), mode: dodo_client::Mode::Test };
        let store = SqliteStore::open(&folder.path().join("desk.db"), &tenant).await.unwrap();
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let desk = Self { store: Arc::new(store), clock, _folder: folder };
        for n in 0..count {
            desk.declined(n).await;
        }
        desk
    }

    async fn declined(&self, n: usize) {
        let (now, customer_id) = (self.clock.now(), CustomerId::parse("cus_1").unwrap());
        let offer = OfferRow {
            id: ids::offer_id().unwrap(),
            customer_id: customer_id.clone(),
            campaign: "toolkit".into(),
            trigger_ref: format!("pay_{n}"),
            purchase: None,
            email: None,
            parent: None,
            equivalence: EquivalenceKey("product:prod_toolkit".into()),
            kind: OfferKind::CrossSell,
            plan: ChargePlan::Checkout {
                product_id: ProductId::parse("prod_toolkit").unwrap(),
                quantity: 1,
                billing: None,
                discount_codes: Vec::new(),
            },
            state: OfferState::Presented,
            attempt_no: 0,
            created_at: now,
            seen_at: None,
            expires_at: UnixSeconds(now.0 + 86_400),
        };
        let offer_id = self.store.insert_offer_if_absent(&offer).await.unwrap().row().id;
        let decline =
            Decline { offer_id, customer_id, email: None, price: None, plan: None, reason: None, at: now };
        self.store.execute(&decline).await.unwrap();
    }

    fn relay(&self, url: &str) -> Relay {
        let notify =
            Notify { url: notify_url(url).unwrap(), keys: vec![WebhookKey::parse(NOTIFY_KEY).unwrap()] };
        // Short: an answer that never comes costs a test a moment.
        let patience = Duration::from_millis(500);
        Relay::with_patience(notify, self.store.clone(), self.clock.clone(), patience).unwrap()
    }

    async fn waiting(&self) -> u64 {
        self.store.backlog().await.unwrap().waiting
    }
}

#[tokio::test]
async fn news_is_signed_and_told_once() {
    let desk = Desk::with_news(1).await;
    let mut receiver = Receiver::start(Script::Status(204)).await;
    let relay = desk.relay(&receiver.url);
    assert_eq!(relay.round().await.unwrap(), 1);
    let arrival = receiver.next().await;
    let body = arrival.verified(desk.clock.now());
    assert_eq!((&body["type"], &body["data"]["customer_id"]), (&json!("offer.declined"), &json!("cus_1")));
    assert_eq!(arrival.header("webhook-timestamp"), desk.clock.now().0.to_string());
    desk.clock.advance(86_400);
    assert_eq!(relay.round().await.unwrap(), 0);
    assert_eq!(desk.waiting().await, 0);
}

/// Whatever is no 2xx is told again later, with the same id, a new time and a new signature.
#[tokio::test]
async fn what_was_not_taken_is_told_again_with_the_same_id() {
    let hold = Arc::new(Semaphore::new(0));
    let refusals =
        [Script::Status(500), Script::Status(404), Script::Status(429), Script::Redirect, Script::Held(hold)];
    for script in refusals {
        let desk = Desk::with_news(1).await;
        let mut receiver = Receiver::start(script).await;
        let relay = desk.relay(&receiver.url);
        assert_eq!(relay.round().await.unwrap(), 1);
        let first = receiver.next().await;
        assert_eq!(relay.round().await.unwrap(), 0, "at once");
        assert_eq!(desk.waiting().await, 1);
        receiver.answers(Script::Status(200));
        desk.clock.advance(6);
        assert_eq!(relay.round().await.unwrap(), 1);
        let second = receiver.next().await;
        assert_eq!((first.id(), &first.body, &first.path), (second.id(), &second.body, &second.path));
        assert_ne!(first.header("webhook-timestamp"), second.header("webhook-timestamp"));
        second.verified(desk.clock.now());
        assert_eq!(desk.waiting().await, 0);
        assert!(receiver.rest().is_empty(), "a redirect was followed");
    }
}

#[tokio::test]
async fn nobody_there_is_no_loss() {
    let desk = Desk::with_news(1).await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(desk.relay(&format!("http://{nobody}/news")).round().await.unwrap(), 1);
    assert_eq!(desk.waiting().await, 1);
    let mut receiver = Receiver::start(Script::Status(200)).await;
    desk.clock.advance(6);
    desk.relay(&receiver.url).round().await.unwrap();
    receiver.next().await;
    assert_eq!(desk.waiting().await, 0);
}

#[tokio::test]
async fn a_system_that_is_dead_for_days_is_given_up() {
    let desk = Desk::with_news(1).await;
    let mut receiver = Receiver::start(Script::Status(503)).await;
    let relay = desk.relay(&receiver.url);
    for _ in 0..100 {
        relay.round().await.unwrap();
        desk.clock.advance(3600);
    }
    assert_eq!(receiver.rest().len(), 10);
    assert_eq!(desk.waiting().await, 0);
}

#[tokio::test]
async fn gone_means_no_more() {
    let desk = Desk::with_news(1).await;
    let mut receiver = Receiver::start(Script::Status(410)).await;
    let relay = desk.relay(&receiver.url);
    relay.round().await.unwrap();
    desk.clock.advance(30 * 86_400);
    assert_eq!(relay.round().await.unwrap(), 0);
    assert_eq!(receiver.rest().len(), 1);
}

#[tokio::test]
async fn an_endless_answer_is_not_read() {
    let desk = Desk::with_news(1).await;
    let mut receiver = Receiver::start(Script::Endless).await;
    assert_eq!(desk.relay(&receiver.url).round().await.unwrap(), 1);
    receiver.next().await;
    assert_eq!(desk.waiting().await, 0);
}

/// I14: who dies between sending and marking leaves a repetition behind, never a gap.
#[tokio::test]
async fn died_between_sending_and_marking_it_is_sent_again_with_the_same_id() {
    let desk = Desk::with_news(3).await;
    let hold = Arc::new(Semaphore::new(0));
    let mut receiver = Receiver::start(Script::Held(hold)).await;
    let relay = desk.relay(&receiver.url);
    let dying = tokio::spawn(async move { relay.round().await });
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.push(receiver.next().await.id().to_owned());
    }
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());
    receiver.answers(Script::Status(200));
    let next = desk.relay(&receiver.url);
    assert_eq!(next.round().await.unwrap(), 0, "the lease lasts");
    desk.clock.advance(61);
    assert_eq!(next.round().await.unwrap(), 3);
    let mut again: Vec<_> = receiver.rest().iter().map(|arrival| arrival.id().to_owned()).collect();
    sent.sort();
    again.sort();
    assert_eq!(sent, again);
    assert_eq!(desk.waiting().await, 0);
}

/// The same at each of the marked places.
#[cfg(feature = "failpoints")]
#[tokio::test]
async fn died_at_any_place_nothing_is_lost() {
    for place in ["outbox.taken", "outbox.sent", "outbox.noted"] {
        let desk = Desk::with_news(2).await;
        let mut receiver = Receiver::start(Script::Status(200)).await;
        let plan = proxy::failpoint::Plan::stopping_at(place, 1);
        let relay = desk.relay(&receiver.url);
        tokio::select! {
            _ = proxy::failpoint::with(plan.clone(), relay.round()) => panic!("{place} was not passed"),
            () = plan.stopped() => {}
        }
        drop(relay);
        desk.clock.advance(61);
        desk.relay(&receiver.url).round().await.unwrap();
        let mut told: Vec<_> = receiver.rest().iter().map(|arrival| arrival.id().to_owned()).collect();
        told.sort();
        told.dedup();
        assert_eq!((told.len(), desk.waiting().await), (2, 0), "{place}");
    }
}

#[tokio::test]
async fn only_so_many_are_on_their_way_at_once_and_stopping_lets_them_finish() {
    let desk = Desk::with_news(20).await;
    let gate = Arc::new(Semaphore::new(0));
    let mut receiver = Receiver::start(Script::Held(Arc::clone(&gate))).await;
    let notify = Notify {
        url: notify_url(&receiver.url).unwrap(),
        keys: vec![WebhookKey::parse(NOTIFY_KEY).unwrap()],
    };
    let relay = Relay::new(notify, desk.store.clone(), desk.clock.clone()).unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { relay.run(stop).await }
    });
    for _ in 0..8 {
        receiver.next().await;
    }
    // Each that is let go makes room for one more.
    gate.add_permits(4);
    for _ in 0..4 {
        receiver.next().await;
    }
    stop.cancel();
    gate.add_permits(100);
    running.await.unwrap();
    assert_eq!(receiver.most_at_once(), 8);
    assert_eq!(desk.waiting().await + u64::try_from(12 + receiver.rest().len()).unwrap(), 20);
}

/// The whole way: a buyer accepts and pays, another declines; the shop's system hears of each under one id.
#[tokio::test]
async fn a_shop_hears_of_acceptance_payment_and_refusal() {
    let mut receiver = Receiver::start(Script::Status(200)).await;
    let app =
        TestApp::spawn_with(Options { notify_url: Some(receiver.url.clone()), ..Options::default() }).await;
    let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&buyer).await;
    let shown = app.look(&token).await;
    let attempt = app.accept(&token, &shown, "key-1").await.ok();
    let settled = app.settled(&token, "/v1/upsell", attempt).await;
    let mut told = std::collections::BTreeMap::new();
    for _ in 0..2 {
        let news = receiver.next().await.verified(SystemClock.now());
        told.insert(news["type"].as_str().unwrap().to_owned(), news["data"].clone());
    }
    let (accepted, paid) = (&told["offer.accepted"], &told["payment.succeeded"]);
    assert_eq!(paid["offer_id"], shown["offer"]["id"]);
    assert_eq!(paid["attempt_id"], settled["attempt_id"]);
    assert_eq!(paid["amount"], settled["receipt"]["amount"]);
    assert_eq!(paid["customer_id"], json!(buyer.customer));
    assert_eq!(accepted["amount"], shown["quote"]["total"]);
    let other = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
    let token = app.offer_token(&other).await;
    let shown = app.look(&token).await;
    app.decline(&token, &shown).await.ok();
    let news = receiver.next().await.verified(SystemClock.now());
    assert_eq!((&news["type"], &news["data"]["offer_id"]), (&json!("offer.declined"), &shown["offer"]["id"]));
}

/// The shop's system takes deliveries and never answers: buyers notice nothing.
#[tokio::test]
async fn a_receiver_that_hangs_holds_no_charge_up() {
    let hold = Arc::new(Semaphore::new(0));
    let mut receiver = Receiver::start(Script::Held(Arc::clone(&hold))).await;
    let app =
        TestApp::spawn_with(Options { notify_url: Some(receiver.url.clone()), ..Options::default() }).await;
    for round in 0..10 {
        let buyer = app.sim.buyer_of("prod_starter_course", Some(GOOD_CARD)).unwrap();
        let token = app.offer_token(&buyer).await;
        let shown = app.look(&token).await;
        let attempt = app.accept(&token, &shown, "key-1").await.ok();
        let settled = app.settled(&token, "/v1/upsell", attempt).await;
        assert_eq!(settled["status"], "succeeded", "{round}");
    }
    receiver.next().await;
    assert!(receiver.most_at_once() <= 8);
    hold.add_permits(1000);
}
