//! Keeping no more than is needed (I21): what a purge takes, what outlives it, and what forgetting a buyer leaves.

use std::collections::BTreeSet;

use sqlx::AssertSqlSafe;
use upsell_core::{
    domain::{Billing, DisputeStatus, EmailHash, Purchase, RefundStatus, TriggerEvent},
    journal::{
        Change, ForeignPayment, HistoryEvent, RecordDispute, RecordRefund,
        fixtures::{dispute, email, refund, refusal},
    },
    policy::{
        evidence::Foreign,
        retention::{Charge, Hold, TABLES, hold, tombstones_before},
    },
};
use wire::Trigger;

use super::{columns::load, privacy::columns, *};
use crate::store::{Inbox, People, Restore, Retention};

/// A time by which every window is over.
fn late() -> UnixSeconds {
    after(4_000 * 86_400)
}

pub(super) fn bought(id: &str, buyer: &str, paid_at: UnixSeconds) -> Purchase {
    let billing = Billing { country: "US".into(), state: Some("CA".into()), zipcode: Some("94105".into()) };
    Purchase {
        payment_id: payment(id),
        customer_id: customer(buyer),
        email: Some(email()),
        payment_method_id: None,
        product_ids: vec![product("prod_course")],
        subscription_id: Some(subscription()),
        billing: Some(billing),
        paid_at,
    }
}

/// An offer that was taken and paid, with everything that may refer to its attempt.
pub(super) async fn sold(store: &SqlStore, id: &str) -> AttemptRow {
    let offer = offered(store, id).await;
    let row = sent(store, &claim_of(&offer, &format!("at_{id}"), &format!("key_{id}"))).await;
    store.settle(&row.id, &paid(&format!("pay_{id}"))).await.unwrap();
    let by = format!("pay_{id}");
    for command in [RefundStatus::Pending, RefundStatus::Succeeded] {
        let seen = refund(&format!("ref_{id}"), &by, command, Some(5));
        store.execute(&RecordRefund { refund: seen, at: NOW }).await.unwrap();
    }
    let seen = dispute(&format!("dsp_{id}"), &by, DisputeStatus::Won);
    store.execute(&RecordDispute { dispute: seen, at: NOW }).await.unwrap();
    row
}

pub(super) async fn count(store: &SqlStore, table: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT COUNT(*) FROM {table} WHERE tenant = {}", store.tenant)))
        .fetch_one(&store.readers)
        .await
        .unwrap()
}

/// Tables that hold any of this tenant's rows.
pub(super) async fn filled(store: &SqlStore) -> BTreeSet<&'static str> {
    let mut filled = BTreeSet::new();
    for (table, ..) in TABLES {
        let is_elsewhere = table == "tenants" || (table == "buyers" && !SHARED);
        if !is_elsewhere && count(store, table).await > 0 {
            filled.insert(table);
        }
    }
    filled
}

