//! Which plan those chose most often who changed from the buyer's. Pure.
//!
//! The share is said together with the days that it is counted over, so that it can be held against what happened. A tie
//! has no plan that is chosen most often; of few changes none is made much of, and nobody's own can be read off them.

use wire::{PlanShare, ProductId};

use crate::{domain::PlanChanges, rules::Recommendation};

/// The plan to mark for somebody who has `today`, and its share of all changes away from there.
#[must_use]
pub fn most_chosen(
    changes: &[PlanChanges],
    today: &ProductId,
    rule: Recommendation,
) -> Option<(ProductId, PlanShare)> {
    let away = || changes.iter().filter(|change| change.from == *today && change.to != *today);
    let all = away().try_fold(0_u64, |sum, change| sum.checked_add(change.subscriptions.into()))?;
    if all < u64::from(rule.at_least) {
        return None;
    }
    let most = away().max_by_key(|change| change.subscriptions)?;
    if away().any(|other| other.to != most.to && other.subscriptions == most.subscriptions) {
        return None;
    }
    let percent = u64::from(most.subscriptions).checked_mul(100)?.checked_div(all)?;
    let percent = u32::try_from(percent).ok()?;
    Some((most.to.clone(), PlanShare { percent, days: rule.window_days }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULE: Recommendation = Recommendation { window_days: 90, at_least: 10 };

    fn product(id: &str) -> ProductId {
        ProductId::parse(id).unwrap()
    }

    fn changes(list: &[(&str, &str, u32)]) -> Vec<PlanChanges> {
        let change = |(from, to, subscriptions): &(&str, &str, u32)| PlanChanges {
            from: product(from),
            to: product(to),
            subscriptions: *subscriptions,
        };
        list.iter().map(change).collect()
    }

    #[test]
    fn the_plan_with_the_most_changes_from_todays_is_marked() {
        for (list, marked) in [
            (vec![], None),
            // Too few in all, however clear.
            (vec![("basic", "pro", 9)], None),
            (vec![("basic", "pro", 10)], Some(("pro", 100))),
            (vec![("basic", "pro", 8), ("basic", "max", 2)], Some(("pro", 80))),
            // Rounded down: two thirds are 66 %, and 199 of 200 are not all.
            (vec![("basic", "max", 10), ("basic", "pro", 20)], Some(("pro", 66))),
            (vec![("basic", "max", 1), ("basic", "pro", 199)], Some(("pro", 99))),
            // The most need not be half of them.
            (vec![("basic", "max", 4), ("basic", "mini", 4), ("basic", "pro", 5)], Some(("pro", 38))),
            // A tie at the top; one below it is none.
            (vec![("basic", "max", 6), ("basic", "pro", 6)], None),
            (vec![("basic", "max", 6), ("basic", "mini", 1), ("basic", "pro", 6)], None),
            (vec![("basic", "max", 3), ("basic", "mini", 3), ("basic", "pro", 6)], Some(("pro", 50))),
            // What others changed from says nothing, nor do changes to today's plan.
            (vec![("basic", "pro", 9), ("max", "pro", 100), ("pro", "basic", 100)], None),
            (vec![("basic", "pro", 9), ("basic", "basic", 100)], None),
            (vec![("basic", "pro", u32::MAX), ("basic", "max", u32::MAX - 1)], Some(("pro", 50))),
        ] {
            let found = most_chosen(&changes(&list), &product("basic"), RULE);
            let expected =
                marked.map(|(id, percent)| (product(id), PlanShare { percent, days: RULE.window_days }));
            assert_eq!(found, expected, "{list:?}");
        }
    }

    proptest! {
        /// Whatever the counts and their order: a marked plan has more than each other, its share is true and not
        /// rounded up, and there is one exactly where there are enough changes and no tie.
        #[test]
        fn a_share_is_true(counts in prop::collection::vec(0_u32..40, 0..6), at_least in 10_u32..60) {
            let plans: Vec<String> = (0..counts.len()).map(|no| format!("plan_{no}")).collect();
            let list: Vec<_> =
                plans.iter().zip(&counts).map(|(to, count)| ("basic", to.as_str(), *count)).collect();
            let mut list = changes(&list);
            list.push(changes(&[("plan_0", "basic", 500)]).remove(0));
            let rule = Recommendation { window_days: 7, at_least };
            let found = most_chosen(&list, &product("basic"), rule);
            let (all, most) = (counts.iter().sum::<u32>(), counts.iter().max().copied().unwrap_or(0));
            let first = counts.iter().filter(|count| **count == most).count() == 1;
            prop_assert_eq!(found.is_some(), all >= at_least && first);
            if let Some((id, share)) = &found {
                let place = plans.iter().position(|plan| plan == id.as_str()).unwrap();
                prop_assert_eq!((counts[place], share.days), (most, 7));
                prop_assert!(share.percent * all <= most * 100 && (share.percent + 1) * all > most * 100);
            }
            list.reverse();
            prop_assert_eq!(most_chosen(&list, &product("basic"), rule), found);
        }
    }
}
