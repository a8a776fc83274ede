//! The worked numbers of Dodo's documentation and those derived from its newer formula, in both generations of its
//! proration: what the quote shows, line by line, and that it is what is collected. I8.

use dodo_client::types::plan_changes::ProrationMode::{
    self, DifferenceImmediately, DoNotBill, FullImmediately, ProratedImmediately,
    ProratedImmediatelyKeepCycle,
};
use dodo_sim::SimConfig;
use serde_json::json;
use upsell_core::domain::ChargePlan;
use wire::AttemptStatus;

use super::rig::{Rig, change_to};

/// Price of a plan and its extra seats, each for 1000.
type Has = (i64, u32);
/// The lines of a quote.
type Lines = &'static [i64];

/// Number, before, after, mode, days used of thirty, lines of the older and of the newer generation.
const VECTORS: [(u32, Has, Has, ProrationMode, u64, Lines, Lines); 17] = [
    (1, (3000, 0), (8000, 0), ProratedImmediately, 15, &[4000, -1500], &[8000, -1500]),
    (2, (8000, 0), (2000, 0), ProratedImmediately, 15, &[1000, -4000], &[2000, -4000]),
    (3, (3000, 0), (8000, 0), DifferenceImmediately, 7, &[8000, -3000], &[8000, -3000]),
    (4, (8000, 0), (2000, 0), DifferenceImmediately, 7, &[2000, -8000], &[2000, -8000]),
    (5, (8000, 0), (3000, 0), DifferenceImmediately, 0, &[3000, -8000], &[3000, -8000]),
    (6, (5000, 0), (2000, 0), DifferenceImmediately, 29, &[2000, -5000], &[2000, -5000]),
    (7, (3000, 0), (8000, 0), FullImmediately, 15, &[8000], &[8000]),
    (8, (3000, 0), (8000, 3), ProratedImmediately, 15, &[4000, 1500, -1500], &[8000, 3000, -1500]),
    (
        9,
        (9900, 10),
        (9900, 15),
        ProratedImmediately,
        15,
        &[4950, 7500, -4950, -5000],
        &[9900, 15_000, -4950, -5000],
    ),
    (
        10,
        (9900, 10),
        (9900, 15),
        DifferenceImmediately,
        15,
        &[9900, 15_000, -9900, -10_000],
        &[9900, 15_000, -9900, -10_000],
    ),
    (11, (9900, 10), (9900, 15), DoNotBill, 15, &[], &[]),
    (
        12,
        (9900, 10),
        (9900, 7),
        ProratedImmediately,
        20,
        &[3300, 2333, -3300, -3333],
        &[9900, 7000, -3300, -3333],
    ),
    // Derived from the newer formula: Dodo publishes no numbers for it.
    (13, (3000, 0), (8000, 0), ProratedImmediately, 15, &[4000, -1500], &[8000, -1500]),
    (14, (8000, 0), (2000, 0), ProratedImmediately, 15, &[1000, -4000], &[2000, -4000]),
    (15, (8000, 0), (2000, 0), ProratedImmediately, 29, &[67, -267], &[2000, -267]),
    (16, (3000, 0), (8000, 0), ProratedImmediatelyKeepCycle, 20, &[2667, -1000], &[2667, -1000]),
    (17, (3000, 0), (8000, 0), DoNotBill, 20, &[], &[]),
];

/// Due and credited, as published or derived, in the older and the newer generation.
const AMOUNTS: [((i64, i64), (i64, i64)); 17] = [
    ((2500, 0), (6500, 0)),
    ((0, 3000), (0, 2000)),
    ((5000, 0), (5000, 0)),
    ((0, 6000), (0, 6000)),
    ((0, 5000), (0, 5000)),
    ((0, 3000), (0, 3000)),
    ((8000, 0), (8000, 0)),
    ((4000, 0), (9500, 0)),
    ((2500, 0), (14_950, 0)),
    ((5000, 0), (5000, 0)),
    ((0, 0), (0, 0)),
    ((0, 1000), (10_267, 0)),
    ((2500, 0), (6500, 0)),
    ((0, 3000), (0, 2000)),
    ((0, 200), (1733, 0)),
    ((1667, 0), (1667, 0)),
    ((0, 0), (0, 0)),
];

