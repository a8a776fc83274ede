//! From a subscription and the catalogue to the page's words about plans.

use std::{collections::BTreeMap, sync::Arc};

use dodo_client::{
    ids::AddonId,
    types::subscriptions::{Subscription, SubscriptionStatus as Upstream},
};
use upsell_core::{
    policy::{
        catalogue::{CatalogueAddon, CatalogueProduct, period},
        plan_comparison, plan_cost, plan_terms, usage,
    },
    rules::{Amount, Feature, Languages, PlanRule, Rules},
};
use wire::{
    Addon, CurrentPlan, FeatureUsage, Money, Plan, PlanShare, ProductId, ScheduledChange, SubscriptionStatus,
    UnixSeconds,
};

use super::PlansError;

/// Who looks at the plans: what is known of them, and in which language they are told.
pub(super) struct Viewer<'a> {
    pub(super) rules: &'a Rules,
    /// What they have.
    pub(super) subscription: &'a Subscription,
    /// Its product.
    pub(super) product: &'a CatalogueProduct,
    /// Add-ons of the subscription and of the plans.
    pub(super) addons: &'a BTreeMap<AddonId, Arc<CatalogueAddon>>,
    /// What they have used, as the merchant counts it.
    pub(super) usage: &'a [FeatureUsage],
    pub(super) locale: Option<&'a str>,
    /// What they owe.
    pub(super) due: Option<Money>,
    pub(super) now: UnixSeconds,
    /// Which plan most of those chose who changed from this one.
    pub(super) chosen: Option<(ProductId, PlanShare)>,
}

impl Viewer<'_> {
    fn addon_name(&self, id: &AddonId) -> String {
        self.addons.get(id).map_or_else(|| id.to_string(), |addon| addon.name.clone())
    }

    /// What today's plan has.
    fn features(&self) -> &[Feature] {
        self.rules.plan(&self.product.id).map(|rule| rule.features.as_slice()).unwrap_or_default()
    }
}

/// Returns the languages that the names of all features are written in; `None` where no plan has one.
pub(super) fn languages(rules: &Rules) -> Option<Languages<'_>> {
    let features = rules.plans.iter().flat_map(|plan| &plan.features);
    features.map(|feature| feature.words.languages()).reduce(|all, more| all.and(&more))
}

/// The subscription as it is today.
pub(super) fn current(viewer: &Viewer<'_>) -> Result<CurrentPlan, PlansError> {
    let Viewer { subscription, product, .. } = viewer;
    let period = period(subscription.payment_frequency_count, &subscription.payment_frequency_interval)
        .ok_or(PlansError::NotPossible)?;
    let used = usage::of_today(viewer.features(), viewer.usage, viewer.locale);
    Ok(CurrentPlan {
        product_id: product.id.clone(),
        name: product.name.clone(),
        status: status(&subscription.status),
        quantity: count(subscription.quantity),
        addons: subscription
            .addons
            .iter()
            .map(|addon| Addon {
                addon_id: addon.addon_id.clone(),
                name: viewer.addon_name(&addon.addon_id),
                quantity: count(addon.quantity),
            })
            .collect(),
        next_billing_date: subscription.next_billing_date,
        recurring_amount: subscription.recurring_pre_tax_amount,
        currency: subscription.currency,
        discounted_renewals: plan_cost::discounted_renewals(subscription),
        period,
        scheduled_change: subscription.scheduled_change.as_ref().map(|change| ScheduledChange {
            product_id: change.product_id.clone(),
            name: change.product_name.clone().unwrap_or_else(|| change.product_id.to_string()),
            effective_at: change.effective_at,
        }),
        cancel_at_next_billing_date: subscription.cancel_at_next_billing_date,
        can_change: plan_terms::can_change(subscription) && product.is_plan,
        can_cancel: viewer.rules.cancellation && plan_terms::can_change(subscription),
        trial_ends_at: trial_end(subscription, viewer.now),
        due: viewer.due,
        fits: usage::fits(&used),
        usage: used,
    })
}

/// When the trial that a subscription began with ends, while it lasts.
fn trial_end(subscription: &Subscription, now: UnixSeconds) -> Option<UnixSeconds> {
    let days = subscription.trial_period_days.checked_mul(86_400)?;
    let end = subscription.created_at?.0.checked_add(days)?;
    (subscription.status == Upstream::Active && end > now.0).then_some(UnixSeconds(end))
}

