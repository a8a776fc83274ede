//! A subscription gets another payment method; a customer gives one up.

use super::charge::{self, Draft};
use super::checkout::open_payment_link;
use super::world::World;
use super::{renewal, subscription};
use crate::error::{ApiError, Code, Outcome};
use crate::model::payment::{Purpose, Source};
use crate::model::subscription::SubscriptionStatus;
use serde::Deserialize;

/// Flat body of update-payment-method.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Update {
    /// The buyer gives it on a hosted page.
    New {
        #[serde(default)]
        return_url: Option<url::Url>,
    },
    /// One that the customer has.
    Existing { payment_method_id: String },
}

/// What update-payment-method answers.
#[derive(Debug, Default)]
pub(crate) struct Updated {
    pub(crate) payment_id: Option<String>,
    pub(crate) payment_link: Option<String>,
}

/// `POST /subscriptions/{id}/update-payment-method`.
pub(crate) fn update(world: &mut World, id: &str, update: Update) -> Outcome<Updated> {
    let current = world.subscription(id)?.clone();
    let owes = match current.status {
        SubscriptionStatus::Active => false,
        SubscriptionStatus::OnHold | SubscriptionStatus::PastDue => true,
        SubscriptionStatus::Pending
        | SubscriptionStatus::Paused
        | SubscriptionStatus::Cancelled
        | SubscriptionStatus::Failed
        | SubscriptionStatus::Expired => {
            return Err(ApiError::new(Code::UnsupportedAction, "the subscription is not active or on hold"));
        }
    };
    match update {
        Update::Existing { payment_method_id } => {
            if world.customer(&current.customer_id)?.method(&payment_method_id).is_none() {
                return Err(ApiError::new(
                    Code::NoEligiblePaymentMethods,
                    "the customer has no such payment method",
                ));
            }
            subscription::set_method(world, id, Some(payment_method_id));
            if !owes {
                return Ok(Updated::default());
            }
            let (payment_id, _) = renewal::charge_dues(world, id)?;
            Ok(Updated { payment_id: Some(payment_id), payment_link: None })
        }
        Update::New { return_url } => {
            let payment_id = if owes {
                renewal::open_dues(world, id)?
            } else {
                charge::open(world, collect_only(&current))
            };
            let link = open_payment_link(world, &payment_id, return_url)?;
            Ok(Updated { payment_id: Some(payment_id), payment_link: Some(link) })
        }
    }
}

/// A payment of nothing whose only use is the method that it leaves behind.
fn collect_only(current: &crate::model::subscription::Subscription) -> Draft {
    Draft {
        customer_id: current.customer_id.clone(),
        billing: current.billing.clone(),
        currency: current.plan.currency,
        total: 0,
        tax: 0,
        source: Source::Hosted,
        purpose: Purpose::NewMethod { subscription_id: current.subscription_id.clone() },
        checkout_session_id: None,
        subscription_ids: vec![current.subscription_id.clone()],
        product_cart: Vec::new(),
        product_ids: Vec::new(),
        payment_method_id: None,
        lines: Vec::new(),
        service_periods: Vec::new(),
        discount_codes: Vec::new(),
        credit_spent: 0,
        metadata: current.metadata.clone(),
    }
}

/// `DELETE /customers/{id}/payment-methods/{id}`; removing a removed one succeeds.
pub(crate) fn remove(world: &mut World, customer_id: &str, method_id: &str) -> Outcome<()> {
    world.customer(customer_id)?;
    let Some(customer) = world.customers.get_mut(customer_id) else { return Ok(()) };
    let method = customer
        .payment_methods
        .iter_mut()
        .find(|method| method.payment_method_id == method_id)
        .ok_or_else(|| ApiError::not_found("payment method", method_id))?;
    method.removed = true;
    Ok(())
}
