//! Bookings and their ends.

use upsell_core::{
    domain::{AttemptKind, BookingEnd, Observation},
    journal::Change,
};

use super::*;
use crate::store::Bookings;

#[tokio::test]
async fn a_booking_is_open_until_its_end_is_recorded() {
    let (_place, store) = fresh().await;
    store.put_quote(&quote("qt_1", None)).await.unwrap();
    let attempt = AttemptRow {
        subscription_id: Some(subscription()),
        quote_id: QuoteId::parse("qt_1").unwrap(),
        kind: AttemptKind::PlanChange,
        lease_until: after(1000),
        ..AttemptRow::example()
    };
    let row = sent(&store, &Claim::of(attempt)).await;
    assert!(store.open_bookings(&subscription()).await.unwrap().is_empty());
    store.settle(&row.id, &seen(Observation::Scheduled)).await.unwrap();
    let open = store.open_bookings(&subscription()).await.unwrap();
    assert_eq!(open.iter().map(|row| &row.id).collect::<Vec<_>>(), [&row.id]);
    let other = SubscriptionId::parse("sub_other").unwrap();
    assert!(store.open_bookings(&other).await.unwrap().is_empty());
    // The first end stays.
    for end in BookingEnd::ALL {
        let change = Change::EndBooking { attempt: row.id.clone(), end: *end, at: NOW };
        write(&store, &Changes::from_iter([change])).await.unwrap();
    }
    assert!(store.open_bookings(&subscription()).await.unwrap().is_empty());
    let scope = Scope { booking: true, ..Scope::of_attempt(&row.id) };
    let loaded = super::columns::load(&store, &scope).await;
    assert_eq!(loaded.booking_end, Some(BookingEnd::Made));
}
