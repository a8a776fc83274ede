//! How a buyer's story is played.

use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use async_trait::async_trait;
use proxy::{
    clock::Clock as _,
    service::{accepting::AcceptError, charging::ChargeError},
    store::Execute,
};
use testkit::{Dodo, InProcessServices, KIT, rules_with};
use upsell_core::{
    domain::OfferState,
    journal::{Decline, DeclineOutcome},
    rules::{AboveQuote, LateSuccess, MoneyRules, Rules, Surplus},
};
use wire::{AttemptStatus, PayWith};

use super::{
    judge::judge,
    story::{PRICE, SCENARIOS, Scenario, Step, Story, Told},
};
use crate::{
    lives::{Tale, World, told as lock},
    report::Report,
};

/// The merchant wants nothing that should not be there.
const GIVES_BACK: MoneyRules = MoneyRules {
    late_success: LateSuccess::Refund,
    surplus: Surplus::Refund,
    above_quote: AboveQuote::RefundDifference,
};

#[async_trait]
impl Tale for Story {
    type Scenario = Scenario;
    type Step = Step;
    const SCENARIOS: &'static [Scenario] = SCENARIOS;

    fn begin(scenario: Scenario, seed: u64) -> Self {
        Self::new(scenario, seed)
    }

    fn rules(&self) -> anyhow::Result<Arc<Rules>> {
        rules_with(GIVES_BACK)
    }

    fn steps(&self) -> &'static [Step] {
        self.steps()
    }

    // The page is loaded once, before anything may die.
    async fn prepare(services: &InProcessServices, dodo: &Dodo, story: &Mutex<Self>) -> anyhow::Result<()> {
        let (known, card, fault, refund_fault, outcome) = {
            let story = lock(story);
            (story.shown.is_some(), story.card(), story.fault(), story.refund_fault(), story.outcome())
        };
        if known {
            return Ok(());
        }
        dodo.control().clear_faults();
        dodo.reprice(KIT, PRICE)?;
        dodo.switch(outcome)?;
        let shown = services.show(dodo, Some(card), KIT).await?;
        if let Some(fault) = fault {
            dodo.fault("POST", "/checkouts", fault, 1)?;
        }
        if let Some(fault) = refund_fault {
            dodo.fault("POST", "/refunds", fault, 1)?;
        }
        lock(story).shown = Some(shown);
        Ok(())
    }

    // What was given up is watched by the hour: where deaths have kept every report of it from being heard, that is who
    // hears of it. What is pending for a day is looked at by the hour, too, and a death may have cut the day short.
    async fn linger(services: &InProcessServices, dodo: &Dodo, story: &Mutex<Self>) -> anyhow::Result<()> {
        let shown = lock(story).shown.clone().context("no page is shown")?;
        match services.offer(&shown).await?.state {
            OfferState::Abandoned => services.watch(dodo).await,
            OfferState::Pending if lock(story).takes_a_day() => services.pass_hours(dodo, 25).await,
            _ => Ok(()),
        }
    }

    async fn take(
        services: &InProcessServices,
        dodo: &Dodo,
        story: &Mutex<Self>,
        step: Step,
    ) -> anyhow::Result<()> {
        let (shown, seed) = {
            let story = lock(story);
            (story.shown.clone().context("no page is shown")?, story.seed)
        };
        let customer = shown.offer.customer_id.as_str();
        match step {
            Step::Accept { key, hosted } => {
                let pay_with = hosted.then_some(PayWith::HostedCheckout);
                // A process that dies says nothing: what it was asked stays open.
                let asked = {
                    let mut story = lock(story);
                    story.told.push((key, Told::Open));
                    story.told.len().saturating_sub(1)
                };
                let answer = services.accept(&shown, &format!("key-{seed}-{key}"), pay_with).await;
                let told = match answer {
                    Ok(attempt) if attempt.status == Some(AttemptStatus::Failed) => {
                        Told::Failed(attempt.attempt_id.context("an attempt without an id")?)
                    }
                    Ok(_)
                    | Err(AcceptError::Charge(ChargeError::AttemptInProgress | ChargeError::KeyInProgress)) => {
                        Told::Open
                    }
                    Err(_) => Told::Refused,
                };
                if let Some(entry) = lock(story).told.get_mut(asked) {
                    *entry = (key, told);
                }
            }
            Step::Decline => {
                let decline = Decline {
                    offer_id: shown.offer.id.clone(),
                    customer_id: shown.offer.customer_id.clone(),
                    email: shown.offer.email.clone(),
                    price: None,
                    plan: None,
                    reason: None,
                    at: services.clock.now(),
                };
                let outcome = services.store.execute(&decline).await?;
                let declined =
                    matches!(outcome, DeclineOutcome::Declined(_) | DeclineOutcome::AlreadyDeclined(_));
                let posts = dodo.charging_requests_of(customer).len();
                let mut story = lock(story);
                if declined && !story.declined {
                    story.declined = true;
                    story.posts_when_declined = posts;
                }
            }
            Step::Webhooks => {
                for charge in dodo.charges_of(customer) {
                    // A delivery that is not taken would be repeated by Dodo; here the reconciler has to do without.
                    drop(services.report(dodo, &charge.payment_id).await);
                }
            }
            Step::Leftovers => services.webhooks.apply_leftovers().await?,
            Step::ArriveLate => drop(dodo.arrive_late(customer)?),
            Step::Price(price) => dodo.reprice(KIT, price)?,
            Step::Pass(seconds) => services.pass(dodo, seconds).await?,
            Step::Hours(hours) => services.pass_hours(dodo, hours).await?,
        }
        Ok(())
    }

    async fn judge(&self, world: &World, seed: u64, report: &mut Report) -> anyhow::Result<()> {
        judge(world, self, seed, report).await
    }
}
