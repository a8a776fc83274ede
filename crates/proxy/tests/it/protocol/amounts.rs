//! The same amount to the minor unit on the screen, at Dodo and on the receipt, whichever way Dodo computes, rounds,
//! taxes and lists: all of these are open in its documentation.

use std::time::Duration;

use dodo_client::{ids::CustomerId, types::plan_changes::ProrationMode};
use dodo_sim::NewSubscription;
use serde_json::{Value, json};
use upsell_core::domain::{Billing, ChargePlan};
use wire::{AttemptStatus, FailureReason, Purpose};

use super::rig::{GOOD, NO_FUNDS, Rig, change_to, purchase_of, session};

const MODES: [ProrationMode; 5] = [
    ProrationMode::DifferenceImmediately,
    ProrationMode::ProratedImmediately,
    ProrationMode::ProratedImmediatelyKeepCycle,
    ProrationMode::FullImmediately,
    ProrationMode::DoNotBill,
];

#[tokio::test]
async fn plan_changes_charge_what_was_shown() {
    for engine in ["classic", "current"] {
        for lines in ["signed", "new_plan_only"] {
            for total in ["post_credit", "pre_credit"] {
                for country in ["US", "DE"] {
                    let switches = json!({"proration_engine": engine, "preview_lines": lines, "summary_total": total,
                               "rate_limit": "off"});
                    every_mode_both_ways(&switches, country).await;
                }
            }
        }
    }
}

async fn every_mode_both_ways(switches: &Value, country: &str) {
    let rig = Rig::start().await;
    rig.dodo.switch(switches.clone()).unwrap();
    for (from, to) in [("prod_basic_plan", "prod_pro_plan"), ("prod_max_plan", "prod_basic_plan")] {
        for mode in MODES {
            let case = format!("{switches} {country} {from} → {to} {mode:?}");
            let customer = rig.dodo.customer_in(Some(GOOD), country).unwrap();
            // In the middle of a period, so that proration has something to divide.
            let subscription = rig
                .dodo
                .start_subscription(NewSubscription {
                    customer_id: customer.to_string(),
                    product_id: from.to_owned(),
                    started_days_ago: 11,
                    ..NewSubscription::default()
                })
                .unwrap();
            let before: i64 = sum(&rig, &customer);
            let session = session(customer.clone(), Purpose::Plans, Some(subscription.clone()));
            let mut plan = change_to(&subscription, to);
            let ChargePlan::PlanChange { proration, .. } = &mut plan else { panic!("a plan change") };
            *proration = mode;
            let quote = rig.previewed(&session, &plan).await;
            assert!(quote.quote.adds_up(), "{case}: {:?}", quote.quote);
            let attempt =
                rig.change(&session, &quote, "key").await.unwrap_or_else(|error| panic!("{case}: {error}"));
            let attempt = rig.until_settled(&session, attempt).await;
            assert_eq!(attempt.status, Some(AttemptStatus::Succeeded), "{case}");
            let receipt = attempt.receipt.unwrap();
            assert_eq!(receipt.amount, quote.quote.total, "{case}");
            assert_eq!(receipt.credit, quote.quote.credit, "{case}");
            assert_eq!(sum(&rig, &customer) - before, quote.quote.total, "{case}");
            let after = rig.client.get_subscription(&subscription).await.unwrap();
            let renewal = quote.quote.renewal.unwrap();
            // A period that begins with the change begins some moments after its preview.
            let moved = after.next_billing_date.0 - renewal.date.0;
            assert!((0..60).contains(&moved), "{case}: {moved}");
            assert_eq!(after.recurring_pre_tax_amount, renewal.amount, "{case}");
        }
    }
}

fn sum(rig: &Rig, customer: &CustomerId) -> i64 {
    rig.dodo.payments_of(customer.as_str()).iter().map(|charge| charge.amount).sum()
}

