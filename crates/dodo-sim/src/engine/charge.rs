//! Collecting money: a payment is opened, tried, and settled exactly once.

use super::event::EventType;
use super::world::World;
use super::{plan_change, renewal, subscription};
use crate::model::Metadata;
use crate::model::card::{Answer, Moment, answer};
use crate::model::customer::MethodKind;
use crate::model::money::Currency;
use crate::model::payment::{
    Billing, CartItem, IntentStatus, Payment, PaymentLine, Purpose, ServicePeriod, Source,
};
use crate::model::subscription::Subscription;
use crate::policy::ChargeOutcome;

/// A payment before it is tried.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) customer_id: String,
    pub(crate) billing: Billing,
    pub(crate) currency: Currency,
    pub(crate) total: i64,
    pub(crate) tax: i64,
    pub(crate) source: Source,
    pub(crate) purpose: Purpose,
    pub(crate) checkout_session_id: Option<String>,
    pub(crate) subscription_ids: Vec<String>,
    pub(crate) product_cart: Vec<CartItem>,
    pub(crate) product_ids: Vec<String>,
    pub(crate) payment_method_id: Option<String>,
    /// Name, amount with tax, tax.
    pub(crate) lines: Vec<(String, i64, i64)>,
    pub(crate) service_periods: Vec<ServicePeriod>,
    pub(crate) discount_codes: Vec<String>,
    /// Taken from the buyer's credit now, given back if the payment fails.
    pub(crate) credit_spent: i64,
    pub(crate) metadata: Metadata,
}

/// How a payment ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Succeeded,
    Failed(String),
    Cancelled,
}

/// Writes the payment down, waiting for a method.
pub(crate) fn open(world: &mut World, draft: Draft) -> String {
    let payment_id = world.ids.next("pay");
    let lines = draft
        .lines
        .into_iter()
        .map(|(name, amount, tax)| PaymentLine {
            items_id: world.ids.next("itm"),
            name,
            amount,
            tax,
            refunded: 0,
        })
        .collect();
    let payment = Payment {
        client_secret: format!("{payment_id}_secret_{}", world.ids.token(24)),
        invoice_id: world.ids.next("inv"),
        payment_id: payment_id.clone(),
        customer_id: draft.customer_id,
        billing: draft.billing,
        currency: draft.currency,
        total_amount: draft.total,
        tax: draft.tax,
        status: IntentStatus::RequiresPaymentMethod,
        error_code: None,
        source: draft.source,
        purpose: draft.purpose,
        checkout_session_id: draft.checkout_session_id,
        subscription_ids: draft.subscription_ids,
        product_cart: draft.product_cart,
        product_ids: draft.product_ids,
        payment_method_id: draft.payment_method_id,
        payment_link: None,
        lines,
        service_periods: draft.service_periods,
        discount_codes: draft.discount_codes,
        credit_spent: draft.credit_spent,
        challenged: false,
        metadata: draft.metadata,
        shown: serde_json::Map::new(),
        created_at: world.now,
        updated_at: None,
        settled_at: None,
    };
    if payment.credit_spent != 0 {
        subscription::add_credit(world, &payment, -payment.credit_spent);
    }
    world.payments.put(payment);
    payment_id
}

/// Charges the saved method of a payment while the buyer is away.
pub(crate) fn off_session(world: &mut World, payment_id: &str, moment: Moment) -> IntentStatus {
    let outcome = match world.payments.get(payment_id).map(|payment| payment.source) {
        Some(Source::OneClick) => world.policy.one_click_outcome,
        Some(Source::PlanChange) => world.policy.plan_change_outcome,
        Some(Source::Hosted | Source::Renewal | Source::Dues) | None => ChargeOutcome::Settle,
    };
    match ask(world, payment_id, moment) {
        Err(error_code) => settle(world, payment_id, End::Failed(error_code)),
        Ok(Answer::Challenge) => challenge(world, payment_id),
        Ok(Answer::Processing) => process(world, payment_id),
        Ok(Answer::Approved | Answer::Declined(_)) => match outcome {
            ChargeOutcome::Settle => settle(world, payment_id, End::Succeeded),
            ChargeOutcome::Processing => process(world, payment_id),
            ChargeOutcome::Challenge => challenge(world, payment_id),
        },
    }
    world.payments.get(payment_id).map_or(IntentStatus::Failed, |payment| payment.status)
}

/// What the issuer says of the payment's method: approved, or not yet, or the error code of a refusal.
fn ask(world: &World, payment_id: &str, moment: Moment) -> Result<Answer, String> {
    let payment = world.payments.get(payment_id).ok_or("UNKNOWN_ERROR")?;
    if payment.total_amount == 0 {
        return Ok(Answer::Approved);
    }
    if let Some(error_code) = &world.policy.decline_off_session_with {
        return Err(error_code.clone());
    }
    ask_method(world, &payment.customer_id, payment.payment_method_id.as_deref(), moment)
}

