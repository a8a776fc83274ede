use dodo_client::ids::{CheckoutSessionId, CustomerId, SubscriptionId};
use proptest::prelude::*;
use serde_json::json;
use wire::{AttemptId, Currency, EffectiveAt, Money, OfferId, ProductId, QuoteId, UnixSeconds};

use super::*;
use crate::{
    domain::{AttemptState, Cart, OfferTags},
    journal::fixtures::{
        NOW, after, customer, genuine, identity, payment, product, quote, subscription, tags_of, usd,
    },
};

fn checkout(id: &str) -> CheckoutSessionId {
    CheckoutSessionId::parse(id).unwrap()
}

/// An attempt that was sent and of which nothing came back, its quote, and the payment that it made.
fn sent(kind: AttemptKind) -> (AttemptRow, QuoteRow, PaymentFacts) {
    let is_change = kind == AttemptKind::PlanChange;
    let row = AttemptRow {
        kind,
        quote_id: QuoteId::parse("qt_1").unwrap(),
        subscription_id: is_change.then(subscription),
        agreed: Some(1900),
        created_at: NOW,
        ..AttemptRow::example()
    };
    let mut quote = quote("qt_1", None);
    if is_change {
        quote.plan = ChargePlan::PlanChange {
            subscription_id: subscription(),
            product_id: product("prod_pro"),
            quantity: 1,
            addons: Vec::new(),
            proration: dodo_client::types::plan_changes::ProrationMode::DifferenceImmediately,
            effective_at: EffectiveAt::Immediately,
        };
    }
    let payment = genuine(&row, "pay_1");
    (row, quote, payment)
}

fn now_on(plan: &str) -> Subscription {
    serde_json::from_value(json!({
        "subscription_id": "sub_1", "product_id": plan, "quantity": 1, "status": "active", "currency": "USD",
        "recurring_pre_tax_amount": 3000, "customer": {"customer_id": "cus_1"}, "addons": [],
        "previous_billing_date": "2026-01-01T00:00:00Z", "next_billing_date": "2026-02-01T00:00:00Z",
        "payment_frequency_count": 1, "payment_frequency_interval": "Month"
    }))
    .unwrap()
}

struct World {
    began_by: Option<PaymentId>,
    subscription: Option<Subscription>,
    store: StoreIdentity,
}

fn world() -> World {
    World { began_by: None, subscription: None, store: identity() }
}

fn judged(row: &AttemptRow, quote: &QuoteRow, payment: &PaymentFacts, world: &World) -> Verdict {
    judge(&Case {
        row,
        quote,
        payment,
        subscription: world.subscription.as_ref(),
        on_record: None,
        began_by: world.began_by.as_ref(),
        store: &world.store,
    })
}

const KINDS: [AttemptKind; 3] = [AttemptKind::OneClick, AttemptKind::Hosted, AttemptKind::PlanChange];
const OWN_BY_CODE: Verdict = Verdict::Own(Proof::Code, Amount::AsAgreed);
const OWN_BY_ID: Verdict = Verdict::Own(Proof::OurId, Amount::AsAgreed);

#[test]
fn what_we_sent_is_ours() {
    for kind in KINDS {
        let (row, quote, payment) = sent(kind);
        assert_eq!(judged(&row, &quote, &payment, &world()), OWN_BY_CODE, "{kind:?}");
        let row = AttemptRow { payment_id: Some(payment.payment_id.clone()), ..row };
        let nameless = PaymentFacts { named: Named::Nobody, cart: None, ..payment };
        assert_eq!(judged(&row, &quote, &nameless, &world()), OWN_BY_ID, "{kind:?}: by the reply's payment");
    }
    for kind in [AttemptKind::OneClick, AttemptKind::Hosted] {
        let (row, quote, payment) = sent(kind);
        let row = AttemptRow { checkout_session_id: Some(checkout("cks_1")), ..row };
        let payment =
            PaymentFacts { checkout_session_id: Some(checkout("cks_1")), named: Named::Nobody, ..payment };
        assert_eq!(judged(&row, &quote, &payment, &world()), OWN_BY_ID, "{kind:?}: by the reply's checkout");
    }
}

