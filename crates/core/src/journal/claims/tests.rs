use wire::FailureReason;

use super::*;
use crate::{
    domain::{ChargePlan, EquivalenceKey, Observation, Purchase},
    journal::{DeclineOutcome, Timeline, Watermark, fixtures::*, memory::Memory},
};

const DECLINED: Observation = Observation::Failed(FailureReason::Declined);

/// I2: of any number of clicks one claims.
#[test]
fn of_several_clicks_one_claims() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let first = store.claimed(&claim_of(&row, "at_0", "key-0"));
    assert_eq!((first.no, first.state), (1, AttemptState::Claimed));
    for click in 1..8 {
        let request = claim_of(&row, &format!("at_{click}"), &format!("key-{click}"));
        assert_eq!(store.execute(&request), ClaimOutcome::OfferNotOpen(OfferState::Accepting));
    }
    assert_eq!(store.attempts.len(), 1);
}

/// I2: an open offer beside an attempt that may still collect is a contradiction, and cannot be claimed.
#[test]
fn an_open_offer_with_a_live_attempt_cannot_be_claimed() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    store.sent(&claim_of(&row, "at_1", "key-1"));
    if let Some(offer) = store.offers.get_mut(&row.id) {
        offer.state = OfferState::Presented;
    }
    let second = store.execute(&claim_of(&row, "at_2", "key-2"));
    assert_eq!(second, ClaimOutcome::OfferNotOpen(OfferState::Unknown));
    assert_eq!(store.attempts.len(), 1);
}

/// I11.
#[test]
fn a_key_belongs_to_one_attempt_of_one_buyer() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let first = store.sent(&claim_of(&row, "at_1", "key-1"));
    let ClaimOutcome::KeyUsed(earlier) = store.execute(&claim_of(&row, "at_2", "key-1")) else {
        panic!("claimed twice with one key")
    };
    assert_eq!((earlier.id, earlier.key), (first.id, first.key));
    let foreign = OfferRow { customer_id: customer("cus_2"), email: None, ..offer("of_2") };
    store.offers.insert(foreign.id.clone(), foreign.clone());
    assert_eq!(store.claimed(&claim_of(&foreign, "at_3", "key-1")).no, 1, "the key of another buyer");
}

#[test]
fn an_expired_or_foreign_offer_cannot_be_claimed() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let mut late = claim_of(&row, "at_1", "key-1");
    late.attempt.created_at = row.expires_at;
    assert_eq!(store.execute(&late), ClaimOutcome::OfferNotOpen(OfferState::Expired));
    let mut foreign = claim_of(&row, "at_1", "key-1");
    foreign.attempt.customer_id = customer("cus_2");
    assert_eq!(store.execute(&foreign), ClaimOutcome::OfferNotFound);
    assert_eq!(store.offer_state(&row), OfferState::Presented);
    assert!(store.attempts.is_empty());
}

/// I2.
#[test]
fn one_live_attempt_per_subscription() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let on_subscription = |attempt: &str, key: &str| {
        let mut request = claim_of(&row, attempt, key);
        request.attempt.offer_id = None;
        request.attempt.subscription_id = Some(subscription());
        request
    };
    let first = store.sent(&on_subscription("at_1", "key-1"));
    assert_eq!(store.execute(&on_subscription("at_2", "key-2")), ClaimOutcome::SubscriptionBusy);
    store.settle(&first.id, &seen(Observation::Succeeded));
    let second = store.sent(&on_subscription("at_3", "key-3"));
    store.settle(&second.id, &seen(DECLINED));
    store.sent(&on_subscription("at_4", "key-4"));
}

/// I4: recovery and a slow worker never both go on.
#[test]
fn a_claim_is_marked_within_its_lease_only_and_once() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let attempt = store.claimed(&claim_of(&row, "at_1", "key-1"));
    assert!(!store.mark_sent(&attempt.id, attempt.lease_until));
    assert!(store.mark_sent(&attempt.id, NOW));
    assert!(!store.mark_sent(&attempt.id, NOW));
    assert!(!store.execute(&back(&attempt.id, Unexecuted::Claimed)));
    let marked = &store.attempts[&attempt.id].row;
    assert_eq!((marked.lease_until, marked.next_check_at), (after(45), Some(after(45))));
}

/// A claim is marked as sent by the process that made it, or not at all.
#[test]
fn another_process_does_not_mark_a_claim() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let attempt = store.claimed(&claim_of(&row, "at_1", "key-1"));
    store.instance = "proxy-2".into();
    assert!(!store.mark_sent(&attempt.id, NOW));
    assert_eq!(store.state(&attempt.id), AttemptState::Claimed);
}

