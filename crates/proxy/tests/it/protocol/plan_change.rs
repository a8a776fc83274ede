//! Plan changes: the same protocol, other evidence.

use dodo_client::types::plan_changes::ProrationMode;
use proxy::service::charging::ChargeError;
use serde_json::json;
use upsell_core::domain::ChargePlan;
use wire::{AttemptStatus, EffectiveAt, FailureReason};

use super::rig::{Rig, change_to};

fn change_path(id: &dodo_client::ids::SubscriptionId) -> String {
    format!("/subscriptions/{id}/change-plan")
}

/// $30 to $80 by difference charges $50: in the quote, at the simulator and on the receipt.
#[tokio::test]
async fn an_upgrade_charges_the_difference_once() {
    let rig = Rig::start().await;
    let (session, id) = rig.subscriber("prod_basic_plan", Vec::new());
    let quote = rig.previewed(&session, &change_to(&id, "prod_pro_plan")).await;
    assert_eq!((quote.quote.total, quote.quote.renewal.unwrap().amount), (5000, 8000));
    let attempt = rig.change(&session, &quote, "key-1").await.unwrap();
    let attempt = rig.until_settled(&session, attempt).await;
    assert_eq!(attempt.status, Some(AttemptStatus::Succeeded));
    let receipt = attempt.receipt.clone().unwrap();
    assert_eq!(receipt.amount, 5000);
    assert_eq!(receipt.renewal.unwrap().amount, 8000);
    let charge = rig
        .dodo
        .payments_of(session.customer_id.as_str())
        .into_iter()
        .find(|charge| charge.amount == 5000)
        .unwrap();
    assert_eq!(charge.payment_id, receipt.reference);
    assert_eq!(json!(charge.metadata)["attempt_id"], json!(attempt.attempt_id));
    assert_eq!(rig.dodo.posts_to(&change_path(&id)), 1);
    assert_eq!(rig.client.get_subscription(&id).await.unwrap().product_id.as_str(), "prod_pro_plan");
    // The same key again, and a second confirmation of the same quote.
    assert_eq!(rig.change(&session, &quote, "key-1").await.unwrap(), attempt);
    let again = rig.change(&session, &quote, "key-2").await;
    assert!(matches!(again, Err(ChargeError::QuoteExpired | ChargeError::ChangeNotPossible)), "{again:?}");
    assert_eq!(rig.dodo.posts_to(&change_path(&id)), 1);
}

#[tokio::test]
async fn a_downgrade_grants_credit_and_charges_nothing() {
    let rig = Rig::start().await;
    let (session, id) = rig.subscriber("prod_pro_plan", Vec::new());
    let quote = rig.previewed(&session, &change_to(&id, "prod_basic_plan")).await;
    assert_eq!((quote.quote.total, quote.quote.credit), (0, 5000));
    let attempt = rig.change(&session, &quote, "key-1").await.unwrap();
    let attempt = rig.until_settled(&session, attempt).await;
    assert_eq!(attempt.status, Some(AttemptStatus::Succeeded));
    let receipt = attempt.receipt.unwrap();
    assert_eq!((receipt.amount, receipt.credit), (0, 5000));
    assert_eq!(receipt.reference, attempt.attempt_id.unwrap().to_string());
    assert_eq!(rig.client.get_subscription(&id).await.unwrap().product_id.as_str(), "prod_basic_plan");
}

#[tokio::test]
async fn a_change_at_the_next_billing_date_is_booked() {
    let rig = Rig::start().await;
    let (session, id) = rig.subscriber("prod_pro_plan", Vec::new());
    let mut plan = change_to(&id, "prod_basic_plan");
    let ChargePlan::PlanChange { proration, effective_at, .. } = &mut plan else { panic!("a plan change") };
    // Dodo takes no other mode for a change at the next billing date.
    (*proration, *effective_at) = (ProrationMode::FullImmediately, EffectiveAt::NextBillingDate);
    let quote = rig.previewed(&session, &plan).await;
    assert_eq!(quote.quote.total, 0);
    let attempt = rig.change(&session, &quote, "key-1").await.unwrap();
    assert_eq!(attempt.status, Some(AttemptStatus::Scheduled));
    let subscription = rig.client.get_subscription(&id).await.unwrap();
    assert_eq!(subscription.product_id.as_str(), "prod_pro_plan");
    assert_eq!(subscription.scheduled_change.unwrap().product_id.as_str(), "prod_basic_plan");
}

