//! News on its way out: taken under a lease, told at least once, kept for a while (I14).

use sqlx::Row;
use upsell_core::journal::{
    Change, HistoryEvent,
    fixtures::refusal,
    notifications::{Notification, NotificationKind},
};

use super::*;
use crate::store::{Backlog, DueNotice, Outbox};

/// A store with so many pieces of news, all due at [`NOW`].
async fn with_news(store: &SqlStore, count: usize) {
    for n in 0..count {
        let row = offered(store, &format!("of_{n}")).await;
        store.decline(&refusal(&row)).await.unwrap();
    }
}

/// Takes at `now` for a minute.
async fn take(store: &SqlStore, now: i64, limit: u32) -> Vec<DueNotice> {
    store.take_due_notices(after(now), after(now + 60), limit).await.unwrap()
}

async fn take_one(store: &SqlStore, now: i64) -> DueNotice {
    let mut taken = take(store, now, 9).await;
    assert_eq!(taken.len(), 1);
    taken.remove(0)
}

/// I14: what has the same id is kept once, as it was said first, and costs the rest of a decision nothing.
#[tokio::test]
async fn a_notification_is_kept_once() {
    let (_place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let attempt = sent(&store, &claim_of(&row, "at_1", "key-1")).await.id;
    let say = |body: &str| {
        let (id, kind) = ("evt_at_1_payment_succeeded".to_owned(), NotificationKind::PaymentSucceeded);
        let notification = Box::new(Notification { id, kind, body: body.into() });
        let history =
            Change::AppendHistory { attempt: attempt.clone(), at: NOW, event: HistoryEvent::Rebuilt };
        Changes::from_iter([Change::Notify { notification, at: after(5) }, history])
    };
    write(&store, &say("first")).await.unwrap();
    write(&store, &say("second")).await.unwrap();
    let rows = sqlx::query("SELECT * FROM outbox WHERE tenant = $1 AND kind = 'payment.succeeded'")
        .bind(store.tenant)
        .fetch_all(&store.readers)
        .await
        .unwrap();
    let rows: Vec<(String, String, i64)> =
        rows.iter().map(|row| (row.get("id"), row.get("body"), row.get("created_at"))).collect();
    assert_eq!(rows, [("evt_at_1_payment_succeeded".into(), "\"first\"".into(), NOW.0 + 5)]);
    assert_eq!(store.history(&attempt).await.unwrap().len(), 4);
}

#[tokio::test]
async fn news_is_taken_once_while_the_lease_lasts_and_again_after_it() {
    let (_place, store) = fresh().await;
    with_news(&store, 3).await;
    assert!(take(&store, -1, 9).await.is_empty(), "before its time");
    assert_eq!(take(&store, 0, 2).await.len(), 2);
    assert_eq!(take(&store, 0, 2).await.len(), 1);
    assert!(take(&store, 59, 9).await.is_empty());
    // I14: whoever took them died; nothing is lost.
    assert_eq!(take(&store, 60, 9).await.len(), 3);
}

#[tokio::test]
async fn news_is_taken_with_its_body_and_told_for_good() {
    let (_place, store) = fresh().await;
    with_news(&store, 1).await;
    let notice = take_one(&store, 0).await;
    assert_eq!((notice.id.as_str(), notice.tries), ("evt_of_0_offer_declined", 0));
    let body: serde_json::Value = serde_json::from_str(&notice.body).unwrap();
    assert_eq!((&body["type"], &body["data"]["offer_id"]), (&"offer.declined".into(), &"of_0".into()));
    store.notice_told(&notice.id, after(1)).await.unwrap();
    assert!(take(&store, 1_000_000, 9).await.is_empty());
}

#[tokio::test]
async fn a_failed_try_is_counted_and_waits_for_its_next_time() {
    let (_place, store) = fresh().await;
    with_news(&store, 1).await;
    let first = take_one(&store, 0).await;
    store.notice_failed(&first, Some(after(5))).await.unwrap();
    assert!(take(&store, 4, 9).await.is_empty());
    let second = take_one(&store, 5).await;
    assert_eq!((&second.id, &second.body, second.tries), (&first.id, &first.body, 1));
    store.notice_failed(&second, None).await.unwrap();
    assert!(take(&store, 1_000_000, 9).await.is_empty(), "given up");
}

/// A lease ended while its holder was still at it: what the next one noted stands.
#[tokio::test]
async fn an_old_lease_changes_nothing() {
    let (_place, store) = fresh().await;
    with_news(&store, 1).await;
    let slow = take_one(&store, 0).await;
    let quick = take_one(&store, 60).await;
    store.notice_failed(&quick, Some(after(65))).await.unwrap();
    store.notice_failed(&slow, None).await.unwrap();
    let third = take_one(&store, 65).await;
    assert_eq!(third.tries, 1);
    store.notice_told(&third.id, after(66)).await.unwrap();
    store.notice_failed(&third, Some(after(70))).await.unwrap();
    assert!(take(&store, 1_000_000, 9).await.is_empty(), "told is told");
}

/// However many ask at once, each piece goes to one of them.
#[tokio::test]
async fn askers_at_once_share_the_news() {
    let (_place, store) = fresh().await;
    with_news(&store, 12).await;
    let asking = (0..6).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { take(&store, 0, 3).await })
    });
    let mut ids = Vec::new();
    for asked in asking.collect::<Vec<_>>() {
        ids.extend(asked.await.unwrap().into_iter().map(|notice| notice.id));
    }
    ids.extend(take(&store, 0, 12).await.into_iter().map(|notice| notice.id));
    ids.sort();
    let count = ids.len();
    ids.dedup();
    assert_eq!((count, ids.len()), (12, 12));
}

