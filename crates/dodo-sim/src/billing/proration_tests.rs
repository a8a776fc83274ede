//! The worked numbers that Dodo's documentation publishes, and those derived from the newer formula.

use super::*;
use crate::model::catalogue::{Every, TimeInterval};
use crate::model::subscription::PlanAddon;
use proptest::prelude::*;

const MONTHLY: Every = Every { count: 1, interval: TimeInterval::Month };

fn plan(product_id: &str, unit_price: i64, seats: i64) -> Plan {
    let addons = if seats == 0 {
        Vec::new()
    } else {
        vec![PlanAddon {
            addon_id: "adn_seats".into(),
            name: "Seats".into(),
            quantity: seats,
            unit_price: 1000,
            tax_category: "saas".into(),
        }]
    };
    Plan {
        product_id: product_id.into(),
        quantity: 1,
        unit_price,
        addons,
        currency: "USD".parse().unwrap(),
        tax_inclusive: false,
        frequency: MONTHLY,
        usage_based: false,
        discount_codes: Vec::new(),
    }
}

/// `(old price, old seats) → (new price, new seats)` after `used` of 30 days.
struct Case {
    from: (i64, i64),
    to: (i64, i64),
    mode: ProrationMode,
    used: i64,
}

impl Case {
    fn price(&self, policy: &Policy) -> ChangePrice {
        self.try_price(policy, 0, 0).unwrap()
    }

    fn try_price(&self, policy: &Policy, credit: i64, tax_bps: i64) -> Result<ChangePrice, ChangeError> {
        price(
            &Change {
                old: &plan("old", self.from.0, self.from.1),
                new: &plan("new", self.to.0, self.to.1),
                mode: self.mode,
                remaining: Ratio::new(30 - self.used, 30),
                period_paid: true,
                tax_bps,
                credit,
                minimum: 50,
            },
            policy,
        )
    }

    /// Charge and credit.
    fn outcome(&self, policy: &Policy) -> (i64, i64) {
        let price = self.price(policy);
        (price.due, price.credit_granted)
    }
}

fn current() -> Policy {
    Policy { proration_engine: ProrationEngine::Current, ..Policy::default() }
}

use ProrationMode::{
    DifferenceImmediately, DoNotBill, FullImmediately, ProratedImmediately, ProratedImmediatelyKeepCycle,
};

#[test]
fn published_numbers_of_the_classic_engine() {
    let cases = [
        (
            "1 upgrade, prorated",
            Case { from: (3000, 0), to: (8000, 0), mode: ProratedImmediately, used: 15 },
            (2500, 0),
        ),
        (
            "2 downgrade, prorated",
            Case { from: (8000, 0), to: (2000, 0), mode: ProratedImmediately, used: 15 },
            (0, 3000),
        ),
        (
            "3 upgrade, difference",
            Case { from: (3000, 0), to: (8000, 0), mode: DifferenceImmediately, used: 7 },
            (5000, 0),
        ),
        (
            "4 downgrade, difference",
            Case { from: (8000, 0), to: (2000, 0), mode: DifferenceImmediately, used: 7 },
            (0, 6000),
        ),
        (
            "5 downgrade, difference",
            Case { from: (8000, 0), to: (3000, 0), mode: DifferenceImmediately, used: 0 },
            (0, 5000),
        ),
        (
            "6 downgrade, difference",
            Case { from: (5000, 0), to: (2000, 0), mode: DifferenceImmediately, used: 29 },
            (0, 3000),
        ),
        (
            "7 upgrade, full",
            Case { from: (3000, 0), to: (8000, 0), mode: FullImmediately, used: 15 },
            (8000, 0),
        ),
        (
            "8 upgrade with seats, prorated",
            Case { from: (3000, 0), to: (8000, 3), mode: ProratedImmediately, used: 15 },
            (4000, 0),
        ),
        (
            "9 five seats more, prorated",
            Case { from: (9900, 10), to: (9900, 15), mode: ProratedImmediately, used: 15 },
            (2500, 0),
        ),
        (
            "10 five seats more, difference",
            Case { from: (9900, 10), to: (9900, 15), mode: DifferenceImmediately, used: 15 },
            (5000, 0),
        ),
        (
            "11 five seats more, not billed",
            Case { from: (9900, 10), to: (9900, 15), mode: DoNotBill, used: 15 },
            (0, 0),
        ),
        (
            "12 three seats fewer, prorated",
            Case { from: (9900, 10), to: (9900, 7), mode: ProratedImmediately, used: 20 },
            (0, 1000),
        ),
    ];
    for (name, case, expected) in cases {
        assert_eq!(case.outcome(&Policy::default()), expected, "{name}");
    }
}