/// Add-ons that are not named are removed at Dodo: they are always named.
#[tokio::test]
async fn addons_stay() {
    let rig = Rig::start().await;
    let seats = json!({"addon_id": "adn_seats", "quantity": 2});
    let (session, id) = rig.subscriber("prod_pro_plan", vec![seats]);
    let mut plan = change_to(&id, "prod_pro_plan");
    let ChargePlan::PlanChange { quantity, addons, .. } = &mut plan else { panic!("a plan change") };
    (*quantity, *addons) = (2, vec![(wire::AddonId::parse("adn_seats").unwrap(), 2)]);
    let quote = rig.previewed(&session, &plan).await;
    assert!(quote.quote.adds_up());
    let attempt = rig.change(&session, &quote, "key-1").await.unwrap();
    assert_eq!(rig.until_settled(&session, attempt).await.status, Some(AttemptStatus::Succeeded));
    let after = rig.client.get_subscription(&id).await.unwrap();
    assert_eq!(after.quantity, 2);
    assert_eq!(after.addons.iter().map(|addon| addon.quantity).collect::<Vec<_>>(), [2]);
}

/// I3, I12 for plan changes: a second identical request could bill again.
#[tokio::test]
async fn an_unknown_outcome_is_found_out_at_the_subscription_and_its_payments() {
    for fault in ["reset_after", "hang_after", "status_500_after", "status_409_before", "status_504_before"] {
        let rig = Rig::start().await;
        let (session, id) = rig.subscriber("prod_basic_plan", Vec::new());
        let quote = rig.previewed(&session, &change_to(&id, "prod_pro_plan")).await;
        rig.dodo.fault("POST", "/subscriptions/*/change-plan", json!(fault), 1).unwrap();
        let attempt = rig.change(&session, &quote, "key-1").await.unwrap();
        assert_ne!(attempt.status, Some(AttemptStatus::Failed), "{fault}");
        rig.pass(30 * 60).await;
        let end = rig.poll(&session, &attempt).await;
        let charged =
            rig.dodo.payments_of(session.customer_id.as_str()).iter().any(|charge| charge.amount == 5000);
        let expected = if charged { AttemptStatus::Succeeded } else { AttemptStatus::InDoubt };
        assert_eq!(end.status, Some(expected), "{fault}");
        assert_eq!(charged, fault.ends_with("after"), "{fault}");
        assert_eq!(rig.dodo.posts_to(&change_path(&id)), 1, "{fault}");
    }
}

/// The plan is the new one and no payment of it ever shows: made, without a receipt that would be a guess.
#[tokio::test]
async fn an_applied_change_without_a_payment_to_show_has_no_receipt() {
    let rig = Rig::start().await;
    rig.dodo.switch(json!({"payments_list_lag_seconds": 1_000_000})).unwrap();
    let (session, id) = rig.subscriber("prod_basic_plan", Vec::new());
    let quote = rig.previewed(&session, &change_to(&id, "prod_pro_plan")).await;
    let attempt = rig.change(&session, &quote, "key-1").await.unwrap();
    assert_eq!(attempt.status, Some(AttemptStatus::Processing));
    rig.pass(30 * 60).await;
    let end = rig.poll(&session, &attempt).await;
    assert_eq!((end.status, end.receipt), (Some(AttemptStatus::Succeeded), None));
}

#[tokio::test]
async fn a_failed_charge_leaves_the_old_plan() {
    let rig = Rig::start().await;
    // Attaches, and fails at the next subscription charge.
    let (session, id) = rig.subscriber_on("4000000000000341", "prod_basic_plan", Vec::new());
    let quote = rig.previewed(&session, &change_to(&id, "prod_pro_plan")).await;
    let attempt = rig.change(&session, &quote, "key-1").await.unwrap();
    let end = rig.until_settled(&session, attempt).await;
    assert_eq!(end.status, Some(AttemptStatus::Failed));
    assert!(!end.hosted_checkout_offered, "there is no hosted page for a plan change");
    assert_eq!(rig.client.get_subscription(&id).await.unwrap().product_id.as_str(), "prod_basic_plan");
    assert!(end.failure.is_some_and(|reason| reason != FailureReason::Other));
}