#[test]
fn a_release_opens_the_offer_as_it_was() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let first = store.claimed(&claim_of(&row, "at_1", "key-1"));
    assert!(store.execute(&back(&first.id, Unexecuted::Claimed)));
    assert_eq!(store.offer_state(&row), OfferState::Presented);
    let released = &store.attempts[&first.id].row;
    assert_eq!((released.state, released.next_check_at), (AttemptState::Released, None));
    // The key is free again, and the number is not.
    let second = store.sent(&claim_of(&row, "at_2", "key-1"));
    assert_eq!(second.no, 2);
    store.settle(&second.id, &seen(DECLINED));
    assert_eq!(store.offer_state(&row), OfferState::Failed);
    let third = store.sent(&hosted_claim_of(&row, "at_3", "key-3"));
    assert!(store.execute(&back(&third.id, Unexecuted::Sent)));
    assert_eq!(store.offer_state(&row), OfferState::Failed, "its card is still declined");
}

#[test]
fn a_release_needs_the_state_that_it_is_about() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let attempt = store.claimed(&claim_of(&row, "at_1", "key-1"));
    assert!(!store.execute(&back(&attempt.id, Unexecuted::Sent)));
    assert!(store.execute(&back(&attempt.id, Unexecuted::Claimed)));
    assert!(!store.execute(&back(&attempt.id, Unexecuted::Claimed)));
    assert!(!store.execute(&back(&attempt_id("at_9"), Unexecuted::Claimed)), "no such attempt");
}

#[test]
fn a_changed_quote_is_the_final_answer_for_its_key() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let new = Some(quote("qt_new", Some(&row)).quote.id);
    let attempt = store.claimed(&claim_of(&row, "at_1", "key-1"));
    let release = back(&attempt.id, Unexecuted::Claimed);
    assert!(store.execute(&Release { replacement: new.clone(), key: KeptKey::Kept, ..release }));
    let ClaimOutcome::KeyUsed(earlier) = store.execute(&claim_of(&row, "at_2", "key-1")) else {
        panic!("the key was forgotten")
    };
    assert_eq!((earlier.state, earlier.replacement), (AttemptState::Released, new));
}

/// I1, I22: what a process remembers and does not find again keeps everything from being claimed and sent.
#[test]
fn nothing_is_claimed_or_sent_in_a_stale_store() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let on = |number| Some(Timeline { cluster: 7, number });
    let restored = Some(Timeline { cluster: 8, number: 2 });
    let beats = Watermark { remembered: Some(NOW), found: Some(NOW), ..Watermark::default() };
    let current = Watermark { compared: on(2), writes: on(2), ..beats };
    store.watermark = current;
    let mut waiting = store.clone();
    let unsent = waiting.claimed(&claim_of(&row, "at_1", "key-1")).id;
    for (stale, why) in [
        (Watermark { remembered: Some(after(1)), ..current }, Stale::LostCommits),
        (Watermark { found: None, ..current }, Stale::LostCommits),
        (Watermark { has_last_sent: false, ..current }, Stale::LostCommits),
        (Watermark { writes: on(3), has_last_sent: false, ..current }, Stale::LostCommits),
        (Watermark { writes: on(3), ..current }, Stale::NewTimeline),
        (Watermark { writes: restored, ..current }, Stale::NewTimeline),
        (Watermark { writes: on(1), ..current }, Stale::Superseded),
        (Watermark { writes: on(1), has_last_sent: false, ..current }, Stale::Superseded),
        (Watermark { writes: None, ..current }, Stale::Superseded),
    ] {
        store.watermark = stale;
        let claimed = store.execute(&claim_of(&row, "at_1", "key-1"));
        assert_eq!(claimed, ClaimOutcome::StaleStore(why), "{stale:?}");
        waiting.watermark = stale;
        assert!(!waiting.mark_sent(&unsent, NOW), "{stale:?}");
    }
    store.watermark = Watermark { compared: None, writes: None, ..beats };
    store.claimed(&claim_of(&row, "at_1", "key-1"));
    waiting.watermark = current;
    assert!(waiting.mark_sent(&unsent, NOW));
}

/// I15.
#[test]
fn one_thing_is_taken_once_whichever_offer_and_customer_id_it_goes_by() {
    use OfferState as S;
    let taken = ClaimOutcome::TakenElsewhere;
    for (state, expected) in [
        (S::Eligible, None),
        (S::Presented, None),
        (S::Failed, None),
        (S::Declined, None),
        (S::Expired, None),
        (S::Accepting, Some(taken(S::Accepting))),
        (S::Pending, Some(taken(S::Pending))),
        (S::Unknown, Some(taken(S::Unknown))),
        (S::Abandoned, Some(taken(S::Abandoned))),
        (S::Charged, Some(taken(S::Charged))),
    ] {
        for buyer in ["cus_1", "cus_2"] {
            let mut store = Memory::fresh();
            let row = store.offered("of_1");
            let other = OfferRow { state, customer_id: customer(buyer), ..offer("of_2") };
            store.offers.insert(other.id.clone(), other);
            let outcome = store.execute(&claim_of(&row, "at_1", "key-1"));
            match &expected {
                None => assert!(matches!(outcome, ClaimOutcome::Claimed(_)), "{state:?}: {outcome:?}"),
                Some(expected) => assert_eq!(outcome, *expected),
            }
            // An offer of what the buyer has is over; one of what they may be getting is asked for again.
            let after = match state {
                S::Charged => S::Expired,
                _ if expected.is_some() => S::Presented,
                _ => S::Accepting,
            };
            assert_eq!(store.offer_state(&row), after, "{state:?}");
        }
    }
}

