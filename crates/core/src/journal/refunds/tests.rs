use dodo_client::ids::DisputeId;
use wire::FailureReason;

use super::*;
use crate::{
    domain::{AttemptRow, AttemptState, DisputeStatus, Observation, OfferState, PaymentStatus},
    journal::{Settlement, decide, fixtures::*, memory::Memory},
    policy::refunds::RefundRules,
};

/// A report about a payment.
#[derive(Clone, Debug)]
enum Report {
    Paid,
    Refund(RefundStatus, Option<i64>),
    Dispute(DisputeStatus),
}

fn record_refund(store: &mut Memory, id: &str, status: RefundStatus, amount: Option<i64>) -> bool {
    store.execute(&RecordRefund { refund: refund(id, "pay_1", status, amount), at: NOW })
}

fn record_dispute(store: &mut Memory, id: &str, status: DisputeStatus) -> bool {
    store.execute(&RecordDispute { dispute: dispute(id, "pay_1", status), at: NOW })
}

/// Returns the sum of the refunds that succeeded.
fn refunded(store: &Memory) -> i64 {
    let succeeded = store.refunds.values().filter(|refund| refund.has_succeeded());
    succeeded.filter_map(|refund| refund.amount).map(|amount| amount.amount).sum()
}

fn dispute_status(store: &Memory, id: &str) -> DisputeStatus {
    store.disputes[&DisputeId::parse(id).unwrap()].status
}

/// I10, I14: in every order, however often, before the payment or after it, the same sale comes of the same reports, the
/// offer stays sold, and the merchant's system is notified of where it ended.
#[test]
fn reports_of_a_sale_end_alike_in_every_order() {
    let reports = [
        Report::Paid,
        Report::Refund(RefundStatus::Pending, None),
        Report::Refund(RefundStatus::Succeeded, Some(900)),
        Report::Dispute(DisputeStatus::Opened),
        Report::Dispute(DisputeStatus::Won),
    ];
    let once = permutations(&reports).into_iter();
    let there_and_back = permutations(&reports).into_iter().map(|order| {
        let back: Vec<_> = order.iter().rev().cloned().collect();
        [order, back].concat()
    });
    for order in once.chain(there_and_back) {
        let mut store = Memory::fresh();
        let row = store.offered("of_1");
        let attempt = store.sent(&claim_of(&row, "at_1", "key-1"));
        for report in &order {
            match report {
                Report::Paid => drop(store.settle(&attempt.id, &paid_in_full("pay_1"))),
                Report::Refund(status, amount) => drop(record_refund(&mut store, "ref_1", *status, *amount)),
                Report::Dispute(status) => drop(record_dispute(&mut store, "dsp_1", *status)),
            }
        }
        let sale = &store.payments[&payment("pay_1")];
        assert_eq!(sale.attempt_id, attempt.id, "{order:?}");
        assert_eq!(sale.record.payment.status, PaymentStatus::Succeeded, "{order:?}");
        assert_eq!(sale.record.payment.amount, Some(usd(1900)), "{order:?}");
        assert!(!sale.record.surplus, "{order:?}");
        assert_eq!(refunded(&store), 900, "{order:?}");
        assert_eq!(dispute_status(&store, "dsp_1"), DisputeStatus::Won, "{order:?}");
        assert_eq!(store.offer_state(&row), OfferState::Charged, "{order:?}");
        assert_eq!(store.state(&attempt.id), AttemptState::Succeeded, "{order:?}");
        for id in
            ["evt_ref_1_payment_refunded", "evt_dsp_1_payment_disputed_won", "evt_at_1_payment_succeeded"]
        {
            assert!(store.notifications.contains_key(id), "{id} {order:?}");
        }
    }
}

/// A sale of 19 dollars.
fn sold(store: &mut Memory) -> AttemptRow {
    let row = store.offered("of_1");
    let attempt = store.sent(&claim_of(&row, "at_1", "key-1"));
    store.settle(&attempt.id, &paid_in_full("pay_1"));
    attempt
}