/// I8: the plan became dearer, or the subscription another, between preview and confirmation.
#[tokio::test]
async fn a_stale_preview_charges_nothing() {
    let rig = Rig::start().await;
    let (session, id) = rig.subscriber("prod_basic_plan", Vec::new());
    let quote = rig.previewed(&session, &change_to(&id, "prod_pro_plan")).await;
    rig.dodo
        .control()
        .product("prod_pro_plan", serde_json::from_value(json!({"price": 9000})).unwrap())
        .unwrap();
    let Err(ChargeError::QuoteChanged(new)) = rig.change(&session, &quote, "key-1").await else {
        panic!("charged")
    };
    assert_eq!(new.total, 6000);
    assert_eq!(rig.dodo.posts_to(&change_path(&id)), 0);
}

/// A seat and add-ons that came since the preview would be undone by the change as it was planned.
#[tokio::test]
async fn what_came_since_the_preview_is_not_undone() {
    let rig = Rig::start().await;
    let (session, id) = rig.subscriber("prod_pro_plan", Vec::new());
    let quote = rig.previewed(&session, &change_to(&id, "prod_max_plan")).await;
    let seats = json!([{"addon_id": "adn_seats", "quantity": 1}]);
    let more = json!({"product_id": "prod_pro_plan", "quantity": 2, "addons": seats,
                      "proration_billing_mode": "do_not_bill"});
    rig.dodo.control().change_plan(id.as_str(), more).unwrap();
    for key in ["key-1", "key-1", "key-2"] {
        let refused = rig.change(&session, &quote, key).await;
        assert!(matches!(refused, Err(ChargeError::QuoteExpired)), "{refused:?}");
    }
    assert_eq!(rig.dodo.posts_to(&change_path(&id)), 0);
    assert_eq!(rig.client.get_subscription(&id).await.unwrap().quantity, 2);
}

/// What a later change has made of the subscription is no evidence of one that was given up.
#[tokio::test]
async fn a_change_that_was_given_up_is_not_made_by_a_later_one() {
    for (from, to) in [("prod_basic_plan", "prod_pro_plan"), ("prod_pro_plan", "prod_basic_plan")] {
        let rig = Rig::start().await;
        let (session, id) = rig.subscriber(from, Vec::new());
        let quote = rig.previewed(&session, &change_to(&id, to)).await;
        rig.dodo.fault("POST", "/subscriptions/*/change-plan", json!("reset_before"), 1).unwrap();
        let lost = rig.change(&session, &quote, "key-1").await.unwrap();
        rig.pass(30 * 60).await;
        assert_eq!(rig.poll(&session, &lost).await.status, Some(AttemptStatus::InDoubt));
        let quote = rig.previewed(&session, &change_to(&id, to)).await;
        let made = rig.change(&session, &quote, "key-2").await.unwrap();
        assert_eq!(rig.until_settled(&session, made).await.status, Some(AttemptStatus::Succeeded));
        rig.pass(2 * 3600).await;
        assert_eq!(rig.poll(&session, &lost).await.status, Some(AttemptStatus::InDoubt), "{from} to {to}");
    }
}

/// I2 for subscriptions: two tabs with two plans.
#[tokio::test]
async fn one_change_at_a_time() {
    let rig = Rig::start().await;
    let (session, id) = rig.subscriber("prod_basic_plan", Vec::new());
    let to_pro = rig.previewed(&session, &change_to(&id, "prod_pro_plan")).await;
    let to_max = rig.previewed(&session, &change_to(&id, "prod_max_plan")).await;
    rig.dodo.fault("POST", "/subscriptions/*/change-plan", json!("reset_before"), 1).unwrap();
    rig.change(&session, &to_pro, "key-1").await.unwrap();
    let second = rig.change(&session, &to_max, "key-2").await;
    assert!(matches!(second, Err(ChargeError::AttemptInProgress)), "{second:?}");
    assert_eq!(rig.dodo.posts_to(&change_path(&id)), 1);
}

#[tokio::test]
async fn a_quote_of_another_subscription_is_not_found() {
    let rig = Rig::start().await;
    let (session, id) = rig.subscriber("prod_basic_plan", Vec::new());
    let quote = rig.previewed(&session, &change_to(&id, "prod_pro_plan")).await;
    let (mut other, _) = rig.subscriber("prod_basic_plan", Vec::new());
    let foreign = rig.change(&other, &quote, "key-1").await;
    assert!(matches!(foreign, Err(ChargeError::NotFound)), "{foreign:?}");
    other.customer_id = session.customer_id.clone();
    let elsewhere = rig.change(&other, &quote, "key-2").await;
    assert!(matches!(elsewhere, Err(ChargeError::NotFound)), "{elsewhere:?}");
}
