use super::*;
use crate::journal::{ClaimOutcome, fixtures::*, memory::Memory};

#[test]
fn a_refusal_is_written_down_once() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let declined = OfferRow { state: OfferState::Declined, ..row.clone() };
    let refusal = refusal(&row);
    assert_eq!(store.execute(&refusal), DeclineOutcome::Declined(declined.clone()));
    assert_eq!(store.execute(&refusal), DeclineOutcome::AlreadyDeclined(declined));
    let entry = DeclineEntry {
        offer_id: row.id.clone(),
        equivalence: row.equivalence.clone(),
        campaign: row.campaign.clone(),
        price: refusal.price,
        plan: refusal.plan.clone(),
        reason: refusal.reason,
        at: NOW,
    };
    assert_eq!(store.declines, [(row.customer_id, row.email, entry)]);
}

#[test]
fn an_offer_is_refused_by_its_buyer_only() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let foreign = Decline { customer_id: customer("cus_2"), ..refusal(&row) };
    assert_eq!(store.execute(&foreign), DeclineOutcome::NotFound);
    assert_eq!(store.offer_state(&row), OfferState::Presented);
    assert!(store.declines.is_empty());
}

/// I7.
#[test]
fn a_declined_offer_cannot_be_claimed() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    store.execute(&refusal(&row));
    for claim in [claim_of(&row, "at_1", "key-1"), hosted_claim_of(&row, "at_2", "key-2")] {
        assert_eq!(store.execute(&claim), ClaimOutcome::OfferNotOpen(OfferState::Declined));
    }
}

/// I7: of a decline and an accept exactly one wins, whichever comes first.
#[test]
fn an_offer_that_is_being_paid_cannot_be_refused() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let attempt = store.claimed(&claim_of(&row, "at_1", "key-1"));
    let refused = DeclineOutcome::NotDeclinable(OfferState::Accepting);
    assert_eq!(store.execute(&refusal(&row)), refused);
    store.mark_sent(&attempt.id, NOW);
    store.settle(&attempt.id, &paid("pay_1"));
    let refused = DeclineOutcome::NotDeclinable(OfferState::Charged);
    assert_eq!(store.execute(&refusal(&row)), refused);
    assert!(store.declines.is_empty());
}

/// I15.
#[test]
fn what_was_taken_elsewhere_is_not_refused() {
    use OfferState as S;
    for (state, is_refused, after) in [
        (S::Presented, true, S::Declined),
        (S::Failed, true, S::Declined),
        (S::Declined, true, S::Declined),
        (S::Accepting, false, S::Presented),
        (S::Pending, false, S::Presented),
        (S::Charged, false, S::Expired),
    ] {
        for buyer in ["cus_1", "cus_2"] {
            let mut store = Memory::fresh();
            let row = store.offered("of_1");
            let other = OfferRow { state, customer_id: customer(buyer), ..offer("of_2") };
            store.offers.insert(other.id.clone(), other);
            let outcome = store.execute(&refusal(&row));
            assert_eq!(matches!(outcome, DeclineOutcome::Declined(_)), is_refused, "{outcome:?}");
            assert_eq!(outcome == DeclineOutcome::TakenElsewhere(state), !is_refused, "{outcome:?}");
            assert_eq!((store.offer_state(&row), store.declines.len()), (after, usize::from(is_refused)));
        }
    }
}
