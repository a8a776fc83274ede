//! Flags on sales, and orders to refund.

use dodo_client::ids::{DisputeId, RefundId};
use upsell_core::{
    domain::{
        DisputeStatus, OrderState, RefundCause, RefundOrder, RefundStatus, Sale, SeenDispute, SeenRefund,
    },
    journal::Conclusion,
    policy::refunds::RefundRules,
};
use wire::{Money, UnixSeconds};

use super::{charging::permutations, notices::told, *};
use crate::store::{RefundOrders, Sales};

const ALL_BACK: RefundRules = RefundRules { late: true, surplus: true, excess: None };

fn usd(amount: i64) -> Money {
    Money::new(amount, Currency::parse("USD").unwrap())
}

fn refund(id: &str, by: &str, status: RefundStatus, amount: Option<i64>) -> SeenRefund {
    let id = RefundId::parse(id).unwrap();
    SeenRefund { id, payment_id: payment(by), status, amount: amount.map(usd) }
}

fn dispute(id: &str, by: &str, status: DisputeStatus) -> SeenDispute {
    SeenDispute { id: DisputeId::parse(id).unwrap(), payment_id: payment(by), status }
}

/// What may be reported of a payment.
#[derive(Clone, Debug)]
enum Report {
    Paid,
    Refund(RefundStatus, Option<i64>),
    Dispute(DisputeStatus),
}

fn paid_in_full(by: &str) -> Settlement {
    let seen = SeenPayment { amount: Some(usd(1900)), ..paid(by).payment.unwrap() };
    Settlement { payment: Some(seen), ..paid(by) }
}

/// I10, I14: in every order, however often, before the payment or after it, the same sale comes of the same reports, the
/// offer stays sold, and the merchant's system is told of where it ended.
#[tokio::test]
async fn reports_of_a_sale_end_alike_in_every_order() {
    let reports = [
        Report::Paid,
        Report::Refund(RefundStatus::Pending, None),
        Report::Refund(RefundStatus::Succeeded, Some(900)),
        Report::Dispute(DisputeStatus::Opened),
        Report::Dispute(DisputeStatus::Won),
    ];
    let (_place, store) = fresh().await;
    let once = permutations(&reports).into_iter();
    let there_and_back = permutations(&reports).into_iter().map(|order| {
        let back: Vec<_> = order.iter().rev().cloned().collect();
        [order, back].concat()
    });
    for (n, order) in once.chain(there_and_back).enumerate() {
        let row = offered(&store, &format!("of_{n}")).await;
        let attempt = sent(&store, &claim_of(&row, &format!("at_{n}"), &format!("key-{n}"))).await;
        let (by, ref_id, dsp_id) = (format!("pay_{n}"), format!("ref_{n}"), format!("dsp_{n}"));
        for report in &order {
            match report {
                Report::Paid => drop(store.settle(&attempt.id, &paid_in_full(&by)).await.unwrap()),
                Report::Refund(status, amount) => {
                    store.record_refund(&refund(&ref_id, &by, *status, *amount), NOW).await.unwrap();
                }
                Report::Dispute(status) => {
                    store.record_dispute(&dispute(&dsp_id, &by, *status), NOW).await.unwrap();
                }
            }
        }
        let expected = Sale {
            payment_id: payment(&by),
            attempt_id: attempt.id.clone(),
            status: PaymentStatus::Succeeded,
            collected: Some(usd(1900)),
            surplus: false,
            refunded: 900,
            dispute: Some(DisputeStatus::Won),
        };
        assert_eq!(store.sale(&payment(&by)).await.unwrap(), Some(expected), "{order:?}");
        assert_eq!(offer_state(&store, &row).await, OfferState::Charged, "{order:?}");
        let settled = store.attempt_by_id(&attempt.id).await.unwrap().unwrap();
        assert_eq!(settled.state, AttemptState::Succeeded, "{order:?}");
        let told = told(&store).await;
        for id in [
            format!("evt_{ref_id}_payment_refunded"),
            format!("evt_{dsp_id}_payment_disputed_won"),
            format!("evt_at_{n}_payment_succeeded"),
        ] {
            assert_eq!(told.iter().filter(|told| **told == id).count(), 1, "{id} {order:?}");
        }
    }
}

