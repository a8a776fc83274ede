//! How a subscriber's story is played.

use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use async_trait::async_trait;
use dodo_sim::ProductPatch;
use proxy::service::{accepting::AcceptError, charging::ChargeError};
use serde_json::json;
use testkit::{Dodo, InProcessServices, PlanPage, attempt_in, is_lost};
use upsell_core::{domain::AttemptState, rules::Rules};
use wire::{AttemptStatus, IdempotencyKey, Quote, QuoteId};

use super::{
    judge::judge,
    shop,
    story::{Click, SCENARIOS, Scenario, Step, Story, Told},
};
use crate::{
    lives::{Tale, World, told as lock},
    report::Report,
};

#[async_trait]
impl Tale for Story {
    type Scenario = Scenario;
    type Step = Step;
    const SCENARIOS: &'static [Scenario] = SCENARIOS;

    fn begin(scenario: Scenario, seed: u64) -> Self {
        Self::new(scenario, seed)
    }

    // About unexpected payments, as they are shipped: nothing goes back.
    fn rules(&self) -> anyhow::Result<Arc<Rules>> {
        self.rules.clone().context("the merchant has no rules")
    }

    fn steps(&self) -> &'static [Step] {
        self.steps()
    }

    async fn dodo(seed: u64) -> anyhow::Result<Dodo> {
        shop::open(seed).await
    }

    // The subscription is there before anything may die.
    async fn prepare(_: &InProcessServices, dodo: &Dodo, story: &Mutex<Self>) -> anyhow::Result<()> {
        let mut story = lock(story);
        if story.who.is_some() {
            return Ok(());
        }
        dodo.control().clear_faults();
        dodo.switch(json!({"plan_change_outcome": "settle", "decline_off_session_with": null}))?;
        shop::reprice(dodo)?;
        let shape = &story.shape;
        let customer = dodo.customer_in(Some(shape.card), shape.country)?;
        let who = dodo.subscribe(&customer, &shape.product(), shape.seats, &shape.addons, shape.day)?;
        dodo.switch(story.switches())?;
        if let Some(fault) = story.fault() {
            dodo.fault("POST", "/subscriptions/*/change-plan", fault, 1)?;
        }
        story.who = Some(who);
        Ok(())
    }

    // A change that was given up and arrived late is heard of by the hour, where deaths have kept all else from telling.
    async fn linger(services: &InProcessServices, dodo: &Dodo, story: &Mutex<Self>) -> anyhow::Result<()> {
        let (who, words, takes_a_day) = {
            let story = lock(story);
            let words: Vec<String> = story.keys.keys().map(|key| story.word(*key)).collect();
            let takes_a_day = story.scenario == Scenario::ApprovedNextDay;
            (story.who.clone().context("nobody subscribes")?, words, takes_a_day)
        };
        for word in words {
            let key = IdempotencyKey::parse(word)?;
            let row = services.store.attempt_by_key(&who.customer, &key).await?;
            match row.map(|row| row.state) {
                Some(AttemptState::Abandoned) => return services.watch(dodo).await,
                // A death may have cut the bank's day short.
                Some(AttemptState::Pending { .. } | AttemptState::Unknown) if takes_a_day => {
                    return services.pass_hours(dodo, 25).await;
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn take(
        services: &InProcessServices,
        dodo: &Dodo,
        story: &Mutex<Self>,
        step: Step,
    ) -> anyhow::Result<()> {
        let who = lock(story).who.clone().context("nobody subscribes")?;
        let page = services.plan_page(&who);
        match step {
            Step::Preview(tab) => {
                let request = lock(story).request(tab)?;
                // Both calls of a page that opens; what it cannot show it does not.
                drop(page.list().await);
                let shown = page.preview(&request).await.ok().map(|preview| preview.quote);
                show(story, tab, shown);
            }
            Step::Confirm(tab, key) => confirm(&page, story, tab, key).await?,
            Step::ConfirmBoth(first, second) => {
                let (first, second) =
                    tokio::join!(confirm(&page, story, 0, first), confirm(&page, story, 1, second));
                first.and(second)?;
            }
            Step::Webhooks => {
                for charge in dodo.charges_of(who.customer.as_str()) {
                    // A delivery that is not taken would be repeated by Dodo; here the reconciler has to do without.
                    drop(services.report(dodo, &charge.payment_id).await);
                }
                let no = {
                    let mut story = lock(story);
                    story.reports = story.reports.saturating_add(1);
                    story.reports
                };
                drop(services.report_subscription(dodo, &who.subscription, no).await);
            }
            Step::Leftovers => services.webhooks.apply_leftovers().await?,
            Step::ArriveLate => {
                if dodo.change_arrives_late(&who.subscription)? {
                    let posts = dodo.change_requests_of(&who.subscription);
                    let lost = posts.iter().rev().filter(|post| is_lost(post));
                    lock(story).late.extend(lost.filter_map(attempt_in).take(1));
                }
            }
            Step::PriceRises => {
                let (target, price) = {
                    let shape = &lock(story).shape;
                    (shape.target(0), shop::price(shape.wanted[0].0, shape.currency))
                };
                let price = Some(price.saturating_add(price / 10));
                dodo.control().product(&target, ProductPatch { price, ..ProductPatch::default() })?;
            }
            Step::ChangeElsewhere => {
                let (seats, addons) = {
                    let shape = &lock(story).shape;
                    let mut addons = shape.addons.clone();
                    let more = addons.entry(shop::addon("seats", shape.currency)).or_default();
                    *more = more.saturating_add(1);
                    (shape.seats.saturating_add(1), addons)
                };
                dodo.change_elsewhere(&who.subscription, seats, &addons)?;
                lock(story).elsewhere = Some((seats, addons));
            }
            Step::CardPays => dodo.switch(json!({"decline_off_session_with": null}))?,
            Step::Pass(seconds) => services.pass(dodo, seconds).await?,
            Step::Hours(hours) => services.pass_hours(dodo, hours).await?,
        }
        Ok(())
    }

    async fn judge(&self, world: &World, seed: u64, report: &mut Report) -> anyhow::Result<()> {
        judge(world, self, seed, report).await
    }
}

/// Puts a quote on the screen, or takes away what was there.
fn show(story: &Mutex<Story>, tab: usize, quote: Option<Quote>) {
    let mut story = lock(story);
    if let Some(quote) = &quote {
        story.shown.insert(quote.id.clone(), quote.clone());
    }
    story.tabs[tab] = quote.map(|quote| quote.id);
}

/// Clicks on what a tab shows. A key that was used before goes with the quote that it was used for.
async fn confirm(page: &PlanPage<'_>, story: &Mutex<Story>, tab: usize, key: u32) -> anyhow::Result<()> {
    let (quote, at, word) = {
        let mut story = lock(story);
        let known: Option<QuoteId> = story.keys.get(&key).or(story.tabs[tab].as_ref()).cloned();
        let Some(quote) = known else { return Ok(()) };
        story.keys.insert(key, quote.clone());
        // A process that dies says nothing: what it was asked stays open.
        story.clicks.push(Click { key, told: Told::Open });
        (quote, story.clicks.len().saturating_sub(1), story.word(key))
    };
    let told = match page.confirm(&quote, &word).await {
        Ok(attempt) => {
            let id = attempt.attempt_id.context("an attempt without an id")?;
            match attempt.status {
                Some(AttemptStatus::Failed) => Told::Failed(id),
                Some(AttemptStatus::Succeeded | AttemptStatus::Scheduled) => Told::Done(id),
                _ => Told::Open,
            }
        }
        Err(AcceptError::Charge(ChargeError::QuoteChanged(new))) => {
            show(story, tab, Some(*new));
            Told::Refused
        }
        Err(AcceptError::Charge(ChargeError::QuoteExpired)) => {
            show(story, tab, None);
            Told::Refused
        }
        Err(AcceptError::Charge(ChargeError::AttemptInProgress | ChargeError::KeyInProgress)) => Told::Open,
        Err(_) => Told::Refused,
    };
    if let Some(click) = lock(story).clicks.get_mut(at) {
        click.told = told;
    }
    Ok(())
}
