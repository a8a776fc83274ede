//! Processes that live and die, one after the other, over one database.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use proxy::{
    clock::{Clock as _, ManualClock},
    failpoint::{self, Plan},
    rules::{AboveQuote, LateSuccess, MoneyRules, Surplus},
    service::charging::ChargeError,
    store::{DeclineOutcome, Refusal},
};
use wire::{AttemptStatus, PayWith};

use super::story::{PRICE, Step, Story, Told};
use crate::rig::{Database, Desk, Dodo, KIT, standing_clock};

/// Longer than any life takes; a life that hangs is a campaign that could not be run.
const LIFE: Duration = Duration::from_secs(60);
/// Longer than anything may stay undecided (I13).
const AFTERWARDS: i64 = 30 * 60;

/// The merchant wants nothing that should not be there.
const GIVES_BACK: MoneyRules = MoneyRules {
    late_success: LateSuccess::Refund,
    surplus: Surplus::Refund,
    above_quote: AboveQuote::RefundDifference,
};

/// What outlives a process.
pub(super) struct World {
    pub(super) dodo: Arc<Dodo>,
    pub(super) database: Database,
}

/// Where processes die.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deaths {
    pub(super) first: Option<(&'static str, u32)>,
    pub(super) second: Option<(&'static str, u32)>,
    /// Seconds until the next process starts.
    pub(super) asleep: i64,
}

impl Deaths {
    pub(super) fn none() -> Self {
        Self { first: None, second: None, asleep: 0 }
    }
}

/// Plays a story to its end, through all its deaths. Tells the places that the first process passed.
pub(super) async fn live(
    world: &World,
    story: Story,
    deaths: &Deaths,
) -> anyhow::Result<(Story, BTreeMap<&'static str, u32>)> {
    let clock = standing_clock();
    let story = Arc::new(Mutex::new(story));
    let mut passed = None;
    for death in [deaths.first, deaths.second, None] {
        let plan = death.map_or_else(Plan::counting, |(name, nth)| Plan::stopping_at(name, nth));
        let died = process(world, &clock, &story, &plan).await?;
        passed.get_or_insert_with(|| plan.hits());
        if !died {
            break;
        }
        clock.advance(deaths.asleep);
        world.dodo.control().advance(Duration::from_secs(deaths.asleep.unsigned_abs()));
    }
    let story = story.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok((story, passed.unwrap_or_default()))
}

/// One process, in a runtime of its own. Returns whether it died.
async fn process(
    world: &World,
    clock: &Arc<ManualClock>,
    story: &Arc<Mutex<Story>>,
    plan: &Arc<Plan>,
) -> anyhow::Result<bool> {
    let (dodo, database) = (Arc::clone(&world.dodo), world.database.clone());
    let (clock, story, plan) = (Arc::clone(clock), Arc::clone(story), Arc::clone(plan));
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let died = runtime.block_on(async {
            let desk = Desk::open_under(&dodo, &database, &clock, GIVES_BACK).await?;
            prepare(&desk, &dodo, &story).await?;
            let play = failpoint::with(Arc::clone(&plan), play(&desk, &dodo, &story));
            tokio::select! {
                () = plan.stopped() => Ok(true),
                played = tokio::time::timeout(LIFE, play) => {
                    played.context("a process hangs")??;
                    desk.store.close().await;
                    Ok(false)
                }
            }
        });
        // Whatever is under way ends here, where it stands.
        drop(runtime);
        died
    })
    .await
    .context("a process panicked")?
}

/// The page is loaded once, before anything may die.
async fn prepare(desk: &Desk, dodo: &Dodo, story: &Mutex<Story>) -> anyhow::Result<()> {
    let (known, card, fault, refund_fault) = {
        let story = story.lock().unwrap_or_else(PoisonError::into_inner);
        (story.shown.is_some(), story.card(), story.fault(), story.refund_fault())
    };
    if known {
        return Ok(());
    }
    dodo.control().clear_faults();
    dodo.reprice(KIT, PRICE)?;
    let shown = desk.show(dodo, Some(card), KIT).await?;
    if let Some(fault) = fault {
        dodo.fault("POST", "/checkouts", fault, 1)?;
    }
    if let Some(fault) = refund_fault {
        dodo.fault("POST", "/refunds", fault, 1)?;
    }
    story.lock().unwrap_or_else(PoisonError::into_inner).shown = Some(shown);
    Ok(())
}