/// I16: the attacks of which each was seen to work when a name was enough.
#[test]
fn a_name_is_no_proof() {
    for kind in KINDS {
        let (row, quote, payment) = sent(kind);
        let named = PaymentFacts { named: Named::Attempt(row.id.clone()), ..payment };
        let cheap = PaymentFacts { amount: usd(1), ..named.clone() };
        let other = PaymentFacts { cart: Some(Cart(vec![(product("prod_cheap"), 1)])), ..named.clone() };
        let bare = PaymentFacts { charge_type: None, cart: None, subscription_id: None, ..named.clone() };
        for forged in [named, cheap, other, bare] {
            let verdict = judged(&row, &quote, &forged, &world());
            assert!(!matches!(verdict, Verdict::Own(..)), "{kind:?}: {verdict:?} of {forged:?}");
        }
    }
}

/// I16: each check alone.
#[test]
fn what_disagrees_is_foreign() {
    let (row, quote, payment) = sent(AttemptKind::OneClick);
    let verdict = |payment: PaymentFacts| judged(&row, &quote, &payment, &world());
    let foreign = |why| Verdict::Foreign(why);
    let cart = |id: &str, n| Some(Cart(vec![(product(id), n)]));
    let euros = Money::new(1900, Currency::parse("EUR").unwrap());
    assert_eq!(
        verdict(PaymentFacts { customer_id: customer("cus_2"), ..payment.clone() }),
        foreign(Foreign::OtherBuyer)
    );
    assert_eq!(
        verdict(PaymentFacts { cart: cart("prod_x", 1), ..payment.clone() }),
        foreign(Foreign::OtherCart)
    );
    assert_eq!(
        verdict(PaymentFacts { cart: cart("prod_kit", 2), ..payment.clone() }),
        foreign(Foreign::OtherCart)
    );
    assert_eq!(verdict(PaymentFacts { amount: euros, ..payment.clone() }), foreign(Foreign::OtherCurrency));
    assert_eq!(verdict(PaymentFacts { cart: None, ..payment.clone() }), Verdict::Held(Missing::Payment));
    let paid = |amount| verdict(PaymentFacts { amount: usd(amount), ..payment.clone() });
    assert_eq!(paid(1899), Verdict::Own(Proof::Code, Amount::Less));
    assert_eq!(paid(1901), Verdict::Own(Proof::Code, Amount::More));
    for charge_type in [ChargeType::Renewal, ChargeType::OnDemand, ChargeType::PlanChange] {
        let payment = PaymentFacts { charge_type: Some(charge_type), ..payment.clone() };
        assert_eq!(verdict(payment), foreign(Foreign::OtherCharge));
    }
}

/// I16: a code is worth only what it says.
#[test]
fn a_code_about_something_else_proves_nothing() {
    for kind in KINDS {
        let (row, quote, payment) = sent(kind);
        let right = tags_of(&row);
        let wrong = [
            Tags { store: "st_2".into(), ..right.clone() },
            Tags { mode: dodo_client::Mode::Live, ..right.clone() },
            Tags { attempt: AttemptId::parse("at_2").unwrap(), ..right.clone() },
            Tags { kind: KINDS[(KINDS.iter().position(|k| *k == kind).unwrap() + 1) % 3], ..right.clone() },
            Tags { quote: QuoteId::parse("qt_2").unwrap(), ..right.clone() },
            Tags { items: vec![(product("prod_other"), 1)], ..right.clone() },
            Tags { items: vec![(right.items[0].0.clone(), 2)], ..right.clone() },
            Tags { items: [right.items.clone(), right.items.clone()].concat(), ..right.clone() },
            Tags { addons: vec![(wire::AddonId::parse("adn_1").unwrap(), 1)], ..right.clone() },
            Tags { subscription: SubscriptionId::parse("sub_2").ok(), ..right.clone() },
            Tags { customer: CustomerId::parse("cus_2").unwrap(), ..right.clone() },
            Tags { agreed: usd(1899), ..right.clone() },
            Tags { agreed: Money::new(1900, Currency::parse("EUR").unwrap()), ..right.clone() },
        ];
        for tags in wrong {
            let copied = PaymentFacts { named: Named::Proven(Box::new(tags.clone())), ..payment.clone() };
            let verdict = judged(&row, &quote, &copied, &world());
            assert_eq!(verdict, Verdict::Foreign(Foreign::OtherTerms), "{kind:?}: {tags:?}");
        }
        // Which campaign it was for is read for a restore only.
        let offer = Some(OfferTags { id: OfferId::parse("of_9").unwrap(), ..right.offer.clone().unwrap() });
        let other = PaymentFacts { named: Named::Proven(Box::new(Tags { offer, ..right })), ..payment };
        assert_eq!(judged(&row, &quote, &other, &world()), OWN_BY_CODE);
    }
}

