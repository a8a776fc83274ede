use dodo_client::{Mode, ids::SubscriptionId};
use proptest::prelude::*;
use wire::FailureReason;

use super::*;
use crate::{
    domain::Observation,
    journal::{
        ClaimOutcome, Watermark,
        fixtures::{NOW, claim_of, genuine, identity, lost, offer, paid, quote, seen, usd},
        memory::Memory,
    },
    policy::receipt,
};

fn at() -> impl Strategy<Value = UnixSeconds> {
    (0..2_000_000_000_i64).prop_map(UnixSeconds)
}

fn maybe_at() -> impl Strategy<Value = Option<UnixSeconds>> {
    prop::option::of(at())
}

fn payment(named: Named) -> PaymentFacts {
    PaymentFacts { named, ..genuine(&AttemptRow::example(), "pay_new") }
}

fn proven(tags: &Tags) -> PaymentFacts {
    payment(Named::Proven(Box::new(tags.clone())))
}

fn tags(kind: AttemptKind, with_offer: bool) -> Tags {
    let offer = Tags::example().offer.filter(|_| with_offer);
    let subscription = (kind == AttemptKind::PlanChange).then(|| SubscriptionId::parse("sub_1").unwrap());
    Tags { kind, offer, subscription, ..Tags::example() }
}

proptest! {
    /// Whatever was lost was begun after the last sign of life: the listing reaches back beyond it.
    #[test]
    fn the_listing_reaches_back_beyond_everything_known(
        beat in maybe_at(), attempt in maybe_at(), restored_at in maybe_at(), named in maybe_at(), seen in maybe_at()
    ) {
        let since = compare_since(LastSign { beat, attempt, restored_at }, named, seen);
        let known: Vec<_> = [beat.or(attempt), named, seen].into_iter().flatten().collect();
        prop_assert_eq!(since.is_none(), known.is_empty());
        for at in known {
            prop_assert!(since.is_some_and(|since| since.0 <= at.0 - MARGIN));
        }
    }

    /// A store never goes back by being written to: beats only grow.
    #[test]
    fn growing_beats_are_no_way_back(remembered in maybe_at(), more in 0..1_000_000_i64) {
        let found = remembered.map(|at| later(at, more));
        let mark = |remembered, found| Watermark { remembered, found, ..Watermark::default() };
        prop_assert!(!mark(remembered, found).has_lost_commits());
        if let Some(at) = remembered {
            prop_assert!(mark(Some(at), Some(later(at, -more - 1))).has_lost_commits());
            prop_assert!(mark(Some(at), None).has_lost_commits());
        }
        let lost = Watermark { has_last_sent: false, ..mark(remembered, found) };
        prop_assert!(lost.has_lost_commits());
    }

    /// I7: what may have been refused is not offered again.
    #[test]
    fn what_was_set_off_before_the_hold_is_held(now in at(), before in -59..1_000_000_i64, after in 60..1_000_000_i64) {
        prop_assert!(is_held(later(now, -before), Some(hold_from(now))));
        prop_assert!(!is_held(later(now, after), Some(hold_from(now))));
        prop_assert!(!is_held(later(now, -before), None));
    }

    /// A moment that was handled is not handled again, whatever else happens.
    #[test]
    fn a_moment_is_handled_once(named in maybe_at(), beat in maybe_at()) {
        let sign = LastSign { beat, attempt: None, restored_at: named };
        prop_assert_eq!(newly_named(sign, named), None);
    }

    /// I8, I9: what is written anew has quote, consent and agreed amount from the tags, and its lines add up to it.
    #[test]
    fn what_is_rebuilt_adds_up(total in 0..1_000_000_i64, with_offer: bool) {
        let tags = Tags { agreed: usd(total), ..tags(AttemptKind::OneClick, with_offer) };
        let built = rebuilding(&tags, NOW, "Kit".into(), UnixSeconds(1)).unwrap();
        let lines: i64 = built.quote.quote.lines.iter().map(|line| line.amount).sum();
        prop_assert_eq!(lines, total);
        prop_assert_eq!((built.quote.quote.total, built.attempt.consent.amount), (total, total));
        prop_assert_eq!(built.attempt.agreed, Some(total));
        prop_assert_eq!(&built.attempt.quote_id, &built.quote.quote.id);
        prop_assert_eq!(built.offer.is_some(), with_offer);
        prop_assert_eq!(built.offer.map(|offer| offer.id), built.attempt.offer_id);
        prop_assert_eq!(built.attempt.state, AttemptState::Sent);
    }
}

