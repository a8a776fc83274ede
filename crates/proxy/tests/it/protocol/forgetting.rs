//! A buyer is forgotten while something is pending: it is finished by evidence or by a person first, and nothing is charged twice
//! or left behind (I21).

use std::time::Duration;

use dodo_client::ids::{CustomerId, PaymentId};
use dodo_sim::IntentStatus;
use proxy::{
    clock::Clock as _,
    service::{forgetting::Hold, gate::Closed},
    store::{ForgetPlace, Until},
};
use serde_json::json;
use testkit::Database;
use upsell_core::domain::{AttemptState, OfferState, Person, Purchase};
use wire::{AttemptStatus, ProductId, UnixSeconds};

use super::{
    recovery::{marked, send},
    rig::{GOOD, KIT, Rig, Shown},
};

fn engines() -> [Database; 2] {
    [Database::sqlite().unwrap(), Database::postgres().unwrap()]
}

fn purchase(shown: &Shown, id: &str, paid_at: UnixSeconds) -> Purchase {
    Purchase {
        payment_id: PaymentId::parse(id).unwrap(),
        customer_id: shown.offer.customer_id.clone(),
        email: None,
        payment_method_id: None,
        product_ids: vec![ProductId::parse("prod_of_before").unwrap()],
        subscription_id: None,
        billing: None,
        paid_at,
    }
}

async fn owns(rig: &Rig, shown: &Shown, product: &str) -> bool {
    let person = Person { customer_id: shown.offer.customer_id.clone(), email: None };
    rig.store.owned_by(&person).await.unwrap().contains(&ProductId::parse(product).unwrap())
}

/// Reviews of a buyer's charges that the merchant is told of and was not told of before.
async fn reviews(rig: &Rig, buyer: &CustomerId) -> Vec<String> {
    let now = rig.clock.now();
    let told = rig.store.take_due_notices(now, UnixSeconds(now.0 + 60), 100).await.unwrap();
    let is_one = |body: &String| body.contains("payment.needs_review") && body.contains(buyer.as_str());
    told.into_iter().map(|notice| notice.body).filter(is_one).collect()
}

/// A bank approval and a slow method may take days: a person is told at once, and evidence still settles them. Whatever comes of
/// it, the buyer is gone after the next pass.
#[tokio::test]
async fn what_dodo_calls_pending_needs_review_at_once() {
    for database in engines() {
        let rig = Rig::start_on(database).await;
        for (outcome, end) in [("challenge", IntentStatus::Succeeded), ("processing", IntentStatus::Failed)] {
            rig.dodo.switch(json!({"one_click_outcome": outcome, "processing_seconds": 0})).unwrap();
            let shown = rig.shown(Some(GOOD)).await;
            let buyer = &shown.offer.customer_id;
            rig.accept(&shown, "key-1").await.unwrap();
            let row = rig.store.latest_attempt(&shown.offer.id).await.unwrap().unwrap();
            rig.clock.advance(150);
            let forgotten = rig.forgetting.forget(buyer).await.unwrap();
            assert_eq!(forgotten.pending, [(row.id.clone(), Hold::NeedsReview)], "{outcome}");
            let told = reviews(&rig, buyer).await;
            assert!(told.len() == 1 && told[0].contains("buyer_forgotten"), "{told:?}");
            let again = rig.forgetting.forget(buyer).await.unwrap();
            assert_eq!((again.charges, again.pending.len()), (0, 1));
            assert!(reviews(&rig, buyer).await.is_empty(), "told once");
            assert!(rig.accept(&shown, "key-2").await.is_err(), "not chargeable");

            let payment = rig.dodo.control().payments_of(buyer.as_str());
            let payment = PaymentId::parse(payment.first().unwrap()).unwrap();
            rig.dodo.control().resolve_payment(payment.as_str(), end, None).unwrap();
            rig.pass_hours(26).await;
            let settled = rig.store.attempt_by_id(&row.id).await.unwrap().unwrap();
            let is_paid = settled.state == AttemptState::Succeeded;
            assert_eq!(is_paid, end == IntentStatus::Succeeded, "{settled:?}");
            rig.workers.retaining.pass().await.unwrap();
            assert_eq!(rig.store.attempt_by_id(&row.id).await.unwrap(), None, "{outcome}");
            assert!(rig.store.offers_of(buyer).await.unwrap().is_empty());
            assert_eq!(owns(&rig, &shown, KIT).await, is_paid, "{outcome}");
            assert!(rig.store.forgotten(true, "", 9).await.unwrap().is_empty(), "nobody is due any more");
        }
        assert_eq!(rig.dodo.posts_to("/checkouts"), 2);
    }
}

