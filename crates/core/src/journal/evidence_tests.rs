use proptest::prelude::*;

use super::*;
use crate::{
    domain::{AttemptState, Cart, Named, OfferState, PaymentStatus, Source},
    journal::{
        ClaimOutcome,
        fixtures::{
            NOW, after, attempt_id, claim_of, customer, genuine, hosted_claim_of, identity, payment,
            permutations, product, seen, seen_payment, usd,
        },
        memory::Memory,
    },
    rules::{AboveQuote, LateSuccess, Surplus},
};

/// Everything that may go back by itself does.
const ALL_BACK: MoneyRules = MoneyRules {
    late_success: LateSuccess::Refund,
    surplus: Surplus::Refund,
    above_quote: AboveQuote::RefundDifference,
};

fn weigh(store: &mut Memory, attempt: &AttemptId, payment: &PaymentFacts) -> Weighed {
    let base = Settlement::of(Observation::Unknown, Source::Webhook, NOW);
    let identity = identity();
    store.execute(&SettlePayment {
        attempt,
        payment,
        subscription: None,
        base: &base,
        money: ALL_BACK,
        store: &identity,
    })
}

/// A store with one attempt of of_1 that was sent and of which nothing came back.
fn sent() -> (Memory, AttemptRow) {
    let mut store = Memory::fresh();
    let offer = store.offered("of_1");
    let row = store.sent(&claim_of(&offer, "at_1", "key-1"));
    let row = AttemptRow { agreed: Some(1900), ..row };
    (store, row)
}

/// Dodo's reply to the request names its payment.
fn replied(store: &mut Memory, row: &AttemptRow) {
    let begun = seen_payment("pay_1", PaymentStatus::Pending, None);
    let pending = seen(Observation::Pending { customer_action: false });
    store.settle(&row.id, &Settlement { payment: Some(begun), ..pending });
}

fn named(row: &AttemptRow, by: &str, amount: i64) -> PaymentFacts {
    PaymentFacts { named: Named::Attempt(row.id.clone()), amount: usd(amount), ..genuine(row, by) }
}

/// I16: the buyer's own payments move nothing, in whatever state the attempt is, and a person is told of each once.
#[test]
fn a_payment_that_only_names_the_attempt_moves_nothing() {
    let (mut store, row) = sent();
    let declined = Observation::Failed(wire::FailureReason::Declined);
    for state in [Observation::Unknown, declined] {
        store.settle(&row.id, &seen(state));
        let before = store.clone();
        let forged = named(&row, "pay_forged", 1);
        let first = weigh(&mut store, &row.id, &forged);
        let is_first = before.foreign.is_empty();
        assert_eq!(first, Weighed::Foreign { why: Foreign::Unproven, is_news: is_first });
        let again = weigh(&mut store, &row.id, &forged);
        assert_eq!(again, Weighed::Foreign { why: Foreign::Unproven, is_news: false });
        assert_eq!(store.foreign.len(), 1);
        assert_eq!(Memory { foreign: before.foreign.clone(), ..store.clone() }, before);
    }
}

/// I17: after a genuine success no other purchase of the buyer's goes back, also not one with a copy of everything.
#[test]
fn a_copy_after_a_success_goes_nowhere() {
    let (mut store, row) = sent();
    assert!(weigh(&mut store, &row.id, &genuine(&row, "pay_1")).settled().is_some());
    let before = store.clone();
    for by in ["pay_2", "pay_3"] {
        let copy = genuine(&row, by).began(after(600));
        assert!(matches!(
            weigh(&mut store, &row.id, &copy),
            Weighed::Foreign { why: Foreign::OtherPayment, is_news: true }
        ));
    }
    assert!(store.orders.is_empty());
    assert_eq!(Memory { foreign: before.foreign.clone(), ..store }, before);
}

/// I18: what falls short is not fulfilled, and nothing further is charged for the offer.
#[test]
fn what_falls_short_waits_for_a_person() {
    let (mut store, row) = sent();
    let short = PaymentFacts { amount: usd(900), ..genuine(&row, "pay_1") };
    let weighed = weigh(&mut store, &row.id, &short);
    assert!(
        matches!(weighed, Weighed::Settled { proof: Proof::Code, amount: Amount::Less, .. }),
        "{weighed:?}"
    );
    assert_eq!(store.state(&row.id), AttemptState::Underpaid);
    let offer = store.offers.values().next().unwrap().clone();
    assert_eq!(offer.state, OfferState::Abandoned);
    assert_eq!(store.notified(), ["evt_at_1_offer_accepted", "evt_at_1_payment_underpaid"]);
    assert_eq!(store.notifications["evt_at_1_payment_underpaid"].body["data"]["amount"], 900);
    assert!(store.orders.is_empty());
    assert!(store.attempts[&row.id].row.receipt.is_none());
    for claim in [claim_of(&offer, "at_2", "key-2"), hosted_claim_of(&offer, "at_3", "key-3")] {
        assert!(matches!(store.execute(&claim), ClaimOutcome::OfferNotOpen(_)));
    }
}

