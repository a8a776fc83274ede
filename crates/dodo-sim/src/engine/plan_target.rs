//! A plan-change request, checked against the subscription's state and the catalogue, and priced.

use super::cart::{addons, check_metadata, discounts, plan_addon};
use super::subscription;
use super::world::World;
use crate::billing::proration::{self, Change, ChangeError, ChangePrice, CycleEffect};
use crate::billing::{calendar, checkout};
use crate::error::{ApiError, Code, Outcome};
use crate::model::Metadata;
use crate::model::catalogue::Discount;
use crate::model::payment::IntentStatus;
use crate::model::session::CartAddon;
use crate::model::subscription::{
    EffectiveAt, OnPaymentFailure, Plan, PlannedChange, ProrationMode, Subscription, SubscriptionStatus,
};
use crate::policy::Allowance;
use serde::Deserialize;

/// Body of change-plan and of its preview. Fields without effect here are accepted and ignored.
#[derive(Debug, Deserialize)]
pub(crate) struct ChangeRequest {
    pub(crate) product_id: String,
    pub(crate) quantity: i64,
    pub(crate) proration_billing_mode: ProrationMode,
    /// Left out or empty: the add-ons go.
    #[serde(default)]
    pub(crate) addons: Option<Vec<CartAddon>>,
    #[serde(default)]
    pub(crate) effective_at: EffectiveAt,
    #[serde(default)]
    pub(crate) on_payment_failure: Option<OnPaymentFailure>,
    #[serde(default)]
    pub(crate) discount_codes: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) discount_code: Option<String>,
    #[serde(default)]
    pub(crate) metadata: Option<Metadata>,
    #[serde(default)]
    pub(crate) collect_via_payment_link: bool,
    #[serde(default)]
    pub(crate) return_url: Option<url::Url>,
    #[serde(default)]
    pub(crate) cancel_scheduled_change_plan: bool,
    #[serde(default)]
    pub(crate) cancel_older_payment_link: bool,
}

/// A request that may go ahead.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) change: PlannedChange,
    /// `None` when nothing is charged now because the change waits for the next billing date.
    pub(crate) price: Option<ChangePrice>,
}

/// Whether this is a look or the deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    Preview,
    Change,
}

/// The one function behind the preview and the change.
pub(crate) fn target(world: &World, id: &str, request: &ChangeRequest, intent: Intent) -> Outcome<Target> {
    let current = world.subscription(id)?;
    check_state(world, current, request)?;
    check_options(world, request, intent)?;
    let plan = target_plan(world, current, request)?;
    let on_failure = request.on_payment_failure.unwrap_or(if world.policy.prevent_change_by_default {
        OnPaymentFailure::PreventChange
    } else {
        OnPaymentFailure::ApplyChange
    });
    if request.effective_at == EffectiveAt::NextBillingDate {
        let change = PlannedChange {
            new_period: None,
            plan,
            on_failure,
            credit_granted: 0,
            period_paid: current.period_paid,
        };
        return Ok(Target { change, price: None });
    }
    let price = proration::price(
        &Change {
            old: &current.plan,
            new: &plan,
            mode: request.proration_billing_mode,
            remaining: calendar::remaining(
                current.previous_billing_date,
                current.next_billing_date,
                world.now,
                world.policy.proration_granularity,
            ),
            period_paid: current.period_paid,
            tax_bps: world.tax_bps(&current.billing.country),
            credit: subscription::credit(world, current),
            minimum: plan.currency.minimum_charge(),
        },
        &world.policy,
    )
    .map_err(|error| match error {
        ChangeError::BelowMinimum => {
            ApiError::new(Code::TotalPaymentAmountBelowMinimumAmount, error.to_string())
        }
        ChangeError::Overflow(overflow) => overflow.into(),
    })?;
    let new_period = match price.cycle {
        CycleEffect::Keep => None,
        CycleEffect::Restart => {
            let end = calendar::step(world.now, plan.frequency, world.now.day(), world.policy.month_step);
            Some((world.now, end))
        }
    };
    let billed = request.proration_billing_mode != ProrationMode::DoNotBill;
    let change = PlannedChange {
        plan,
        new_period,
        on_failure,
        credit_granted: price.credit_granted,
        period_paid: current.period_paid || billed,
    };
    Ok(Target { change, price: Some(price) })
}

fn check_state(world: &World, current: &Subscription, request: &ChangeRequest) -> Outcome<()> {
    let refuse = |code, why: &str| Err(ApiError::new(code, why));
    if current.status != SubscriptionStatus::Active {
        return refuse(Code::InactiveSubscriptionPlanChangeNotSupported, "the subscription is not active");
    }
    if current.on_demand {
        return refuse(Code::OnDemandPlanChangeNotSupported, "the subscription is on demand");
    }
    if current.cancel_at_next_billing_date {
        return refuse(
            Code::PlanChangeNotAllowedForScheduledCancellation,
            "the subscription is scheduled for cancellation",
        );
    }
    if current.plan.usage_based && world.policy.usage_based_plan_change == Allowance::Reject {
        return refuse(Code::UnsupportedAction, "usage-based subscriptions cannot change plan");
    }
    if pending(world, current) && !(request.cancel_older_payment_link && waits_for_link(world, current)) {
        return refuse(Code::PendingPlanChangeExists, "a plan change is waiting for its payment");
    }
    if current.scheduled_change.is_some() && !request.cancel_scheduled_change_plan {
        return refuse(Code::ScheduledPlanChangeExists, "a plan change is scheduled");
    }
    Ok(())
}

