//! What a subscription owes that is on hold or past due. Pure.
//!
//! Dodo names no such amount. It charges what its last renewal could not, when another payment method is given (Dodo,
//! update-payment-method): the latest payment, where that one failed.

use dodo_client::types::payments::{ChargeType, IntentStatus};
use wire::Money;

use crate::domain::PaymentFacts;

/// Returns the amount, tax included, from the subscription's payments in any order. `None` where they do not tell.
#[must_use]
pub fn owed(payments: &[PaymentFacts]) -> Option<Money> {
    let counted = payments.iter().filter(|payment| part(payment) != Part::OurChange);
    let latest = counted.max_by_key(|payment| payment.created_at)?;
    let is_owed = part(latest) == Part::Period && latest.status == Some(IntentStatus::Failed);
    (is_owed && latest.amount.amount > 0).then_some(latest.amount)
}

/// What a payment of a subscription was for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// A period, or somebody else's change of plan, which may have been made although its payment failed.
    Period,
    /// A change of plan that was made here. When it fails the plan is as it was: nothing is owed for it.
    OurChange,
    /// One or the other: Dodo did not say what it was for.
    Unknown,
}

/// A subscription that an offer sold has the attempt's metadata, and so have its renewals: an attempt alone does not tell a
/// change from a renewal.
fn part(payment: &PaymentFacts) -> Part {
    match (&payment.charge_type, payment.named.attempt()) {
        (_, None) => Part::Period,
        (Some(ChargeType::PlanChange), Some(_)) => Part::OurChange,
        (Some(ChargeType::New | ChargeType::Renewal | ChargeType::OnDemand), Some(_)) => Part::Period,
        (None | Some(ChargeType::Unknown(_)), Some(_)) => Part::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::TagKeys;

    fn payment(created_at: &str, patch: Value) -> PaymentFacts {
        let mut payment = json!({
            "payment_id": "pay_1", "customer": {"customer_id": "cus_1"}, "status": "failed",
            "currency": "USD", "total_amount": 3000, "created_at": created_at, "subscription_id": "sub_1",
        });
        payment.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
        let payment: dodo_client::types::payments::Payment = serde_json::from_value(payment).unwrap();
        PaymentFacts::of(&payment, &TagKeys::example())
    }

    #[test]
    fn the_latest_renewal_is_owed_where_it_failed() {
        let (first, second, third) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z");
        let failed = |at, amount: i64| payment(at, json!({"total_amount": amount}));
        let sold = |at, charge: &str, amount: i64| {
            let metadata = json!({"attempt_id": "at_1"});
            let charge_type = (!charge.is_empty()).then_some(charge);
            payment(at, json!({"charge_type": charge_type, "total_amount": amount, "metadata": metadata}))
        };
        let paid = |at| payment(at, json!({"status": "succeeded"}));
        let change = |at| sold(at, "plan_change", 9900);
        let usd = |amount| Some(Money::new(amount, wire::Currency::parse("USD").unwrap()));
        for (payments, due) in [
            (vec![], None),
            (vec![paid(first)], None),
            (vec![failed(second, 3000), paid(first)], usd(3000)),
            (vec![failed(first, 3000), paid(second)], None),
            (vec![failed(first, 3000), failed(second, 3600)], usd(3600)),
            (vec![paid(first), failed(second, 3000), change(third)], usd(3000)),
            (vec![failed(first, 0)], None),
            // An offer sold the subscription: its renewals carry the attempt's metadata, and the change of plan does too.
            (vec![sold(first, "renewal", 3000)], usd(3000)),
            (vec![sold(first, "renewal", 3000), sold(second, "plan_change", 9900)], usd(3000)),
            (vec![sold(first, "renewal", 3000), sold(second, "plan_change", 9900), paid(third)], None),
            (vec![paid(first), sold(second, "new", 3000)], usd(3000)),
            // Somebody else's change that was made although its payment failed.
            (vec![paid(first), payment(second, json!({"charge_type": "plan_change"}))], usd(3000)),
            // Without a word of what it was for it may be either.
            (vec![failed(first, 3000), sold(second, "", 3000)], None),
            (vec![sold(first, "", 3000), failed(second, 3600)], usd(3600)),
        ] {
            assert_eq!(owed(&payments), due, "{payments:?}");
        }
    }
}