/// I15: another thing, or another person, keeps nobody from anything. A plan that was taken may have been left again.
#[test]
fn what_is_not_the_same_thing_of_the_same_person_does_not_count() {
    let charged = OfferRow { state: OfferState::Charged, ..offer("of_2") };
    let plan = ChargePlan::PlanChange {
        subscription_id: subscription(),
        product_id: product("prod_kit"),
        quantity: 1,
        addons: Vec::new(),
        proration: dodo_client::types::plan_changes::ProrationMode::DifferenceImmediately,
        effective_at: wire::EffectiveAt::Immediately,
    };
    for other in [
        OfferRow { equivalence: EquivalenceKey("product:prod_book".into()), ..charged.clone() },
        OfferRow { customer_id: customer("cus_2"), email: None, ..charged.clone() },
        OfferRow {
            customer_id: customer("cus_2"),
            email: Some(EmailHash("e1".repeat(32))),
            ..charged.clone()
        },
        OfferRow { plan, ..charged },
    ] {
        let mut store = Memory::fresh();
        let row = store.offered("of_1");
        store.offers.insert(other.id.clone(), other);
        store.claimed(&claim_of(&row, "at_1", "key-1"));
    }
}

/// I7, I15.
#[test]
fn what_was_refused_elsewhere_is_not_claimed_until_the_policy_lifts_it() {
    for buyer in ["cus_1", "cus_2"] {
        let mut store = Memory::fresh();
        let row = store.offered("of_1");
        let other = OfferRow { customer_id: customer(buyer), ..offer("of_2") };
        store.offers.insert(other.id.clone(), other.clone());
        assert!(matches!(store.execute(&refusal(&other)), DeclineOutcome::Declined(_)));
        let claim = claim_of(&row, "at_1", "key-1");
        assert_eq!(store.execute(&claim), ClaimOutcome::NotAvailable, "never again");
        let policy = DeclinePolicy::UntilPriceDrops { percent: 20 };
        let at = |price| Claim { lifting: Lifting { policy, price, plan: None }, ..claim.clone() };
        assert_eq!(store.execute(&at(None)), ClaimOutcome::NotAvailable, "a price that is not known");
        assert_eq!(store.execute(&at(Some(usd(1600)))), ClaimOutcome::NotAvailable);
        assert!(matches!(store.execute(&at(Some(usd(1500)))), ClaimOutcome::Claimed(_)));
    }
}

/// I15.
#[test]
fn what_was_bought_in_the_shop_is_not_claimed() {
    let purchase = |customer_id, hash, id| Purchase {
        payment_id: payment("pay_1"),
        customer_id: customer(customer_id),
        email: hash,
        payment_method_id: None,
        product_ids: vec![product(id)],
        subscription_id: None,
        billing: None,
        paid_at: NOW,
    };
    for (bought, outcome) in [
        (purchase("cus_1", None, "prod_kit"), Some(OfferState::Expired)),
        (purchase("cus_2", Some(email()), "prod_kit"), Some(OfferState::Expired)),
        (purchase("cus_2", None, "prod_kit"), None),
        (purchase("cus_1", None, "prod_book"), None),
    ] {
        let mut store = Memory::fresh();
        let row = store.offered("of_1");
        store.purchases.push(bought);
        let claimed = store.execute(&claim_of(&row, "at_1", "key-1"));
        assert_eq!(claimed == ClaimOutcome::NotAvailable, outcome.is_some(), "{claimed:?}");
        assert_eq!(store.offer_state(&row), outcome.unwrap_or(OfferState::Accepting));
    }
}

/// I15: money that came in late for the same thing keeps a claimed attempt from being sent.
#[test]
fn nothing_is_sent_once_the_same_thing_was_paid() {
    let mut store = Memory::fresh();
    let (late, row) = (store.offered("of_1"), store.offered("of_2"));
    let first = store.sent(&claim_of(&late, "at_1", "key-1"));
    store.settle(&first.id, &seen(Observation::Failed(FailureReason::Declined)));
    let second = store.claimed(&claim_of(&row, "at_2", "key-2"));
    store.settle(&first.id, &paid("pay_1"));
    assert_eq!(store.offer_state(&late), OfferState::Charged);
    assert!(!store.mark_sent(&second.id, NOW));
    assert_eq!(store.state(&second.id), AttemptState::Claimed);
}
