use dodo_client::ids::RefundId;
use proptest::prelude::*;
use wire::FailureReason;

use super::*;
use crate::{
    domain::{AttemptRow, RefundCause, RefundOrder},
    journal::fixtures::{dispute, payment, refund, seen_payment},
};

fn charge(state: AttemptState) -> Charge {
    let row = AttemptRow { state, ..AttemptRow::example() };
    Charge {
        attempt: StoredAttempt { row, surplus: false, lease_owner: None },
        payments: Vec::new(),
        refunds: Vec::new(),
        disputes: Vec::new(),
        orders: Vec::new(),
        booking_end: None,
    }
}

fn paid(amount: i64, seen_at: i64) -> PaymentOnRecord {
    let payment = seen_payment("pay_1", PaymentStatus::Succeeded, Some(amount));
    PaymentOnRecord { payment, surplus: false, seen_at: UnixSeconds(seen_at) }
}

fn order(state: OrderState, next_check_at: Option<UnixSeconds>) -> StoredOrder {
    let row = RefundOrder {
        payment_id: payment("pay_1"),
        cause: RefundCause::Late,
        amount: None,
        state,
        refund_id: Some(RefundId::parse("ref_1").unwrap()),
        created_at: UnixSeconds(0),
        sent_at: None,
        next_check_at,
    };
    StoredOrder { row, lease_until: UnixSeconds(0), lease_owner: None, checks: 0 }
}

/// A time so late that every window and period is over.
const LATE: UnixSeconds = UnixSeconds(4_000 * DAY);

#[test]
fn what_was_taken_is_owned_unless_it_is_a_plan() {
    let row = OfferRow::example();
    assert_eq!(taken(&row), None);
    let charged = OfferRow { state: OfferState::Charged, ..row };
    assert_eq!(taken(&charged), Some(charged.plan.product_id()));
}

#[test]
fn each_reason_holds_by_itself() {
    let succeeded = charge(AttemptState::Succeeded);
    let with = |change: fn(&mut Charge)| {
        let mut charge = succeeded.clone();
        change(&mut charge);
        hold(&charge, LATE)
    };
    assert_eq!(hold(&succeeded, LATE), None);
    assert_eq!(hold(&charge(AttemptState::Claimed), LATE), Some(Hold::Undecided));
    assert_eq!(hold(&charge(AttemptState::Pending { customer_action: true }), LATE), Some(Hold::Undecided));
    assert_eq!(hold(&charge(AttemptState::Underpaid), LATE), Some(Hold::Underpaid));
    assert_eq!(hold(&charge(AttemptState::NeedsReview), LATE), Some(Hold::NeedsReview));
    assert_eq!(hold(&charge(AttemptState::Dismissed), LATE), None, "a person has resolved it");
    assert_eq!(hold(&charge(AttemptState::Scheduled), LATE), Some(Hold::Booked));
    let mut watched = charge(AttemptState::Abandoned);
    assert_eq!(hold(&watched, LATE), None, "nobody looks any more");
    watched.attempt.row.next_check_at = Some(UnixSeconds(1));
    assert_eq!(hold(&watched, LATE), Some(Hold::Watched));
    assert_eq!(
        with(|charge| charge.attempt.row.lease_until = UnixSeconds(LATE.0 + 1)),
        Some(Hold::Undecided)
    );
    for (state, next) in
        [(OrderState::Due, None), (OrderState::Sent, None), (OrderState::Done, Some(UnixSeconds(1)))]
    {
        let mut charge = succeeded.clone();
        charge.orders.push(order(state, next));
        assert_eq!(hold(&charge, LATE), Some(Hold::RefundPending), "{state:?}");
    }
    assert_eq!(with(|charge| charge.orders.push(order(OrderState::Refused, None))), None);
    let pending =
        |charge: &mut Charge| charge.refunds.push(refund("ref_1", "pay_1", RefundStatus::Pending, None));
    assert_eq!(with(pending), Some(Hold::RefundPending));
    assert_eq!(
        with(|charge| charge.disputes.push(dispute("dsp_1", "pay_1", DisputeStatus::Challenged))),
        Some(Hold::Disputed)
    );
    assert_eq!(with(|charge| charge.disputes.push(dispute("dsp_1", "pay_1", DisputeStatus::Lost))), None);
}

