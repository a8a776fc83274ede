//! Worked numbers of Dodo's documentation, and previews that are not what they should be.

use serde_json::{Value, json};
use wire::Interval;

use super::*;

fn subscription(patch: Value) -> Value {
    let mut value = json!({
        "subscription_id": "sub_1", "product_id": "prod_pro", "quantity": 1, "status": "active", "currency": "USD",
        "recurring_pre_tax_amount": 8000, "customer": {"customer_id": "cus_1"},
        "previous_billing_date": "2026-01-01T00:00:00Z", "next_billing_date": "2026-02-01T00:00:00Z",
        "payment_frequency_count": 1, "payment_frequency_interval": "Month"
    });
    value.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
    value
}

fn line(product: &str, unit_price: i64, factor: &str) -> Value {
    json!({"type": "subscription", "id": "l", "product_id": product, "name": product, "quantity": 1,
           "unit_price": unit_price, "proration_factor": factor, "currency": "USD", "tax_inclusive": false})
}

fn summary(due: i64, credits: i64, tax: i64) -> Value {
    json!({"currency": "USD", "total_amount": due, "tax": tax, "customer_credits": credits,
           "settlement_amount": due, "settlement_currency": "USD", "settlement_tax": tax})
}

fn price(lines: Value, summary: Value) -> Result<Priced, PricingError> {
    let preview = json!({
        "immediate_charge": {"line_items": lines, "summary": summary}, "new_plan": subscription(json!({}))
    });
    let basis = serde_json::from_value(subscription(json!({"product_id": "prod_basic"}))).unwrap();
    let month = Period { interval: Interval::Month, count: 1 };
    plan_change(
        &serde_json::from_value(preview).unwrap(),
        &ProductId::parse("prod_pro").unwrap(),
        "Pro",
        Some(month),
        EffectiveAt::Immediately,
        &basis,
    )
}

fn amounts(priced: &Priced) -> Vec<i64> {
    priced.lines.iter().map(|line| line.amount).collect()
}

fn adds_up(priced: &Priced) -> bool {
    priced.clone().into_quote(wire::QuoteId::parse("qt_1").unwrap(), wire::UnixSeconds(0), 0).adds_up()
}

#[test]
fn an_upgrade_by_difference_charges_the_difference() {
    let priced =
        price(json!([line("prod_pro", 8000, "1"), line("prod_basic", 3000, "-1")]), summary(5000, 0, 0))
            .unwrap();
    assert_eq!(amounts(&priced), [8000, -3000]);
    assert_eq!((priced.total, priced.credit), (5000, 0));
    assert!(priced.lines.iter().all(|line| !line.prorated));
    assert!(adds_up(&priced));
    let renewal = priced.renewal.unwrap();
    assert_eq!((renewal.amount, renewal.date.0), (8000, 1_769_904_000));
}

#[test]
fn a_prorated_upgrade_in_the_middle_of_the_month() {
    let priced =
        price(json!([line("prod_pro", 8000, "0.5"), line("prod_basic", 3000, "-0.5")]), summary(2500, 0, 0))
            .unwrap();
    assert_eq!(amounts(&priced), [4000, -1500]);
    assert!(priced.lines.iter().all(|line| line.prorated));
    assert!(adds_up(&priced));
}

#[test]
fn a_downgrade_grants_credit_and_charges_nothing() {
    let priced =
        price(json!([line("prod_pro", 2000, "1"), line("prod_max", 8000, "-1")]), summary(0, 6000, 0))
            .unwrap();
    assert_eq!((priced.total, priced.credit), (0, 6000));
    assert_eq!(amounts(&priced), [2000, -8000]);
    assert!(adds_up(&priced));
}

#[test]
fn spent_credit_lowers_the_amount_due() {
    let priced =
        price(json!([line("prod_pro", 8000, "1"), line("prod_basic", 3000, "-1")]), summary(4000, -1000, 0))
            .unwrap();
    assert_eq!((priced.total, priced.credit), (4000, -1000));
    assert!(adds_up(&priced));
}

#[test]
fn tax_on_top_is_stated_apart() {
    let priced =
        price(json!([line("prod_pro", 8000, "1"), line("prod_basic", 3000, "-1")]), summary(5950, 0, 950))
            .unwrap();
    assert_eq!((priced.total, priced.tax, priced.tax_inclusive), (5950, 950, false));
    assert!(adds_up(&priced));
}

#[test]
fn a_cent_of_rounding_goes_to_the_largest_line() {
    let priced = price(
        json!([line("prod_pro", 8000, "0.33333"), line("prod_basic", 3000, "-0.33333")]),
        summary(1668, 0, 0),
    )
    .unwrap();
    assert_eq!(amounts(&priced), [2668, -1000]);
    assert!(adds_up(&priced));
}

#[test]
fn lines_that_explain_nothing_become_one() {
    let unknown = json!({"type": "barter", "id": "x"});
    for lines in [json!([]), json!([unknown]), json!([line("prod_pro", 8000, "1")])] {
        let priced = price(lines.clone(), summary(5000, 0, 0)).unwrap();
        assert_eq!(amounts(&priced), [5000], "{lines}");
        assert!(adds_up(&priced));
    }
}

