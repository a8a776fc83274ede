//! The store and [`Memory`] side by side: random sequences of commands have the same outcomes in both, and end in the same
//! rows. A store that held a rule of its own, or left out what a decision reads, would differ.
//!
//! Seen to fail when the other attempts of an offer were loaded without the failed ones, and when `surplus` was not written
//! over a payment that was known.

use std::{collections::BTreeMap, ops::Range};

use sqlx::{AssertSqlSafe, Row};
use upsell_core::journal::{
    Command, Record, decide,
    fixtures::email,
    memory::Memory,
    record::OfferKey,
    world::{Step, World},
};

use super::{columns::load, *};
use crate::store::{RefundOrders, Restore};

/// Each is the seed of one sequence, printed where the two differ.
const SEEDS: Range<u64> = 0..10;

/// Steps of a sequence.
const STEPS: usize = 80;

/// Next of the pseudo-random numbers that follow from a seed (SplitMix64).
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[tokio::test]
async fn the_store_does_what_memory_does() {
    for seed in SEEDS {
        let (_place, store) = fresh().await;
        let mut memory = World::store();
        memory.instance.clone_from(&store.instance);
        for offer in World::offers() {
            store.insert_offer_if_absent(&offer).await.unwrap();
        }
        for quote in World::quotes() {
            store.put_quote(&quote).await.unwrap();
        }
        // Contradictions, too: a rule of the store's own would show where nobody expects a case.
        let mut world = if seed % 2 == 0 { World::wild() } else { World::sane() };
        let mut choices = seed;
        for n in 0..STEPS {
            let step = world.next(next(&mut choices), &memory);
            take(&store, &mut memory, &mut world, &step, &format!("seed {seed}, step {n}: {step:?}")).await;
        }
        compare(&store, &memory, &format!("seed {seed}")).await;
        store.close().await;
    }
}

/// Takes a step in both.
async fn take(store: &SqlStore, memory: &mut Memory, world: &mut World, step: &Step, at: &str) {
    match step {
        Step::Command(command) => {
            let (outcome, changes) = decide(&memory.load(&command.scope()), command);
            assert!(memory.apply(&changes), "{at}");
            world.observe(command, &outcome);
            let stored = store.execute(command).await.unwrap_or_else(|error| panic!("{at}: {error:?}"));
            assert_eq!(stored, outcome, "{at}");
        }
        Step::TakeDue(now, until) => {
            let mut stored = store.take_due(AgeGroup::Fresh, *now, *until, 1000).await.unwrap();
            stored.extend(store.take_due(AgeGroup::Old, *now, *until, 1000).await.unwrap());
            stored.sort_by(|a, b| a.id.cmp(&b.id));
            assert_eq!(stored, memory.take_due(*now, *until), "{at}");
        }
        Step::TakeDueRefunds(now, until) => {
            let mut stored = store.take_due_refunds(*now, *until, 1000).await.unwrap();
            stored.sort_by_key(|order| (order.payment_id.clone(), order.cause.as_str()));
            assert_eq!(stored, memory.take_due_refunds(*now, *until), "{at}");
        }
        Step::Hold(until) => {
            store.hold_until(*until).await.unwrap();
            assert_eq!(store.withdraw_offers(*until, 1000).await.unwrap(), memory.hold_until(*until), "{at}");
        }
        // What a restart leaves is tested in `restart`.
        Step::Restart => {}
    }
}

/// The record with its lists in a fixed order.
fn sorted(mut record: Record) -> Record {
    record.siblings.sort_by(|a, b| a.row.id.cmp(&b.row.id));
    record.on_subscription.sort_by(|a, b| a.row.id.cmp(&b.row.id));
    record.same_thing.sort_by(|a, b| a.id.cmp(&b.id));
    record.refusals.sort_by_key(|entry| (entry.at, entry.offer_id.clone()));
    record.orders.sort_by_key(|order| order.row.cause.as_str());
    record
}