/// I16: what a buyer can write begins no restore, whatever it says.
#[test]
fn only_what_a_proxy_on_this_store_wrote_begins_a_restore() {
    let (store, tags) = (identity(), Tags::example());
    assert_eq!(authenticated(&proven(&tags), &store), Some(&tags));
    let other = |tags: Tags| authenticated(&proven(&tags), &store).is_none();
    assert!(other(Tags { store: "st_2".into(), ..tags.clone() }), "another store's");
    assert!(other(Tags { mode: Mode::Live, ..tags.clone() }), "of the other world");
    assert!(authenticated(&payment(Named::Attempt(tags.attempt.clone())), &store).is_none());
    assert!(authenticated(&payment(Named::Nobody), &store).is_none());
}

/// I17: a renewal carries the metadata of the first payment, code and all; where Dodo does not say that it is none, it does
/// not count.
#[test]
fn a_renewal_begins_no_restore() {
    let subscription_id = Some(SubscriptionId::parse("sub_1").unwrap());
    for charge_type in [None, Some(ChargeType::Unknown("new_in_2027".into())), Some(ChargeType::Renewal)] {
        let renewal = PaymentFacts {
            charge_type,
            subscription_id: subscription_id.clone(),
            ..proven(&Tags::example())
        };
        assert!(authenticated(&renewal, &identity()).is_none(), "{:?}", renewal.charge_type);
    }
}

#[test]
fn only_names_from_before_there_were_codes_may_be_older() {
    let store = StoreIdentity { signed_since: NOW, ..identity() };
    let at = |named, begun| PaymentFacts { created_at: Some(begun), ..payment(named) };
    let named = || Named::Attempt(Tags::example().attempt);
    assert!(may_be_older(&at(named(), UnixSeconds(NOW.0 - 1)), &store));
    assert!(!may_be_older(&at(named(), NOW), &store));
    assert!(!may_be_older(&at(Named::Nobody, UnixSeconds(NOW.0 - 1)), &store));
}

#[test]
fn a_rebuilt_offer_cannot_be_begun_again() {
    let tags = tags(AttemptKind::Hosted, true);
    let built = rebuilding(&tags, NOW, "Kit".into(), UnixSeconds(1)).unwrap();
    let offer = built.offer.unwrap();
    assert_eq!((offer.state, offer.trigger_ref.as_str()), (OfferState::Accepting, "pay_1"));
    assert!(offer.expires_at <= offer.created_at);
    assert_eq!(offer.equivalence, declines::equivalence(&tags.items[0].0));
}

#[test]
fn a_plan_change_needs_its_subscription() {
    let tags = tags(AttemptKind::PlanChange, false);
    let without = Tags { subscription: None, ..tags.clone() };
    assert!(rebuilding(&without, NOW, "Pro".into(), UnixSeconds(1)).is_none());
    let built = rebuilding(&tags, NOW, "Pro".into(), UnixSeconds(1)).unwrap();
    assert_eq!(built.attempt.subscription_id, tags.subscription);
    assert!(built.offer.is_none());
}

/// What a payment says of itself is no id of ours: it would prove itself.
#[test]
fn what_is_rebuilt_knows_no_payment_and_no_checkout() {
    let built = rebuilding(&Tags::example(), NOW, "Kit".into(), UnixSeconds(1)).unwrap();
    assert_eq!((built.attempt.payment_id, built.attempt.checkout_session_id), (None, None));
}

const DECLINED: Observation = Observation::Failed(FailureReason::Declined);

fn rebuild(store: &mut Memory, rebuilding: &Rebuilding) -> Took {
    store.execute(&Rebuild { rebuilding, at: NOW })
}

/// Puts back an attempt that the store does not have.
fn put_back(store: &mut Memory, rebuilding: &Rebuilding) -> AttemptRow {
    match rebuild(store, rebuilding) {
        Took::New(row) => row,
        Took::Known(row) => panic!("{} was there", row.id),
    }
}

