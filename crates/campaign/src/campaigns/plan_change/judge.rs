//! What is wrong at the end of a story, by the simulator's ledger, its subscription, and the store.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use dodo_sim::{Charge, Request};
use serde_json::Value;
use testkit::{
    InProcessServices, Subscriber, attempt_in, attempt_of,
    check::{self, Violation},
    is_lost, standing_clock,
};
use upsell_core::domain::{AttemptRow, AttemptState, ChargePlan, QuoteRow};
use wire::{AttemptId, IdempotencyKey};

use super::{
    ADDONS_LOST, shop,
    story::{Story, Told},
};
use crate::{
    lives::World,
    report::{Broken, Report},
};

/// An attempt with its quote, what left for it and what it collected.
struct Case {
    row: AttemptRow,
    quote: QuoteRow,
    posts: Vec<Request>,
    charges: Vec<Charge>,
}

impl Case {
    /// Whether the record says that the change is made, or booked.
    fn is_made(&self) -> bool {
        matches!(self.row.state, AttemptState::Succeeded | AttemptState::Scheduled)
    }

    /// Whether nothing of it can have reached Dodo.
    fn never_arrived(&self, story: &Story) -> bool {
        self.posts.iter().all(is_lost) && !story.late.contains(self.row.id.as_str())
    }
}

pub(super) async fn judge(
    world: &World,
    story: &Story,
    seed: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let who = story.who.as_ref().context("nobody subscribes")?;
    let services = InProcessServices::start(&world.dodo, &world.database, &standing_clock()).await?;
    let posts = world.dodo.change_requests_of(&who.subscription);
    let charges = world.dodo.collected_for_changes_of(&who.subscription);
    let cases = cases(&services, story, who, &posts, &charges).await?;
    report.runs = report.runs.saturating_add(1);
    report.posts = report.posts.saturating_add(u64::try_from(posts.len())?);
    let mut wrong = Vec::new();
    let sent = check::requests(services.store.as_ref(), &posts).await?;
    report.found(format_args!("{:?}", story.scenario), seed, sent);
    for case in &cases {
        report.found(format_args!("{:?}", story.scenario), seed, by_the_ledger(case));
        wrong.extend(of_attempt(story, case));
    }
    let stray = charges.iter().any(|charge| !cases.iter().any(|case| owns(case, charge)));
    if stray {
        wrong.push((Broken::Lost, "money was collected for no attempt on record".to_owned()));
    }
    wrong.extend(of_quotes(&cases));
    wrong.extend(of_clicks(story, &cases));
    wrong.extend(of_subscription(story, &cases, &world.dodo.subscription(&who.subscription)?));
    let made = cases.iter().filter(|case| case.is_made());
    let granted: i64 = made.map(|case| case.quote.quote.credit).sum();
    let credit = world.dodo.credit_of(&who.customer)?;
    if credit != granted {
        wrong.push((Broken::Lost, format!("{credit} of credit, and {granted} on record")));
    }
    for (promise, what) in wrong {
        report.broken(promise, seed, format!("{:?}: {what}", story.scenario));
    }
    services.store.close().await;
    Ok(())
}

/// Every attempt that this story made, the oldest first.
async fn cases(
    services: &InProcessServices,
    story: &Story,
    who: &Subscriber,
    posts: &[Request],
    charges: &[Charge],
) -> anyhow::Result<Vec<Case>> {
    let mut rows: BTreeMap<AttemptId, AttemptRow> = BTreeMap::new();
    for key in story.keys.keys() {
        let key = IdempotencyKey::parse(story.word(*key))?;
        if let Some(row) = services.store.attempt_by_key(&who.customer, &key).await? {
            rows.insert(row.id.clone(), row);
        }
    }
    // An attempt that was called off has given its key back.
    for id in posts.iter().filter_map(attempt_in) {
        if let Some(row) = services.store.attempt_by_id(&AttemptId::parse(id)?).await? {
            rows.insert(row.id.clone(), row);
        }
    }
    let mut cases = Vec::new();
    for row in rows.into_values() {
        let quote = services.store.quote(&who.customer, &row.quote_id).await?;
        let ours = |id: Option<String>| id.as_deref() == Some(row.id.as_str());
        cases.push(Case {
            quote: quote.context("an attempt without its quote")?,
            posts: posts.iter().filter(|post| ours(attempt_in(post))).cloned().collect(),
            charges: charges.iter().filter(|charge| ours(attempt_of(charge))).cloned().collect(),
            row,
        });
    }
    let first_post =
        |case: &Case| posts.iter().position(|post| attempt_in(post).as_deref() == Some(case.row.id.as_str()));
    cases.sort_by_key(first_post);
    Ok(cases)
}