/// One plan next to the current one, for as many seats and with the add-ons that it carries; `None` for a product that is not paid by the period.
///
/// `fits` says that today's plan is enough: somebody whose plan is enough is not talked into another.
pub(super) fn plan(
    viewer: &Viewer<'_>,
    rule: &PlanRule,
    product: &CatalogueProduct,
    fits: bool,
) -> Option<Plan> {
    let Viewer { subscription, product: current, locale, .. } = *viewer;
    let same = product.id == current.id;
    let seats = plan_terms::seats(subscription);
    let today = plan_cost::today(subscription);
    let carried = plan_terms::carried(&subscription.addons, product);
    let addon_price = |id: &AddonId| viewer.addons.get(id)?.price;
    let after = match same {
        true => Some(today),
        false => plan_cost::on_plan(subscription, product, seats, &carried, &addon_price),
    };
    // Where it is not known what this subscriber would pay, the list price stands alone.
    let price = after.or_else(|| product.price.times(seats))?;
    let (has, plain) = (viewer.features(), uncounted(&rule.features));
    let open = same || !fits;
    let share = viewer.chosen.as_ref().filter(|(id, _)| open && *id == product.id).map(|(_, share)| *share);
    Some(Plan {
        product_id: product.id.clone(),
        name: product.name.clone(),
        description: product.description.clone(),
        price: price.amount,
        currency: price.currency,
        period: price.period?,
        kind: plan_comparison::direction_for(same, today, after),
        recommended: (rule.recommended && open) || share.is_some(),
        share,
        difference: after.filter(|_| !same).and_then(|after| plan_comparison::difference(today, after)),
        over_span: after.and_then(|after| plan_comparison::over_span(today, after)),
        limits: usage::limits(has, &rule.features, viewer.usage, locale),
        features: plain.iter().map(|feature| feature.words.get(locale).clone()).collect(),
        gained: plan_comparison::gained(has, &plain, locale),
        lost: plan_comparison::gained(&rule.features, has, locale),
        lost_addons: plan_terms::lost(&subscription.addons, product)
            .map(|id| viewer.addon_name(id))
            .collect(),
        seats: rule.seats,
        addons: product
            .addons
            .iter()
            .map(|id| {
                let today = subscription.addons.iter().find(|addon| addon.addon_id == *id);
                Addon {
                    addon_id: id.clone(),
                    name: viewer.addon_name(id),
                    quantity: today.map_or(0, |addon| count(addon.quantity)),
                }
            })
            .collect(),
    })
}

/// A plan that is proposed, whether or not it is on the page. What one that is not has is not known: nothing is said to be
/// gained or lost with it.
pub(super) fn proposed(viewer: &Viewer<'_>, product: &CatalogueProduct) -> Option<Plan> {
    if let Some(rule) = viewer.rules.plan(&product.id) {
        return plan(viewer, rule, product, false);
    }
    let product_id = product.id.clone();
    let unknown = PlanRule { product_id, recommended: false, seats: false, features: Vec::new() };
    let plan = plan(viewer, &unknown, product, false)?;
    Some(Plan { lost: Vec::new(), limits: Vec::new(), ..plan })
}

/// What a plan has or has not. Of what is counted, the limits tell.
fn uncounted(features: &[Feature]) -> Vec<Feature> {
    features.iter().filter(|feature| feature.amount == Amount::Uncounted).cloned().collect()
}

fn count(quantity: i64) -> u32 {
    u32::try_from(quantity).unwrap_or(0)
}

fn status(status: &Upstream) -> SubscriptionStatus {
    match status {
        Upstream::Pending => SubscriptionStatus::Pending,
        Upstream::Active => SubscriptionStatus::Active,
        Upstream::OnHold => SubscriptionStatus::OnHold,
        Upstream::Paused => SubscriptionStatus::Paused,
        Upstream::Cancelled => SubscriptionStatus::Cancelled,
        Upstream::Failed => SubscriptionStatus::Failed,
        Upstream::Expired => SubscriptionStatus::Expired,
        Upstream::PastDue => SubscriptionStatus::PastDue,
        Upstream::Unknown(_) => SubscriptionStatus::Other,
    }
}