#[tokio::test]
async fn a_charge_goes_whole_and_leaves_tombstones() {
    let (_place, store) = fresh().await;
    let row = sold(&store, "of_1").await;
    let other = sold(&store, "of_2").await;
    let mut seen: Option<Charge> = None;
    let look = &mut |charge: &Charge| {
        seen = Some(charge.clone());
        false
    };
    assert!(!store.purge_charge(&row.id, look).await.unwrap());
    let charge = seen.unwrap();
    assert_eq!((charge.payments.len(), charge.refunds.len(), charge.disputes.len()), (1, 1, 1));
    assert_eq!(hold(&charge, NOW), Some(Hold::Refundable));
    assert_eq!(hold(&charge, late()), None);
    assert!(store.attempt_by_id(&row.id).await.unwrap().is_some(), "kept as it was");

    assert!(store.purge_charge(&row.id, &mut |_: &Charge| true).await.unwrap());
    assert!(!store.purge_charge(&row.id, &mut |_: &Charge| true).await.unwrap(), "gone already");
    assert_eq!(store.attempt_by_id(&row.id).await.unwrap(), None);
    assert_eq!(store.quote(&row.customer_id, &row.quote_id).await.unwrap(), None);
    assert!(store.history(&row.id).await.unwrap().is_empty());
    for table in ["attempts", "payments", "refunds", "disputes"] {
        assert_eq!(count(&store, table).await, 1, "the other charge stays: {table}");
    }
    assert!(store.attempt_by_id(&other.id).await.unwrap().is_some());
    let let_go = store.let_go(Some(&row.id), &payment("pay_x"), &customer("cus_1")).await.unwrap();
    assert!(let_go.covers(NOW));
    assert!(store.let_go(None, &payment("pay_of_1"), &customer("cus_1")).await.unwrap().has_tombstone);
    assert!(!store.let_go(None, &payment("pay_of_2"), &customer("cus_1")).await.unwrap().has_tombstone);

    // What is reported of it later is not written again.
    let again = refund("ref_9", "pay_of_1", RefundStatus::Succeeded, Some(7));
    assert!(!store.execute(&RecordRefund { refund: again, at: NOW }).await.unwrap());
    let again = dispute("dsp_9", "pay_of_1", DisputeStatus::Opened);
    assert!(!store.execute(&RecordDispute { dispute: again, at: NOW }).await.unwrap());
    assert_eq!((count(&store, "refunds").await, count(&store, "disputes").await), (1, 1));
}

/// The last attempt that a process marked as sent may be the one that goes.
#[tokio::test]
async fn a_store_that_let_go_of_its_last_attempt_has_not_gone_back() {
    let (_place, store) = fresh().await;
    let row = sold(&store, "of_1").await;
    assert!(store.purge_charge(&row.id, &mut |_: &Charge| true).await.unwrap());
    assert!(!store.inspect().await.unwrap().has_lost_commits());
    let next = offered(&store, "of_2").await;
    let claimed = store.claim(&claim_of(&next, "at_2", "key-2")).await.unwrap();
    assert!(matches!(claimed, ClaimOutcome::Claimed(_)), "{claimed:?}");
}

#[tokio::test]
async fn old_rows_go_step_by_step_and_ownership_stays() {
    let (_place, store) = fresh().await;
    let row = sold(&store, "of_1").await;
    offered(&store, "of_2").await;
    for (id, paid_at) in [("pay_0", NOW), ("pay_1", NOW), ("pay_2", after(50))] {
        store.upsert_purchase(&bought(id, "cus_1", paid_at)).await.unwrap();
    }
    for (id, at) in [("ev_1", NOW), ("ev_2", after(50))] {
        let event = TriggerEvent {
            id: format!("{id}_{}", store.tenant),
            customer_id: customer("cus_1"),
            trigger: Trigger::UsageMilestone,
            subscription_id: None,
            at,
        };
        store.put_trigger(&event).await.unwrap();
    }
    let stray = refund("ref_stray", "pay_stray", RefundStatus::Succeeded, Some(5));
    store.execute(&RecordRefund { refund: stray, at: NOW }).await.unwrap();
    let stray = dispute("dsp_stray", "pay_stray", DisputeStatus::Lost);
    store.execute(&RecordDispute { dispute: stray, at: NOW }).await.unwrap();
    let foreign = ForeignPayment {
        payment_id: payment("pay_9"),
        attempt: row.id.clone(),
        why: Foreign::Unproven,
        at: NOW,
    };
    write(&store, &Changes::from_iter([Change::RecordForeign(foreign)])).await.unwrap();
    let person = Person { customer_id: customer("cus_1"), email: None };
    assert!(store.owned_by(&person).await.unwrap().is_empty());

    for what in Purge::ALL {
        assert_eq!(purge(&store, what, NOW).await, 0, "{what:?}: nothing is older");
    }
    let then = after(1);
    for (what, gone) in [
        (Purge::PurchaseAddresses, 2),
        (Purge::Purchases, 2),
        (Purge::Events, 1),
        // The offer that was paid stays with its attempt.
        (Purge::Offers, 1),
        (Purge::Refunds, 1),
        (Purge::Disputes, 1),
        (Purge::ForeignPayments, 1),
        (Purge::Tombstones, 0),
    ] {
        assert_eq!(purge(&store, what, then).await, gone, "{what:?}");
        assert_eq!(purge(&store, what, then).await, 0, "{what:?}: once");
    }
    let left = store.purchases_of(&customer("cus_1")).await.unwrap();
    assert_eq!(left.iter().map(|left| left.payment_id.as_str()).collect::<Vec<_>>(), ["pay_2"]);
    assert!(left[0].billing.is_some());
    assert_eq!(store.owned_by(&person).await.unwrap(), [product("prod_course")]);
    let by_address = Person { customer_id: customer("cus_2"), email: Some(email()) };
    assert_eq!(store.owned_by(&by_address).await.unwrap(), [product("prod_course")]);
    let stranger = Person { customer_id: customer("cus_2"), email: Some(EmailHash("other".into())) };
    assert!(store.owned_by(&stranger).await.unwrap().is_empty());

    // Once its charge has gone the offer goes, and what was taken is owned.
    assert!(store.purge_charge(&row.id, &mut |_: &Charge| true).await.unwrap());
    assert_eq!(purge(&store, Purge::Offers, then).await, 1);
    let owned = store.owned_by(&person).await.unwrap();
    assert_eq!(owned.len(), 2, "{owned:?}");
    assert_eq!(purge(&store, Purge::Tombstones, then).await, 2);
}