#[tokio::test]
async fn the_older_generation_is_quoted_and_collected_as_published() {
    for (vector, amounts) in VECTORS.into_iter().zip(AMOUNTS) {
        let (number, from, to, mode, used, lines, _) = vector;
        quoted_and_collected("classic", number, (from, to), (mode, used), lines, amounts.0).await;
    }
}

#[tokio::test]
async fn the_newer_generation_is_quoted_and_collected_as_derived() {
    for (vector, amounts) in VECTORS.into_iter().zip(AMOUNTS) {
        let (number, from, to, mode, used, _, lines) = vector;
        quoted_and_collected("current", number, (from, to), (mode, used), lines, amounts.1).await;
    }
}

async fn quoted_and_collected(
    engine: &str,
    number: u32,
    (from, to): (Has, Has),
    (mode, days): (ProrationMode, u64),
    lines: Lines,
    (due, credit): (i64, i64),
) {
    // The clock stands, so that a period that begins with the change begins when it was previewed.
    let rig = Rig::start_with(SimConfig { clock_speed: 0, ..SimConfig::default() }).await;
    rig.dodo.switch(json!({"proration_engine": engine, "month_step": "thirty_days"})).unwrap();
    // The same plan with other seats, or from one plan to another.
    let (before, after) = match from.0 == to.0 {
        true => ("prod_pro_plan", "prod_pro_plan"),
        false => ("prod_basic_plan", "prod_pro_plan"),
    };
    for (product, price) in [(before, from.0), (after, to.0)] {
        rig.dodo
            .control()
            .product(product, serde_json::from_value(json!({"price": price})).unwrap())
            .unwrap();
    }
    let had = (from.1 > 0).then(|| json!({"addon_id": "adn_seats", "quantity": from.1}));
    let (session, id) = rig.subscriber(before, had.into_iter().collect());
    rig.dodo.control().advance(std::time::Duration::from_secs(days * 86_400));
    let mut plan = change_to(&id, after);
    let ChargePlan::PlanChange { addons, proration, .. } = &mut plan else { panic!("a plan change") };
    *proration = mode;
    addons.extend((to.1 > 0).then(|| (wire::AddonId::parse("adn_seats").unwrap(), to.1)));
    let row = rig.previewed(&session, &plan).await;
    let quote = &row.quote;
    assert_eq!((quote.total, quote.credit), (due, credit), "vector {number}, {engine}");
    let shown: Vec<i64> = quote.lines.iter().map(|line| line.amount).collect();
    assert_eq!(shown, lines, "vector {number}, {engine}");
    assert!(quote.adds_up(), "vector {number}, {engine}");
    let renewal = quote.renewal.unwrap();
    assert_eq!(renewal.amount, to.0 + 1000 * i64::from(to.1), "vector {number}, {engine}");
    let attempt = rig.change(&session, &row, "key-1").await.unwrap();
    let attempt = rig.until_settled(&session, attempt).await;
    assert_eq!(attempt.status, Some(AttemptStatus::Succeeded), "vector {number}, {engine}");
    let receipt = attempt.receipt.unwrap();
    assert_eq!((receipt.amount, receipt.credit), (due, credit), "vector {number}, {engine}");
    let collected: Vec<i64> = rig
        .dodo
        .payments_of(session.customer_id.as_str())
        .iter()
        .skip(1)
        .map(|charge| charge.amount)
        .collect();
    assert_eq!(collected.iter().sum::<i64>(), due, "vector {number}, {engine}: {collected:?}");
    let next = rig.client.get_subscription(&id).await.unwrap().next_billing_date.0;
    assert_eq!(next, renewal.date.0, "vector {number}, {engine}");
}