/// A refund that failed counts for nothing; one that succeeded counts whatever else is reported of it.
#[test]
fn reports_of_a_refund_end_alike_in_every_order() {
    use RefundStatus::{Failed, Pending, Succeeded};
    let mut store = Memory::fresh();
    sold(&mut store);
    let mut expected = 0;
    for (statuses, counts) in [(vec![Pending, Failed], 0), (vec![Pending, Failed, Succeeded], 10)] {
        for (n, order) in permutations(&statuses).into_iter().enumerate() {
            let id = format!("ref_{}_{n}", statuses.len());
            for status in &order {
                record_refund(&mut store, &id, *status, Some(10));
            }
            expected += counts;
            assert_eq!(refunded(&store), expected, "{order:?}");
        }
    }
}

/// Of two ends of one dispute a fixed one holds.
#[test]
fn contradictory_ends_of_a_dispute_come_to_the_worse_one() {
    use DisputeStatus::{Accepted, Cancelled, Expired, Lost, Won};
    let mut store = Memory::fresh();
    sold(&mut store);
    for (round, pair) in permutations(&[Cancelled, Won, Accepted, Expired, Lost]).into_iter().enumerate() {
        let id = format!("dsp_{round}");
        for status in &pair[..2] {
            record_dispute(&mut store, &id, *status);
        }
        let worse = pair[0].max(pair[1]);
        assert!(!record_dispute(&mut store, &id, worse), "{pair:?}");
        assert_eq!(dispute_status(&store, &id), worse, "{pair:?}");
    }
    assert!(store.disputes.values().any(|dispute| dispute.status == Lost));
}

#[test]
fn what_is_not_ours_is_noted_and_not_notified() {
    let mut store = Memory::fresh();
    assert!(record_refund(&mut store, "ref_1", RefundStatus::Succeeded, Some(900)));
    assert!(!record_refund(&mut store, "ref_1", RefundStatus::Succeeded, Some(900)));
    assert!(store.payments.is_empty());
    assert!(store.notified().is_empty());
}

/// An abandoned attempt whose money came in after all.
fn late(store: &mut Memory, rules: RefundRules) {
    let row = store.offered("of_1");
    let attempt = store.sent(&claim_of(&row, "at_1", "key-1"));
    store.settle(&attempt.id, &seen(Observation::Unknown));
    assert!(store.abandon(&attempt.id));
    for _ in 0..2 {
        store.settle(&attempt.id, &Settlement { refund: rules, ..paid_in_full("pay_1") });
    }
}

fn order_of<'a>(store: &'a Memory, by: &str) -> Option<&'a StoredOrder> {
    store.orders.values().find(|order| order.row.payment_id == payment(by))
}

/// The order, and that there is nothing to fulfil, are written with the settlement.
#[test]
fn late_money_is_ordered_back_once_and_not_notified_as_a_sale() {
    let mut store = Memory::fresh();
    late(&mut store, ALL_BACK);
    let order = &order_of(&store, "pay_1").unwrap().row;
    assert_eq!((order.cause, order.amount, order.state), (RefundCause::Late, None, OrderState::Due));
    assert_eq!(store.orders.len(), 1);
    assert_eq!(store.notified(), ["evt_at_1_offer_accepted", "evt_pay_1_payment_refund_ordered"]);
}

/// I13: what Dodo called pending is on its way, however long that takes, and is no late money.
#[test]
fn what_was_approved_slowly_is_not_ordered_back() {
    for reviewed in [false, true] {
        let mut store = Memory::fresh();
        let row = store.offered("of_1");
        let attempt = store.sent(&claim_of(&row, "at_1", "key-1"));
        let pending = seen_payment("pay_1", PaymentStatus::Pending, None);
        store.settle(
            &attempt.id,
            &Settlement { payment: Some(pending), ..seen(Observation::Pending { customer_action: false }) },
        );
        assert!(if reviewed { store.review(&attempt.id) } else { store.abandon(&attempt.id) });
        store.settle(&attempt.id, &Settlement { refund: ALL_BACK, ..paid_in_full("pay_1") });
        assert_eq!(order_of(&store, "pay_1"), None);
        assert_eq!(store.state(&attempt.id), AttemptState::Succeeded);
        let mut told = vec!["evt_at_1_offer_accepted", "evt_at_1_payment_succeeded"];
        if reviewed {
            told.insert(1, "evt_at_1_payment_needs_review");
        }
        assert_eq!(store.notified(), told);
    }
}