/// Derived from "the full new price less what is left of the old one"; Dodo publishes no numbers for it.
#[test]
fn derived_numbers_of_the_current_engine() {
    let cases = [
        (
            "13 upgrade",
            Case { from: (3000, 0), to: (8000, 0), mode: ProratedImmediately, used: 15 },
            (6500, 0),
        ),
        (
            "14 downgrade",
            Case { from: (8000, 0), to: (2000, 0), mode: ProratedImmediately, used: 15 },
            (0, 2000),
        ),
        (
            "15 late downgrade charges",
            Case { from: (8000, 0), to: (2000, 0), mode: ProratedImmediately, used: 29 },
            (1733, 0),
        ),
        (
            "16 keeps the cycle",
            Case { from: (3000, 0), to: (8000, 0), mode: ProratedImmediatelyKeepCycle, used: 20 },
            (1667, 0),
        ),
        ("17 not billed", Case { from: (3000, 0), to: (8000, 0), mode: DoNotBill, used: 20 }, (0, 0)),
    ];
    for (name, case, expected) in cases {
        assert_eq!(case.outcome(&current()), expected, "{name}");
    }
}

/// The same changes in the generation for which nobody publishes their numbers; those of the other are above.
#[test]
fn each_vector_in_the_other_generation() {
    let case = |from, to, mode, used| Case { from, to, mode, used };
    let classic = Policy::default();
    let cases = [
        ("1", case((3000, 0), (8000, 0), ProratedImmediately, 15), &current(), (6500, 0)),
        ("2", case((8000, 0), (2000, 0), ProratedImmediately, 15), &current(), (0, 2000)),
        ("3", case((3000, 0), (8000, 0), DifferenceImmediately, 7), &current(), (5000, 0)),
        ("4", case((8000, 0), (2000, 0), DifferenceImmediately, 7), &current(), (0, 6000)),
        ("5", case((8000, 0), (3000, 0), DifferenceImmediately, 0), &current(), (0, 5000)),
        ("6", case((5000, 0), (2000, 0), DifferenceImmediately, 29), &current(), (0, 3000)),
        ("7", case((3000, 0), (8000, 0), FullImmediately, 15), &current(), (8000, 0)),
        ("8", case((3000, 0), (8000, 3), ProratedImmediately, 15), &current(), (9500, 0)),
        ("9", case((9900, 10), (9900, 15), ProratedImmediately, 15), &current(), (14_950, 0)),
        ("10", case((9900, 10), (9900, 15), DifferenceImmediately, 15), &current(), (5000, 0)),
        ("11", case((9900, 10), (9900, 15), DoNotBill, 15), &current(), (0, 0)),
        ("12", case((9900, 10), (9900, 7), ProratedImmediately, 20), &current(), (10_267, 0)),
        ("13", case((3000, 0), (8000, 0), ProratedImmediately, 15), &classic, (2500, 0)),
        ("14", case((8000, 0), (2000, 0), ProratedImmediately, 15), &classic, (0, 3000)),
        ("15", case((8000, 0), (2000, 0), ProratedImmediately, 29), &classic, (0, 200)),
        ("16", case((3000, 0), (8000, 0), ProratedImmediatelyKeepCycle, 20), &classic, (1667, 0)),
        ("17", case((3000, 0), (8000, 0), DoNotBill, 20), &classic, (0, 0)),
    ];
    for (name, case, policy, expected) in cases {
        assert_eq!(case.outcome(policy), expected, "{name}");
    }
}

#[test]
fn who_moves_the_billing_date() {
    let cycle =
        |mode, policy: &Policy| Case { from: (3000, 0), to: (8000, 0), mode, used: 15 }.price(policy).cycle;
    let classic = Policy::default();
    let documented_in_2026 = Policy { classic_resets_cycle: true, ..Policy::default() };
    for mode in [ProratedImmediately, DifferenceImmediately] {
        assert_eq!(cycle(mode, &classic), CycleEffect::Keep);
        assert_eq!(cycle(mode, &documented_in_2026), CycleEffect::Restart);
        assert_eq!(cycle(mode, &current()), CycleEffect::Restart);
    }
    for policy in [&classic, &current()] {
        assert_eq!(cycle(FullImmediately, policy), CycleEffect::Restart);
        assert_eq!(cycle(DoNotBill, policy), CycleEffect::Keep);
        assert_eq!(cycle(ProratedImmediatelyKeepCycle, policy), CycleEffect::Keep);
    }
}

