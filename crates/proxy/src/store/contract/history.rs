//! The history of an attempt, in its order.

use upsell_core::{
    domain::{HistoryEntry, Source},
    journal::{Change, HistoryEvent},
};

use super::*;

#[tokio::test]
async fn a_history_reads_back_as_it_was_written() {
    let (place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let attempt = sent(&store, &claim_of(&row, "at_1", "key-1")).await.id;
    let events = [
        HistoryEvent::Released { changed: true },
        HistoryEvent::Rebuilt,
        HistoryEvent::LookedUp { clean: true },
        HistoryEvent::OfferMoved(OfferState::Charged),
        HistoryEvent::Settled {
            state: AttemptState::Succeeded,
            source: Source::Webhook,
            payment: Some(payment("pay_1")),
        },
    ];
    let appended = |(n, event): (i64, HistoryEvent)| {
        // Entries stand in the order in which they were written, whatever their times say.
        Change::AppendHistory { attempt: attempt.clone(), at: after(-n), event }
    };
    write(&store, &(0..).zip(events).map(appended).collect()).await.unwrap();
    let written_by = store.instance.clone();
    store.close().await;
    drop(store);
    let store = opened(&place, &place.tenant).await;
    let entry = |event: &str, at: i64, source, detail: Option<&str>| HistoryEntry {
        at: after(at),
        event: event.into(),
        source,
        detail: detail.map(str::to_owned),
        instance: written_by.clone(),
    };
    assert_eq!(
        store.history(&attempt).await.unwrap(),
        [
            entry("claimed", 0, None, Some("one_click")),
            entry("sent", 0, None, None),
            entry("released", 0, None, Some("the amount had changed")),
            entry("rebuilt", -1, Some(Source::Restore), None),
            entry("looked", -2, None, Some("nothing found after the deadline")),
            entry("offer", -3, None, Some("charged")),
            entry("succeeded", -4, Some(Source::Webhook), Some("payment pay_1")),
        ]
    );
    assert!(store.history(&AttemptId::parse("at_2").unwrap()).await.unwrap().is_empty());
}
