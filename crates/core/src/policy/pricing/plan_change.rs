//! A plan change, from `POST …/change-plan/preview`.

use dodo_client::types::{
    plan_preview::{ChargeSummary, LineItem, LineTerms, PlanChangePreview},
    subscriptions::Subscription,
};
use sha2::{Digest, Sha256};
use wire::{EffectiveAt, LineKind, Money, Period, ProductId, QuoteLine, Renewal};

use super::{Priced, PricingError, quantity};

/// Prices a change to `target`. `fallback_name` is used where the preview has no name for it; `period` is the target's
/// billing period; `basis` is the subscription as it was when the preview was made.
///
/// # Errors
/// When the preview cannot be explained; see [`PricingError`].
pub fn plan_change(
    preview: &PlanChangePreview,
    target: &ProductId,
    fallback_name: &str,
    period: Option<Period>,
    effective_at: EffectiveAt,
    basis: &Subscription,
) -> Result<Priced, PricingError> {
    if preview.new_plan.product_id != *target {
        return Err(PricingError::OtherProduct);
    }
    let name = target_name(preview, target).unwrap_or_else(|| fallback_name.to_owned());
    let (lines, tax_inclusive) = lines(&preview.immediate_charge.line_items);
    let mut priced = Priced {
        currency: preview.immediate_charge.summary.currency,
        lines,
        tax: 0,
        tax_inclusive,
        credit: 0,
        total: 0,
        settlement: None,
        renewal: Some(renewal(preview, period)?),
        effective_at,
        basis_hash: basis_hash(basis),
        from_plan: Some(basis.product_id.clone()),
        name,
    };
    total(&mut priced, &preview.immediate_charge.summary)?;
    if priced.total < 0 {
        return Err(PricingError::Negative);
    }
    explain(&mut priced)?;
    Ok(priced)
}

fn target_name(preview: &PlanChangePreview, target: &ProductId) -> Option<String> {
    preview.immediate_charge.line_items.iter().find_map(|item| match item {
        LineItem::Subscription(line) if line.product_id == *target => {
            line.name.clone().filter(|name| !name.is_empty())
        }
        _ => None,
    })
}

/// Fills in tax, credit and total from the summary.
///
/// In one currency the amount due now is `settlement_amount`: after tax and credits. Where the merchant is paid in
/// another currency, the buyer is charged `total_amount`, and the settlement is shown beside it.
fn total(priced: &mut Priced, summary: &ChargeSummary) -> Result<(), PricingError> {
    let credits_currency = summary.customer_credits_currency.unwrap_or(summary.currency);
    priced.credit = if credits_currency == summary.currency { summary.customer_credits } else { 0 };
    if summary.settlement_currency == summary.currency {
        priced.tax = summary.settlement_tax.or(summary.tax).unwrap_or(0);
        priced.total = summary.settlement_amount;
    } else {
        let settlement = summary.settlement_currency;
        priced.tax = summary.tax.unwrap_or(0);
        priced.total = summary.total_amount;
        priced.settlement = Some(Money::new(summary.settlement_amount, settlement));
    }
    Ok(())
}

/// Makes the lines add up to the total: exact as they are, or after moving a difference that rounding explains, or as
/// one line.
fn explain(priced: &mut Priced) -> Result<(), PricingError> {
    let tax = if priced.tax_inclusive { 0 } else { priced.tax };
    let wanted = priced
        .total
        .checked_sub(priced.credit)
        .and_then(|amount| amount.checked_sub(tax))
        .ok_or(PricingError::OutOfRange)?;
    let rounding = u64::try_from(priced.lines.len()).unwrap_or(u64::MAX);
    let residue = sum(&priced.lines).and_then(|sum| wanted.checked_sub(sum));
    if let Some(residue) = residue.filter(|residue| residue.unsigned_abs() <= rounding)
        && let Some(largest) = priced.lines.iter_mut().max_by_key(|line| line.amount.unsigned_abs())
        && let Some(amount) = largest.amount.checked_add(residue)
    {
        largest.amount = amount;
    }
    if sum(&priced.lines) != Some(wanted) {
        priced.lines = vec![QuoteLine {
            kind: LineKind::Plan,
            name: priced.name.clone(),
            quantity: 1,
            amount: wanted,
            prorated: true,
        }];
    }
    Ok(())
}

