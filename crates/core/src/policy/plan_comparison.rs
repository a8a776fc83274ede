//! Plans side by side: which way a change goes, what it costs more or less per the same period, what is gained and lost.
//!
//! Pure. What each plan costs comes from [`super::plan_cost`], features come from the merchant's rules. What a change charges
//! *now* is never computed here: that is the preview's business.

use dodo_client::types::plan_changes::ProrationMode;
use wire::{
    ChangeKind, CompareTo, Currency, EffectiveAt, Interval, Money, OfferKind, Period, PriceDifference,
    SpanComparison,
};

use crate::rules::{Feature, ProrationRules};

/// A price, and per what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeriodPrice {
    /// Minor units of `currency`.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// `None` for what is paid once.
    pub period: Option<Period>,
    /// Whether tax is within the amount.
    pub tax_inclusive: bool,
}

impl PeriodPrice {
    /// For so many of it. `None` where that is out of range.
    #[must_use]
    pub fn times(self, quantity: u32) -> Option<Self> {
        Some(Self { amount: self.amount.checked_mul(i64::from(quantity))?, ..self })
    }
}

/// How much dearer `to` is than `from`. `None` where the two cannot honestly be subtracted: other currency, other
/// period, tax within one of them only, out of range.
#[must_use]
pub fn difference(from: PeriodPrice, to: PeriodPrice) -> Option<PriceDifference> {
    if from.period != to.period || from.tax_inclusive != to.tax_inclusive {
        return None;
    }
    let difference =
        Money::new(to.amount, to.currency).checked_sub(Money::new(from.amount, from.currency)).ok()?;
    Some(PriceDifference { amount: difference.amount, currency: difference.currency, period: to.period })
}

/// Two prices whose periods differ, over the shortest time that is made of whole periods of both. `None` where there is no
/// such time that a person would count in (days and weeks never make up a month), where the periods are equally long, and
/// where [`difference`] would not subtract either.
#[must_use]
pub fn over_span(from: PeriodPrice, to: PeriodPrice) -> Option<SpanComparison> {
    let (from_months, to_months) = (months(from.period?)?, months(to.period?)?);
    if from_months == to_months || from.currency != to.currency || from.tax_inclusive != to.tax_inclusive {
        return None;
    }
    let span = lcm(from_months, to_months)?;
    let over = |price: PeriodPrice, months: u32| {
        price.amount.checked_mul(i64::from(span.checked_div(months)?)).filter(|total| *total >= 0)
    };
    Some(SpanComparison {
        span: match span.checked_rem(12)? {
            0 => Period { interval: Interval::Year, count: span.checked_div(12)? },
            _ => Period { interval: Interval::Month, count: span },
        },
        current: over(from, from_months)?,
        plan: over(to, to_months)?,
        currency: from.currency,
        break_even_months: break_even(from.amount, from_months, to.amount, to_months),
    })
}

/// After how many months payments of `from` make up one of `to`, which lasts longer. `None` where they do not within it:
/// then `to` is never the cheaper one.
fn break_even(from: i64, from_months: u32, to: i64, to_months: u32) -> Option<u32> {
    let payments = to.checked_add(from.checked_sub(1)?)?.checked_div(from)?;
    let months = u32::try_from(payments).ok()?.checked_mul(from_months)?;
    (months < to_months).then_some(months)
}

fn months(period: Period) -> Option<u32> {
    let months = match period.interval {
        Interval::Month => period.count,
        Interval::Year => period.count.checked_mul(12)?,
        Interval::Day | Interval::Week => return None,
    };
    (months > 0).then_some(months)
}

fn lcm(a: u32, b: u32) -> Option<u32> {
    let (mut divisor, mut rest) = (a, b);
    while let Some(next) = divisor.checked_rem(rest) {
        (divisor, rest) = (rest, next);
    }
    a.checked_div(divisor)?.checked_mul(b)
}

/// Which way a change from one plan to another goes.
#[must_use]
pub fn direction(same: bool, from: PeriodPrice, to: PeriodPrice) -> ChangeKind {
    if same {
        return ChangeKind::Current;
    }
    match difference(from, to).map(|difference| difference.amount.signum()) {
        Some(1) => ChangeKind::Upgrade,
        Some(-1) => ChangeKind::Downgrade,
        _ => ChangeKind::Switch,
    }
}

/// Which way a change goes for a subscriber who pays `today` and would pay `after`, where that is known.
#[must_use]
pub fn direction_for(same: bool, today: PeriodPrice, after: Option<PeriodPrice>) -> ChangeKind {
    match (same, after) {
        (true, _) => ChangeKind::Current,
        (false, Some(after)) => direction(false, today, after),
        (false, None) => ChangeKind::Switch,
    }
}

/// How a change is billed. At the next billing date Dodo takes the full new price only, whatever the rules say.
#[must_use]
pub fn proration(rules: &ProrationRules, kind: ChangeKind, effective_at: EffectiveAt) -> ProrationMode {
    if effective_at == EffectiveAt::NextBillingDate {
        return ProrationMode::FullImmediately;
    }
    match kind {
        ChangeKind::Upgrade => rules.upgrade,
        ChangeKind::Downgrade => rules.downgrade,
        // `switch` is documented to cover other seats and add-ons on the same plan.
        ChangeKind::Current | ChangeKind::Switch | ChangeKind::Other => rules.switch,
    }
}