/// Tax on top, no minor unit, several at once.
#[tokio::test]
async fn purchases_charge_what_was_shown() {
    for (product, country, quantity, total) in [
        ("prod_toolkit", "US", 1, 1900),
        ("prod_toolkit", "DE", 1, 2261),
        ("prod_toolkit", "GB", 3, 6840),
        ("prod_course_jp", "JP", 1, 5390),
        ("prod_mini_bundle", "JP", 2, 15180),
    ] {
        let rig = Rig::start().await;
        let mut plan = purchase_of(product);
        let ChargePlan::Checkout { billing, quantity: wanted, .. } = &mut plan else { panic!("a purchase") };
        *wanted = quantity;
        *billing = Some(Billing { country: country.into(), ..billing.clone().unwrap() });
        let customer = rig.dodo.customer_in(Some(GOOD), country).unwrap();
        let shown = rig.shown_to(customer, plan).await;
        assert_eq!(shown.quote.quote.total, total, "{product} {country}");
        assert!(shown.quote.quote.adds_up(), "{product} {country}");
        let receipt = rig.accept(&shown, "key").await.unwrap().receipt.unwrap();
        assert_eq!((receipt.amount, receipt.tax), (total, shown.quote.quote.tax), "{product} {country}");
        assert_eq!(sum(&rig, &shown.offer.customer_id), total, "{product} {country}");
    }
}

/// Whether a decline shows as a payment or as an error of any shape, the buyer is told the same.
#[tokio::test]
async fn a_decline_is_a_decline_however_it_is_said() {
    for switches in [
        json!({"decline_surface": "payment"}),
        json!({"decline_surface": "http_error", "error_shape": "flat"}),
        json!({"decline_surface": "http_error", "error_shape": "nested"}),
    ] {
        let rig = Rig::start().await;
        rig.dodo.switch(switches.clone()).unwrap();
        let shown = rig.shown(Some(NO_FUNDS)).await;
        let attempt = rig.accept(&shown, "key").await.unwrap();
        assert_eq!(attempt.status, Some(AttemptStatus::Failed), "{switches}");
        assert_eq!(attempt.failure, Some(FailureReason::InsufficientFunds), "{switches}");
        assert!(attempt.hosted_checkout_offered, "{switches}");
    }
}

/// An answer without a body may be anybody's: it is looked up, and the payment tells.
#[tokio::test]
async fn a_bare_refusal_is_looked_up() {
    let rig = Rig::start().await;
    rig.dodo.switch(json!({"decline_surface": "http_error", "error_shape": "empty"})).unwrap();
    let shown = rig.shown(Some(NO_FUNDS)).await;
    let attempt = rig.accept(&shown, "key").await.unwrap();
    assert_eq!(attempt.status, Some(AttemptStatus::InDoubt));
    let end = rig.until_settled(&shown.session, attempt).await;
    assert_eq!(end.status, Some(AttemptStatus::Failed));
    assert_eq!(rig.dodo.posts_to("/checkouts"), 1);
}

/// A plan bought anew recurs: the quote says when and how much, and needs a card that may be charged again.
#[tokio::test]
async fn a_new_plan_is_quoted_with_its_renewal() {
    let rig = Rig::start().await;
    let shown = rig.shown_to(rig.dodo.customer(Some(GOOD)).unwrap(), purchase_of("prod_basic_plan")).await;
    let renewal = shown.quote.quote.renewal.unwrap();
    assert_eq!((renewal.amount, shown.quote.quote.total), (3000, 3000));
    let attempt = rig.accept(&shown, "key").await.unwrap();
    assert_eq!(attempt.receipt.unwrap().renewal, Some(renewal));
    // Its renewal carries the same metadata, and is not taken for a second collection of the offer.
    rig.dodo.control().advance(Duration::from_secs(40 * 86_400));
    let charges = rig.dodo.payments_of(shown.offer.customer_id.as_str());
    assert_eq!(charges.len(), 2, "{charges:?}");
    for charge in &charges {
        let id = dodo_client::ids::PaymentId::parse(charge.payment_id.as_str()).unwrap();
        rig.charging.observe_payment(&rig.client.get_payment(&id).await.unwrap()).await.unwrap();
    }
    let latest = rig.store.latest_attempt(&shown.offer.id).await.unwrap().unwrap();
    assert_eq!(latest.payment_id.map(|id| id.to_string()), Some(charges[0].payment_id.clone()));
}
