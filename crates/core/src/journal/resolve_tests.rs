use dodo_client::types::payments::IntentStatus;

use super::*;
use crate::{
    domain::{Observation, PaymentFacts, Source},
    journal::{
        ClaimOutcome, SettlePayment, Settlement,
        fixtures::{NOW, after, claim_of, genuine, identity, payment, usd},
        memory::Memory,
    },
    rules::MoneyRules,
};

/// A store in which 9 dollars came in for what costs 19, and the attempt.
fn underpaid() -> (Memory, AttemptRow) {
    let mut store = Memory::fresh();
    let offer = store.offered("of_1");
    let row = store.sent(&claim_of(&offer, "at_1", "key-1"));
    let short = PaymentFacts { amount: usd(900), ..genuine(&row, "pay_1") };
    weigh(&mut store, &row, &short);
    assert_eq!(store.state(&row.id), AttemptState::Underpaid);
    (store, row)
}

fn weigh(store: &mut Memory, row: &AttemptRow, payment: &PaymentFacts) {
    let (base, identity) = (Settlement::of(Observation::Unknown, Source::Webhook, NOW), identity());
    store.execute(&SettlePayment {
        attempt: &row.id,
        payment,
        subscription: None,
        base: &base,
        money: MoneyRules::default(),
        store: &identity,
    });
}

fn resolve(store: &mut Memory, row: &AttemptRow, resolution: Resolution) -> Resolved {
    store.execute(&Resolve {
        attempt: row.id.clone(),
        payment: Some(payment("pay_1")),
        resolution,
        at: after(1),
    })
}

fn offer_of(store: &Memory) -> OfferRow {
    store.offers.values().next().unwrap().clone()
}

#[test]
fn fulfilling_makes_it_a_sale() {
    let (mut store, row) = underpaid();
    assert!(matches!(resolve(&mut store, &row, Resolution::Fulfil), Resolved::Done(_)));
    assert_eq!(
        (store.state(&row.id), offer_of(&store).state),
        (AttemptState::Succeeded, OfferState::Charged)
    );
    let told = &store.notifications["evt_at_1_payment_succeeded"].body["data"];
    assert_eq!(told["amount"], 900, "what was collected, not what was quoted");
    assert!(!store.payments[&payment("pay_1")].record.surplus);
    assert!(store.orders.is_empty());
}

#[test]
fn refunding_ends_the_offer() {
    let (mut store, row) = underpaid();
    assert!(matches!(resolve(&mut store, &row, Resolution::Refund), Resolved::Done(_)));
    assert_eq!(
        (store.state(&row.id), offer_of(&store).state),
        (AttemptState::Dismissed, OfferState::Expired)
    );
    let order = store.orders.values().next().unwrap();
    assert_eq!((order.row.cause, order.row.amount), (RefundCause::Underpaid, None));
    let claim = store.execute(&claim_of(&offer_of(&store), "at_2", "key-2"));
    assert_eq!(claim, ClaimOutcome::OfferNotOpen(OfferState::Expired));
}

#[test]
fn reopening_lets_it_be_taken_again() {
    let (mut store, row) = underpaid();
    assert!(matches!(resolve(&mut store, &row, Resolution::Reopen), Resolved::Done(_)));
    assert!(store.orders.is_empty());
    store.sent(&claim_of(&offer_of(&store), "at_2", "key-2"));
    // The payment is reported again: decided is decided, and the second attempt is not moved.
    let short = PaymentFacts { amount: usd(900), ..genuine(&row, "pay_1") };
    weigh(&mut store, &row, &short);
    assert_eq!(
        (store.state(&row.id), offer_of(&store).state),
        (AttemptState::Dismissed, OfferState::Accepting)
    );
}

/// What is decided is decided once, and only what fell short can be.
#[test]
fn only_what_fell_short_is_resolved() {
    let (mut store, row) = underpaid();
    resolve(&mut store, &row, Resolution::Refund);
    let after_it = store.clone();
    for resolution in [Resolution::Fulfil, Resolution::Refund, Resolution::Reopen] {
        let again = resolve(&mut store, &row, resolution);
        assert_eq!(again, Resolved::NotOpen(AttemptState::Dismissed));
    }
    assert_eq!(store, after_it);

    let (mut store, row) = underpaid();
    let other = Resolve {
        attempt: row.id.clone(),
        payment: Some(payment("pay_2")),
        resolution: Resolution::Fulfil,
        at: NOW,
    };
    assert_eq!(store.execute(&other), Resolved::NotOpen(AttemptState::Underpaid), "another payment");
    let unknown = Resolve { attempt: wire::AttemptId::parse("at_9").unwrap(), ..other };
    assert_eq!(store.execute(&unknown), Resolved::NotFound);
}

/// An attempt that waited in vain, with a payment at Dodo that is pending, or none.
fn in_review(is_pending: bool) -> (Memory, AttemptRow) {
    let mut store = Memory::fresh();
    let offer = store.offered("of_1");
    let row = store.sent(&claim_of(&offer, "at_1", "key-1"));
    store.settle(&row.id, &Settlement::of(Observation::Unknown, Source::LookUp, NOW));
    if is_pending {
        let pending = PaymentFacts { status: Some(IntentStatus::Processing), ..genuine(&row, "pay_1") };
        weigh(&mut store, &row, &pending);
    }
    assert!(store.review(&row.id));
    assert_eq!(
        (store.state(&row.id), offer_of(&store).state),
        (AttemptState::NeedsReview, OfferState::Abandoned)
    );
    (store, row)
}

/// I13, I6, I9: what is pending can be fulfilled and not offered again; what is not there the other way round; nothing can
/// go back that did not come in.
#[test]
fn what_needs_review_is_open_to_a_person_as_far_as_that_makes_sense() {
    for (is_pending, resolution, expected) in [
        (true, Resolution::Fulfil, Some((AttemptState::Succeeded, OfferState::Charged))),
        (true, Resolution::Refund, None),
        (true, Resolution::Reopen, None),
        (false, Resolution::Fulfil, None),
        (false, Resolution::Refund, None),
        (false, Resolution::Reopen, Some((AttemptState::Dismissed, OfferState::Presented))),
    ] {
        let (mut store, row) = in_review(is_pending);
        let payment = is_pending.then(|| payment("pay_1"));
        let resolve = Resolve { attempt: row.id.clone(), payment, resolution, at: after(1) };
        let resolved = store.execute(&resolve);
        assert_eq!(matches!(resolved, Resolved::Done(_)), expected.is_some(), "{is_pending} {resolution:?}");
        let unchanged = (AttemptState::NeedsReview, OfferState::Abandoned);
        assert_eq!((store.state(&row.id), offer_of(&store).state), expected.unwrap_or(unchanged));
        assert!(store.orders.is_empty());
    }
}

/// I13: evidence settles it all the same, also after a person has decided.
#[test]
fn what_needs_review_is_settled_by_its_payment() {
    for resolution in [None, Some(Resolution::Reopen)] {
        let (mut store, row) = in_review(false);
        if let Some(resolution) = resolution {
            store.execute(&Resolve { attempt: row.id.clone(), payment: None, resolution, at: after(1) });
        }
        weigh(&mut store, &row, &genuine(&row, "pay_1"));
        assert_eq!(
            (store.state(&row.id), offer_of(&store).state),
            (AttemptState::Succeeded, OfferState::Charged)
        );
    }
}
