use std::collections::BTreeSet;

use wire::FailureReason;

use super::*;
use crate::{
    domain::OfferState,
    journal::{ClaimOutcome, Unexecuted, fixtures::*, memory::Memory},
};

const DECLINED: Observation = Observation::Failed(FailureReason::Declined);
const PENDING: Observation = Observation::Pending { customer_action: false };

/// An offer whose card was declined, with that attempt.
fn declined_once(store: &mut Memory) -> (OfferRow, AttemptRow) {
    let row = store.offered("of_1");
    let first = store.sent(&claim_of(&row, "at_1", "key-1"));
    store.settle(&first.id, &seen(DECLINED));
    (row, first)
}

/// I10: every order of the same evidence ends in the same place.
#[test]
fn evidence_settles_alike_in_every_order() {
    let evidence = [Observation::Unknown, PENDING, DECLINED, Observation::Succeeded];
    let mut ends = BTreeSet::new();
    for order in permutations(&evidence) {
        let mut store = Memory::fresh();
        let row = store.offered("of_1");
        let attempt = store.sent(&claim_of(&row, "at_1", "key-1"));
        for observed in order.iter().chain(&order) {
            store.settle(&attempt.id, &seen(*observed));
        }
        ends.insert(format!("{:?}", (store.state(&attempt.id), store.offer_state(&row))));
    }
    assert_eq!(ends, BTreeSet::from(["(Succeeded, Charged)".to_owned()]));
}

/// I6 and the fencing rule: the first attempt's slow "declined" says nothing about the second.
#[test]
fn stale_evidence_does_not_move_the_offer() {
    let mut store = Memory::fresh();
    let (row, first) = declined_once(&mut store);
    store.sent(&hosted_claim_of(&row, "at_2", "key-2"));
    store.settle(&first.id, &seen(DECLINED));
    store.settle(&first.id, &seen(PENDING));
    assert_eq!(store.offer_state(&row), OfferState::Accepting);
}

/// I1, I5: late money is recorded, closes the offer, stops what is not sent yet, and is reported.
#[test]
fn late_money_on_an_earlier_attempt_closes_the_offer() {
    let mut store = Memory::fresh();
    let (row, first) = declined_once(&mut store);
    let second = store.claimed(&hosted_claim_of(&row, "at_2", "key-2"));
    assert!(store.settle(&first.id, &paid("pay_1")).surplus);
    assert!(store.attempts[&first.id].surplus);
    assert!(store.payments[&payment("pay_1")].record.surplus);
    assert_eq!(store.offer_state(&row), OfferState::Charged);
    assert!(!store.mark_sent(&second.id, NOW));
    assert!(store.execute(&back(&second.id, Unexecuted::Claimed)));
    assert_eq!(store.offer_state(&row), OfferState::Charged);
}

#[test]
fn a_second_payment_on_one_attempt_is_reported_and_the_first_stays() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let attempt = store.sent(&claim_of(&row, "at_1", "key-1"));
    assert!(!store.settle(&attempt.id, &paid("pay_1")).surplus);
    assert!(!store.settle(&attempt.id, &paid("pay_1")).surplus);
    let second = store.settle(&attempt.id, &paid("pay_2"));
    assert!(second.surplus);
    assert_eq!(second.row.payment_id, Some(payment("pay_1")));
    let surplus = |by| store.payments[&payment(by)].record.surplus;
    assert_eq!((surplus("pay_1"), surplus("pay_2")), (false, true));
}

/// Success that was seen without its payment makes the attempt a surplus one; so is the payment when it comes.
#[test]
fn the_payment_of_a_surplus_attempt_is_surplus_whenever_it_comes() {
    let mut store = Memory::fresh();
    let (row, first) = declined_once(&mut store);
    let second = store.sent(&hosted_claim_of(&row, "at_2", "key-2"));
    assert!(store.settle(&first.id, &seen(Observation::Succeeded)).surplus);
    store.settle(&second.id, &paid("pay_2"));
    store.settle(&first.id, &paid("pay_1"));
    let surplus = |by| store.payments[&payment(by)].record.surplus;
    assert_eq!((surplus("pay_1"), surplus("pay_2")), (true, false));
}

#[test]
fn what_became_known_stays_known() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let attempt = store.sent(&claim_of(&row, "at_1", "key-1"));
    let known = Settlement {
        checkout_session_id: Some(CheckoutSessionId::parse("cks_1").unwrap()),
        checkout_url: Some("https://checkout.example/cks_1".into()),
        ..seen(PENDING)
    };
    store.settle(&attempt.id, &known);
    store.settle(&attempt.id, &seen(Observation::Unknown));
    let after = store.settle(&attempt.id, &paid("pay_1")).row;
    assert_eq!(after.checkout_session_id, known.checkout_session_id);
    assert_eq!(after.checkout_url, known.checkout_url);
    assert_eq!((after.payment_id, after.next_check_at), (Some(payment("pay_1")), None));
}

#[test]
fn nothing_is_settled_where_there_is_no_attempt() {
    let mut store = Memory::fresh();
    let nobody = attempt_id("at_9");
    assert_eq!(store.execute(&Settle { attempt: &nobody, settlement: &paid("pay_1") }), None);
    assert_eq!(store, Memory::fresh());
}

#[test]
fn what_is_given_up_blocks_the_offer_and_still_takes_money() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let attempt = store.sent(&claim_of(&row, "at_1", "key-1"));
    assert!(!store.abandon(&attempt.id), "it is not even unknown");
    store.settle(&attempt.id, &seen(Observation::Unknown));
    assert!(store.abandon(&attempt.id));
    assert_eq!(store.attempts[&attempt.id].row.next_check_at, Some(after(3600)));
    assert_eq!(store.offer_state(&row), OfferState::Abandoned);
    let again = store.execute(&hosted_claim_of(&row, "at_2", "key-2"));
    assert_eq!(again, ClaimOutcome::OfferNotOpen(OfferState::Abandoned));
    assert!(!store.settle(&attempt.id, &paid("pay_1")).surplus);
    assert_eq!(store.offer_state(&row), OfferState::Charged);
}

/// I13: a look is counted and says when the next one is, as long as the attempt is undecided.
#[test]
fn looks_are_counted_until_the_attempt_is_decided() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let attempt = store.claimed(&claim_of(&row, "at_1", "key-1"));
    let looks = |store: &Memory| {
        let row = &store.attempts[&attempt.id].row;
        (row.checks, row.clean_looks, row.next_check_at)
    };
    store.look(&attempt.id, true, None);
    assert_eq!(looks(&store), (0, 0, Some(after(60))), "nothing was sent that could be looked up");
    store.mark_sent(&attempt.id, NOW);
    store.look(&attempt.id, false, Some(after(60)));
    store.look(&attempt.id, true, Some(after(90)));
    assert_eq!(looks(&store), (2, 1, Some(after(90))));
    assert_eq!(store.attempts[&attempt.id].row.lease_until, UnixSeconds(0));
    store.settle(&attempt.id, &seen(DECLINED));
    store.look(&attempt.id, true, Some(after(120)));
    assert_eq!(looks(&store), (2, 1, None));
}
