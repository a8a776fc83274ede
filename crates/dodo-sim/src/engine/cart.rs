//! A checkout request, checked and priced against the catalogue. Preview, create and the hosted page share it.

use super::world::World;
use crate::billing::checkout::{CartError, CartLine, CartPrice, price};
use crate::error::{ApiError, Code, Outcome};
use crate::model::Metadata;
use crate::model::catalogue::{Addon, Discount, Price, Product};
use crate::model::payment::CartItem;
use crate::model::session::{CartAddon, CartProduct, CheckoutRequest};
use crate::model::subscription::{NewSubscription, Plan, PlanAddon, SubscriptionStatus};
use crate::policy::Allowance;

const MOST_ITEMS: usize = 20;

/// A request with its price in one country.
#[derive(Debug)]
pub(crate) struct PricedCart {
    pub(crate) price: CartPrice,
    pub(crate) subscriptions: Vec<NewSubscription>,
    pub(crate) one_time: Vec<CartItem>,
    pub(crate) product_ids: Vec<String>,
    pub(crate) codes: Vec<String>,
}

/// Checks the cart and prices it for a buyer in `country`.
pub(crate) fn priced(world: &World, request: &CheckoutRequest, country: &str) -> Outcome<PricedCart> {
    if request.product_cart.is_empty() {
        return Err(ApiError::new(Code::ProductCartEmpty, "product_cart is empty"));
    }
    if request.product_cart.len() > MOST_ITEMS {
        return Err(ApiError::invalid(format!("product_cart takes at most {MOST_ITEMS} items")));
    }
    let codes = codes(world, request)?;
    let trial = request.subscription_data.as_ref().and_then(|data| data.trial_period_days);
    let lines =
        request.product_cart.iter().map(|item| line(world, item, trial)).collect::<Outcome<Vec<_>>>()?;
    let price =
        price(&lines, &codes, world.tax_bps(country), world.policy.rounding).map_err(
            |error| match error {
                CartError::Empty => ApiError::new(Code::ProductCartEmpty, error.to_string()),
                CartError::MixedCurrencies => ApiError::new(Code::UnsupportedCurrency, error.to_string()),
                CartError::Overflow(overflow) => overflow.into(),
            },
        )?;
    if (1..price.currency.minimum_charge()).contains(&price.now.total) {
        return Err(ApiError::new(
            Code::TotalPaymentAmountBelowMinimumAmount,
            "the total is below what the gateway takes",
        ));
    }
    let mut subscriptions = Vec::new();
    let mut one_time = Vec::new();
    for (line, priced) in lines.iter().zip(&price.products) {
        match line.product.price.cycle() {
            None => one_time
                .push(CartItem { product_id: line.product.product_id.clone(), quantity: line.quantity }),
            Some(cycle) => subscriptions.push(NewSubscription {
                plan: Plan {
                    product_id: line.product.product_id.clone(),
                    quantity: line.quantity,
                    unit_price: priced.product.unit_price,
                    addons: line
                        .addons
                        .iter()
                        .zip(&priced.addons)
                        .map(|((addon, quantity), priced)| plan_addon(addon, *quantity, priced.unit_price))
                        .collect(),
                    currency: price.currency,
                    tax_inclusive: line.product.price.tax_inclusive(),
                    frequency: cycle.frequency,
                    usage_based: line.product.price.is_usage_based(),
                    discount_codes: codes.iter().map(|code| code.code.clone()).collect(),
                },
                life: cycle.life,
                trial_days: line.trial_days,
                trial_amount: cycle.trial_amount,
                tax_id: request.tax_id.clone(),
                customer_business_name: request.customer_business_name.clone(),
                on_demand: request.subscription_data.as_ref().is_some_and(|data| data.on_demand.is_some()),
            }),
        }
    }
    Ok(PricedCart {
        subscriptions,
        one_time,
        product_ids: request.product_cart.iter().map(|item| item.product_id.clone()).collect(),
        codes: codes.iter().map(|code| code.code.clone()).collect(),
        price,
    })
}

pub(crate) fn plan_addon(addon: &Addon, quantity: i64, unit_price: i64) -> PlanAddon {
    PlanAddon {
        addon_id: addon.id.clone(),
        name: addon.name.clone(),
        quantity,
        unit_price,
        tax_category: addon.tax_category.clone(),
    }
}

fn line<'a>(world: &'a World, item: &CartProduct, trial: Option<u32>) -> Outcome<CartLine<'a>> {
    let product = world.product(&item.product_id)?;
    if product.archived {
        return Err(ApiError::new(
            Code::ProductIsDeleted,
            format!("product {} is archived", product.product_id),
        ));
    }
    if item.quantity < 1 {
        return Err(ApiError::new(Code::InvalidQuantity, "quantity must be at least 1"));
    }
    let own_trial = product.price.cycle().map_or(0, |cycle| cycle.trial_days);
    Ok(CartLine {
        product,
        quantity: item.quantity,
        amount: wanted_amount(product, item.amount)?,
        addons: addons(world, product, item.addons.as_deref().unwrap_or_default())?,
        trial_days: trial.unwrap_or(own_trial),
    })
}

