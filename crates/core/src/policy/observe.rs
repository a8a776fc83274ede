//! What a payment or a subscription at Dodo says about an attempt. Pure.
//!
//! Names of webhooks and answers of charging requests are hints; these objects are the evidence.

use dodo_client::types::{
    payments::{ChargeType, IntentStatus},
    subscriptions::{Subscription, SubscriptionStatus},
};
use wire::{EffectiveAt, UnixSeconds};

use super::failure_reason;
use crate::domain::{AttemptKind, BookingEnd, ChargePlan, Observation, PaymentStatus, QuoteRow};

/// What a payment's status says.
///
/// On a hosted page a failed payment is not the end: the buyer may try another card there until the page closes.
#[must_use]
pub fn payment(kind: AttemptKind, status: Option<&IntentStatus>, error_code: Option<&str>) -> Observation {
    match (status, kind) {
        (Some(IntentStatus::Succeeded), _) => Observation::Succeeded,
        (Some(IntentStatus::Failed), AttemptKind::OneClick | AttemptKind::PlanChange) => {
            Observation::Failed(failure_reason::of_payment(error_code))
        }
        (Some(IntentStatus::Cancelled), AttemptKind::OneClick | AttemptKind::PlanChange) => {
            Observation::Failed(failure_reason::of_payment(error_code.or(Some("CUSTOMER_CANCELLED"))))
        }
        // A card was refused, and another one is wanted: nobody is at a page of Dodo's to give it.
        (Some(IntentStatus::RequiresPaymentMethod), AttemptKind::OneClick | AttemptKind::PlanChange)
            if error_code.is_some() =>
        {
            Observation::Failed(failure_reason::of_payment(error_code))
        }
        (Some(IntentStatus::RequiresCustomerAction), _) => Observation::Pending { customer_action: true },
        _ => Observation::Pending { customer_action: false },
    }
}

/// The same of the payment itself, whatever it means for the attempt.
#[must_use]
pub fn payment_status(status: Option<&IntentStatus>) -> PaymentStatus {
    match status {
        Some(IntentStatus::Succeeded) => PaymentStatus::Succeeded,
        Some(IntentStatus::Failed | IntentStatus::Cancelled) => PaymentStatus::Failed,
        _ => PaymentStatus::Pending,
    }
}

/// Whether a payment may still collect without the buyer's beginning anew.
#[must_use]
pub fn is_under_way(status: Option<&IntentStatus>) -> bool {
    !matches!(
        status,
        Some(
            IntentStatus::Succeeded
                | IntentStatus::Failed
                | IntentStatus::Cancelled
                | IntentStatus::RequiresPaymentMethod
                | IntentStatus::RequiresConfirmation
        )
    )
}

/// Whether a payment of this type can be the one that an attempt began. A subscription's renewals carry the metadata of
/// its first payment, and are somebody else's business.
#[must_use]
pub fn may_belong(kind: AttemptKind, charge_type: Option<&ChargeType>) -> bool {
    match (kind, charge_type) {
        (_, None | Some(ChargeType::Unknown(_))) => true,
        (AttemptKind::OneClick | AttemptKind::Hosted, Some(charge_type)) => *charge_type == ChargeType::New,
        (AttemptKind::PlanChange, Some(charge_type)) => *charge_type == ChargeType::PlanChange,
    }
}

/// How far a subscription is on the way to a planned change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is as it was before.
    NotBegun,
    /// Booked for the next billing date.
    Booked,
    /// It is what the change makes of it.
    Applied,
    /// A charge failed and the subscription waits for its dues.
    OnHold,
}

/// How far `subscription` is on the way to `plan`. `None` when the plan does not change a subscription.
#[must_use]
pub fn progress(plan: &ChargePlan, subscription: &Subscription) -> Option<Progress> {
    let ChargePlan::PlanChange { product_id, quantity, addons, effective_at, .. } = plan else { return None };
    let same = |product: &str, count: i64, have: &[dodo_client::types::checkouts::AddonQuantity]| {
        product == product_id.as_str() && count == i64::from(*quantity) && same_addons(addons, have)
    };
    if same(subscription.product_id.as_str(), subscription.quantity, &subscription.addons) {
        return Some(Progress::Applied);
    }
    let booked = subscription
        .scheduled_change
        .as_ref()
        .is_some_and(|change| same(change.product_id.as_str(), change.quantity, &change.addons));
    if booked && *effective_at == EffectiveAt::NextBillingDate {
        return Some(Progress::Booked);
    }
    if subscription.status == SubscriptionStatus::OnHold {
        return Some(Progress::OnHold);
    }
    Some(Progress::NotBegun)
}

