//! What is wrong at the end of a story, by the simulator's ledger and the store.

use anyhow::Context as _;
use testkit::{
    InProcessServices,
    check::{self, Promise, Violation},
    standing_clock,
};
use wire::IdempotencyKey;

use super::story::{Story, Told};
use crate::{lives::World, report::Report};

pub(super) async fn judge(
    world: &World,
    story: &Story,
    seed: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let shown = story.shown.as_ref().context("no page was shown")?;
    let customer = shown.offer.customer_id.as_str();
    let posts = world.dodo.charging_requests_of(customer);
    let collected = world.dodo.collected_from(customer);
    report.runs = report.runs.saturating_add(1);
    report.posts = report.posts.saturating_add(u64::try_from(posts.len())?);
    let services = InProcessServices::start(&world.dodo, &world.database, &standing_clock()).await?;
    let store = services.store.as_ref();
    let latest = store.latest_attempt(&shown.offer.id).await?;

    let mut found = check::offer(&world.dodo, store, shown).await?;
    // I7.
    if story.declined && posts.len() > story.posts_when_declined {
        found.push(Violation::new(Promise::NoDoubleCharge, "something was sent after a refusal"));
    }
    for charge in &collected {
        found.extend(check::refunds(&world.dodo, store, charge, latest.as_ref()).await?);
    }
    // I12.
    for (key, told) in &story.told {
        match told {
            Told::Failed(id) => found.extend(check::told_failed(id, &collected)),
            Told::Refused if is_last_word(story, *key) => {
                let key = IdempotencyKey::parse(format!("key-{seed}-{key}"))?;
                let row = store.attempt_by_key(&shown.offer.customer_id, &key).await?;
                if row.is_some_and(|row| check::is_paid(&row.id, &collected)) {
                    found.push(Violation::new(
                        Promise::NothingMisreported,
                        "a click was refused and was paid",
                    ));
                }
            }
            Told::Refused | Told::Open => {}
        }
    }
    report.found(format_args!("{:?}", story.scenario), seed, found);
    services.store.close().await;
    Ok(())
}

/// Whether nothing was said about this key that says otherwise.
fn is_last_word(story: &Story, key: u32) -> bool {
    story.told.iter().filter(|(about, _)| *about == key).all(|(_, told)| *told == Told::Refused)
}