/// What failed counts for nothing, what succeeded counts whatever else is said of it.
#[tokio::test]
async fn reports_of_a_refund_end_alike_in_every_order() {
    use RefundStatus::{Failed, Pending, Succeeded};
    let (_place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let attempt = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    store.settle(&attempt.id, &paid_in_full("pay_1")).await.unwrap();
    let mut refunded = 0;
    for (statuses, counts) in [(vec![Pending, Failed], 0), (vec![Pending, Failed, Succeeded], 10)] {
        for (n, order) in permutations(&statuses).into_iter().enumerate() {
            let id = format!("ref_{}_{n}", statuses.len());
            for status in &order {
                store.record_refund(&refund(&id, "pay_1", *status, Some(10)), NOW).await.unwrap();
            }
            refunded += counts;
            let sale = store.sale(&payment("pay_1")).await.unwrap().unwrap();
            assert_eq!(sale.refunded, refunded, "{order:?}");
        }
    }
}

/// Of two ends of one dispute a fixed one holds.
#[tokio::test]
async fn contradictory_ends_of_a_dispute_come_to_the_worse_one() {
    use DisputeStatus::{Accepted, Cancelled, Expired, Lost, Won};
    let (_place, store) = fresh().await;
    let row = offered(&store, "of_1").await;
    let attempt = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
    store.settle(&attempt.id, &paid_in_full("pay_1")).await.unwrap();
    for (round, pair) in permutations(&[Cancelled, Won, Accepted, Expired, Lost]).into_iter().enumerate() {
        let id = format!("dsp_{round}");
        for status in &pair[..2] {
            store.record_dispute(&dispute(&id, "pay_1", *status), NOW).await.unwrap();
        }
        let again = dispute(&id, "pay_1", pair[0].max(pair[1]));
        assert!(!store.record_dispute(&again, NOW).await.unwrap(), "{pair:?}");
    }
    let sale = store.sale(&payment("pay_1")).await.unwrap().unwrap();
    assert_eq!(sale.dispute, Some(Lost));
}

#[tokio::test]
async fn what_is_not_ours_is_noted_and_not_told() {
    let (_place, store) = fresh().await;
    let seen = refund("ref_1", "pay_1", RefundStatus::Succeeded, Some(900));
    assert!(store.record_refund(&seen, NOW).await.unwrap());
    assert!(!store.record_refund(&seen, NOW).await.unwrap());
    assert_eq!(store.sale(&payment("pay_1")).await.unwrap(), None);
    assert!(told(&store).await.is_empty());
}

/// An abandoned attempt whose money came in after all.
async fn late(store: &SqlStore, rules: RefundRules) -> AttemptRow {
    let row = offered(store, "of_1").await;
    let attempt = sent(store, &claim_of(&row, "at_1", "key-1")).await;
    store.settle(&attempt.id, &seen(Observation::Unknown)).await.unwrap();
    assert!(store.abandon(&attempt.id, NOW, NOW).await.unwrap());
    for _ in 0..2 {
        store.settle(&attempt.id, &Settlement { refund: rules, ..paid_in_full("pay_1") }).await.unwrap();
    }
    attempt
}

/// The order, and that there is nothing to fulfil, are written with the settlement.
#[tokio::test]
async fn late_money_is_ordered_back_once_and_not_told_as_a_sale() {
    let (_place, store) = fresh().await;
    late(&store, ALL_BACK).await;
    let order = store.refund_order(&payment("pay_1")).await.unwrap().unwrap();
    assert_eq!((order.cause, order.amount, order.state), (RefundCause::Late, None, OrderState::Due));
    assert_eq!(told(&store).await, ["evt_at_1_offer_accepted", "evt_pay_1_payment_refund_ordered"]);
}

#[tokio::test]
async fn without_a_rule_nothing_is_ordered() {
    let (_place, store) = fresh().await;
    late(&store, RefundRules::default()).await;
    assert_eq!(store.refund_order(&payment("pay_1")).await.unwrap(), None);
    assert_eq!(told(&store).await, ["evt_at_1_offer_accepted", "evt_at_1_payment_succeeded"]);
}

/// Of two attempts on one offer the one that collects second is one too many, whichever it is.
#[tokio::test]
async fn the_later_of_two_payments_is_ordered_back() {
    for first_pays_first in [true, false] {
        let (_place, store) = fresh().await;
        let row = offered(&store, "of_1").await;
        let first = sent(&store, &claim_of(&row, "at_1", "key-1")).await;
        let declined = Observation::Failed(wire::FailureReason::Declined);
        store.settle(&first.id, &seen(declined)).await.unwrap();
        let mut again = claim_of(&row, "at_2", "key-2");
        again.attempt.kind = AttemptKind::Hosted;
        let second = sent(&store, &again).await;
        let mut pays = [(&first, "pay_1"), (&second, "pay_2")];
        if !first_pays_first {
            pays.reverse();
        }
        for (attempt, by) in pays {
            let settlement = Settlement { refund: ALL_BACK, ..paid_in_full(by) };
            store.settle(&attempt.id, &settlement).await.unwrap();
        }
        let ordered = |by| store.refund_order(by);
        let (kept, back) = (payment(pays[0].1), payment(pays[1].1));
        assert_eq!(ordered(&kept).await.unwrap(), None, "{first_pays_first}");
        let cause = ordered(&back).await.unwrap().map(|order| order.cause);
        assert_eq!(cause, Some(RefundCause::Surplus), "{first_pays_first}");
        assert_eq!(offer_state(&store, &row).await, OfferState::Charged);
    }
}

async fn state(store: &SqlStore) -> OrderState {
    store.refund_order(&payment("pay_1")).await.unwrap().unwrap().state
}

async fn taken(store: &SqlStore, at: i64) -> Option<RefundOrder> {
    let until = UnixSeconds(NOW.0 + at + 120);
    store.take_due_refunds(UnixSeconds(NOW.0 + at), until, 10).await.unwrap().pop()
}

/// I3, I4 for refunds: marked once, by whoever took it, within the lease; never due again without a proof.
#[tokio::test]
async fn an_order_is_marked_once_within_its_lease() {
    let (place, store) = fresh().await;
    late(&store, ALL_BACK).await;
    let at = |seconds: i64| UnixSeconds(NOW.0 + seconds);
    let order = taken(&store, 0).await.unwrap();
    assert_eq!(taken(&store, 119).await, None, "somebody is at it");
    assert!(!store.mark_refund_sent(&order, at(120), at(165)).await.unwrap(), "the lease is over");
    let order = taken(&store, 120).await.unwrap();
    store.close().await;
    drop(store);
    let store = opened(&place, &place.tenant).await;
    assert!(!store.mark_refund_sent(&order, at(121), at(166)).await.unwrap(), "another process took it");
    let order = taken(&store, 240).await.unwrap();
    assert!(store.mark_refund_sent(&order, at(241), at(286)).await.unwrap());
    assert!(!store.mark_refund_sent(&order, at(242), at(287)).await.unwrap());
    assert_eq!(taken(&store, 285).await, None, "the request may be under way");
    let order = taken(&store, 286).await.unwrap();
    assert_eq!((order.state, order.sent_at), (OrderState::Sent, Some(at(241))));
    assert!(!store.mark_refund_sent(&order, at(287), at(300)).await.unwrap());
}

#[tokio::test]
async fn a_conclusion_needs_the_state_that_it_is_about() {
    let (_place, store) = fresh().await;
    late(&store, ALL_BACK).await;
    let due = taken(&store, 0).await.unwrap();
    assert!(store.mark_refund_sent(&due, NOW, UnixSeconds(NOW.0 + 45)).await.unwrap());
    let id = RefundId::parse("ref_1").unwrap();
    assert!(!store.conclude_refund(&due, &Conclusion::Refused(None), NOW).await.unwrap());
    let sent = RefundOrder { state: OrderState::Sent, ..due.clone() };
    assert!(store.conclude_refund(&sent, &Conclusion::Due(UnixSeconds(NOW.0 + 60)), NOW).await.unwrap());
    let due = taken(&store, 60).await.unwrap();
    assert!(store.mark_refund_sent(&due, UnixSeconds(NOW.0 + 60), UnixSeconds(NOW.0 + 105)).await.unwrap());
    let underway = Conclusion::Underway(id.clone(), UnixSeconds(NOW.0 + 200));
    assert!(store.conclude_refund(&sent, &underway, NOW).await.unwrap());
    assert_eq!((state(&store).await, taken(&store, 199).await), (OrderState::Done, None));
    let underway = taken(&store, 200).await.unwrap();
    assert!(store.conclude_refund(&underway, &Conclusion::Done(id), NOW).await.unwrap());
    assert_eq!(state(&store).await, OrderState::Done);
    assert_eq!(taken(&store, 100_000).await, None);
    // What is on its way may come to nothing.
    for (status, end) in [
        (RefundStatus::Pending, OrderState::Done),
        (RefundStatus::Failed, OrderState::Refused),
        (RefundStatus::Pending, OrderState::Refused),
        (RefundStatus::Succeeded, OrderState::Done),
        (RefundStatus::Failed, OrderState::Done),
    ] {
        store.record_refund(&refund("ref_1", "pay_1", status, Some(1900)), NOW).await.unwrap();
        assert_eq!(state(&store).await, end, "{status:?}");
    } // Told when it came to nothing, once; that it went back after all is told, too.
    assert_eq!(
        told(&store).await,
        [
            "evt_at_1_offer_accepted",
            "evt_pay_1_payment_refund_ordered",
            "evt_pay_1_payment_refund_refused",
            "evt_ref_1_payment_refunded",
        ]
    );
}

/// A report may be quicker than the answer that names the refund.
#[tokio::test]
async fn what_was_reported_before_the_refund_was_known_as_ours_counts() {
    for (status, end) in [
        (RefundStatus::Pending, OrderState::Done),
        (RefundStatus::Failed, OrderState::Refused),
        (RefundStatus::Succeeded, OrderState::Done),
    ] {
        let (_place, store) = fresh().await;
        late(&store, ALL_BACK).await;
        let due = taken(&store, 0).await.unwrap();
        assert!(store.mark_refund_sent(&due, NOW, UnixSeconds(NOW.0 + 45)).await.unwrap());
        store.record_refund(&refund("ref_1", "pay_1", status, Some(1900)), NOW).await.unwrap();
        assert_eq!(state(&store).await, OrderState::Sent, "{status:?}");
        let sent = RefundOrder { state: OrderState::Sent, ..due };
        let named = Conclusion::Done(RefundId::parse("ref_1").unwrap());
        assert!(store.conclude_refund(&sent, &named, NOW).await.unwrap());
        assert_eq!(state(&store).await, end, "{status:?}");
        let refused = told(&store).await.iter().any(|id| id == "evt_pay_1_payment_refund_refused");
        assert_eq!(refused, end == OrderState::Refused, "{status:?}");
    }
}

#[tokio::test]
async fn a_refusal_to_give_back_is_told() {
    let (_place, store) = fresh().await;
    late(&store, ALL_BACK).await;
    let due = taken(&store, 0).await.unwrap();
    for _ in 0..2 {
        store.conclude_refund(&due, &Conclusion::Refused(None), NOW).await.unwrap();
    }
    let told = told(&store).await;
    assert_eq!(told.iter().filter(|id| *id == "evt_pay_1_payment_refund_refused").count(), 1, "{told:?}");
}
