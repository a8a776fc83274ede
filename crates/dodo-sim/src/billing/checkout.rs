//! What a cart costs: lines, discounts, tax, now and later.

use super::ratio::basis_points;
use super::tax::{Taxed, tax};
use super::{Overflow, sum, times};
use crate::model::catalogue::{Addon, Discount, DiscountValue, Product};
use crate::model::money::Currency;
use crate::policy::Rounding;

/// One product of a cart with everything needed to price it.
#[derive(Debug)]
pub(crate) struct CartLine<'a> {
    pub(crate) product: &'a Product,
    pub(crate) quantity: i64,
    /// What the buyer wants to pay for one, at pay-what-you-want prices.
    pub(crate) amount: Option<i64>,
    pub(crate) addons: Vec<(&'a Addon, i64)>,
    /// Over the product's own trial, when the request brings one.
    pub(crate) trial_days: u32,
}

/// A priced line. Amounts are for the whole quantity unless said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PricedLine {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) quantity: i64,
    /// Of one, before any discount.
    pub(crate) list_price: i64,
    /// Of one, after the product's own discount and codes by percentage.
    pub(crate) unit_price: i64,
    /// Taken off by codes.
    pub(crate) discount: i64,
    pub(crate) inclusive: bool,
    /// When it is paid for every period.
    pub(crate) recurring: Taxed,
    /// What it costs today; nothing or the trial's price during a trial.
    pub(crate) now: Taxed,
}

/// The sums over some lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Breakup {
    pub(crate) subtotal: i64,
    pub(crate) discount: i64,
    pub(crate) tax: i64,
    pub(crate) total: i64,
}

/// One product and its add-ons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PricedProduct {
    pub(crate) product: PricedLine,
    pub(crate) addons: Vec<PricedLine>,
    pub(crate) is_subscription: bool,
    pub(crate) trial_days: u32,
    pub(crate) trial_amount: Option<i64>,
}