#[test]
fn what_has_gone_back_whole_is_not_refundable_and_a_part_is() {
    let now = UnixSeconds(10 * DAY);
    let mut charge = charge(AttemptState::Succeeded);
    charge.payments.push(paid(1900, DAY));
    assert_eq!(hold(&charge, now), Some(Hold::Refundable));
    charge.refunds.push(refund("ref_1", "pay_1", RefundStatus::Succeeded, Some(1899)));
    assert_eq!(hold(&charge, now), Some(Hold::Refundable));
    charge.refunds.push(refund("ref_2", "pay_2", RefundStatus::Succeeded, Some(1)));
    assert_eq!(hold(&charge, now), Some(Hold::Refundable), "of another payment");
    charge.refunds.push(refund("ref_3", "pay_1", RefundStatus::Succeeded, Some(1)));
    assert_eq!(hold(&charge, now), None);
    charge.refunds.clear();
    let window = i64::from(REFUNDABLE_DAYS) * DAY;
    assert_eq!(hold(&charge, UnixSeconds(DAY + window)), Some(Hold::Refundable));
    assert_eq!(hold(&charge, UnixSeconds(DAY + window + 1)), None);
    // Dodo gives it back without us.
    assert!(outlasts_forgetting(&charge, now).is_none());
}

#[test]
fn periods_have_a_least_and_addresses_do_not_outlive_purchases() {
    assert_eq!(Days::DEFAULT.check(), Ok(Periods::default()));
    assert!(Days::LEAST.check().is_ok());
    let short = Days { charges: REFUNDABLE_DAYS - 1, ..Days::DEFAULT };
    let refused = PeriodError::TooShort { what: "charges", days: 179, least: 180 };
    assert_eq!(short.check(), Err(refused));
    let long = Days { addresses: 401, ..Days::DEFAULT };
    assert_eq!(long.check(), Err(PeriodError::AddressesOutlivePurchases));
}

/// What begins a restore, and what the store has only let go of.
#[test]
fn what_was_let_go_of_is_told_from_what_was_lost() {
    let never_known = LetGo::default();
    let at = UnixSeconds;
    assert!(!never_known.covers(at(100)));
    assert!(LetGo { has_tombstone: true, ..never_known }.covers(at(100)));
    let aged = LetGo { kept_since: Some(at(100)), ..never_known };
    assert!(aged.covers(at(99)) && !aged.covers(at(100)));
    let forgotten = LetGo { forgotten_at: Some(at(100)), ..never_known };
    assert!(forgotten.covers(at(100)) && !forgotten.covers(at(101)), "a new choice of the buyer's own");
}

#[test]
fn every_table_is_named_once() {
    let mut names: Vec<_> = TABLES.iter().map(|(name, ..)| *name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TABLES.len());
    assert!(TABLES.iter().all(|(_, purpose, _)| !purpose.is_empty()));
}

fn any_state() -> impl Strategy<Value = AttemptState> {
    prop::sample::select(vec![
        AttemptState::Claimed,
        AttemptState::Released,
        AttemptState::Sent,
        AttemptState::Unknown,
        AttemptState::Pending { customer_action: false },
        AttemptState::Pending { customer_action: true },
        AttemptState::Failed(FailureReason::Declined),
        AttemptState::Abandoned,
        AttemptState::NeedsReview,
        AttemptState::Scheduled,
        AttemptState::Underpaid,
        AttemptState::Dismissed,
        AttemptState::Succeeded,
    ])
}

prop_compose! {
    fn any_charge()(
        state in any_state(),
        created in 0..4_000_i64,
        looks in prop::option::of(0..4_000_i64),
        lease in 0..4_000_i64,
        payments in prop::collection::vec((0..3_i64, 1..9_i64, 0..4_000_i64), 0..3),
        refunds in prop::collection::vec((0..3_usize, 0..9_i64), 0..3),
        orders in prop::collection::vec((0..4_usize, any::<bool>()), 0..2),
        disputes in prop::collection::vec(prop::sample::select(DisputeStatus::ALL.to_vec()), 0..2),
        ended in any::<bool>(),
    ) -> Charge {
        let mut charge = charge(state);
        charge.attempt.row.created_at = UnixSeconds(created * DAY);
        charge.attempt.row.next_check_at = looks.map(|at| UnixSeconds(at * DAY));
        charge.attempt.row.lease_until = UnixSeconds(lease * DAY);
        charge.payments = payments
            .into_iter()
            .map(|(status, amount, at)| {
                let status = [PaymentStatus::Pending, PaymentStatus::Failed, PaymentStatus::Succeeded]
                    [usize::try_from(status).unwrap()];
                PaymentOnRecord {
                    payment: seen_payment("pay_1", status, Some(amount)),
                    surplus: false,
                    seen_at: UnixSeconds(at * DAY),
                }
            })
            .collect();
        charge.refunds = refunds
            .into_iter()
            .enumerate()
            .map(|(no, (status, amount))| {
                let status = [RefundStatus::Pending, RefundStatus::Failed, RefundStatus::Succeeded][status];
                refund(&format!("ref_{no}"), "pay_1", status, Some(amount))
            })
            .collect();
        charge.orders = orders
            .into_iter()
            .map(|(state, looks)| order(OrderState::ALL[state], looks.then_some(UnixSeconds(1))))
            .collect();
        charge.disputes =
            disputes.into_iter().map(|status| dispute("dsp_1", "pay_1", status)).collect();
        charge.booking_end = ended.then_some(BookingEnd::Made);
        charge
    }
}