/// Compares what both hold.
async fn compare(store: &SqlStore, memory: &Memory, at: &str) {
    for row in memory.attempts.values().map(|attempt| &attempt.row) {
        let scope = Scope {
            offer: Some(OfferKey::OfAttempt),
            siblings: true,
            same_thing: true,
            subscription: row.subscription_id.clone(),
            quote: true,
            ..Scope::of_attempt(&row.id)
        };
        assert_eq!(sorted(load(store, &scope).await), sorted(memory.load(&scope)), "{at}");
        compare_history(store, memory, &row.id, at).await;
    }
    let of_refunds = memory.refunds.values().map(|refund| &refund.payment_id);
    let of_disputes = memory.disputes.values().map(|dispute| &dispute.payment_id);
    for id in memory.payments.keys().chain(of_refunds).chain(of_disputes) {
        let scope = Scope::of_sale(id);
        assert_eq!(sorted(load(store, &scope).await), sorted(memory.load(&scope)), "{at}");
    }
    let mut offers = store.offers_of(&customer("cus_1")).await.unwrap();
    offers.extend(store.offers_of(&customer("cus_2")).await.unwrap());
    offers.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(offers, memory.offers.values().cloned().collect::<Vec<_>>(), "{at}");
    for row in memory.quotes.values() {
        let stored = store.quote(&row.customer_id, &row.quote.id).await.unwrap();
        assert_eq!(stored.as_ref(), Some(row), "{at}");
    }
    // Both customer ids are one person's.
    let person = Person { customer_id: customer("cus_1"), email: Some(email()) };
    let mut declines = store.decline_ledger(&person).await.unwrap();
    declines.sort_by_key(|entry| (entry.at, entry.offer_id.clone()));
    let mut held: Vec<_> = memory.declines.iter().map(|(_, _, entry)| entry.clone()).collect();
    held.sort_by_key(|entry| (entry.at, entry.offer_id.clone()));
    assert_eq!(declines, held, "{at}");
    compare_outbox(store, memory, at).await;
    compare_counts(store, memory, at).await;
}

async fn compare_history(store: &SqlStore, memory: &Memory, attempt: &AttemptId, at: &str) {
    let stored = store.history(attempt).await.unwrap().into_iter();
    let stored: Vec<_> = stored.map(|entry| (entry.at, entry.event, entry.source, entry.detail)).collect();
    let held = memory.history.iter().filter(|(id, _, _)| id == attempt);
    let held: Vec<_> = held
        .map(|(_, at, event)| {
            let (word, source, detail) = event.columns();
            (*at, word.to_owned(), source, detail)
        })
        .collect();
    assert_eq!(stored, held, "{at}: history of {attempt}");
}

async fn compare_outbox(store: &SqlStore, memory: &Memory, at: &str) {
    let rows = sqlx::query("SELECT * FROM outbox WHERE tenant = $1")
        .bind(store.tenant)
        .fetch_all(&store.readers)
        .await
        .unwrap();
    let stored: BTreeMap<String, (String, serde_json::Value)> = rows
        .iter()
        .map(|row| {
            let body = serde_json::from_str(row.get("body")).unwrap();
            (row.get("id"), (row.get("kind"), body))
        })
        .collect();
    let held: BTreeMap<_, _> = memory
        .notifications
        .values()
        .map(|news| (news.id.clone(), (news.kind.word().to_owned(), news.body.clone())))
        .collect();
    assert_eq!(stored, held, "{at}");
}

/// The store has no row that memory has not.
async fn compare_counts(store: &SqlStore, memory: &Memory, at: &str) {
    for (table, rows) in [
        ("offers", memory.offers.len()),
        ("quotes", memory.quotes.len()),
        ("attempts", memory.attempts.len()),
        ("payments", memory.payments.len()),
        ("refunds", memory.refunds.len()),
        ("disputes", memory.disputes.len()),
        ("refund_orders", memory.orders.len()),
        ("declines", memory.declines.len()),
        ("attempt_history", memory.history.len()),
    ] {
        let count = format!("SELECT COUNT(*) FROM {table} WHERE tenant = {}", store.tenant);
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&store.readers).await.unwrap();
        assert_eq!(usize::try_from(count).unwrap(), rows, "{at}: {table}");
    }
}
