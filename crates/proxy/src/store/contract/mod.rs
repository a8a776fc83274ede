//! The promises of the engines, on a real store: locks, uniqueness, order, durability, leases, and that every column is written
//! and read back. What is decided is tested in `upsell_core::journal`, without a store; that a store decides nothing, by
//! `differential`. Compiled once for each engine, like the statements themselves; the engine brings `fresh` (an empty
//! store), `alone` (one that shares its database with no other test) and `opened` (the same store again, after a restart or for another tenant).

mod bookings;
mod charging;
mod columns;
mod differential;
pub(super) mod earlier;
mod events;
mod forgetting;
mod history;
mod inbox;
mod limits;
mod offers;
mod outbox;
mod payment_links;
mod people;
mod plan_changes;
mod privacy;
mod restart;
mod restore;
mod retention;
mod sales;
mod support;

use std::sync::Arc;

use dodo_client::{Mode, ids::SubscriptionId};
use upsell_core::{
    domain::{
        AttemptRow, AttemptState, ChargePlan, EquivalenceKey, Observation, OfferRow, OfferState, Person,
        QuoteRow, Tenant,
    },
    journal::{
        Changes, Claim, ClaimOutcome, DeclineOutcome, Lock, Scope, Settlement,
        fixtures::{
            NOW, after, claim_of, customer, offer, paid, payment, product, quote, seen, subscription,
        },
    },
    policy::reconcile_schedule::AgeGroup,
};
use wire::{AttemptId, EffectiveAt, IdempotencyKey, OfferId, ProductId, QuoteId, UnixSeconds};

use super::{
    SHARED, SqlStore,
    fixture::{alone, fresh, opened},
};
use crate::store::{
    Attempts, Cursor, Execute, Journal, Life, Offers, Purge, Purging, Quotes, StoreError, verbs::Verbs as _,
};

/// An offer of a thing of its own and its quote in the store.
async fn offered(store: &SqlStore, id: &str) -> OfferRow {
    let thing = EquivalenceKey(format!("product:of_{id}"));
    offered_as(store, OfferRow { equivalence: thing, ..offer(id) }).await
}

/// This offer and its quote in the store.
async fn offered_as(store: &SqlStore, row: OfferRow) -> OfferRow {
    let id = row.id.clone();
    let row = store.insert_offer_if_absent(&row).await.unwrap().row();
    store.put_quote(&quote(&format!("qt_{id}"), Some(&row))).await.unwrap();
    row
}

/// Claims and marks as sent.
async fn sent(store: &SqlStore, request: &Claim) -> AttemptRow {
    let ClaimOutcome::Claimed(row) = store.claim(request).await.unwrap() else { panic!("not claimed") };
    assert!(store.mark_sent(&row, NOW, after(45)).await.unwrap());
    row
}

async fn offer_state(store: &SqlStore, offer: &OfferRow) -> OfferState {
    store.offer(&offer.customer_id, &offer.id).await.unwrap().unwrap().state
}

/// Writes changes that no command has decided.
async fn write(store: &SqlStore, changes: &Changes) -> Result<(), StoreError> {
    let scope = Scope::under(Lock::Buyer(customer("cus_1")));
    store.transact("forged", &scope, &mut |_| changes.clone()).await
}

/// Purges in steps of one row. Returns the number of rows changed.
async fn purge(store: &SqlStore, what: Purge, before: UnixSeconds) -> u64 {
    let (mut changed, mut place) = (0, Some(Cursor::start()));
    while let Some(after) = place {
        let step = store.purge_step(what, before, &after, 1).await.unwrap();
        changed += step.changed;
        place = step.next;
    }
    changed
}
