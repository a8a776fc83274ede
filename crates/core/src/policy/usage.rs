//! What a buyer has used, next to what plans allow. Pure.
//!
//! The figures are the merchant's own, sent with the session; limits stand in the rules. Nothing is guessed: where nothing
//! is counted, nothing is said.

use wire::{FeatureUsage, LimitChange, PlanLimit, Usage};

use crate::rules::{Amount, Feature};

/// From this share of a limit on, in percent, it is near.
const NEAR: u32 = 80;

/// What has been used of today's plan, in the order of its features. What the plan does not have is left out.
#[must_use]
pub fn of_today(today: &[Feature], used: &[FeatureUsage], locale: Option<&str>) -> Vec<Usage> {
    today
        .iter()
        .filter_map(|feature| {
            let used = used_of(feature, used)?;
            let limit = limit(feature.amount);
            Some(Usage {
                name: feature.words.get(locale).clone(),
                used,
                limit,
                percent: limit.and_then(|limit| percent(used, limit)),
            })
        })
        .collect()
}

/// Whether all that is counted stays well below its limit, and something is counted at all.
#[must_use]
pub fn fits(usage: &[Usage]) -> bool {
    let mut limited = usage.iter().filter(|usage| usage.limit.is_some()).peekable();
    limited.peek().is_some() && limited.all(|usage| usage.percent.is_some_and(|percent| percent < NEAR))
}

/// A plan's limits next to today's, and next to what has been used.
#[must_use]
pub fn limits(
    today: &[Feature],
    plan: &[Feature],
    used: &[FeatureUsage],
    locale: Option<&str>,
) -> Vec<PlanLimit> {
    plan.iter()
        .filter(|feature| feature.amount != Amount::Uncounted)
        .map(|feature| {
            let has = today.iter().find(|has| has.key == feature.key).map(|has| has.amount);
            let limit = limit(feature.amount);
            PlanLimit {
                name: feature.words.get(locale).clone(),
                limit,
                change: change(has, feature.amount),
                exceeded: used_of(feature, used).zip(limit).is_some_and(|(used, limit)| used > limit),
            }
        })
        .collect()
}

fn change(today: Option<Amount>, plan: Amount) -> LimitChange {
    match (today, plan) {
        (None, _) => LimitChange::More,
        (Some(Amount::UpTo(today)), Amount::UpTo(plan)) if plan < today => LimitChange::Less,
        (Some(Amount::UpTo(today)), Amount::UpTo(plan)) if plan == today => LimitChange::Same,
        (Some(Amount::UpTo(_)), _) => LimitChange::More,
        (Some(_), Amount::UpTo(_)) => LimitChange::Less,
        (Some(_), _) => LimitChange::Same,
    }
}

fn used_of(feature: &Feature, used: &[FeatureUsage]) -> Option<u64> {
    used.iter().find(|usage| usage.feature == feature.key).map(|usage| usage.used)
}

fn limit(amount: Amount) -> Option<u64> {
    match amount {
        Amount::UpTo(limit) => Some(limit),
        Amount::Uncounted | Amount::Unlimited => None,
    }
}

/// Whole percent, rounded down: a limit is not called reached before it is. `None` beyond what a page can show.
fn percent(used: u64, limit: u64) -> Option<u32> {
    let percent = u128::from(used).checked_mul(100)?.checked_div(u128::from(limit))?;
    u32::try_from(percent).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::Localized;

    fn feature(key: &str, amount: Amount) -> Feature {
        let words = [("en".to_owned(), key.to_uppercase()), ("ja".to_owned(), "あ".to_owned())].into();
        Feature { key: key.to_owned(), words: Localized::new(words, "en").unwrap(), amount }
    }

    fn used(feature: &str, used: u64) -> FeatureUsage {
        FeatureUsage { feature: feature.to_owned(), used }
    }

    #[test]
    fn what_was_used_is_held_against_todays_limits_only() {
        let today = [
            feature("lessons", Amount::UpTo(10_000)),
            feature("forum", Amount::Uncounted),
            feature("seats", Amount::Unlimited),
        ];
        let usage = of_today(&today, &[used("seats", 3), used("lessons", 9_299), used("gone", 1)], None);
        let of = |name: &str, used, limit, percent| Usage { name: name.to_owned(), used, limit, percent };
        assert_eq!(usage, [of("LESSONS", 9_299, Some(10_000), Some(92)), of("SEATS", 3, None, None)]);
        assert_eq!(of_today(&today, &[used("lessons", 1)], Some("ja-JP"))[0].name, "あ");
    }

    #[test]
    fn a_plan_fits_where_every_limit_is_far_off_and_there_is_one() {
        let today = [
            feature("a", Amount::UpTo(100)),
            feature("b", Amount::UpTo(10)),
            feature("c", Amount::Unlimited),
        ];
        for (usage, fits_it) in [
            (vec![], false),
            (vec![used("c", 1)], false),
            (vec![used("a", 79)], true),
            (vec![used("a", 80)], false),
            (vec![used("a", 0), used("b", 7)], true),
            (vec![used("a", 0), used("b", 8)], false),
            (vec![used("a", 250)], false),
            (vec![used("a", u64::MAX)], false),
        ] {
            assert_eq!(fits(&of_today(&today, &usage, None)), fits_it, "{usage:?}");
        }
    }

    #[test]
    fn limits_are_told_with_their_direction_and_whether_they_are_enough() {
        use Amount::{Uncounted, Unlimited, UpTo};
        use LimitChange::{Less, More, Same};
        for (today, plan, expected) in [
            (Some(UpTo(10)), UpTo(20), More),
            (Some(UpTo(10)), UpTo(10), Same),
            (Some(UpTo(10)), UpTo(5), Less),
            (Some(UpTo(10)), Unlimited, More),
            (Some(Unlimited), UpTo(5), Less),
            (Some(Unlimited), Unlimited, Same),
            (None, UpTo(5), More),
            (None, Unlimited, More),
        ] {
            let today: Vec<_> = today.map(|amount| feature("a", amount)).into_iter().collect();
            let plan = [feature("a", plan), feature("b", Uncounted)];
            let told = limits(&today, &plan, &[used("a", 6)], None);
            assert_eq!((told.len(), told[0].change), (1, expected), "{today:?} {plan:?}");
            assert_eq!(told[0].exceeded, plan[0].amount == UpTo(5));
        }
    }

    proptest! {
        #[test]
        fn percent_is_never_rounded_up(used in 0_u64.., limit in 1_u64..) {
            if let Some(percent) = percent(used, limit) {
                prop_assert!(u128::from(percent) * u128::from(limit) <= u128::from(used) * 100);
                prop_assert!((u128::from(percent) + 1) * u128::from(limit) > u128::from(used) * 100);
            }
        }
    }
}