/// "Never owned" does not turn true again: a claim sees what is owned once purchase and offer have gone (I15).
#[tokio::test]
async fn what_is_owned_is_not_taken_again_after_the_purchase_has_gone() {
    for (is_bought, is_purged) in [(false, false), (true, false), (true, true)] {
        let (_place, store) = fresh().await;
        let row = offered(&store, "of_1").await;
        if is_bought {
            let product_ids = vec![row.plan.product_id().clone()];
            store.upsert_purchase(&Purchase { product_ids, ..bought("pay_0", "cus_1", NOW) }).await.unwrap();
        }
        if is_purged {
            assert_eq!(purge(&store, Purge::Purchases, after(1)).await, 1);
        }
        let claim = store.claim(&claim_of(&row, "at_1", "key-1")).await.unwrap();
        let is_claimed = matches!(claim, ClaimOutcome::Claimed(_));
        assert_eq!(is_claimed, !is_bought, "{is_purged}: {claim:?}");
    }
}

#[tokio::test]
async fn postal_codes_go_before_what_they_belong_to() {
    let (_place, store) = fresh().await;
    let billing = Billing { country: "US".into(), state: Some("CA".into()), zipcode: Some("94105".into()) };
    let plan = ChargePlan::Checkout {
        product_id: product("prod_kit"),
        quantity: 1,
        billing: Some(billing),
        discount_codes: vec!["TEN".into()],
    };
    let row = offered_as(&store, OfferRow { plan: plan.clone(), ..offer("of_1") }).await;
    let quoted = QuoteRow { plan: plan.clone(), ..quote("qt_1", Some(&row)) };
    store.put_quote(&quoted).await.unwrap();
    let ends = UnixSeconds(quoted.quote.expires_at.0 + 1);
    assert_eq!(purge(&store, Purge::OfferAddresses, NOW).await, 0);
    assert!(purge(&store, Purge::OfferAddresses, after(1)).await >= 1);
    assert!(purge(&store, Purge::QuoteAddresses, ends).await >= 1);
    assert_eq!(purge(&store, Purge::OfferAddresses, after(1)).await, 0, "once");
    assert_eq!(purge(&store, Purge::QuoteAddresses, ends).await, 0, "once");
    let kept = plan.without_address();
    assert_eq!(store.offer(&row.customer_id, &row.id).await.unwrap().unwrap().plan, kept);
    assert_eq!(store.quote(&row.customer_id, &quoted.quote.id).await.unwrap().unwrap().plan, kept);
}