fn owns(case: &Case, charge: &Charge) -> bool {
    attempt_of(charge).as_deref() == Some(case.row.id.as_str())
}

/// What is wrong about one attempt whatever its story is (I1, I8, I13).
fn by_the_ledger(Case { row, charges, .. }: &Case) -> Vec<Violation> {
    let mut found = check::charges(charges, row.consent.amount);
    found.extend(check::attempt_decided(row));
    found
}

/// One attempt against what left for it and what it collected.
fn of_attempt(story: &Story, case: &Case) -> Vec<(Broken, String)> {
    let Case { row, quote, charges, .. } = case;
    let (id, shown) = (&row.id, story.shown.get(&row.quote_id));
    let mut wrong = Vec::new();
    let mut note = |is_wrong: bool, promise, what: String| {
        if is_wrong {
            wrong.push((promise, what));
        }
    };
    // I8: shown, quoted, agreed to and collected are one amount.
    let agreed = (row.consent.amount, row.consent.currency.to_string());
    for (what, amount) in [
        ("shown", shown.map(|quote| (quote.total, quote.currency.to_string()))),
        ("quoted", Some((quote.quote.total, quote.quote.currency.to_string()))),
    ] {
        note(
            amount.as_ref() != Some(&agreed),
            Broken::Lie,
            format!("{what} {amount:?}, agreed to {agreed:?}"),
        );
    }
    for charge in charges {
        let collected = (charge.amount, charge.currency.to_string());
        note(collected != agreed, Broken::Double, format!("agreed to {agreed:?}, collected {collected:?}"));
    }
    // I5, I9, and that nothing is claimed that is not so.
    let due = quote.quote.total > 0;
    match charges.first() {
        Some(charge) => {
            let on_record = check::records(row, charge);
            note(!on_record, Broken::Lost, format!("{id} was paid and is {:?}", row.state));
        }
        None => {
            let claimed = row.state == AttemptState::Succeeded && due;
            note(claimed, Broken::Lie, format!("{id} succeeded and nothing was paid"));
        }
    }
    let unseen = case.is_made() && case.never_arrived(story);
    note(unseen, Broken::Lie, format!("{id} is {:?} and never reached Dodo", row.state));
    wrong
}

/// One confirmation, one change: no quote is carried out twice.
fn of_quotes(cases: &[Case]) -> Vec<(Broken, String)> {
    let mut seen = BTreeSet::new();
    let made = cases.iter().filter(|case| case.is_made() || !case.charges.is_empty());
    made.filter(|case| !seen.insert(&case.row.quote_id))
        .map(|case| (Broken::Double, format!("{} was carried out twice", case.row.quote_id)))
        .collect()
}

/// What was told against what became of it (I12).
fn of_clicks(story: &Story, cases: &[Case]) -> Vec<(Broken, String)> {
    let of = |id: &AttemptId| cases.iter().find(|case| case.row.id == *id);
    let happened = |case: &Case| case.is_made() || !case.charges.is_empty();
    let mut wrong = Vec::new();
    for click in &story.clicks {
        let lie = match &click.told {
            Told::Failed(id) => of(id).is_some_and(happened).then(|| format!("{id} was said to have failed")),
            Told::Done(id) => {
                (!of(id).is_some_and(happened)).then(|| format!("{id} was said to be done, and is not"))
            }
            Told::Refused if is_last_word(story, click.key) => {
                let made = cases.iter().find(|case| {
                    let key = case.row.key.as_ref().map(IdempotencyKey::as_str);
                    key == Some(story.word(click.key).as_str()) && happened(case)
                });
                made.map(|case| format!("a click was refused, and {} was made", case.row.id))
            }
            Told::Refused | Told::Open => None,
        };
        wrong.extend(lie.map(|what| (Broken::Lie, what)));
    }
    wrong
}

