//! I8 over everything that an amount can depend on: what is shown is what is quoted, sent for and collected, to the minor
//! unit, or nothing is charged.
//!
//! Without HTTP and store: the simulator's own arithmetic, called in the process and read as the client reads its JSON;
//! then the proxy's body of the request, its way from a preview to a quote, and its lock before the charge.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::Context as _;
use dodo_client::{
    ids::SubscriptionId,
    types::{plan_changes::ProrationMode, plan_preview::PlanChangePreview, subscriptions::Subscription},
};
use dodo_sim::ProductPatch;
use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};
use proxy::gateway::change_body;
use serde_json::{Value, json};
use testkit::{Dodo, GOOD_CARD, Subscriber};
use upsell_core::{
    domain::ChargePlan,
    policy::{
        pricing::{self, Priced},
        quote_lock::{Collected, compare, may_collect},
    },
};
use wire::{AddonId, Currency, EffectiveAt, Money, ProductId, Quote, QuoteId, UnixSeconds};

use super::shop;

/// A price that every gateway takes: the subscription has to begin.
const LEAST: i64 = 50;

/// What happens between the preview and the confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meanwhile {
    Nothing,
    /// So many seconds pass.
    Time(u32),
    /// The plan that is wanted costs this.
    Price(i64),
    /// Somebody else adds a seat.
    Seat,
}

/// What somebody has, or wants.
#[derive(Clone, Copy, Debug)]
struct Side {
    plan: usize,
    /// Of one seat.
    price: i64,
    seats: u32,
    /// Extra seats and disks, where the plan carries them.
    extras: (u32, u32),
}

/// One subscriber and the change that they want.
#[derive(Clone, Debug)]
struct Case {
    currency: &'static str,
    country: &'static str,
    from: Side,
    to: Side,
    /// Paid too much for the first period and got it back as credit.
    credit: i64,
    /// Seconds since the period began.
    used: u32,
    mode: ProrationMode,
    at_once: bool,
    tax_inclusive: bool,
    switches: Value,
    meanwhile: Meanwhile,
}

fn cases() -> impl Strategy<Value = Case> {
    let side = || {
        (0..shop::PLANS.len(), LEAST..2_000_000, 1_u32..60, (0_u32..4, 0_u32..4))
            .prop_map(|(plan, price, seats, extras)| Side { plan, price, seats, extras })
    };
    let mode = select(vec![
        ProrationMode::ProratedImmediately,
        ProrationMode::DifferenceImmediately,
        ProrationMode::FullImmediately,
        ProrationMode::DoNotBill,
        ProrationMode::ProratedImmediatelyKeepCycle,
    ]);
    let meanwhile = prop_oneof![
        4 => Just(Meanwhile::Nothing),
        2 => (1_u32..200_000).prop_map(Meanwhile::Time),
        2 => (1_i64..2_000_000).prop_map(Meanwhile::Price),
        1 => Just(Meanwhile::Seat),
    ];
    let switches = (
        select(vec!["classic", "current"]),
        select(vec!["day", "second"]),
        select(vec!["half_up", "down"]),
        select(vec!["signed", "new_plan_only"]),
        select(vec!["post_credit", "pre_credit"]),
        select(vec!["reject", "top_up"]),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(engine, granularity, rounding, lines, total, minimum, resets, taxed)| {
            json!({
                "proration_engine": engine, "proration_granularity": granularity, "rounding": rounding,
                "preview_lines": lines, "summary_total": total, "below_minimum": minimum,
                "classic_resets_cycle": resets, "credit_includes_tax": taxed,
            })
        });
    (
        (select(vec!["USD", "JPY", "KWD"]), select(vec!["US", "DE", "JP"])),
        (side(), side()),
        prop_oneof![Just(0_i64), 1_i64..3_000_000],
        0_u32..27 * 86_400,
        (mode, prop::bool::weighted(0.9), any::<bool>()),
        switches,
        meanwhile,
    )
        .prop_map(
            |(
                (currency, country),
                (from, to),
                credit,
                used,
                (mode, at_once, tax_inclusive),
                switches,
                meanwhile,
            )| {
                Case {
                    currency,
                    country,
                    from,
                    to,
                    credit,
                    used,
                    mode,
                    at_once,
                    tax_inclusive,
                    switches,
                    meanwhile,
                }
            },
        )
}

/// How a case ended.
enum Ending {
    /// Dodo does not price it, before or after what happened.
    Unpriced,
    /// Something had changed, and nothing was charged.
    Refused,
    /// What was confirmed was done, and is as it was shown.
    Kept,
    /// It is not.
    Wrong(String),
}