/// Whether a change is under way; a payment link that ran out no longer counts.
pub(crate) fn pending(world: &World, subscription: &Subscription) -> bool {
    let Some(payment) = subscription.pending_change.as_deref().and_then(|id| world.payments.get(id)) else {
        return false;
    };
    let link = payment.checkout_session_id.as_deref().and_then(|id| world.sessions.get(id));
    let ran_out = payment.status == IntentStatus::RequiresPaymentMethod
        && link.is_some_and(|session| session.expires_at <= world.now);
    !payment.status.is_final() && !ran_out
}

fn waits_for_link(world: &World, subscription: &Subscription) -> bool {
    subscription
        .pending_change
        .as_deref()
        .and_then(|id| world.payments.get(id))
        .is_some_and(|payment| payment.status == IntentStatus::RequiresPaymentMethod)
}

fn check_options(world: &World, request: &ChangeRequest, intent: Intent) -> Outcome<()> {
    if request.quantity < 1 {
        return Err(ApiError::new(Code::InvalidQuantity, "quantity must be at least 1"));
    }
    if let Some(metadata) = &request.metadata {
        check_metadata(metadata)?;
    }
    let scheduled = request.effective_at == EffectiveAt::NextBillingDate;
    if scheduled && request.proration_billing_mode != ProrationMode::FullImmediately {
        return Err(ApiError::new(
            Code::InvalidProrationModeWithNextBillingDate,
            "only full_immediately goes with next_billing_date",
        ));
    }
    if intent == Intent::Preview {
        return Ok(());
    }
    if request.return_url.is_some() && !request.collect_via_payment_link {
        return Err(ApiError::invalid("return_url needs collect_via_payment_link"));
    }
    if request.collect_via_payment_link {
        if world.policy.plan_change_via_payment_link == Allowance::Reject {
            return Err(ApiError::new(
                Code::UnsupportedAction,
                "the business has no plan change by payment link",
            ));
        }
        if scheduled || request.on_payment_failure != Some(OnPaymentFailure::PreventChange) {
            return Err(ApiError::invalid(
                "collect_via_payment_link needs effective_at immediately and on_payment_failure prevent_change",
            ));
        }
    }
    Ok(())
}

fn target_plan(world: &World, current: &Subscription, request: &ChangeRequest) -> Outcome<Plan> {
    let product = world.product(&request.product_id)?;
    if product.archived {
        return Err(ApiError::new(Code::ProductIsDeleted, "the product is archived"));
    }
    let Some(cycle) = product.price.cycle() else {
        return Err(ApiError::new(Code::UnsupportedAction, "the product is not a subscription"));
    };
    if product.price.is_usage_based() && world.policy.usage_based_plan_change == Allowance::Reject {
        return Err(ApiError::new(Code::UnsupportedAction, "usage-based products cannot be changed to"));
    }
    if product.price.currency() != current.plan.currency {
        return Err(ApiError::new(Code::UnsupportedCurrency, "the product has another currency"));
    }
    let codes = kept_codes(world, current, request)?;
    let rounding = world.policy.rounding;
    let after_codes = |price| checkout::after_percentages(price, &product.product_id, &codes, rounding);
    let addons = addons(world, product, request.addons.as_deref().unwrap_or_default())?
        .into_iter()
        .map(|(addon, quantity)| Ok(plan_addon(addon, quantity, after_codes(addon.price)?)))
        .collect::<Outcome<_>>()?;
    Ok(Plan {
        unit_price: after_codes(checkout::own_price(product, rounding)?)?,
        product_id: product.product_id.clone(),
        quantity: request.quantity,
        addons,
        currency: product.price.currency(),
        tax_inclusive: product.price.tax_inclusive(),
        frequency: cycle.frequency,
        usage_based: product.price.is_usage_based(),
        discount_codes: codes.iter().map(|code| code.code.clone()).collect(),
    })
}

/// Left out: codes that survive plan changes stay. Sent: these and no others.
fn kept_codes<'a>(
    world: &'a World,
    current: &Subscription,
    request: &ChangeRequest,
) -> Outcome<Vec<&'a Discount>> {
    match (&request.discount_codes, &request.discount_code) {
        (Some(_), Some(_)) => Err(ApiError::invalid("discount_code and discount_codes exclude each other")),
        (Some(codes), None) => discounts(world, codes),
        (None, Some(code)) => discounts(world, std::slice::from_ref(code)),
        (None, None) => Ok(current
            .plan
            .discount_codes
            .iter()
            .filter_map(|code| world.discounts.get(code))
            .filter(|code| code.preserve_on_plan_change)
            .collect()),
    }
}