fn sum(lines: &[QuoteLine]) -> Option<i64> {
    lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.amount))
}

/// The lines as Dodo's own portal computes them, and whether all of them hold their tax. A line that cannot be computed
/// is left out, and missed by [`explain`].
fn lines(items: &[LineItem]) -> (Vec<QuoteLine>, bool) {
    let inclusive = !items.is_empty()
        && items.iter().all(|item| match item {
            LineItem::Subscription(line) => line.terms.tax_inclusive,
            LineItem::Addon(line) => line.terms.tax_inclusive,
            LineItem::Meter(line) => line.tax_inclusive,
            LineItem::Unknown => false,
        });
    let lines = items.iter().filter_map(|item| match item {
        LineItem::Subscription(line) => {
            let name = line.name.clone().unwrap_or_else(|| line.product_id.to_string());
            prorated(LineKind::Plan, name, &line.terms, inclusive)
        }
        LineItem::Addon(line) => {
            let name = line.name.clone().unwrap_or_else(|| line.id.to_string());
            prorated(LineKind::Addon, name, &line.terms, inclusive)
        }
        LineItem::Meter(line) => {
            let inside = if line.tax_inclusive && !inclusive { line.tax.unwrap_or(0) } else { 0 };
            Some(QuoteLine {
                kind: LineKind::Meter,
                name: line.name.clone().unwrap_or_default(),
                quantity: 1,
                amount: line.subtotal.checked_sub(inside)?,
                prorated: false,
            })
        }
        LineItem::Unknown => None,
    });
    (lines.collect(), inclusive)
}

/// `unit_price × quantity × factor`; the tax inside is taken out where the quote states it apart.
fn prorated(kind: LineKind, name: String, terms: &LineTerms, inclusive: bool) -> Option<QuoteLine> {
    let gross = terms.unit_price.checked_mul(terms.quantity)?;
    let inside = if terms.tax_inclusive && !inclusive { terms.tax.unwrap_or(0) } else { 0 };
    let amount = terms.proration_factor.times(gross.checked_sub(inside)?)?;
    let whole = amount.checked_abs()? == gross;
    Some(QuoteLine { kind, name, quantity: quantity(terms.quantity).ok()?, amount, prorated: !whole })
}

/// Returns what comes next. A quote has one currency: a renewal in another one cannot be told with it.
fn renewal(preview: &PlanChangePreview, period: Option<Period>) -> Result<Renewal, PricingError> {
    let after = &preview.new_plan;
    if after.currency != preview.immediate_charge.summary.currency {
        return Err(PricingError::RenewalUnknown);
    }
    Ok(Renewal {
        date: after.next_billing_date,
        amount: after.recurring_pre_tax_amount,
        tax_inclusive: after.tax_inclusive,
        period: period.ok_or(PricingError::RenewalUnknown)?,
    })
}

/// A hash of everything about a subscription that a quote rests on: plan, seats, add-ons, what it costs, next billing date,
/// state, and a booked change.
#[must_use]
pub fn basis_hash(subscription: &Subscription) -> String {
    let mut addons: Vec<String> =
        subscription.addons.iter().map(|addon| format!("{}x{}", addon.addon_id, addon.quantity)).collect();
    addons.sort_unstable();
    let scheduled = subscription
        .scheduled_change
        .as_ref()
        .map(|change| format!("{}x{}@{}", change.product_id, change.quantity, change.effective_at.0));
    // Ids hold no character that separates the parts.
    let text = format!(
        "{}|{}|{}|{}|{}|{}|{}|{}",
        subscription.product_id,
        subscription.quantity,
        addons.join(","),
        subscription.recurring_pre_tax_amount,
        subscription.next_billing_date.0,
        subscription.status.as_str(),
        subscription.cancel_at_next_billing_date,
        scheduled.unwrap_or_default(),
    );
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "plan_change_tests.rs"]
mod tests;
