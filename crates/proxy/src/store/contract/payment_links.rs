//! Links on which buyers give another payment method.

use upsell_core::policy::payment_link::{KeptLink, LinkUse, LiveLink};

use super::*;
use crate::store::PaymentLinks;

fn link(version: i64) -> KeptLink {
    let link = LiveLink {
        url: format!("https://dodo.example/session/cks_{version}"),
        payment_id: Some(payment(&format!("pay_{version}"))),
    };
    KeptLink { version, link: Some(link), until: after(version) }
}

#[tokio::test]
async fn a_link_is_written_over_the_version_before_it_alone() {
    let (place, store) = fresh().await;
    let (id, dues) = (subscription(), LinkUse::PayDues);
    let lease = KeptLink { version: 1, link: None, until: NOW };
    assert!(store.replace_payment_link(&id, dues, &lease).await.unwrap());
    assert!(!store.replace_payment_link(&id, dues, &lease).await.unwrap(), "somebody else was first");
    assert_eq!(store.payment_link(&id, dues).await.unwrap(), Some(lease));
    assert!(!store.replace_payment_link(&id, dues, &link(3)).await.unwrap());
    assert!(store.replace_payment_link(&id, dues, &link(2)).await.unwrap());
    assert_eq!(store.payment_link(&id, LinkUse::ReplaceMethod).await.unwrap(), None);
    assert!(store.replace_payment_link(&id, LinkUse::ReplaceMethod, &link(1)).await.unwrap());
    drop(store);
    let store = opened(&place, &place.tenant).await;
    assert_eq!(store.payment_link(&id, dues).await.unwrap(), Some(link(2)));
    let stranger = Tenant { merchant: format!("{}-other", place.tenant.merchant), ..place.tenant.clone() };
    drop(store);
    let other = opened(&place, &stranger).await;
    assert_eq!(other.payment_link(&id, dues).await.unwrap(), None);
    drop(other);
    let store = opened(&place, &place.tenant).await;
    assert_eq!(purge(&store, Purge::PaymentLinks, after(2)).await, 1);
    assert_eq!(store.payment_link(&id, dues).await.unwrap(), Some(link(2)));
}

#[tokio::test]
async fn of_many_that_ask_at_the_same_time_one_gets_the_lease() {
    let (_place, store) = fresh().await;
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(&store);
            let lease = KeptLink { version: 1, link: None, until: after(60) };
            tokio::spawn(async move {
                store.replace_payment_link(&subscription(), LinkUse::PayDues, &lease).await.unwrap()
            })
        })
        .collect();
    let mut got = 0;
    for one in tries {
        got += usize::from(one.await.unwrap());
    }
    assert_eq!(got, 1);
}