/// Found by reading for the fuzz target `upstream_json`: the difference of -2⁶³ has no absolute value, which panicked where
/// overflow is checked, and passed for a rounding where it is not.
#[test]
fn a_difference_as_large_as_can_be_is_no_rounding() {
    let priced = price(json!([line("prod_pro", 0, "1")]), summary(0, i64::MAX, 1)).unwrap();
    assert_eq!(amounts(&priced), [i64::MIN]);
    assert!(priced.lines[0].prorated, "the one line that explains everything");
    assert!(adds_up(&priced));
}

#[test]
fn lines_whose_rounding_does_not_fit_become_one() {
    let lines = [line("prod_pro", i64::MAX - 1, "1"), line("prod_a", 1, "1"), line("prod_basic", 10, "-1")];
    let priced = price(json!(lines), summary(i64::MAX - 9, 0, 0)).unwrap();
    assert_eq!(amounts(&priced), [i64::MAX - 9]);
    assert!(adds_up(&priced));
}

#[test]
fn tax_inside_every_line_stays_inside() {
    let mut inclusive = line("prod_pro", 8000, "1");
    inclusive["tax_inclusive"] = json!(true);
    inclusive["tax"] = json!(727);
    let priced = price(json!([inclusive]), summary(8000, 0, 727)).unwrap();
    assert!(priced.tax_inclusive);
    assert_eq!((priced.total, priced.tax, amounts(&priced)), (8000, 727, vec![8000]));
    assert!(adds_up(&priced));
}

#[test]
fn another_settlement_currency_is_shown_beside_the_total() {
    let summary = json!({"currency": "USD", "total_amount": 5000, "tax": 0, "customer_credits": 0,
        "settlement_amount": 4600, "settlement_currency": "EUR"});
    let priced =
        price(json!([line("prod_pro", 8000, "1"), line("prod_basic", 3000, "-1")]), summary).unwrap();
    assert_eq!(priced.total, 5000);
    assert_eq!(priced.settlement.unwrap(), Money::new(4600, wire::Currency::parse("EUR").unwrap()));
    assert!(adds_up(&priced));
}

#[test]
fn a_preview_of_something_else_or_of_less_than_nothing_is_refused() {
    assert_eq!(price(json!([]), summary(-1, 0, 0)), Err(PricingError::Negative));
    let preview = json!({"immediate_charge": {"line_items": [], "summary": summary(0, 0, 0)},
                         "new_plan": subscription(json!({"product_id": "prod_max"}))});
    let basis: Subscription = serde_json::from_value(subscription(json!({}))).unwrap();
    let priced = plan_change(
        &serde_json::from_value(preview).unwrap(),
        &ProductId::parse("prod_pro").unwrap(),
        "Pro",
        None,
        EffectiveAt::Immediately,
        &basis,
    );
    assert_eq!(priced, Err(PricingError::OtherProduct));
}

#[test]
fn the_basis_is_what_a_quote_rests_on_and_nothing_else() {
    let hash = |patch: Value| basis_hash(&serde_json::from_value(subscription(patch)).unwrap());
    let same = hash(json!({}));
    assert_eq!(hash(json!({"metadata": {"a": "b"}, "payment_method_id": "pm_2"})), same);
    let two = json!([{"addon_id": "adn_a", "quantity": 1}, {"addon_id": "adn_b", "quantity": 2}]);
    let swapped = json!([{"addon_id": "adn_b", "quantity": 2}, {"addon_id": "adn_a", "quantity": 1}]);
    assert_eq!(hash(json!({"addons": two})), hash(json!({"addons": swapped})));
    for other in [
        json!({"product_id": "prod_max"}),
        json!({"quantity": 2}),
        // What it costs decides how its change is billed.
        json!({"recurring_pre_tax_amount": 4000}),
        json!({"addons": [{"addon_id": "adn_a", "quantity": 1}]}),
        json!({"next_billing_date": "2026-02-02T00:00:00Z"}),
        json!({"status": "on_hold"}),
        json!({"cancel_at_next_billing_date": true}),
        json!({"scheduled_change": {"product_id": "prod_max", "quantity": 1, "effective_at": "2026-02-01T00:00:00Z"}}),
    ] {
        assert_ne!(hash(other.clone()), same, "{other}");
    }
}

#[test]
fn a_renewal_in_another_currency_or_without_a_period_is_not_shown() {
    let priced = |renews_in: &str, period| {
        let preview = json!({
            "immediate_charge": {"line_items": [], "summary": summary(0, 0, 0)},
            "new_plan": subscription(json!({"currency": renews_in})),
        });
        let basis = serde_json::from_value(subscription(json!({"product_id": "prod_basic"}))).unwrap();
        plan_change(
            &serde_json::from_value(preview).unwrap(),
            &ProductId::parse("prod_pro").unwrap(),
            "Pro",
            period,
            EffectiveAt::Immediately,
            &basis,
        )
    };
    let month = Some(Period { interval: Interval::Month, count: 1 });
    assert!(priced("USD", month).is_ok());
    assert_eq!(priced("EUR", month), Err(PricingError::RenewalUnknown));
    assert_eq!(priced("USD", None), Err(PricingError::RenewalUnknown));
}