/// What a process does: takes up what is left, then goes on with the story.
async fn play(desk: &Desk, dodo: &Dodo, story: &Mutex<Story>) -> anyhow::Result<()> {
    desk.reconciler.catch_up().await;
    loop {
        let next = {
            let mut story = story.lock().unwrap_or_else(PoisonError::into_inner);
            let next = story.steps().get(story.at).copied();
            // A step that a process dies in is over, unless the buyer insists.
            if !story.insists {
                story.at = story.at.saturating_add(1);
            }
            next
        };
        let Some(step) = next else { break };
        take(desk, dodo, story, step).await?;
        let mut story = story.lock().unwrap_or_else(PoisonError::into_inner);
        if story.insists {
            story.at = story.at.saturating_add(1);
        }
    }
    desk.webhooks.apply_leftovers().await?;
    desk.pass(dodo, AFTERWARDS).await
}

async fn take(desk: &Desk, dodo: &Dodo, story: &Mutex<Story>, step: Step) -> anyhow::Result<()> {
    let (shown, seed) = {
        let story = story.lock().unwrap_or_else(PoisonError::into_inner);
        (story.shown.clone().context("no page is shown")?, story.seed)
    };
    let customer = shown.offer.customer_id.as_str();
    match step {
        Step::Accept { key, hosted } => {
            let pay_with = hosted.then_some(PayWith::HostedCheckout);
            // A process that dies says nothing: what it was asked stays open.
            let asked = {
                let mut story = story.lock().unwrap_or_else(PoisonError::into_inner);
                story.told.push((key, Told::Open));
                story.told.len().saturating_sub(1)
            };
            let answer = desk.accept(&shown, &format!("key-{seed}-{key}"), pay_with).await;
            let told = match answer {
                Ok(attempt) if attempt.status == Some(AttemptStatus::Failed) => {
                    Told::Failed(attempt.attempt_id.context("an attempt without an id")?)
                }
                Ok(_) | Err(ChargeError::AttemptInProgress | ChargeError::KeyInProgress) => Told::Open,
                Err(_) => Told::Refused,
            };
            if let Some(entry) = story.lock().unwrap_or_else(PoisonError::into_inner).told.get_mut(asked) {
                *entry = (key, told);
            }
        }
        Step::Decline => {
            let refusal = Refusal {
                offer_id: shown.offer.id.clone(),
                customer_id: shown.offer.customer_id.clone(),
                price: None,
                plan: None,
                reason: None,
                at: desk.clock.now(),
            };
            let outcome = desk.store.decline(&refusal).await?;
            let declined =
                matches!(outcome, DeclineOutcome::Declined(_) | DeclineOutcome::AlreadyDeclined(_));
            let posts = dodo.charging_requests_of(customer).len();
            let mut story = story.lock().unwrap_or_else(PoisonError::into_inner);
            if declined && !story.declined {
                story.declined = true;
                story.posts_when_declined = posts;
            }
        }
        Step::Webhooks => {
            for charge in dodo.charges_of(customer) {
                // A delivery that is not taken would be repeated by Dodo; here the reconciler has to do without.
                drop(desk.report(dodo, &charge.payment_id).await);
            }
        }
        Step::Leftovers => desk.webhooks.apply_leftovers().await?,
        Step::ArriveLate => drop(dodo.arrive_late(customer)?),
        Step::Price(price) => dodo.reprice(KIT, price)?,
        Step::Pass(seconds) => desk.pass(dodo, seconds).await?,
    }
    Ok(())
}
