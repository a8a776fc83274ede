use proptest::prelude::*;
use serde_json::{Value, json};
use wire::{ChangeKind, Interval, Period, ProductId};

use super::*;
use crate::policy::plan_comparison::direction;

const MONTH: Option<Period> = Some(Period { interval: Interval::Month, count: 1 });

fn subscription(patch: Value) -> Subscription {
    let mut value = json!({
        "subscription_id": "sub_1", "product_id": "basic", "quantity": 2, "status": "active", "currency": "USD",
        "recurring_pre_tax_amount": 6000, "customer": {"customer_id": "cus_1"},
        "previous_billing_date": "2026-01-01T00:00:00Z", "next_billing_date": "2026-02-01T00:00:00Z",
        "payment_frequency_count": 1, "payment_frequency_interval": "Month",
    });
    value.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
    serde_json::from_value(value).unwrap()
}

fn usd() -> Currency {
    Currency::parse("USD").unwrap()
}

fn list(amount: i64) -> PeriodPrice {
    PeriodPrice { amount, currency: usd(), period: MONTH, tax_inclusive: false }
}

fn plan(amount: i64) -> CatalogueProduct {
    CatalogueProduct {
        id: ProductId::parse("pro").unwrap(),
        name: "Pro".into(),
        description: None,
        image: None,
        price: list(amount),
        is_plan: true,
        addons: vec![AddonId::parse("seat").unwrap()],
    }
}

fn on_pro(subscription: &Subscription, addons: u32) -> Option<i64> {
    let seat = AddonId::parse("seat").unwrap();
    let addons: Vec<_> = (addons > 0).then_some((seat, addons)).into_iter().collect();
    let price = |_: &AddonId| Some(Money::new(1000, usd()));
    on_plan(subscription, &plan(8000), 2, &addons, &price).map(|price| price.amount)
}

#[test]
fn today_is_what_a_renewal_costs() {
    let paid = subscription(json!({"recurring_pre_tax_amount": 4321, "tax_inclusive": true}));
    assert_eq!(today(&paid), PeriodPrice { tax_inclusive: true, ..list(4321) });
    let yearly = subscription(json!({"payment_frequency_interval": "Year", "currency": "EUR"}));
    let year = Some(Period { interval: Interval::Year, count: 1 });
    let eur = Currency::parse("EUR").unwrap();
    assert_eq!(today(&yearly), PeriodPrice { period: year, currency: eur, ..list(6000) });
}

#[test]
fn another_plan_comes_with_seats_add_ons_and_the_discounts_that_stay() {
    let half = |more: Value| {
        let mut discount = json!({"type": "percentage", "amount": 5000, "preserve_on_plan_change": true});
        discount.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"discounts": [discount]})
    };
    for (patch, addons, cost) in [
        (json!({}), 0, Some(16_000)),
        (json!({"discounts": null}), 3, Some(19_000)),
        (half(json!({})), 3, Some(9500)),
        (half(json!({"cycles_remaining": 2})), 0, Some(8000)),
        // It ends with this period, it is for another plan, or it goes.
        (half(json!({"cycles_remaining": 0})), 0, Some(16_000)),
        (half(json!({"restricted_to": ["basic"]})), 0, Some(16_000)),
        (half(json!({"preserve_on_plan_change": false})), 0, Some(16_000)),
        (half(json!({"restricted_to": ["basic", "pro"]})), 0, Some(8000)),
        // How it is spread is Dodo's to say.
        (half(json!({"type": "flat"})), 0, None),
        (half(json!({"type": "barter"})), 0, None),
    ] {
        assert_eq!(on_pro(&subscription(patch.clone()), addons), cost, "{patch} {addons}");
    }
}

#[test]
fn an_add_on_of_unknown_price_leaves_the_cost_unknown() {
    let addons = [(AddonId::parse("seat").unwrap(), 1)];
    let eur = Money::new(1000, Currency::parse("EUR").unwrap());
    for price in [None, Some(eur), Some(Money::new(i64::MAX, usd()))] {
        assert_eq!(on_plan(&subscription(json!({})), &plan(8000), 1, &addons, &|_| price), None);
    }
}

#[test]
fn the_discount_that_ends_first_says_for_how_long_the_price_holds() {
    let with = |left: Value| {
        let discount = |left: &Value| json!({"type": "percentage", "amount": 1000, "cycles_remaining": left});
        let discounts: Vec<_> = left.as_array().unwrap().iter().map(discount).collect();
        discounted_renewals(&subscription(json!({"discounts": discounts})))
    };
    assert_eq!(with(json!([])), None);
    assert_eq!(with(json!([null])), None);
    assert_eq!(with(json!([3, null, 2])), Some(2));
    assert_eq!(with(json!([0, 5])), Some(5));
}

proptest! {
    /// Whatever the list says of today's plan, what is paid decides which way a change goes.
    #[test]
    fn the_direction_is_that_of_what_is_paid(paid in 0_i64..1_000_000, price in 0_i64..100_000, seats in 1_u32..50) {
        let subscription = subscription(json!({"recurring_pre_tax_amount": paid, "quantity": seats}));
        let after = on_plan(&subscription, &plan(price), seats, &[], &|_| None).unwrap();
        let kind = direction(false, today(&subscription), after);
        let expected = match (price * i64::from(seats)).cmp(&paid) {
            core::cmp::Ordering::Greater => ChangeKind::Upgrade,
            core::cmp::Ordering::Less => ChangeKind::Downgrade,
            core::cmp::Ordering::Equal => ChangeKind::Switch,
        };
        prop_assert_eq!(kind, expected);
    }
}
