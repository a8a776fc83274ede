use dodo_client::ids::{CustomerId, PaymentId};
use wire::{Card, UnixSeconds};

use super::*;
use crate::domain::{Confirmation, TokenHash};

fn method(id: &str, used: i64) -> SavedMethod {
    SavedMethod {
        id: PaymentMethodId::parse(id).unwrap(),
        is_card: true,
        // The digits are all the same: a method is never told by them.
        card: Some(Card { brand: "visa".into(), last4: "4242".into() }),
        expiry: None,
        last_used_at: Some(UnixSeconds(used)),
        recurring_enabled: Some(true),
    }
}

fn session(signed_in: bool, payment: Option<&str>) -> Session {
    Session {
        token: TokenHash([0; 32]),
        customer_id: CustomerId::parse("cus_1").unwrap(),
        signed_in,
        purpose: Purpose::Offer,
        trigger: Trigger::Purchase,
        payment_id: payment.map(|id| PaymentId::parse(id).unwrap()),
        newest: None,
        subscription_id: None,
        locale: None,
        country: None,
        usage: Vec::new(),
        browser: None,
        expires_at: UnixSeconds(0),
        confirmation: Confirmation::Confirmed,
    }
}

fn purchase(method: Option<&str>) -> Purchase {
    Purchase {
        payment_id: PaymentId::parse("pay_0").unwrap(),
        customer_id: CustomerId::parse("cus_1").unwrap(),
        email: None,
        payment_method_id: method.map(|id| PaymentMethodId::parse(id).unwrap()),
        product_ids: Vec::new(),
        subscription_id: None,
        billing: None,
        paid_at: UnixSeconds(0),
    }
}

#[test]
fn one_click_charges_what_paid_or_whoever_is_signed_in() {
    let other = Purchase { payment_id: PaymentId::parse("pay_9").unwrap(), ..purchase(Some("pm_paid")) };
    let foreign = Purchase { customer_id: CustomerId::parse("cus_2").unwrap(), ..purchase(Some("pm_paid")) };
    let methods = [method("pm_paid", 1), method("pm_latest", 2)];
    for (signed_in, payment, purchase, charged, withheld) in [
        (true, None, None, Some("pm_latest"), false),
        (true, Some("pay_0"), Some(purchase(Some("pm_paid"))), Some("pm_latest"), false),
        (false, Some("pay_0"), Some(purchase(Some("pm_paid"))), Some("pm_paid"), false),
        // A wallet, or a card that was not saved.
        (false, Some("pay_0"), Some(purchase(Some("pm_gone"))), None, true),
        (false, Some("pay_0"), Some(purchase(None)), None, true),
        (false, Some("pay_0"), None, None, true),
        (false, None, Some(purchase(Some("pm_paid"))), None, true),
        (false, Some("pay_0"), Some(other), None, true),
        (false, Some("pay_0"), Some(foreign), None, true),
    ] {
        let who = chargeable(&session(signed_in, payment), purchase.as_ref());
        let chosen = choose(&methods, Use::Once, UnixSeconds(0), &who);
        let found = chosen.method.as_ref().map(|method| method.id.as_str());
        assert_eq!((found, chosen.withheld, chosen.signed_in), (charged, withheld, signed_in), "{who:?}");
    }
    // The newest purchase, which nobody named: the card that paid it may be that of somebody else.
    let guessed = Session { newest: PaymentId::parse("pay_0").ok(), ..session(false, None) };
    assert_eq!(chargeable(&guessed, Some(&purchase(Some("pm_paid")))), Chargeable::Nothing);
    let who = chargeable(&session(false, Some("pay_0")), Some(&purchase(None)));
    assert!(!choose(&[], Use::Once, UnixSeconds(0), &who).withheld, "there is nothing to withhold");
}

#[test]
fn a_quote_of_somebody_signed_in_is_nobody_elses() {
    let quote = |signed_in, method: Option<&str>| QuoteRow {
        signed_in,
        payment_method_id: method.map(|id| PaymentMethodId::parse(id).unwrap()),
        ..QuoteRow::example()
    };
    let paid = Chargeable::Only(PaymentMethodId::parse("pm_paid").unwrap());
    for (who, signed_in, method, allowed) in [
        (&Chargeable::Any, true, Some("pm_latest"), true),
        (&Chargeable::Any, false, None, true),
        (&paid, false, Some("pm_paid"), true),
        (&paid, false, None, true),
        (&paid, false, Some("pm_latest"), false),
        (&paid, true, Some("pm_paid"), false),
        (&paid, true, None, false),
        (&Chargeable::Nothing, false, Some("pm_paid"), false),
        (&Chargeable::Nothing, false, None, true),
    ] {
        let quote = quote(signed_in, method);
        assert_eq!(who.allows_quote(&quote), allowed, "{who:?} {signed_in} {method:?}");
        let card = allowed && *who != Chargeable::Nothing;
        assert_eq!(who.sight(None).page, *who == Chargeable::Any, "of a lost quote nothing is told");
        assert_eq!(who.sight(Some(&quote)), Sight { card, page: allowed }, "{who:?} {signed_in} {method:?}");
    }
}

#[test]
fn a_plan_is_changed_on_the_method_that_paid_only() {
    let pm = |id: &str| PaymentMethodId::parse(id).unwrap();
    let paid = Chargeable::Only(pm("pm_paid"));
    assert!(Chargeable::Any.allows_change(None) && Chargeable::Any.allows_change(Some(&pm("pm_x"))));
    assert!(paid.allows_change(Some(&pm("pm_paid"))));
    assert!(!paid.allows_change(Some(&pm("pm_x"))) && !paid.allows_change(None));
    assert!(!Chargeable::Nothing.allows_change(Some(&pm("pm_paid"))));
}

#[test]
fn an_offer_is_seen_by_the_session_of_its_purchase() {
    let offer = OfferRow::example();
    assert!(may_see(&session(false, Some("pay_0")), &offer));
    assert!(may_see(&session(true, None), &offer));
    let guessed = Session { newest: PaymentId::parse("pay_0").ok(), ..session(false, None) };
    assert!(may_see(&guessed, &offer));
    let named = Session { payment_id: PaymentId::parse("pay_1").ok(), ..guessed };
    assert!(!may_see(&named, &offer));
    assert!(!may_see(&session(false, Some("pay_1")), &offer));
    assert!(!may_see(&session(false, None), &offer));
    let without = OfferRow { purchase: None, ..offer.clone() };
    assert!(!may_see(&session(false, None), &without), "two unknown purchases are not one");
    let foreign = OfferRow { customer_id: CustomerId::parse("cus_2").unwrap(), ..offer };
    assert!(!may_see(&session(true, Some("pay_0")), &foreign));
}

#[test]
fn plans_and_other_triggers_are_for_who_is_signed_in() {
    assert!(!needs_sign_in(Purpose::Offer, Trigger::Purchase));
    assert!(needs_sign_in(Purpose::Plans, Trigger::Purchase));
    for trigger in Trigger::ALL.iter().filter(|trigger| **trigger != Trigger::Purchase) {
        assert!(needs_sign_in(Purpose::Offer, *trigger), "{trigger:?}");
    }
}