/// What `to` has and `from` lacks, in `to`'s order and the buyer's language. Turned round it is what is lost.
#[must_use]
pub fn gained(from: &[Feature], to: &[Feature], locale: Option<&str>) -> Vec<String> {
    to.iter()
        .filter(|feature| !from.iter().any(|has| has.key == feature.key))
        .map(|feature| feature.words.get(locale).clone())
        .collect()
}

/// Whether a change of plan goes the way that its offer says: no "upgrade" costs the buyer less, no "downgrade" more. A
/// change that cannot be compared goes the way that the merchant says.
#[must_use]
pub fn goes_as_offered(offered: OfferKind, real: ChangeKind) -> bool {
    !matches!(
        (offered, real),
        (OfferKind::Upgrade, ChangeKind::Downgrade) | (OfferKind::Downgrade, ChangeKind::Upgrade)
    )
}

/// Returns what the buyer has today, to stand next to an offer. The difference is given only where it is what they pay: for
/// a plan change.
#[must_use]
pub fn compare_to(name: String, has: PeriodPrice, offered: Option<PeriodPrice>) -> CompareTo {
    CompareTo {
        name,
        price: has.amount,
        currency: has.currency,
        period: has.period,
        difference: offered.and_then(|offered| difference(has, offered)),
        lost_addons: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Amount, Localized};
    use proptest::prelude::*;
    use wire::Interval;

    const MONTH: Option<Period> = Some(Period { interval: Interval::Month, count: 1 });
    const YEAR: Option<Period> = Some(Period { interval: Interval::Year, count: 1 });
    const TWELVE_MONTHS: Option<Period> = Some(Period { interval: Interval::Month, count: 12 });

    fn price(amount: i64, code: &str, period: Option<Period>) -> PeriodPrice {
        PeriodPrice { amount, currency: Currency::parse(code).unwrap(), period, tax_inclusive: false }
    }

    #[test]
    fn directions() {
        let basic = price(3000, "USD", MONTH);
        for (same, to, kind, amount) in [
            (true, basic, ChangeKind::Current, Some(0)),
            (false, price(8000, "USD", MONTH), ChangeKind::Upgrade, Some(5000)),
            (false, price(2000, "USD", MONTH), ChangeKind::Downgrade, Some(-1000)),
            (false, price(3000, "USD", MONTH), ChangeKind::Switch, Some(0)),
            (false, price(80_000, "USD", YEAR), ChangeKind::Switch, None),
            (false, price(80_000, "USD", TWELVE_MONTHS), ChangeKind::Switch, None),
            (false, price(8000, "EUR", MONTH), ChangeKind::Switch, None),
            (false, price(8000, "USD", None), ChangeKind::Switch, None),
            (false, price(i64::MIN, "USD", MONTH), ChangeKind::Switch, None),
        ] {
            assert_eq!(direction(same, basic, to), kind, "{to:?}");
            assert_eq!(difference(basic, to).map(|d| d.amount), amount, "{to:?}");
        }
    }

    #[test]
    fn different_periods_are_compared_over_a_time_that_both_divide() {
        let months = |count| Some(Period { interval: Interval::Month, count });
        let years = |count| Some(Period { interval: Interval::Year, count });
        let usd = |amount, period| price(amount, "USD", period);
        for (from, to, expected) in [
            // $30 a month, $300 a year: ten payments make up the year.
            (usd(3000, MONTH), usd(30_000, YEAR), Some((YEAR, 36_000, 30_000, Some(10)))),
            // The tenth payment goes over it.
            (usd(3000, MONTH), usd(29_999, YEAR), Some((YEAR, 36_000, 29_999, Some(10)))),
            (usd(3000, MONTH), usd(27_000, YEAR), Some((YEAR, 36_000, 27_000, Some(9)))),
            // As dear as twelve payments: never cheaper.
            (usd(3000, MONTH), usd(36_000, YEAR), Some((YEAR, 36_000, 36_000, None))),
            (usd(3000, MONTH), usd(40_000, YEAR), Some((YEAR, 36_000, 40_000, None))),
            // And back.
            (usd(30_000, YEAR), usd(3000, MONTH), Some((YEAR, 30_000, 36_000, None))),
            (usd(8000, months(3)), usd(30_000, YEAR), Some((YEAR, 32_000, 30_000, None))),
            (usd(8000, months(3)), usd(20_000, YEAR), Some((YEAR, 32_000, 20_000, Some(9)))),
            (usd(4000, months(2)), usd(5000, months(3)), Some((months(6), 12_000, 10_000, None))),
            (usd(100, YEAR), usd(150, years(2)), Some((years(2), 200, 150, None))),
            (usd(0, MONTH), usd(0, YEAR), Some((YEAR, 0, 0, None))),
            // Equally long, other currency, no common time, out of range.
            (usd(3000, YEAR), usd(3000, TWELVE_MONTHS), None),
            (usd(3000, MONTH), price(30_000, "EUR", YEAR), None),
            (usd(3000, Some(Period { interval: Interval::Week, count: 4 })), usd(30_000, YEAR), None),
            (usd(3000, None), usd(30_000, YEAR), None),
            (usd(i64::MAX, MONTH), usd(30_000, YEAR), None),
            (usd(3000, months(0)), usd(30_000, YEAR), None),
        ] {
            let found = over_span(from, to)
                .map(|over| (Some(over.span), over.current, over.plan, over.break_even_months));
            assert_eq!(found, expected, "{from:?} {to:?}");
        }
    }

    #[test]
    fn the_next_billing_date_takes_one_mode_only() {
        let rules = ProrationRules {
            upgrade: ProrationMode::DifferenceImmediately,
            downgrade: ProrationMode::DoNotBill,
            switch: ProrationMode::ProratedImmediately,
        };
        for (kind, now) in [
            (ChangeKind::Upgrade, ProrationMode::DifferenceImmediately),
            (ChangeKind::Downgrade, ProrationMode::DoNotBill),
            (ChangeKind::Switch, ProrationMode::ProratedImmediately),
            (ChangeKind::Current, ProrationMode::ProratedImmediately),
        ] {
            assert_eq!(proration(&rules, kind, EffectiveAt::Immediately), now);
            assert_eq!(proration(&rules, kind, EffectiveAt::NextBillingDate), ProrationMode::FullImmediately);
        }
    }

    #[test]
    fn features_are_compared_by_key_and_told_in_the_buyers_language() {
        let feature = |key: &str, en: &str, ja: &str| Feature {
            key: key.into(),
            words: Localized::new([("en".into(), en.into()), ("ja".into(), ja.into())].into(), "en").unwrap(),
            amount: Amount::Uncounted,
        };
        let basic = [feature("a", "A", "あ"), feature("b", "B", "い")];
        let pro = [feature("c", "C", "う"), feature("a", "A, worded anew", "あ")];
        assert_eq!(gained(&basic, &pro, Some("ja-JP")), ["う"]);
        assert_eq!(gained(&pro, &basic, None), ["B"]);
    }

    #[test]
    fn a_difference_is_shown_only_where_it_is_what_is_paid() {
        let has = price(4900, "USD", None);
        assert_eq!(compare_to("Course".into(), has, None).difference, None);
        let (has, offered) = (price(3000, "USD", MONTH), price(8000, "USD", MONTH));
        let compared = compare_to("Basic".into(), has, Some(offered));
        assert_eq!(compared.difference.map(|d| d.amount), Some(5000));
    }

    #[test]
    fn prices_with_and_without_tax_are_not_compared() {
        let (net, year) = (price(3000, "USD", MONTH), price(30_000, "USD", YEAR));
        let gross = PeriodPrice { tax_inclusive: true, ..price(8000, "USD", MONTH) };
        assert_eq!((difference(net, gross), over_span(gross, year)), (None, None));
        assert_eq!(direction(false, net, gross), ChangeKind::Switch);
    }

    #[test]
    fn an_offer_goes_the_way_it_says_or_not_at_all() {
        use ChangeKind::{Downgrade, Other, Switch, Upgrade};
        for real in [Upgrade, Downgrade, Switch, Other] {
            assert_eq!(goes_as_offered(OfferKind::Upgrade, real), real != Downgrade, "{real:?}");
            assert_eq!(goes_as_offered(OfferKind::Downgrade, real), real != Upgrade, "{real:?}");
        }
    }

    proptest! {
        /// Until the break-even month today's plan has cost less than one period of the other, and from it on not.
        #[test]
        fn break_even_is_where_the_sums_cross(
            a in 1_i64..100_000, b in 0_i64..2_000_000, every in 1_u32..12, lasts in 2_u32..36,
        ) {
            let month = |count| Some(Period { interval: Interval::Month, count });
            let Some(over) = over_span(price(a, "USD", month(every)), price(b, "USD", month(lasts))) else {
                prop_assert_eq!(every, lasts);
                return Ok(());
            };
            let paid = |months: u32| a * i64::from(months / every);
            match over.break_even_months {
                Some(months) => {
                    prop_assert!(paid(months) >= b && months < lasts);
                    prop_assert!(months == 0 || paid(months - every) < b);
                }
                None => prop_assert!((0..lasts).all(|months| paid(months) < b)),
            }
        }

        /// There and back again is nothing, and the direction turns round.
        #[test]
        fn directions_are_opposite(a in 0_i64..1_000_000, b in 0_i64..1_000_000) {
            let (a, b) = (price(a, "USD", MONTH), price(b, "USD", MONTH));
            let there = difference(a, b).unwrap().amount;
            prop_assert_eq!(there, -difference(b, a).unwrap().amount);
            let turned = match direction(false, a, b) {
                ChangeKind::Upgrade => ChangeKind::Downgrade,
                ChangeKind::Downgrade => ChangeKind::Upgrade,
                other => other,
            };
            prop_assert_eq!(direction(false, b, a), turned);
        }
    }
}
