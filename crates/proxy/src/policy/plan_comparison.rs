//! Plans side by side: which way a change goes, what it costs more or less per the same period, what is gained and lost.
//!
//! Pure. Prices come from the catalogue, features from the merchant's rules. What a change charges *now* is never
//! computed here: that is the preview's business.

use dodo_client::calls::plan_changes::ProrationMode;
use wire::{ChangeKind, CompareTo, Currency, EffectiveAt, Money, Period, PriceDifference};

use crate::rules::{Feature, ProrationRules};

/// A price, and per what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListPrice {
    /// Minor units of `currency`.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// `None` for what is paid once.
    pub period: Option<Period>,
}

/// How much dearer `to` is than `from`. `None` where the two cannot honestly be subtracted: other currency, other
/// period, out of range.
#[must_use]
pub fn difference(from: ListPrice, to: ListPrice) -> Option<PriceDifference> {
    if from.period != to.period {
        return None;
    }
    let difference =
        Money::new(to.amount, to.currency).checked_sub(Money::new(from.amount, from.currency)).ok()?;
    Some(PriceDifference { amount: difference.amount, currency: difference.currency, period: to.period })
}

/// Which way a change from one plan to another goes.
#[must_use]
pub fn direction(same: bool, from: ListPrice, to: ListPrice) -> ChangeKind {
    if same {
        return ChangeKind::Current;
    }
    match difference(from, to).map(|difference| difference.amount.signum()) {
        Some(1) => ChangeKind::Upgrade,
        Some(-1) => ChangeKind::Downgrade,
        _ => ChangeKind::Switch,
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
        // The same plan with other seats or add-ons is neither dearer nor cheaper by its list price.
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

/// What the buyer has today next to an offer. Only where the difference is what they pay is it given: a plan change.
#[must_use]
pub fn compare_to(name: String, has: ListPrice, offered: ListPrice, changes_plan: bool) -> CompareTo {
    CompareTo {
        name,
        price: has.amount,
        currency: has.currency,
        period: has.period,
        difference: changes_plan.then(|| difference(has, offered)).flatten(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Localized;
    use proptest::prelude::*;
    use wire::Interval;

    const MONTH: Option<Period> = Some(Period { interval: Interval::Month, count: 1 });
    const YEAR: Option<Period> = Some(Period { interval: Interval::Year, count: 1 });
    const TWELVE_MONTHS: Option<Period> = Some(Period { interval: Interval::Month, count: 12 });

    fn price(amount: i64, code: &str, period: Option<Period>) -> ListPrice {
        ListPrice { amount, currency: Currency::parse(code).unwrap(), period }
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
        };
        let basic = [feature("a", "A", "あ"), feature("b", "B", "い")];
        let pro = [feature("c", "C", "う"), feature("a", "A, worded anew", "あ")];
        assert_eq!(gained(&basic, &pro, Some("ja-JP")), ["う"]);
        assert_eq!(gained(&pro, &basic, None), ["B"]);
    }

    #[test]
    fn a_difference_is_shown_only_where_it_is_what_is_paid() {
        let (has, offered) = (price(4900, "USD", None), price(12_900, "USD", None));
        assert_eq!(compare_to("Course".into(), has, offered, false).difference, None);
        let (has, offered) = (price(3000, "USD", MONTH), price(8000, "USD", MONTH));
        assert_eq!(compare_to("Basic".into(), has, offered, true).difference.map(|d| d.amount), Some(5000));
    }

    proptest! {
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