prop_compose! {
    fn any_periods()(days in (30..3_000_u32, 1..3_000_u32, 7..3_000_u32, 30..3_000_u32, 180..3_000_u32, 35..3_000_u32))
    -> Periods {
        let (purchases, addresses, events, offers, charges, reports) = days;
        let addresses = addresses.min(purchases);
        Days { purchases, addresses, events, offers, charges, reports, ..Days::DEFAULT }.check().unwrap()
    }
}

proptest! {
    /// I21: whatever the settings, nothing that may still move, be decided or go back is purged.
    #[test]
    fn what_may_still_matter_never_goes(charge in any_charge(), periods in any_periods(), now in 0..4_000_i64) {
        let now = UnixSeconds(now * DAY);
        if may_go(&charge, &periods, now) {
            let row = &charge.attempt.row;
            prop_assert!(!states::is_live(row.state), "undecided");
            prop_assert!(row.state != AttemptState::Underpaid, "underpaid");
            prop_assert!(row.next_check_at.is_none() && row.lease_until <= now, "watched");
            prop_assert!(row.state != AttemptState::Scheduled || charge.booking_end.is_some(), "booked");
            prop_assert!(row.created_at.0 < now.0 - 180 * DAY, "young");
            for on_record in &charge.payments {
                let back: i64 = charge
                    .refunds
                    .iter()
                    .filter(|refund| refund.has_succeeded())
                    .map(|refund| refund.amount.map_or(0, |amount| amount.amount))
                    .sum();
                let collected = on_record.payment.status == PaymentStatus::Succeeded
                    && on_record.seen_at.0 >= now.0 - 180 * DAY;
                prop_assert!(!collected || back >= on_record.payment.amount.unwrap().amount, "refundable");
            }
            prop_assert!(charge.refunds.iter().all(|refund| refund.status != RefundStatus::Pending));
            prop_assert!(outlasts_forgetting(&charge, now).is_none());
        }
    }

    /// What may go today may go tomorrow: nothing comes to matter again by waiting.
    #[test]
    fn waiting_never_holds(charge in any_charge(), periods in any_periods(), now in 0..4_000_i64, wait in 0..4_000_i64) {
        let (now, then) = (UnixSeconds(now * DAY), UnixSeconds((now + wait) * DAY));
        if may_go(&charge, &periods, now) {
            prop_assert!(may_go(&charge, &periods, then));
        }
        if outlasts_forgetting(&charge, now).is_none() {
            prop_assert!(outlasts_forgetting(&charge, then).is_none());
        }
    }

    /// A tombstone goes only once every payment of its attempt is older than what the store keeps.
    #[test]
    fn a_tombstone_goes_once_age_tells_as_much(begun in 0..4_000_i64, after in 0..30_i64, since in 0..4_000_i64) {
        let (begun, kept_since) = (UnixSeconds(begun * DAY), UnixSeconds(since * DAY));
        let paid_at = UnixSeconds(begun.0 + after * DAY);
        if begun < tombstones_before(kept_since) {
            let let_go = LetGo { kept_since: Some(kept_since), ..LetGo::default() };
            prop_assert!(let_go.covers(paid_at));
        }
    }
}

/// A payment of which the beginning is not known may be a loss, and may be from before its buyer was forgotten.
#[test]
fn an_unknown_beginning_is_covered_by_forgetting_only() {
    let kept = LetGo { kept_since: Some(UnixSeconds(10)), ..LetGo::default() };
    assert!(kept.covers(UnixSeconds(9)) && !kept.covers(None));
    let forgotten = LetGo { forgotten_at: Some(UnixSeconds(10)), ..LetGo::default() };
    assert!(forgotten.covers(None) && forgotten.is_forgotten(None) && !forgotten.covers(UnixSeconds(11)));
}