/// The same by an id of ours is a sale: Dodo took less, and the buyer got what they agreed to.
#[test]
fn less_by_an_id_of_ours_is_a_sale() {
    let (mut store, row) = sent();
    replied(&mut store, &row);
    let short = PaymentFacts { amount: usd(900), named: Named::Nobody, ..genuine(&row, "pay_1") };
    assert!(matches!(
        weigh(&mut store, &row.id, &short),
        Weighed::Settled { proof: Proof::OurId, amount: Amount::Less, .. }
    ));
    assert_eq!(store.state(&row.id), AttemptState::Succeeded);
}

/// Where the reply comes after the webhook, what fell short by its name alone turns out to be ours.
#[test]
fn a_reply_that_comes_later_proves_what_fell_short() {
    let (mut store, row) = sent();
    let short = PaymentFacts { amount: usd(900), ..genuine(&row, "pay_1") };
    for _ in 0..2 {
        weigh(&mut store, &row.id, &short);
        assert_eq!(store.state(&row.id), AttemptState::Underpaid, "repeating it proves no more");
    }
    replied(&mut store, &row);
    assert_eq!(store.state(&row.id), AttemptState::Underpaid, "a reply takes nothing back");
    weigh(&mut store, &row.id, &short);
    assert_eq!(store.state(&row.id), AttemptState::Succeeded);
    assert!(!store.payments[&payment("pay_1")].record.surplus, "it is the sale");
}

/// I10, I16: forged payments between the others, in any order, change nothing of what comes of it.
#[test]
fn forged_payments_change_no_outcome() {
    let (store, row) = sent();
    let true_one = genuine(&row, "pay_1");
    let failed = PaymentFacts { status: Some(IntentStatus::Processing), ..genuine(&row, "pay_1") };
    let other = PaymentFacts { cart: Some(Cart(vec![(product("prod_x"), 1)])), ..genuine(&row, "pay_9") };
    let events = [true_one, failed, named(&row, "pay_8", 1900), named(&row, "pay_7", 1), other];
    let ends: Vec<Memory> = permutations(&events)
        .into_iter()
        .map(|order| {
            let mut store = store.clone();
            for payment in order {
                weigh(&mut store, &row.id, &payment);
            }
            let mut end = store.without_traces_of_order();
            end.foreign.clear();
            end
        })
        .collect();
    assert!(ends.iter().all(|end| *end == ends[0]));
    assert_eq!(ends[0].state(&row.id), AttemptState::Succeeded);
    assert_eq!(ends[0].payments.keys().collect::<Vec<_>>(), [&payment("pay_1")]);
}

proptest! {
    /// I16, I17: whatever payments a buyer makes with whatever metadata seen so far, nothing is believed, nothing goes back
    /// and no other attempt moves.
    #[test]
    fn an_adversary_moves_nothing(tries in prop::collection::vec((0_usize..6, 0_i64..4000, 0_usize..3), 1..12)) {
        let (mut store, row) = sent();
        weigh(&mut store, &row.id, &genuine(&row, "pay_1"));
        let mut second = store.offered("of_2");
        second.equivalence.0 = "product:prod_other".into();
        store.offers.insert(second.id.clone(), second.clone());
        let victim = store.sent(&claim_of(&second, "at_2", "key-2"));
        let before = store.clone();
        for (no, (how, amount, whose)) in tries.into_iter().enumerate() {
            let by = format!("pay_x{no}");
            // A name has to be seen before it can be copied.
            let base = PaymentFacts { amount: usd(amount), ..genuine(&row, &by) }.began(after(600));
            let forged = match how {
                // Of what was seen so far: a name, the whole of another attempt's tags, or nothing.
                0 => PaymentFacts { named: Named::Attempt(row.id.clone()), ..base },
                1 => PaymentFacts { named: Named::Attempt(victim.id.clone()), ..base },
                2 => base,
                3 => PaymentFacts { charge_type: None, cart: None, ..base },
                4 => PaymentFacts { named: Named::Nobody, ..base },
                _ => PaymentFacts { customer_id: customer("cus_2"), ..base },
            };
            let attempt = [row.id.clone(), victim.id.clone(), attempt_id("at_nobody")][whose].clone();
            prop_assert!(weigh(&mut store, &attempt, &forged).settled().is_none());
        }
        prop_assert_eq!(Memory { foreign: before.foreign.clone(), ..store }, before);
    }
}
