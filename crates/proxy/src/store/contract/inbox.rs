//! Webhooks: each once, at its own time, up to its own end.

use upsell_core::policy::inbox_schedule::{AfterFailure, WebhookState};

use super::*;
use crate::store::{DueWebhook, Inbox, InboxInsert, Tried};

const GIVEN_UP: AfterFailure = AfterFailure { state: WebhookState::GivenUp, next_try_at: None };
const UNREADABLE: AfterFailure = AfterFailure { state: WebhookState::Unreadable, next_try_at: None };

fn again_at(seconds: i64) -> AfterFailure {
    AfterFailure { state: WebhookState::Waiting, next_try_at: Some(after(seconds)) }
}

/// Keeps a webhook that is due a minute later.
async fn insert(store: &SqlStore, id: &str) -> InboxInsert {
    store.inbox_insert(id, "payment.succeeded", b"{}", NOW, after(60)).await.unwrap()
}

/// The ids of those that are taken at so many seconds, for a minute.
async fn take(store: &SqlStore, tried: Tried, seconds: i64, limit: u32) -> Vec<String> {
    let due = store.take_due_webhooks(tried, after(seconds), after(seconds + 60), limit).await.unwrap();
    let mut ids: Vec<String> = due.into_iter().map(|due| due.id).collect();
    ids.sort();
    ids
}

/// Not applied: how many wait, are unreadable, are given up.
async fn counts(store: &SqlStore) -> [u64; 3] {
    let backlog = store.inbox_backlog().await.unwrap();
    WebhookState::NOT_APPLIED
        .map(|state| backlog.iter().find(|backlog| backlog.state == state).unwrap().webhooks)
}

#[tokio::test]
async fn a_webhook_is_new_once_and_done_once() {
    let (_place, store) = fresh().await;
    assert_eq!(insert(&store, "msg_1").await, InboxInsert::New);
    assert_eq!(insert(&store, "msg_1").await, InboxInsert::Unapplied);
    assert_eq!(counts(&store).await, [1, 0, 0]);
    assert!(take(&store, Tried::Never, 59, 10).await.is_empty(), "whoever received it is at it");
    let due = store.take_due_webhooks(Tried::Never, after(60), after(120), 10).await.unwrap();
    assert_eq!(due, [DueWebhook { id: "msg_1".into(), raw: b"{}".to_vec(), tries: 0 }]);
    assert!(take(&store, Tried::Never, 119, 10).await.is_empty(), "taken");
    store.inbox_applied("msg_1", NOW).await.unwrap();
    assert_eq!(insert(&store, "msg_1").await, InboxInsert::Duplicate);
    assert!(take(&store, Tried::Never, 1_000, 10).await.is_empty());
    assert_eq!(counts(&store).await, [0, 0, 0]);
    assert_eq!(purge(&store, Purge::Webhooks, after(1)).await, 1);
}

/// I20: however many fail, a fresh one is tried at its time.
#[tokio::test]
async fn those_that_fail_do_not_keep_fresh_ones_waiting() {
    let (_place, store) = fresh().await;
    for id in ["msg_1", "msg_2", "msg_3"] {
        insert(&store, id).await;
    }
    assert_eq!(take(&store, Tried::Never, 60, 2).await.len(), 2, "the limit");
    for id in ["msg_1", "msg_2", "msg_3"] {
        store.webhook_failed(id, 0, again_at(100), "1").await.unwrap();
    }
    store.webhook_failed("msg_1", 0, again_at(70), "1").await.unwrap();
    insert(&store, "msg_new").await;
    assert_eq!(take(&store, Tried::Never, 100, 10).await, ["msg_new"]);
    assert_eq!(take(&store, Tried::Before, 99, 10).await, [""; 0], "a note over an older one was taken");
    assert_eq!(take(&store, Tried::Before, 100, 10).await, ["msg_1", "msg_2", "msg_3"]);
}

#[tokio::test]
async fn an_end_is_named_and_another_version_tries_again() {
    let (place, store) = fresh().await;
    for id in ["msg_poison", "msg_strange", "msg_good"] {
        insert(&store, id).await;
    }
    store.webhook_failed("msg_poison", 0, GIVEN_UP, "1").await.unwrap();
    store.webhook_failed("msg_strange", 0, UNREADABLE, "1").await.unwrap();
    store.inbox_applied("msg_good", NOW).await.unwrap();
    store.webhook_failed("msg_good", 0, GIVEN_UP, "1").await.unwrap();
    assert_eq!(counts(&store).await, [0, 1, 1]);
    assert!(take(&store, Tried::Before, 1_000_000, 10).await.is_empty());
    assert_eq!(insert(&store, "msg_strange").await, InboxInsert::Unapplied);
    assert_eq!(store.retry_after_update("1", after(100), 10).await.unwrap(), 0, "the same version");
    assert_eq!(store.retry_after_update("2", after(100), 1).await.unwrap(), 1, "the limit");
    assert_eq!(store.retry_after_update("2", after(100), 10).await.unwrap(), 1);
    assert_eq!(counts(&store).await, [2, 0, 0]);
    assert_eq!(take(&store, Tried::Before, 100, 10).await, ["msg_poison", "msg_strange"]);
    assert_eq!(purge(&store, Purge::Webhooks, after(1)).await, 1, "what waits stays");
    let stranger = Tenant { merchant: format!("{}-other", place.tenant.merchant), ..place.tenant.clone() };
    drop(store);
    let other = opened(&place, &stranger).await;
    assert_eq!(counts(&other).await, [0, 0, 0]);
    assert!(take(&other, Tried::Before, 1_000_000, 10).await.is_empty());
}