/// Seconds after the date for which a change was booked in which the subscription shows what came of it. Later it may be
/// as it is for another reason.
const BOOKING_SHOWS_WITHIN: i64 = 35 * 86_400;

/// Returns how a booked change ended by what the subscription shows; `None` while it is still booked, and for a booking of
/// long ago.
#[must_use]
pub fn booking_end(quote: &QuoteRow, subscription: &Subscription, now: UnixSeconds) -> Option<BookingEnd> {
    let date = quote.quote.renewal.as_ref()?.date.0;
    if now.0 > date.saturating_add(BOOKING_SHOWS_WITHIN) {
        return None;
    }
    match progress(&quote.plan, subscription)? {
        Progress::Booked => None,
        Progress::Applied => Some(BookingEnd::Made),
        Progress::NotBegun | Progress::OnHold => Some(BookingEnd::Cancelled),
    }
}

/// The same add-ons in the same numbers, in whatever order.
fn same_addons(
    wanted: &[(wire::AddonId, u32)],
    have: &[dodo_client::types::checkouts::AddonQuantity],
) -> bool {
    let mut wanted: Vec<(&str, i64)> = wanted.iter().map(|(id, n)| (id.as_str(), i64::from(*n))).collect();
    let mut have: Vec<(&str, i64)> =
        have.iter().map(|addon| (addon.addon_id.as_str(), addon.quantity)).collect();
    wanted.sort_unstable();
    have.sort_unstable();
    wanted == have
}

