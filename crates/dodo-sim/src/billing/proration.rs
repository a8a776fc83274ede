//! What a change of plan costs: one function, used by the preview and by the change itself.
//!
//! Dodo's documentation describes two engines. `classic` charges the rest of the period at the new price less the
//! old one and leaves the billing date alone; `current` buys a full new period less what is left of the old one and
//! moves the billing date to today. The lines carry signed factors, negative for what the old plan gives back.
//!
//! Chosen here, because no source says: a change to a plan with another billing interval always starts a new period
//! and buys it whole; tax is rounded per line.

use super::ratio::Ratio;
use super::tax::tax;
use super::{Overflow, sum, times};
use crate::model::subscription::{Plan, ProrationMode};
use crate::policy::{BelowMinimum, Policy, ProrationEngine, Rounding};

/// Whether the period goes on or a new one starts today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CycleEffect {
    Keep,
    Restart,
}

/// The product itself or an add-on of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LineKind {
    Subscription { product_id: String },
    Addon { addon_id: String, name: String, tax_category: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangeLine {
    pub(crate) kind: LineKind,
    pub(crate) unit_price: i64,
    pub(crate) quantity: i64,
    pub(crate) factor: Ratio,
    pub(crate) tax_inclusive: bool,
    /// On the whole line, before the factor.
    pub(crate) full_tax: i64,
    /// Signed, after the factor, without tax.
    pub(crate) net: i64,
    /// Signed, after the factor.
    pub(crate) tax: i64,
}

/// The money of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangePrice {
    pub(crate) lines: Vec<ChangeLine>,
    /// Sum of the lines with tax; negative when the old plan gives back more than the new one costs.
    pub(crate) before_credit: i64,
    pub(crate) tax: i64,
    /// Existing credit that pays a part.
    pub(crate) credit_spent: i64,
    /// New credit for the buyer.
    pub(crate) credit_granted: i64,
    /// What is charged now.
    pub(crate) due: i64,
    pub(crate) cycle: CycleEffect,
}

/// Why a change has no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChangeError {
    #[error("the amount due is below what the gateway takes")]
    BelowMinimum,
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// Everything that the price of a change depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    pub(crate) old: &'a Plan,
    pub(crate) new: &'a Plan,
    pub(crate) mode: ProrationMode,
    /// What is left of the current period.
    pub(crate) remaining: Ratio,
    /// False during an unpaid trial.
    pub(crate) period_paid: bool,
    pub(crate) tax_bps: i64,
    /// Credit that the buyer has.
    pub(crate) credit: i64,
    pub(crate) minimum: i64,
}

/// Prices a change.
pub(crate) fn price(change: &Change<'_>, policy: &Policy) -> Result<ChangePrice, ChangeError> {
    let shape = shape(change, policy);
    let rounding = policy.rounding;
    let mut lines = Vec::new();
    if let Some(factor) = shape.new {
        lines.extend(lines_of(change.new, factor, change.tax_bps, rounding)?);
    }
    // An unpaid period has nothing to give back.
    if let Some(factor) = shape.old.filter(|_| change.period_paid) {
        lines.extend(lines_of(change.old, factor.negative(), change.tax_bps, rounding)?);
    }
    let net = sum(lines.iter().map(|line| line.net))?;
    let tax = sum(lines.iter().map(|line| line.tax))?;
    let before_credit = net.checked_add(tax).ok_or(Overflow)?;
    let quote = |credit_spent, credit_granted, due| ChangePrice {
        lines,
        before_credit,
        tax: if due == 0 { 0 } else { tax },
        credit_spent,
        credit_granted,
        due,
        cycle: shape.cycle,
    };
    if before_credit <= 0 {
        let granted = if policy.credit_includes_tax { -before_credit } else { (-net).max(0) };
        return Ok(quote(0, granted, 0));
    }
    let spent = change.credit.clamp(0, before_credit);
    let due = before_credit - spent;
    if due == 0 || due >= change.minimum {
        return Ok(quote(spent, 0, due));
    }
    match policy.below_minimum {
        BelowMinimum::Reject => Err(ChangeError::BelowMinimum),
        BelowMinimum::TopUp => Ok(quote(spent, change.minimum - due, change.minimum)),
    }
}

/// Which share of the new and of the old plan is billed.
struct Shape {
    new: Option<Ratio>,
    old: Option<Ratio>,
    cycle: CycleEffect,
}

fn shape(change: &Change<'_>, policy: &Policy) -> Shape {
    use CycleEffect::{Keep, Restart};
    use ProrationMode as Mode;
    let other_interval = change.old.frequency != change.new.frequency;
    // A trial ends with any billed change: its new period starts today and is bought whole.
    let fresh = other_interval || !change.period_paid;
    let whole = Some(Ratio::ONE);
    let rest = Some(change.remaining);
    let moved = if policy.classic_resets_cycle { Restart } else { Keep };
    match (change.mode, policy.proration_engine) {
        (Mode::DoNotBill, _) => Shape { new: None, old: None, cycle: if fresh { Restart } else { Keep } },
        (Mode::FullImmediately, _) => Shape { new: whole, old: None, cycle: Restart },
        (Mode::DifferenceImmediately, _) if fresh => Shape { new: whole, old: whole, cycle: Restart },
        (Mode::ProratedImmediately | Mode::ProratedImmediatelyKeepCycle, _) if fresh => {
            Shape { new: whole, old: rest, cycle: Restart }
        }
        (Mode::DifferenceImmediately, ProrationEngine::Classic) => {
            Shape { new: whole, old: whole, cycle: moved }
        }
        (Mode::DifferenceImmediately, ProrationEngine::Current) => {
            Shape { new: whole, old: whole, cycle: Restart }
        }
        (Mode::ProratedImmediately, ProrationEngine::Classic) => Shape { new: rest, old: rest, cycle: moved },
        (Mode::ProratedImmediately, ProrationEngine::Current) => {
            Shape { new: whole, old: rest, cycle: Restart }
        }
        (Mode::ProratedImmediatelyKeepCycle, _) => Shape { new: rest, old: rest, cycle: Keep },
    }
}

fn lines_of(
    plan: &Plan,
    factor: Ratio,
    tax_bps: i64,
    rounding: Rounding,
) -> Result<Vec<ChangeLine>, Overflow> {
    let line = |kind, unit_price, quantity| {
        let full = tax(times(unit_price, quantity)?, tax_bps, plan.tax_inclusive, rounding)?;
        Ok(ChangeLine {
            kind,
            unit_price,
            quantity,
            factor,
            tax_inclusive: plan.tax_inclusive,
            full_tax: full.tax,
            net: factor.of(full.net, rounding)?,
            tax: factor.of(full.tax, rounding)?,
        })
    };
    let product = LineKind::Subscription { product_id: plan.product_id.clone() };
    std::iter::once(line(product, plan.unit_price, plan.quantity))
        .chain(plan.addons.iter().map(|addon| {
            let kind = LineKind::Addon {
                addon_id: addon.addon_id.clone(),
                name: addon.name.clone(),
                tax_category: addon.tax_category.clone(),
            };
            line(kind, addon.unit_price, addon.quantity)
        }))
        .collect()
}

/// What a whole period of a plan costs.
pub(crate) fn full_period(
    plan: &Plan,
    tax_bps: i64,
    rounding: Rounding,
) -> Result<Vec<ChangeLine>, Overflow> {
    lines_of(plan, Ratio::ONE, tax_bps, rounding)
}

#[cfg(test)]
#[path = "proration_tests.rs"]
mod tests;
