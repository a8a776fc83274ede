//! How far Dodo's events are known.

use upsell_core::policy::{
    catching_up::{EventProgress, QUIET},
    listing_plan::Window,
};

use super::*;
use crate::store::Events;

/// What is missed stays so across events and restarts, until it is listed.
#[tokio::test]
async fn progress_is_kept() {
    let (place, store) = fresh().await;
    let look = |at: UnixSeconds| store.advance_events(at, &|_| None);
    let begun = EventProgress { last_event_at: NOW, missed: None };
    assert_eq!(look(NOW).await.unwrap(), begun, "nothing is known before: nothing is missed");
    assert_eq!(look(after(5)).await.unwrap(), begun, "looking changes nothing");
    let heard = store.advance_events(after(QUIET), &|progress| progress.heard(after(QUIET))).await.unwrap();
    let missed = Some(Window { from: NOW, to: after(QUIET) });
    assert_eq!(heard, EventProgress { last_event_at: after(QUIET), missed });
    store.close().await;
    drop(store);

    let store = opened(&place, &place.tenant).await;
    let until = after(QUIET / 2);
    let rest = store.advance_events(after(QUIET), &|progress| progress.caught_up(until)).await.unwrap();
    assert_eq!(rest.missed, Some(Window { from: until, to: after(QUIET) }));
    let done =
        store.advance_events(after(QUIET), &|progress| progress.caught_up(after(QUIET))).await.unwrap();
    assert_eq!(done.missed, None);
}