/// I17: one payment each. A copy of everything is still another payment, from another checkout.
#[test]
fn a_copy_beside_the_payment_is_foreign() {
    let (row, quote, copy) = sent(AttemptKind::OneClick);
    let known = AttemptRow { payment_id: Some(payment("pay_0")), ..row.clone() };
    let collected = AttemptRow { state: AttemptState::Succeeded, ..known.clone() };
    let replied = AttemptRow { checkout_session_id: Some(checkout("cks_1")), ..known };
    let later = PaymentFacts { created_at: Some(after(181)), ..copy.clone() };
    for (settled, copy) in [(&collected, &later), (&replied, &copy), (&replied, &later)] {
        assert_eq!(judged(settled, &quote, copy, &world()), Verdict::Foreign(Foreign::OtherPayment));
    }
    assert_eq!(
        judged(&collected, &quote, &copy, &world()),
        OWN_BY_CODE,
        "the request may have been executed twice"
    );
    for kind in [AttemptKind::OneClick, AttemptKind::Hosted] {
        let row = AttemptRow { kind, checkout_session_id: Some(checkout("cks_1")), ..row.clone() };
        let copy = PaymentFacts { checkout_session_id: Some(checkout("cks_2")), ..genuine(&row, "pay_1") };
        assert_eq!(judged(&row, &quote, &copy, &world()), Verdict::Foreign(Foreign::OtherOrigin));
    }
}

/// I6: a copy that fails opens nothing beside the payment that it was copied from.
#[test]
fn a_copy_that_fails_is_no_failure() {
    let (row, _, named) = sent(AttemptKind::OneClick);
    let late = PaymentFacts { created_at: Some(after(181)), ..named.clone() };
    assert!(may_fail(&row, &named, Proof::Code) && !may_fail(&row, &late, Proof::Code));
    assert!(may_fail(&row, &late, Proof::OurId) && !may_fail(&row, &late, Proof::OldName));
}

/// I17: by a copy of everything the buyer could buy the same elsewhere, and have it given back here.
#[test]
fn a_copy_does_not_go_back() {
    for kind in KINDS {
        let (row, _, named) = sent(kind);
        let late = PaymentFacts { created_at: Some(after(181)), ..named.clone() };
        assert_eq!(may_go_back(&row, &named, Proof::Code), kind != AttemptKind::Hosted, "{kind:?}");
        assert!(!may_go_back(&row, &late, Proof::Code), "{kind:?}");
        assert!(!may_go_back(&row, &named, Proof::OldName), "{kind:?}");
        assert!(may_go_back(&row, &late, Proof::OurId), "{kind:?}");
    }
    let (row, quote, copy) = sent(AttemptKind::Hosted);
    let paid = AttemptRow { state: AttemptState::Succeeded, payment_id: Some(payment("pay_0")), ..row };
    assert_eq!(judged(&paid, &quote, &copy, &world()), Verdict::Foreign(Foreign::OtherPayment));
}

/// Where the time at which a payment began cannot be read, it settles by what it is, and what follows from that time takes the
/// careful side.
#[test]
fn a_payment_of_which_the_beginning_is_not_known_settles_and_does_not_go_back() {
    for kind in KINDS {
        let (row, quote, payment) = sent(kind);
        let unknown = PaymentFacts { created_at: None, at: None, ..payment };
        assert_eq!(judged(&row, &quote, &unknown, &world()), OWN_BY_CODE, "{kind:?}");
        assert!(!may_fail(&row, &unknown, Proof::Code) && !may_go_back(&row, &unknown, Proof::Code));
        assert!(may_fail(&row, &unknown, Proof::OurId) && may_go_back(&row, &unknown, Proof::OurId));
    }
    let (row, quote, first) = sent(AttemptKind::OneClick);
    let untyped =
        PaymentFacts { created_at: None, subscription_id: Some(subscription()), cart: None, ..first };
    let known = World { subscription: Some(now_on("prod_kit")), ..world() };
    assert_eq!(
        judged(&row, &quote, &untyped, &known),
        Verdict::Foreign(Foreign::OtherCharge),
        "it may be a renewal"
    );
}

