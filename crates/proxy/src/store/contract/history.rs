//! What is written down about an attempt.

use wire::FailureReason;

use super::*;

async fn told(store: &SqlStore, attempt: &AttemptRow) -> Vec<String> {
    let history = store.history(&attempt.id).await.unwrap();
    let line = |entry: &upsell_core::domain::HistoryEntry| match (&entry.source, &entry.detail) {
        (None, None) => entry.event.clone(),
        (None, Some(detail)) => format!("{}: {detail}", entry.event),
        (Some(source), None) => format!("{} by {source:?}", entry.event),
        (Some(source), Some(detail)) => format!("{} by {source:?}: {detail}", entry.event),
    };
    history.iter().map(line).collect()
}

#[tokio::test]
async fn a_history_tells_everything_once() {
    let (_place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let attempt = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    for settlement in [seen(Observation::Unknown), seen(Observation::Unknown)] {
        store.settle(&attempt.id, &settlement).await.unwrap();
    }
    store.note_look(&attempt.id, NOW, true, None).await.unwrap();
    for settlement in [paid("pay_1"), paid("pay_1")] {
        store.settle(&attempt.id, &settlement).await.unwrap();
    }
    assert_eq!(
        told(&store, &attempt).await,
        [
            "claimed: one_click",
            "sent",
            "offer: unknown",
            "unknown by LookUp",
            "looked: nothing found after the deadline",
            "offer: charged",
            "succeeded by LookUp: payment pay_1",
        ]
    );
}

#[tokio::test]
async fn a_failure_and_a_release_say_why() {
    let (_place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let failed = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    store.settle(&failed.id, &seen(Observation::Failed(FailureReason::ExpiredCard))).await.unwrap();
    assert_eq!(told(&store, &failed).await.last().unwrap(), "failed by LookUp: expired_card");
    let mut again = claim_of(&row, "at_2", "key-2");
    again.attempt.kind = AttemptKind::Hosted;
    let ClaimOutcome::Claimed(second) = store.claim(&again).await.unwrap() else { panic!("not claimed") };
    store.release(&second.id, &back(Unexecuted::Claimed)).await.unwrap();
    assert_eq!(told(&store, &second).await, ["claimed: hosted", "released"]);
}
