//! What was shown is what is charged, or nothing (I8). Pure.

use wire::{Money, Quote};

use super::pricing::Priced;

/// Whether `fresh`, made just before charging, may be collected from a buyer who agreed to `shown`.
///
/// The same currency, and in no respect worse for the buyer: not more collected, not more credit spent or less granted,
/// no dearer renewal, the same moment of effect, the same basis.
#[must_use]
pub fn may_collect(shown: &Quote, shown_basis: &str, fresh: &Priced) -> bool {
    shown.currency == fresh.currency
        && shown.effective_at == fresh.effective_at
        && shown_basis == fresh.basis_hash
        && fresh.total <= shown.total
        && cost(fresh.total, fresh.credit)
            .is_some_and(|fresh| cost(shown.total, shown.credit).is_some_and(|shown| fresh <= shown))
        && renewal_is_no_worse(shown, fresh)
}

/// Money and credit together: credit spent is a cost, credit granted the opposite.
fn cost(total: i64, credit: i64) -> Option<i64> {
    total.checked_sub(credit)
}

fn renewal_is_no_worse(shown: &Quote, fresh: &Priced) -> bool {
    match (&shown.renewal, &fresh.renewal) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(shown), Some(fresh)) => {
            fresh.amount <= shown.amount
                && fresh.period == shown.period
                // Tax inside before, and on top now, is dearer.
                && (fresh.tax_inclusive || !shown.tax_inclusive)
        }
    }
}

/// How what was collected relates to what was quoted. Anything but `AsQuoted` is an alert for the merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collected {
    /// The amount shown.
    AsQuoted,
    /// Less than shown.
    Less,
    /// More than shown.
    More,
    /// In another currency.
    OtherCurrency,
}

/// Compares what was collected with its quote.
#[must_use]
pub fn compare(shown: &Quote, collected: Money) -> Collected {
    if collected.currency != shown.currency {
        return Collected::OtherCurrency;
    }
    match collected.amount.cmp(&shown.total) {
        core::cmp::Ordering::Equal => Collected::AsQuoted,
        core::cmp::Ordering::Less => Collected::Less,
        core::cmp::Ordering::Greater => Collected::More,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wire::{Currency, EffectiveAt, Interval, Period, QuoteId, Renewal, UnixSeconds};

    use super::*;

    fn priced(total: i64, credit: i64) -> Priced {
        Priced {
            name: "Pro".into(),
            currency: Currency::parse("USD").unwrap(),
            lines: Vec::new(),
            tax: 0,
            tax_inclusive: false,
            credit,
            total,
            settlement: None,
            renewal: Some(Renewal {
                date: UnixSeconds(0),
                amount: 8000,
                tax_inclusive: false,
                period: Period { interval: Interval::Month, count: 1 },
            }),
            effective_at: EffectiveAt::Immediately,
            basis_hash: "b".into(),
            from_plan: None,
        }
    }

    fn shown(total: i64, credit: i64) -> Quote {
        priced(total, credit).into_quote(QuoteId::parse("qt_1").unwrap(), UnixSeconds(0), 0)
    }

    #[test]
    fn the_same_or_less_may_be_collected() {
        assert!(may_collect(&shown(5000, 0), "b", &priced(5000, 0)));
        assert!(may_collect(&shown(5000, 0), "b", &priced(4999, 0)));
        assert!(may_collect(&shown(0, 6000), "b", &priced(0, 6001)));
        assert!(!may_collect(&shown(5000, 0), "b", &priced(5001, 0)));
    }

    #[test]
    fn nothing_may_have_become_worse() {
        let ok = shown(5000, 0);
        type Change = fn(&mut Priced);
        let worse: [(&str, Change); 8] = [
            ("currency", |p| p.currency = Currency::parse("EUR").unwrap()),
            ("moment", |p| p.effective_at = EffectiveAt::NextBillingDate),
            ("basis", |p| p.basis_hash = "c".into()),
            ("more credit spent", |p| p.credit = -1),
            ("dearer renewal", |p| p.renewal.as_mut().unwrap().amount = 8001),
            ("shorter period", |p| p.renewal.as_mut().unwrap().period.interval = Interval::Week),
            ("total", |p| p.total = 5001),
            ("overflow", |p| p.credit = i64::MIN),
        ];
        for (what, change) in worse {
            let mut fresh = priced(5000, 0);
            change(&mut fresh);
            assert!(!may_collect(&ok, "b", &fresh), "{what}");
        }
        let mut once = shown(5000, 0);
        once.renewal = None;
        assert!(!may_collect(&once, "b", &priced(5000, 0)), "a renewal that was not shown");
        let mut inside = shown(5000, 0);
        inside.renewal.as_mut().unwrap().tax_inclusive = true;
        assert!(!may_collect(&inside, "b", &priced(5000, 0)), "tax on top of what was shown with tax inside");
        assert!(!may_collect(&shown(0, 6000), "b", &priced(0, 5999)), "less credit granted");
    }

    proptest! {
        /// I8.
        #[test]
        fn never_more_than_shown(a in 0_i64..100_000, b in 0_i64..100_000, ca in -50_000_i64..50_000, cb in -50_000_i64..50_000) {
            if may_collect(&shown(a, ca), "b", &priced(b, cb)) {
                prop_assert!(b <= a);
                prop_assert!(b - cb <= a - ca);
            }
        }
    }

    #[test]
    fn what_was_collected_is_compared() {
        let collected = |amount, code| Money::new(amount, Currency::parse(code).unwrap());
        let shown = shown(5000, 0);
        assert_eq!(compare(&shown, collected(5000, "USD")), Collected::AsQuoted);
        assert_eq!(compare(&shown, collected(4999, "USD")), Collected::Less);
        assert_eq!(compare(&shown, collected(5001, "USD")), Collected::More);
        assert_eq!(compare(&shown, collected(5000, "EUR")), Collected::OtherCurrency);
    }
}