/// A request is on its way: nothing of its charge goes before its answer is known, and it is charged once.
#[tokio::test]
async fn a_charge_on_its_way_is_finished_first() {
    for database in engines() {
        let rig = Rig::start_on(database).await;
        let shown = rig.shown(Some(GOOD)).await;
        let buyer = &shown.offer.customer_id;
        rig.store.upsert_purchase(&purchase(&shown, "pay_before", rig.clock.now())).await.unwrap();
        let row = marked(&rig, &shown).await;
        let forgotten = rig.forgetting.forget(buyer).await.unwrap();
        assert_eq!(forgotten.pending, [(row.id.clone(), Hold::Undecided)]);
        assert!(rig.store.purchases_of(buyer).await.unwrap().is_empty(), "everything else is gone");
        send(&rig, &shown, &row).await;
        let forgotten = rig.forgetting.forget(buyer).await.unwrap();
        assert_eq!(forgotten.pending, [(row.id.clone(), Hold::Undecided)], "found by listing only");
        rig.pass(180).await;
        assert_eq!(rig.offer_state(&shown).await, OfferState::Charged);
        let forgotten = rig.forgetting.forget(buyer).await.unwrap();
        assert_eq!((forgotten.charges, forgotten.pending), (1, vec![]));
        assert!(owns(&rig, &shown, KIT).await && owns(&rig, &shown, "prod_of_before").await);
        let collected = rig.dodo.collected_by(buyer, dodo_sim::Source::OneClick);
        assert_eq!(collected.len(), 1);

        // Its payment is reported and listed again, with a code of this store: no loss, and nothing to write.
        let mut told = rig.dodo.payment(&collected[0].payment_id).await.unwrap();
        told["payload_type"] = "Payment".into();
        rig.deliver("msg_again", "payment.succeeded", &told).await.unwrap();
        assert!(rig.charging.gate().is_open(), "taken for a store that has lost commits");
        rig.workers.restoring.until_done(Closed::WentBack(Some(row.created_at))).await;
        assert_eq!(rig.store.attempt_by_id(&row.id).await.unwrap(), None);
        assert!(rig.store.offers_of(buyer).await.unwrap().is_empty());
    }
}

/// A process dies in the middle: the next pass goes on where it ended.
#[tokio::test]
async fn what_was_begun_is_finished_by_the_next_pass() {
    for database in engines() {
        let rig = Rig::start_on(database).await;
        let shown = rig.shown(Some(GOOD)).await;
        let buyer = &shown.offer.customer_id;
        let taken = rig.accept(&shown, "key-1").await.unwrap();
        assert_eq!(rig.until_settled(&shown.session, taken).await.status, Some(AttemptStatus::Succeeded));
        for no in 0..4 {
            let purchase = purchase(&shown, &format!("pay_{no}"), rig.clock.now());
            rig.store.upsert_purchase(&purchase).await.unwrap();
        }
        let now = rig.clock.now();
        rig.store.begin_forgetting(buyer, now, Until::Now).await.unwrap();
        let step =
            rig.store.forget_step(buyer, Until::Now, ForgetPlace::Purchases, 2, &|_| None).await.unwrap();
        assert_eq!(step.next, Some(ForgetPlace::Purchases));
        assert_eq!(rig.store.purchases_of(buyer).await.unwrap().len(), 2);
        // What comes in between is not kept either.
        rig.store.upsert_purchase(&purchase(&shown, "pay_late", now)).await.unwrap();
        rig.workers.retaining.pass().await.unwrap();
        assert!(rig.store.purchases_of(buyer).await.unwrap().is_empty());
        assert!(rig.store.offers_of(buyer).await.unwrap().is_empty());
        assert!(rig.store.forgotten(true, "", 9).await.unwrap().is_empty());
    }
}

/// A buyer with many rows goes in steps, between which others are served.
#[tokio::test]
async fn a_buyer_with_many_rows_holds_up_nobody() {
    for database in engines() {
        let rig = Rig::start_on(database).await;
        let (huge, other) = (rig.shown(Some(GOOD)).await, rig.shown(Some(GOOD)).await);
        let now = rig.clock.now();
        for no in 0..600 {
            rig.store.upsert_purchase(&purchase(&huge, &format!("pay_{no}"), now)).await.unwrap();
        }
        let forget = rig.forgetting.forget(&huge.offer.customer_id);
        let (done, mut served, mut longest) = (std::cell::Cell::new(false), 0, Duration::ZERO);
        let others = async {
            while !done.get() {
                let began = tokio::time::Instant::now();
                rig.store.upsert_purchase(&purchase(&other, "pay_other", now)).await.unwrap();
                longest = longest.max(began.elapsed());
                served += 1;
            }
        };
        let forget = async {
            let forgotten = forget.await.unwrap();
            done.set(true);
            forgotten
        };
        let (forgotten, ()) = tokio::join!(forget, others);
        assert!(forgotten.pending.is_empty());
        assert!(served >= 12, "{served} others were served beside 24 steps, {longest:?} at most");
        assert!(rig.store.purchases_of(&huge.offer.customer_id).await.unwrap().is_empty());
        assert_eq!(rig.store.purchases_of(&other.offer.customer_id).await.unwrap().len(), 1);
    }
}

/// Who is unknown is noted, so that a late report of them is not written.
#[tokio::test]
async fn an_unknown_customer_can_be_forgotten() {
    for database in engines() {
        let rig = Rig::start_on(database).await;
        let shown = rig.shown(Some(GOOD)).await;
        let stranger = CustomerId::parse("cus_stranger").unwrap();
        let forgotten = rig.forgetting.forget(&stranger).await.unwrap();
        assert_eq!((forgotten.charges, forgotten.pending), (0, vec![]));
        let late =
            Purchase { customer_id: stranger.clone(), ..purchase(&shown, "pay_late", rig.clock.now()) };
        rig.store.upsert_purchase(&late).await.unwrap();
        assert!(rig.store.purchases_of(&stranger).await.unwrap().is_empty());
        assert_eq!(rig.store.offers_of(&shown.offer.customer_id).await.unwrap().len(), 1, "nobody else");
    }
}