/// Whether a charge on the subscription's method would go through now.
pub(crate) fn would_approve(world: &World, subscription: &Subscription) -> bool {
    let method_id = subscription.payment_method_id.as_deref();
    ask_method(world, &subscription.customer_id, method_id, Moment::Subscription) == Ok(Answer::Approved)
}

fn ask_method(
    world: &World,
    customer_id: &str,
    method_id: Option<&str>,
    moment: Moment,
) -> Result<Answer, String> {
    let method =
        method_id.and_then(|id| world.customers.get(customer_id)?.method(id)).ok_or("MANDATE_REQUIRED")?;
    if let Some(error_code) = &method.declines_with {
        return Err(error_code.clone());
    }
    match &method.kind {
        MethodKind::Other { .. } => Ok(Answer::Approved),
        MethodKind::Card(card) if card.expired(world.now) => Err("EXPIRED_CARD".to_owned()),
        MethodKind::Card(card) => {
            match answer(&card.number, moment, world.policy.card_0341_fails_one_click) {
                Answer::Declined(error_code) => Err(error_code.to_owned()),
                fine => Ok(fine),
            }
        }
    }
}

fn process(world: &mut World, payment_id: &str) {
    let now = world.now;
    if let Some(payment) = world.payments.get_mut(payment_id) {
        payment.status = IntentStatus::Processing;
        payment.updated_at = Some(now);
    }
    world.tell_payment(EventType::PaymentProcessing, payment_id);
    if world.policy.processing_seconds > 0 {
        let at = now + time::Duration::seconds(i64::from(world.policy.processing_seconds));
        world.settle_at(at, payment_id);
    }
}

fn challenge(world: &mut World, payment_id: &str) {
    let (now, base_url) = (world.now, world.base_url.clone());
    let linked = world.policy.challenge_payment_link;
    if let Some(payment) = world.payments.get_mut(payment_id) {
        payment.status = IntentStatus::RequiresCustomerAction;
        payment.challenged = true;
        payment.updated_at = Some(now);
        payment.payment_link = linked.then(|| format!("{base_url}/challenge/{payment_id}"));
    }
}

/// Ends a payment and does what it was for. A payment that has ended stays as it is.
pub(crate) fn settle(world: &mut World, payment_id: &str, end: End) {
    let now = world.now;
    let Some(payment) = world.payments.get_mut(payment_id).filter(|payment| !payment.status.is_final())
    else {
        return;
    };
    (payment.status, payment.error_code) = match &end {
        End::Succeeded => (IntentStatus::Succeeded, None),
        End::Failed(error_code) => (IntentStatus::Failed, Some(error_code.clone())),
        End::Cancelled => (IntentStatus::Cancelled, None),
    };
    payment.updated_at = Some(now);
    payment.settled_at = Some(now);
    let payment = payment.clone();
    let succeeded = end == End::Succeeded;
    if succeeded {
        mark_used(world, &payment);
    } else if payment.credit_spent != 0 {
        subscription::add_credit(world, &payment, payment.credit_spent);
    }
    // Subscriptions exist before the payment is told of, so that it can name them.
    let begun = match &payment.purpose {
        Purpose::Checkout { subscriptions } if succeeded => {
            subscription::begin_all(world, &payment, subscriptions)
        }
        _ => Vec::new(),
    };
    let kind = match end {
        End::Succeeded => EventType::PaymentSucceeded,
        End::Failed(_) => EventType::PaymentFailed,
        End::Cancelled => EventType::PaymentCancelled,
    };
    if succeeded && payment.source == Source::PlanChange && world.policy.plan_change_emits_processing {
        world.tell_payment(EventType::PaymentProcessing, payment_id);
    }
    world.tell_payment(kind, payment_id);
    match &payment.purpose {
        Purpose::Checkout { .. } => {
            for subscription_id in begun {
                world.tell_subscription(
                    &[EventType::SubscriptionActive, EventType::SubscriptionRenewed],
                    &subscription_id,
                );
            }
        }
        Purpose::PlanChange { subscription_id, change } => {
            plan_change::settled(world, subscription_id, change, &payment, succeeded);
        }
        Purpose::Renewal { subscription_id } => renewal::settled(world, subscription_id, &payment, succeeded),
        Purpose::Dues { subscription_id } => {
            renewal::dues_settled(world, subscription_id, &payment, succeeded)
        }
        Purpose::NewMethod { subscription_id } => {
            if succeeded {
                subscription::set_method(world, subscription_id, payment.payment_method_id.clone());
            }
        }
    }
}

fn mark_used(world: &mut World, payment: &Payment) {
    let now = world.now;
    let Some(customer) = world.customers.get_mut(&payment.customer_id) else { return };
    customer.billing = Some(payment.billing.clone());
    let used = payment.payment_method_id.as_deref();
    if let Some(method) =
        customer.payment_methods.iter_mut().find(|method| Some(method.payment_method_id.as_str()) == used)
    {
        method.last_used_at = Some(now);
    }
}
