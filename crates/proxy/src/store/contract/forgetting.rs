//! Forgetting a buyer (I21): what it leaves, what keeps from it, and that it is done again.

use upsell_core::{
    domain::{Confirmation, PaymentOnRecord, PaymentStatus, Purchase, Session, TokenHash, TriggerEvent},
    journal::{
        Change, StoredPayment,
        fixtures::{email, refusal, seen_payment},
    },
    policy::{
        payment_link::{KeptLink, LinkUse},
        retention::{Charge, Hold, TABLES, outlasts_forgetting},
    },
};
use wire::{Purpose, Trigger};

use super::{
    retention::{bought, count, digits, rows_as_text, sold},
    *,
};
use crate::store::{ForgetPlace, ForgetStep, Inbox, PaymentLinks, People, Retention, Until};

fn session_of(buyer: &str) -> Session {
    Session {
        token: TokenHash([3; 32]),
        customer_id: customer(buyer),
        signed_in: true,
        purpose: Purpose::Offer,
        trigger: Trigger::Purchase,
        payment_id: None,
        newest: None,
        subscription_id: None,
        locale: None,
        country: None,
        usage: Vec::new(),
        browser: None,
        expires_at: after(900),
        confirmation: Confirmation::Confirmed,
    }
}

/// Forgets in steps of one row, as the service does in larger ones.
async fn forget(store: &SqlStore, buyer: &str, at: UnixSeconds, until: Until) -> ForgetStep {
    let buyer = customer(buyer);
    let outlasts = &|charge: &Charge| outlasts_forgetting(charge, NOW);
    store.begin_forgetting(&buyer, at, until).await.unwrap();
    let (mut all, mut place) = (ForgetStep::default(), Some(ForgetPlace::start()));
    while let Some(from) = place {
        let step = store.forget_step(&buyer, until, from, 1, outlasts).await.unwrap();
        assert!(step.charges <= 1, "one row a step");
        all.charges += step.charges;
        all.held.extend(step.held);
        place = step.next.filter(|next| all.held.is_empty() || !matches!(next, ForgetPlace::Webhooks(_)));
    }
    if all.held.is_empty() {
        store.forgotten_again(&store.customer_hash(&buyer), at).await.unwrap();
    }
    all
}

