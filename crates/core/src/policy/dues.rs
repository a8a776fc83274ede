//! What a subscription owes that is on hold or past due. Pure.
//!
//! Dodo names no such amount. It charges what its last renewal could not, when another payment method is given (Dodo,
//! update-payment-method): the latest payment, where that one failed.

use dodo_client::types::payments::IntentStatus;
use wire::Money;

use crate::domain::PaymentFacts;

/// The amount, tax included, from the subscription's payments in any order. `None` where they do not tell.
#[must_use]
pub fn owed(payments: &[PaymentFacts]) -> Option<Money> {
    // A plan change that failed has left the plan as it was: nothing is owed for it.
    let renewals = payments.iter().filter(|payment| payment.named.attempt().is_none());
    let latest = renewals.max_by_key(|payment| payment.created_at)?;
    (latest.status == Some(IntentStatus::Failed) && latest.amount.amount > 0).then_some(latest.amount)
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
        let paid = |at| payment(at, json!({"status": "succeeded"}));
        let change = |at| payment(at, json!({"total_amount": 9900, "metadata": {"attempt_id": "at_1"}}));
        let usd = |amount| Some(Money::new(amount, wire::Currency::parse("USD").unwrap()));
        for (payments, due) in [
            (vec![], None),
            (vec![paid(first)], None),
            (vec![failed(second, 3000), paid(first)], usd(3000)),
            (vec![failed(first, 3000), paid(second)], None),
            (vec![failed(first, 3000), failed(second, 3600)], usd(3600)),
            (vec![paid(first), failed(second, 3000), change(third)], usd(3000)),
            (vec![failed(first, 0)], None),
        ] {
            assert_eq!(owed(&payments), due, "{payments:?}");
        }
    }
}