#[test]
fn without_a_rule_nothing_is_ordered() {
    let mut store = Memory::fresh();
    late(&mut store, RefundRules::default());
    assert_eq!(order_of(&store, "pay_1"), None);
    assert_eq!(store.notified(), ["evt_at_1_offer_accepted", "evt_at_1_payment_succeeded"]);
}

/// Of two attempts on one offer the one that collects second is one too many, whichever it is.
#[test]
fn the_later_of_two_payments_is_ordered_back() {
    for first_pays_first in [true, false] {
        let mut store = Memory::fresh();
        let row = store.offered("of_1");
        let first = store.sent(&claim_of(&row, "at_1", "key-1"));
        store.settle(&first.id, &seen(Observation::Failed(FailureReason::Declined)));
        let second = store.sent(&hosted_claim_of(&row, "at_2", "key-2"));
        let mut pays = [(&first, "pay_1"), (&second, "pay_2")];
        if !first_pays_first {
            pays.reverse();
        }
        for (attempt, by) in pays {
            store.settle(&attempt.id, &Settlement { refund: ALL_BACK, ..paid_in_full(by) });
        }
        assert_eq!(order_of(&store, pays[0].1), None, "{first_pays_first}");
        let cause = order_of(&store, pays[1].1).map(|order| order.row.cause);
        assert_eq!(cause, Some(RefundCause::Surplus), "{first_pays_first}");
        assert_eq!(store.offer_state(&row), OfferState::Charged);
    }
}

/// The only order, as somebody sees who has just taken it.
fn taken(store: &mut Memory, at: i64) -> Option<RefundOrder> {
    store.take_due_refunds(after(at), after(at + 120)).pop()
}

fn state(store: &Memory) -> OrderState {
    order_of(store, "pay_1").unwrap().row.state
}

fn mark(store: &mut Memory, at: i64) -> bool {
    store.execute(&MarkRefundSent {
        payment_id: payment("pay_1"),
        cause: RefundCause::Late,
        now: after(at),
        next_check_at: after(at + 45),
    })
}

fn conclude(store: &mut Memory, order: &RefundOrder, conclusion: &Conclusion) -> bool {
    store.execute(&ConcludeRefund { order, conclusion, now: NOW })
}

/// I3, I4 for refunds: marked once, by the process that took it, within the lease; never due again without a proof.
#[test]
fn an_order_is_marked_once_within_its_lease() {
    let mut store = Memory::fresh();
    late(&mut store, ALL_BACK);
    assert!(!mark(&mut store, 0), "nobody has taken it");
    assert!(taken(&mut store, 0).is_some());
    assert!(!mark(&mut store, 120), "the lease is over");
    assert!(taken(&mut store, 120).is_some());
    store.instance = "proxy-2".into();
    assert!(!mark(&mut store, 121), "another process took it");
    assert!(taken(&mut store, 240).is_some());
    assert!(mark(&mut store, 241));
    assert!(!mark(&mut store, 242));
    assert_eq!(taken(&mut store, 285), None, "the request may be under way");
    let order = taken(&mut store, 286).unwrap();
    assert_eq!((order.state, order.sent_at), (OrderState::Sent, Some(after(241))));
    assert!(!mark(&mut store, 287));
}