#[tokio::test]
async fn attempts_are_found_by_age_page_by_page() {
    let (_place, store) = fresh().await;
    for id in ["of_1", "of_2", "of_3"] {
        sold(&store, id).await;
    }
    assert!(store.old_attempts(NOW, &Cursor::start(), 9).await.unwrap().is_empty());
    let (mut place, mut found) = (Cursor::start(), Vec::new());
    while let Some((last, id)) = store.old_attempts(after(1), &place, 1).await.unwrap().pop() {
        place = last;
        found.push(id.to_string());
    }
    assert_eq!(found, ["at_of_1", "at_of_2", "at_of_3"]);
}

pub(super) fn digits(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The rows of a table, written out; bytes as hexadecimal digits.
pub(super) async fn rows_as_text(store: &SqlStore, table: &str) -> String {
    let columns = columns(store).await;
    let columns: Vec<_> = columns.iter().filter(|(of, _)| of == table).map(|(_, column)| column).collect();
    let mut text = String::new();
    for column in columns {
        let value = if SHARED {
            format!("{column}::text")
        } else {
            format!(
                "CASE typeof({column}) WHEN 'blob' THEN lower(hex({column})) ELSE CAST({column} AS TEXT) END"
            )
        };
        let statement = format!("SELECT {value} FROM {table} WHERE tenant = {}", store.tenant);
        let values: Vec<Option<String>> =
            sqlx::query_scalar(AssertSqlSafe(statement)).fetch_all(&store.readers).await.unwrap();
        for value in values.into_iter().flatten() {
            text.push_str(&format!("{column}=\"{value}\" "));
        }
    }
    text
}

/// The ledger takes one change: a customer id that becomes its keyed hash.
#[tokio::test]
async fn refusals_from_before_are_hashed_and_nothing_else_of_them_changes() {
    let (_place, store) = fresh().await;
    let refused = offered(&store, "of_1").await;
    store.decline(&refusal(&refused)).await.unwrap();
    let text = rows_as_text(&store, "declines").await;
    assert!(text.contains("hash:") && !text.contains("cus_1"), "{text}");
    let earlier = "INSERT INTO declines (tenant, customer_id, offer_id, equivalence, campaign, at)
                   VALUES ($1, 'cus_1', 'of_0', 'product:prod_old', 'kit', 5)";
    sqlx::query(earlier).bind(store.tenant).execute(&store.writer).await.unwrap();
    let person = Person { customer_id: customer("cus_1"), email: None };
    let ledger = store.decline_ledger(&person).await.unwrap();
    assert_eq!(ledger.len(), 2);
    for change in [
        "UPDATE declines SET at = 9 WHERE tenant = $1",
        "UPDATE declines SET customer_id = 'cus_2' WHERE tenant = $1",
        "UPDATE declines SET customer_id = 'hash:x', at = 9 WHERE tenant = $1",
        "DELETE FROM declines WHERE tenant = $1",
    ] {
        let refused = sqlx::query(change).bind(store.tenant).execute(&store.writer).await;
        assert!(refused.is_err(), "{change}");
    }
    assert_eq!(store.hash_refusals(10).await.unwrap(), 1);
    assert_eq!(store.hash_refusals(10).await.unwrap(), 0);
    assert_eq!(store.decline_ledger(&person).await.unwrap(), ledger);
    let text = rows_as_text(&store, "declines").await;
    assert!(!text.contains("cus_1"), "{text}");
    let change = "UPDATE declines SET customer_id = 'hash:x' WHERE tenant = $1";
    assert!(sqlx::query(change).bind(store.tenant).execute(&store.writer).await.is_err(), "hashed already");
}

/// Charges that have gone are told by their age, and the time only grows.
#[tokio::test]
async fn the_time_since_when_charges_are_kept_only_grows() {
    let (_place, store) = fresh().await;
    store.keep_since(after(5)).await.unwrap();
    assert_eq!(
        store.kept_since().await.unwrap(),
        None,
        "a store without a heartbeat is compared from its beginning"
    );
    store.beat(NOW).await.unwrap();
    for (at, kept) in [(5, 5), (3, 5), (9, 9)] {
        store.keep_since(after(at)).await.unwrap();
        assert_eq!(store.kept_since().await.unwrap(), Some(after(kept)));
    }
    let let_go = store.let_go(None, &payment("pay_1"), &customer("cus_1")).await.unwrap();
    assert!(let_go.covers(after(8)) && !let_go.covers(after(9)));
    assert!(tombstones_before(after(9)) < NOW);
}

/// A webhook that was applied and a notification that was delivered are known by their ids alone.
#[tokio::test]
async fn what_was_applied_or_delivered_has_no_body() {
    let (_place, store) = fresh().await;
    store.inbox_insert("msg_1", "payment.succeeded", b"{\"name\":\"Ann\"}", NOW, NOW).await.unwrap();
    store.inbox_applied("msg_1", after(1)).await.unwrap();
    let raw: Vec<u8> = sqlx::query_scalar("SELECT raw FROM inbox WHERE tenant = $1 AND webhook_id = 'msg_1'")
        .bind(store.tenant)
        .fetch_one(&store.readers)
        .await
        .unwrap();
    assert!(raw.is_empty());
    sold(&store, "of_1").await;
    let due = crate::store::Outbox::take_due_notices(&*store, after(1), after(60), 9).await.unwrap();
    assert!(due.iter().all(|notice| !notice.body.is_empty()) && !due.is_empty());
    for notice in &due {
        crate::store::Outbox::notice_told(&*store, &notice.id, after(2)).await.unwrap();
    }
    let bodies: Vec<String> = sqlx::query_scalar("SELECT body FROM outbox WHERE tenant = $1")
        .bind(store.tenant)
        .fetch_all(&store.readers)
        .await
        .unwrap();
    assert!(bodies.iter().all(String::is_empty), "{bodies:?}");
}

#[tokio::test]
async fn history_and_bookings_go_with_their_charge() {
    let (_place, store) = fresh().await;
    let row = sold(&store, "of_1").await;
    let changes = [
        Change::EndBooking { attempt: row.id.clone(), end: upsell_core::domain::BookingEnd::Made, at: NOW },
        Change::AppendHistory { attempt: row.id.clone(), at: NOW, event: HistoryEvent::Sent },
    ];
    write(&store, &Changes::from_iter(changes)).await.unwrap();
    assert!(store.purge_charge(&row.id, &mut |_: &Charge| true).await.unwrap());
    for table in ["attempt_history", "booking_ends", "payments", "refunds", "disputes", "attempts"] {
        assert_eq!(count(&store, table).await, 0, "{table}");
    }
    let gone = load(&store, &Scope::of_sale(&payment("pay_of_1"))).await;
    assert!(gone.is_let_go);
}

/// A row that does not read back stays, and costs the others nothing.
#[tokio::test]
async fn a_damaged_row_keeps_no_other_from_going() {
    let (_place, store) = fresh().await;
    for (id, paid_at) in [("pay_0", NOW), ("pay_1", after(1)), ("pay_2", after(2))] {
        store.upsert_purchase(&bought(id, "cus_1", paid_at)).await.unwrap();
    }
    for id in ["of_1", "of_2"] {
        offered(&store, id).await;
    }
    for damage in [
        "UPDATE purchases SET product_ids = '?' WHERE tenant = $1 AND payment_id = 'pay_0'",
        r#"UPDATE offers SET plan = '{"zipcode"' WHERE tenant = $1 AND id = 'of_1'"#,
    ] {
        sqlx::query(damage).bind(store.tenant).execute(&store.writer).await.unwrap();
    }
    assert_eq!(purge(&store, Purge::Purchases, late()).await, 2);
    assert_eq!(purge(&store, Purge::OfferAddresses, late()).await, 0);
    assert_eq!(purge(&store, Purge::Offers, late()).await, 1);
    assert_eq!((count(&store, "purchases").await, count(&store, "offers").await), (1, 1));
}
