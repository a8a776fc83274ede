//! What plans cost a subscriber per billing period: the plan of today, and another one in its place. Pure.
//!
//! Today's cost is what Dodo charges at a renewal, whatever the list says by now: a price that was agreed stays until the
//! plan changes. The other plan comes at its list price of today, for the seats, with the add-ons and under the discounts
//! that go along.

use dodo_client::types::subscriptions::{AppliedDiscount, DiscountKind, Subscription};
use wire::{AddonId, Currency, Money, Renewal};

use super::{
    catalogue::{self, CatalogueProduct},
    plan_comparison::PeriodPrice,
};

/// Returns what a renewal of the subscription costs today.
#[must_use]
pub fn today(subscription: &Subscription) -> PeriodPrice {
    PeriodPrice {
        amount: subscription.recurring_pre_tax_amount,
        currency: subscription.currency,
        period: catalogue::period(
            subscription.payment_frequency_count,
            &subscription.payment_frequency_interval,
        ),
        tax_inclusive: subscription.tax_inclusive,
    }
}

/// Returns what a renewal would cost on `target`, with these seats and add-ons. `None` where that is not known before Dodo
/// is asked: an add-on without a price or in another currency, a discount that is not a percentage, an amount out of range.
#[must_use]
pub fn on_plan(
    subscription: &Subscription,
    target: &CatalogueProduct,
    seats: u32,
    addons: &[(AddonId, u32)],
    price_of: &dyn Fn(&AddonId) -> Option<Money>,
) -> Option<PeriodPrice> {
    let kept: Vec<i64> = subscription
        .discounts
        .iter()
        .filter(|discount| stays(discount, target))
        .map(percentage)
        .collect::<Option<_>>()?;
    let after_discounts =
        |price: i64| kept.iter().try_fold(price, |price, bps| catalogue::discounted(price, *bps));
    let plan = after_discounts(target.price.amount)?.checked_mul(i64::from(seats))?;
    let amount = addons.iter().try_fold(plan, |sum, (id, quantity)| {
        let price = price_of(id).filter(|price| price.currency == target.price.currency)?;
        sum.checked_add(after_discounts(price.amount)?.checked_mul(i64::from(*quantity))?)
    })?;
    Some(PeriodPrice { amount, ..target.price })
}

/// Returns what a renewal costs after a change that Dodo has priced: exact, where [`on_plan`] is an estimate.
#[must_use]
pub fn after(renewal: &Renewal, currency: Currency) -> PeriodPrice {
    PeriodPrice {
        amount: renewal.amount,
        currency,
        period: Some(renewal.period),
        tax_inclusive: renewal.tax_inclusive,
    }
}

/// Returns how many more renewals cost what the next one does, where a discount ends after them.
#[must_use]
pub fn discounted_renewals(subscription: &Subscription) -> Option<u32> {
    let ends = subscription.discounts.iter().filter_map(|discount| discount.cycles_remaining);
    ends.filter_map(|left| u32::try_from(left).ok()).filter(|left| *left > 0).min()
}

fn stays(discount: &AppliedDiscount, target: &CatalogueProduct) -> bool {
    discount.preserve_on_plan_change
        && discount.cycles_remaining != Some(0)
        && (discount.restricted_to.is_empty() || discount.restricted_to.contains(&target.id))
}

fn percentage(discount: &AppliedDiscount) -> Option<i64> {
    (discount.kind == Some(DiscountKind::Percentage)).then_some(discount.amount)
}

#[cfg(test)]
#[path = "plan_cost_tests.rs"]
mod tests;
