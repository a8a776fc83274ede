//! A store that may have lost commits.

use upsell_core::{
    domain::{Fingerprinted, KnownKey},
    journal::Stale,
};

use super::*;
use crate::store::Restore;

#[tokio::test]
async fn beats_grow_and_a_restart_reads_the_last() {
    let (place, store) = fresh().await;
    assert_eq!(store.last_sign().await.unwrap(), upsell_core::journal::LastSign::default());
    assert_eq!(store.beat(after(10)).await.unwrap(), None);
    assert_eq!(store.beat(NOW).await.unwrap(), None, "a clock set back is no store gone back");
    assert_eq!(store.last_sign().await.unwrap().beat, Some(after(10)));
    let identity = store.identity().clone();
    assert_eq!(
        identity.signed_since,
        UnixSeconds(0),
        "a store that is made with codes has no charges without"
    );
    store.close().await;
    drop(store);
    let store = opened(&place, &place.tenant).await;
    assert_eq!(store.last_sign().await.unwrap().beat, Some(after(10)));
    assert_eq!(*store.identity(), identity);
    assert_eq!(store.inspect().await.unwrap().staleness(), None);
}

/// I7.
#[tokio::test]
async fn a_hold_closes_what_was_open_before() {
    let (_place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    offered(&store, "of_2").await;
    assert_eq!(store.held_until().await.unwrap(), None);
    store.hold_until(after(1)).await.unwrap();
    for left in [1, 1, 0] {
        assert_eq!(store.withdraw_offers(after(1), 1).await.unwrap(), left, "in steps");
    }
    store.hold_until(NOW).await.unwrap();
    assert_eq!(store.held_until().await.unwrap(), Some(after(1)));
    assert_eq!(offer_state(&store, &row).await, OfferState::Expired);
}

/// What a process remembers and does not find again: an attempt that it sent, or a beat.
#[tokio::test]
async fn nothing_is_claimed_in_a_store_that_went_back() {
    let (_place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    store.beat(NOW).await.unwrap();
    store.memory.beat(after(1));
    assert_eq!(
        store.claim(&claim_of(&row, "at_1", "key-1")).await.unwrap(),
        ClaimOutcome::StaleStore(Stale::LostCommits)
    );
    assert_eq!(store.beat(after(9)).await.unwrap(), Some(Stale::LostCommits));
    assert_eq!(store.last_sign().await.unwrap().beat, Some(NOW), "the last beat stays for the rebuild");
    let on = store.inspect().await.unwrap().writes;
    store.begin_anew(NOW, Some(NOW), on).await.unwrap();
    assert_eq!(store.last_sign().await.unwrap().restored_at, Some(NOW));
    store.memory.sent(&AttemptId::parse("at_lost").unwrap());
    assert!(store.inspect().await.unwrap().has_lost_commits());
    store.begin_anew(after(2), None, on).await.unwrap();
    assert!(matches!(store.claim(&claim_of(&row, "at_1", "key-1")).await.unwrap(), ClaimOutcome::Claimed(_)));
}

#[tokio::test]
async fn keys_are_remembered_once_and_retired_once() {
    let (_place, store) = fresh().await;
    let key = |id: &str| Fingerprinted { id: id.to_owned(), fingerprint: format!("{id}-print") };
    store.remember_keys(&[key("k1")], NOW).await.unwrap();
    let changed = Fingerprinted { fingerprint: "other".to_owned(), ..key("k1") };
    store.remember_keys(&[changed, key("k2")], after(5)).await.unwrap();
    assert!(store.retire_key("k1", after(9)).await.unwrap());
    assert!(!store.retire_key("k1", after(10)).await.unwrap(), "retired already");
    assert!(!store.retire_key("k3", after(10)).await.unwrap(), "not known");
    let known = store.known_keys().await.unwrap();
    let expected = [
        KnownKey { key: key("k1"), seen_at: NOW, retired_at: Some(after(9)) },
        KnownKey { key: key("k2"), seen_at: after(5), retired_at: None },
    ];
    assert_eq!(known, expected);
}