/// On the page that we opened anybody may pay, in any currency, with the tax of any country, and with a second card.
#[test]
fn our_own_page_is_proven_by_its_checkout() {
    let (row, quote, payment) = sent(AttemptKind::Hosted);
    let row = AttemptRow { checkout_session_id: Some(checkout("cks_1")), ..row };
    let paid = PaymentFacts {
        checkout_session_id: Some(checkout("cks_1")),
        customer_id: customer("cus_2"),
        amount: Money::new(250_000, Currency::parse("JPY").unwrap()),
        named: Named::Nobody,
        ..payment
    };
    assert_eq!(judged(&row, &quote, &paid, &world()), OWN_BY_ID);
    let other = PaymentFacts { cart: Some(Cart(vec![(product("prod_x"), 1)])), ..paid };
    assert_eq!(judged(&row, &quote, &other, &world()), Verdict::Foreign(Foreign::OtherCart));
}

/// I17: a renewal carries everything that the first payment carried.
#[test]
fn a_renewal_is_recognised_before_its_code() {
    for kind in [AttemptKind::OneClick, AttemptKind::Hosted] {
        let (row, quote, first) = sent(kind);
        for charge_type in [None, Some(ChargeType::Unknown("cycle".into()))] {
            let renewal = PaymentFacts {
                payment_id: payment("pay_2"),
                charge_type,
                subscription_id: Some(subscription()),
                cart: None,
                ..first.clone()
            };
            let known =
                World { began_by: Some(payment("pay_1")), subscription: Some(now_on("prod_kit")), ..world() };
            assert_eq!(judged(&row, &quote, &renewal, &known), Verdict::Foreign(Foreign::OtherCharge));
            // The first payment was never learned of.
            let later = PaymentFacts { created_at: Some(after(86_400)), ..renewal.clone() };
            let unknown = World { subscription: Some(now_on("prod_kit")), ..world() };
            assert_eq!(judged(&row, &quote, &later, &unknown), Verdict::Foreign(Foreign::OtherCharge));
            assert_eq!(judged(&row, &quote, &renewal, &unknown), OWN_BY_CODE, "the first one");
            assert_eq!(judged(&row, &quote, &renewal, &world()), Verdict::Held(Missing::Subscription));
        }
    }
}

#[test]
fn a_plan_change_is_paid_on_its_subscription_only() {
    let (row, quote, payment) = sent(AttemptKind::PlanChange);
    let verdict = |payment: PaymentFacts, world: &World| judged(&row, &quote, &payment, world);
    let elsewhere = PaymentFacts { subscription_id: SubscriptionId::parse("sub_2").ok(), ..payment.clone() };
    assert_eq!(verdict(elsewhere, &world()), Verdict::Foreign(Foreign::OtherOrigin));
    let one_time = PaymentFacts { subscription_id: None, charge_type: None, ..payment.clone() };
    assert_eq!(verdict(one_time, &world()), Verdict::Held(Missing::Payment));
    let untyped = PaymentFacts { charge_type: None, ..payment.clone() };
    assert_eq!(verdict(untyped, &world()), Verdict::Held(Missing::Payment), "it may be a renewal");

    // Dodo left the metadata out: the subscription tells.
    let nameless = PaymentFacts { named: Named::Nobody, ..payment.clone() };
    assert_eq!(verdict(nameless.clone(), &world()), Verdict::Held(Missing::Subscription));
    let applied = World { subscription: Some(now_on("prod_pro")), ..world() };
    assert_eq!(verdict(nameless.clone(), &applied), OWN_BY_ID);
    let before = World { subscription: Some(now_on("prod_basic")), ..world() };
    assert_eq!(verdict(nameless.clone(), &before), Verdict::Foreign(Foreign::Unproven));
    for other in [
        PaymentFacts { amount: usd(1899), ..nameless.clone() },
        PaymentFacts { created_at: Some(after(-601)), ..nameless.clone() },
        PaymentFacts { status: None, ..nameless },
    ] {
        assert_eq!(verdict(other, &applied), Verdict::Foreign(Foreign::Unproven));
    }
    let others = PaymentFacts { named: Named::Attempt(AttemptId::parse("at_2").unwrap()), ..payment };
    assert_eq!(verdict(others, &applied), Verdict::Foreign(Foreign::OtherTerms));
}