#[test]
fn a_conclusion_needs_the_state_that_it_is_about() {
    let mut store = Memory::fresh();
    late(&mut store, ALL_BACK);
    let due = taken(&mut store, 0).unwrap();
    assert!(mark(&mut store, 0));
    let id = RefundId::parse("ref_1").unwrap();
    assert!(!conclude(&mut store, &due, &Conclusion::Refused(None)));
    let sent = RefundOrder { state: OrderState::Sent, ..due };
    assert!(conclude(&mut store, &sent, &Conclusion::Due(after(60))));
    assert!(taken(&mut store, 60).is_some());
    assert!(mark(&mut store, 60));
    let underway = Conclusion::Underway(id.clone(), after(200));
    assert!(conclude(&mut store, &sent, &underway));
    assert_eq!((state(&store), taken(&mut store, 199)), (OrderState::Done, None));
    let underway = taken(&mut store, 200).unwrap();
    assert!(conclude(&mut store, &underway, &Conclusion::Done(id)));
    assert_eq!(state(&store), OrderState::Done);
    assert_eq!(taken(&mut store, 100_000), None);
    assert_eq!(order_of(&store, "pay_1").unwrap().checks, 3);
    // What is on its way may come to nothing.
    for (status, end) in [
        (RefundStatus::Pending, OrderState::Done),
        (RefundStatus::Failed, OrderState::Refused),
        (RefundStatus::Pending, OrderState::Refused),
        (RefundStatus::Succeeded, OrderState::Done),
        (RefundStatus::Failed, OrderState::Done),
    ] {
        record_refund(&mut store, "ref_1", status, Some(1900));
        assert_eq!(state(&store), end, "{status:?}");
    } // Notified when it came to nothing, once; that it went back after all is notified, too.
    assert_eq!(
        store.notified(),
        [
            "evt_at_1_offer_accepted",
            "evt_pay_1_payment_refund_ordered",
            "evt_pay_1_payment_refund_refused",
            "evt_ref_1_payment_refunded",
        ]
    );
}

/// A report may be quicker than the answer that names the refund.
#[test]
fn what_was_reported_before_the_refund_was_known_as_ours_counts() {
    for (status, end) in [
        (RefundStatus::Pending, OrderState::Done),
        (RefundStatus::Failed, OrderState::Refused),
        (RefundStatus::Succeeded, OrderState::Done),
    ] {
        let mut store = Memory::fresh();
        late(&mut store, ALL_BACK);
        let due = taken(&mut store, 0).unwrap();
        assert!(mark(&mut store, 0));
        record_refund(&mut store, "ref_1", status, Some(1900));
        assert_eq!(state(&store), OrderState::Sent, "{status:?}");
        let sent = RefundOrder { state: OrderState::Sent, ..due };
        assert!(conclude(&mut store, &sent, &Conclusion::Done(RefundId::parse("ref_1").unwrap())));
        assert_eq!(state(&store), end, "{status:?}");
        let refused = store.notifications.contains_key("evt_pay_1_payment_refund_refused");
        assert_eq!(refused, end == OrderState::Refused, "{status:?}");
    }
}

#[test]
fn a_refusal_to_give_back_is_notified() {
    let mut store = Memory::fresh();
    late(&mut store, ALL_BACK);
    let due = taken(&mut store, 0).unwrap();
    for _ in 0..2 {
        conclude(&mut store, &due, &Conclusion::Refused(None));
    }
    assert!(store.notifications.contains_key("evt_pay_1_payment_refund_refused"));
    assert_eq!(state(&store), OrderState::Refused);
}

/// I21.
#[test]
fn nothing_is_recorded_of_a_payment_that_was_let_go_of() {
    let record = Record { is_let_go: true, ..Record::default() };
    let refund = RecordRefund { refund: refund("ref_1", "pay_1", RefundStatus::Failed, Some(5)), at: NOW };
    let dispute = RecordDispute { dispute: dispute("dsp_1", "pay_1", DisputeStatus::Opened), at: NOW };
    assert_eq!(decide(&record, &refund), (false, Changes::none()));
    assert_eq!(decide(&record, &dispute), (false, Changes::none()));
    assert!(decide(&Record::default(), &refund).0 && decide(&Record::default(), &dispute).0);
}