impl PricedProduct {
    pub(crate) fn lines(&self) -> impl Iterator<Item = &PricedLine> {
        std::iter::once(&self.product).chain(&self.addons)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CartPrice {
    pub(crate) currency: Currency,
    pub(crate) products: Vec<PricedProduct>,
    pub(crate) now: Breakup,
    /// Over the subscriptions of the cart.
    pub(crate) recurring: Option<Breakup>,
}

/// Why a cart has no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CartError {
    #[error("the cart is empty")]
    Empty,
    #[error("all products of a cart must have one currency")]
    MixedCurrencies,
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// Prices a cart. `tax_bps` is the rate of the buyer's country.
pub(crate) fn price(
    lines: &[CartLine<'_>],
    codes: &[&Discount],
    tax_bps: i64,
    rounding: Rounding,
) -> Result<CartPrice, CartError> {
    let currency = lines.first().ok_or(CartError::Empty)?.product.price.currency();
    let same = lines.iter().all(|line| {
        line.product.price.currency() == currency
            && line.addons.iter().all(|(addon, _)| addon.currency == currency)
    });
    if !same {
        return Err(CartError::MixedCurrencies);
    }
    let mut flat_left: Vec<i64> = codes.iter().map(|code| flat_amount(code, currency)).collect();
    let mut products = Vec::with_capacity(lines.len());
    for line in lines {
        products.push(price_product(line, codes, &mut flat_left, tax_bps, rounding)?);
    }
    let all: Vec<&PricedLine> = products.iter().flat_map(PricedProduct::lines).collect();
    let now = breakup(&all, |line| line.now)?;
    let repeating: Vec<&PricedLine> =
        products.iter().filter(|product| product.is_subscription).flat_map(PricedProduct::lines).collect();
    let recurring =
        if repeating.is_empty() { None } else { Some(breakup(&repeating, |line| line.recurring)?) };
    Ok(CartPrice { currency, products, now, recurring })
}

fn flat_amount(code: &Discount, currency: Currency) -> i64 {
    match code.value {
        DiscountValue::Flat { amount, currency: own } if own == currency => amount.max(0),
        DiscountValue::Flat { .. } | DiscountValue::Percentage { .. } => 0,
    }
}

/// The price of one unit after the product's own discount.
pub(crate) fn own_price(product: &Product, rounding: Rounding) -> Result<i64, Overflow> {
    let list = product.price.list();
    Ok(list - basis_points(list, product.price.discount_bps().clamp(0, 10_000), rounding)?)
}

/// The price of one unit after codes by percentage, applied in order.
pub(crate) fn after_percentages(
    unit: i64,
    product_id: &str,
    codes: &[&Discount],
    rounding: Rounding,
) -> Result<i64, Overflow> {
    codes.iter().filter(|code| applies(code, product_id)).try_fold(unit, |unit, code| match code.value {
        DiscountValue::Percentage { amount } => {
            Ok(unit - basis_points(unit, amount.clamp(0, 10_000), rounding)?)
        }
        DiscountValue::Flat { .. } => Ok(unit),
    })
}

fn applies(code: &Discount, product_id: &str) -> bool {
    code.restricted_to.is_empty() || code.restricted_to.iter().any(|id| id == product_id)
}

fn price_product(
    line: &CartLine<'_>,
    codes: &[&Discount],
    flat_left: &mut [i64],
    tax_bps: i64,
    rounding: Rounding,
) -> Result<PricedProduct, Overflow> {
    let product = line.product;
    let cycle = product.price.cycle();
    let trial_days = if cycle.is_some() { line.trial_days } else { 0 };
    let trial_amount = cycle.and_then(|cycle| cycle.trial_amount);
    let inclusive = product.price.tax_inclusive();
    let list_price = line.amount.unwrap_or(product.price.list());
    let before_codes = match line.amount {
        Some(amount) => amount,
        None => own_price(product, rounding)?,
    };
    let mut priced =
        |id: &str, name: &str, quantity: i64, list_price: i64, before: i64, trial: Option<i64>| {
            let unit_price = after_percentages(before, &product.product_id, codes, rounding)?;
            let mut amount = times(unit_price, quantity)?;
            for (left, _) in
                flat_left.iter_mut().zip(codes).filter(|(_, code)| applies(code, &product.product_id))
            {
                let taken = (*left).min(amount).max(0);
                *left -= taken;
                amount -= taken;
            }
            let recurring = tax(amount, tax_bps, inclusive, rounding)?;
            let now = match trial {
                Some(trial) => tax(trial, tax_bps, inclusive, rounding)?,
                None => recurring,
            };
            let discount = times(list_price, quantity)? - amount;
            Ok::<_, Overflow>(PricedLine {
                id: id.to_owned(),
                name: name.to_owned(),
                quantity,
                list_price,
                unit_price,
                discount,
                inclusive,
                recurring,
                now,
            })
        };
    let in_trial = trial_days > 0;
    let first = priced(
        &product.product_id,
        &product.name,
        line.quantity,
        list_price,
        before_codes,
        in_trial.then(|| trial_amount.unwrap_or(0)),
    )?;
    let addons = line
        .addons
        .iter()
        .map(|(addon, quantity)| {
            priced(&addon.id, &addon.name, *quantity, addon.price, addon.price, in_trial.then_some(0))
        })
        .collect::<Result<_, _>>()?;
    Ok(PricedProduct { product: first, addons, is_subscription: cycle.is_some(), trial_days, trial_amount })
}

fn breakup(lines: &[&PricedLine], part: impl Fn(&PricedLine) -> Taxed) -> Result<Breakup, Overflow> {
    let tax = sum(lines.iter().map(|line| part(line).tax))?;
    let total = sum(lines.iter().map(|line| part(line).gross()).collect::<Result<Vec<_>, _>>()?)?;
    let shown = |line: &PricedLine| {
        let taxed = part(line);
        if line.inclusive { taxed.gross() } else { Ok(taxed.net) }
    };
    let after = sum(lines.iter().map(|line| shown(line)).collect::<Result<Vec<_>, _>>()?)?;
    // A trial's price is not a discount: only lines that cost their full price today show what was taken off.
    let discount = sum(lines.iter().filter(|line| part(line) == line.recurring).map(|line| line.discount))?;
    Ok(Breakup { subtotal: after.checked_add(discount).ok_or(Overflow)?, discount, tax, total })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn product(price: serde_json::Value) -> Product {
        serde_json::from_value(json!({
            "product_id": "prod_a", "name": "A", "tax_category": "saas", "price": price
        }))
        .unwrap()
    }

    fn line(product: &Product, quantity: i64) -> CartLine<'_> {
        CartLine { product, quantity, amount: None, addons: Vec::new(), trial_days: 0 }
    }

    fn code(value: serde_json::Value) -> Discount {
        let mut all = json!({"discount_id": "dsc_1", "code": "X"});
        all.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    fn now(lines: &[CartLine<'_>], codes: &[&Discount], bps: i64) -> Breakup {
        price(lines, codes, bps, Rounding::HalfUp).unwrap().now
    }

    #[test]
    fn tax_comes_on_top_or_is_inside() {
        let without = product(json!({"type": "one_time_price", "currency": "USD", "price": 4900}));
        assert_eq!(
            now(&[line(&without, 2)], &[], 1900),
            Breakup { subtotal: 9800, discount: 0, tax: 1862, total: 11662 }
        );
        let within = product(
            json!({"type": "one_time_price", "currency": "USD", "price": 4900, "tax_inclusive": true}),
        );
        assert_eq!(
            now(&[line(&within, 1)], &[], 1900),
            Breakup { subtotal: 4900, discount: 0, tax: 782, total: 4900 }
        );
    }

    #[test]
    fn discounts_by_product_then_by_code_then_flat_over_the_cart() {
        let reduced = product(
            json!({"type": "one_time_price", "currency": "USD", "price": 10000, "discount_bps": 1000}),
        );
        let ten = code(json!({"type": "percentage", "amount": 1000}));
        let flat = code(json!({"type": "flat", "amount": 500, "currency": "USD"}));
        assert_eq!(
            now(&[line(&reduced, 1)], &[&ten, &flat], 0),
            Breakup { subtotal: 10000, discount: 2400, tax: 0, total: 7600 }
        );
        let huge = code(json!({"type": "flat", "amount": 99999, "currency": "USD"}));
        assert_eq!(now(&[line(&reduced, 1)], &[&huge], 0).total, 0);
        let foreign = code(json!({"type": "flat", "amount": 500, "currency": "EUR"}));
        assert_eq!(now(&[line(&reduced, 1)], &[&foreign], 0).total, 9000);
    }

    #[test]
    fn a_trial_costs_its_own_price_now_and_the_full_one_later() {
        let plan = product(json!({
            "type": "recurring_price", "currency": "USD", "price": 3000,
            "payment_frequency_count": 1, "payment_frequency_interval": "Month", "trial_amount": 100
        }));
        let cart = price(&[CartLine { trial_days: 7, ..line(&plan, 1) }], &[], 0, Rounding::HalfUp).unwrap();
        assert_eq!((cart.now.total, cart.recurring.unwrap().total), (100, 3000));
    }

    #[test]
    fn a_cart_has_one_currency_and_something_in_it() {
        let dollars = product(json!({"type": "one_time_price", "currency": "USD", "price": 1}));
        let yen = product(json!({"type": "one_time_price", "currency": "JPY", "price": 1}));
        let result = price(&[line(&dollars, 1), line(&yen, 1)], &[], 0, Rounding::HalfUp);
        assert_eq!(result, Err(CartError::MixedCurrencies));
        assert_eq!(price(&[], &[], 0, Rounding::HalfUp), Err(CartError::Empty));
        let result = price(&[line(&dollars, i64::MAX), line(&dollars, 1)], &[], 0, Rounding::HalfUp);
        assert_eq!(result, Err(CartError::Overflow(Overflow)));
    }
}