fn wanted_amount(product: &Product, amount: Option<i64>) -> Outcome<Option<i64>> {
    match (&product.price, amount) {
        (Price::OneTime(price), Some(amount)) if price.pay_what_you_want && amount >= price.price => {
            Ok(Some(amount))
        }
        (Price::OneTime(price), Some(_)) if price.pay_what_you_want => {
            Err(ApiError::new(Code::RequestAmountBelowMinimum, "amount is below the product's minimum"))
        }
        (Price::OneTime(price), None) if price.pay_what_you_want => {
            Err(ApiError::new(Code::PayAsYouWantAmountRequired, "amount is required for this product"))
        }
        // An amount for a fixed price is ignored, as the field's description says.
        _ => Ok(None),
    }
}

/// The add-ons of a cart item or of a plan change, checked against the product.
pub(crate) fn addons<'a>(
    world: &'a World,
    product: &Product,
    wanted: &[CartAddon],
) -> Outcome<Vec<(&'a Addon, i64)>> {
    if !wanted.is_empty() && product.price.is_usage_based() {
        return Err(ApiError::new(
            Code::AddonsInUsageBasedBillingNotSupported,
            "usage-based products take no add-ons",
        ));
    }
    let mut found: Vec<(&Addon, i64)> = Vec::with_capacity(wanted.len());
    for item in wanted {
        let addon =
            world.addons.get(&item.addon_id).filter(|addon| product.addons.contains(&addon.id)).ok_or_else(
                || {
                    ApiError::new(
                        Code::MissingAddonIds,
                        format!("{} is no add-on of this product", item.addon_id),
                    )
                },
            )?;
        if item.quantity < 1 {
            return Err(ApiError::new(Code::InvalidQuantity, "an add-on's quantity must be at least 1"));
        }
        if found.iter().any(|(earlier, _)| earlier.id == addon.id) {
            return Err(ApiError::new(
                Code::DuplicateAddonIdsInRequest,
                format!("{} is listed more than once", addon.id),
            ));
        }
        found.push((addon, item.quantity));
    }
    Ok(found)
}

fn codes<'a>(world: &'a World, request: &CheckoutRequest) -> Outcome<Vec<&'a Discount>> {
    match (&request.discount_codes, &request.discount_code) {
        (Some(_), Some(_)) => Err(ApiError::invalid("discount_code and discount_codes exclude each other")),
        (Some(codes), None) => discounts(world, codes),
        (None, Some(code)) => discounts(world, std::slice::from_ref(code)),
        (None, None) => Ok(Vec::new()),
    }
}

/// Looks codes up; they are matched in capitals.
pub(crate) fn discounts<'a>(world: &'a World, codes: &[String]) -> Outcome<Vec<&'a Discount>> {
    if codes.len() > MOST_ITEMS {
        return Err(ApiError::invalid(format!("discount_codes takes at most {MOST_ITEMS} codes")));
    }
    codes
        .iter()
        .map(|code| {
            let discount = world.discounts.get(&code.to_uppercase()).ok_or_else(|| {
                ApiError::new(Code::InvalidDiscount, format!("{code} is not a discount code"))
            })?;
            if discount.expires_at.is_some_and(|at| at <= world.now) {
                return Err(ApiError::new(Code::DiscountCodeExpired, format!("{code} has expired")));
            }
            Ok(discount)
        })
        .collect()
}

/// At most 50 pairs; keys of 40 characters `[A-Za-z0-9_-]`; values are strings of 500, numbers or booleans.
pub(crate) fn check_metadata(metadata: &Metadata) -> Outcome<()> {
    use serde_json::Value;
    if metadata.len() > 50 {
        return Err(ApiError::new(Code::MaximumKeysReached, "metadata takes at most 50 pairs"));
    }
    for (key, value) in metadata {
        let key_fits = (1..=40).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        let value_fits = match value {
            Value::String(text) => text.chars().count() <= 500,
            Value::Number(_) | Value::Bool(_) => true,
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        };
        if !key_fits || !value_fits {
            return Err(ApiError::invalid(format!("metadata entry {key:?} does not fit")));
        }
    }
    Ok(())
}

/// Whether the business lets this customer begin another subscription.
pub(crate) fn check_existing_subscription(
    world: &World,
    customer_id: &str,
    cart: &PricedCart,
) -> Outcome<()> {
    let live = |status| matches!(status, SubscriptionStatus::Active | SubscriptionStatus::OnHold);
    let has_one = world
        .subscriptions
        .iter()
        .any(|subscription| subscription.customer_id == customer_id && live(subscription.status));
    match world.policy.multiple_subscriptions {
        Allowance::Reject if has_one && !cart.subscriptions.is_empty() => Err(ApiError::new(
            Code::CustomerHasExistingSubscription,
            "the customer already has a subscription",
        )),
        Allowance::Reject | Allowance::Allow => Ok(()),
    }
}
