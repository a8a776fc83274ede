//! Sales read back, and refund orders on their way.

use dodo_client::ids::RefundId;
use upsell_core::{
    domain::{DisputeStatus, OrderState, PaymentStatus, RefundCause, RefundOrder, RefundStatus, Sale},
    journal::{
        Abandon, Change, ConcludeRefund, Conclusion, MarkRefundSent, RecordDispute, RecordRefund,
        StoredOrder,
        fixtures::{ALL_BACK, dispute, paid_in_full, refund, usd},
    },
};

use super::*;
use crate::store::{RefundOrders, Sales};

/// A sale says what was collected, what of it went back for good, and the worst that came of its disputes.
#[tokio::test]
async fn a_sale_reads_back_with_what_became_of_it() {
    let (_place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let attempt = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    assert_eq!(store.sale(&payment("pay_1")).await.unwrap(), None);
    for settlement in [paid_in_full("pay_1"), paid_in_full("pay_2")] {
        store.settle(&attempt.id, &settlement).await.unwrap();
    }
    for (id, by, status, amount) in [
        ("ref_1", "pay_1", RefundStatus::Succeeded, Some(900)),
        ("ref_2", "pay_1", RefundStatus::Succeeded, Some(10)),
        ("ref_3", "pay_1", RefundStatus::Failed, Some(20)),
        ("ref_4", "pay_1", RefundStatus::Pending, Some(40)),
        ("ref_5", "pay_2", RefundStatus::Succeeded, Some(80)),
    ] {
        let refund = refund(id, by, status, amount);
        assert!(store.execute(&RecordRefund { refund, at: NOW }).await.unwrap());
    }
    for (id, status) in [("dsp_1", DisputeStatus::Lost), ("dsp_2", DisputeStatus::Won)] {
        let dispute = dispute(id, "pay_1", status);
        assert!(store.execute(&RecordDispute { dispute, at: NOW }).await.unwrap());
    }
    let first = Sale {
        payment_id: payment("pay_1"),
        attempt_id: attempt.id.clone(),
        status: PaymentStatus::Succeeded,
        collected: Some(usd(1900)),
        surplus: false,
        refunded: 910,
        dispute: Some(DisputeStatus::Lost),
    };
    assert_eq!(store.sale(&payment("pay_1")).await.unwrap().as_ref(), Some(&first));
    let second = Sale { payment_id: payment("pay_2"), surplus: true, refunded: 80, dispute: None, ..first };
    assert_eq!(store.sale(&payment("pay_2")).await.unwrap(), Some(second));
}

/// Makes a sale whose payment has to go back: it came after its attempt was abandoned.
async fn late(store: &SqlStore) {
    let row = offered(store, "of_1").await;
    let attempt = sent(store, &claim_of(&row, "at_1", "key-1")).await;
    store.settle(&attempt.id, &seen(Observation::Unknown)).await.unwrap();
    let abandon = Abandon { attempt: attempt.id.clone(), at: NOW, next_check_at: NOW };
    assert!(store.execute(&abandon).await.unwrap());
    store.settle(&attempt.id, &Settlement { refund: ALL_BACK, ..paid_in_full("pay_1") }).await.unwrap();
}

async fn taken(store: &SqlStore, at: i64) -> Option<RefundOrder> {
    store.take_due_refunds(after(at), after(at + 120), 10).await.unwrap().pop()
}

async fn mark(store: &SqlStore, at: i64) -> bool {
    let (payment_id, cause) = (payment("pay_1"), RefundCause::Late);
    let mark = MarkRefundSent { payment_id, cause, now: after(at), next_check_at: after(at + 45) };
    store.execute(&mark).await.unwrap()
}

/// I3, I4 for refunds: marked once, by the process that took it, within the lease.
#[tokio::test]
async fn an_order_is_taken_and_marked_once_within_its_lease() {
    let (place, store) = fresh().await;
    late(&store).await;
    let order = taken(&store, 0).await.unwrap();
    assert_eq!((order.cause, order.amount, order.state), (RefundCause::Late, None, OrderState::Due));
    assert_eq!(store.refund_order(&payment("pay_1")).await.unwrap(), Some(order));
    assert_eq!(taken(&store, 119).await, None, "somebody is at it");
    assert!(!mark(&store, 120).await, "the lease is over");
    taken(&store, 120).await.unwrap();
    store.close().await;
    drop(store);
    let store = opened(&place, &place.tenant).await;
    assert!(!mark(&store, 121).await, "another process took it");
    taken(&store, 240).await.unwrap();
    assert!(mark(&store, 241).await);
    assert!(!mark(&store, 242).await);
    assert_eq!(taken(&store, 285).await, None, "the request may be under way");
    let order = taken(&store, 286).await.unwrap();
    assert_eq!((order.state, order.sent_at), (OrderState::Sent, Some(after(241))));
    assert!(!mark(&store, 287).await);
    let conclusion = Conclusion::Done(RefundId::parse("ref_1").unwrap());
    let conclude = ConcludeRefund { order: &order, conclusion: &conclusion, now: after(287) };
    assert!(store.execute(&conclude).await.unwrap());
    assert_eq!(taken(&store, 100_000).await, None);
}

/// I4: whatever was loaded, the mark is written where the order is due, and its lease is this process's.
#[tokio::test]
async fn the_sent_mark_of_an_order_is_guarded() {
    let (_place, store) = fresh().await;
    late(&store).await;
    let due = store.refund_order(&payment("pay_1")).await.unwrap().unwrap();
    let mark = |now| {
        let row = RefundOrder { state: OrderState::Sent, sent_at: Some(now), ..due.clone() };
        let order = StoredOrder { row, lease_until: after(300), lease_owner: None, checks: 0 };
        Changes::from_iter([Change::MarkRefundSent { order, from: OrderState::Due, now }])
    };
    let refused = |marked| matches!(marked, Err(StoreError::Contended));
    assert!(refused(write(&store, &mark(after(1))).await), "nobody has taken it");
    taken(&store, 0).await.unwrap();
    assert!(refused(write(&store, &mark(after(120))).await), "the lease is over");
    write(&store, &mark(after(1))).await.unwrap();
    assert!(refused(write(&store, &mark(after(2))).await), "it is marked");
}
