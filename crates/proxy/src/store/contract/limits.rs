//! What is due is taken in batches, and no batch has more than was asked for (I19).

use upsell_core::{
    domain::{OrderState, RefundCause, RefundOrder},
    journal::{Change, StoredOrder, fixtures::refusal},
    policy::inbox_schedule::{AfterFailure, WebhookState},
};

use super::*;
use crate::store::{Inbox, Outbox, RefundOrders, Tried};

/// Everything that is taken in batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    FreshAttempts,
    OldAttempts,
    Notices,
    Refunds,
    NewWebhooks,
    FailedWebhooks,
}

/// One for each table.
const TABLES: [Due; 4] = [Due::OldAttempts, Due::Notices, Due::Refunds, Due::NewWebhooks];
const ALL: [Due; 6] =
    [Due::FreshAttempts, Due::OldAttempts, Due::Notices, Due::Refunds, Due::NewWebhooks, Due::FailedWebhooks];
/// Rows of each kind that are due.
const ROWS: usize = 5;
const LIMIT: u32 = 2;

impl Due {
    /// Adds a row that is due at 5,100 seconds.
    async fn add(self, store: &SqlStore, no: usize) {
        let name = format!("{self:?}_{no}").to_lowercase();
        match self {
            Self::FreshAttempts => attempt(store, &name, after(5_000)).await,
            Self::OldAttempts => attempt(store, &name, NOW).await,
            Self::Notices => {
                let row = offered(store, &format!("of_{name}")).await;
                store.decline(&refusal(&row)).await.unwrap();
            }
            Self::Refunds => {
                let row = RefundOrder {
                    payment_id: payment(&format!("pay_{name}")),
                    cause: RefundCause::Late,
                    amount: None,
                    state: OrderState::Due,
                    refund_id: None,
                    created_at: NOW,
                    sent_at: None,
                    next_check_at: Some(NOW),
                };
                let order = StoredOrder { row, lease_until: NOW, lease_owner: None, checks: 0 };
                write(store, &Changes::from_iter([Change::InsertOrder(order)])).await.unwrap();
            }
            Self::NewWebhooks => webhook(store, &name).await,
            Self::FailedWebhooks => {
                webhook(store, &name).await;
                let again = AfterFailure { state: WebhookState::Waiting, next_try_at: Some(after(5_100)) };
                store.webhook_failed(&format!("msg_{name}"), 0, again, "1").await.unwrap();
            }
        }
    }

    /// Takes a batch. Returns how many rows it has.
    async fn take(self, store: &SqlStore) -> usize {
        let (now, until) = (after(5_100), after(5_200));
        match self {
            Self::FreshAttempts => store.take_due(AgeGroup::Fresh, now, until, LIMIT).await.unwrap().len(),
            Self::OldAttempts => store.take_due(AgeGroup::Old, now, until, LIMIT).await.unwrap().len(),
            Self::Notices => store.take_due_notices(now, until, LIMIT).await.unwrap().len(),
            Self::Refunds => store.take_due_refunds(now, until, LIMIT).await.unwrap().len(),
            Self::NewWebhooks => {
                store.take_due_webhooks(Tried::Never, now, until, LIMIT).await.unwrap().len()
            }
            Self::FailedWebhooks => {
                store.take_due_webhooks(Tried::Before, now, until, LIMIT).await.unwrap().len()
            }
        }
    }
}

async fn attempt(store: &SqlStore, name: &str, at: UnixSeconds) {
    let row = offered(store, &format!("of_{name}")).await;
    let mut claim = claim_of(&row, &format!("at_{name}"), &format!("key-{name}"));
    (claim.attempt.created_at, claim.attempt.lease_until) = (at, after(5_002));
    let ClaimOutcome::Claimed(row) = store.claim(&claim).await.unwrap() else { panic!("not claimed") };
    assert!(store.mark_sent(&row, after(5_001), after(5_045)).await.unwrap());
}

async fn webhook(store: &SqlStore, name: &str) {
    store.inbox_insert(&format!("msg_{name}"), "payment.succeeded", b"{}", NOW, NOW).await.unwrap();
}

/// PostgreSQL plans by its statistics. Where they are of a time at which a table had one row, it joins by a loop, and a
/// subquery that locks rows yields others each time.
#[tokio::test]
async fn no_batch_is_longer_than_asked_for() {
    let (_place, store) = alone().await;
    for due in TABLES {
        due.add(&store, 0).await;
    }
    sqlx::query("ANALYZE").execute(&store.writer).await.unwrap();
    for due in ALL {
        for no in 1..=ROWS {
            due.add(&store, no).await;
        }
    }
    let mut taken = Vec::new();
    for due in ALL {
        let mut batches = vec![due.take(&store).await];
        while batches.last() != Some(&0) {
            batches.push(due.take(&store).await);
        }
        taken.push((due, batches));
    }
    let is_right =
        |batches: &[usize]| batches.iter().all(|rows| *rows <= 2) && batches.iter().sum::<usize>() >= ROWS;
    assert!(taken.iter().all(|(_, batches)| is_right(batches)), "{taken:?}");
}