/// What the subscription alone says of a plan change.
///
/// When money is due, its being applied is not enough: the receipt needs the payment, which is waited for until the
/// deadline. When nothing is due there is no payment, and the subscription decides.
#[must_use]
pub fn plan_change(progress: Progress, money_is_due: bool, past_deadline: bool) -> Observation {
    match progress {
        Progress::Booked => Observation::Scheduled,
        Progress::Applied if !money_is_due || past_deadline => Observation::Succeeded,
        Progress::Applied => Observation::Pending { customer_action: false },
        Progress::NotBegun | Progress::OnHold => Observation::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use dodo_client::types::plan_changes::ProrationMode;
    use serde_json::json;
    use wire::{AddonId, FailureReason, ProductId};

    use super::*;

    #[test]
    fn only_succeeded_is_paid() {
        for status in [
            IntentStatus::Processing,
            IntentStatus::RequiresMerchantAction,
            IntentStatus::RequiresPaymentMethod,
            IntentStatus::RequiresConfirmation,
            IntentStatus::RequiresCapture,
            IntentStatus::PartiallyCaptured,
            IntentStatus::PartiallyCapturedAndCapturable,
            IntentStatus::Unknown("new_in_2027".into()),
        ] {
            let seen = payment(AttemptKind::OneClick, Some(&status), None);
            assert_eq!(seen, Observation::Pending { customer_action: false }, "{status:?}");
        }
        for kind in [AttemptKind::OneClick, AttemptKind::Hosted, AttemptKind::PlanChange] {
            assert_eq!(payment(kind, Some(&IntentStatus::Succeeded), None), Observation::Succeeded);
            assert_eq!(payment(kind, None, None), Observation::Pending { customer_action: false });
            assert_eq!(
                payment(kind, Some(&IntentStatus::RequiresCustomerAction), None),
                Observation::Pending { customer_action: true }
            );
        }
    }

    #[test]
    fn a_failed_card_ends_one_click_but_not_the_hosted_page() {
        let failed = |kind| payment(kind, Some(&IntentStatus::Failed), Some("INSUFFICIENT_FUNDS"));
        assert_eq!(failed(AttemptKind::OneClick), Observation::Failed(FailureReason::InsufficientFunds));
        assert_eq!(failed(AttemptKind::PlanChange), Observation::Failed(FailureReason::InsufficientFunds));
        assert_eq!(failed(AttemptKind::Hosted), Observation::Pending { customer_action: false });
        assert_eq!(
            payment(AttemptKind::OneClick, Some(&IntentStatus::Cancelled), None),
            Observation::Failed(FailureReason::Cancelled)
        );
    }

    /// Dodo opens a payment in this state too, before anything was tried; only a reason says that a card was refused.
    #[test]
    fn a_payment_that_wants_another_card_after_a_refusal_has_failed() {
        let status = IntentStatus::RequiresPaymentMethod;
        let seen = |kind, code| payment(kind, Some(&status), code);
        for kind in [AttemptKind::OneClick, AttemptKind::PlanChange] {
            let refused = seen(kind, Some("INSUFFICIENT_FUNDS"));
            assert_eq!(refused, Observation::Failed(FailureReason::InsufficientFunds), "{kind:?}");
            assert_eq!(seen(kind, None), Observation::Pending { customer_action: false }, "{kind:?}");
        }
        let on_page = seen(AttemptKind::Hosted, Some("INSUFFICIENT_FUNDS"));
        assert_eq!(on_page, Observation::Pending { customer_action: false });
    }

    #[test]
    fn renewals_are_not_ours() {
        for kind in [AttemptKind::OneClick, AttemptKind::Hosted, AttemptKind::PlanChange] {
            assert!(!may_belong(kind, Some(&ChargeType::Renewal)));
            assert!(!may_belong(kind, Some(&ChargeType::OnDemand)));
            assert!(may_belong(kind, None));
        }
        assert!(may_belong(AttemptKind::PlanChange, Some(&ChargeType::PlanChange)));
        assert!(!may_belong(AttemptKind::PlanChange, Some(&ChargeType::New)));
        assert!(may_belong(AttemptKind::Hosted, Some(&ChargeType::New)));
        assert!(!may_belong(AttemptKind::OneClick, Some(&ChargeType::PlanChange)));
    }

    fn subscription(patch: serde_json::Value) -> Subscription {
        let mut value = json!({
            "subscription_id": "sub_1", "product_id": "prod_basic", "quantity": 1, "status": "active",
            "currency": "USD", "recurring_pre_tax_amount": 3000, "customer": {"customer_id": "cus_1"},
            "addons": [{"addon_id": "adn_a", "quantity": 2}, {"addon_id": "adn_b", "quantity": 1}],
            "previous_billing_date": "2026-01-01T00:00:00Z", "next_billing_date": "2026-02-01T00:00:00Z",
            "payment_frequency_count": 1, "payment_frequency_interval": "Month"
        });
        value.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
        serde_json::from_value(value).unwrap()
    }

    fn change(effective_at: EffectiveAt) -> ChargePlan {
        let id = |id: &str| AddonId::parse(id).unwrap();
        ChargePlan::PlanChange {
            subscription_id: dodo_client::ids::SubscriptionId::parse("sub_1").unwrap(),
            product_id: ProductId::parse("prod_pro").unwrap(),
            quantity: 1,
            addons: vec![(id("adn_b"), 1), (id("adn_a"), 2)],
            proration: ProrationMode::DifferenceImmediately,
            effective_at,
        }
    }

    #[test]
    fn a_change_is_applied_when_plan_seats_and_addons_are_there() {
        let now = change(EffectiveAt::Immediately);
        let applied = subscription(json!({"product_id": "prod_pro"}));
        assert_eq!(progress(&now, &applied), Some(Progress::Applied));
        for other in [
            json!({}),
            json!({"product_id": "prod_pro", "quantity": 2}),
            json!({"product_id": "prod_pro", "addons": []}),
        ] {
            assert_eq!(progress(&now, &subscription(other.clone())), Some(Progress::NotBegun), "{other}");
        }
    }

    #[test]
    fn a_booked_change_counts_only_when_booking_was_asked_for() {
        let booked = subscription(json!({"scheduled_change": {
            "product_id": "prod_pro", "quantity": 1, "effective_at": "2026-02-01T00:00:00Z",
            "addons": [{"addon_id": "adn_a", "quantity": 2}, {"addon_id": "adn_b", "quantity": 1}]
        }}));
        assert_eq!(progress(&change(EffectiveAt::NextBillingDate), &booked), Some(Progress::Booked));
        assert_eq!(progress(&change(EffectiveAt::Immediately), &booked), Some(Progress::NotBegun));
    }

    #[test]
    fn where_money_is_due_the_plan_alone_does_not_prove_it() {
        assert_eq!(plan_change(Progress::Applied, false, false), Observation::Succeeded);
        assert_eq!(
            plan_change(Progress::Applied, true, false),
            Observation::Pending { customer_action: false }
        );
        assert_eq!(plan_change(Progress::Booked, true, false), Observation::Scheduled);
        for past_deadline in [false, true] {
            assert_eq!(plan_change(Progress::NotBegun, false, past_deadline), Observation::Unknown);
            assert_eq!(plan_change(Progress::OnHold, true, past_deadline), Observation::Unknown);
        }
    }

    #[test]
    fn an_applied_change_whose_payment_never_showed_is_made_all_the_same() {
        assert_eq!(plan_change(Progress::Applied, true, true), Observation::Succeeded);
    }
}