/// What was charged before codes existed settles by its name, where everything agrees.
#[test]
fn older_attempts_settle_by_name_and_agreement() {
    let (row, quote, payment) = sent(AttemptKind::OneClick);
    let named = PaymentFacts { named: Named::Attempt(row.id.clone()), ..payment };
    let since = |at| World { store: StoreIdentity { signed_since: at, ..identity() }, ..world() };
    let own = Verdict::Own(Proof::OldName, Amount::AsAgreed);
    assert_eq!(judged(&row, &quote, &named, &since(after(1))), own);
    assert_eq!(judged(&row, &quote, &named, &since(NOW)), Verdict::Foreign(Foreign::Unproven));
    let cheap = PaymentFacts { amount: usd(1), ..named.clone() };
    assert_eq!(judged(&row, &quote, &cheap, &since(after(1))), Verdict::Own(Proof::OldName, Amount::Less));
    let other = PaymentFacts { cart: Some(Cart(vec![(product("prod_x"), 1)])), ..named };
    assert_eq!(judged(&row, &quote, &other, &since(after(1))), Verdict::Foreign(Foreign::OtherCart));
}

fn any_payment() -> impl Strategy<Value = PaymentFacts> {
    let ids = prop::sample::select(vec!["pay_1", "pay_2"]);
    let buyers = prop::sample::select(vec!["cus_1", "cus_2"]);
    let named = prop::sample::select(vec![0_usize, 1, 2]);
    let cart = prop::option::of((prop::sample::select(vec!["prod_kit", "prod_pro", "prod_x"]), 1_i64..3));
    let charge_type = prop::option::of(prop::sample::select(vec![
        ChargeType::New,
        ChargeType::PlanChange,
        ChargeType::Renewal,
        ChargeType::Unknown("x".into()),
    ]));
    let page = prop::option::of(prop::sample::select(vec!["cks_1", "cks_2"]));
    let plan = prop::option::of(prop::sample::select(vec!["sub_1", "sub_2"]));
    (ids, buyers, named, cart, charge_type, page, plan, 0_i64..3000, -10_000_i64..200_000).prop_map(
        |(id, buyer, named, cart, charge_type, page, plan, amount, at)| {
            let (row, _, base) = sent(AttemptKind::OneClick);
            PaymentFacts {
                payment_id: payment(id),
                customer_id: customer(buyer),
                named: match named {
                    0 => Named::Nobody,
                    1 => Named::Attempt(row.id),
                    _ => Named::Attempt(AttemptId::parse("at_2").unwrap()),
                },
                cart: cart.map(|(id, n)| Cart(vec![(ProductId::parse(id).unwrap(), n)])),
                charge_type,
                checkout_session_id: page.map(checkout),
                subscription_id: plan.map(|id| SubscriptionId::parse(id).unwrap()),
                amount: usd(amount),
                created_at: Some(UnixSeconds(NOW.0 + at)),
                ..base
            }
        },
    )
}

proptest! {
    /// I16: whatever a buyer's own payment looks like, without an id of ours it is no purchase of ours.
    #[test]
    fn nothing_that_a_buyer_can_make_is_believed(payment in any_payment(), kind in prop::sample::select(KINDS.to_vec()), applied: bool) {
        let (row, quote, _) = sent(kind);
        let subscription = applied.then(|| now_on(quote.plan.product_id().as_str()));
        let verdict = judged(&row, &quote, &payment, &World { subscription, ..world() });
        if let Verdict::Own(proof, amount) = verdict {
            // All that is left is the payment of a change of plan, on our subscription, which is what was asked for.
            prop_assert_eq!((kind, proof, amount), (AttemptKind::PlanChange, Proof::OurId, Amount::AsAgreed));
            prop_assert!(applied && payment.charge_type == Some(ChargeType::PlanChange));
            prop_assert_eq!(payment.subscription_id, row.subscription_id);
        }
    }
}