#[tokio::test]
async fn the_backlog_is_what_waits() {
    let (place, store) = fresh().await;
    assert_eq!(store.backlog().await.unwrap(), Backlog { waiting: 0, oldest: None });
    with_news(&store, 3).await;
    assert_eq!(store.backlog().await.unwrap(), Backlog { waiting: 3, oldest: Some(NOW) });
    let taken = take(&store, 0, 9).await;
    assert_eq!(store.backlog().await.unwrap().waiting, 3, "taken is not told");
    store.notice_told(&taken[0].id, after(1)).await.unwrap();
    store.notice_failed(&taken[1], Some(after(5))).await.unwrap();
    store.notice_failed(&taken[2], None).await.unwrap();
    assert_eq!(store.backlog().await.unwrap().waiting, 1);
    let other = Tenant { merchant: format!("{}-other", place.tenant.merchant), ..place.tenant.clone() };
    drop(store);
    let other = opened(&place, &other).await;
    assert_eq!(other.backlog().await.unwrap().waiting, 0);
    assert!(take(&other, 1_000_000, 9).await.is_empty());
}

#[tokio::test]
async fn what_is_over_is_swept_out_and_what_waits_is_not() {
    let (_place, store) = fresh().await;
    with_news(&store, 3).await;
    let taken = take(&store, 0, 9).await;
    store.notice_told(&taken[0].id, after(100)).await.unwrap();
    store.notice_failed(&taken[1], None).await.unwrap();
    store.notice_failed(&taken[2], Some(after(5))).await.unwrap();
    assert_eq!(purge(&store, Purge::EndedNotifications, NOW).await, 0);
    assert_eq!(purge(&store, Purge::EndedNotifications, after(100)).await, 1, "given up");
    assert_eq!(purge(&store, Purge::EndedNotifications, after(101)).await, 1, "told");
    assert_eq!(purge(&store, Purge::EndedNotifications, after(1_000_000)).await, 0, "I14: what waits stays");
    assert_eq!(purge(&store, Purge::Notifications, NOW).await, 0);
    assert_eq!(purge(&store, Purge::Notifications, after(1)).await, 1);
}