/// Tries `count` cases from a seed. Tells how many changes were carried out, or the smallest case that breaks the promise.
///
/// # Errors
/// When the shop does not open.
pub(super) async fn hold(count: u32, seed: u64) -> anyhow::Result<Result<u32, String>> {
    let dodo = shop::open(seed).await?;
    tokio::task::spawn_blocking(move || {
        let config = Config { cases: count, failure_persistence: None, ..Config::default() };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let carried_out = AtomicU32::new(0);
        let held = TestRunner::new_with_rng(config, rng).run(&cases(), |case| {
            match end_of(&dodo, &case).map_err(|error| TestCaseError::fail(format!("{error:#}")))? {
                Ending::Unpriced | Ending::Refused => Ok(()),
                Ending::Kept => {
                    carried_out.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                }
                Ending::Wrong(what) => Err(TestCaseError::fail(what)),
            }
        });
        match held {
            Ok(()) => Ok(carried_out.into_inner()),
            Err(TestError::Fail(why, case)) => Err(format!("{why}: {case:?}")),
            Err(TestError::Abort(why)) => Err(why.to_string()),
        }
    })
    .await
    .context("a case panicked")
}

/// Plays one case.
fn end_of(dodo: &Dodo, case: &Case) -> anyhow::Result<Ending> {
    let who = subscribed(dodo, case)?;
    let plan = planned(case, &who)?;
    let Some((shown, basis)) = previewed(dodo, case, &plan, &who)? else { return Ok(Ending::Unpriced) };
    let shown = shown?;
    let quote = shown.clone().into_quote(QuoteId::parse("qt_1")?, UnixSeconds(i64::MAX), 300);
    if !quote.adds_up() {
        return Ok(Ending::Wrong(format!("does not add up: {quote:?}")));
    }
    happen(dodo, case, &who)?;
    let (payments, paid) = collected(dodo, &who);
    let credit = dodo.credit_of(&who.customer)?;
    // What the proxy does before it charges: the subscription and the price once more.
    let Some((fresh, now)) = previewed(dodo, case, &plan, &who)? else { return Ok(Ending::Unpriced) };
    let fresh = fresh?;
    let same_basis = pricing::basis_hash(&basis) == pricing::basis_hash(&now);
    if !same_basis || !may_collect(&quote, &shown.basis_hash, &fresh) {
        let untouched = case.meanwhile == Meanwhile::Nothing;
        return Ok(match untouched {
            true => Ending::Wrong(format!("nothing has changed, and it is refused: {fresh:?}")),
            false => Ending::Refused,
        });
    }
    dodo.control()
        .change_plan(who.subscription.as_str(), serde_json::to_value(change_body(&plan, None)?)?)?;
    let (all_payments, all_paid) = collected(dodo, &who);
    let came = Came {
        payments: all_payments.saturating_sub(payments),
        amount: Money::new(all_paid.saturating_sub(paid), Currency::parse(case.currency)?),
        credit: dodo.credit_of(&who.customer)?.saturating_sub(credit),
        subscription: read(dodo, &who)?,
    };
    Ok(against(case, &quote, &fresh, &came).map_or(Ending::Kept, Ending::Wrong))
}

/// What came of a change.
struct Came {
    payments: usize,
    amount: Money,
    credit: i64,
    subscription: Subscription,
}

/// What was shown against what came of it.
fn against(case: &Case, quote: &Quote, fresh: &Priced, came: &Came) -> Option<String> {
    let Came { payments, amount, credit, subscription } = came;
    let compared = compare(quote, *amount);
    let steady = !matches!(case.meanwhile, Meanwhile::Price(_) | Meanwhile::Time(_));
    // Cheaper by the time of the confirmation: less than shown may be collected, and never more.
    let allowed = match compared {
        Collected::AsQuoted => true,
        Collected::Less => !steady,
        Collected::More | Collected::OtherCurrency => false,
    };
    if !allowed || amount.amount != fresh.total || *payments > 1 {
        return Some(format!(
            "shown {}, asked again {}, collected {amount:?} in {payments}",
            quote.total, fresh.total
        ));
    }
    if *credit != fresh.credit {
        return Some(format!("credit of {} was shown, and it is {credit}", fresh.credit));
    }
    let renewal = fresh.renewal.as_ref()?;
    let renews = (subscription.recurring_pre_tax_amount, subscription.next_billing_date.0);
    (case.at_once && renews != (renewal.amount, renewal.date.0))
        .then(|| format!("renewal {renewal:?} was shown, and it is {renews:?}"))
}

