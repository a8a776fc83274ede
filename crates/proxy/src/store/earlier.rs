//! Rows as a store of an earlier version kept them, from before charges carried codes.

use upsell_core::policy::inbox_schedule::WebhookState;

use super::{Inbox, Tried};

/// The statements that write them; `fingerprint` is 32 bytes in the engine's words.
pub(super) fn earlier_rows(fingerprint: &str) -> Vec<String> {
    let statements = include_str!("contract/earlier.sql").replace("$FINGERPRINT", fingerprint);
    statements.split(";\n").map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

/// Panics unless the webhooks among these rows have their states: one was applied, one waits, and one, which the earlier
/// version could not read, is tried again by this one.
pub(super) async fn check_earlier_webhooks(store: &impl Inbox) {
    let now = wire::UnixSeconds(1_000);
    let backlog = store.inbox_backlog().await.unwrap();
    let count = |state| backlog.iter().find(|backlog| backlog.state == state).unwrap().webhooks;
    assert_eq!((count(WebhookState::Waiting), count(WebhookState::Unreadable)), (1, 1));
    assert_eq!(store.retry_after_update("1", now, 10).await.unwrap(), 1);
    let due = store.take_due_webhooks(Tried::Never, now, now, 10).await.unwrap();
    let mut ids: Vec<&str> = due.iter().map(|due| due.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["msg_kept", "msg_strange"]);
}
