//! From Dodo's objects to products that can be offered and methods that can be charged. Pure.

use dodo_client::types::{
    catalogue::{Addon, Price, Product, TimeInterval},
    customers::{PaymentMethod, PaymentMethodKind},
};
use wire::{AddonId, Interval, Money, Period, ProductId};

use super::plan_comparison::PeriodPrice;
use crate::domain::{SavedMethod, shown_card};

/// An add-on of plans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueAddon {
    /// Its name; its id where the merchant gave it none.
    pub name: String,
    /// What one of it costs for one period of the subscription; absent where Dodo could not be asked.
    pub price: Option<Money>,
}

/// Returns an add-on as it can be shown.
#[must_use]
pub fn addon(addon: Addon) -> CatalogueAddon {
    let price = Some(Money::new(addon.price, addon.currency));
    let name = if addon.name.is_empty() { addon.id.to_string() } else { addon.name };
    CatalogueAddon { name, price }
}

/// A product that can be offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueProduct {
    /// Which.
    pub id: ProductId,
    /// Its name; its id where the merchant gave it none.
    pub name: String,
    /// A sentence or two.
    pub description: Option<String>,
    /// A picture with an https address.
    pub image: Option<String>,
    /// List price, the product's own discount taken off.
    pub price: PeriodPrice,
    /// Whether a subscription to it can be changed by Dodo's plan change.
    pub is_plan: bool,
    /// Add-ons that a subscription to it may carry.
    pub addons: Vec<AddonId>,
}

/// Returns a product as it can be offered; `None` when its price is of a kind that cannot be.
#[must_use]
pub fn offerable(product: Product) -> Option<CatalogueProduct> {
    let (price, is_plan) = list_price(&product.price)?;
    let id = product.product_id;
    Some(CatalogueProduct {
        name: product.name.filter(|name| !name.is_empty()).unwrap_or_else(|| id.to_string()),
        id,
        description: product.description.filter(|text| !text.is_empty()),
        image: product.image.filter(|address| address.starts_with("https://")),
        price,
        is_plan,
        addons: product.addons,
    })
}

/// What is shown as the price, and whether Dodo changes subscriptions to it: not those billed by use.
fn list_price(price: &Price) -> Option<(PeriodPrice, bool)> {
    let (currency, amount, bps, period, is_plan, tax) = match price {
        // The buyer names the price: there is nothing that could be quoted.
        Price::OneTime(price) if price.pay_what_you_want => return None,
        Price::OneTime(price) => {
            (price.currency, price.price, price.discount_bps, None, false, price.tax_inclusive)
        }
        Price::Recurring(price) => {
            let period = period(price.payment_frequency_count, &price.payment_frequency_interval)?;
            (price.currency, price.price, price.discount_bps, Some(period), true, price.tax_inclusive)
        }
        Price::UsageBased(price) => {
            let period = period(price.payment_frequency_count, &price.payment_frequency_interval)?;
            (price.currency, price.fixed_price, None, Some(period), false, None)
        }
        Price::Unknown => return None,
    };
    let amount = discounted(amount, bps.unwrap_or(0))?;
    Some((PeriodPrice { amount, currency, period, tax_inclusive: tax.unwrap_or(false) }, is_plan))
}

/// Takes hundredths of a percent off, rounding half a minor unit up.
pub(super) fn discounted(amount: i64, bps: i64) -> Option<i64> {
    let left = 10_000_i128.checked_sub(i128::from(bps))?;
    if amount < 0 || !(0..=10_000).contains(&left) {
        return None;
    }
    let scaled = i128::from(amount).checked_mul(left)?.checked_add(5000)?;
    i64::try_from(scaled.checked_div(10_000)?).ok()
}

/// A billing period in the contract's words; `None` for one that it has no words for.
#[must_use]
pub fn period(count: i64, interval: &TimeInterval) -> Option<Period> {
    let interval = match interval {
        TimeInterval::Day => Interval::Day,
        TimeInterval::Week => Interval::Week,
        TimeInterval::Month => Interval::Month,
        TimeInterval::Year => Interval::Year,
        TimeInterval::Unknown(_) => return None,
    };
    Some(Period { interval, count: u32::try_from(count).ok().filter(|count| *count > 0)? })
}

/// A saved method, as far as choosing one needs to know it.
#[must_use]
pub fn saved_method(method: &PaymentMethod) -> SavedMethod {
    let card = method.card.as_ref();
    SavedMethod {
        id: method.payment_method_id.clone(),
        is_card: method.payment_method == PaymentMethodKind::Card,
        card: card.and_then(|card| shown_card(card.card_network.as_deref(), card.last4_digits.as_deref())),
        expiry: card.and_then(|card| card.expiry()),
        last_used_at: method.last_used_at,
        recurring_enabled: method.recurring_enabled,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wire::Currency;

    use super::*;

    fn priced(price: serde_json::Value) -> Option<(PeriodPrice, bool)> {
        list_price(&serde_json::from_value(price).unwrap())
    }

    #[test]
    fn prices_of_every_kind() {
        let usd = Currency::parse("USD").unwrap();
        let month = Some(Period { interval: Interval::Month, count: 1 });
        let recurring = json!({"type": "recurring_price", "currency": "USD", "price": 8000, "discount_bps": 2500,
            "payment_frequency_count": 1, "payment_frequency_interval": "Month"});
        assert_eq!(
            priced(recurring),
            Some((PeriodPrice { amount: 6000, currency: usd, period: month, tax_inclusive: false }, true))
        );
        let once = json!({"type": "one_time_price", "currency": "USD", "price": 4900});
        assert_eq!(
            priced(once),
            Some((PeriodPrice { amount: 4900, currency: usd, period: None, tax_inclusive: false }, false))
        );
        let used = json!({"type": "usage_based_price", "currency": "USD", "fixed_price": 100,
            "payment_frequency_count": 1, "payment_frequency_interval": "Month"});
        assert_eq!(
            priced(used),
            Some((PeriodPrice { amount: 100, currency: usd, period: month, tax_inclusive: false }, false))
        );
        for cannot in [
            json!({"type": "one_time_price", "currency": "USD", "price": 1, "pay_what_you_want": true}),
            json!({"type": "barter_price"}),
            json!({"type": "one_time_price", "currency": "USD", "price": -1}),
            json!({"type": "one_time_price", "currency": "USD", "price": 1, "discount_bps": 10_001}),
            json!({"type": "recurring_price", "currency": "USD", "price": 1,
                "payment_frequency_count": 0, "payment_frequency_interval": "Month"}),
            json!({"type": "recurring_price", "currency": "USD", "price": 1,
                "payment_frequency_count": 1, "payment_frequency_interval": "Moon"}),
        ] {
            assert_eq!(priced(cannot.clone()), None, "{cannot}");
        }
    }

    #[test]
    fn discounts_round_half_up_in_integers() {
        for (amount, bps, left) in
            [(4900, 0, 4900), (999, 5000, 500), (1, 4999, 1), (1, 5001, 0), (i64::MAX, 0, i64::MAX)]
        {
            assert_eq!(discounted(amount, bps), Some(left), "{amount} {bps}");
        }
    }
}