/// Everything about the buyer is gone but for keyed hashes, and nothing of another buyer.
#[tokio::test]
async fn a_forgotten_buyer_leaves_hashes_only() {
    let (_place, store) = fresh().await;
    let row = sold(&store, "of_1").await;
    let refused = offered(&store, "of_2").await;
    store.decline(&refusal(&refused)).await.unwrap();
    store.upsert_purchase(&bought("pay_0", "cus_1", NOW)).await.unwrap();
    store.upsert_purchase(&bought("pay_8", "cus_2", NOW)).await.unwrap();
    store.put_session(&session_of("cus_1")).await.unwrap();
    store.inbox_insert("msg_1", "payment.succeeded", br#"{"customer_id":"cus_1"}"#, NOW, NOW).await.unwrap();
    store.inbox_insert("msg_2", "payment.succeeded", br#"{"customer_id":"cus_10"}"#, NOW, NOW).await.unwrap();
    let record = PaymentOnRecord {
        payment: upsell_core::domain::SeenPayment {
            paid_by: Some(customer("cus_1")),
            ..seen_payment("pay_7", PaymentStatus::Failed, None)
        },
        surplus: true,
        seen_at: NOW,
    };
    let theirs = offered_as(&store, OfferRow { customer_id: customer("cus_2"), ..offer("of_3") }).await;
    let theirs = sent(&store, &claim_of(&theirs, "at_3", "key-3")).await;
    let paid_for_another = StoredPayment { attempt_id: theirs.id.clone(), record };
    write(&store, &Changes::from_iter([Change::WritePayment(paid_for_another)])).await.unwrap();

    for (at, charges) in [(9, 1), (5, 0)] {
        let forgot = forget(&store, "cus_1", after(at), Until::Now).await;
        assert_eq!((forgot.charges, forgot.held), (charges, vec![]));
    }
    for (table, ..) in TABLES {
        let is_elsewhere = table == "tenants" || (table == "buyers" && !SHARED);
        // Locks go with the next pass; notifications that wait are delivered first.
        if is_elsewhere || ["buyers", "outbox"].contains(&table) {
            continue;
        }
        let text = rows_as_text(&store, table).await;
        assert!(!text.contains("cus_1\"") && !text.contains(&digits("\"cus_1\"")), "{table}: {text}");
        assert!(!text.contains("of_1\"") || ["tombstones"].contains(&table), "{table}: {text}");
    }
    assert_eq!(store.attempt_by_id(&row.id).await.unwrap(), None);
    assert!(store.attempt_by_id(&theirs.id).await.unwrap().is_some());
    assert_eq!(store.purchases_of(&customer("cus_2")).await.unwrap().len(), 1);

    // What stays: the refusal, under the customer id and under the e-mail address; what is owned; that it was forgotten.
    let as_customer = Person { customer_id: customer("cus_1"), email: None };
    let as_address = Person { customer_id: customer("cus_9"), email: Some(email()) };
    for person in [&as_customer, &as_address] {
        let ledger = store.decline_ledger(person).await.unwrap();
        assert_eq!(ledger.len(), 1, "{person:?}");
        assert!(store.owned_by(person).await.unwrap().contains(&product("prod_course")), "{person:?}");
    }
    let let_go = store.let_go(None, &payment("pay_x"), &customer("cus_1")).await.unwrap();
    assert_eq!(
        (let_go.forgotten_at, let_go.has_tombstone),
        (Some(after(9)), false),
        "the latest time counts"
    );
    assert!(store.let_go(None, &payment("pay_0"), &customer("cus_1")).await.unwrap().has_tombstone);
    assert_eq!(store.let_go(None, &payment("pay_x"), &customer("cus_2")).await.unwrap().forgotten_at, None);
    assert_eq!(store.drop_locks(100).await.unwrap() > 0, SHARED);
}

/// A charge that is pending stays with its offer and its quote, and can be settled; everything else goes at once. Then it goes,
/// too.
#[tokio::test]
async fn a_pending_charge_stays_until_it_has_come_to_its_end() {
    let (_place, store) = fresh().await;
    sold(&store, "of_1").await;
    let shown = offered(&store, "of_2").await;
    let row = sent(&store, &claim_of(&shown, "at_2", "key-2")).await;
    offered(&store, "of_3").await;
    for no in 0..3 {
        store.upsert_purchase(&bought(&format!("pay_{no}"), "cus_1", NOW)).await.unwrap();
    }
    store.inbox_insert("msg_1", "payment.succeeded", br#"{"customer_id":"cus_1"}"#, NOW, NOW).await.unwrap();

    let hash = store.customer_hash(&customer("cus_1"));
    for (at, charges) in [(9, 1), (10, 0)] {
        let forgot = forget(&store, "cus_1", after(at), Until::Now).await;
        assert_eq!((forgot.charges, forgot.held), (charges, vec![(row.id.clone(), Hold::Undecided)]));
        assert_eq!(store.forgotten(true, "", 9).await.unwrap(), [(hash.clone(), after(at))], "due");
    }
    let left = store.offers_of(&customer("cus_1")).await.unwrap();
    assert_eq!(left.iter().map(|offer| &offer.id).collect::<Vec<_>>(), [&shown.id]);
    assert!(store.quote(&row.customer_id, &row.quote_id).await.unwrap().is_some());
    assert!(store.purchases_of(&customer("cus_1")).await.unwrap().is_empty());
    assert_eq!(count(&store, "inbox").await, 1, "it may decide the charge");

    let settled = store.settle(&row.id, &paid("pay_of_2")).await.unwrap().unwrap();
    assert_eq!(settled.row.state, AttemptState::Succeeded);
    // What another payment reports of before is not written meanwhile; what is owned is known.
    let late = Purchase { product_ids: vec![product("prod_late")], ..bought("pay_9", "cus_1", NOW) };
    store.upsert_purchase(&late).await.unwrap();
    assert!(store.purchases_of(&customer("cus_1")).await.unwrap().is_empty());

    let forgot = forget(&store, "cus_1", after(10), Until::Then(after(10))).await;
    assert_eq!((forgot.charges, forgot.held), (1, vec![]));
    assert!(store.forgotten(true, "", 9).await.unwrap().is_empty());
    assert!(store.offers_of(&customer("cus_1")).await.unwrap().is_empty());
    assert_eq!((count(&store, "attempts").await, count(&store, "inbox").await), (0, 0));
    let person = Person { customer_id: customer("cus_1"), email: None };
    let owned = store.owned_by(&person).await.unwrap();
    assert!(owned.contains(&product("prod_late")) && owned.contains(shown.plan.product_id()), "{owned:?}");
}

/// Webhooks that wait are gone through in pages, and those of others stay.
#[tokio::test]
async fn waiting_webhooks_of_a_forgotten_buyer_go_on_every_page() {
    let (_place, store) = fresh().await;
    for no in 0..45 {
        let body = format!(r#"{{"customer_id":"cus_{}"}}"#, no % 2);
        let id = format!("msg_{no:02}");
        store.inbox_insert(&id, "payment.succeeded", body.as_bytes(), after(no), NOW).await.unwrap();
    }
    forget(&store, "cus_1", after(99), Until::Now).await;
    let text = rows_as_text(&store, "inbox").await;
    assert_eq!(count(&store, "inbox").await, 23);
    assert!(!text.contains(&digits("\"cus_1\"")), "{text}");
}

/// Whom a list beside the store names is due until nothing of them is found.
#[tokio::test]
async fn a_buyer_is_due_to_be_forgotten_again() {
    let (_place, store) = fresh().await;
    let hash = store.customer_hash(&customer("cus_1"));
    assert!(store.note_forgotten(&hash, NOW).await.unwrap());
    assert!(!store.note_forgotten(&hash, after(5)).await.unwrap(), "known");
    assert_eq!(store.forgotten(true, "", 9).await.unwrap(), [(hash.clone(), NOW)]);
    store.forgotten_again(&hash, UnixSeconds(NOW.0 - 1)).await.unwrap();
    assert_eq!(store.forgotten(true, "", 9).await.unwrap().len(), 1, "forgotten later than that");
    store.forgotten_again(&hash, NOW).await.unwrap();
    assert!(store.forgotten(true, "", 9).await.unwrap().is_empty());
    assert_eq!(store.forgotten(false, "", 9).await.unwrap(), [(hash.clone(), NOW)]);
    assert!(store.forgotten(false, &hash.0, 9).await.unwrap().is_empty(), "the page after the last");
    assert!(store.let_go(None, &payment("pay_1"), &customer("cus_1")).await.unwrap().is_forgotten(NOW));
}

#[tokio::test]
async fn customers_are_listed_once_however_many_rows_they_have() {
    let (_place, store) = fresh().await;
    for no in 0..6 {
        store.upsert_purchase(&bought(&format!("pay_a{no}"), "cus_a", NOW)).await.unwrap();
    }
    for buyer in ["cus_b", "cus_c"] {
        store.upsert_purchase(&bought(&format!("pay_{buyer}"), buyer, NOW)).await.unwrap();
    }
    for (id, buyer) in [("of_1", "cus_d"), ("of_2", "cus_z")] {
        let (id, customer_id) = (OfferId::parse(id).unwrap(), customer(buyer));
        offered_as(&store, OfferRow { customer_id, ..offer(id.as_str()) }).await;
    }
    let (mut after, mut found) = (String::new(), Vec::new());
    while let Some(last) = store.customers(&after, 2).await.unwrap().last() {
        let page = store.customers(&after, 2).await.unwrap();
        after = last.to_string();
        found.extend(page.into_iter().map(|customer| customer.to_string()));
    }
    assert_eq!(found, ["cus_a", "cus_b", "cus_c", "cus_d", "cus_z"]);
}

/// A restore has brought a buyer back who has bought again since: what came after the buyer was forgotten stays.
#[tokio::test]
async fn what_a_buyer_does_afterwards_is_not_forgotten_again() {
    let (_place, store) = fresh().await;
    sold(&store, "of_1").await;
    offered(&store, "of_2").await;
    store.upsert_purchase(&bought("pay_0", "cus_1", NOW)).await.unwrap();
    let later = after(500);
    store.upsert_purchase(&bought("pay_9", "cus_1", later)).await.unwrap();
    let again = offered_as(&store, OfferRow { created_at: later, ..offer("of_9") }).await;
    let claim = claim_of(&again, "at_9", "key-9");
    let claim = Claim { attempt: AttemptRow { created_at: later, ..claim.attempt }, ..claim };
    let row = sent(&store, &claim).await;
    store
        .inbox_insert("msg_9", "payment.succeeded", br#"{"customer_id":"cus_1"}"#, later, later)
        .await
        .unwrap();
    for (id, at) in [("ev_1", NOW), ("ev_9", later)] {
        let event = TriggerEvent {
            id: format!("{id}_{}", store.tenant),
            customer_id: customer("cus_1"),
            trigger: Trigger::UsageMilestone,
            subscription_id: None,
            at,
        };
        store.put_trigger(&event).await.unwrap();
    }

    let then = after(100);
    let forgot = forget(&store, "cus_1", then, Until::Then(then)).await;
    assert_eq!((forgot.charges, forgot.held), (1, vec![]), "the pending one is not asked about");
    let left = store.purchases_of(&customer("cus_1")).await.unwrap();
    assert_eq!(left.iter().map(|left| left.payment_id.as_str()).collect::<Vec<_>>(), ["pay_9"]);
    let offers = store.offers_of(&customer("cus_1")).await.unwrap();
    assert_eq!(offers.iter().map(|left| &left.id).collect::<Vec<_>>(), [&again.id]);
    assert!(!store.let_go(None, &payment("pay_9"), &customer("cus_1")).await.unwrap().has_tombstone);
    assert!(store.attempt_by_id(&row.id).await.unwrap().is_some());
    assert!(store.quote(&row.customer_id, &row.quote_id).await.unwrap().is_some());
    for table in ["triggers", "inbox"] {
        assert_eq!(count(&store, table).await, 1, "{table}");
    }
}

/// A report or a request that was on its way while its buyer was forgotten writes nothing anew.
#[tokio::test]
async fn what_was_on_its_way_is_not_written_after_all() {
    let (_place, store) = fresh().await;
    store.upsert_purchase(&bought("pay_8", "cus_1", NOW)).await.unwrap();
    forget(&store, "cus_1", after(50), Until::Now).await;
    store.upsert_purchase(&bought("pay_0", "cus_1", after(50))).await.unwrap();
    store.upsert_purchase(&bought("pay_1", "cus_1", after(51))).await.unwrap();
    store.upsert_purchase(&bought("pay_2", "cus_2", after(50))).await.unwrap();
    for (buyer, kept) in [("cus_1", "pay_1"), ("cus_2", "pay_2")] {
        let left = store.purchases_of(&customer(buyer)).await.unwrap();
        assert_eq!(left.iter().map(|left| left.payment_id.as_str()).collect::<Vec<_>>(), [kept]);
    }
    for (at, purchase, is_made) in [(50, "pay_1", false), (51, "pay_8", false), (51, "pay_1", true)] {
        let row = OfferRow { created_at: after(at), purchase: Some(payment(purchase)), ..offer("of_1") };
        let made = store.insert_offer_if_absent(&row).await;
        assert_eq!(made.is_ok(), is_made, "{at}: {made:?}");
    }
}

/// A link for another payment method names a subscription only: it goes by the subscriptions that are the buyer's.
#[tokio::test]
async fn links_of_a_forgotten_subscriber_go() {
    let (_place, store) = fresh().await;
    let link = KeptLink { version: 1, link: None, until: after(60) };
    assert!(store.replace_payment_link(&subscription(), LinkUse::PayDues, &link).await.unwrap());
    store.upsert_purchase(&bought("pay_0", "cus_1", NOW)).await.unwrap();
    for (buyer, left) in [("cus_2", 1), ("cus_1", 0)] {
        forget(&store, buyer, NOW, Until::Now).await;
        assert_eq!(count(&store, "payment_links").await, left, "{buyer}");
    }
}