#[test]
fn existing_credit_pays_first() {
    let upgrade = Case { from: (3000, 0), to: (8000, 0), mode: DifferenceImmediately, used: 0 };
    let price = upgrade.try_price(&Policy::default(), 1200, 0).unwrap();
    assert_eq!((price.credit_spent, price.due), (1200, 3800));
    let price = upgrade.try_price(&Policy::default(), 9000, 0).unwrap();
    assert_eq!((price.credit_spent, price.due), (5000, 0));
}

#[test]
fn less_than_the_gateway_takes_is_refused_or_topped_up() {
    let upgrade = Case { from: (3000, 0), to: (3020, 0), mode: DifferenceImmediately, used: 0 };
    assert_eq!(upgrade.try_price(&Policy::default(), 0, 0), Err(ChangeError::BelowMinimum));
    let top_up = Policy { below_minimum: BelowMinimum::TopUp, ..Policy::default() };
    let price = upgrade.try_price(&top_up, 0, 0).unwrap();
    assert_eq!((price.due, price.credit_granted), (50, 30));
}

#[test]
fn tax_follows_each_line() {
    let upgrade = Case { from: (3000, 0), to: (8000, 0), mode: ProratedImmediately, used: 15 };
    let price = upgrade.try_price(&Policy::default(), 0, 1900).unwrap();
    assert_eq!((price.tax, price.due), (475, 2975));
    assert_eq!((price.lines[0].full_tax, price.lines[0].tax, price.lines[1].tax), (1520, 760, -285));

    let downgrade = Case { from: (8000, 0), to: (2000, 0), mode: DifferenceImmediately, used: 0 };
    assert_eq!(downgrade.try_price(&Policy::default(), 0, 1900).unwrap().credit_granted, 7140);
    let net_only = Policy { credit_includes_tax: false, ..Policy::default() };
    assert_eq!(downgrade.try_price(&net_only, 0, 1900).unwrap().credit_granted, 6000);
}

#[test]
fn an_unpaid_trial_gives_nothing_back_and_starts_a_period() {
    let (old, new) = (plan("old", 3000, 0), plan("new", 8000, 0));
    let change = Change {
        old: &old,
        new: &new,
        mode: DifferenceImmediately,
        remaining: Ratio::new(10, 14),
        period_paid: false,
        tax_bps: 0,
        credit: 0,
        minimum: 50,
    };
    let price = price(&change, &Policy::default()).unwrap();
    assert_eq!((price.due, price.cycle), (8000, CycleEffect::Restart));
}

#[test]
fn another_interval_buys_a_whole_period_from_today() {
    let old = plan("monthly", 8000, 0);
    let new =
        Plan { frequency: Every { count: 1, interval: TimeInterval::Year }, ..plan("yearly", 80_000, 0) };
    let change = Change {
        old: &old,
        new: &new,
        mode: ProratedImmediately,
        remaining: Ratio::new(15, 30),
        period_paid: true,
        tax_bps: 0,
        credit: 0,
        minimum: 50,
    };
    let price = price(&change, &Policy::default()).unwrap();
    assert_eq!((price.due, price.cycle), (76_000, CycleEffect::Restart));
}

proptest! {
    /// Money is never made or lost: what is charged and spent is what the lines say plus what is granted.
    #[test]
    fn the_books_balance(
        from in 0i64..1_000_000, to in 0i64..1_000_000, old_seats in 0i64..50, new_seats in 0i64..50,
        used in 0i64..=30, credit in 0i64..1_000_000, tax_bps in 0i64..3000, mode in 0usize..5, new_engine: bool,
    ) {
        let modes = [
            ProratedImmediately, FullImmediately, DifferenceImmediately, DoNotBill, ProratedImmediatelyKeepCycle,
        ];
        let mut policy = if new_engine { current() } else { Policy::default() };
        policy.below_minimum = BelowMinimum::TopUp;
        let case = Case { from: (from, old_seats), to: (to, new_seats), mode: modes[mode], used };
        let price = case.try_price(&policy, credit, tax_bps).unwrap();
        prop_assert_eq!(price.due + price.credit_spent - price.credit_granted, price.before_credit);
        prop_assert!(price.due == 0 || price.due >= 50);
        prop_assert!(price.credit_spent <= credit);
        prop_assert!(price.credit_spent == 0 || price.credit_granted == 0 || price.due == 50);
    }
}
