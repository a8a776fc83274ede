//! The history of an attempt.

use wire::FailureReason;

use super::*;
use crate::{
    domain::Observation,
    journal::{Unexecuted, fixtures::*, memory::Memory},
};

fn lines(store: &Memory, attempt: &AttemptId) -> Vec<String> {
    let of_attempt = store.history.iter().filter(|(id, _, _)| id == attempt);
    let line = |event: &HistoryEvent| match event.columns() {
        (word, None, None) => word.to_owned(),
        (word, None, Some(detail)) => format!("{word}: {detail}"),
        (word, Some(source), None) => format!("{word} by {source:?}"),
        (word, Some(source), Some(detail)) => format!("{word} by {source:?}: {detail}"),
    };
    of_attempt.map(|(_, _, event)| line(event)).collect()
}

#[test]
fn a_history_tells_everything_once() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let attempt = store.sent(&claim_of(&row, "at_1", "key-1")).id;
    for settlement in [seen(Observation::Unknown), seen(Observation::Unknown)] {
        store.settle(&attempt, &settlement);
    }
    store.look(&attempt, true, None);
    for settlement in [paid("pay_1"), paid("pay_1")] {
        store.settle(&attempt, &settlement);
    }
    assert_eq!(
        lines(&store, &attempt),
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

#[test]
fn a_failure_and_a_release_say_why() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let failed = store.sent(&claim_of(&row, "at_1", "key-1")).id;
    store.settle(&failed, &seen(Observation::Failed(FailureReason::ExpiredCard)));
    assert_eq!(lines(&store, &failed).last().unwrap(), "failed by LookUp: expired_card");
    let second = store.claimed(&hosted_claim_of(&row, "at_2", "key-2")).id;
    store.execute(&back(&second, Unexecuted::Claimed));
    assert_eq!(lines(&store, &second), ["claimed: hosted", "released"]);
}
