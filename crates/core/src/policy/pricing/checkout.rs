//! A new purchase, from `POST /checkouts/preview`.

use dodo_client::types::checkouts::{Breakup, CheckoutPreview, PreviewLine};
use wire::{EffectiveAt, LineKind, Period, ProductId, QuoteLine, Renewal};

use super::{Priced, PricingError, quantity};

/// Prices one product. `fallback_name` is used where the preview has none; `period` is the product's billing period,
/// when it is a plan.
///
/// # Errors
/// When the preview cannot be explained; see [`PricingError`].
pub fn checkout(
    preview: &CheckoutPreview,
    product: &ProductId,
    fallback_name: &str,
    period: Option<Period>,
) -> Result<Priced, PricingError> {
    let [line] = preview.product_cart.as_slice() else { return Err(PricingError::OtherProduct) };
    if line.product_id != *product {
        return Err(PricingError::OtherProduct);
    }
    if preview.total_price < 0 {
        return Err(PricingError::Negative);
    }
    let name = line.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| fallback_name.to_owned());
    let tax = preview.total_tax.or(preview.current_breakup.tax).unwrap_or(0);
    let (tax_inclusive, lines) = lines(preview, line, &name, tax)?;
    Ok(Priced {
        name,
        currency: preview.currency,
        lines,
        tax,
        tax_inclusive,
        credit: 0,
        total: preview.total_price,
        settlement: None,
        renewal: renewal(preview, line, period)?,
        effective_at: EffectiveAt::Immediately,
        basis_hash: String::new(),
        from_plan: None,
    })
}

/// Dodo does not say whether the subtotal holds the tax; which of the two explains the total decides.
fn lines(
    preview: &CheckoutPreview,
    line: &PreviewLine,
    name: &str,
    tax: i64,
) -> Result<(bool, Vec<QuoteLine>), PricingError> {
    let Breakup { subtotal, discount, .. } = preview.current_breakup;
    let net = subtotal.checked_sub(discount).ok_or(PricingError::OutOfRange)?;
    let with_tax = net.checked_add(tax).ok_or(PricingError::OutOfRange)?;
    let tax_inclusive = match (with_tax == preview.total_price, net == preview.total_price) {
        (true, true) => line.tax_inclusive,
        (true, false) => false,
        (false, true) => true,
        (false, false) => return Err(PricingError::DoesNotAddUp),
    };
    let mut lines = vec![QuoteLine {
        kind: if line.is_subscription { LineKind::Plan } else { LineKind::Product },
        name: name.to_owned(),
        quantity: quantity(line.quantity)?,
        amount: subtotal,
        prorated: false,
    }];
    if discount != 0 {
        lines.push(QuoteLine {
            kind: LineKind::Discount,
            name: String::new(),
            quantity: 1,
            amount: discount.checked_neg().ok_or(PricingError::OutOfRange)?,
            prorated: false,
        });
    }
    Ok((tax_inclusive, lines))
}

/// Returns what comes next, for what renews by the catalogue or by the preview. Where a part of it is not known, nothing is
/// shown: a plan without its renewal would look like something paid once.
fn renewal(
    preview: &CheckoutPreview,
    line: &PreviewLine,
    period: Option<Period>,
) -> Result<Option<Renewal>, PricingError> {
    match (period, preview.recurring_breakup, preview.next_billing_date) {
        (None, None, _) if !line.is_subscription => Ok(None),
        (Some(period), Some(recurring), Some(date)) => {
            Ok(Some(Renewal { date, amount: recurring.total_amount, tax_inclusive: true, period }))
        }
        _ => Err(PricingError::RenewalUnknown),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn preview(patch: serde_json::Value) -> CheckoutPreview {
        let mut value = json!({
            "billing_country": "DE", "currency": "EUR", "total_price": 5831, "total_tax": 931,
            "current_breakup": {"subtotal": 4900, "discount": 0, "tax": 931, "total_amount": 5831},
            "product_cart": [{"product_id": "prod_kit", "quantity": 1, "name": "Toolkit", "currency": "EUR",
                "discounted_price": 4900, "og_price": 4900, "og_currency": "EUR", "tax_inclusive": false}]
        });
        value.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
        serde_json::from_value(value).unwrap()
    }

    fn price(patch: serde_json::Value) -> Result<Priced, PricingError> {
        checkout(&preview(patch), &ProductId::parse("prod_kit").unwrap(), "fallback", None)
    }

    fn quote(priced: Priced) -> wire::Quote {
        priced.into_quote(wire::QuoteId::parse("qt_1").unwrap(), wire::UnixSeconds(0), 0)
    }

    #[test]
    fn tax_on_top_and_tax_inside_are_told_apart_by_the_sum() {
        let on_top = price(json!({})).unwrap();
        assert!(!on_top.tax_inclusive);
        assert_eq!((on_top.tax, on_top.total, on_top.lines[0].amount), (931, 5831, 4900));
        assert!(quote(on_top).adds_up());

        let inside = price(json!({"total_price": 4900, "total_tax": 782,
            "current_breakup": {"subtotal": 4900, "discount": 0, "tax": 782, "total_amount": 4900}}))
        .unwrap();
        assert!(inside.tax_inclusive);
        assert!(quote(inside).adds_up());
    }

    #[test]
    fn a_discount_is_a_line_of_its_own() {
        let priced = price(json!({"total_price": 4410, "total_tax": 0,
            "current_breakup": {"subtotal": 4900, "discount": 490, "tax": 0, "total_amount": 4410}}))
        .unwrap();
        let amounts: Vec<_> = priced.lines.iter().map(|line| (line.kind, line.amount)).collect();
        assert_eq!(amounts, [(LineKind::Product, 4900), (LineKind::Discount, -490)]);
        assert!(quote(priced).adds_up());
    }

    #[test]
    fn a_plan_says_when_and_for_how_much_it_renews_or_is_not_shown() {
        let month = Some(Period { interval: wire::Interval::Month, count: 1 });
        let priced = |patch, period| {
            checkout(&preview(patch), &ProductId::parse("prod_kit").unwrap(), "fallback", period)
                .map(|priced| priced.renewal.map(|renewal| renewal.amount))
        };
        let recurring = json!({"subtotal": 4900, "discount": 0, "tax": 931, "total_amount": 5831});
        let date = "2026-02-01T00:00:00Z";
        let whole = json!({"recurring_breakup": recurring, "next_billing_date": date});
        assert_eq!(priced(whole.clone(), month), Ok(Some(5831)));
        for part in [
            json!({"recurring_breakup": recurring}),
            json!({"next_billing_date": date}),
            json!({"recurring_breakup": null, "next_billing_date": null}),
        ] {
            assert_eq!(priced(part.clone(), month), Err(PricingError::RenewalUnknown), "{part}");
        }
        // A preview that renews what the catalogue says is paid once.
        assert_eq!(priced(whole, None), Err(PricingError::RenewalUnknown));
        assert_eq!(priced(json!({}), None), Ok(None));
    }

    #[test]
    fn what_cannot_be_explained_is_not_shown() {
        assert_eq!(price(json!({"total_price": 5000})), Err(PricingError::DoesNotAddUp));
        assert_eq!(
            price(json!({"total_price": -1, "total_tax": 0,
                "current_breakup": {"subtotal": -1, "total_amount": -1}})),
            Err(PricingError::Negative)
        );
        assert_eq!(price(json!({"product_cart": []})), Err(PricingError::OtherProduct));
        let other = checkout(&preview(json!({})), &ProductId::parse("prod_x").unwrap(), "", None);
        assert_eq!(other, Err(PricingError::OtherProduct));
    }
}