/// I1: a charge that only Dodo knows of closes its offer, once, however often it is put back.
#[test]
fn a_lost_charge_is_put_back_once() {
    let mut store = Memory::fresh();
    let row = offer("of_1");
    let attempt = put_back(&mut store, &lost(&row, "at_9"));
    assert!(matches!(rebuild(&mut store, &lost(&row, "at_9")), Took::Known(_)));
    assert_eq!(store.offer_state(&row), OfferState::Accepting);
    assert!(!store.settle(&attempt.id, &paid("pay_9")).surplus);
    assert_eq!(store.offer_state(&row), OfferState::Charged);
    let events: Vec<_> = store.history.iter().map(|(_, _, event)| event.columns().0).collect();
    assert_eq!(events, ["rebuilt", "offer", "succeeded"]);
    assert_eq!((store.offers.len(), store.quotes.len(), store.attempts.len()), (1, 1, 1));
}

#[test]
fn an_open_offer_for_the_same_occasion_is_closed() {
    let mut store = Memory::fresh();
    let open = store.offered("of_1");
    let before = OfferRow { id: OfferId::parse("of_0").unwrap(), ..open.clone() };
    let attempt = put_back(&mut store, &lost(&before, "at_9"));
    assert_eq!(attempt.offer_id, Some(open.id.clone()));
    let claim = store.execute(&claim_of(&open, "at_1", "key-1"));
    assert_eq!(claim, ClaimOutcome::OfferNotOpen(OfferState::Accepting));
    store.settle(&attempt.id, &seen(DECLINED));
    assert_eq!(store.offer_state(&open), OfferState::Failed);
}

#[test]
fn a_claim_with_a_payment_was_sent() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    store.claimed(&claim_of(&row, "at_1", "key-1"));
    let Took::Known(attempt) = rebuild(&mut store, &lost(&row, "at_1")) else { panic!("new") };
    assert_eq!(attempt.state, AttemptState::Sent);
    assert!(!store.mark_sent(&attempt.id, NOW), "I3: its request has left before");
    store.settle(&attempt.id, &seen(Observation::Pending { customer_action: false }));
    assert_eq!(store.offer_state(&row), OfferState::Pending);
}

/// Money beside money is recorded and reported.
#[test]
fn a_second_charge_is_put_back_as_surplus() {
    let mut store = Memory::fresh();
    let row = store.offered("of_1");
    let first = store.sent(&claim_of(&row, "at_1", "key-1"));
    store.settle(&first.id, &paid("pay_1"));
    let second = put_back(&mut store, &lost(&row, "at_9"));
    assert!(store.attempts[&second.id].surplus);
    assert!(store.settle(&second.id, &paid("pay_9")).surplus);
}

/// I7: what was refused or is over stays so; only money moves it.
#[test]
fn a_lost_charge_opens_nothing() {
    for state in [OfferState::Declined, OfferState::Expired, OfferState::Abandoned] {
        let mut store = Memory::fresh();
        let row = store.offered("of_1");
        store.offers.insert(row.id.clone(), OfferRow { state, ..row.clone() });
        let attempt = put_back(&mut store, &lost(&row, "at_9"));
        assert_eq!(store.offer_state(&row), state);
        store.settle(&attempt.id, &seen(DECLINED));
        assert_eq!(store.offer_state(&row), state);
        store.settle(&attempt.id, &paid("pay_9"));
        assert_eq!(store.offer_state(&row), OfferState::Charged);
    }
}

/// What is passed over in a comparison is exactly what the attempt was settled by.
#[test]
fn only_the_success_that_is_known_is_old_news() {
    let waiting = AttemptRow::example();
    let payment = genuine(&waiting, "pay_1");
    let quote = quote("qt_1", None);
    let known = AttemptRow {
        state: AttemptState::Succeeded,
        payment_id: Some(payment.payment_id.clone()),
        receipt: Some(receipt::of_payment(&quote, &payment, NOW)),
        ..waiting.clone()
    };
    assert!(is_old_news(&known, &payment), "{known:?}");
    let failed = PaymentFacts { status: Some(IntentStatus::Failed), ..payment.clone() };
    let other_amount = PaymentFacts { amount: usd(1901), ..payment.clone() };
    for news in [failed, other_amount, genuine(&known, "pay_2")] {
        assert!(!is_old_news(&known, &news), "{news:?}");
    }
    assert!(!is_old_news(&waiting, &payment));
    assert!(!is_old_news(&AttemptRow { receipt: None, ..known }, &payment));
}