/// A world of its own, with the subscription in the middle of its period.
fn subscribed(dodo: &Dodo, case: &Case) -> anyhow::Result<Subscriber> {
    dodo.control().reset();
    dodo.switch(case.switches.clone())?;
    let Side { plan, price, seats, .. } = case.from;
    let product = product(plan, case);
    let list = |product: &str, price: i64| {
        let inclusive = Some(case.tax_inclusive);
        let patch = ProductPatch { price: Some(price), tax_inclusive: inclusive, ..ProductPatch::default() };
        dodo.control().product(product, patch)
    };
    list(&product, price.saturating_add(case.credit))?;
    let customer = dodo.customer_in(Some(GOOD_CARD), case.country)?;
    let had = addons(case, case.from);
    let who = dodo.subscribe(&customer, &product, seats, &had, 0)?;
    list(&product, price)?;
    if case.credit > 0 {
        let listed: Vec<Value> =
            had.iter().map(|(id, quantity)| json!({"addon_id": id, "quantity": quantity})).collect();
        let body = json!({
            "product_id": product, "quantity": seats, "addons": listed,
            "proration_billing_mode": "difference_immediately",
        });
        dodo.control().change_plan(who.subscription.as_str(), body)?;
    }
    dodo.control().advance(Duration::from_secs(u64::from(case.used)));
    // To the same plan, this is what it has come to cost.
    list(&self::product(case.to.plan, case), case.to.price)?;
    Ok(who)
}

fn product(plan: usize, case: &Case) -> String {
    shop::product(shop::PLANS[plan].0, case.currency)
}

/// Those of a side that its plan carries.
fn addons(case: &Case, side: Side) -> BTreeMap<String, u32> {
    [("seats", side.extras.0), ("disk", side.extras.1)]
        .into_iter()
        .map(|(name, quantity)| (shop::addon(name, case.currency), quantity))
        .filter(|(id, quantity)| *quantity > 0 && shop::carries(&product(side.plan, case), id))
        .collect()
}

fn planned(case: &Case, who: &Subscriber) -> anyhow::Result<ChargePlan> {
    let (proration, effective_at) = match case.at_once {
        true => (case.mode, EffectiveAt::Immediately),
        false => (ProrationMode::FullImmediately, EffectiveAt::NextBillingDate),
    };
    let addons = addons(case, case.to);
    Ok(ChargePlan::PlanChange {
        subscription_id: SubscriptionId::parse(who.subscription.as_str())?,
        product_id: ProductId::parse(product(case.to.plan, case))?,
        quantity: case.to.seats,
        addons: addons
            .into_iter()
            .map(|(id, n)| Ok((AddonId::parse(id)?, n)))
            .collect::<anyhow::Result<_>>()?,
        proration,
        effective_at,
    })
}

/// A price, as far as it can be explained, and what it rests on.
type Asked = (Result<Priced, pricing::PricingError>, Subscription);

/// The subscription and, as the proxy would, its price for the change; `None` where Dodo does not price it.
fn previewed(dodo: &Dodo, case: &Case, plan: &ChargePlan, who: &Subscriber) -> anyhow::Result<Option<Asked>> {
    let basis = read(dodo, who)?;
    let body = serde_json::to_value(change_body(plan, None)?)?;
    let Ok(preview) = dodo.control().preview_plan_change(who.subscription.as_str(), body) else {
        return Ok(None);
    };
    let preview: PlanChangePreview = serde_json::from_value(preview)?;
    let ChargePlan::PlanChange { product_id, effective_at, .. } = plan else { return Ok(None) };
    let (_, _, yearly, _) = shop::PLANS[case.to.plan];
    let interval = if yearly { wire::Interval::Year } else { wire::Interval::Month };
    let period = wire::Period { interval, count: 1 };
    let priced = pricing::plan_change(&preview, product_id, "plan", Some(period), *effective_at, &basis);
    Ok(Some((priced, basis)))
}

fn happen(dodo: &Dodo, case: &Case, who: &Subscriber) -> anyhow::Result<()> {
    match case.meanwhile {
        Meanwhile::Nothing => Ok(()),
        Meanwhile::Time(seconds) => {
            dodo.control().advance(Duration::from_secs(u64::from(seconds)));
            Ok(())
        }
        Meanwhile::Price(price) => dodo.reprice(&product(case.to.plan, case), price),
        Meanwhile::Seat => dodo.change_elsewhere(
            &who.subscription,
            case.from.seats.saturating_add(1),
            &addons(case, case.from),
        ),
    }
}

fn read(dodo: &Dodo, who: &Subscriber) -> anyhow::Result<Subscription> {
    Ok(serde_json::from_value(dodo.subscription(&who.subscription)?)?)
}

/// Payments for changes of the plan, and their sum.
fn collected(dodo: &Dodo, who: &Subscriber) -> (usize, i64) {
    let charges = dodo.collected_for_changes_of(&who.subscription);
    (charges.len(), charges.iter().map(|charge| charge.amount).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// I8.
    #[tokio::test]
    async fn what_is_shown_is_what_is_collected_or_nothing_is() {
        let carried_out = hold(2_000, 1).await.unwrap().unwrap();
        assert!(carried_out > 1_000, "only {carried_out} changes were carried out");
    }
}