/// Whether nothing was said about this key that says otherwise.
fn is_last_word(story: &Story, key: u32) -> bool {
    story.clicks.iter().filter(|click| click.key == key).all(|click| click.told == Told::Refused)
}

/// Plan, seats and add-ons as somebody has them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Has {
    product: String,
    seats: u32,
    addons: BTreeMap<String, u32>,
}

impl Has {
    /// As Dodo tells of it; of a subscription or of a booked change.
    fn read(from: &Value) -> Self {
        let count = |value: &Value| value.as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or_default();
        let addons = from["addons"].as_array().map_or(&[][..], Vec::as_slice);
        let addon = |addon: &Value| {
            (addon["addon_id"].as_str().unwrap_or_default().to_owned(), count(&addon["quantity"]))
        };
        Self {
            product: from["product_id"].as_str().unwrap_or_default().to_owned(),
            seats: count(&from["quantity"]),
            addons: addons.iter().map(addon).collect(),
        }
    }

    /// What it becomes by a change that nobody lost anything by: the new plan, the seats that were asked for or else
    /// those that were there, the add-ons that the new plan carries.
    fn changed_to(&self, product: &str, seats: Option<u32>) -> Self {
        let mut addons = self.addons.clone();
        addons.retain(|addon, _| shop::carries(product, addon));
        Self { product: product.to_owned(), seats: seats.unwrap_or(self.seats), addons }
    }
}

/// The subscription at Dodo against the record.
fn of_subscription(story: &Story, cases: &[Case], now: &Value) -> Vec<(Broken, String)> {
    let shape = &story.shape;
    let (seats, addons) = story.elsewhere.clone().unwrap_or_else(|| (shape.seats, shape.addons.clone()));
    let mut should = Has { product: shape.product(), seats, addons };
    let (mut booked, mut renewal) = (None, None);
    for case in cases.iter().filter(|case| case.is_made()) {
        let ChargePlan::PlanChange { product_id, .. } = &case.quote.plan else { continue };
        let tab = usize::from(product_id.as_str() != shape.target(0));
        let next = should.changed_to(product_id.as_str(), shape.wanted[tab].1);
        match case.row.state {
            AttemptState::Scheduled => booked = Some(next),
            _ => should = next,
        }
        renewal = case.quote.quote.renewal.map(|renewal| renewal.amount);
    }
    let is = Has::read(now);
    let is_booked = Some(&now["scheduled_change"]).filter(|change| !change.is_null()).map(Has::read);
    let mut wrong = Vec::new();
    if now["status"] != "active" {
        wrong.push((Broken::Lost, format!("the subscription is {}", now["status"])));
    }
    for (is, should) in [(Some(is), Some(should)), (is_booked, booked)] {
        if is == should {
            continue;
        }
        let only_fewer = match (&is, &should) {
            (Some(is), Some(should)) => is.product == should.product,
            _ => false,
        };
        let promise = if only_fewer { Broken::Other(ADDONS_LOST) } else { Broken::Lost };
        wrong.push((promise, format!("Dodo has {is:?}, the record says {should:?}")));
    }
    let immediate = now["scheduled_change"].is_null();
    if let Some(renewal) = renewal.filter(|_| immediate)
        && now["recurring_pre_tax_amount"] != renewal
    {
        wrong.push((Broken::Lie, format!("renews at {}, shown {renewal}", now["recurring_pre_tax_amount"])));
    }
    wrong
}
